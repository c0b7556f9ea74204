"""The flow steps that findings propose, in one place: change a step's name or option here only."""

from collections.abc import Mapping, Sequence
from typing import Any

from workbench.columns import TIMESTAMP

Step = dict[str, Any]

# Checks in the order in which their mends do not disturb each other: units and ids, rows, values, columns.
ORDER = (
    ("milliseconds", "blanks_in_ids"),
    ("missing_ids", "nobody", "future_times", "ancient_times"),
    ("event_types", "event_type_spelling"),
    ("duplicate_events", "duplicate_ids", "twin_events"),
    ("bots", "unknown_items", "unknown_users", "unknown_actions", "history_cut_off"),
    ("multi_value_separator", "markup"),
    ("inconsistent_naming", "too_many_categories", "words_for_nothing"),
    ("outliers",),
    ("missing_values",),
    ("missing_columns", "constant_columns", "columns_made_of_events"),
)


def place(check: str) -> int:
    """Where a check's mend stands in a flow of mends."""
    return next(number for number, names in enumerate(ORDER) if check in names)


def sql(query: str, why: str) -> Step:
    """Anything a SELECT over `this` can say."""
    return {"step": "sql", "query": query, "why": why}


def to_seconds(column: str) -> Step:
    """Divide the times that are too large to be seconds by their unit, and leave the others alone."""
    name = quoted(column)
    parts = [(10**17, 10**9), (10**14, 10**6), (10**11, 10**3)]
    cases = " ".join(f"WHEN {name} >= {border} THEN {name} // {factor}" for border, factor in parts)
    query = f"SELECT * REPLACE (CASE {cases} ELSE {name} END AS {name}) FROM this"
    return sql(query, f"{column} in milliseconds or finer becomes seconds")


def drop_where(condition: str, why: str) -> Step:
    """Drop the rows for which a condition holds."""
    return {"step": "drop_where", "condition": condition, "why": why}


def drop_duplicates(why: str, by: Sequence[str] = (), keep: str = "first") -> Step:
    """Keep one row of equal ones."""
    return {"step": "drop_duplicates", "by": list(by), "keep": keep, "why": why}


def drop_missing(columns: Sequence[str], why: str) -> Step:
    """Drop rows without a value in one of the columns."""
    return {"step": "drop_missing", "columns": list(columns), "why": why}


def drop_columns(columns: Sequence[str], why: str) -> Step:
    """Drop columns."""
    return {"step": "drop_columns", "columns": list(columns), "why": why}


def drop_future(now: int) -> Step:
    """Drop rows later than `now`."""
    return {"step": "drop_future", "column": TIMESTAMP, "now": now, "why": "events cannot be newer than now"}


def strip_ids(columns: Sequence[str]) -> Step:
    """Take blanks off both ends of ids."""
    parts = ", ".join(f"trim({quoted(name)}) AS {quoted(name)}" for name in columns)
    return sql(f"SELECT * REPLACE ({parts}) FROM this", "ids without blanks around them")


def drop_ids(key: str, ids: Sequence[str], why: str) -> Step:
    """Drop every row with one of the ids."""
    return drop_where(f"{quoted(key)} IN ({', '.join(literal(each) for each in ids)})", why)


def keep_known(key: str, described: str) -> Step:
    """Keep the rows whose id the describing dataset has."""
    condition = f"{quoted(key)} IS NULL OR {quoted(key)} IN (SELECT {quoted(key)} FROM {described})"
    return {"step": "keep_where", "condition": condition, "why": f"only ids that the {described} table describes"}


def map_values(column: str, spellings: Mapping[str, str], why: str) -> Step:
    """Write values differently."""
    return {"step": "map_values", "column": column, "values": dict(spellings), "why": why}


def empty_values(column: str, values: Sequence[str]) -> Step:
    """Make the values that stand for nothing missing."""
    name, listed = quoted(column), ", ".join(literal(each) for each in values)
    query = f"SELECT * REPLACE (CASE WHEN {name} NOT IN ({listed}) THEN {name} END AS {name}) FROM this"
    return sql(query, f"words for nothing in {column} become missing")


def fill_missing(column: str, role: str) -> Step:
    """Fill numbers with their median, which outliers cannot move, and everything else with its commonest value."""
    how = "median" if role == "number" else "mode"
    return {"step": "fill_missing", "columns": {column: {"how": how}}, "why": f"{column} filled with its {how}"}


def cap_outliers(column: str, fence: float) -> Step:
    """Pull values beyond the outer fences back to them."""
    why = f"values of {column} more than {fence:g} interquartile ranges from the middle half"
    return {"step": "cap_outliers", "columns": [column], "method": "iqr", "high": fence, "why": why}


def cap_by_ratio(column: str, fence: float, whole: bool) -> Step:
    """The same with fences on a logarithmic scale, of the values that the flow finds when it gets there."""
    name, round_up, round_down = quoted(column), *(("ceil", "floor") if whole else ("", ""))
    kind = "BIGINT" if whole else "DOUBLE"
    low, high = f"{round_up}(q1 * pow(q1 / q3, {fence:g}))", f"{round_down}(q3 * pow(q3 / q1, {fence:g}))"
    query = (
        f"SELECT this.* REPLACE (CAST(CASE WHEN {name} < {low} THEN {low} WHEN {name} > {high} THEN {high} "
        f"ELSE {name} END AS {kind}) AS {name}) FROM this, (SELECT quantile_cont({name}, 0.25) AS q1, "
        f"quantile_cont({name}, 0.75) AS q3 FROM this) AS quartiles"
    )
    return sql(query, f"values of {column} beyond {fence:g} interquartile ranges of its logarithm capped there")


def clean_text(column: str) -> Step:
    """Take markup, entities and repeated blanks out of a text column."""
    return {"step": "clean_text", "columns": [column], "why": f"{column} without markup"}


def join_values(column: str, separator: str) -> Step:
    """Write several values in one field with the separator that every recipe splits at."""
    return {"step": "multi_values", "column": column, "separator": separator, "why": f"values of {column} joined by |"}


def map_event_types(spellings: Mapping[str, str]) -> Step:
    """Give event types one name each."""
    return {"step": "map_event_types", "types": dict(spellings), "why": "one name per event type"}


def quoted(name: str) -> str:
    """A column name in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str) -> str:
    """A text in SQL."""
    return "'" + value.replace("'", "''") + "'"
