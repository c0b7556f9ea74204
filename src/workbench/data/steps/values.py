"""Steps on values: map, fill, cap, bucket."""

from itertools import pairwise
from typing import Any

import ibis
import ibis.expr.types as ir

from workbench.columns import ROW
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.rows import is_missing
from workbench.data.steps.work import Work, as_text, differ, need, texts
from workbench.errors import FlowError

STATISTICS = ("mean", "median", "mode", "min", "max", "previous")


@step(
    "map_values",
    "Replaces values of a column by others.",
    [
        Option("column", (str,), "The column to change."),
        Option("values", (dict,), "Old value to new value; both are compared and written as text."),
        Option(
            "others",
            (str,),
            "Values that are not listed: kept, made null, their rows dropped, or an error.",
            "keep",
            ("keep", "null", "drop", "fail"),
        ),
    ],
    {"column": "gender", "values": {"w": "F", "m": "M"}, "others": "null"},
    heavy=True,
)
def map_values(work: Work, table: ir.Table, *, column: str, values: dict[Any, Any], others: str) -> Outcome:
    """Map values by exact text; the column becomes text, nulls stay null."""
    need(table, column)
    if not values:
        raise FlowError("option 'values' is empty: give at least one old value and its new one.")
    text = as_text(table[column])
    listed = text.isin([str(old) for old in values])
    pairs = [(text == str(old), ibis.literal(str(new))) for old, new in values.items()]
    rest = text if others == "keep" else ibis.null("string")
    mapped = ibis.cases(*pairs, else_=rest)
    unlisted = text.notnull() & ~listed
    counts = work.numbers(table, changed=differ(mapped, text), unlisted=unlisted.sum())
    detail = f"{counts['unlisted']:,} values not listed: {others}" if counts["unlisted"] else ""
    if others == "fail" and counts["unlisted"]:
        found = work.connection.to_pyarrow(table.filter(unlisted).select(v=text).distinct().order_by("v").limit(5))
        raise FlowError(
            f"column {column!r}: {counts['unlisted']:,} value(s) are not listed, among them "
            f"{found['v'].to_pylist()}; rows {work.rows_where(table, unlisted)}. "
            "List them, or set 'others' to 'keep', 'null' or 'drop'."
        )
    if others == "drop":
        kept = table.filter(~unlisted.fill_null(False))
        renamed = ibis.cases(*[(as_text(kept[column]) == str(old), str(new)) for old, new in values.items()])
        return Outcome(kept.mutate(**{column: renamed}), counts["changed"] - counts["unlisted"], detail)
    return Outcome(table.mutate(**{column: mapped}), counts["changed"], detail)


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
    heavy=True,
)
def fill_missing(work: Work, table: ir.Table, *, columns: dict[str, Any]) -> Outcome:
    """Fill; the record says how many values of each column were filled, and with what."""
    need(table, *columns)
    said, changed = [], 0
    for name, fill in columns.items():
        gone = is_missing(table[name])
        count = int(work.numbers(table, n=gone.sum())["n"])
        if fill == {"how": "previous"}:
            table, word = _from_above(table, name), "the value above"
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


@step(
    "cap_outliers",
    "Pulls values beyond a limit back to the limit.",
    [
        Option("columns", (list,), "Number columns."),
        Option(
            "method",
            (str,),
            "`quantile`: low and high are quantiles; `iqr`: so many interquartile ranges beyond the quartiles "
            "(`high`, 1.5 when left out); `absolute`: low and high are values.",
            "quantile",
            ("quantile", "iqr", "absolute"),
        ),
        Option("low", (float,), "Lower limit; left out, none.", None),
        Option("high", (float,), "Upper limit; left out, none.", None),
    ],
    {"columns": ["price"], "method": "quantile", "high": 0.999},
    keeps_rows=True,
    heavy=True,
)
def cap_outliers(
    work: Work, table: ir.Table, *, columns: list[str], method: str, low: float | None, high: float | None
) -> Outcome:
    """Cap numbers; the record says the limits and how many values were capped."""
    need(table, *texts(columns, "option 'columns'"))
    if method != "iqr" and low is None and high is None:
        raise FlowError(f"method {method!r} needs 'low', 'high' or both.")
    if method == "quantile" and any(limit is not None and not 0 <= limit <= 1 for limit in (low, high)):
        raise FlowError(f"quantiles lie between 0 and 1, got low={low!r} and high={high!r}.")
    changed, said, new = 0, [], {}
    for name in columns:
        column = table[name]
        if not column.type().is_numeric():
            raise FlowError(f"column {name!r} holds {column.type()} values; only numbers can be capped.")
        least, most = _limits(work, table, name, method, low, high)
        capped = column
        if least is not None:
            capped = (column < least).ifelse(ibis.literal(least).cast(column.type()), capped)
        if most is not None:
            capped = (column > most).ifelse(ibis.literal(most).cast(column.type()), capped)
        count = int(work.numbers(table, n=differ(capped, column))["n"])
        changed += count
        new[name] = capped
        said.append(
            f"{count:,} in {name} to {'' if least is None else f'{least:g}'} … {'' if most is None else f'{most:g}'}"
        )
    return Outcome(table.mutate(**new), changed, "capped " + ", ".join(said))


