"""How often each item was shown and clicked, as arrays by item code, kept up to date from the live events."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

from workbench.serving.exploration_policies import PRIOR_RATE
from workbench.serving.tables import EntityTable

MOST_RATE = 0.5  # a list of which every other item is clicked leaves nothing to be learned


class Impressing(Protocol):
    """The part of `data.events.LiveEvents` that counts impressions."""

    def impressions(self, after: int = 0) -> Any:
        """Items shown and clicked after a position."""


class ImpressionCounts:
    """Counts of one table of items.

    shown, clicked: (n,) int64 by item code; replaced as a whole when something new is counted.
    """

    def __init__(self, items: EntityTable, live: Impressing | None):
        """Start with nothing counted.

        Args:
            items: whose codes the arrays are by.
            live: None for a campaign opened without live events: nothing is ever counted.
        """
        self._items, self._live, self._position = items, live, 0
        self.shown = self.clicked = np.zeros(len(items), dtype=np.int64)

    def refresh(self) -> None:
        """Count what has come since the last time; items that the table does not know are left out."""
        if self._live is None:
            return
        found = self._live.impressions(self._position)
        if found.position == self._position:
            return
        self.shown, self.clicked = self._with(self.shown, found.shown), self._with(self.clicked, found.clicked)
        self._position = found.position

    @property
    def rate(self) -> float:
        """Clicks an impression of all items together, which is what a new item is expected to get.

        One click in 1 / PRIOR_RATE impressions is counted besides, so that few impressions say little.
        """
        shown, clicked = int(self.shown.sum()), int(self.clicked.sum())
        return min(MOST_RATE, (clicked + 1) / (shown + 1 / PRIOR_RATE))

    def _with(self, counts: np.ndarray, more: Mapping[str, int]) -> np.ndarray:
        if not more:
            return counts
        codes, numbers = self._items.codes_of(more), np.fromiter(more.values(), dtype=np.int64, count=len(more))
        sums = counts.copy()
        np.add.at(sums, codes[codes >= 0], numbers[codes >= 0])
        return sums
