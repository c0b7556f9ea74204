"""When the fast reader refuses a text file: find the row at fault, or rewrite what only a lenient reader takes."""

import csv
import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.data.readers.text_layout import Layout
from workbench.data.readers.unpacking import new_folder, open_bytes
from workbench.errors import SourceError

LONGEST_FIELD = 64 << 20  # characters; longer than that is a quote that was never closed
SHOWN = 5  # rows that a message lists


def mended(files: list[Path], layout: Layout, error: Exception) -> list[Path]:
    """Copies of text files in plain CSV, when nothing is wrong with their content.

    Raises:
        SourceError: what is wrong, with row, line or byte.
    """
    if len(layout.delimiter) > 1 or not layout.quote:
        raise _general(files, error) from error
    folder = new_folder()
    copies = []
    for number, file in enumerate(files):
        target = folder / f"{number}.csv"
        try:
            _rewrite(file, target, layout)
        except UnicodeDecodeError as fault:
            raise _undecodable(file) from fault
        copies.append(target)
    return copies


def _rewrite(file: Path, target: Path, layout: Layout) -> None:
    ragged: list[str] = []
    with open_bytes(file) as stream, target.open("w", encoding="utf-8", newline="") as out, _long_fields():
        text = io.TextIOWrapper(stream, encoding="utf-8-sig", newline="")
        records = csv.reader(text, delimiter=layout.delimiter, quotechar=layout.quote, strict=True)
        writer = csv.writer(out, delimiter=layout.delimiter, quotechar=layout.quote, lineterminator="\n")
        row = 0 if layout.header else 1
        started = 1
        try:
            for record in records:
                if not record and len(layout.names) == 1:
                    record = [""]  # an empty line is a row of one empty field
                if len(record) == len(layout.names):
                    writer.writerow(record)
                elif record:
                    ragged.append(f"row {row:,} (line {started:,}) has {len(record)}: {_shown(record)}")
                row += bool(record)
                started = records.line_num + 1
                if len(ragged) == SHOWN:
                    break
        except csv.Error as error:
            raise _misquoted(file, row, started, str(error)) from error
    if ragged:
        raise SourceError(
            f"{file.name}: {len(layout.names)} columns ({', '.join(layout.names)[:200]}), but {'; '.join(ragged)}. "
            "Rows are counted from 1 after the header. Put quotes around fields that contain the delimiter, "
            "or name the right one with options={'delimiter': ';'}."
        )


def _misquoted(file: Path, row: int, line: int, what: str) -> SourceError:
    if "unexpected end" in what or "field larger" in what:
        what = "a quote is opened and never closed" + (", or a field of over 64 MB" if "larger" in what else "")
    return SourceError(
        f"{file.name}: row {row:,} (line {line:,}): {what}. A quote inside a quoted field is written twice; "
        "if quotes mean nothing in this file, say options={'quote': ''}."
    )


def _undecodable(file: Path) -> SourceError:
    """Where a file stops being UTF-8."""
    at, line = 0, 0
    with open_bytes(file) as stream:
        for line, raw in enumerate(stream, start=1):  # noqa: B007
            try:
                raw.decode("utf-8")
            except UnicodeDecodeError as error:
                at += error.start
                break
            at += len(raw)
    likely = raw.decode("cp1252", errors="replace").strip()[:80]
    return SourceError(
        f"{file.name}: byte {at:,} (line {line:,}) is not UTF-8 text. As cp1252 the line reads {likely!r}; if that "
        "is right, say options={'encoding': 'cp1252'} (or 'latin-1'). If only some rows are like this, several "
        "encodings are mixed in the file and it has to be exported again."
    )


def _general(files: list[Path], error: Exception) -> SourceError:
    return SourceError(f"{files[0].name}: cannot be read: {' '.join(str(error).split())[:500]}")


def _shown(record: list[str]) -> str:
    return repr(record)[:80]


@contextmanager
def _long_fields() -> Iterator[None]:
    before = csv.field_size_limit(LONGEST_FIELD)
    try:
        yield
    finally:
        csv.field_size_limit(before)
