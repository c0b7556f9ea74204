"""What exploration costs and brings, played through on items whose true click rates are known."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.serving.exploration import explore
from workbench.serving.exploration_policies import PRIOR_RATE


@dataclass(frozen=True)
class World:
    """A catalogue and its visitors.

    known: items with a long past, whose click rates the model knows.
    new: items it knows nothing of; it learns their rates from what is shown, beginning at 0.
    rate: mean click rate of all items; single ones are drawn from Beta(2, 2/rate - 2).
    places: of a list. lists: how many are served.
    refresh: lists between two looks at the counts.
    """

    known: int = 200
    new: int = 100
    rate: float = PRIOR_RATE
    places: int = 10
    lists: int = 2_000
    refresh: int = 20

    def rates(self, rng: np.random.Generator) -> np.ndarray:
        """(known + new,) true click rates; the new items come last, newest first."""
        return rng.beta(2.0, 2.0 / self.rate - 2.0, self.known + self.new)


def simulate(
    weights: Sequence[float] = (0.0, 0.1, 0.3, 0.6, 1.0),
    policies: Sequence[str] = ("thompson",),
    world: World | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """Serve lists with several weights and policies to the same visitors.

    Args:
        weights: of exploration.
        policies: "thompson", "ucb", "uniform".
        world: what is played.
        seed: of rates, clicks and exploration; the same seed gives the same table.

    Returns:
        One row a policy and weight: POLICY, WEIGHT; SHARE explored of all places; EARLY_SHARE and LATE_SHARE of the
        first and the last tenth of the lists; CLICKS and REGRET a list, regret being the clicks expected of the best
        possible list less those expected of the one served; LATE_REGRET of the last tenth; FOUND, the share of the new
        items that belong into the best list and are in the relevance list at the end (1 where none belongs there).
    """
    played = world or World()
    rates = played.rates(np.random.default_rng(seed))
    rows = [
        {"POLICY": policy, "WEIGHT": weight} | _play(played, rates, policy, weight, np.random.default_rng([seed, 1]))
        for policy in policies
        for weight in weights
    ]
    return pd.DataFrame(rows)


def _play(world: World, rates: np.ndarray, policy: str, weight: float, rng: np.random.Generator) -> dict[str, float]:
    new = np.arange(world.known, world.known + world.new)
    shown, clicked = np.zeros(len(rates), dtype=np.int64), np.zeros(len(rates), dtype=np.int64)
    best = np.argsort(-rates, kind="stable")[: world.places]
    shares, clicks, regret = np.zeros(world.lists), np.zeros(world.lists), np.zeros(world.lists)
    for number in range(world.lists):
        if number % world.refresh == 0:
            order = _order(world, rates, shown, clicked)
            counts = shown[new].copy(), clicked[new].copy()
        found = explore(order, new, *counts, weight, world.places, rng, policy, world.rate)
        hits = rng.random(len(found.codes)) < rates[found.codes]
        shown[found.codes] += 1
        clicked[found.codes] += hits
        shares[number], clicks[number] = found.share, hits.sum()
        regret[number] = rates[best].sum() - rates[found.codes].sum()
    tenth = max(world.lists // 10, 1)
    wanted = set(best) & set(new)
    listed = set(_order(world, rates, shown, clicked)[: world.places])
    return {
        "SHARE": shares.mean(),
        "EARLY_SHARE": shares[:tenth].mean(),
        "LATE_SHARE": shares[-tenth:].mean(),
        "CLICKS": clicks.mean(),
        "REGRET": regret.mean(),
        "LATE_REGRET": regret[-tenth:].mean(),
        "FOUND": len(wanted & listed) / len(wanted) if wanted else 1.0,
    }


def _order(world: World, rates: np.ndarray, shown: np.ndarray, clicked: np.ndarray) -> np.ndarray:
    """The relevance list: true rates of known items; of new ones clicks over impressions, shrunk towards 0."""
    learned = clicked / (shown + 1.0 / world.rate)
    scores = np.where(np.arange(len(rates)) < world.known, rates, learned)
    return np.argsort(-scores, kind="stable")
