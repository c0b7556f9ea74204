"""Steps on missing values: drop their rows, or fill them."""

from typing import Any

import ibis
import ibis.expr.types as ir

from workbench.columns import ROW
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, need, texts
from workbench.errors import FlowError

STATISTICS = ("mean", "median", "mode", "min", "max", "previous")


@step(
    "drop_missing",
    "Drops rows in which a value is missing; empty text counts as missing.",
    [
        Option("columns", (list,), "Columns that must be filled; empty: all of them.", []),
        Option("when", (str,), "Drop a row when any of them is missing, or only when all are.", "any", ("any", "all")),
    ],
    {"columns": ["USER_ID", "ITEM_ID"]},
)
def drop_missing(work: Work, table: ir.Table, *, columns: list[str], when: str) -> Outcome:
    """Drop incomplete rows; the record says how many values were missing in each column."""
    need(table, *texts(columns, "option 'columns'"))
    names = columns or [name for name in table.columns if name != ROW]
    missing = {name: is_missing(table[name]) for name in names}
    counts = work.numbers(table, **{f"n{i}": each.sum() for i, each in enumerate(missing.values())})
    gone = ibis.or_(*missing.values()) if when == "any" else ibis.and_(*missing.values())
    found = ", ".join(f"{counts[f'n{i}']:,} in {name}" for i, name in enumerate(missing) if counts[f"n{i}"])
    return Outcome(table.filter(~gone), 0, f"missing: {found or 'none'}")


def is_missing(column: ir.Column) -> ir.BooleanColumn:
    """Null, empty or blank text, or not a number."""
    if column.type().is_string():
        # Only text that starts with a blank can be blank, and a comparison is much cheaper than trimming every value.
        return column.isnull() | (column < "!").ifelse(column.strip() == "", False)
    if column.type().is_floating():
        return column.isnull() | column.isnan()
    return column.isnull()


@step(
    "fill_missing",
    "Fills missing values; empty text counts as missing.",
    [
        Option(
            "columns",
            (dict,),
            f"Column name to the value to fill in, or to {{how: …}} with one of {', '.join(STATISTICS)} "
            "(`previous`: the value of the nearest filled row above).",
        )
    ],
    {"columns": {"country": "unknown", "age": {"how": "median"}}},
    keeps_rows=True,
)
def fill_missing(work: Work, table: ir.Table, *, columns: dict[str, Any]) -> Outcome:
    """Fill; the record says how many values of each column were filled, and with what."""
    need(table, *columns)
    said, changed = [], 0
    for name, fill in columns.items():
        gone = is_missing(table[name])
        count = int(work.numbers(table, n=gone.sum())["n"])
        if fill == {"how": "previous"}:
            table, word = work.store(_from_above(table, name)), "the value above"
        else:
            value, word = _filling(work, table, name, fill)
            table = table.mutate(**{name: gone.ifelse(value, table[name])})
        changed += count
        said.append(f"{count:,} in {name} with {word}")
    return Outcome(table, changed, "filled " + ", ".join(said))


def _from_above(table: ir.Table, name: str) -> ir.Table:
    """Fill with the nearest filled value above; what is missing before the first one stays missing."""
    filled_at = is_missing(table[name]).ifelse(ibis.null("int64"), table[ROW])
    marked = table.mutate(_AT=filled_at.max().over(ibis.cumulative_window(order_by=table[ROW])))
    # Of the rows that share a mark one is filled, so the largest value is that one.
    value = is_missing(marked[name]).ifelse(ibis.null(marked[name].type()), marked[name])
    return marked.mutate(**{name: value.max().over(ibis.window(group_by=marked["_AT"]))}).drop("_AT")


def _filling(work: Work, table: ir.Table, name: str, fill: Any) -> tuple[ir.Value, str]:
    """The value to fill in and how to call it."""
    column = table[name]
    if not isinstance(fill, dict):
        _same_kind(column, name, fill)
        return ibis.literal(fill).cast(column.type()), repr(fill)
    how = fill.get("how")
    if set(fill) != {"how"} or how not in STATISTICS:
        known = ", ".join(STATISTICS)
        raise FlowError(f"column {name!r}: fill with a value or with {{how: one of {known}}}, got {fill!r}.")
    if how in ("mean", "median") and not column.type().is_numeric():
        raise FlowError(f"column {name!r} holds {column.type()} values: {how} needs numbers; use 'mode' or a value.")
    value = _statistic(work, table.filter(~is_missing(column)), name, how)
    if value is None:
        raise FlowError(f"column {name!r} is empty, so it has no {how}; fill it with a value or drop the column.")
    return ibis.literal(value).cast(column.type()), f"{how} {value!r}"


def _statistic(work: Work, filled: ir.Table, name: str, how: str) -> Any:
    """One number or text that stands for a column, the same whatever the number of threads."""
    column = filled[name]
    if how == "mode":  # of equally frequent values the smallest
        counted = filled.group_by(name).aggregate(_N=filled.count()).order_by(ibis.desc("_N"), name).limit(1)
        found = work.connection.to_pyarrow(counted)[name].to_pylist()
        return found[0] if found else None
    found = work.numbers(filled, value=getattr(column, how)(), rows=filled.count())
    if not found["rows"]:
        return None
    # Threads add up in changing order, so the last digits of a mean are not reliable.
    return float(f"{found['value']:.9g}") if how == "mean" else found["value"]


def _same_kind(column: ir.Column, name: str, value: Any) -> None:
    kind = column.type()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    fits = isinstance(value, str) if kind.is_string() else number if kind.is_numeric() else isinstance(value, bool)
    if not fits or (kind.is_integer() and value != int(value)):
        raise FlowError(
            f"column {name!r} holds {kind} values and cannot be filled with {value!r} ({type(value).__name__})."
        )
