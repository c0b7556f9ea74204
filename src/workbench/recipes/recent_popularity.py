"""The most popular items of the last days: the same list for everyone."""

from abc import abstractmethod
from typing import Self

import numpy as np

from workbench.columns import DAY
from workbench.recipes.contract import TrainingData
from workbench.recipes.popularity import SameForAll, left_aside
from workbench.recipes.recent_events import RecentEvents


class FromRecentEvents(SameForAll):
    """A recipe whose scores follow from the events of a window that ends at the newest event.

    Subclasses say how far back they look (`horizon`, seconds) and turn `recent` into `scores` and `notes` in `_rank`.
    """

    horizon: float
    recent: RecentEvents

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Count the events; nothing is random."""
        return self._take(RecentEvents.of(data.interactions, self.horizon))

    def update(self, data: TrainingData) -> dict[str, int]:
        """Add new events and move the window: the same scores as a fit on all events.

        Events may come late; "late_events" are too old for the window and count as all-time popularity alone. Item
        codes may change with new items.
        """
        if data.interactions.empty:
            return left_aside(data, self.item_ids, 0) | {"late_events": 0}
        known = len(self.item_ids)
        self._take(self.recent.plus(data.interactions))
        late = {"late_events": self.recent.late(data.interactions)}
        return left_aside(data, self.item_ids, len(self.item_ids) - known) | late

    def state(self) -> dict[str, np.ndarray]:
        """Give the kept events and the counts of all time."""
        return self.recent.arrays()

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        return self._take(RecentEvents.back(item_ids, state, self.horizon))

    def _take(self, recent: RecentEvents) -> Self:
        self.recent, self.item_ids = recent, recent.item_ids
        self._rank()
        return self

    @abstractmethod
    def _rank(self) -> None:
        """Set `scores` and `notes` from `recent`."""


class RecentPopularity(FromRecentEvents):
    """Rank items by their events in the last `days` days of the data.

    The score is events in the window plus `shrink` events spread as over all time, so with the default of one event
    equal windows are ordered by all-time popularity. The border itself lies outside the window.
    """

    @property
    def horizon(self) -> float:
        """Length of the window in seconds."""
        return self.hyperparameters["days"] * DAY

    def _rank(self) -> None:
        total = self.recent.totals
        border = self.recent.newest - self.horizon
        counts = self.recent.count(self.recent.between(border, self.recent.newest))
        self.scores = (counts + self.hyperparameters["shrink"] * total / total.sum()).astype(np.float32)
        self.notes = {"window_starts_after": int(border), "events_in_window": int(counts.sum())}
