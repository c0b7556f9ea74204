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
    truth_users, list_users, users = _shared_codes(held_out[USER_ID], lists[USER_ID])
    truth_items, list_items, items = _shared_codes(held_out[ITEM_ID], lists[ITEM_ID])
    users, width = users[: truth_users.max(initial=-1) + 1], max(1, items.size)
    truth = distinct(truth_users * width + truth_items)
    ranks = lists[RANK].to_numpy()
    if len(ranks) and ranks.min() < 1:
        raise ValueError(f"ranks count from 1; the lists hold {ranks.min()}")
    inside = np.flatnonzero((list_users < len(users)) & (ranks <= deepest))
    row, place, item = list_users[inside], ranks[inside].astype(np.int64) - 1, list_items[inside]
    _refuse_repeats(row * deepest + place, "a rank", lists, inside)
    _refuse_repeats(row * width + item, "an item", lists, inside)
    hit = np.flatnonzero(_contains(truth, row * width + item))
    matrix = np.zeros((len(users), deepest), dtype=bool)
    matrix[row[hit], place[hit]] = True
    return Hits(users, matrix, np.bincount(truth // width, minlength=len(users)))


def _shared_codes(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Number the ids of two columns alike, those of the first column first."""
    codes, ids = pd.factorize(pd.concat([first, second], ignore_index=True))
    if len(codes) and codes.min() < 0:
        raise ValueError(f"{int((codes < 0).sum()):,} row(s) of the lists or the truth have no {first.name}")
    return codes[: len(first)], codes[len(first) :], np.asarray(ids, dtype=object)


def _contains(ordered: np.ndarray, keys: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(keys), dtype=bool)
    return ordered[np.minimum(np.searchsorted(ordered, keys), len(ordered) - 1)] == keys


def _refuse_repeats(keys: np.ndarray, what: str, lists: pd.DataFrame, rows: np.ndarray) -> None:
    order = np.argsort(keys, kind="stable")
    again = order[1:][keys[order[1:]] == keys[order[:-1]]]
    if len(again):
        row = rows[again.min()]
        user = lists[USER_ID].iloc[row]
        raise ValueError(f"the list of user {user!r} holds {what} twice (row {row + 1}); each may stand once")


def distinct(keys: np.ndarray) -> np.ndarray:
    """Sort whole numbers and keep one of each; many times faster than numpy's hashing for mostly different keys."""
    ordered = np.sort(keys)
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if len(ordered) else ordered


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
