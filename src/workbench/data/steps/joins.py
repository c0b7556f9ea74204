"""Steps that bring in other tables: join and append."""

from typing import Any

import ibis
import ibis.expr.types as ir

from workbench.columns import ROW
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, as_text, need, texts
from workbench.errors import FlowError


@step(
    "join",
    "Brings in columns of another table of the flow, or keeps only rows that have (or lack) a match there.",
    [
        Option("table", (str,), "Name of the other table."),
        Option("on", (str, list, dict), "Column(s) both tables have, or this table's column to the other's."),
        Option(
            "how",
            (str,),
            "`left` keeps all rows, `inner` those with a match; `semi` and `anti` only filter and bring no columns.",
            "left",
            ("left", "inner", "semi", "anti"),
        ),
        Option("columns", (list,), "Columns to bring; empty: all but the key.", []),
        Option(
            "duplicates",
            (str,),
            "The key is there twice in the other table: an error, its first row counts, or rows multiply.",
            "fail",
            ("fail", "first", "all"),
        ),
    ],
    {"table": "items", "on": {"product": "ITEM_ID"}, "columns": ["PRICE"]},
    heavy=True,
)
def join(work: Work, this: ir.Table, *, table: str, on: Any, how: str, columns: list[str], duplicates: str) -> Outcome:
    """Join on equal keys; nulls never match. The record says how many rows found no match."""
    other = work.store(work.table(table))
    keys = _keys(on)
    need(this, *keys)
    need(other, *keys.values(), *texts(columns, "option 'columns'"))
    brought = columns or [name for name in other.columns if name not in (*keys.values(), ROW)]
    taken = sorted(set(brought) & set(this.columns))
    if taken and how in ("left", "inner"):
        raise FlowError(f"both tables have column(s) {taken}; name those to bring in 'columns', or rename first.")
    right = other.select(
        **{f"_KEY{i}": other[name] for i, name in enumerate(keys.values())},
        **{name: other[name] for name in brought},
        _AT=ibis.row_number(),
    )
    key_names = [f"_KEY{i}" for i in range(len(keys))]
    right = _unique(work, right, key_names, list(keys.values()), duplicates, table, how)
    match = [_equal(this[mine], right[theirs]) for mine, theirs in zip(keys, key_names, strict=True)]
    if how in ("semi", "anti"):
        kept = this.semi_join(right, match) if how == "semi" else this.anti_join(right, match)
        return Outcome(kept, 0, f"table {table}")
    joined = (this.left_join if how == "left" else this.inner_join)(right, match)
    unmatched = work.count(this.anti_join(right, match))
    mine = [this[name] for name in this.columns]
    return Outcome(
        joined.select(*mine, *[right[name] for name in brought]),
        0,
        f"table {table}; {unmatched:,} rows without a match",
    )


def _keys(on: Any) -> dict[str, str]:
    keys = dict(on) if isinstance(on, dict) else {name: name for name in ([on] if isinstance(on, str) else on)}
    if not keys:
        raise FlowError("option 'on' is empty: name at least one key column.")
    texts([*keys], "option 'on'")
    texts([*keys.values()], "option 'on'")
    return keys


def _unique(
    work: Work, right: ir.Table, key: list[str], names: list[str], duplicates: str, table: str, how: str
) -> ir.Table:
    """Treat keys that the other table has twice as asked."""
    if duplicates == "all" or how in ("semi", "anti"):
        return right
    if duplicates == "first":
        right = work.store(right)
        heads = right.group_by(key).aggregate(_HEAD=right["_AT"].min()).select("_HEAD")
        return right.semi_join(heads, right["_AT"] == heads["_HEAD"])
    counted = (
        right.filter(ibis.and_(*[right[name].notnull() for name in key])).group_by(key).aggregate(_N=ibis._.count())
    )
    twice = counted.filter(counted["_N"] > 1)
    number = work.count(twice)
    if number:
        example = work.connection.to_pyarrow(twice.order_by(key).select(key).limit(1)).to_pylist()[0]
        raise FlowError(
            f"table {table!r} has {number:,} key(s) of {names} more than once, for example {[*example.values()]}. "
            "Drop duplicates there first, or set 'duplicates' to 'first' or 'all'."
        )
    return right


def _equal(mine: ir.Column, theirs: ir.Column) -> ir.BooleanColumn:
    return mine == theirs if mine.type() == theirs.type() else as_text(mine) == as_text(theirs)


@step(
    "append",
    "Puts the rows of another table of the flow under this one; columns that one side lacks are null there.",
    [Option("table", (str,), "Name of the other table.")],
    {"table": "events_2025"},
    heavy=True,
)
def append(work: Work, this: ir.Table, *, table: str) -> Outcome:
    """Append rows; they are numbered on from this table's last row."""
    other = work.table(table)
    other = other.drop(ROW) if ROW in other.columns else other
    last = int(work.numbers(this, last=this[ROW].max())["last"])
    below = other.mutate(**{ROW: (ibis.row_number() + 1 + last).cast("int64")})
    mine, theirs = this.schema(), below.schema()
    clash = sorted(
        name
        for name in mine.keys() & theirs.keys()
        if mine[name].copy(nullable=True) != theirs[name].copy(nullable=True)
    )
    if clash:
        told = ", ".join(f"{name}: {mine[name]} here, {theirs[name]} there" for name in clash)
        raise FlowError(f"the tables hold different types in {told}; cast one of them first.")
    order = [*this.columns, *[name for name in theirs if name not in mine]]
    both = {**theirs, **mine}
    parts = [
        part.select(**{name: part[name] if name in part.columns else ibis.null(both[name]) for name in order})
        for part in (this, below)
    ]
    return Outcome(ibis.union(*parts), 0, f"{work.count(below):,} rows of {table}")
