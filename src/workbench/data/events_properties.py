"""Properties of live records: JSON text with camelCase keys, turned into values by column name."""

import json
import re
from collections.abc import Mapping
from typing import Any

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    ACTIONS,
    CREATION_TIMESTAMP,
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    EVENT_VALUE,
    EXPIRATION_TIMESTAMP,
    IMPRESSION,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    RECOMMENDATION_ID,
    TIMESTAMP,
    USER_ID,
    USERS,
)
from workbench.data.events_checks import MILLISECONDS, Refused, scalar
from workbench.data.events_group import GroupFacts
from workbench.data.rules import MAX_NAME, reserved
from workbench.errors import nearest

HUMP = re.compile(r"(?<=[a-z\d])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
NAME = re.compile(r"[A-Za-z_][A-Za-z\d_]*")
LETTERS = re.compile(r"[^A-Za-z\d]")
LOG = {
    USER_ID: "userId",
    TIMESTAMP: "sentAt",
    EVENT_TYPE: "eventType",
    EVENT_VALUE: "eventValue",
    IMPRESSION: "impression",
    RECOMMENDATION_ID: "recommendationId",
    EVENT_ATTRIBUTION_SOURCE: "metricAttribution",
}
# Columns that have a field of their own and may not stand among the properties.
OWN = {
    INTERACTIONS: LOG | {ITEM_ID: "itemId"},
    ACTION_INTERACTIONS: LOG | {ACTION_ID: "actionId", TIMESTAMP: "timestamp"},
    ITEMS: {ITEM_ID: "itemId"},
    USERS: {USER_ID: "userId"},
    ACTIONS: {ACTION_ID: "actionId"},
}
# What a value must be, by the first letters of a column's DuckDB type or by its Personalize type.
FAMILIES = {
    "VARCHAR": "text",
    "ENUM": "text",
    "string": "text",
    "BOOLEAN": "true or false",
    "boolean": "true or false",
    "DOUBLE": "a number",
    "FLOAT": "a number",
    "DECIMAL": "a number",
    "float": "a number",
    "double": "a number",
    "BIGINT": "a whole number",
    "INTEGER": "a whole number",
    "SMALLINT": "a whole number",
    "TINYINT": "a whole number",
    "UBIGINT": "a whole number",
    "UINTEGER": "a whole number",
    "long": "a whole number",
    "int": "a whole number",
}


def column_name(key: str) -> str:
    """A camelCase key as a column's name: numberOfRatings becomes NUMBER_OF_RATINGS."""
    return HUMP.sub("_", key).upper()


def properties(record: Mapping[str, Any], kind: str, facts: GroupFacts, most: int) -> dict[str, Any]:
    """A record's properties by column name.

    Args:
        record: its `properties` are JSON text, or a mapping.
        kind: the dataset kind; where the group has one, keys must be its columns and values of their types.
        facts: what the catalogue says about the group.
        most: characters of the JSON text.
    """
    given = record.get("properties")
    if given is None and kind in (INTERACTIONS, ACTION_INTERACTIONS):
        return {}
    parsed = {} if given is None else _parsed(given, most)
    columns = facts.columns.get(kind) or {}
    types = {name: each.type for name, each in reserved(kind, facts.domain).items()} | columns
    by_letters = {_fold(name): name for name in columns}
    found: dict[str, Any] = {}
    for key, value in parsed.items():
        name = _column(key, value, kind, by_letters)
        if name in found:
            raise Refused(f"properties.{key}", value, f"column {name} is given twice")
        found[name] = _typed(f"properties.{key}", name, scalar(f"properties.{key}", value), types.get(name, ""))
    _require_present(found, given, kind, facts)
    return found


def _parsed(given: object, most: int) -> Mapping[str, Any]:
    if isinstance(given, Mapping):
        try:
            given = json.dumps(dict(given), ensure_ascii=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise Refused("properties", given, f"must be JSON: {error}") from error
    if not isinstance(given, str):
        raise Refused("properties", given, "must be JSON text of an object, such as '{\"price\": 9.5}'")
    if len(given) > most:
        raise Refused("properties", given, f"must have at most {most:,} characters")
    try:
        parsed = json.loads(given, object_pairs_hook=_once)
    except RecursionError as error:
        raise Refused("properties", given, "is nested too deeply; properties are plain values by name") from error
    except ValueError as error:
        raise Refused("properties", given, f"is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise Refused("properties", given, "must be JSON text of an object, such as '{\"price\": 9.5}'")
    return parsed


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"key {next(name for name in names if names.count(name) > 1)!r} stands in it twice")
    return found


def _column(key: str, value: object, kind: str, by_letters: Mapping[str, str]) -> str:
    """The column that a key means: the dataset's with the same letters and digits, else the key's own name."""
    own = {_fold(name): name for name in OWN[kind]}.get(_fold(key))
    if own:
        raise Refused(f"properties.{key}", value, f"{own} has a field of its own: {OWN[kind][own]}")
    if by_letters:
        if _fold(key) not in by_letters:
            known = nearest(column_name(key), (name for name in by_letters.values() if name not in OWN[kind]))
            raise Refused(f"properties.{key}", value, f"the dataset of {kind} has no column {column_name(key)}.{known}")
        return by_letters[_fold(key)]
    name = column_name(key)
    if not NAME.fullmatch(name) or len(name) > MAX_NAME:
        rule = f"names are letters, digits and _, start with no digit, and have at most {MAX_NAME} characters"
        raise Refused(f"properties.{key}", value, rule)
    return name


def _fold(name: str) -> str:
    return LETTERS.sub("", name).casefold()


def _typed(field: str, name: str, value: Any, type_: str) -> Any:
    """Refuse a value that the column cannot hold."""
    family = FAMILIES.get(type_.split("(")[0])
    fits = {
        "text": isinstance(value, str),
        "true or false": isinstance(value, bool),
        "a number": isinstance(value, int | float) and not isinstance(value, bool),
        "a whole number": isinstance(value, int | float) and not isinstance(value, bool) and value == int(value),
    }
    if value is not None and family and not fits[family]:
        raise Refused(field, value, f"column {name} holds {family}")
    if name in (CREATION_TIMESTAMP, EXPIRATION_TIMESTAMP) and value is not None and abs(value) >= MILLISECONDS:
        raise Refused(field, value, "is in milliseconds or finer; times are epoch seconds")
    return int(value) if family == "a whole number" and value is not None else value


def _require_present(found: Mapping[str, Any], given: object, kind: str, facts: GroupFacts) -> None:
    """Refuse an item, user or action without a value that its domain requires."""
    if kind in (INTERACTIONS, ACTION_INTERACTIONS):
        return
    for name, each in reserved(kind, facts.domain).items():
        if each.required and name not in OWN[kind] and found.get(name) is None:
            raise Refused("properties", given, f"a {facts.domain} group needs {name} in each of its {kind}")
