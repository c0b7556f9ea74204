"""JSON lines (or one JSON list of objects), every value as text until its type is recognised."""

import json
from pathlib import Path

from workbench.data.connection import create_view, literal, query
from workbench.data.readers.files import FoundFiles
from workbench.data.readers.raw_table import RawTable, check_names
from workbench.data.readers.unpacking import as_utf8, compression, open_bytes, reader_compression, unpacked
from workbench.errors import SourceError

MOST_KEYS = 1_000


def read_json(found: FoundFiles, encoding: str | None) -> RawTable:
    """Open JSON files as one table; a key that only some objects have is missing in the others.

    Raises:
        SourceError: not JSON objects, or keys that differ only in upper and lower case.
    """
    import duckdb

    files = [as_utf8(each, encoding)[0] for each in found.files]
    files = [unpacked(each) if compression(each) in (".zip", ".bz2", ".xz") else each for each in files]
    how = f"{literal([str(each) for each in files])}, format = {literal(_kind(files[0]))}"
    how += reader_compression(files)
    try:
        keys = _keys(f"read_json_objects({how})")
    except (duckdb.Error, ValueError) as error:
        raise _fault(files, error) from error
    if not keys:
        raise SourceError(f'{found.name}: no JSON objects with keys, such as {{"USER_ID": "1"}}, one a line.')
    check_names(keys, found.name, "Rename one of the keys where the file is made.")
    columns = ", ".join(f"{literal(key)}: 'VARCHAR'" for key in keys)
    view = create_view(f"SELECT * FROM read_json({how}, columns = {{{columns}}})")

    def mend(error: Exception) -> RawTable:
        raise _fault(files, error) from error

    return RawTable(view, found.name, True, notes=list(found.notes), mend=mend)


def _kind(file: Path) -> str:
    with open_bytes(file) as stream:
        start = stream.read(4096).lstrip(b"\xef\xbb\xbf \r\n\t")
    if not start:
        raise SourceError(f"{file.name}: the file is empty. Export it again.")
    return "array" if start.startswith(b"[") else "newline_delimited"


def _keys(relation: str) -> list[str]:
    """Every key of the top-level objects, the first object's keys first."""
    first = query(f"SELECT json_keys(json) FROM {relation} LIMIT 1")
    keys = "CASE WHEN json_type(json) = 'OBJECT' THEN json_keys(json) ELSE [NULL] END"
    every = query(f"SELECT DISTINCT unnest({keys}) FROM {relation} LIMIT {MOST_KEYS + 1}")
    if len(every) > MOST_KEYS:
        raise SourceError(f"more than {MOST_KEYS:,} different keys: ids seem to be used as keys; put them in values.")
    if (None,) in every:
        raise ValueError("a record is no JSON object")
    known = dict.fromkeys(first[0][0]) if first else {}
    return [*known, *sorted(key for (key,) in every if key not in known)]


def _fault(files: list[Path], error: Exception) -> SourceError:
    """Name the first line that is no JSON object."""
    for file in files:
        with open_bytes(file) as stream:
            for number, line in enumerate(stream, start=1):
                try:
                    good = not line.strip() or isinstance(json.loads(line), dict)
                except ValueError as fault:
                    return _wrong_line(file, number, f"is no JSON ({str(fault).split(':')[0]})", line)
                if not good:
                    return _wrong_line(file, number, "is no JSON object", line)
    return SourceError(f"{files[0].name}: cannot be read as JSON: {' '.join(str(error).split())[:300]}")


def _wrong_line(file: Path, number: int, what: str, line: bytes) -> SourceError:
    shown = line.decode("utf-8", errors="replace").strip()[:80]
    return SourceError(
        f"{file.name}: line {number:,} {what}: {shown!r}. Every line needs one whole object, such as "
        '{"USER_ID": "1"}: mend or remove that line, or export the file again.'
    )
