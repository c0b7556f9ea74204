"""Steps on time: parse it, drop what lies in the future, derive features and sessions."""

import time as clock
from datetime import UTC, datetime

import ibis
import ibis.expr.types as ir

from workbench.columns import MINUTE, ROW, TIMESTAMP, USER_ID
from workbench.data.steps.columns import INVALID, convert
from workbench.data.steps.functions import at_timezone, epoch_of_zoned, from_epoch, to_timezone, try_strptime
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, as_text, differ, need, texts
from workbench.data.wall_clock import DAYTIMES, FEATURES, SEASONS, WEEKDAYS, zone
from workbench.errors import FlowError

UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}
ZONE = Option("timezone", (str,), "Time zone of wall-clock times, such as `Europe/Berlin`.", "UTC")


@step(
    "parse_time",
    "Turns a time column into whole seconds since 1970-01-01 UTC.",
    [
        Option("column", (str,), "The column to read."),
        Option(
            "format",
            (str,),
            "`seconds`, `milliseconds`, `microseconds`, `nanoseconds`, `iso` (ISO 8601 text, an offset wins over "
            "`timezone`; dates too), or a strptime pattern such as `%d.%m.%Y %H:%M`.",
        ),
        ZONE,
        Option("to", (str,), "Name of the resulting column; the old one goes.", TIMESTAMP),
        INVALID,
    ],
    {"column": "wann", "format": "%d.%m.%Y %H:%M", "timezone": "Europe/Berlin"},
    heavy=True,
)
def parse_time(
    work: Work, table: ir.Table, *, column: str, format: str, timezone: str, to: str, invalid: str
) -> Outcome:
    """Parse times; fractions of a second are cut off towards the past."""
    need(table, column)
    _zone(timezone)
    if to != column and to in table.columns:
        raise FlowError(f"the table already has a column {to!r}; drop or rename it first, or set 'to'.")
    seconds = _seconds(table[column], format, timezone).floor().try_cast("int64")
    outcome = convert(work, table, {column: seconds}, invalid, f"read as {format}, time zone {timezone}")
    parsed = outcome.table
    changed = (
        work.numbers(parsed, n=parsed[column].count())["n"]
        if not table[column].type().is_integer()
        else (work.numbers(table, n=differ(seconds, table[column]))["n"])
    )
    if to != column:
        parsed = parsed.rename({to: column})
    return Outcome(parsed, changed, outcome.detail)


def _seconds(column: ir.Column, format: str, zone: str) -> ir.FloatingColumn:
    """Seconds since 1970-01-01 UTC of a column in one of the formats."""
    if format in UNITS:
        if column.type().is_temporal():
            raise FlowError(f"the column holds {column.type()} values, not {format}; use format 'iso'.")
        return column.try_cast("float64") / UNITS[format]
    if column.type().is_timestamp() and column.type().timezone:
        return epoch_of_zoned(column)
    if column.type().is_temporal():
        return epoch_of_zoned(at_timezone(zone, column.cast("timestamp")))
    text = as_text(column).strip()
    if format == "iso":
        offset = text.re_search(r"\d[T ]\d.*([zZ]|[+-]\d{2}(:?\d{2})?)$")
        local = epoch_of_zoned(at_timezone(zone, text.try_cast("timestamp")))
        return offset.ifelse(epoch_of_zoned(text.try_cast("timestamp('UTC')")), local)
    if "%" not in format:
        raise FlowError(
            f"unknown time format {format!r}. Known: {', '.join(UNITS)}, iso, or a strptime pattern with %."
        )
    return epoch_of_zoned(at_timezone("UTC" if "%z" in format else zone, try_strptime(text, format)))


def _zone(name: str) -> None:
    try:
        zone(name)
    except ValueError as error:
        raise FlowError(str(error)) from error


@step(
    "drop_future",
    "Drops rows whose time lies in the future.",
    [
        Option("column", (str,), "Time column, in seconds.", TIMESTAMP),
        Option("now", (int, str), "What counts as now: seconds or ISO text; left out, the clock's time.", None),
        Option("tolerance", (int,), "Seconds beyond now that still pass, for clocks that run ahead.", 0),
    ],
    {"now": "2026-01-01T00:00:00Z", "tolerance": 60},
)
def drop_future(work: Work, table: ir.Table, *, column: str, now: int | str | None, tolerance: int) -> Outcome:
    """Drop future rows; the moment used goes into the record, so that the run can be repeated."""
    need(table, column)
    moment = int(clock.time()) if now is None else _moment(now)
    said = datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M:%S")
    kept = table.filter(table[column].isnull() | (table[column] <= moment + tolerance))
    return Outcome(kept, 0, f"now = {moment} ({said} UTC), {tolerance} s tolerated")


