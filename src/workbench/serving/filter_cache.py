"""Finished masks, kept for as long as they hold and while there is room."""

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from threading import Lock

import numpy as np

MEMORY = 64 * 2**20  # bytes; 64 masks of a million items


@dataclass(frozen=True, eq=False)
class Kept:
    """Masks and the times between which they hold.

    masks: each (n,) bool, not to be written into.
    after, before: epoch seconds; the masks hold for requests strictly between them, or at the very moment when both
        are the same.
    """

    masks: tuple[np.ndarray, ...]
    after: float = -np.inf
    before: float = np.inf

    def holds(self, now: int) -> bool:
        """Whether the masks are right for a request at this time."""
        return self.after < now < self.before or self.after == now == self.before

    @property
    def size(self) -> int:
        """Bytes of all masks."""
        return sum(mask.nbytes for mask in self.masks)


class MaskCache:
    """Masks by key; the ones that were used least recently go when the memory is full. Threads may share it."""

    def __init__(self, memory: int = MEMORY):
        """Keep masks of `memory` bytes at most; the newest one is kept even when it is larger."""
        self.memory, self.used = memory, 0
        self.hits, self.misses = 0, 0
        self._kept: OrderedDict[Hashable, Kept] = OrderedDict()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, now: int) -> Kept | None:
        """The masks of a key, None when there are none that hold now."""
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or not kept.holds(now):
                self.misses += 1
                return None
            self.hits += 1
            self._kept.move_to_end(key)
            return kept

    def put(self, key: Hashable, kept: Kept) -> Kept:
        """Keep masks, which become read-only, and let the least recently used ones go."""
        for mask in kept.masks:
            mask.flags.writeable = False
        with self._lock:
            old = self._kept.pop(key, None)
            self.used += kept.size - (old.size if old else 0)
            self._kept[key] = kept
            while self.used > self.memory and len(self._kept) > 1:
                self.used -= self._kept.popitem(last=False)[1].size
        return kept
