"""What changed between two versions of a dataset."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pandas as pd

from workbench.columns import TIMESTAMP
from workbench.data.connection import query, quoted
from workbench.data.queries import named
from workbench.data.rules import IDS, KEY
from workbench.data.versions import DatasetVersion

COLUMNS = ["CHANGE", "COLUMN", "OLD", "NEW", "DIFFERENCE", "EXAMPLES"]
FIRST = 5  # ids given as examples
NUMERIC = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "FLOAT", "DOUBLE", "UTINYINT", "USMALLINT", "UINTEGER")


def differences(old: DatasetVersion, new: DatasetVersion) -> pd.DataFrame:
    """Compare two versions of one dataset.

    Args:
        old, new: versions of the same dataset kind.

    Returns:
        CHANGE, COLUMN ("" for the table as a whole), OLD, NEW (numbers, types or times), DIFFERENCE (new minus old,
        for numbers), EXAMPLES (up to five ids). Always a row "rows"; then, only where there is a change: columns
        "added", "removed" and "type"; "ids added" and "ids removed" for every id column, "ids changed" for items,
        users and actions (an id in both with another value in a shared column), "rows added" and "rows removed"
        (whole rows, repeats counted, shared columns only); "first time" and "last time"; and for each shared column
        "missing values", "distinct values" (about), and for numbers "mean", "least" and "most".
    """
    rows = [_row("rows", "", old.rows, new.rows)]
    if old.hash != new.hash:
        with named(old.table()) as (_, before), named(new.table()) as (_, after):
            shared = [name for name in old.columns if name in new.columns]
            rows += _column_changes(old.columns, new.columns)
            rows += _id_changes(before, after, old.kind, shared)
            rows += _row_changes(before, after, shared)
            rows += _value_changes(before, after, {name: new.columns[name] for name in shared}, old.columns)
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(change: str, column: str, old: Any, new: Any, examples: list[str] | None = None) -> tuple:
    numbers = all(isinstance(each, int | float) for each in (old, new))
    return change, column, old, new, new - old if numbers else None, ", ".join(examples or [])


def _column_changes(old: dict[str, str], new: dict[str, str]) -> Iterator[tuple]:
    for name in new:
        if name not in old:
            yield _row("column added", name, None, new[name])
    for name, type_ in old.items():
        if name not in new:
            yield _row("column removed", name, type_, None)
        elif new[name] != type_:
            yield _row("column type", name, type_, new[name])


def _id_changes(before: str, after: str, kind: str, shared: list[str]) -> Iterator[tuple]:
    for name in [each for each in shared if each in IDS]:
        counts = [query(f"SELECT count(DISTINCT {quoted(name)}) FROM {quoted(view)}")[0][0] for view in (before, after)]
        for change, has, lacks in (("ids added", after, before), ("ids removed", before, after)):
            only = f"{quoted(has)} ANTI JOIN {quoted(lacks)} USING ({quoted(name)})"
            ids = f"SELECT DISTINCT {quoted(name)} AS id FROM {only}"
            count, examples = query(f"SELECT count(*), min(id, {FIRST}) FROM ({ids})")[0]
            if count:
                sides = (None, count) if has == after else (count, None)
                yield _row(change, name, *sides, examples)
        if counts[0] != counts[1]:
            yield _row("ids", name, *counts)
    key = KEY.get(kind)
    if key in shared:
        differ = [f"o.{quoted(name)} IS DISTINCT FROM n.{quoted(name)}" for name in shared if name != key]
        both = f"{quoted(before)} o JOIN {quoted(after)} n USING ({quoted(key)}) WHERE {' OR '.join(differ) or 'false'}"
        count, examples = query(f"SELECT count(*), min({quoted(key)}, {FIRST}) FROM {both}")[0]
        if count:
            yield _row("ids changed", key, None, count, examples)


def _row_changes(before: str, after: str, shared: list[str]) -> Iterator[tuple]:
    """Whole rows on one side only, counted as a multiset through their hashes."""
    if not shared:
        return
    columns = ", ".join(f"CAST({quoted(name)} AS VARCHAR)" for name in shared)
    hashed = "SELECT hash({columns}) AS h, count(*) AS n FROM {view} GROUP BY 1"
    sides = [f"({hashed.format(columns=columns, view=quoted(view))})" for view in (before, after)]
    gap = "coalesce(b.n, 0) - coalesce(a.n, 0)"
    [(added, removed)] = query(
        f"SELECT coalesce(sum(greatest({gap}, 0)), 0), coalesce(sum(greatest(-({gap}), 0)), 0) "
        f"FROM {sides[0]} a FULL JOIN {sides[1]} b USING (h)"
    )
    if added:
        yield _row("rows added", "", None, int(added))
    if removed:
        yield _row("rows removed", "", int(removed), None)


def _value_changes(before: str, after: str, new: dict[str, str], old: dict[str, str]) -> Iterator[tuple]:
    asked = []
    for name, type_ in new.items():
        column = quoted(name)
        asked += [("missing values", name, f"count(*) - count({column})")]
        asked += [("distinct values", name, f"approx_count_distinct({column})")]
        if name == TIMESTAMP:
            asked += [("first time", name, f"min({column})"), ("last time", name, f"max({column})")]
        elif type_ in NUMERIC and old[name] in NUMERIC:
            asked += [
                (what, name, f"{sql}({column})") for what, sql in (("mean", "avg"), ("least", "min"), ("most", "max"))
            ]
    picked = ", ".join(sql for _, _, sql in asked)
    found = [query(f"SELECT {picked} FROM {quoted(view)}")[0] for view in (before, after)]
    for (change, name, _), was, now in zip(asked, *found, strict=True):
        if was == now:
            continue
        if change.endswith(" time"):
            yield change, name, _time(was), _time(now), now - was, ""
        else:
            yield _row(change, name, was, now)


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
