"""Rules on the values of a table, each a condition that is true for a bad row.

Two passes whatever the number of rules: one counts all of them, one fetches row numbers and values of those broken.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from workbench.columns import DAY, EVENT_TYPE, EXPIRATION_TIMESTAMP, IMPRESSION, ROW
from workbench.data.connection import literal, quoted
from workbench.data.inference import plain_type
from workbench.data.rules import (
    IDS,
    MAX_CATEGORY,
    MAX_ID,
    MAX_IMPRESSION,
    MAX_TEXT,
    TIMES,
    Field,
    Schema,
    reserved,
)
from workbench.data.violations import ERROR, ONLY_THERE, WARNING, Violation

FIRST = 5  # row numbers given for each violation
SHOWN = 80  # characters of a value in a message
# Smallest value that can only be of this unit: as seconds it would lie beyond the year 5138.
UNITS = {"milliseconds": (10**11, 10**14), "microseconds": (10**14, 10**17), "nanoseconds": (10**17, 10**19)}
LOOKS_EMPTY = ("nan", "none", "null", "n/a", "na", "nil", "undefined")


@dataclass(frozen=True)
class Check:
    """One rule on one column; `where` is SQL that is true for a row that breaks it."""

    column: str
    where: str
    rule: str
    remedy: str
    severity: str = ERROR


def value_violations(con: Any, view: str, types: Mapping[str, str], schema: Schema) -> list[Violation]:
    """Everything wrong with a table's values.

    Args:
        con: the DuckDB connection the view lives on.
        view: the view's name.
        types: column name to DuckDB type, `_ROW` left out.
        schema: of those columns.
    """
    checks = list(_checks(types, schema))
    if not checks:
        return []
    counts = con.execute(
        f"SELECT {', '.join(f'count_if({check.where})' for check in checks)} FROM {quoted(view)}"
    ).fetchone()
    broken = [(check, count) for check, count in zip(checks, counts, strict=True) if count]
    if not broken:
        return []
    details = [part for check, _ in broken for part in _detail(check)]
    found = con.execute(f"SELECT {', '.join(details)} FROM {numbered(con, view)}").fetchone()
    return [
        Violation(check.column, check.rule, check.remedy, check.severity, list(rows or []), count, value)
        for (check, count), rows, value in zip(broken, found[0::2], found[1::2], strict=True)
    ]


def numbered(con: Any, view: str) -> str:
    """A view as SQL that has `_ROW`: its own, or counted from 1 in the view's order."""
    names = [name for name, *_ in con.execute(f"DESCRIBE {quoted(view)}").fetchall()]
    return quoted(view) if ROW in names else f"(SELECT *, row_number() OVER () AS {quoted(ROW)} FROM {quoted(view)})"


def _detail(check: Check) -> list[str]:
    value = f"left(CAST({quoted(check.column)} AS VARCHAR), {SHOWN})"
    return [
        f"min({quoted(ROW)}, {FIRST}) FILTER (WHERE {check.where})",
        f"arg_min({value}, {quoted(ROW)}) FILTER (WHERE {check.where})",
    ]


def _checks(types: Mapping[str, str], schema: Schema) -> Iterator[Check]:
    known = reserved(schema.kind, schema.domain)
    flagged = {each.name: each for each in schema.fields}
    now = int(time.time())
    for name, found in types.items():
        field, plain = known.get(name), plain_type(found)
        if plain is None or (plain == "boolean" and name in TIMES and field):
            continue
        if name in IDS and field:
            yield from _id_checks(name)
        elif name in TIMES and field:
            yield from _time_checks(name, plain, field, now)
        elif field and field.type != "string":
            yield from _number_checks(name, plain)
        elif (wanted := field or flagged.get(name)) and not wanted.nullable:
            yield from _presence_checks(wanted)
        if plain in ("float", "double") and name not in TIMES:
            yield Check(name, f"isinf({quoted(name)})", "must be finite", "Flow step `cap_outliers` or `drop_where`.")
        if plain == "string":
            yield from _text_checks(name, flagged.get(name), list(known))


