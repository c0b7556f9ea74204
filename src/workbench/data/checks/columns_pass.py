"""One aggregate pass per table: how complete each column is, what it holds, and how far its numbers reach."""

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import Table
from ibis.expr.types import BooleanValue, StringValue, Value

from workbench import columns as c

ID_COLUMNS = (c.USER_ID, c.ITEM_ID, c.ACTION_ID)
TIME_COLUMNS = (c.TIMESTAMP, c.CREATION_TIMESTAMP, c.EXPIRATION_TIMESTAMP)
# Empty on most rows by their nature: only an event that came from a recommendation carries them.
SPARSE_COLUMNS = (c.IMPRESSION, c.RECOMMENDATION_ID, c.EVENT_ATTRIBUTION_SOURCE)
# A purchase has a value, a view has none.
OPTIONAL_EVENT_COLUMNS = (c.EVENT_VALUE,)
OPTIONAL_ACTION_COLUMNS = (c.VALUE, c.EXPIRATION_TIMESTAMP, c.REPEAT_FREQUENCY)
TEXT_WORDS = {"DESCRIPTION", "OVERVIEW", "SYNOPSIS", "SUMMARY", "TEXT", "PLOT", "BODY"}
LABEL_WORDS = {"TITLE", "NAME"}
TEXT_LENGTH = 40  # characters on average from which a string column reads as free text
LABEL_SHARE = 90.0  # per cent of distinct values from which a string column names its rows, such as a title
CATEGORY_LIMIT = 5_000  # distinct values up to which all of a column's values are looked at
EXACT_ROWS = 2_000_000
LEAN = 0.1  # Bowley's skewness, from -1 to 1
FENCE = 3.0  # interquartile ranges: Tukey's outer fence, "far out"
STATISTICS = [
    "DATASET", "COLUMN", "TYPE", "ROLE", "ROWS", "MISSING", "MISSING_SHARE", "DISTINCT", "LOWEST", "Q1", "MEDIAN",
    "Q3", "HIGHEST", "MEAN", "LONGEST", "LOW_FENCE", "HIGH_FENCE", "OUTLIERS", "EXAMPLE",
]  # fmt: skip


@dataclass(frozen=True)
class ColumnFacts:
    """What one table's columns look like.

    rows: number of rows. complete: rows without any missing value (sparse optional columns not counted).
    statistics: one row per column, columns as in STATISTICS.
    values: column to a frame VALUE, ROWS with every distinct value, for the categorical columns that have at most
        CATEGORY_LIMIT of them.
    """

    rows: int
    complete: int
    statistics: pd.DataFrame
    values: dict[str, pd.DataFrame]


def measure_columns(table: Table, dataset: str) -> ColumnFacts:
    """Measure every column of one table.

    Args:
        table: any Ibis table.
        dataset: the dataset kind, for the DATASET column.

    Returns:
        Counts are exact, but in a table of more than EXACT_ROWS rows DISTINCT is an estimate (often 10 % off) where
        a column has more than CATEGORY_LIMIT values. Text of blanks only counts as missing, and so does NaN.
    """
    names = [
        name for name in table.columns if name not in SPARSE_COLUMNS + OPTIONAL_EVENT_COLUMNS + OPTIONAL_ACTION_COLUMNS
    ]
    exact = int(table.count().to_pandas()) <= EXACT_ROWS
    measures = {"rows": table.count(), "complete": _complete(table, names)}
    for position, name in enumerate(table.columns):
        measures |= {f"{position}_{what}": value for what, value in _measures(table[name], exact).items()}
    measured = table.aggregate(**measures).to_pandas().iloc[0].to_dict()
    rows = int(measured["rows"])
    records = [_record(table, dataset, position, name, measured, rows) for position, name in enumerate(table.columns)]
    statistics = pd.DataFrame(records, columns=STATISTICS)
    values = {}
    for row in statistics[statistics["ROLE"].isin(["category", "event type"])].itertuples():
        if row.DISTINCT <= CATEGORY_LIMIT:
            values[row.COLUMN] = _values(table, row.COLUMN)
    statistics["DISTINCT"] = [
        len(values[name]) if name in values else distinct
        for name, distinct in zip(statistics["COLUMN"], statistics["DISTINCT"], strict=True)
    ]
    return ColumnFacts(rows, int(measured["complete"] or 0), _with_outliers(table, statistics), values)


def is_missing(column: Value) -> Value:
    """Null, NaN, or text of blanks only."""
    if column.type().is_string():
        return column.isnull() | is_blank(column)
    if column.type().is_floating():
        return column.isnull() | column.isnan()
    return column.isnull()


def is_blank(text: StringValue) -> BooleanValue:
    """Whether a text holds blanks only; false for null."""
    # Blanks sort before "!", so only texts that begin with one need the slow strip; a case, unlike an "and", skips it.
    return (text < "!").ifelse(text.strip() == "", False)


def _complete(table: Table, names: list[str]) -> Value:
    if not names:
        return table.count()
    nothing_missing = ~is_missing(table[names[0]])
    for name in names[1:]:
        nothing_missing = nothing_missing & ~is_missing(table[name])
    return nothing_missing.cast("int64").sum()


