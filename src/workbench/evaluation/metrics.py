"""Ranking metrics of every held-out user, with Amazon Personalize's keys and definitions.

Pure functions over tables. All work happens on a matrix of hits, one row per user and one column per rank, so a
hundred thousand users cost seconds.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, RANK, USER_ID

KS = (5, 10, 25)


@dataclass(frozen=True)
class Hits:
    """Which places of which user's list hold a relevant item.

    users: (n_users,) text, in order of first appearance among the held-out events.
    matrix: (n_users, deepest) bool; column 0 is rank 1. Places that a short list leaves empty hold no hit.
    relevant: (n_users,) how many distinct items each user has in the truth, at least 1.
    """

    users: np.ndarray
    matrix: np.ndarray
    relevant: np.ndarray


def per_user(lists: pd.DataFrame, held_out: pd.DataFrame, ks: Iterable[int] = KS) -> pd.DataFrame:
    """Score every held-out user's list at several list lengths.

    Args:
        lists: USER_ID, ITEM_ID, RANK counted from 1; each item at most once per user, each rank at most once.
        held_out: USER_ID, ITEM_ID of what the users did; repeats count once.
        ks: list cuts, each >= 1.

    Returns:
        Indexed by USER_ID, one row per user of `held_out`, zeros for a user without a list; lists of other users are
        left aside. Columns `<metric>_at_<k>` for each metric of `METRICS`, all within 0 and 1.

    Raises:
        ValueError: a cut below 1, or lists that repeat an item or a rank.

    Source: definitions in notebooks/guides/metrics.md, with worked examples.
    """
    cuts = check_cuts(ks)
    hits = find_hits(lists, held_out, max(cuts))
    columns = {f"{name}_at_{k}": metric(hits, k) for name, metric in METRICS.items() for k in cuts}
    return pd.DataFrame(columns, index=pd.Index(hits.users, name=USER_ID))


def check_cuts(ks: Iterable[int]) -> list[int]:
    """Sort list cuts and refuse those below 1."""
    cuts = sorted({int(k) for k in ks})
    if not cuts or cuts[0] < 1:
        raise ValueError(f"k must be at least 1, not {cuts[0] if cuts else 'nothing'}")
    return cuts


def find_hits(lists: pd.DataFrame, held_out: pd.DataFrame, deepest: int) -> Hits:
    """Mark the places of the lists, down to rank `deepest`, that hold a held-out item of their user."""
    truth_users, users = pd.factorize(held_out[USER_ID].to_numpy(dtype=object))
    truth_items, items = pd.factorize(held_out[ITEM_ID].to_numpy(dtype=object))
    width = max(1, len(items))
    truth = np.unique(truth_users * width + truth_items)
    ranks = lists[RANK].to_numpy()
    if len(ranks) and ranks.min() < 1:
        raise ValueError(f"ranks count from 1; the lists hold {ranks.min()}")
    row = pd.Index(users).get_indexer(lists[USER_ID].to_numpy(dtype=object))
    inside = np.flatnonzero((row >= 0) & (ranks <= deepest))
    row, place = row[inside], ranks[inside].astype(np.int64) - 1
    _refuse_repeats(row * deepest + place, "a rank", lists, inside)
    item = pd.Index(items).get_indexer(lists[ITEM_ID].to_numpy(dtype=object)[inside])
    known = np.flatnonzero(item >= 0)
    keys = row[known] * width + item[known]
    hit = known[_contains(truth, keys)]
    _refuse_repeats(row[hit] * width + item[hit], "an item", lists, inside[hit])
    matrix = np.zeros((len(users), deepest), dtype=bool)
    matrix[row[hit], place[hit]] = True
    return Hits(users, matrix, np.bincount(truth // width, minlength=len(users)))


def _contains(ordered: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(keys), dtype=bool)
    return ordered[np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)] == keys


def _refuse_repeats(keys: np.ndarray, what: str, lists: pd.DataFrame, rows: np.ndarray) -> None:
    if len(np.unique(keys)) == len(keys):
        return
    again = np.setdiff1d(np.arange(len(keys)), np.unique(keys, return_index=True)[1])[0]
    user = lists[USER_ID].iloc[rows[again]]
    raise ValueError(f"the list of user {user!r} holds {what} twice (row {rows[again] + 1}); each may stand once")


def reciprocal_rank(hits: Hits, k: int) -> np.ndarray:
    """1 / rank of the first hit among the first k places, else 0."""
    cut = hits.matrix[:, :k]
    return np.where(cut.any(axis=1), 1.0 / (cut.argmax(axis=1) + 1), 0.0)


def discounted_gain(hits: Hits, k: int) -> np.ndarray:
    """NDCG: the sum of 1 / log(1 + rank) over the hits, divided by the best sum that k places allow."""
    weights = 1.0 / np.log2(np.arange(2, k + 2))
    best = np.cumsum(weights)[np.minimum(hits.relevant, k) - 1]
    cut = hits.matrix[:, :k]
    return np.minimum(cut @ weights[: cut.shape[1]] / best, 1.0)


def precision(hits: Hits, k: int) -> np.ndarray:
    """Hits among the first k places, divided by k; a short list scores lower."""
    return hits.matrix[:, :k].sum(axis=1) / k


def recall(hits: Hits, k: int) -> np.ndarray:
    """Hits among the first k places, divided by the number of relevant items."""
    return hits.matrix[:, :k].sum(axis=1) / hits.relevant


def hit_rate(hits: Hits, k: int) -> np.ndarray:
    """1 when any of the first k places holds a hit, else 0."""
    return hits.matrix[:, :k].any(axis=1).astype(float)


def average_precision(hits: Hits, k: int) -> np.ndarray:
    """Precision at each hit's rank, summed, divided by the most hits that k places allow."""
    cut = hits.matrix[:, :k]
    so_far = np.cumsum(cut, axis=1, dtype=np.float32)
    at_hits = (so_far * cut) @ (1.0 / np.arange(1, cut.shape[1] + 1))
    return np.minimum(at_hits / np.minimum(hits.relevant, k), 1.0)


METRICS: dict[str, Callable[[Hits, int], np.ndarray]] = {
    "mean_reciprocal_rank": reciprocal_rank,
    "normalized_discounted_cumulative_gain": discounted_gain,
    "precision": precision,
    "recall": recall,
    "hit_rate": hit_rate,
    "mean_average_precision": average_precision,
}