def _id_checks(name: str) -> Iterator[Check]:
    value = f"CAST({quoted(name)} AS VARCHAR)"
    drop = "Drop these rows with flow step `drop_missing`, or mend them in the source."
    yield Check(name, f"{value} IS NULL", "id is missing", drop)
    yield Check(name, f"trim({value}) = ''", "id is empty", drop)
    spaces = "Kept as they are. If other tables have them without, flow step `clean_text` takes them away."
    yield Check(
        name, f"{value} != trim({value}) AND trim({value}) != ''", "id begins or ends with a space", spaces, WARNING
    )
    words = f"lower(trim({value})) IN ({', '.join(map(literal, LOOKS_EMPTY))})"
    remedy = "If it stands for a missing id, drop these rows with flow step `drop_where`."
    yield Check(name, words, "id looks like a missing value written as text", remedy, WARNING)
    yield Check(name, f"length({value}) > {MAX_ID}", f"id is longer than {MAX_ID} characters", ONLY_THERE, WARNING)


def _time_checks(name: str, plain: str, field: Field, now: int) -> Iterator[Check]:
    column = quoted(name)
    seconds = column
    if field.required or not field.nullable:
        drop = "Drop these rows with flow step `drop_missing`, or fill them with `fill_missing`."
        yield Check(name, f"{column} IS NULL", "time is missing", drop)
    parse = "Read the column with flow step `parse_time`, or map it when the source is opened."
    if plain == "string":
        seconds = f"TRY_CAST({column} AS BIGINT)"
        yield Check(
            name, f"NOT regexp_full_match({column}, '\\s*[+-]?\\d{{1,18}}\\s*')", "must be whole epoch seconds", parse
        )
    elif plain in ("float", "double"):
        whole = f"NOT isfinite({column}) OR {column} != trunc({column})"
        yield Check(name, whole, "must be whole epoch seconds", "Flow step `cast` to integer drops the fraction.")
    for unit, (low, high) in UNITS.items():
        remedy = f"Flow step `parse_time` with format `{unit}` turns them into seconds."
        yield Check(name, f"{seconds} >= {low} AND {seconds} < {high}", f"time is in {unit}, not seconds", remedy)
    if name != EXPIRATION_TIMESTAMP:
        remedy = "Drop these rows with flow step `drop_future`, or check the clock and time zone of the source."
        future = f"{seconds} > {now + DAY} AND {seconds} < {UNITS['milliseconds'][0]}"
        yield Check(name, future, "time lies in the future", remedy, WARNING)
    past = "Often a missing time written as 0. Drop these rows with flow step `drop_where` if so."
    yield Check(name, f"{seconds} <= 0", "time is 1970-01-01 or before", past, WARNING)


def _number_checks(name: str, plain: str) -> Iterator[Check]:
    if plain == "string":
        where = f"{quoted(name)} IS NOT NULL AND TRY_CAST({quoted(name)} AS DOUBLE) IS NULL"
        yield Check(name, where, "must be a number", "Flow step `cast` to number; it lists or drops what is none.")


def _presence_checks(field: Field) -> Iterator[Check]:
    """Columns that Personalize wants filled; the workbench needs only the event types of kinds that require them."""
    where = f"{quoted(field.name)} IS NULL OR trim(CAST({quoted(field.name)} AS VARCHAR)) = ''"
    if field.required and field.name == EVENT_TYPE:
        yield Check(field.name, where, "value is missing", "Fill it with flow step `fill_missing`, or `drop_missing`.")
    else:
        yield Check(field.name, where, "value is missing", f"{ONLY_THERE} Flow step `fill_missing` fills it.", WARNING)


def _text_checks(name: str, field: Field | None, reserved_names: list[str]) -> Iterator[Check]:
    column = quoted(name)
    words = f"{column} IN ({', '.join(map(literal, reserved_names))})"
    remedy = "Is it a header line amid the data? Drop it with flow step `drop_where`. Personalize refuses such values."
    yield Check(name, words, "value is a reserved column name", remedy, WARNING)
    limits = [(MAX_TEXT, "text", "Personalize cuts the rest off; the workbench does not.")]
    if field and field.categorical:
        limits.append((MAX_CATEGORY, "category", ONLY_THERE))
    if name == IMPRESSION:
        limits.append((MAX_IMPRESSION, "impression", ONLY_THERE))
    for most, what, remedy in limits:
        yield Check(name, f"length({column}) > {most}", f"{what} is longer than {most:,} characters", remedy, WARNING)
