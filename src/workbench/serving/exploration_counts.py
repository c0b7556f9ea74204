"""How often each item was shown and clicked, by item code, kept up to date from live events as they come."""

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from workbench.errors import ServingError
from workbench.serving.exploration_policies import PRIOR_RATE
from workbench.serving.tables import EntityTable

MOST_RATE = 0.5  # expected of a new item at most; the belief before it is shown then holds one click and one without

if TYPE_CHECKING:
    from workbench.data.events_records import Impressions


class Showings(Protocol):
    """What counts lists and clicks: `workbench.data.events.LiveEvents`."""

    def impressions(self, after: int = 0) -> "Impressions":
        """Counts per item after a position of the live events."""


class ExplorationCounts:
    """Counts of every item of a campaign.

    shown: (n,) int64, lists an item stood in that somebody reacted to, by item code.
    clicked: (n,) int64, those of them in which somebody reacted to this item.
    position: of the newest live event that is counted.
    lists: how many lists were counted. unknown: reactions to lists that no log knows; nothing is counted for them.
    strangers: item to (shown, clicked) of items that are in the counted lists but not among the campaign's; counted
        for them once they are.

    Arrays are replaced, never changed, so a request that is under way keeps the counts it began with.
    """

    def __init__(self, items: EntityTable, live: Showings | None = None) -> None:
        """Count everything that was shown and clicked so far.

        Args:
            items: the campaign's items; position = code.
            live: where impressions come from; None leaves all counts at 0.
        """
        self._items, self._live = items, live
        self._start()
        self.refresh()

    @classmethod
    def after(cls, before: "ExplorationCounts | None", items: EntityTable, live: Showings | None = None) -> Self:
        """Go on with earlier counts where the items only became more; count anew where there are none, or others."""
        if before is None or before._live is not live or not before._fits(items):
            return cls(items, live)
        before.refresh(items)
        return before

    def refresh(self, items: EntityTable | None = None) -> bool:
        """Take in what came since the last time; costs two indexed queries when nothing did.

        Where counted events were taken back meanwhile, everything is counted anew.

        Reactions to lists that the log does not know are looked at again the next time, and everything that came with
        them; then they are counted as unknown.

        Args:
            items: the campaign's items, when there are more now; codes of the old ones stay what they were.

        Returns:
            Whether any count changed.

        Raises:
            ServingError: there are fewer items than before, or in another order.
        """
        if items is not None and items is not self._items:
            self._grow(items)
        found = None if self._live is None else self._live.impressions(self.position)
        if found is not None and found.undone:
            self.recount()
            return True
        if found is not None and found.unknown and not self._waited:
            self._waited = True  # a list may reach the log a moment after a quick reaction to it; look once more
            return False
        self._waited = False
        waiting = {name for name in self.strangers if self._items.code_of(name) >= 0}
        if found is not None:
            self.position = found.position
            self.lists, self.unknown = self.lists + found.lists, self.unknown + found.unknown
        if found is None or not (found.shown or found.clicked or waiting):
            return False
        known = {name: self.strangers.pop(name) for name in waiting}
        self.shown = self._added(self.shown, found.shown, {name: pair[0] for name, pair in known.items()})
        self.clicked = self._added(self.clicked, found.clicked, {name: pair[1] for name, pair in known.items()})
        self._keep_strangers(found.shown, found.clicked)
        return True

    def recount(self) -> None:
        """Count anew from the first event; a request meanwhile finds the counts before or after, never half of them."""
        vars(self).update(vars(ExplorationCounts(self._items, self._live)))

    def of(self, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How often some items were shown, and clicked; each (len(codes),)."""
        return self.shown[codes], self.clicked[codes]

    @property
    def rate(self) -> float:
        """Clicks an impression over all items, which a new item is expected to get too.

        One click in 1 / PRIOR_RATE impressions is counted besides, so that few impressions say little.
        """
        of, rate = vars(self).get("_rate", (None, 0.0))
        if of is not self.clicked:  # both arrays are replaced as a whole, `clicked` last; every request asks for this
            clicked, shown = self.clicked, int(self.shown.sum())
            total = int(clicked.sum())
            rate = min((1 + total) / (1 / PRIOR_RATE + max(shown, total)), MOST_RATE)
            self._rate = clicked, rate
        return rate

    def _fits(self, items: EntityTable) -> bool:
        """Whether all items known so far have the same codes in another table."""
        return items is self._items or np.array_equal(items.ids[: len(self._items)], self._items.ids)

    def _start(self) -> None:
        self.shown = np.zeros(len(self._items), dtype=np.int64)
        self.clicked = np.zeros(len(self._items), dtype=np.int64)
        self.position = self.lists = self.unknown = 0
        self._waited = True  # what happened before the start is long in the log
        self.strangers: dict[str, tuple[int, int]] = {}

    def _added(self, counts: np.ndarray, *found: Mapping[str, int]) -> np.ndarray:
        """Counts with others on top, those of unknown items left out."""
        total = counts.copy()
        for each in found:
            codes = self._items.codes_of(each)
            numbers = np.fromiter(each.values(), dtype=np.int64, count=len(each))
            total[codes[codes >= 0]] += numbers[codes >= 0]  # a mapping names every item once
        return total

    def _keep_strangers(self, shown: Mapping[str, int], clicked: Mapping[str, int]) -> None:
        seen, hit = Counter(shown), Counter(clicked)
        for name in seen.keys() | hit.keys():
            if self._items.code_of(name) < 0:
                before = self.strangers.get(name, (0, 0))
                self.strangers[name] = (before[0] + seen[name], before[1] + hit[name])

    def _grow(self, items: EntityTable) -> None:
        n = len(self._items)
        if not self._fits(items):
            raise ServingError(
                f"The counts know {n:,} items and got {len(items):,} whose first {n:,} are not the same; "
                "codes must stay what they were. Make new counts for another catalogue: ExplorationCounts(items, live)."
            )
        more = np.zeros(len(items) - n, dtype=np.int64)
        self._items = items
        self.shown, self.clicked = np.concatenate([self.shown, more]), np.concatenate([self.clicked, more])
