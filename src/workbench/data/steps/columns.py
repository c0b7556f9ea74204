"""Steps on whole columns: rename, keep, drop, set, cast."""

from typing import Any

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from workbench.columns import ROW
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, need, texts
from workbench.errors import FlowError, nearest

TYPES = {"text": "string", "integer": "int64", "number": "float64", "boolean": "boolean"}
INVALID = Option(
    "invalid",
    (str,),
    "What to do with values that cannot be converted: fail with their row numbers, make them null, or drop their rows.",
    "fail",
    ("fail", "null", "drop"),
)


@step(
    "rename",
    "Renames columns; all others stay as they are.",
    [Option("columns", (dict,), "Present name to new name.")],
    {"columns": {"userId": "USER_ID", "movieId": "ITEM_ID"}},
    keeps_rows=True,
)
def rename(work: Work, table: ir.Table, *, columns: dict[str, str]) -> Outcome:
    """Rename columns; a new name that is already taken is an error."""
    need(table, *columns)
    texts(list(columns.values()), "the new names of columns")
    kept = set(table.columns) - set(columns)
    folded = {name.casefold() for name in columns.values()}  # DuckDB knows no upper and lower case in names
    taken = sorted(name for name in kept if name.casefold() in folded)
    if taken:
        raise FlowError(f"the table already has column(s) {taken}; drop or rename them first.")
    return Outcome(table.select([table[name].name(columns.get(name, name)) for name in table.columns]))


@step(
    "keep_columns",
    "Keeps the named columns, in the order given, and drops all others.",
    [Option("columns", (list,), "Names of the columns to keep.")],
    {"columns": ["USER_ID", "ITEM_ID", "TIMESTAMP"]},
    keeps_rows=True,
)
def keep_columns(work: Work, table: ir.Table, *, columns: list[str]) -> Outcome:
    """Select columns; the internal row number always stays."""
    need(table, *texts(columns, "option 'columns'"))
    if not columns:
        raise FlowError("option 'columns' is empty: name at least one column to keep.")
    return Outcome(table.select([ROW, *[name for name in columns if name != ROW]]))


@step(
    "drop_columns",
    "Drops the named columns.",
    [Option("columns", (list,), "Names of the columns to drop.")],
    {"columns": ["comment"]},
    keeps_rows=True,
)
def drop_columns(work: Work, table: ir.Table, *, columns: list[str]) -> Outcome:
    """Drop columns; dropping all of them is an error."""
    need(table, *texts(columns, "option 'columns'"))
    if set(table.columns) <= {*columns, ROW}:
        raise FlowError(f"dropping {columns} would leave no column.")
    return Outcome(table.drop(*columns) if columns else table)


@step(
    "set",
    "Gives columns one constant value each, over what is there or as new columns.",
    [Option("columns", (dict,), "Column name to its value: text, number, true, false.")],
    {"columns": {"EVENT_TYPE": "purchase"}},
    keeps_rows=True,
)
def set_constant(work: Work, table: ir.Table, *, columns: dict[str, Any]) -> Outcome:
    """Set constants; a null would have no type, so it is refused."""
    for name, value in columns.items():
        if not isinstance(value, str | int | float | bool):
            raise FlowError(f"column {name!r} cannot be set to {value!r}; give text, a number, true or false.")
    there = {name: value for name, value in columns.items() if name in table.columns}
    counts = {
        f"n{i}": (table[name].isnull() | (table[name].cast("string") != ibis.literal(value).cast("string"))).sum()
        for i, (name, value) in enumerate(there.items())
    }
    changed = sum(work.numbers(table, **counts).values()) if counts else 0
    return Outcome(table.mutate(**{name: ibis.literal(value) for name, value in columns.items()}), changed)


@step(
    "cast",
    "Changes the type of columns.",
    [
        Option(
            "columns", (dict,), f"Column name to type: {', '.join(TYPES)}, or a DuckDB type such as `decimal(10, 2)`."
        ),
        INVALID,
    ],
    {"columns": {"price": "number"}, "invalid": "null"},
)
def cast(work: Work, table: ir.Table, *, columns: dict[str, str], invalid: str) -> Outcome:
    """Cast columns; what cannot be converted is never guessed."""
    need(table, *columns)
    new = {}
    for name, type_name in columns.items():
        old, wanted = table[name], _type(type_name)
        new[name] = old.cast(wanted) if wanted.is_string() else _converted(old, wanted)
    return convert(work, table, new, invalid)


def _converted(old: ir.Column, wanted: dt.DataType) -> ir.Column:
    """Convert, with null where that is not possible; DuckDB alone would round 2.5 to an integer."""
    text = old.type().is_string()
    value = old.strip().nullif("") if text else old
    if not wanted.is_integer() or not (text or old.type().is_floating() or old.type().is_decimal()):
        return value.try_cast(wanted)
    number = value.try_cast("float64")
    whole = ibis.ifelse(number == number.floor(), number, ibis.null("float64")).try_cast(wanted)
    # A long id written in digits must not pass through a float.
    return ibis.ifelse(value.re_search(r"^[+-]?\d+$"), value.try_cast(wanted), whole) if text else whole


def convert(work: Work, table: ir.Table, new: dict[str, ir.Column], invalid: str, said: str = "") -> Outcome:
    """Put converted columns in place and treat what became null on the way as asked.

    Args:
        work: the run.
        table: before the conversion.
        new: column name (existing) to its converted expression; null where it was not convertible.
        invalid: "fail", "null" or "drop".
        said: what the record says first.
    """
    lost = {name: value.isnull() & _filled(table[name]) for name, value in new.items()}
    counts = work.numbers(table, **{f"n{i}": each.sum() for i, each in enumerate(lost.values())})
    bad = {name: int(counts[f"n{i}"]) for i, name in enumerate(lost) if counts[f"n{i}"]}
    after = table.mutate(**new)
    if not bad:
        return Outcome(after, 0, said)
    if invalid == "fail":
        name, number = next(iter(bad.items()))
        example = work.connection.to_pyarrow(table.filter(lost[name]).select(name).limit(1))[name][0].as_py()
        rows = work.rows_where(table, lost[name])
        raise FlowError(
            f"column {name!r}: {number:,} value(s) cannot be converted, for example {example!r}; rows {rows}. "
            "Mend them at the source, or set 'invalid' to 'null' or 'drop'."
        )
    listed = ", ".join(f"{number:,} in {name}" for name, number in bad.items())
    if invalid == "null":
        return Outcome(after, sum(bad.values()), f"{said}; made null: {listed}".lstrip("; "))
    flagged = table.mutate(**new, _LOST=ibis.or_(*lost.values()))
    kept = flagged.filter(~flagged["_LOST"]).drop("_LOST")
    return Outcome(kept, 0, f"{said}; rows dropped for unreadable values: {listed}".lstrip("; "))


def _filled(column: ir.Column) -> ir.BooleanColumn:
    return column.notnull() & (column.strip() != "") if column.type().is_string() else column.notnull()


def _type(name: str) -> dt.DataType:
    """Read a type name of ours or of DuckDB's."""
    if not isinstance(name, str):
        raise FlowError(f"a type is given as text, got {name!r} ({type(name).__name__}).")
    try:
        return dt.dtype(TYPES.get(name, name))
    except Exception as error:
        raise FlowError(f"unknown type {name!r}.{nearest(name, TYPES)}") from error
