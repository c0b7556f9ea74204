"""Open any source as a lazy Ibis table: a file, a folder, a URL, a database, a frame in memory.

Types and time formats are recognised and reported, never guessed in silence; ids stay text, rows keep their order.
"""

import errno
import lzma
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.data.connection import connect, create_view, quoted
from workbench.data.readers.column_files import read_arrow, read_parquet
from workbench.data.readers.databases import is_database, read_duckdb, read_sqlite, read_url
from workbench.data.readers.excel_files import read_excel
from workbench.data.readers.files import FoundFiles, find_files
from workbench.data.readers.json_files import read_json
from workbench.data.readers.memory_tables import read_memory
from workbench.data.readers.options import SourceOptions, read_options
from workbench.data.readers.raw_table import RawTable, check_names
from workbench.data.readers.remote_files import fetch, is_url, without_secrets
from workbench.data.readers.text_files import read_text
from workbench.data.readers.unpacking import unpacked
from workbench.data.recognition.columns import recognise
from workbench.data.scratch import scratch
from workbench.errors import SourceError, nearest

if TYPE_CHECKING:
    import ibis

__all__ = ["Source", "connect", "open_source"]


# What the readers of compressed files raise when one is damaged, cut off or not readable at all.
UNREADABLE = (OSError, EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile)


@dataclass(frozen=True)
class Source:
    """A source that is open."""

    table: "ibis.Table"
    """Lazy table on `connect()`, columns renamed and typed, rows in the source's order."""
    report: pd.DataFrame
    """One row a column: COLUMN, TYPE, RECOGNISED_AS, EXAMPLE, NOTE."""
    name: str
    """What to call it in messages."""
    notes: list[str] = field(default_factory=list)
    """What was recognised or done for the source as a whole."""


def open_source(
    source: Any, *, columns: dict[str, str] | None = None, options: dict[str, Any] | None = None, progress: bool = False
) -> Source:
    """Open a source as an Ibis table without reading it into memory.

    Args:
        source: path, glob, folder, URL, database URL, pandas or Polars frame, Arrow table, Ibis table.
        columns: the source's column name to the name it shall have, for those that change.
            What becomes TIMESTAMP, CREATION_TIMESTAMP or EXPIRATION_TIMESTAMP is turned into epoch seconds;
            what becomes USER_ID, ITEM_ID or ACTION_ID stays text.
        options: how to read it where the content does not say; see `SourceOptions`.
        progress: show a bar while rows or bytes are streamed to the disk (databases, Excel, URLs).

    Returns:
        The table with a report of what was recognised.

    Raises:
        SourceError: it does not exist, cannot be read, or leaves open what must not be guessed.
    """
    import duckdb

    checked = replace(read_options(options), progress=progress)
    try:
        raw = _open(source, checked)
    except (duckdb.Error, *UNREADABLE) as error:
        raise _unreadable(source, error) from error
    try:
        try:
            return _recognised(raw, columns or {}, checked)
        except duckdb.Error as error:
            if raw.mend is None:
                raise
            return _recognised(raw.mend(error), columns or {}, checked)
    except duckdb.Error as error:
        raise SourceError(f"{raw.name}: cannot be read: {' '.join(str(error).split())[:500]}") from error


def _open(source: Any, options: SourceOptions) -> RawTable:
    if not isinstance(source, str | Path):
        return read_memory(source)
    if isinstance(source, str) and is_database(source):
        return read_url(source, options)
    if isinstance(source, str) and is_url(source):
        shown = without_secrets(source)
        found = find_files(fetch(source, options.progress), options)
        return _read(replace(found, name=shown, notes=[*found.notes, "fetched into a temporary folder"]), options)
    return _read(find_files(source, options), options)


def _read(found: FoundFiles, options: SourceOptions) -> RawTable:
    if found.format in ("csv", "recbole"):
        return read_text(found, options)
    if found.format in ("duckdb", "sqlite"):
        if len(found.files) > 1:
            raise SourceError(f"{found.name}: databases are read one at a time. Name one of them.")
        read = {"duckdb": read_duckdb, "sqlite": read_sqlite}[found.format]
        return read(unpacked(found.files[0]), options)
    if found.format == "jsonl":
        return read_json(found, options.encoding)
    if found.format == "excel":
        return read_excel(found, options)
    return {"parquet": read_parquet, "arrow": read_arrow}[found.format](found)


def _recognised(raw: RawTable, columns: dict[str, str], options: SourceOptions) -> Source:
    names = _renamed(raw, columns)
    recognised, report = recognise(raw, names, options)
    picked = ", ".join(f"{each.sql} AS {quoted(each.name)}" for each in recognised)
    view = create_view(f"SELECT {picked} FROM {quoted(raw.view)}")
    return Source(connect().table(view), report, raw.name, raw.notes)


def _unreadable(source: Any, error: Exception) -> SourceError:
    shown = without_secrets(source) if isinstance(source, str) and is_url(source) else str(source)
    if getattr(error, "errno", None) == errno.ENOSPC:
        return SourceError(
            f"{shown}: the disk of the temporary folder {scratch()} is full. Free some room there, or let the "
            "environment variable TMPDIR name a folder with more."
        )
    return SourceError(f"{shown}: cannot be read ({error}). Fetch, pack or write it again.")


def _renamed(raw: RawTable, columns: dict[str, str]) -> dict[str, str]:
    present = list(raw.types())
    for name in columns:
        if name not in present:
            raise SourceError(f"{raw.name}: no column {name!r} to map to {columns[name]!r}.{nearest(name, present)}")
    names = {name: columns.get(name, name) for name in present}
    check_names(list(names.values()), f"{raw.name}, after mapping", "Map each name to one column only.")
    return names
