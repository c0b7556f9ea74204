"""What of the live side a merge has to carry over: rows by column name, read in one moment."""

import json
import sqlite3
from dataclasses import dataclass, field
from typing import Any

from workbench.columns import (
    ACTION_ID,
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    EVENT_VALUE,
    IMPRESSION,
    INTERACTIONS,
    ITEM_ID,
    RECOMMENDATION_ID,
    TIMESTAMP,
    USER_ID,
)
from workbench.data.events_store import EventStore
from workbench.data.events_writing import kind_number
from workbench.data.rules import KEY

FIELDS = (
    "seq, user_id, entity, time, event_type, event_value, recommendation_id, impression, source, properties, undone, "
    "changed"
)
WINDOW = f"""
SELECT {FIELDS} FROM event WHERE seq > ?1 AND kind = ?2
UNION
SELECT {FIELDS} FROM event WHERE kind = ?2 AND seq IN (SELECT event FROM amendment WHERE seq > ?1)
ORDER BY changed, seq
"""
SAME = """
SELECT 1 FROM event WHERE user_id = ? AND entity = ? AND time = ? AND event_type = ? AND kind = ? AND undone = 0
"""


@dataclass
class Batch:
    """Live rows that came after the last merge.

    rows: column name to value, with `_SEQ`, in the order they came or became a user's; None stands for no value.
    undone: rows that were undone and may be in the history.
    position: the newest sequence number; the batch holds everything up to it.
    anonymous: events of sessions without a user, ever. without_item: events of the batch about nothing.
    ever: whether anything of this kind was ever put.
    """

    position: int
    rows: list[dict[str, Any]] = field(default_factory=list)
    undone: list[dict[str, Any]] = field(default_factory=list)
    anonymous: int = 0
    without_item: int = 0
    ever: bool = False


def event_batch(store: EventStore, kind: str, after: int) -> Batch:
    """Events of a kind that came, became a user's or were undone after a position."""
    number = kind_number(kind)
    with store.reading() as connection:
        batch = Batch(_position(connection))
        batch.ever = bool(connection.execute("SELECT 1 FROM event WHERE kind = ? LIMIT 1", (number,)).fetchone())
        anonymous = "SELECT count(*) FROM event WHERE user_id IS NULL AND kind = ? AND undone = 0"
        batch.anonymous = connection.execute(anonymous, (number,)).fetchone()[0]
        for seq, user_id, entity, *rest, undone, _ in connection.execute(WINDOW, (after, number)).fetchall():
            if user_id is None:
                continue
            if entity is None:
                batch.without_item += not undone
            elif not undone:
                batch.rows.append(_event(kind, seq, user_id, entity, rest))
            elif seq <= after and not connection.execute(SAME, (user_id, entity, *rest[:2], number)).fetchone():
                batch.undone.append(_event(kind, seq, user_id, entity, rest))
    return batch


def entity_batch(store: EventStore, kind: str, after: int) -> Batch:
    """Items, users or actions whose latest put came after a position."""
    with store.reading() as connection:
        batch = Batch(_position(connection))
        batch.ever = bool(connection.execute("SELECT 1 FROM entity WHERE kind = ? LIMIT 1", (kind,)).fetchone())
        query = "SELECT id, seq, properties FROM entity WHERE kind = ? AND seq > ? ORDER BY seq"
        for id_, seq, properties in connection.execute(query, (kind, after)):
            batch.rows.append({KEY[kind]: id_, **json.loads(properties), "_SEQ": seq})
    return batch


def _event(kind: str, seq: int, user_id: str, entity: str, rest: list[Any]) -> dict[str, Any]:
    time, event_type, event_value, recommendation_id, impression, source, properties = rest
    row = {
        USER_ID: user_id,
        ITEM_ID if kind == INTERACTIONS else ACTION_ID: entity,
        TIMESTAMP: time,
        EVENT_TYPE: event_type,
        EVENT_VALUE: event_value,
        IMPRESSION: impression,
        RECOMMENDATION_ID: recommendation_id,
        EVENT_ATTRIBUTION_SOURCE: source,
        "_SEQ": seq,
    }
    return {**(json.loads(properties) if properties else {}), **row}


def _position(connection: sqlite3.Connection) -> int:
    return connection.execute("SELECT n FROM sequence").fetchone()[0]
