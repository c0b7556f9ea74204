"""Put a snapshot together from a deployment's files, its model, and the items and users that were put live."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from workbench.columns import INTERACTIONS, ITEM_ID
from workbench.data.events_group import ORIGIN
from workbench.recipes.contract import Recipe
from workbench.recipes.storage import load
from workbench.serving.array_files import ArrayFolder
from workbench.serving.campaign_records import CampaignRevision
from workbench.serving.changed_tables import changed_table
from workbench.serving.column_files import StoredColumns
from workbench.serving.item_update import take_in
from workbench.serving.snapshot import Snapshot, context_columns, creation_times, deployed_objective
from workbench.serving.tables import ITEMS_TABLE, EntityTable, Value, text_array
from workbench.serving.user_states import UserStates

Rows = Mapping[str, Mapping[str, Value]]  # id to its whole row, by column name


@dataclass(frozen=True, eq=False)
class Parts:
    """What stays in memory of a revision between refreshes.

    revision: as the catalogue lists it.
    files: its arrays.
    stored: the items as they were laid out.
    recipe: the model, with the live items that it could take in.
    items, users: everything that was put live and is not in the stored tables, newest put of each id.
    position: of the newest put that is taken in.
    notes: what the model did with items that were put live.
    """

    revision: CampaignRevision
    files: ArrayFolder
    stored: EntityTable
    recipe: Recipe
    items: Rows
    users: Rows
    position: int
    notes: Mapping[str, Any]

    @classmethod
    def open(cls, revision: CampaignRevision) -> Self:
        """Open a revision's files and load its model; nothing live is in it yet."""
        files = ArrayFolder(revision.path)
        recipe = load(revision.model, trusted=files.about["model_files"], map_arrays=True)
        ids = np.concatenate([recipe.item_ids, files.texts("unscored").array])
        stored = EntityTable(ITEMS_TABLE, ids, StoredColumns(files, "items", files.about["items"]))
        return cls(revision, files, stored, recipe, {}, {}, 0, {})

    def with_live(self, items: Rows, users: Rows, position: int) -> Self:
        """Take in what was put live; items that the model does not know yet are given to it where it takes any."""
        known = set(self.recipe.item_ids.tolist()) if items else set()
        fresh = {each: row for each, row in items.items() if each not in known}
        recipe, notes = self.recipe, dict(self.notes)
        if fresh:
            updated, counted = take_in(recipe, _frame(fresh, self.stored))
            recipe, notes = updated or recipe, notes | counted
        return replace(
            self,
            recipe=recipe,
            items={**self.items, **items},
            users={**self.users, **users},
            position=max(self.position, position),
            notes=notes,
        )

    def snapshot(self, live: Any) -> Snapshot:
        """Everything a request needs, as of now."""
        about, revision = self.files.about, self.revision
        table, times, popularity = self._tables()
        excluded = revision.settings.exclude_seen
        threshold = about["event_value_threshold"]
        return Snapshot(
            campaign=revision.name,
            group=revision.group,
            solution=revision.solution,
            version=revision.version,
            revision=revision.revision,
            settings=revision.settings,
            recipe=self.recipe,
            items=table,
            users=UserStates(self.files, table, live, self.users, merged_position(self.files, live, INTERACTIONS)),
            creation_times=times,
            popularity=popularity,
            objective=deployed_objective(about["objective"], table),
            exclude_seen=about["exclude_seen"] if excluded is None else excluded,
            event_types=tuple(about["event_types"]),
            event_value_threshold=threshold,
            newest_time=about["newest"],
            context_columns=context_columns(about["events"]),
            live_position=self.position,
        )

    def _tables(self) -> tuple[EntityTable, np.ndarray, np.ndarray]:
        """The items, their creation times and their popularity, live ones among them."""
        stored, times, popularity = self.stored, self.files["creation_times"], self.files["popularity"]
        if not self.items:
            return stored, times, popularity
        scored = self.recipe.item_ids
        seen = set(scored.tolist())
        others = [each for each in [*stored.ids.tolist(), *self.items] if each not in seen]
        ids = np.concatenate([scored, text_array(dict.fromkeys(others))])
        table = changed_table(stored, ids, self.items)
        order = stored.codes_of(ids.tolist()).astype(np.int64)
        put = [code for code in table.codes_of(self.items).tolist() if code >= 0]
        newest = self.files.about["newest"]
        counts = np.where(order >= 0, popularity[np.maximum(order, 0)], 0)
        return table, creation_times(times, order, table, put, newest), counts


def merged_position(files: ArrayFolder, live: Any, kind: str) -> int:
    """Up to which sequence number a deployed dataset holds what was put live; 0 where nothing was merged."""
    found = files.about["live_events"].get(kind)
    return 0 if live is None or not found else live.merged_position(kind, {ORIGIN: found})


def _frame(rows: Rows, table: EntityTable) -> Any:
    """Rows of items as the frame that a recipe reads."""
    import pandas as pd

    names = dict.fromkeys([*table.columns, *(name for row in rows.values() for name in row)])
    columns = {name: [row.get(name) for row in rows.values()] for name in names}
    frame = pd.DataFrame({ITEM_ID: pd.array(list(rows), dtype="str")} | columns)
    return frame.infer_objects()
