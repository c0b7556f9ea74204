"""One user's list out of a large catalogue, where a score is the product of the user's and an item's factors."""

import os
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import Lock

import numpy as np

from workbench.errors import RecipeError
from workbench.recipes.factor_order import ROUNDING, ItemsByLength, allowed_mask, checked_factors, lengths_of, products
from workbench.recipes.quantised_lists import QuantisedItems
from workbench.recipes.selection import best_first, border

FIRST = 16_384  # longest items that are multiplied first …
LATELY = 8  # … or as many as each of so many questions before needed: every product waits for a busy second core
GROWTH = 16  # how many times as many come next
FEW = 1 / 16  # masks that allow a smaller share are answered from the allowed items alone
WORTH_GUESSING = 1 / 8  # from such a share of the catalogue on, guessing first is quicker than multiplying
MOST = 0.8  # masks that allow a larger share are not worth an index of their own
MEMORY = 64 * 2**20  # bytes of factors laid out for masks that come again
PARTS = 64  # such masks
GUESSED = 60  # times k: best guesses that are multiplied


@dataclass(frozen=True, eq=False)
class Part:
    """A read-only mask, held so that nothing else takes its place in memory, and an index of what it allows.

    index: None as long as the mask was met only once.
    """

    allowed: np.ndarray
    index: "FactorIndex | None"

    @property
    def nbytes(self) -> int:
        """Memory of the factors."""
        return 0 if self.index is None else self.index.items.factors.nbytes


