"""Reads JSON Lines line by line, from any line on."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from workbench.serving.batch_formats import LineError, document_of
from workbench.serving.batch_records import BOM, LONGEST, Position, Record


def lines_of(path: Path, begin: Position) -> Iterator[Record]:
    """The lines of a JSON Lines file."""
    number, end = begin.records, begin.bytes
    with path.open("rb") as file:
        file.seek(end)
        while line := file.readline(LONGEST):
            problem, document, text, size = "", None, "", len(line)
            whole = line.endswith(b"\n")
            if not whole and size == LONGEST:
                size += _skip_line(file)
                problem = f"The line has {size:,} bytes; {LONGEST:,} are allowed. Split it."
                line = line[:200]
            if number == 0 and line.startswith(BOM):
                line = line[len(BOM) :]
            try:
                text = line.decode().strip()
                if text and not problem:
                    document = document_of(text, last=not whole)
            except UnicodeDecodeError as error:
                text = line.decode(errors="replace").strip()
                problem = problem or (
                    f"The line is no UTF-8: byte {line[error.start]:#04x} at {error.start + 1}; "
                    "an input is UTF-8. Save it as UTF-8."
                )
            except LineError as error:
                problem = str(error)
            number, end = number + 1, end + size
            yield Record(number, text, document, problem, Position(begin.file, number, end))


def _skip_line(file: Any) -> int:
    """Read to the line's end in pieces; returns how many bytes."""
    skipped = 0
    while piece := file.readline(LONGEST):
        skipped += len(piece)
        if piece.endswith(b"\n"):
            break
    return skipped