def _measures(column: Value, exact: bool) -> dict[str, Value]:
    missing = is_missing(column)
    found = {"missing": missing.cast("int64").sum(), "distinct": column.nunique() if exact else column.approx_nunique()}
    found["example"] = column.arbitrary(where=~missing).cast("string")
    if column.type().is_numeric():
        filled = missing.ifelse(ibis.null(column.type()), column).cast("float64")
        found |= {"low": filled.min(), "high": filled.max(), "mean": filled.mean()}
        if column.get_name() not in TIME_COLUMNS:
            found["quartiles"] = filled.quantile([0.25, 0.5, 0.75])
    if column.type().is_string():
        found |= {"longest": column.length().max(), "length": column.length().mean()}
    return found


def _record(table: Table, dataset: str, position: int, name: str, measured: dict, rows: int) -> list[object]:
    def get(what: str) -> object:
        value = measured.get(f"{position}_{what}")
        return None if value is None or pd.isna(value) else value

    missing = int(get("missing") or 0)
    distinct = int(get("distinct") or 0)
    role = role_of(name, table[name].type(), distinct, rows - missing, float(get("length") or 0))
    missing_share = 100.0 * missing / rows if rows else 0.0
    quartiles = measured.get(f"{position}_quartiles")
    quartiles = [None] * 3 if quartiles is None or np.isnan(quartiles).all() else list(quartiles)
    numbers = [get("low"), *quartiles, get("high"), get("mean"), get("longest")]
    kind = str(table[name].type()).removeprefix("!")
    fences = [None, None, 0]
    example = get("example")
    return [dataset, name, kind, role, rows, missing, missing_share, distinct, *numbers, *fences, example]


def role_of(name: str, dtype: ibis.expr.datatypes.DataType, distinct: int, filled: int, length: float) -> str:
    """Say what a column is for.

    Args:
        name, dtype: of the column.
        distinct, filled: number of distinct values, number of rows with one.
        length: mean characters of a text column.

    Returns:
        "id", "time", "event type", "reference", "number", "boolean", "text" (free text), "label" (names its row,
        as a title does), "category" or "other".
    """
    if name in ID_COLUMNS:
        return "id"
    if name in TIME_COLUMNS:
        return "time"
    if name == c.EVENT_TYPE:
        return "event type"
    if name in SPARSE_COLUMNS:
        return "reference"
    if dtype.is_boolean():
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if not dtype.is_string():
        return "other"
    if length >= TEXT_LENGTH or not TEXT_WORDS.isdisjoint(name.upper().split("_")):
        return "text"
    named = not LABEL_WORDS.isdisjoint(name.upper().split("_"))
    if distinct > 30 and (named or 100.0 * distinct >= LABEL_SHARE * filled):
        return "label"
    return "category"


def _values(table: Table, name: str) -> pd.DataFrame:
    filled = table.filter(~is_missing(table[name]))
    counted = filled.group_by(VALUE=filled[name]).aggregate(ROWS=filled.count())
    return counted.order_by([ibis.desc("ROWS"), "VALUE"]).to_pandas()


def _with_outliers(table: Table, statistics: pd.DataFrame) -> pd.DataFrame:
    """Count values beyond the fences of each number column."""
    borders = {
        position: fences(float(row["LOWEST"]), float(row["Q1"]), float(row["MEDIAN"]), float(row["Q3"]))
        for position, row in statistics[statistics["ROLE"] == "number"].dropna(subset=["Q1", "Q3"]).iterrows()
    }
    borders = {position: ends for position, ends in borders.items() if ends}
    counts = {}
    for position, (low, high) in borders.items():
        column = table[statistics.at[position, "COLUMN"]]
        counts[str(position)] = (((column < low) | (column > high)) & ~is_missing(column)).cast("int64").sum()
    found = table.aggregate(**counts).to_pandas().iloc[0].to_dict() if counts else {}
    return statistics.assign(
        LOW_FENCE=[borders.get(position, (np.nan, np.nan))[0] for position in statistics.index],
        HIGH_FENCE=[borders.get(position, (np.nan, np.nan))[1] for position in statistics.index],
        OUTLIERS=[int(found.get(str(position), 0)) for position in statistics.index],
    )


def fences(lowest: float, q1: float, median: float, q3: float) -> tuple[float, float] | None:
    """Tukey's outer fences, three interquartile ranges from the middle half; None when that half has no width.

    A positive column whose middle half leans to the right by more than LEAN (Bowley's skewness), and less so on a
    logarithmic scale, is judged there: prices and incomes are far apart by ratio, not by difference.
    """
    if q3 <= q1:
        return None
    lean = _lean(q1, median, q3)
    if lowest > 0 and lean > LEAN and abs(_lean(*np.log([q1, median, q3]))) < lean:
        return float(q1 * (q1 / q3) ** FENCE), float(q3 * (q3 / q1) ** FENCE)
    return q1 - FENCE * (q3 - q1), q3 + FENCE * (q3 - q1)


def _lean(q1: float, median: float, q3: float) -> float:
    return (q1 + q3 - 2 * median) / (q3 - q1)
