"""Time formats that can be told from the text alone, each as SQL: does a value fit, and which second is it?

Day/month/year is left out on purpose: 03/04/2024 is two different days, so the reader has to say which.
"""

from dataclasses import dataclass

from workbench.data.connection import literal, query
from workbench.data.readers.options import EPOCH_UNITS
from workbench.errors import SourceError, nearest

DATE = r" *\d{4}[-/]\d{1,2}[-/]\d{1,2}"
CLOCK = r"[T ]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)? *"
ZONE = r" ?(Z|UTC|[+-]\d{2}(:?\d{2})?) *"
DAY_FIRST = r" *\d{1,2}[./-]\d{1,2}[./-](\d{2}|\d{4})([T ,].*)?"
DECIMAL = r" *[+-]?\d+(\.\d*)?([eE][+]?\d+)? *"

# The smallest absolute value of each unit. 1e11 seconds is the year 5138; 1e11 milliseconds is March 1973.
SMALLEST = {"seconds": 0.0, "milliseconds": 1e11, "microseconds": 1e14, "nanoseconds": 1e17}


@dataclass(frozen=True)
class TimeFormat:
    """One way to write a time. `{v}` stands for the text, `{zone}` for the zone of times without one."""

    label: str
    fits: str
    epoch: str

    def fits_sql(self, value: str) -> str:
        """SQL truth value: is `value` written this way? Never null."""
        return f"coalesce({self.fits.replace('{v}', value)}, false)"

    def epoch_sql(self, value: str, zone: str) -> str:
        """SQL for the whole second since 1970 that `value` falls into."""
        return self.epoch.replace("{v}", value).replace("{zone}", literal(zone))


def _shape(pattern: str) -> str:
    return f"regexp_full_match({{v}}, {literal(pattern)})"


def _floor(moment: str) -> str:
    return f"CAST(floor(epoch({moment})) AS BIGINT)"


def _divided(unit: str) -> str:
    size = EPOCH_UNITS[unit]
    # DuckDB's // cuts towards zero; times before 1970 have to go down.
    whole = "TRY_CAST({v} AS BIGINT)"
    return f"({whole} - (({whole} % {size} + {size}) % {size})) // {size}"


def _in_range(unit: str) -> str:
    """Whether a number can be of this unit; 0 can be of each."""
    size = "abs(TRY_CAST({v} AS DOUBLE))"
    above = SMALLEST[unit] * 1000 or SMALLEST["milliseconds"]
    upper = f" AND {size} < {above}" if unit != "nanoseconds" else ""
    return f"({size} = 0 OR ({size} >= {SMALLEST[unit]}{upper}))"


# Exactly the digits of a whole number; the slower trim only where the plain comparison fails.
WHOLE = (
    "CASE WHEN TRY_CAST({v} AS BIGINT)::VARCHAR = {v} THEN true ELSE TRY_CAST({v} AS BIGINT)::VARCHAR = trim({v}) END"
)
NAIVE = "timezone({zone}, TRY_CAST({v} AS TIMESTAMP))"


def _label(unit: str) -> str:
    size = EPOCH_UNITS[unit]
    return f"{unit} since 1970" + ("" if size == 1 else f", divided by {size}")


EPOCH_FORMATS = {
    unit: TimeFormat(_label(unit), f"({WHOLE}) AND {_in_range(unit)}", _divided(unit)) for unit in EPOCH_UNITS
}
DECIMAL_FORMATS = {
    f"decimal {unit}": TimeFormat(
        f"{_label(unit)}, fractions dropped",
        f"{_shape(DECIMAL)} AND {_in_range(unit)}",
        f"CAST(floor(TRY_CAST({{v}} AS DOUBLE) / {size}) AS BIGINT)",
    )
    for unit, size in EPOCH_UNITS.items()
}
TEXT_FORMATS = {
    "iso date": TimeFormat(
        "ISO dates, each taken as midnight {zone}",
        f"{_shape(DATE + ' *')} AND TRY_CAST({{v}} AS DATE) IS NOT NULL",
        _floor(NAIVE),
    ),
    "iso": TimeFormat(
        "ISO text without a zone, taken as {zone}",
        f"{_shape(DATE + CLOCK)} AND TRY_CAST({{v}} AS TIMESTAMP) IS NOT NULL",
        _floor(NAIVE),
    ),
    "iso zoned": TimeFormat(
        "ISO text with a zone, turned into UTC",
        f"{_shape(DATE + CLOCK + ZONE)} AND TRY_CAST({{v}} AS TIMESTAMPTZ) IS NOT NULL",
        _floor("TRY_CAST({v} AS TIMESTAMPTZ)"),
    ),
}
RECOGNISED = EPOCH_FORMATS | DECIMAL_FORMATS | TEXT_FORMATS  # of those that fit all values, the first is taken


def given_format(text: str) -> TimeFormat:
    """The format that a caller named: an epoch unit, "iso", or a pattern for strptime.

    An epoch unit that is given, not recognised, accepts every whole number.
    """
    if text in EPOCH_UNITS:
        unit = EPOCH_FORMATS[text]
        return TimeFormat(f"{unit.label} (as given)", WHOLE, unit.epoch)
    if text == "iso":
        moment = f"CASE WHEN {_shape(DATE + CLOCK + ZONE)} THEN TRY_CAST({{v}} AS TIMESTAMPTZ) ELSE {NAIVE} END"
        return TimeFormat("ISO text (as given)", "TRY_CAST({v} AS TIMESTAMP) IS NOT NULL", _floor(moment))
    _check_pattern(text)
    parsed = f"try_strptime(trim({{v}}), {literal(text)})"
    moment = parsed if "%z" in text or "%Z" in text else f"timezone({{zone}}, {parsed})"
    return TimeFormat(f"{text} (as given)", f"{parsed} IS NOT NULL", _floor(moment))


def _check_pattern(text: str) -> None:
    import duckdb

    names = [*EPOCH_UNITS, "iso", "%d/%m/%Y %H:%M"]
    if "%" not in text:
        raise SourceError(f"options time_format: {text!r} is neither a unit nor a pattern.{nearest(text, names)}")
    try:
        query(f"SELECT try_strptime('', {literal(text)})")
    except duckdb.Error as error:
        cause = " ".join(str(error).split())[:200]
        raise SourceError(f"options time_format: the pattern {text!r} cannot be read: {cause}") from error
