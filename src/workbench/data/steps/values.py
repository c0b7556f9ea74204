"""The step that maps values."""

from typing import Any

import ibis
import ibis.expr.types as ir

from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, as_text, differ, need
from workbench.errors import FlowError

TREATED = {"keep": "kept", "null": "made null", "drop": "rows dropped", "fail": "refused"}


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
    detail = f"{counts['unlisted']:,} values not listed, {TREATED[others]}" if counts["unlisted"] else ""
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
