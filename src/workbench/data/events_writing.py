"""What writes to the live events' database: put, claim a session's earlier events, undo."""

import sqlite3
from collections.abc import Sequence

from workbench.columns import ACTION_INTERACTIONS, INTERACTIONS
from workbench.data.events_checks import shorten
from workbench.data.events_fields import EventRow
from workbench.data.events_records import PutResult
from workbench.data.events_store import EventStore
from workbench.errors import EventError, nearest

KINDS = (INTERACTIONS, ACTION_INTERACTIONS)  # a kind's place here is its number in the database
INSERT = """
INSERT INTO event(seq, kind, event_id, session_id, user_id, entity, time, event_type, event_value, recommendation_id,
    impression, source, properties, changed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
"""


def kind_number(kind: str) -> int:
    """How the database writes a kind of events."""
    if kind not in KINDS:
        raise EventError(f"There is no kind of live events {kind!r}.{nearest(kind, KINDS)}")
    return KINDS.index(kind)


def put_rows(store: EventStore, kind: str, rows: Sequence[EventRow]) -> PutResult:
    """Store checked events in one transaction."""
    number = kind_number(kind)
    known: dict[str, str | None] = {}
    stored = duplicates = undone = claimed = 0
    with store.writing() as connection:
        position = begun = _position(connection)
        for row in rows:
            if row.session_id not in known:
                known[row.session_id] = _user_of(connection, row.session_id)
            if _insert(connection, position + 1, number, row, row.user_id or known[row.session_id]):
                position += 1
                stored += 1
                if row.user_id is not None and row.user_id != known[row.session_id]:
                    claimed += _name_user(connection, row.session_id, row.user_id, position)
                    known[row.session_id] = row.user_id
            elif _is_undone(connection, number, row.event_id):
                undone += 1
            else:
                duplicates += 1
        if position > begun:
            connection.execute("UPDATE sequence SET n = ?", (position,))
    ids = tuple(row.event_id for row in rows)
    return PutResult(stored, duplicates, undone, 0, claimed, ids, position, store.durability)


def put_entities(store: EventStore, kind: str, rows: Sequence[tuple[str, str]]) -> PutResult:
    """Store checked items, users or actions in one transaction; an id that stands there is replaced."""
    replaced = 0
    with store.writing() as connection:
        position = _position(connection)
        for id_, properties in rows:
            position += 1
            found = connection.execute("SELECT 1 FROM entity WHERE kind = ? AND id = ?", (kind, id_)).fetchone()
            replaced += found is not None
            connection.execute("INSERT OR REPLACE INTO entity VALUES (?, ?, ?, ?)", (kind, id_, position, properties))
        connection.execute("UPDATE sequence SET n = ?", (position,))
    return PutResult(len(rows), replaced=replaced, position=position, durability=store.durability)


def undo(store: EventStore, kind: str, event_id: str) -> bool:
    """Mark an event as undone; see `LiveEvents.undo`."""
    number = kind_number(kind)
    with store.writing() as connection:
        row = connection.execute(
            "SELECT seq, undone FROM event WHERE kind = ? AND event_id = ?", (number, event_id)
        ).fetchone()
        if row is None:
            raise EventError(
                f"There is no live event {shorten(event_id)} among the {kind}. Events put without an eventId got one, "
                "which PutResult.event_ids names."
            )
        if row[1]:
            return False
        position = _position(connection) + 1
        connection.execute("UPDATE sequence SET n = ?", (position,))
        connection.execute("UPDATE event SET undone = 1, changed = ? WHERE seq = ?", (position, row[0]))
        connection.execute("INSERT INTO amendment VALUES (?, ?)", (position, row[0]))
    return True


def _insert(connection: sqlite3.Connection, seq: int, kind: int, row: EventRow, user_id: str | None) -> bool:
    """Store an event unless its id is there; say whether it was stored."""
    values = (
        row.entity,
        row.time,
        row.event_type,
        row.event_value,
        row.recommendation_id,
        row.impression,
        row.source,
        row.properties,
    )
    cursor = connection.execute(INSERT, (seq, kind, row.event_id, row.session_id, user_id, *values, seq))
    return cursor.rowcount == 1


def _name_user(connection: sqlite3.Connection, session_id: str, user_id: str, position: int) -> int:
    """Note whose session it is from now on, and give its anonymous events to the user; returns how many."""
    connection.execute("INSERT OR REPLACE INTO session VALUES (?, ?)", (session_id, user_id))
    connection.execute(
        "INSERT INTO amendment SELECT ?, seq FROM event WHERE user_id IS NULL AND session_id = ?",
        (position, session_id),
    )
    return connection.execute(
        "UPDATE event SET user_id = ?, changed = ? WHERE user_id IS NULL AND session_id = ?",
        (user_id, position, session_id),
    ).rowcount


def _user_of(connection: sqlite3.Connection, session_id: str) -> str | None:
    row = connection.execute("SELECT user_id FROM session WHERE session_id = ?", (session_id,)).fetchone()
    return row[0] if row else None


def _is_undone(connection: sqlite3.Connection, kind: int, event_id: str) -> bool:
    found = connection.execute("SELECT undone FROM event WHERE kind = ? AND event_id = ?", (kind, event_id))
    return bool(found.fetchone()[0])


def _position(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT n FROM sequence").fetchone()[0]
