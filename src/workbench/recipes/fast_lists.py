"""The best items of many users or of one, where a score is the product of a user's and an item's factors. Exact.

Items lie by falling length. |score| is at most the product of both lengths, so a user who already has k scores above
what the next item could reach is done; with trained factors that is after a few percent of a catalogue. What is left
goes through float32 matrix products and the chunk maxima of `selection`. The few candidates are then multiplied again,
one by one in a fixed order, so that a score never depends on the batch, the block or the number of threads, and items
with equal factors tie exactly.
"""

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from tqdm.auto import tqdm

from workbench.errors import RecipeError
from workbench.recipes.factor_index import FactorIndex
from workbench.recipes.factor_order import ROUNDING, ItemsByLength, checked_factors, lengths_of, products
from workbench.recipes.selection import border, in_order, most_candidates, nonzero, slots

__all__ = ["FactorIndex", "top_factors"]

FIRST = 4096  # longest items that every user is multiplied with
GROWTH = 5  # how many times as many come next
TILE = 16_000_000  # scores held at once: 64 MB; fewer make smaller and slower matrix products
SEGMENT = 65_536  # users whose candidates are held at once

Lists = tuple[np.ndarray, np.ndarray, np.ndarray]


def top_factors(
    user_factors: np.ndarray,
    item_factors: np.ndarray,
    k: int,
    seen: tuple[np.ndarray, np.ndarray] | None = None,
    allowed: np.ndarray | None = None,
    progress: bool = False,
) -> Lists:
    """Find the `k` items with the largest products for every user.

    Args:
        user_factors: (n_users, width), finite.
        item_factors: (n_items, width), finite.
        k: at least 1.
        seen: offsets (n_users + 1) and item codes, the items that user u may not get being
            items[offsets[u]:offsets[u + 1]]; None bars nothing.
        allowed: (n_items,) bool, items that may be listed at all; None allows all.
        progress: whether to show a progress bar.

    Returns:
        User row, item code and float32 score of every listed item: rows ascending, best first within a row, equal
        scores by item code. The same for every batch of users. Shorter than `k` where fewer items may be listed.

    Raises:
        RecipeError: factors of different widths or not finite, or a mask of the wrong length.
        ValueError: `k` is below 1.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    users = checked_factors(user_factors, "user")
    items = ItemsByLength.lay(item_factors, allowed)
    if users.shape[1] != items.factors.shape[1]:
        raise RecipeError(f"User factors have width {users.shape[1]}, item factors {items.factors.shape[1]}.")
    offsets, barred = (np.zeros(len(users) + 1, np.int64), np.empty(0, np.int64)) if seen is None else seen
    offsets, places = np.asarray(offsets, dtype=np.int64), items.places[barred]
    parts = []
    bar = tqdm(total=len(users), disable=not progress, desc="ranking", unit="user")
    threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(threads) as pool, bar:
        team = _Team(pool, threads, _blas_is_parallel())
        for start in range(0, len(users), SEGMENT):
            stop = min(start + SEGMENT, len(users))
            own = places[offsets[start] : offsets[stop]]
            lists = _Segment(users[start:stop], items, k, offsets[start : stop + 1] - offsets[start], own, team)
            rows, codes, values = lists.find(bar)
            parts.append((rows + start, codes, values))
    empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    rows, codes, values = (np.concatenate(each) for each in zip(empty, *parts, strict=True))
    return rows, codes, values


@dataclass(frozen=True)
class _Team:
    """Threads to share work among, and whether matrix products are spread over threads already."""

    pool: Executor
    threads: int
    blas_is_parallel: bool


class _Segment:
    """The search for one segment of users: rounds over longer and longer stretches of items, for fewer and fewer."""

    def __init__(
        self, users: np.ndarray, items: ItemsByLength, k: int, offsets: np.ndarray, barred: np.ndarray, team: _Team
    ):
        self.users, self.items, self.k, self.offsets, self.barred, self.team = users, items, k, offsets, barred, team
        self.lengths = lengths_of(users)
        longest = items.lengths[0] if len(items.lengths) else 0.0
        self.slack = (ROUNDING * users.shape[1] * self.lengths * longest).astype(np.float32)
        self.held = np.full((len(users), k), -np.inf, dtype=np.float32)  # best products so far, in no order
        self.nothing = ~users.any(axis=1)
        self.crowded = self.nothing.copy()  # rows that ties make too long to be candidates
        self.by_code = np.argsort(items.codes) if self.nothing.any() else items.codes
        self.found: list[Lists] = [(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))]
        self.scratch = np.empty(0, dtype=np.float32)  # new memory for every tile would cost a fifth of the time

    def find(self, bar: tqdm) -> Lists:
        """Run the rounds, then multiply and sort the candidates."""
        start, n_items = 0, len(self.items.codes)
        active = np.flatnonzero(~self.crowded)
        need = np.full(len(self.users), n_items)
        while start < n_items and len(active):
            stop = min(n_items, max(FIRST, GROWTH * start))
            first = 0
            while first < len(active):
                last = min(len(active), first + max(16, TILE // (stop - start)))
                self._tile(active[first:last], start, min(stop, need[active[last - 1]]))
                first = last
            start = stop
            least = self.held.min(axis=1)
            need = self.items.reach(least - self.slack, self.lengths)
            need[self.crowded] = 0
            done = len(active)
            active = np.flatnonzero(need > start)
            active = active[np.argsort(need[active], kind="stable")]  # the last of a tile needs most
            bar.update(done - len(active))
        bar.update(len(active))
        return self._lists()

    def _tile(self, rows: np.ndarray, start: int, stop: int) -> None:
        """Multiply some users with a stretch of items and keep what could be in a list."""
        size = len(rows) * (stop - start)
        if len(self.scratch) < size:
            self.scratch = np.empty(size, dtype=np.float32)
        scores = self.scratch[:size].reshape(len(rows), stop - start)
        lengths = np.diff(self.offsets)[rows]
        owner = np.repeat(np.arange(len(rows)), lengths)
        at = np.arange(len(owner)) + np.repeat(self.offsets[rows] - np.cumsum(lengths) + lengths, lengths)
        place = self.barred[at]
        inside = (place >= start) & (place < stop)
        flat = owner[inside] * (stop - start) + place[inside] - start
        half = -(-len(rows) // self.team.threads)
        if self.team.blas_is_parallel:
            np.matmul(self.users[rows], self.items.factors[start:stop].T, out=scores)

        def part(first: int) -> Lists:
            some = scores[first : first + half]
            if not self.team.blas_is_parallel:
                np.matmul(self.users[rows[first : first + half]], self.items.factors[start:stop].T, out=some)
            bounds = np.searchsorted(flat, [first * (stop - start), (first + half) * (stop - start)])
            some.reshape(-1)[flat[slice(*bounds)] - first * (stop - start)] = -np.inf
            return self._pick(some, rows[first : first + half], start)

        self.found += list(self.team.pool.map(part, range(0, len(rows), half)))

    def _pick(self, scores: np.ndarray, rows: np.ndarray, start: int) -> Lists:
        """Take the scores above each user's k-th best so far, and move that."""
        smallest = np.finfo(np.float32).min
        least = self.held[rows].min(axis=1)
        if start == 0:
            least = border(scores, self.k)
        own, column = nonzero(scores >= np.maximum(least - self.slack[rows], smallest)[:, None])
        counts = np.bincount(own, minlength=len(rows))
        if counts.max() > most_candidates(self.k):
            least = np.maximum(least, border(scores, self.k))
            own, column = nonzero(scores >= np.maximum(least - self.slack[rows], smallest)[:, None])
            crowded = np.bincount(own, minlength=len(rows)) > most_candidates(self.k)
            self.crowded[rows[crowded]] = True
            kept = ~crowded[own]
            own, column = own[kept], column[kept]
        values = scores[own, column]
        place = slots(own)
        table = np.full((len(rows), self.k + int(place.max(initial=-1)) + 1), -np.inf, dtype=np.float32)
        table[:, : self.k] = self.held[rows]
        table[own, self.k + place] = values
        width = table.shape[1] - self.k
        self.held[rows] = np.partition(table, width, axis=1)[:, width:] if width else table
        return rows[own], column + start, values

    def _lists(self) -> Lists:
        """Multiply the candidates that are left one by one, sort them, and add the users whose scores crowd."""
        rows, places, values = (np.concatenate(each) for each in zip(*self.found, strict=True))
        least = self.held.min(axis=1) - self.slack
        kept = np.flatnonzero((values >= least[rows]) & ~self.crowded[rows])
        kept = kept[np.argsort(rows[kept], kind="stable")]
        rows, places = rows[kept], places[kept]
        values = products(self.users, rows, self.items.factors, places, self.team.pool)
        lists = in_order(rows, self.items.codes[places], values, self.k)
        crowded = np.flatnonzero(self.crowded)
        if not len(crowded):
            return lists
        parts = [lists, *(self._whole(row) for row in crowded)]
        rows, codes, values = (np.concatenate(each) for each in zip(*parts, strict=True))
        order = np.argsort(rows, kind="stable")
        return rows[order], codes[order], values[order]

    def _whole(self, row: int) -> Lists:
        """List one user by the products with every item, sorted in full: for ties without end."""
        barred = self.barred[self.offsets[row] : self.offsets[row + 1]]
        places = np.arange(len(self.items.codes))
        if self.nothing[row]:  # everything ties at 0, so the lowest codes come first
            places = self.by_code[: self.k + len(barred)]
        places = places[~np.isin(places, barred)]
        everywhere = np.full(len(places), row)
        values = products(self.users, everywhere, self.items.factors, places)
        return in_order(everywhere, self.items.codes[places], values, self.k)


def _blas_is_parallel() -> bool:
    from threadpoolctl import threadpool_info

    return any(each["num_threads"] > 1 for each in threadpool_info() if each["user_api"] == "blas")
