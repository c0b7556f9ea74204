"""The fields that each kind of record may have, and what is stored of them."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from workbench.data import events_checks as checks
from workbench.data.events_checks import MAX_ID, MAX_RECOMMENDATION_ID, MAX_TYPE, Refused
from workbench.data.events_group import GroupFacts
from workbench.data.events_properties import properties
from workbench.data.events_records import Limits
from workbench.errors import EventError

EVENT = (
    "eventType",
    "sentAt",
    "eventId",
    "eventValue",
    "itemId",
    "properties",
    "recommendationId",
    "impression",
    "metricAttribution",
)
ACTION_INTERACTION = (
    "actionId",
    "sessionId",
    "timestamp",
    "eventType",
    "userId",
    "eventId",
    "recommendationId",
    "impression",
    "properties",
)
ANSWERS = {"taken": "TAKEN", "nottaken": "NOT_TAKEN", "viewed": "VIEWED"}  # as the dataset spells them
ENTITIES = {ITEMS: ("item", "itemId"), USERS: ("user", "userId"), ACTIONS: ("action", "actionId")}


@dataclass(frozen=True, slots=True)
class EventRow:
    """One checked event; `user_id` is the one that the call names, `entity` the item's or action's id."""

    event_id: str
    session_id: str
    user_id: str | None
    entity: str | None
    time: int
    event_type: str
    event_value: float | None
    recommendation_id: str | None
    impression: str | None
    source: str | None
    properties: str | None


def event_rows(
    events: object, session_id: object, user_id: object, facts: GroupFacts, limits: Limits
) -> list[EventRow]:
    """Check the events of one `put_events` call.

    Raises:
        EventError: the session, the user or any event breaks a rule; nothing may be stored then.
    """
    given = checks.records("put_events", "event", events, limits.records)
    _require_who("put_events", session_id, user_id)
    now = time.time()
    return _each("put_events", "event", given, lambda each: _event(each, session_id, user_id, facts, limits, now))


def action_rows(interactions: object, facts: GroupFacts, limits: Limits) -> list[EventRow]:
    """Check the records of one `put_action_interactions` call."""
    call, noun = "put_action_interactions", "action interaction"
    given = checks.records(call, noun, interactions, limits.records)
    now = time.time()
    return _each(call, noun, given, lambda each: _action_interaction(each, facts, limits, now))


def entity_rows(kind: str, entities: object, facts: GroupFacts, limits: Limits) -> list[tuple[str, str]]:
    """Check the items, users or actions of one call.

    Returns:
        Id and JSON text of the properties by column name, in the order of the call.
    """
    noun, key = ENTITIES[kind]
    given = checks.records(f"put_{kind}", noun, entities, limits.records)
    most = getattr(limits, f"{noun}_properties")

    def row(each: object) -> tuple[str, str]:
        record = checks.require_known(each, (key, "properties"))
        return checks.text(record, key, MAX_ID, required=True), _json(properties(record, kind, facts, most)) or "{}"

    return _each(f"put_{kind}", noun, given, row)


def _each(call: str, noun: str, given: Sequence[object], check: Callable[[object], Any]) -> list[Any]:
    """Every record checked; all that are wrong are named at once."""
    rows, problems = [], []
    for position, each in enumerate(given, 1):
        try:
            rows.append(check(each))
        except Refused as problem:
            problems.append((position, problem))
    if problems:
        raise checks.refusal(call, noun, problems, len(given))
    return rows


def _require_who(call: str, session_id: object, user_id: object) -> None:
    for name, value in (("session_id", session_id), ("user_id", user_id)):
        if name == "user_id" and value is None:
            continue
        try:
            checks.plain_text(name, value, MAX_ID)
        except Refused as problem:
            raise EventError(
                f"{call} is refused: {name}: {problem.rule}; got {checks.shorten(value)}. "
                "Nothing of this call was stored."
            ) from problem


def _event(
    each: object, session_id: str, user_id: str | None, facts: GroupFacts, limits: Limits, now: float
) -> EventRow:
    record = checks.require_known(each, EVENT)
    checks.require_bytes(record, limits.event_bytes)
    values = (
        checks.text(record, "itemId", MAX_ID),
        checks.seconds(record, "sentAt", now, limits.future),
        checks.text(record, "eventType", MAX_TYPE, required=True),
        checks.number(record, "eventValue"),
        checks.text(record, "recommendationId", MAX_RECOMMENDATION_ID),
        checks.impression(record, limits.impression),
        checks.attribution(record),
        _json(properties(record, INTERACTIONS, facts, limits.event_properties)),
    )
    owner = ("user", user_id) if user_id is not None else ("session", session_id)
    event_id = checks.text(record, "eventId", MAX_ID) or _content_id(owner, record["sentAt"], values)
    return EventRow(event_id, session_id, user_id, *values)


def _action_interaction(each: object, facts: GroupFacts, limits: Limits, now: float) -> EventRow:
    record = checks.require_known(each, ACTION_INTERACTION)
    session_id = checks.text(record, "sessionId", MAX_ID, required=True)
    user_id = checks.text(record, "userId", MAX_ID)
    values = (
        checks.text(record, "actionId", MAX_ID, required=True),
        checks.seconds(record, "timestamp", now, limits.future),
        _answer(record),
        None,
        checks.text(record, "recommendationId", MAX_RECOMMENDATION_ID),
        checks.impression(record, limits.impression),
        None,
        _json(properties(record, ACTION_INTERACTIONS, facts, limits.action_interaction_properties)),
    )
    owner = ("user", user_id) if user_id is not None else ("session", session_id)
    event_id = checks.text(record, "eventId", MAX_ID) or _content_id(owner, record["timestamp"], values)
    return EventRow(event_id, session_id, user_id, *values)


def _answer(record: Mapping[str, Any]) -> str:
    given = checks.text(record, "eventType", MAX_TYPE, required=True)
    answer = ANSWERS.get(given.replace(" ", "").replace("_", "").casefold())
    if answer is None:
        raise Refused("eventType", given, "must be Viewed, Taken or Not Taken")
    return answer


def _content_id(owner: tuple[str, str], moment: object, values: tuple) -> str:
    """An id made of what an event says: identical events get the same one, so a repeated call stores nothing twice."""
    words = json.dumps([owner, str(moment), values], ensure_ascii=True)
    return f"auto-{hashlib.blake2b(words.encode(), digest_size=16).hexdigest()}"


def _json(values: Mapping[str, Any]) -> str | None:
    return json.dumps(values, ensure_ascii=False) if values else None
