"""Live events, items, users and actions become part of the datasets: new versions with what came since the last merge.

How far a version reaches stands in its own origin, written with the version in one step. A merge that is killed has
made a dataset's new version, position included, or nothing of it; merging again goes on from there, doubling nothing.

Identical events count once, as in Amazon Personalize: a live event that is equal to a stored one in every column is not
added. An event that was undone after it had been merged is taken out. Events of sessions that name no user yet wait.
"""

import fcntl
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.columns import ACTION_INTERACTIONS, INTERACTIONS, KINDS
from workbench.data.connection import connect, create_view, query, quoted
from workbench.data.events import LiveEvents
from workbench.data.events_batches import Batch, entity_batch, event_batch
from workbench.data.events_group import ORIGIN
from workbench.data.events_store import FOLDER
from workbench.data.events_tables import as_table, plan_columns, sql_entities, sql_events
from workbench.data.versions import DatasetVersion
from workbench.data.workspace import Workspace

LOGS = (INTERACTIONS, ACTION_INTERACTIONS)
LOCK = "merge.lock"


@dataclass(frozen=True)
class Merged:
    """What a merge did to one dataset.

    version: the newest version, holding everything that was merged.
    added: rows that are new. replaced: rows of items, users or actions that a later put replaced.
    identical: live rows that were there already, in every column. removed: events undone after they had been merged.
    kept: undone events that stay because the dataset would have no row without them, which no dataset may.
    anonymous: events that wait because nobody knows whose session it is.
    without_item: events about no item (or action), which the dataset cannot hold.
    left_out: column that the dataset lacks and cannot be given, to how many live rows had a value for it.
    position: the sequence number up to which the version holds the live side.
    """

    version: DatasetVersion
    added: int = 0
    replaced: int = 0
    identical: int = 0
    removed: int = 0
    kept: int = 0
    anonymous: int = 0
    without_item: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    position: int = 0

    def __str__(self) -> str:
        counts = ("added", "replaced", "identical", "removed", "kept", "anonymous", "without_item")
        words = [f"{getattr(self, name):,} {name.replace('_', ' ')}" for name in counts if getattr(self, name)]
        words += [f"{count:,} values of {name} left out: no such column" for name, count in self.left_out.items()]
        return f"{self.version}: {', '.join(words) or 'nothing new'}"


def merge_into_history(workspace: Workspace, group: str) -> dict[str, Merged]:
    """Write new dataset versions that hold what was put live since the last merge.

    Columns of the interactions that live events fill and the dataset lacks are added when old rows may leave them
    empty (EVENT_VALUE, IMPRESSION, RECOMMENDATION_ID, EVENT_ATTRIBUTION_SOURCE); others are left out and counted. A
    kind of which there is no dataset yet gets one. A dataset nothing is new for keeps its version.

    Args:
        workspace: the open workspace.
        group: an existing dataset group.

    Returns:
        Dataset kind to what was done, for every kind that has a dataset now and anything live.

    Raises:
        EventError: there is no such group.
        SchemaError: the merged table breaks a rule of its kind; kinds merged before keep their new versions.
    """
    live = LiveEvents(workspace.path, group)
    try:
        with _alone(workspace.path / group / FOLDER / LOCK):
            found = {kind: _merge(workspace, live, kind) for kind in KINDS}
    finally:
        live.close()
    return {kind: merged for kind, merged in found.items() if merged is not None}


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    """One merge of a group at a time; the kernel frees the lock when the process ends, however it ends."""
    with lock.open("a", encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _merge(workspace: Workspace, live: LiveEvents, kind: str) -> Merged | None:
    base = workspace.dataset(live.group, kind) if workspace.has_dataset(live.group, kind) else None
    last = live.merged_position(kind, base.origin) if base else 0
    batch = event_batch(live.store, kind, last) if kind in LOGS else entity_batch(live.store, kind, last)
    waiting = {"anonymous": batch.anonymous, "without_item": batch.without_item}
    if not batch.rows and not batch.undone:
        if base is None or not (batch.ever or batch.anonymous):
            return None
        return Merged(base, **waiting, position=last)
    columns, left_out = plan_columns(kind, base.columns if base else {}, batch)
    counts: Counter[str] = Counter()
    with _merged_view(kind, base, batch, columns, counts) as view:
        if base and base.rows + counts["added"] == counts["removed"]:
            return Merged(base, kept=counts["removed"], **waiting, position=last)
        origin = _origin(base, live, batch, counts)
        version = workspace.write_dataset(live.group, kind, connect().table(view), origin=origin)
    return Merged(version, **counts, **waiting, left_out=left_out, position=batch.position)


@contextmanager
def _merged_view(
    kind: str, base: DatasetVersion | None, batch: Batch, columns: Mapping[str, str], counts: Counter[str]
) -> Iterator[str]:
    """A view of the old rows and the new ones; fills `counts` with what is added, replaced, identical and removed."""
    con = connect().con
    con.register("_live_rows", as_table(batch.rows, columns, "_SEQ"))
    con.register("_undone_rows", as_table(batch.undone, columns, "_SEQ"))
    make = sql_events if kind in LOGS else sql_entities
    view = None
    try:
        sql = make(kind, base, columns)
        for name, count in sql.counts.items():
            counts[name] = query(count)[0][0]
        view = create_view(sql.select, "merged")
        yield view
    finally:
        if view is not None:
            con.execute(f"DROP VIEW {quoted(view)}")
        con.unregister("_live_rows")
        con.unregister("_undone_rows")


def _origin(base: DatasetVersion | None, live: LiveEvents, batch: Batch, counts: Mapping[str, int]) -> dict[str, Any]:
    words = "live events" if base is None else f"version {base.version} and live events"
    merged = {"store": live.store.id, "position": batch.position, **counts}
    return {"source": words, "base_version": base.version if base else None, ORIGIN: merged}