def _moment(now: int | str) -> int:
    if isinstance(now, int):
        return now
    try:
        moment = datetime.fromisoformat(now)
    except ValueError as error:
        raise FlowError(f"option 'now' must be seconds or ISO text, got {now!r}.") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


@step(
    "time_features",
    f"Derives columns from the time: {', '.join(FEATURES)}.",
    [
        Option("features", (list,), f"Which of {', '.join(FEATURES)}; each becomes a column in capitals."),
        Option("column", (str,), "Time column, in seconds.", TIMESTAMP),
        ZONE,
        Option("southern", (bool,), "Seasons of the southern half of the earth.", False),
        Option("prefix", (str,), "Put before the new columns' names.", ""),
    ],
    {"features": ["hour", "weekday", "season"], "timezone": "Europe/Berlin"},
    keeps_rows=True,
)
def time_features(
    work: Work, table: ir.Table, *, features: list[str], column: str, timezone: str, southern: bool, prefix: str
) -> Outcome:
    """Derive wall-clock features in the given zone; weekday, season and daytime are words, weekend is true or false."""
    need(table, column)
    _zone(timezone)
    unknown = [name for name in texts(features, "option 'features'") if name not in FEATURES]
    if unknown:
        raise FlowError(f"unknown feature(s) {unknown}. Known: {', '.join(FEATURES)}.")
    local = to_timezone(timezone, from_epoch(table[column].cast("float64")))
    weekday = local.day_of_week.index()  # 0 is Monday
    quarter = ((local.month() + (6 if southern else 0)) % 12 // 3).cast("int64")
    made = {
        "hour": local.hour().cast("int64"),
        "weekday": ibis.array(list(WEEKDAYS))[weekday],
        "weekend": weekday >= 5,
        "day": local.day().cast("int64"),
        "month": local.month().cast("int64"),
        "season": ibis.array(list(SEASONS))[quarter],
        "year": local.year().cast("int64"),
        "daytime": ibis.array(list(DAYTIMES))[(local.hour() // 6).cast("int64")],
    }
    return Outcome(table.mutate(**{f"{prefix}{name.upper()}": made[name] for name in features}))


@step(
    "sessions",
    "Numbers each user's sessions: a pause longer than the gap starts a new one.",
    [
        Option("gap_minutes", (float,), "A pause longer than this starts a new session.", 30),
        Option("user", (str,), "User column.", USER_ID),
        Option("time", (str,), "Time column, in seconds.", TIMESTAMP),
    ],
    {"gap_minutes": 30},
    keeps_rows=True,
    heavy=True,
)
def sessions(work: Work, table: ir.Table, *, gap_minutes: float, user: str, time: str) -> Outcome:
    """Add SESSION_ID (user, hyphen, number from 1) and SESSION_POSITION (from 1, ties in file order)."""
    need(table, user, time)
    if gap_minutes <= 0:
        raise FlowError(f"option 'gap_minutes' must be above 0, got {gap_minutes}.")
    order = [table[time], table[ROW]]
    by_user = ibis.window(group_by=table[user], order_by=order)
    pause = table[time] - table[time].lag().over(by_user)
    marked = table.mutate(_START=(pause.isnull() | (pause > gap_minutes * MINUTE)).cast("int64"))
    running = ibis.cumulative_window(group_by=marked[user], order_by=[marked[time], marked[ROW]])
    numbered = marked.mutate(_SESSION=marked["_START"].sum().over(running).cast("int64"))
    in_session = ibis.window(group_by=[numbered[user], numbered["_SESSION"]], order_by=[numbered[time], numbered[ROW]])
    done = numbered.mutate(
        SESSION_ID=as_text(numbered[user]) + "-" + numbered["_SESSION"].cast("string"),
        SESSION_POSITION=(ibis.row_number().over(in_session) + 1).cast("int64"),
    )
    stored = work.store(done.drop("_START", "_SESSION"))
    found = work.numbers(stored, n=stored["SESSION_ID"].nunique())["n"]
    return Outcome(stored, 0, f"{found:,} sessions")
