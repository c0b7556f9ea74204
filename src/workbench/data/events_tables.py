"""Live rows as a typed table, and the SQL that joins them to a dataset's stored rows."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from workbench.columns import ROW
from workbench.data.connection import literal, quoted
from workbench.data.events_batches import Batch
from workbench.data.events_properties import FAMILIES
from workbench.data.rules import KEY, RESERVED
from workbench.data.storing import STORED
from workbench.data.versions import DATA_FILE, DatasetVersion

SEQ = "_SEQ"
ARROW = {"text": pa.string(), "true or false": pa.bool_(), "a number": pa.float64(), "a whole number": pa.int64()}


@dataclass(frozen=True)
class MergeSql:
    """select: the merged rows with `_ROW`. counts: what is counted to the query that counts it."""

    select: str
    counts: dict[str, str] = field(default_factory=dict)


def plan_columns(kind: str, stored: Mapping[str, str], batch: Batch) -> tuple[dict[str, str], dict[str, int]]:
    """Which columns the merged dataset has.

    Args:
        kind: the dataset kind.
        stored: columns and DuckDB types of the dataset; empty when there is none yet.
        batch: the live rows.

    Returns:
        Column name to DuckDB type, the stored ones first; and how many live values are left out, by column.
    """
    filled = Counter(name for row in batch.rows for name, value in row.items() if value is not None and name != SEQ)
    fields = {each.name: each for each in RESERVED[kind]}
    columns, left_out = dict(stored), {}
    for name, count in filled.items():
        if name in columns:
            continue
        if stored and not (name in fields and fields[name].nullable):
            left_out[name] = count
        elif name in fields:
            columns[name] = STORED[fields[name].type]
        else:
            columns[name] = _type(row.get(name) for row in batch.rows)
    if not stored:  # required columns come first, in the order of the kind
        first = {name: columns.pop(name) for name in fields if name in columns}
        columns = first | columns
    return columns, left_out


def as_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str], number: str) -> pa.Table:
    """Live rows as an Arrow table with these columns, and their sequence number."""
    arrays = {
        name: pa.array([_fit(row.get(name), kind) for row in rows], _arrow(kind)) for name, kind in columns.items()
    }
    return pa.table(arrays | {number: pa.array([row[number] for row in rows], pa.int64())})


def sql_events(kind: str, base: DatasetVersion | None, columns: Mapping[str, str]) -> MergeSql:
    """Stored events without the undone ones, and live events that are not among them, identical ones once."""
    names = ", ".join(map(quoted, columns))
    casts = ", ".join(f"CAST({quoted(name)} AS {type_}) AS {quoted(name)}" for name, type_ in columns.items())
    live = f"SELECT {casts}, min({SEQ}) AS {SEQ} FROM _live_rows GROUP BY {', '.join(map(quoted, columns))}"
    if base is None:
        select = f"SELECT {names}, row_number() OVER (ORDER BY {SEQ}) AS {quoted(ROW)} FROM ({live})"
        identical = f"SELECT count(*) - (SELECT count(*) FROM ({live})) FROM _live_rows"
        return MergeSql(select, {"added": f"SELECT count(*) FROM ({live})", "identical": identical})
    old = _stored(base, columns)
    undone = f"SELECT DISTINCT {casts} FROM _undone_rows"
    fresh = (
        f"SELECT * FROM ({live}) AS l WHERE NOT EXISTS (SELECT 1 FROM ({old}) AS o WHERE {_equal('l', 'o', columns)})"
    )
    gone = f"EXISTS (SELECT 1 FROM ({undone}) AS u WHERE {_equal('o', 'u', columns)})"
    numbered = f"{base.rows} + row_number() OVER (ORDER BY {SEQ})"
    select = (
        f"SELECT {names}, {quoted(ROW)} FROM ({old}) AS o WHERE NOT {gone} "
        f"UNION ALL SELECT {names}, {numbered} FROM ({fresh})"
    )
    counts = {
        "added": f"SELECT count(*) FROM ({fresh})",
        "identical": f"SELECT count(*) - (SELECT count(*) FROM ({fresh})) FROM _live_rows",
        "removed": f"SELECT count(*) FROM ({old}) AS o WHERE {gone}",
    }
    return MergeSql(select, counts)


def sql_entities(kind: str, base: DatasetVersion | None, columns: Mapping[str, str]) -> MergeSql:
    """Stored items, users or actions, those that were put live replaced in their place, new ones at the end."""
    key = quoted(KEY[kind])
    names = ", ".join(map(quoted, columns))
    live = ", ".join(f"CAST(l.{quoted(name)} AS {type_})" for name, type_ in columns.items())
    if base is None:
        select = f"SELECT {names}, row_number() OVER (ORDER BY {SEQ}) AS {quoted(ROW)} FROM _live_rows"
        return MergeSql(select, {"added": "SELECT count(*) FROM _live_rows"})
    old = _stored(base, columns)
    joined = f"_live_rows AS l LEFT JOIN ({old}) AS o ON CAST(l.{key} AS VARCHAR) = CAST(o.{key} AS VARCHAR)"
    place = f"coalesce(o.{quoted(ROW)}, {base.rows} + row_number() OVER (ORDER BY l.{SEQ}))"
    select = (
        f"SELECT {names}, {quoted(ROW)} FROM ({old}) WHERE {key} NOT IN (SELECT {key} FROM _live_rows) "
        f"UNION ALL SELECT {live}, {place} FROM {joined}"
    )
    counts = {
        "added": f"SELECT count(*) FROM {joined} WHERE o.{key} IS NULL",
        "replaced": f"SELECT count(*) FROM {joined} WHERE o.{key} IS NOT NULL",
    }
    return MergeSql(select, counts)


def _stored(base: DatasetVersion, columns: Mapping[str, str]) -> str:
    """SQL for a dataset's rows in stored order, columns it lacks empty."""
    parts = [
        quoted(name) if name in base.columns else f"CAST(NULL AS {type_}) AS {quoted(name)}"
        for name, type_ in columns.items()
    ]
    file = literal(str(base.path / DATA_FILE))
    row = f"file_row_number + 1 AS {quoted(ROW)}"
    return f"SELECT {', '.join(parts)}, {row} FROM read_parquet({file}, file_row_number = true)"


def _equal(one: str, other: str, columns: Iterable[str]) -> str:
    return " AND ".join(f"{one}.{quoted(name)} IS NOT DISTINCT FROM {other}.{quoted(name)}" for name in columns)


def _type(values: Iterable[Any]) -> str:
    """The DuckDB type that holds values of a new column; mixed ones become text."""
    kinds = {type(value) for value in values if value is not None}
    if kinds == {bool}:
        return "BOOLEAN"
    if kinds == {int}:
        return "BIGINT"
    return "DOUBLE" if kinds <= {int, float} else "VARCHAR"


def _arrow(type_: str) -> pa.DataType:
    return ARROW[FAMILIES.get(type_.split("(")[0], "text")]


def _fit(value: Any, type_: str) -> Any:
    """A value as Arrow takes it: text where the column is text, whole or not where it is a number."""
    if value is None:
        return None
    wanted = _arrow(type_)
    if wanted == pa.string():
        return value if isinstance(value, str) else str(value)
    return float(value) if wanted == pa.float64() else value
