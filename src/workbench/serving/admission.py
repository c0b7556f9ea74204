"""Which items may stand in one user's list: what the filter lets through, without what the user has seen."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from workbench.recipes.contract import Histories
from workbench.serving.plans import NOTHING, Plan
from workbench.serving.snapshot import Snapshot
from workbench.serving.tables import UserState


def _nothing() -> np.ndarray:
    return NOTHING


@dataclass(frozen=True, eq=False)
class Admitted:
    """Who may be listed.

    mask: (n,) bool over all items, not to be written into; None lets every item through.
    n_items, n_scored: of the catalogue, and of the recipe.
    seen_codes: different items of the user's history, which are left out; sorted.
    taken: different items that the mask lets through, and the filter takes away because of the user's events; sorted.
    asked: code of the item that related ones are asked for, -1 without one.
    """

    mask: np.ndarray | None
    n_items: int
    n_scored: int
    seen_codes: np.ndarray = field(default_factory=_nothing)
    taken: np.ndarray = field(default_factory=_nothing)
    asked: int = -1

    @cached_property
    def barred(self) -> np.ndarray:
        """Sorted codes that may not be listed whatever the mask says."""
        parts = [each for each in (self.seen_codes, self.taken) if len(each)]
        if self.asked >= 0:
            parts.append(np.array([self.asked]))
        if not parts:
            return NOTHING
        return parts[0] if len(parts) == 1 else np.unique(np.concatenate(parts))

    @property
    def seen(self) -> int:
        """How many items the user has seen."""
        return len(self.seen_codes)

    @property
    def allowed(self) -> np.ndarray | None:
        """The mask over the items that the recipe scores."""
        return None if self.mask is None else self.mask[: self.n_scored]

    @property
    def barred_scored(self) -> np.ndarray:
        """The barred items that the recipe scores."""
        return self.barred[: np.searchsorted(self.barred, self.n_scored)]

    def lets_through(self, codes: np.ndarray) -> np.ndarray:
        """Which items the filter lets through, (len(codes),) bool."""
        if self.mask is None:
            return np.ones(len(codes), dtype=bool)
        kept = self.mask[codes]
        if len(self.taken) and len(codes):
            found = np.minimum(np.searchsorted(self.taken, codes), len(self.taken) - 1)
            kept[self.taken[found] == codes] = False
        return kept

    def filtered(self) -> int:
        """How many items the filter keeps out."""
        return 0 if self.mask is None else self.n_items - int(np.count_nonzero(self.mask)) + len(self.taken)

    def barred_besides(self) -> int:
        """How many seen items the filter alone would have let through."""
        return int(np.count_nonzero(self.lets_through(self.seen_codes))) if self.seen else 0

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

    def under(self, mask: np.ndarray | None, taken: np.ndarray = NOTHING) -> "Admitted":
        """The same user under another filter."""
        return Admitted(mask, self.n_items, self.n_scored, self.seen_codes, taken, self.asked)


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
    mask, taken = (None, NOTHING) if plan.filter is None else plan.filter.masked(state, plan.now, current_item)
    seen = seen_items(snapshot, state, history) if plan.exclude_seen else NOTHING
    asked = -1 if current_item is None else current_item
    return Admitted(mask, len(snapshot.items), snapshot.n_scored, seen, taken, asked)


def seen_items(snapshot: Snapshot, state: UserState, history: Histories) -> np.ndarray:
    """The different items of a history, and those of the user's events that the recipe does not score; sorted codes."""
    codes = history.items
    if snapshot.n_scored < len(snapshot.items):
        codes = np.concatenate([codes, state.events.entities[state.events.entities >= snapshot.n_scored]])
    return np.unique(codes)
