"""A snapshot of a deployment laid out for requests: scorer, new items, popular items, filters ready for its items."""

import threading
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from workbench.recipes.contract import Recipe
from workbench.recipes.popularity import SameForAll
from workbench.serving.caps import ReadyCap
from workbench.serving.context import ContextRules
from workbench.serving.exploration import eligible_items
from workbench.serving.exploration_counts import ExplorationCounts
from workbench.serving.filter_masks import CompiledFilter, compile_filter
from workbench.serving.filters import check, parse
from workbench.serving.ranking_influence import influenced
from workbench.serving.scored_lists import Scorer
from workbench.serving.snapshot import Snapshot
from workbench.serving.tables import ITEMS_TABLE, USERS_TABLE

MOST_FILTERS = 200  # compiled ones kept, the last used


class Served:
    """What stays the same from one snapshot to the next.

    Attributes:
        snapshot: it.
        scorer: of its recipe; taken over from the snapshot before where the recipe is the same.
        impressions: shown and clicked by item code.
        context: what the model makes of a request's context.
        personal: whether lists differ from user to user.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        live: Any = None,
        before: "Served | None" = None,
        clock: Mapping[str, Any] | None = None,
    ):
        """Lay a snapshot out.

        Args:
            snapshot: of a deployment.
            live: the group's live events, None without.
            before: the one it replaces; what is still true is taken over.
            clock: "timezone" and "southern" of derived context; None for UTC in the north.
        """
        self.snapshot = snapshot
        same = before is not None and before.snapshot.recipe is snapshot.recipe
        kept = same and before.snapshot.objective is snapshot.objective
        self.scorer = before.scorer if kept else Scorer(snapshot.recipe, snapshot.objective)
        self.personal = not isinstance(snapshot.recipe, SameForAll)
        self.context = ContextRules.of(snapshot.recipe, snapshot.context_columns, **(clock or {}))
        self.impressions = ExplorationCounts.after(before and before.impressions, snapshot.items, live)
        self._filters: OrderedDict[tuple[str, str], tuple[CompiledFilter, tuple[str, ...]]] = OrderedDict()
        self._caps: dict[tuple[str, int], ReadyCap] = {}
        self._lock = threading.Lock()

    @cached_property
    def new_items(self) -> np.ndarray:
        """Codes of the items that may be explored, newest first."""
        settings = self.snapshot.settings
        return eligible_items(
            self.snapshot.creation_times, self.snapshot.newest_time, settings.exploration_item_age_cut_off
        )

    @cached_property
    def new_places(self) -> np.ndarray:
        """Where each item stands among `new_items`, (n,) int32; -1 where it is not new."""
        places = np.full(len(self.snapshot.items), -1, dtype=np.int32)
        places[self.new_items] = np.arange(len(self.new_items))
        return places

    @cached_property
    def related_recipe(self) -> Recipe:
        """The recipe as it answers for related items: with the campaign's ranking influence, where it has one."""
        return influenced(self.snapshot.recipe, self.snapshot.settings.ranking_influence)

    def unscored(self, allowed: np.ndarray | None) -> np.ndarray:
        """Codes of the items that the recipe does not know and that may be listed: most events, then newest first."""
        snapshot = self.snapshot
        codes = np.arange(snapshot.n_scored, len(snapshot.items))
        if allowed is not None:
            codes = codes[allowed[snapshot.n_scored :]]
        return codes[np.lexsort((-snapshot.creation_times[codes], -snapshot.popularity[codes]))]

    def cap(self, column: str, at_most: int) -> ReadyCap:
        """A cap on a column of the items.

        Raises:
            ServingError: there is no such column, or it is prose.
        """
        found = self._caps.get((column, at_most))
        if found is None:
            found = self._caps[column, at_most] = ReadyCap.of(column, at_most, self.snapshot.items.column(column))
        return found

    def filter(self, text: str, use: str) -> tuple[CompiledFilter, tuple[str, ...]]:
        """A filter ready for the items, and what should be known about it.

        Args:
            text: an expression.
            use: "recommend", "rank" or "related".

        Raises:
            FilterError: it cannot be read, or does not suit the data.
        """
        key = (text, use)
        with self._lock:
            found = self._filters.get(key)
            if found is not None:
                self._filters.move_to_end(key)
                return found
        parsed = parse(text)
        users = self.snapshot.users
        tables = {ITEMS_TABLE: self.snapshot.items, USERS_TABLE: users.table if users is not None else None}
        notices = check(parsed, tables, tuple(users.event_columns), use)
        found = compile_filter(parsed, self.snapshot.items), (*parsed.notices, *notices)
        with self._lock:
            self._filters[key] = found
            while len(self._filters) > MOST_FILTERS:
                self._filters.popitem(last=False)
        return found
