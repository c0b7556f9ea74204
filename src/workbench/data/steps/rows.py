"""Steps that take rows away: duplicates, conditions, missing values, samples."""

import ibis
import ibis.expr.types as ir

from workbench.columns import ROW, USER_ID
from workbench.data.steps.functions import md5_number_lower
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.sql import select
from workbench.data.steps.work import Work, as_text, need, texts
from workbench.errors import FlowError


@step(
    "drop_duplicates",
    "Drops repeated rows, or rows that repeat a key.",
    [
        Option("by", (list,), "Columns that make the key; empty: all columns, so only exact copies go.", []),
        Option("keep", (str,), "Which row of equals stays, in file order.", "first", ("first", "last")),
    ],
    {"by": ["USER_ID", "ITEM_ID", "TIMESTAMP"], "keep": "last"},
    heavy=True,
)
def drop_duplicates(work: Work, table: ir.Table, *, by: list[str], keep: str) -> Outcome:
    """Keep one row per key; nulls count as equal."""
    need(table, *texts(by, "option 'by'"))
    key = by or [name for name in table.columns if name != ROW]
    chosen = table[ROW].min() if keep == "first" else table[ROW].max()
    rows = work.store(table.group_by(key).aggregate(_KEEP=chosen).select("_KEEP"))
    return Outcome(table.semi_join(rows, table[ROW] == rows["_KEEP"]))


@step(
    "drop_where",
    "Drops the rows for which an SQL condition holds.",
    [Option("condition", (str,), "A DuckDB condition over the table's columns; a null counts as not holding.")],
    {"condition": "price < 0 OR quantity = 0"},
)
def drop_where(work: Work, table: ir.Table, *, condition: str) -> Outcome:
    """Drop rows by condition."""
    query = f"SELECT * FROM this WHERE NOT coalesce((\n{condition}\n), false)"
    return Outcome(select(work, query, table))


@step(
    "keep_where",
    "Keeps only the rows for which an SQL condition holds.",
    [Option("condition", (str,), "A DuckDB condition over the table's columns; a null counts as not holding.")],
    {"condition": "country IN ('DE', 'AT')"},
)
def keep_where(work: Work, table: ir.Table, *, condition: str) -> Outcome:
    """Keep rows by condition."""
    query = f"SELECT * FROM this WHERE (\n{condition}\n)"
    return Outcome(select(work, query, table))


@step(
    "sample",
    "Keeps a part of the rows, or all rows of a part of the users; the same seed keeps the same.",
    [
        Option("share", (float,), "Part to keep, above 0 and up to 1.", None),
        Option("number", (int,), "Or: how many rows (or users) to keep.", None),
        Option("by", (str,), f"Empty: rows. A column such as {USER_ID}: whole groups of rows.", ""),
        Option("seed", (int,), "Another seed keeps another part.", 0),
    ],
    {"share": 0.1, "by": "USER_ID", "seed": 7},
    heavy=True,
)
def sample(work: Work, table: ir.Table, *, share: float | None, number: int | None, by: str, seed: int) -> Outcome:
    """Sample by hashing, so that neither threads nor other rows change who is in."""
    if (share is None) == (number is None):
        raise FlowError(f"give either 'share' or 'number', got share={share!r} and number={number!r}.")
    if share is not None and not 0 < share <= 1:
        raise FlowError(f"option 'share' must be above 0 and up to 1, got {share}.")
    if number is not None and number < 1:
        raise FlowError(f"option 'number' must be at least 1, got {number}.")
    if by:
        need(table, by)
    key = by or ROW
    drawn = md5_number_lower(ibis.literal(f"{seed}:") + as_text(table[key]))
    if share is not None:
        return Outcome(
            table.filter(drawn <= ibis.literal(min(int(share * 2**64), 2**64 - 1), "uint64")), 0, f"seed {seed}"
        )
    keys = table.filter(table[key].notnull()).select(_KEY=table[key], _DRAW=drawn).distinct()
    chosen = work.store(keys.order_by("_DRAW", "_KEY").limit(number))
    return Outcome(table.semi_join(chosen, table[key] == chosen["_KEY"]), 0, f"seed {seed}")
