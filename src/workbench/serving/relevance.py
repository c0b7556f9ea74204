"""What a rule costs: the relevance of a list with it beside the one without."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Relevance:
    """A list's relevance with and without rules, in units of the scores.

    sum_without, sum_with: sum of the scores in the list.
    gain_without, gain_with: the same discounted by position, Σ gain / log2(1 + position), as in DCG.
    given_up: share of the discounted gain that the rules cost, 1 - gain_with / gain_without; 0 where there is none.
    """

    sum_without: float
    sum_with: float
    gain_without: float
    gain_with: float
    given_up: float


def relevance(scores_without: np.ndarray, scores_with: np.ndarray) -> Relevance:
    """Compare two lists by the scores of their items.

    Scores below 0 would make a longer list worse, so where there are any, gains count from the lowest score of both
    lists; scores that are 0 or more, such as probabilities, are the gains themselves. Items without a score (NaN,
    infinite) gain nothing.

    Args:
        scores_without: (k,) scores by position, best list the model would give.
        scores_with: (m,) scores by position of the list after the rules.
    """
    without = np.asarray(scores_without, dtype=np.float64)
    changed = np.asarray(scores_with, dtype=np.float64)
    known = np.concatenate([without[np.isfinite(without)], changed[np.isfinite(changed)]])
    floor = min(0.0, float(known.min())) if len(known) else 0.0
    before, after = _discounted(without, floor), _discounted(changed, floor)
    return Relevance(
        sum_without=_sum(without),
        sum_with=_sum(changed),
        gain_without=before,
        gain_with=after,
        given_up=1.0 - after / before if before > 0 else 0.0,
    )


def _sum(scores: np.ndarray) -> float:
    return float(scores[np.isfinite(scores)].sum())


def _discounted(scores: np.ndarray, floor: float) -> float:
    gains = np.where(np.isfinite(scores), scores - floor, 0.0)
    return float((gains / np.log2(np.arange(2, len(scores) + 2))).sum())
