"""Reads CSV and Parquet row by row, as what JSON Lines would say, from any row on."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.errors import BatchError, meant, nearest
from workbench.serving.batch_formats import FILTER_VALUES, ITEM_LIST, NEEDED, LineError, document_of
from workbench.serving.batch_records import BOM, LONGEST, Position, Record

AT_ONCE = 4_096  # rows of a Parquet file
LIST_MARK = "|"


def check_csv(path: Path, kind: str) -> None:
    """Refuse a CSV file whose header does not suit the kind of lines."""
    with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
        _check_columns(path, next(csv.reader(file), []), kind)


def _check_columns(path: Path, columns: list[str], kind: str) -> None:
    known = (*NEEDED[kind], FILTER_VALUES)
    for name in NEEDED[kind]:
        if name not in columns:
            raise BatchError(
                f"{path} has no column {name!r}, which kind {kind!r} needs.{nearest(name, columns)} Rename or add it."
            )
    for name in columns:
        if name not in known:
            raise BatchError(
                f"{path} has a column {name!r}; kind {kind!r} reads {', '.join(known)}.{meant(name, known)} "
                "Leave it out or rename it."
            )
    if len(set(columns)) < len(columns):
        raise BatchError(f"{path} names a column twice: {', '.join(columns)}. Name each once.")


def check_parquet(path: Path, kind: str) -> None:
    """Refuse a Parquet file whose columns do not suit the kind of lines."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        schema = pq.read_schema(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise BatchError(f"{path} cannot be read as Parquet: {error}. Write it again.") from error
    _check_columns(path, schema.names, kind)
    for field in schema:
        type_ = field.type.value_type if isinstance(field.type, pa.DictionaryType) else field.type
        listed = isinstance(type_, pa.ListType | pa.LargeListType) and field.name == ITEM_LIST
        type_ = type_.value_type if listed else type_
        if not (pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)):
            raise BatchError(
                f"Column {field.name!r} of {path} is {field.type}; it must be text"
                f"{' or a list of texts' if field.name == ITEM_LIST else ''}. Write ids as text."
            )


def csv_rows(path: Path, begin: Position) -> Iterator[Record]:
    """The rows of a CSV file; from a place on, the rows before it are read over."""
    with path.open("rb") as file:
        rows = csv.reader(_decoded(file))
        header = next(rows)
        count, line = 0, rows.line_num
        while True:
            problem, values = "", []
            try:
                values = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                problem = f"The row cannot be read as CSV: {error}. Mend it; a quote may be open."
            number, line, count = line + 1, rows.line_num, count + 1
            if count <= begin.records:
                continue
            text, document = ",".join(values), None
            if values and not problem:
                problem = _row_problem(header, values)
                if not problem:
                    document, text, problem = _document(dict(zip(header, values, strict=True)))
            yield Record(number, _shown(text), document, problem, Position(begin.file, count, file.tell()))


def _decoded(file: Any) -> Iterator[str]:
    """Lines of text; bytes that are no UTF-8 become lone surrogates, which `_row_problem` finds."""
    first = True
    while line := file.readline(LONGEST):
        if first:
            line, first = line.removeprefix(BOM), False
        yield line.decode(errors="surrogateescape").replace("\0", "\ufffd")


def _row_problem(header: list[str], values: list[str]) -> str:
    if len(values) != len(header):
        return (
            f"The row has {len(values)} cells; the header names {len(header)}: {', '.join(header)}. "
            "Mend it; a cell that holds a comma needs quotes."
        )
    if any("\udc80" <= sign <= "\udcff" for value in values if not value.isascii() for sign in value):
        return "The row is no UTF-8; an input is UTF-8. Save it as UTF-8."
    return ""


def _shown(text: str) -> str:
    return text if text.isascii() else text.encode(errors="replace").decode()


def parquet_rows(path: Path, begin: Position) -> Iterator[Record]:
    """The rows of a Parquet file; bytes are the file's, shared out evenly among its rows."""
    import pyarrow.parquet as pq

    size = path.stat().st_size
    with pq.ParquetFile(path) as file:
        total, number = max(1, file.metadata.num_rows), 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            if number + rows <= begin.records:
                number += rows
                continue
            for batch in file.iter_batches(AT_ONCE, row_groups=[group]):
                if number + len(batch) <= begin.records:
                    number += len(batch)
                    continue
                for row in batch.to_pylist():
                    number += 1
                    if number <= begin.records:
                        continue
                    document, text, problem = _document(row)
                    after = Position(begin.file, number, size * number // total)
                    yield Record(number, text, document, problem, after)


def _document(row: dict[str, Any]) -> tuple[dict[str, Any] | None, str, str]:
    """A table's row as what a JSON line says, the line, and why it cannot be read."""
    found = dict(row)
    if isinstance(found.get(ITEM_LIST), str):
        found[ITEM_LIST] = found[ITEM_LIST].split(LIST_MARK) if found[ITEM_LIST] else []
    values = found.pop(FILTER_VALUES, None)
    if values:
        try:
            found[FILTER_VALUES] = document_of(values)
        except LineError as error:
            problem = f"{FILTER_VALUES} is {values!r:.60}: {error}"
            return None, json.dumps(row, ensure_ascii=False), problem
    return found, json.dumps(found, ensure_ascii=False, separators=(",", ":")), ""
