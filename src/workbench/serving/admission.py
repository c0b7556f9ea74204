"""Which items may stand in one user's list: what the filter lets through, without what the user has seen."""

from dataclasses import dataclass

import numpy as np

from workbench.recipes.contract import Histories
from workbench.serving.plans import Plan
from workbench.serving.snapshot import Snapshot
from workbench.serving.tables import UserState

NOTHING = np.empty(0, dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Admitted:
    """Who may be listed.

    mask: (n,) bool over all items, not to be written into; None lets every item through.
    barred: sorted item codes that may not be listed whatever the mask says.
    n_items, n_scored: of the catalogue, and of the recipe.
    seen: how many of the barred items the user has seen.
    """

    mask: np.ndarray | None
    barred: np.ndarray
    n_items: int
    n_scored: int
    seen: int

    @property
    def allowed(self) -> np.ndarray | None:
        """The mask over the items that the recipe scores."""
        return None if self.mask is None else self.mask[: self.n_scored]

    @property
    def barred_scored(self) -> np.ndarray:
        """The barred items that the recipe scores."""
        return self.barred[: np.searchsorted(self.barred, self.n_scored)]

    def filtered(self) -> int:
        """How many items the filter keeps out."""
        return 0 if self.mask is None else self.n_items - int(np.count_nonzero(self.mask))

    def barred_besides(self) -> int:
        """How many seen items the filter alone would have let through."""
        if not self.seen or self.mask is None:
            return self.seen
        return min(self.seen, int(np.count_nonzero(self.mask[self.barred])))

    def of(self, codes: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Those of some items that may be listed, in their order.

        Args:
            codes: (m,) different items.
            places: (n_items,) where each item stands in `codes`, -1 where it does not.
        """
        kept = np.ones(len(codes), dtype=bool) if self.mask is None else self.mask[codes]
        if len(self.barred):
            found = places[self.barred]
            kept[found[found >= 0]] = False
        return codes[kept]

    def under(self, mask: np.ndarray | None) -> "Admitted":
        """The same user under another filter."""
        return Admitted(mask, self.barred, self.n_items, self.n_scored, self.seen)


def admit(
    snapshot: Snapshot, plan: Plan, state: UserState, history: Histories, current_item: int | None = None
) -> Admitted:
    """Say which items may be listed for a user.

    Args:
        snapshot, plan: what answers, and what is asked.
        state: for filters on events and on the user's attributes.
        history: the state's events that count as interest; their items are seen.
        current_item: code of the item that related ones are asked for, which is never listed; -1 when unknown.

    Raises:
        FilterError: a value that the filter needs is missing.
    """
    mask = None if plan.filter is None else plan.filter.mask(state, plan.now, current_item)
    barred = seen_items(snapshot, state, history) if plan.exclude_seen else NOTHING
    seen = len(barred)
    if current_item is not None and current_item >= 0:
        barred = np.union1d(barred, [current_item])
    return Admitted(mask, barred, len(snapshot.items), snapshot.n_scored, seen)


def seen_items(snapshot: Snapshot, state: UserState, history: Histories) -> np.ndarray:
    """The different items of a history, and those of the user's events that the recipe does not score; sorted codes."""
    codes = history.items
    if snapshot.n_scored < len(snapshot.items):
        codes = np.concatenate([codes, state.events.entities[state.events.entities >= snapshot.n_scored]])
    return np.unique(codes)