class FactorIndex:
    """Item factors laid out to be searched again and again.

    An exact search reads items by falling length and stops where no score could still enter the list. With
    `exact=False` what is left after the longest items is guessed first from three bits a number; the best guesses
    are then multiplied, so that scores are exact and only which items are listed is not certain.
    """

    def __init__(self, item_factors: np.ndarray, seed: int = 0):
        """Copy the factors in order of length.

        Args:
            item_factors: (n_items, width), finite.
            seed: of the random turn behind the guesses.
        """
        self.items = ItemsByLength.lay(item_factors)
        self.seed = seed
        self.needs: tuple[int, ...] = ()  # how many items the last questions needed
        self._parts: OrderedDict[tuple[int, int], Part] = OrderedDict()
        self._lock = Lock()

    @cached_property
    def quantised(self) -> QuantisedItems:
        """The items in three bits a number, made when first asked for."""
        return QuantisedItems(self.items.factors, self.items.lengths, self.seed)

    def part(self, allowed: np.ndarray) -> "FactorIndex | None":
        """Give an index of what a mask allows, if that is quicker than this one.

        A read-only mask comes again with every request under one rule, so what it allows is laid out once: at its
        first request when that is little, at its second otherwise.

        Args:
            allowed: (n_items,) bool.

        Returns:
            None for a mask that may be written into, allows nearly everything, or more than there is room for.
        """
        if allowed.flags.writeable:
            return None
        key = (allowed.__array_interface__["data"][0], allowed.strides[0])
        with self._lock:
            kept = self._parts.get(key)
            if kept is not None:
                self._parts.move_to_end(key)
                if kept.index is not None:
                    return kept.index
        share = np.count_nonzero(allowed) / max(1, len(allowed))
        if share > MOST or share * self.items.factors.nbytes > MEMORY:
            return None
        laid = self._laid(allowed) if kept is not None or share <= FEW else None
        with self._lock:
            self._parts[key] = Part(allowed, laid)
            while len(self._parts) > PARTS or sum(each.nbytes for each in self._parts.values()) > MEMORY:
                self._parts.popitem(last=False)
        return laid

    def _laid(self, allowed: np.ndarray) -> "FactorIndex":
        places = np.flatnonzero(allowed[self.items.codes])
        codes = self.items.codes[places]
        back = np.full(len(allowed), -1, dtype=np.int32)
        back[codes] = np.arange(len(codes))
        laid = FactorIndex.__new__(FactorIndex)
        laid.items = ItemsByLength(self.items.factors[places], self.items.lengths[places], codes, back)
        laid.seed, laid.needs, laid._parts, laid._lock = self.seed, (), OrderedDict(), Lock()
        return laid

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(os.cpu_count() or 1)

    def top(
        self,
        vector: np.ndarray,
        k: int,
        allowed: np.ndarray | None = None,
        barred: np.ndarray | None = None,
        exact: bool = True,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Find the `k` items with the largest products.

        Args:
            vector: (width,), finite.
            k: at least 1.
            allowed: (n_items,) bool, items that may be listed; None allows all.
            barred: codes of items that may not be listed, such as those of the history.
            exact: False may miss an item now and then and is quicker where lengths are much alike.

        Returns:
            Item codes and float32 scores, best first, equal scores by code; the scores are those of `top_factors`.

        Raises:
            RecipeError: a vector of another width or not finite, or a mask of the wrong length.
            ValueError: `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        vector = checked_factors(np.asarray(vector)[None], "user")[0]
        if len(vector) != self.items.factors.shape[1]:
            raise RecipeError(f"The vector has width {len(vector)}, item factors {self.items.factors.shape[1]}.")
        part = None if allowed is None or not exact else self.part(allowed_mask(allowed, len(self.items.codes)))
        search = _Search(self, vector, k, allowed, barred) if part is None else _Search(part, vector, k, None, barred)
        return search.listed(search.candidates(exact))


class _Search:
    """One question to an index."""

    def __init__(
        self,
        index: FactorIndex,
        vector: np.ndarray,
        k: int,
        allowed: np.ndarray | None,
        barred: np.ndarray | None,
    ):
        self.index, self.items, self.vector, self.k = index, index.items, vector, k
        n_items = len(self.items.codes)
        self.allowed = None if allowed is None else allowed_mask(allowed, n_items)
        self.share = 1.0 if allowed is None else np.count_nonzero(self.allowed) / max(1, n_items)
        self.barred = self.items.places[barred] if barred is not None and len(barred) else None
        self.length = lengths_of(vector[None])
        longest = self.items.lengths[0] if n_items else 0.0
        self.slack = np.float32(ROUNDING * len(vector) * self.length[0] * longest)

    def candidates(self, exact: bool) -> np.ndarray:
        """Give places among which the list is."""
        if self.share <= FEW:
            return self._of_few()
        n_items, start, least = len(self.items.codes), 0, np.float32(-np.inf)
        places, scores = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
        need, needs = n_items, self.index.needs
        first = min(needs) if exact and len(needs) == LATELY else 0
        while start < need:
            stop = min(need, max(FIRST, first, GROWTH * start))
            some = self.items.factors[start:stop] @ self.vector
            passing = self._passing(some, start, least)
            places, scores = np.append(places, passing + start), np.append(scores, some[passing])
            if len(scores) >= self.k:
                least = np.partition(scores, len(scores) - self.k)[len(scores) - self.k]
            start, need = stop, int(self.items.reach(np.array([least - self.slack]), self.length)[0])
            if not exact and need - start > WORTH_GUESSING * n_items and self.index.quantised.sees(self.vector):
                return self._guessed(need)
        self.index.needs = (*needs[1 - LATELY :], need)
        return places[scores >= least - self.slack]

    def listed(self, places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Multiply candidates one by one and sort them."""
        rows = np.zeros(len(places), dtype=np.int64)
        scores = products(self.vector[None], rows, self.items.factors, places)
        return best_first(self.items.codes[places], scores, self.k)

    def _passing(self, scores: np.ndarray, start: int, least: np.float32) -> np.ndarray:
        """Find the scores that could be listed; they are changed where items are barred.

        The mask is looked up for the few that pass alone. Only when too few of these are allowed is it laid over all.
        """
        inside = slice(start, start + len(scores))
        self._bar(scores, inside)
        wanted = self.k if self.allowed is None else int(2 * self.k / self.share) + self.k
        limit = np.maximum(least, border(scores[None], wanted)[0])
        passing = self._above(scores, limit - self.slack)
        if self.allowed is None:
            return passing
        kept = passing[self.allowed[self.items.codes[inside][passing]]]
        if limit <= least or np.count_nonzero(scores[kept] >= limit) >= self.k:
            return kept
        scores[~self.allowed[self.items.codes[inside]]] = -np.inf
        return self._above(scores, np.maximum(least, border(scores[None], self.k)[0]) - self.slack)

    def _guessed(self, stop: int) -> np.ndarray:
        """Give the places of the best guesses among the first `stop` items."""
        guesses = self.index.quantised.guess(self.vector, stop, self.index._pool.map)
        inside = slice(0, stop)
        self._bar(guesses, inside)
        wanted = GUESSED * self.k
        passing = self._above(guesses, border(guesses[None], int(1.2 * wanted / self.share))[0])
        if self.allowed is None:
            return passing
        kept = passing[self.allowed[self.items.codes[passing]]]
        if len(kept) >= wanted:
            return kept
        guesses[~self.allowed[self.items.codes[inside]]] = -np.inf
        return self._above(guesses, border(guesses[None], wanted)[0])

    def _bar(self, scores: np.ndarray, inside: slice) -> None:
        if self.barred is not None:
            here = self.barred[(self.barred >= inside.start) & (self.barred < inside.stop)]
            scores[here - inside.start] = -np.inf

    @staticmethod
    def _above(scores: np.ndarray, limit: np.float32) -> np.ndarray:
        return np.flatnonzero(scores >= np.maximum(limit, np.finfo(np.float32).min))  # -inf is never listed

    def _of_few(self) -> np.ndarray:
        """Take the allowed items out and multiply them alone."""
        places = np.sort(self.items.places[np.flatnonzero(self.allowed)])
        scores = self.items.factors[places] @ self.vector
        if self.barred is not None and len(places):
            found = np.minimum(np.searchsorted(places, self.barred), len(places) - 1)
            scores[found[places[found] == self.barred]] = -np.inf
        return places[self._above(scores, border(scores[None], self.k)[0] - self.slack)]
