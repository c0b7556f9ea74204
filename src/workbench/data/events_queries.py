"""What reads the live events' database."""

import json
import sqlite3
from typing import Any

from workbench.columns import ACTIONS, ITEMS, USERS
from workbench.data.events_records import Changes, LiveEvent
from workbench.data.events_store import EventStore
from workbench.data.events_writing import KINDS, kind_number

FIELDS = (
    "seq, event_id, session_id, user_id, entity, time, event_type, event_value, recommendation_id, impression, "
    "source, properties, kind"
)
# Who is meant: a user with live events of its own, else the user of the session of that name, else as given.
MEANT = """
SELECT CASE WHEN EXISTS (SELECT 1 FROM event WHERE user_id = ?1) THEN ?1
    ELSE coalesce((SELECT user_id FROM session WHERE session_id = ?1), ?1) END
"""
USER_EVENTS = f"""
SELECT {FIELDS} FROM event WHERE user_id = ?1 AND changed > ?2 AND kind = ?3 AND undone = 0
UNION ALL
SELECT {FIELDS} FROM event WHERE user_id IS NULL AND session_id = ?1 AND changed > ?2 AND kind = ?3 AND undone = 0
ORDER BY time, seq
"""
VERSION = """
SELECT max(
    coalesce((SELECT max(changed) FROM event WHERE user_id = ?1), 0),
    coalesce((SELECT max(changed) FROM event WHERE user_id IS NULL AND session_id = ?1), 0),
    coalesce((SELECT seq FROM entity WHERE kind = ?2 AND id = ?1), 0))
"""
CHANGED = """
SELECT DISTINCT user_id, session_id FROM event WHERE seq > ?1
UNION SELECT user_id, session_id FROM amendment JOIN event ON event.seq = amendment.event WHERE amendment.seq > ?1
"""


def user_events(store: EventStore, user_id: str, after: int, kind: str) -> list[LiveEvent]:
    """See `LiveEvents.user_events`."""
    number = kind_number(kind)
    with store.reading() as connection:
        who = _meant(connection, user_id)
        rows = connection.execute(USER_EVENTS, (who, after, number)).fetchall()
    return [live_event(row) for row in rows]


def live_event(row: tuple) -> LiveEvent:
    """A row of the fields of `FIELDS` as a live event."""
    *fields, impression, source, properties, kind = row
    shown = tuple(impression.split("|")) if impression else ()
    return LiveEvent(*fields, shown, source, json.loads(properties) if properties else {}, KINDS[kind])


def user_of(store: EventStore, session_id: str) -> str | None:
    """See `LiveEvents.user_of`."""
    with store.reading() as connection:
        row = connection.execute("SELECT user_id FROM session WHERE session_id = ?", (session_id,)).fetchone()
    return row[0] if row else None


def user_version(store: EventStore, user_id: str) -> int:
    """See `LiveEvents.user_version`."""
    with store.reading() as connection:
        return connection.execute(VERSION, (_meant(connection, user_id), USERS)).fetchone()[0]


def position(store: EventStore) -> int:
    """See `LiveEvents.position`."""
    with store.reading() as connection:
        return connection.execute("SELECT n FROM sequence").fetchone()[0]


def changes(store: EventStore, after: int) -> Changes:
    """See `LiveEvents.changed_since`."""
    with store.reading() as connection:
        newest = connection.execute("SELECT n FROM sequence").fetchone()[0]
        events = connection.execute(CHANGED, (after,)).fetchall()
        put = connection.execute("SELECT kind, id FROM entity WHERE seq > ?", (after,)).fetchall()
    return Changes(
        position=newest,
        users=frozenset([user for user, _ in events if user is not None] + [id_ for kind, id_ in put if kind == USERS]),
        sessions=frozenset(session for user, session in events if user is None),
        items=frozenset(id_ for kind, id_ in put if kind == ITEMS),
        actions=frozenset(id_ for kind, id_ in put if kind == ACTIONS),
    )


def entities(store: EventStore, kind: str, after: int) -> dict[str, dict[str, Any]]:
    """Items, users or actions put after a position: id to properties by column name, oldest put first."""
    with store.reading() as connection:
        rows = connection.execute(
            "SELECT id, properties FROM entity WHERE kind = ? AND seq > ? ORDER BY seq", (kind, after)
        ).fetchall()
    return {id_: json.loads(properties) for id_, properties in rows}


def _meant(connection: sqlite3.Connection, user_id: str) -> str:
    return connection.execute(MEANT, (user_id,)).fetchone()[0]
