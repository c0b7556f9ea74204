"""Steps on numbers: cap outliers, sort into ranges."""

from itertools import pairwise

import ibis
import ibis.expr.types as ir

from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, differ, need, texts
from workbench.errors import FlowError


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
