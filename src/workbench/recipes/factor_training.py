"""Alternating least squares from start to end, and the choice of its two weights by events that are held back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm.auto import tqdm

from workbench.recipes.alternating_squares import Ragged, along_own_axes, solve

STEPS = 3  # of conjugate gradients in a round, which goes on from the last round
FIRST_SPREAD = 0.1  # times 1 / sqrt(width): standard deviation of the first item factors
ALPHAS, RIDGES = (4.0, 1.0, 16.0, 64.0), (0.1, 0.03, 0.3)  # tried in this order; the first are kept when in doubt
CHOICE_ROUNDS, CHOICE_WIDTH = 5, 64
MOST_JUDGES, FEWEST_JUDGES = 2000, 20  # users whose newest item is held back
CUT = 20  # list length that the choice looks at
SCORES = 4_000_000  # held at once


@dataclass(frozen=True)
class Weights:
    """What counts how much; see `MatrixFactorization`."""

    alpha: float
    ridge: float
    ridge_power: float

    def all_pairs(self, weight: np.ndarray) -> np.ndarray:
        """Weigh down what comes from all pairs, chosen or not."""
        return (weight / self.alpha).astype(np.float32)

    def scale(self, rows: Ragged, n_others: int) -> float:
        """Give the factor that makes the mean row's ridge `ridge` times its chosen weight."""
        mean = max(float(rows.sums().mean()), np.finfo(np.float32).tiny)
        return mean / (mean + n_others / self.alpha) ** self.ridge_power

    def ridges(self, rows: Ragged, n_others: int, scale: float) -> np.ndarray:
        """Regularise every row, frequent ones more."""
        return self.ridge * scale * (rows.sums() + n_others / self.alpha) ** self.ridge_power


def alternate(
    by_user: Ragged,
    by_item: Ragged,
    width: int,
    weights: Weights,
    rounds: int,
    rng: np.random.Generator,
    progress: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Solve users and items in turn, from small random item vectors.

    Returns:
        Item and user vectors, along the axes of the items' table of products.
    """
    n_users, n_items = len(by_user.offsets) - 1, len(by_item.offsets) - 1
    user_ridge = weights.ridges(by_user, n_items, weights.scale(by_user, n_items))
    item_ridge = weights.ridges(by_item, n_users, weights.scale(by_item, n_users))
    items = rng.normal(0, FIRST_SPREAD / width**0.5, (n_items, width)).astype(np.float32)
    users = np.zeros((n_users, width), dtype=np.float32)
    for _ in tqdm(range(rounds), disable=not progress, desc="solving", unit="round"):
        items, users, weight = along_own_axes(items, users)
        users = solve(by_user, items, weights.all_pairs(weight), user_ridge, users, steps=STEPS)
        users, items, weight = along_own_axes(users, items)
        items = solve(by_item, users, weights.all_pairs(weight), item_ridge, items, steps=STEPS)
    items, users, _ = along_own_axes(items, users)
    return items, users


def choose(
    by_user: Ragged,
    newest: np.ndarray,
    n_items: int,
    given: tuple[float | None, float | None, float],
    seed: int,
    progress: bool = False,
) -> tuple[Weights, list[dict[str, Any]]]:
    """Choose alpha and ridge, or the one of them that is None, by how well held-back items are listed.

    Of up to 2,000 users with three items or more, the newest one is taken out, and a short training tries each value:
    first those of alpha, then those of ridge. Judged by NDCG at 20 over all items that the user had not chosen.

    Args:
        by_user: the pairs.
        newest: (n_users,) the item code of each user's newest event.
        n_items: in all.
        given: alpha, ridge and ridge_power; None is chosen.
        seed: of the users and of the first vectors.
        progress: whether to show a progress bar.

    Returns:
        The weights, and for every try alpha, ridge, ndcg and users; no try with fewer than 20 such users.
    """
    alpha, ridge, power = given
    rng = np.random.default_rng(seed)
    able = np.flatnonzero(np.diff(by_user.offsets) >= 3)
    tried: list[dict[str, Any]] = []
    start = Weights(alpha or ALPHAS[0], ridge or RIDGES[0], power)
    if len(able) < FEWEST_JUDGES:
        return start, tried
    judges = np.sort(rng.choice(able, min(len(able), MOST_JUDGES), replace=False))
    rest = _without(by_user, judges, newest)
    by_item = rest.turned(n_items)

    def judged(weights: Weights) -> float:
        first = np.random.default_rng(seed)
        items, users = alternate(rest, by_item, CHOICE_WIDTH, weights, CHOICE_ROUNDS, first)
        value = _ndcg(users, items, rest, judges, newest[judges])
        tried.append({"alpha": weights.alpha, "ridge": weights.ridge, "ndcg": value, "users": len(judges)})
        return value

    alphas = [Weights(each, start.ridge, power) for each in (ALPHAS if alpha is None else ())]
    ridges = [] if ridge is not None else list(RIDGES)
    with tqdm(total=len(alphas) + len(ridges), disable=not progress, desc="choosing", unit="try") as bar:
        best, most = start, -1.0
        for each in alphas:
            value = judged(each)
            bar.update()
            if value > most:
                best, most = each, value
        for each in ridges:
            weights = Weights(best.alpha, each, power)
            value = most if alphas and each == start.ridge else judged(weights)
            bar.update()
            if value > most:
                best, most = weights, value
    return best, tried


def _without(rows: Ragged, some: np.ndarray, codes: np.ndarray) -> Ragged:
    """Take one code out of some rows."""
    owner = np.repeat(np.arange(len(rows.offsets) - 1), np.diff(rows.offsets))
    taken = np.zeros(len(rows.offsets) - 1, dtype=bool)
    taken[some] = True
    kept = ~(taken[owner] & (rows.codes == codes[owner]))
    before = np.concatenate([[0], np.cumsum(kept)])
    return Ragged(before[rows.offsets], rows.codes[kept], rows.weights[kept])


def _ndcg(users: np.ndarray, items: np.ndarray, seen: Ragged, judges: np.ndarray, targets: np.ndarray) -> float:
    """Judge one held-back item per user by its rank among the items that were not seen."""
    gains = []
    size = max(1, SCORES // len(items))
    for start in range(0, len(judges), size):
        rows, wanted = judges[start : start + size], targets[start : start + size]
        scores = users[rows] @ items.T
        own = scores[np.arange(len(rows)), wanted].copy()
        lengths = np.diff(seen.offsets)[rows]
        at = np.arange(lengths.sum()) + np.repeat(seen.offsets[rows] - np.cumsum(lengths) + lengths, lengths)
        scores[np.repeat(np.arange(len(rows)), lengths), seen.codes[at]] = -np.inf
        rank = (scores >= own[:, None]).sum(axis=1) - 1  # what ties stands before it
        gains.append(np.where(rank < CUT, 1 / np.log2(rank + 2.0), 0.0))
    return float(np.concatenate(gains).mean())
