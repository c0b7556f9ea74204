"""The newest events of a log, kept by a fitted recipe so that its windows can move without another fit."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import TIMESTAMP
from workbench.recipes.popularity import encode, union


@dataclass(frozen=True)
class RecentEvents:
    """What windows that end at the newest event need to know.

    item_ids: (n_items,) text, sorted; every item with an event at any time.
    totals: (n_items,) int64, events of all time.
    times, items: the events later than newest minus `horizon`, in seconds and item codes.
    oldest, newest: times of the whole log's first and last event.
    horizon: seconds; the longest look back that any window takes.
    """

    item_ids: np.ndarray
    totals: np.ndarray
    times: np.ndarray
    items: np.ndarray
    oldest: int
    newest: int
    horizon: float

    @classmethod
    def of(cls, interactions: pd.DataFrame, horizon: float) -> "RecentEvents":
        """Count a table of events; see the class for the result."""
        _, items, item_ids = encode(interactions)
        times = interactions[TIMESTAMP].to_numpy(dtype=np.int64)
        totals = np.bincount(items, minlength=len(item_ids)).astype(np.int64)
        found = cls(item_ids, totals, times, items, int(times.min()), int(times.max()), horizon)
        return found._cut()

    def plus(self, interactions: pd.DataFrame) -> "RecentEvents":
        """Add new events in any order: the same as `of` on all events together, and no event is looked at twice."""
        new = RecentEvents.of(interactions, self.horizon)
        item_ids, mine, theirs = union(self.item_ids, new.item_ids)
        totals = np.zeros(len(item_ids), dtype=np.int64)
        totals[mine] = self.totals
        totals[theirs] += new.totals
        return RecentEvents(
            item_ids,
            totals,
            np.concatenate([self.times, new.times]),
            np.concatenate([mine[self.items], theirs[new.items]]),
            min(self.oldest, new.oldest),
            max(self.newest, new.newest),
            self.horizon,
        )._cut()

    def between(self, after: float, until: float) -> np.ndarray:
        """Mark the kept events later than `after` and not later than `until`; (n_kept,) bool."""
        return (self.times > after) & (self.times <= until)

    def count(self, events: np.ndarray) -> np.ndarray:
        """Count the marked events of every item; (n_items,) int64."""
        return np.bincount(self.items[events], minlength=len(self.item_ids)).astype(np.int64)

    def late(self, interactions: pd.DataFrame) -> int:
        """How many events of a table are too old for any window that ends at the newest event."""
        return int((interactions[TIMESTAMP].to_numpy(dtype=np.int64) <= self.newest - self.horizon).sum())

    def arrays(self) -> dict[str, np.ndarray]:
        """Give everything but the ids and the horizon as arrays."""
        ends = np.array([self.oldest, self.newest], dtype=np.int64)
        return {"totals": self.totals, "times": self.times, "items": self.items, "ends": ends}

    @classmethod
    def back(cls, item_ids: np.ndarray, state: dict[str, np.ndarray], horizon: float) -> "RecentEvents":
        """Take back what `arrays` gave."""
        oldest, newest = state["ends"].tolist()
        return cls(item_ids, state["totals"], state["times"], state["items"], oldest, newest, horizon)

    def _cut(self) -> "RecentEvents":
        kept = self.times > self.newest - self.horizon
        return RecentEvents(
            self.item_ids, self.totals, self.times[kept], self.items[kept], self.oldest, self.newest, self.horizon
        )
