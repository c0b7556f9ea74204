"""Steps on fields that hold several values: split them, join them, write them as `a|b`."""

import ibis
import ibis.expr.types as ir

from workbench.columns import ROW, SEPARATOR
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, as_text, differ, need, numbered, texts
from workbench.errors import FlowError

BETWEEN = Option("separator", (str,), "What stands between the values.", SEPARATOR)


def _parts(column: ir.Column, separator: str) -> ir.ArrayColumn:
    """The trimmed, non-empty values of a field, each once, in their order."""
    pieces = as_text(column).split(separator).map(lambda piece: piece.strip())
    pieces = pieces.filter(lambda piece: piece != "")
    # A value stays where it stands first: DuckDB's own list_distinct forgets the order.
    return pieces.filter(lambda piece, at: pieces.index(piece) == at)


@step(
    "multi_values",
    "Rewrites a field of several values with `|` between them, trimmed, without empty and repeated ones.",
    [
        Option("column", (str,), "The column to rewrite."),
        Option("separator", (str,), "What stands between the values now."),
    ],
    {"column": "genres", "separator": ","},
    keeps_rows=True,
    heavy=True,
)
def multi_values(work: Work, table: ir.Table, *, column: str, separator: str) -> Outcome:
    """Normalise separators; a field without any value becomes null."""
    need(table, column)
    _separator(separator)
    new = _parts(table[column], separator).join(SEPARATOR).nullif("")
    changed = work.numbers(table, n=differ(new, as_text(table[column])))["n"]
    return Outcome(table.mutate(**{column: new}), changed)


@step(
    "split_values",
    "Splits a field of several values into one row each, or into columns.",
    [
        Option("column", (str,), "The column to split."),
        BETWEEN,
        Option("into", (list,), "Names for the first, second, … value; empty: one row per value.", []),
    ],
    {"column": "GENRES", "into": ["GENRE_1", "GENRE_2"]},
    heavy=True,
)
def split_values(work: Work, table: ir.Table, *, column: str, separator: str, into: list[str]) -> Outcome:
    """Split; rows without a value keep one row (or empty columns), so none gets lost in silence."""
    need(table, column)
    _separator(separator)
    parts = _parts(table[column], separator)
    if not into:
        some = ibis.greatest(parts.length().fill_null(0), 1)
        rows = table.mutate(_PARTS=parts, _AT=ibis.range(0, some).unnest())
        rows = rows.mutate(**{column: rows["_PARTS"][rows["_AT"]]}).order_by(ROW, "_AT")
        return Outcome(numbered(rows.drop("_PARTS", "_AT")), 0, "one row per value, numbered anew")
    taken = sorted((set(texts(into, "option 'into'")) & set(table.columns)) - {column})
    if taken:
        raise FlowError(f"the table already has column(s) {taken}.")
    more = work.numbers(table, n=(parts.length() > len(into)).sum())["n"]
    made = table.mutate(_PARTS=parts)
    made = made.drop(column).mutate(**{name: made["_PARTS"][i] for i, name in enumerate(into)}).drop("_PARTS")
    return Outcome(
        made, 0, f"{more:,} rows had more than {len(into)} values; the rest of them is left out" if more else ""
    )


@step(
    "join_values",
    "Joins several columns into one field; with flags, the names of the columns that are 1 or true.",
    [
        Option("columns", (list,), "The columns to join; they go."),
        Option("to", (str,), "The new column."),
        BETWEEN,
        Option("flags", (bool,), "The columns say yes or no (1/0, true/false), and their names are the values.", False),
    ],
    {"columns": ["Action", "Comedy", "Drama"], "to": "GENRES", "flags": True},
    keeps_rows=True,
)
def join_values(work: Work, table: ir.Table, *, columns: list[str], to: str, separator: str, flags: bool) -> Outcome:
    """Join columns; empty values are left out, a row without any value gets null."""
    need(table, *texts(columns, "option 'columns'"))
    if not columns:
        raise FlowError("option 'columns' is empty: name the columns to join.")
    if to in table.columns and to not in columns:
        raise FlowError(f"the table already has a column {to!r}; drop or rename it first.")
    if flags:
        yes = {
            name: as_text(table[name]).strip().lower().isin(["1", "1.0", "true", "yes", "t", "y"]) for name in columns
        }
        pieces = [yes[name].ifelse(ibis.literal(name), ibis.null("string")) for name in columns]
    else:
        pieces = [as_text(table[name]).strip().nullif("") for name in columns]
    joined = ibis.array(pieces).filter(lambda piece: piece.notnull()).join(separator).nullif("")
    made = table.mutate(_JOINED=joined).drop(*columns)
    return Outcome(made.rename({to: "_JOINED"}))


@step(
    "gather_values",
    "Makes one row per key and joins what a column held in the key's rows.",
    [
        Option("by", (list,), "Columns that make the key."),
        Option("column", (str,), "The column whose values are joined, each once, in file order."),
        BETWEEN,
    ],
    {"by": ["ITEM_ID"], "column": "TAGS"},
    heavy=True,
)
def gather_values(work: Work, table: ir.Table, *, by: list[str], column: str, separator: str) -> Outcome:
    """Gather; other columns keep the value of the key's first row."""
    need(table, column, *texts(by, "option 'by'"))
    if not by or column in by:
        raise FlowError(f"option 'by' must name at least one column other than {column!r}, got {by!r}.")
    text = as_text(table[column]).strip().nullif("")
    first = table.select(*by, ROW, _VALUE=text).filter(ibis._["_VALUE"].notnull())
    once = first.group_by([*by, "_VALUE"]).aggregate(_AT=first[ROW].min())
    joined = once.group_by(by).aggregate(_ALL=once["_VALUE"].group_concat(separator, order_by=once["_AT"]))
    heads = work.store(table.group_by(by).aggregate(_FIRST=table[ROW].min()).select("_FIRST"))
    base = table.semi_join(heads, table[ROW] == heads["_FIRST"])
    matches = [base[name].identical_to(joined[name]) for name in by]
    put = base.left_join(joined, matches).select(
        *[base[name] for name in base.columns if name != column], joined["_ALL"]
    )
    return Outcome(put.rename({column: "_ALL"}).select(base.columns))


def _separator(separator: str) -> None:
    if not separator:
        raise FlowError("option 'separator' is empty: say what stands between the values.")
