"""What a caller may say about a source, checked by name and type before anything is read."""

import difflib
import zoneinfo
from dataclasses import dataclass, field, fields
from typing import Any

from workbench.errors import SourceError, nearest

TYPES = ("text", "integer", "number", "boolean", "time")
EPOCH_UNITS = {"seconds": 1, "milliseconds": 1_000, "microseconds": 1_000_000, "nanoseconds": 1_000_000_000}


@dataclass(frozen=True)
class SourceOptions:
    """How to read a source where its content alone does not say, or says it wrongly."""

    format: str | None = None
    """csv, jsonl, parquet, excel …, for a file whose ending does not say it."""
    delimiter: str | None = None
    """What stands between the fields of a text file; found from the first rows when not given."""
    quote: str = '"'
    """What surrounds a field that contains the delimiter; '' for none."""
    encoding: str | None = None
    """Of a text file that is not UTF-8: latin-1, cp1252, utf-16 …"""
    header: bool = True
    """Whether the first row holds the column names."""
    names: list = field(default_factory=list)
    """Column names, instead of the file's own."""
    missing: list = field(default_factory=list)
    """Words that mean "no value" in columns that are not ids, such as NA; an empty field always does."""
    decimal: str = "."
    """Decimal mark of numbers."""
    types: dict = field(default_factory=dict)
    """Column name to text, integer, number, boolean or time, against what would be recognised."""
    time_format: str | dict | None = None
    """seconds, milliseconds, microseconds, nanoseconds, iso, or a pattern such as %d/%m/%Y; or column name to one."""
    timezone: str = "UTC"
    """Zone of times that carry none."""
    bad_times: str = "error"
    """error, or missing: unreadable times become empty and are counted in the report."""
    sheet: str | None = None
    """Sheet of a workbook with several."""
    table: str | None = None
    """Table of a database."""
    query: str | None = None
    """SELECT to run in a database."""
    progress: bool = False
    """Show a bar while rows or bytes are streamed to the disk."""


def read_options(options: dict[str, Any] | None) -> SourceOptions:
    """Check a dict of options.

    Raises:
        SourceError: an unknown option, a value of the wrong type, or one that is not among the choices.
    """
    known = {each.name: each for each in fields(SourceOptions)}
    for name, value in (options or {}).items():
        if name not in known:
            raise SourceError(f"{name!r} is not an option of a source.{nearest(name, known)}")
        if not isinstance(value, known[name].type):
            wanted = str(getattr(known[name].type, "__name__", known[name].type)).replace(" | None", "")
            raise SourceError(f"option {name!r} must be {wanted}, not {value!r}.")
    checked = SourceOptions(**(options or {}))
    for column, type_name in checked.types.items():
        if type_name not in TYPES:
            raise SourceError(f"options types: {column!r} cannot be {type_name!r}.{nearest(type_name, TYPES)}")
    if checked.bad_times not in ("error", "missing"):
        raise SourceError(f"options bad_times is 'error' or 'missing', not {checked.bad_times!r}.")
    if checked.timezone not in zoneinfo.available_timezones():
        zones = difflib.get_close_matches(checked.timezone, zoneinfo.available_timezones(), n=3)
        hint = f" Did you mean {' or '.join(zones)}?" if zones else ""
        raise SourceError(f"options timezone: {checked.timezone!r} is no time zone, such as Europe/Berlin.{hint}")
    if checked.table and checked.query:
        raise SourceError("options: give either 'table' or 'query', not both.")
    return checked
