"""Answers kept for the next equal request: bounded, dropped when anything they depend on changes, and counted."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from workbench.errors import ServingError

MOST = 10_000  # answers
T = TypeVar("T")


@dataclass(frozen=True)
class CacheReport:
    """What a cache has done since it was made.

    hits, misses: requests answered from it, and those that had to be made.
    not_kept: requests it was not allowed to answer (exploration, NOW() in a filter, no seed …).
    dropped: answers given up because the cache was full.
    kept: answers in it now.
    milliseconds_saved: sum of what the answers found in it had taken to make, less what finding them took.
    """

    hits: int = 0
    misses: int = 0
    not_kept: int = 0
    dropped: int = 0
    kept: int = 0
    milliseconds_saved: float = 0.0

    @property
    def hit_rate(self) -> float:
        """Share of all requests that were answered from the cache; 0 before the first."""
        asked = self.hits + self.misses + self.not_kept
        return self.hits / asked if asked else 0.0


class ListCache:
    """The answers asked for last, by a key that holds all they depend on.

    A key names the campaign's revision, the state of its live items, the user's version and the whole request, so a
    live event of a user, a changed item or a redeployment makes a new key; what is stale is never found again and
    leaves as the least recently used. Several threads may use one cache.
    """

    def __init__(self, most: int = MOST):
        """Make an empty cache.

        Args:
            most: answers to keep.

        Raises:
            ServingError: `most` is below 1.
        """
        if isinstance(most, bool) or not isinstance(most, int) or most < 1:
            raise ServingError(f"A cache of {most!r} answers cannot be; it keeps a whole number of them, 1 or more.")
        self.most = most
        self._kept: OrderedDict[Hashable, tuple[Any, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._hits = self._misses = self._not_kept = self._dropped = 0
        self._saved = 0.0  # seconds

    def __len__(self) -> int:
        return len(self._kept)

    def answer(self, key: Hashable | None, make: Callable[[], T], clock: Callable[[], float]) -> tuple[T, bool]:
        """Find an answer, or make and keep it.

        Args:
            key: all that the answer depends on; None: neither look for it nor keep it.
            make: called without the lock, so two equal requests at once may both make it.
            clock: seconds.

        Returns:
            The answer, and whether it was found.
        """
        started = clock()
        if key is None:
            with self._lock:
                self._not_kept += 1
            return make(), False
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                self._hits += 1
                self._saved += found[1] - (clock() - started)
                return found[0], True
            self._misses += 1
        made = make()
        with self._lock:
            self._kept[key] = made, clock() - started
            self._kept.move_to_end(key)
            while len(self._kept) > self.most:
                self._kept.popitem(last=False)
                self._dropped += 1
        return made, False

    def clear(self) -> None:
        """Forget all answers; what was counted stays."""
        with self._lock:
            self._kept.clear()

    def report(self) -> CacheReport:
        """Say what it has done so far."""
        with self._lock:
            return CacheReport(
                self._hits, self._misses, self._not_kept, self._dropped, len(self._kept), self._saved * 1e3
            )