def _limits(
    work: Work, table: ir.Table, name: str, method: str, low: float | None, high: float | None
) -> tuple[float | None, float | None]:
    if method == "absolute":
        return low, high
    column = table[name].cast("float64")
    if method == "quantile":
        asked = {key: column.quantile(at) for key, at in (("low", low), ("high", high)) if at is not None}
        found = work.numbers(table, **asked)
        return found.get("low"), found.get("high")
    found = work.numbers(table, first=column.quantile(0.25), third=column.quantile(0.75))
    reach = (1.5 if high is None else high) * (found["third"] - found["first"])
    return found["first"] - reach, found["third"] + reach


@step(
    "bucket",
    "Sorts numbers into named ranges, as a new text column.",
    [
        Option("column", (str,), "Number column."),
        Option("edges", (list,), "Rising inner borders; a value on a border belongs to the range above it.", None),
        Option("quantiles", (int,), "Or: how many ranges with about equally many rows.", None),
        Option("labels", (list,), "One name per range; left out, the ranges themselves.", None),
        Option("to", (str,), "New column; empty: the column's name with _BUCKET.", ""),
    ],
    {"column": "age", "edges": [25, 45, 65], "to": "AGE_GROUP"},
    keeps_rows=True,
)
def bucket(
    work: Work,
    table: ir.Table,
    *,
    column: str,
    edges: list[float] | None,
    quantiles: int | None,
    labels: list[str] | None,
    to: str,
) -> Outcome:
    """Bucket numbers; missing values stay missing."""
    need(table, column)
    if not table[column].type().is_numeric():
        raise FlowError(f"column {column!r} holds {table[column].type()} values; only numbers can be bucketed.")
    if (edges is None) == (quantiles is None):
        raise FlowError(f"give either 'edges' or 'quantiles', got {edges!r} and {quantiles!r}.")
    borders = edges if edges is not None else _quantile_edges(work, table, column, quantiles)
    numeric = all(isinstance(edge, int | float) and not isinstance(edge, bool) for edge in borders)
    if not borders or not numeric or sorted(set(borders)) != borders:
        raise FlowError(f"edges must be rising numbers, at least one, got {borders!r}.")
    names = labels if labels is not None else _ranges(borders)
    if len(texts(names, "option 'labels'")) != len(borders) + 1:
        raise FlowError(f"{len(borders)} edges make {len(borders) + 1} ranges, but there are {len(names)} labels.")
    value = table[column]
    cases = [(value < edge, name) for edge, name in zip(borders, names, strict=False)]
    new = ibis.cases((value.isnull(), ibis.null("string")), *cases, else_=names[-1])
    return Outcome(
        table.mutate(**{to or f"{column}_BUCKET": new}), 0, f"borders {', '.join(f'{edge:g}' for edge in borders)}"
    )


def _quantile_edges(work: Work, table: ir.Table, column: str, quantiles: int) -> list[float]:
    if quantiles < 2:
        raise FlowError(f"option 'quantiles' must be at least 2, got {quantiles}.")
    value = table[column].cast("float64")
    found = work.numbers(table, **{f"q{i}": value.quantile(i / quantiles) for i in range(1, quantiles)})
    return sorted(set(found.values()))


def _ranges(edges: list[float]) -> list[str]:
    marks = [f"{edge:g}" for edge in edges]
    inner = [f"{low} to {high}" for low, high in pairwise(marks)]
    return [f"below {marks[0]}", *inner, f"{marks[-1]} and above"]
