"""Choose ridge and popularity discount from the training data alone: each user's newest row, left out exactly.

Leaving one row out of a ridge regression needs no second fit. With weights W = (G + ridge I)^-1 R and a row of
features f, target y and weight q, the row's own influence is h = f (G + ridge I)^-1 f', and what the regression
without it would have foretold is (f W - q h y) / (1 - q h)  (Golub, Heath and Wahba 1979).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import linalg, sparse

from workbench.recipes.held_events import ndcg

RIDGES = (10.0, 30.0, 100.0, 300.0, 1_000.0, 3_000.0, 10_000.0)
START = 3  # position of 300 in RIDGES, the choice where there is too little to choose by
DISCOUNTS = (0.0, 0.1, 0.2, 0.3)


@dataclass(frozen=True)
class Probe:
    """Newest rows of some users.

    features, rare: (v, …) their features of frequent and of rare items, float32.
    targets: (v,) the item that came.
    weights: (v,) the row's weight in the regression.
    seen: (v, n_items) bool, the items of the history but for the target: no list would hold them.
    """

    features: sparse.csr_matrix
    rare: sparse.csr_matrix
    targets: np.ndarray
    weights: np.ndarray
    seen: sparse.csr_matrix


@dataclass(frozen=True)
class Choice:
    """The chosen values, every pair tried with its NDCG at 10 over the rows, and the rows' scores at the chosen."""

    ridge: float
    discount: float
    tried: list[dict[str, Any]]
    scores: np.ndarray | None = None


def choose(
    gram: np.ndarray,
    cross: np.ndarray,
    own: np.ndarray,
    rare_cross: sparse.csr_matrix,
    probe: Probe,
    popularity: np.ndarray,
    ridge: float | None,
    discount: float | None,
) -> Choice:
    """Try ridges uphill from 300, each with every discount, and keep the best pair.

    Args:
        gram, cross: G and R transposed of the frequent items.
        own, rare_cross: those of the rare ones.
        probe: the rows to choose by.
        popularity: (n_items,) each item's share of the events.
        ridge, discount: a value that is given stays; None is chosen.
    """
    discounts = DISCOUNTS if discount is None else (discount,)
    tried: dict[float, list[dict[str, Any]]] = {}
    best: dict[str, Any] = {"score": -1.0, "ridge": 0.0}
    kept = np.empty(0)

    def worth(value: float) -> float:
        nonlocal best, kept
        if value not in tried:
            scores = left_out_scores(gram, cross, own, rare_cross, probe, value)
            tried[value] = [
                {"ridge": value, "popularity_discount": d, "score": _gain(scores, probe, popularity, d)}
                for d in discounts
            ]
            leader = max(tried[value], key=lambda row: row["score"])
            if (leader["score"], -value) > (best["score"], -best["ridge"]):  # of equals, the least ridge
                best, kept = leader, scores * discount_factors(popularity, leader["popularity_discount"])
        return max(row["score"] for row in tried[value])

    if ridge is not None:
        worth(ridge)
    else:
        place = START
        for step in (1, -1):
            while 0 <= place + step < len(RIDGES) and worth(RIDGES[place + step]) > worth(RIDGES[place]):
                place += step
            if place != START:
                break
    rows = [row for value in sorted(tried) for row in tried[value]]
    return Choice(best["ridge"], best["popularity_discount"], rows, kept)


def left_out_scores(
    gram: np.ndarray, cross: np.ndarray, own: np.ndarray, rare_cross: sparse.csr_matrix, probe: Probe, ridge: float
) -> np.ndarray:
    """Score all items for every row of the probe by the regression without that row: (v, n_items) float32.

    float32 is enough here: its rounding of G is far below any ridge tried. A factorisation that fails all the same
    scores everything alike.
    """
    rows = np.arange(len(probe.targets))
    matrix = gram.astype(np.float32)
    matrix.flat[:: len(matrix) + 1] += np.float32(ridge)
    try:
        factor = linalg.cholesky(matrix.T, lower=True, overwrite_a=True, check_finite=False)
    except linalg.LinAlgError:
        return np.zeros((len(rows), len(cross)), dtype=np.float32)
    features = np.asfortranarray(probe.features.toarray().T)
    solved = linalg.cho_solve((factor, True), features, check_finite=False).T
    del matrix, factor
    scores = solved @ cross.T
    influence = np.einsum("vf,fv->v", solved, features)
    scores[rows, probe.targets] -= probe.weights * influence
    scores /= np.maximum(1e-3, 1 - probe.weights * influence)[:, None]
    if probe.rare.nnz:
        scores += _rare_scores(own, rare_cross, probe, ridge)
    return scores


def _rare_scores(own: np.ndarray, rare_cross: sparse.csr_matrix, probe: Probe, ridge: float) -> np.ndarray:
    """Score by the rare items of the histories, each solved by itself and without the row itself."""
    m, k, _ = own.shape
    pairs = abs(probe.rare[:, :m])
    for a in range(1, k):
        pairs = pairs + abs(probe.rare[:, a * m : (a + 1) * m])
    row, item = pairs.nonzero()
    features = np.stack([np.asarray(probe.rare[row, a * m + item]).ravel() for a in range(k)], axis=1)
    weight = probe.weights[row]
    blocks = own[item] + ridge * np.eye(k) - weight[:, None, None] * features[:, :, None] * features[:, None, :]
    solved = np.linalg.solve(blocks, features[:, :, None])[:, :, 0]
    places = (np.arange(k)[None, :] * m + item[:, None]).ravel()
    table = sparse.csr_matrix((solved.ravel().astype(np.float32), (np.repeat(row, k), places)), shape=probe.rare.shape)
    scores = (table @ rare_cross).toarray()
    itself = np.bincount(row, weight * (solved * features).sum(axis=1), minlength=len(scores))
    scores[np.arange(len(scores)), probe.targets] -= itself
    return scores


def _gain(scores: np.ndarray, probe: Probe, popularity: np.ndarray, discount: float) -> float:
    return ndcg(scores * discount_factors(popularity, discount), probe.targets, probe.seen)


def discount_factors(popularity: np.ndarray, discount: float) -> np.ndarray:
    """What scores are multiplied by: an item's popularity, relative to the mean, to the power of -discount."""
    relative = np.maximum(popularity, popularity[popularity > 0].min()) / popularity.mean()
    return (relative**-discount).astype(np.float32)
