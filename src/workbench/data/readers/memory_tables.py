"""Tables that are in memory already: pandas, Polars, Arrow and Ibis."""

from typing import Any

import pandas as pd

from workbench.data.connection import connect, create_view, literal, new_name
from workbench.data.readers.raw_table import RawTable, check_names
from workbench.data.scratch import scratch
from workbench.errors import SourceError

RENAME = "Rename one of them before handing the table over."


def read_memory(source: Any) -> RawTable:
    """Open a frame or table in memory without copying it where that is possible; it is never changed.

    Raises:
        SourceError: no such kind of table, double names, or a column that mixes types.
    """
    import ibis
    import pyarrow

    if isinstance(source, ibis.Table):
        return _ibis(source)
    if isinstance(source, pd.DataFrame):
        source = _pandas(source)
    elif type(source).__module__.startswith("polars") and hasattr(source, "lazy"):
        source = source.lazy().collect().to_arrow()
    if not isinstance(source, pyarrow.Table | pyarrow.RecordBatchReader | pyarrow.RecordBatch):
        raise SourceError(
            f"cannot open a {type(source).__module__}.{type(source).__name__}. Give a path, a URL, or a pandas, "
            "Polars, Arrow or Ibis table."
        )
    if isinstance(source, pyarrow.RecordBatchReader):  # can be read only once
        return _spooled(source, "Arrow stream")
    check_names(source.schema.names, "table in memory", RENAME)
    name = new_name("memory")
    connect().con.register(name, source)
    return RawTable(name, "table in memory", False)


def _pandas(frame: pd.DataFrame) -> Any:
    import pyarrow

    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()
    frame = frame.rename(columns=str)
    check_names(list(frame.columns), "pandas frame", RENAME)
    try:
        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    except (pyarrow.ArrowException, TypeError, ValueError) as error:
        raise SourceError(
            f"pandas frame: a column mixes types ({' '.join(str(each) for each in error.args)}). "
            "Turn it into one type first, such as frame['USER_ID'].astype(str)."
        ) from error


def _ibis(table: Any) -> RawTable:
    check_names(table.columns, "Ibis table", RENAME)
    backends = table.get_backend() if _has_backend(table) else connect()
    if backends is connect():
        name = connect().create_view(new_name("ibis"), table).get_name()
        return RawTable(name, "Ibis table", False)
    return _spooled(table.to_pyarrow_batches(), "Ibis table")


def _has_backend(table: Any) -> bool:
    import ibis

    try:
        table.get_backend()
    except ibis.common.exceptions.IbisError:
        return False  # a memtable belongs to none
    return True


def _spooled(batches: Any, source: str) -> RawTable:
    from pyarrow import parquet

    path = scratch() / f"{new_name('stream')}.parquet"
    with parquet.ParquetWriter(path, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
    check_names(batches.schema.names, source, RENAME)
    return RawTable(create_view(f"SELECT * FROM read_parquet({literal(str(path))})"), source, False)
