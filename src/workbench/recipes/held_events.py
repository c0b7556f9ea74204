"""The newest event of some users, kept out of a fit to judge it by: for early stopping and for blending."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from workbench.recipes.contract import Histories

MOST_ROWS = 2_000  # users to judge by; more cost time and change little
LEAST_ROWS = 20
LEAST_EVENTS = 3  # a history needs: one to foretell, one to look back on and one to learn from
CUT = 10
SCORES_AT_ONCE = 100_000_000  # of held events: 0.4 GB


@dataclass(frozen=True)
class Held:
    """Events that were left out.

    events: (v,) their positions among the events of the histories they come from.
    targets: (v,) item codes.
    past: (n,) positions of all the events before them, like `events`.
    histories: those events, one history a row.
    seen: (v, n_items) bool, the items of each history but for the target: no list would hold them.
    """

    events: np.ndarray
    targets: np.ndarray
    past: np.ndarray
    histories: Histories
    seen: sparse.csr_matrix

    def __len__(self) -> int:
        return len(self.events)


def newest_events(offsets: np.ndarray) -> np.ndarray:
    """Pick the newest events of users with three or more, evenly over the users, at most MOST_ROWS.

    Returns:
        Their positions among the events; empty when they are fewer than LEAST_ROWS.
    """
    newest = offsets[1:][np.diff(offsets) >= LEAST_EVENTS] - 1
    if len(newest) < LEAST_ROWS:
        return newest[:0]
    return newest[np.unique(np.linspace(0, len(newest) - 1, min(MOST_ROWS, len(newest))).astype(int))]


def hold(histories: Histories, n_items: int) -> Held | None:
    """Take the newest events of some users out; None where there are too few to judge by."""
    events = newest_events(histories.offsets)
    if not len(events):
        return None
    users = np.searchsorted(histories.offsets, events, side="right") - 1
    first = histories.offsets[users]
    lengths = events - first
    ends = np.cumsum(lengths)
    rows = np.repeat(np.arange(len(events)), lengths)
    past = np.arange(ends[-1]) - np.repeat(ends - lengths, lengths) + np.repeat(first, lengths)
    before = Histories(
        user_ids=histories.user_ids[users],
        offsets=np.concatenate([[0], ends]).astype(np.int64),
        items=histories.items[past],
        times=histories.times[past],
        columns={name: values[past] for name, values in histories.columns.items()},
    )
    targets = histories.items[events].astype(np.int64)
    others = before.items != targets[rows]
    cells = (rows[others], before.items[others])
    seen = sparse.csr_matrix((np.ones(int(others.sum()), dtype=bool), cells), shape=(len(events), n_items))
    seen.sum_duplicates()
    return Held(events, targets, past, before, seen)


def ndcg(scores: np.ndarray, targets: np.ndarray, seen: sparse.csr_matrix, cut: int = CUT) -> float:
    """Mean NDCG of one target a row among the first `cut` places.

    Args:
        scores: (v, n_items).
        targets: (v,) item codes.
        seen: (v, n_items) items that take no place.
        cut: list length.

    Returns:
        0 to 1. Items that tie with the target share their places; a target scored NaN or infinite gains nothing.
    """
    return float(gains(scores, targets, seen, cut).mean())


def worth(score: Callable[[Histories], np.ndarray], held: Held) -> float:
    """Mean NDCG at 10 of the held events; few are scored at a time where the catalogue is large."""
    size = max(1, SCORES_AT_ONCE // held.seen.shape[1])
    parts = []
    for start in range(0, len(held), size):
        part = slice(start, min(start + size, len(held)))
        scores = score(held.histories.rows(part.start, part.stop))
        parts.append(gains(scores, held.targets[part], held.seen[part]))
    return float(np.concatenate(parts).mean())


def gains(scores: np.ndarray, targets: np.ndarray, seen: sparse.csr_matrix, cut: int = CUT) -> np.ndarray:
    """NDCG of every row; see `ndcg`."""
    rows = np.arange(len(scores))
    reached = scores[rows, targets]
    above = (scores > reached[:, None]).sum(axis=1)
    tied = (scores == reached[:, None]).sum(axis=1) - 1
    barred = seen.tocoo()
    higher = scores[barred.row, barred.col] > reached[barred.row]
    equal = scores[barred.row, barred.col] == reached[barred.row]
    above -= np.bincount(barred.row, higher, minlength=len(rows)).astype(int)
    tied -= np.bincount(barred.row, equal, minlength=len(rows)).astype(int)
    place = above + tied / 2
    return np.where((place < cut) & np.isfinite(reached), 1 / np.log2(2 + np.maximum(place, 0)), 0.0)
