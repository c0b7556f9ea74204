"""Weights of several models' scores, learned on events that none of them was fitted on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import sparse

from workbench.recipes.held_events import ndcg

FLOOR = 1e-5  # of a score before its logarithm: a regression may foretell nothing, or less
GRID = np.round(np.arange(0.0, 1.0001, 0.05), 2)


def as_logarithm(scores: np.ndarray) -> np.ndarray:
    """Bring scores that stand for chances to the scale of logarithms."""
    return np.log(np.maximum(scores, np.float32(FLOOR)))


def learn_weights(
    parts: Sequence[np.ndarray], targets: np.ndarray, seen: sparse.csr_matrix
) -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Choose the weights of a sum of log scores by NDCG at 10.

    Args:
        parts: (v, n_items) log scores of each model for the held events' histories.
        targets: (v,) the held items.
        seen: (v, n_items) items that take no place.

    Returns:
        (len(parts),) weights that add up to 1, and every set of weights tried with its score. The first part is the
        start; each further one is mixed in at the share that scores best, and a share of 0 leaves it out.
    """
    weights, mixed, tried = np.ones(1), parts[0], []
    for part in parts[1:]:
        scores = []
        for share in GRID:
            scores.append(ndcg((1 - share) * mixed + share * part, targets, seen))
            tried.append({"weights": [*((1 - share) * weights).round(4).tolist(), float(share)], "score": scores[-1]})
        share = float(GRID[_plateau(np.array(scores))])
        weights = np.append((1 - share) * weights, share)
        mixed = (1 - share) * mixed + share * part
    return weights, tried


def _plateau(scores: np.ndarray) -> int:
    """Position of the best score after each was averaged with its neighbours, which a lucky single value is not."""
    padded = np.concatenate([scores[:1], scores, scores[-1:]])
    smooth = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return int(np.argmax(smooth))
