"""Open any source as a lazy Ibis table: a file, a folder, a URL, a database, a frame in memory.

Types and time formats are recognised and reported, never guessed in silence; ids stay text, rows keep their order.
"""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from workbench.data.connection import connect, create_view, new_name, quoted
from workbench.data.raw_table import RawTable, check_names
from workbench.data.recognise import recognise
from workbench.data.source_options import SourceOptions, read_options
from workbench.data.text_files import read_text
from workbench.errors import SourceError, nearest

if TYPE_CHECKING:
    import ibis

__all__ = ["Source", "connect", "open_source"]


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


def open_source(source: Any, *, columns: dict[str, str] | None = None, options: dict[str, Any] | None = None) -> Source:
    """Open a source as an Ibis table without reading it into memory.

    Args:
        source: path, glob, folder, URL, database URL, pandas or Polars frame, Arrow table, Ibis table.
        columns: the source's column name to the name it shall have, for those that change.
            What becomes TIMESTAMP, CREATION_TIMESTAMP or EXPIRATION_TIMESTAMP is turned into epoch seconds;
            what becomes USER_ID, ITEM_ID or ACTION_ID stays text.
        options: how to read it where the content does not say; see `SourceOptions`.

    Returns:
        The table with a report of what was recognised.

    Raises:
        SourceError: it does not exist, cannot be read, or leaves open what must not be guessed.
    """
    checked = read_options(options)
    raw = _open(source, checked)
    names = _renamed(raw, columns or {})
    recognised, report = recognise(raw, names, checked)
    picked = ", ".join(f"{each.sql} AS {quoted(each.name)}" for each in recognised)
    view = create_view(f"SELECT {picked} FROM {quoted(raw.view)}")
    return Source(connect().table(view), report, raw.name, raw.notes)


def _open(source: Any, options: SourceOptions) -> RawTable:
    if isinstance(source, str | Path):
        path = Path(source)
        if not path.exists():
            raise SourceError(f"{path}: no such file.")
        if path.suffix == ".parquet":
            from workbench.data.connection import literal

            return RawTable(create_view(f"SELECT * FROM read_parquet({literal(str(path))})"), str(path), False)
        return read_text([path], str(path), options)
    return _in_memory(source)


def _in_memory(source: Any) -> RawTable:
    import ibis
    import pyarrow

    if isinstance(source, ibis.Table):
        source = source.to_pyarrow()
    if isinstance(source, pd.DataFrame):
        source = pyarrow.Table.from_pandas(source, preserve_index=False)
    if hasattr(source, "to_arrow"):
        source = source.to_arrow()
    name = new_name("memory")
    connect().con.register(name, source)
    return RawTable(name, "table in memory", False)


def _renamed(raw: RawTable, columns: dict[str, str]) -> dict[str, str]:
    present = list(raw.types())
    for name in columns:
        if name not in present:
            raise SourceError(f"{raw.name}: no column {name!r} to map to {columns[name]!r}.{nearest(name, present)}")
    names = {name: columns.get(name, name) for name in present}
    check_names(list(names.values()), f"{raw.name}, after mapping", "Map each name to one column only.")
    return names
