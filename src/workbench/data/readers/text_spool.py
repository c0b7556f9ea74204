"""Rows that arrive one after the other, written as text columns into a temporary Parquet file in small batches."""

import datetime
import json
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from workbench.data.connection import create_view, literal, new_name
from workbench.data.readers.raw_table import RawTable
from workbench.data.scratch import scratch
from workbench.errors import SourceError

BATCH_ROWS = 50_000


def spool(
    names: Sequence[str], rows: Iterable[Sequence[Any]], source: str, notes: list[str], progress: bool = False
) -> RawTable:
    """Write rows to disk as text, `BATCH_ROWS` at a time, and open them as a table.

    Args:
        names: column names.
        rows: one sequence of values a row, in order.
        source: what to call the source in messages.
        notes: what is known so far about the source.
        progress: show a bar that counts rows.
    """
    import pyarrow
    from pyarrow import parquet
    from tqdm.auto import tqdm

    schema = pyarrow.schema([(name, pyarrow.string()) for name in names])
    path = scratch() / f"{new_name('spool')}.parquet"
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        batch: list[Sequence[Any]] = []

        def flush(last: int) -> None:
            first = last - len(batch) + 1
            columns = [_text_column(values, source, first) for values in zip(*batch, strict=True)]
            writer.write_batch(pyarrow.record_batch(columns, schema=schema))
            batch.clear()

        for number, row in enumerate(tqdm(rows, desc=source, unit=" rows", disable=not progress), start=1):
            batch.append(row)
            if len(batch) == BATCH_ROWS:
                flush(number)
        if batch:
            flush(number)
    view = create_view(f"SELECT * FROM read_parquet({literal(str(path))})")
    return RawTable(view, source, True, notes=notes)


def _text_column(values: Sequence[Any], source: str, first: int) -> Any:
    """An Arrow column of text; text and whole numbers, the usual case, without a look at each value."""
    import pyarrow

    kinds = set(map(type, values)) - {type(None)}
    if kinds <= {str}:
        return pyarrow.array(values, pyarrow.string())
    if kinds == {int}:
        return pyarrow.array([None if value is None else str(value) for value in values], pyarrow.string())
    return pyarrow.array([as_text(value, source, first + n) for n, value in enumerate(values)], pyarrow.string())


def as_text(value: Any, source: str, row: int) -> str | None:
    """A value as the text that recognises back to it: ISO times, whole floats without decimals, true and false."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return None if value != value else str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
    if isinstance(value, datetime.date):  # a datetime is one too
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, bytes | bytearray | memoryview):
        raise SourceError(f"{source}: row {row:,} holds bytes. Leave that column out with options={{'query': …}}.")
    if isinstance(value, list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)
