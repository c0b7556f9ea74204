"""DuckDB functions that Ibis has no method for, declared once."""

import html

import ibis
import pyarrow as pa


@ibis.udf.scalar.builtin
def try_strptime(text: str, pattern: str) -> ibis.dtype("timestamp"):
    """Read a time by a pattern; null where it does not fit."""


@ibis.udf.scalar.builtin(name="epoch")
def epoch_of_zoned(moment: ibis.dtype("timestamp('UTC')")) -> float:
    """Seconds since 1970-01-01 of a moment with a time zone."""


@ibis.udf.scalar.builtin(name="timezone")
def at_timezone(zone: str, moment: ibis.dtype("timestamp")) -> ibis.dtype("timestamp('UTC')"):
    """Take a wall-clock time as that of a zone."""


@ibis.udf.scalar.builtin(name="timezone")
def to_timezone(zone: str, moment: ibis.dtype("timestamp('UTC')")) -> ibis.dtype("timestamp"):
    """Give the wall-clock time of a zone at a moment."""


@ibis.udf.scalar.builtin(name="to_timestamp")
def from_epoch(seconds: float) -> ibis.dtype("timestamp('UTC')"):
    """Turn seconds since 1970-01-01 into a moment."""


@ibis.udf.scalar.builtin
def md5_number_lower(text: str) -> ibis.dtype("uint64"):
    """64 bits of the MD5 sum: the same on every machine and in every version, unlike DuckDB's own hash."""


@ibis.udf.scalar.pyarrow
def unescape(text: str) -> str:
    """Turn HTML entities such as &amp;amp; into the characters they stand for."""
    return pa.array([None if value is None else html.unescape(value) for value in text.to_pylist()], pa.string())
