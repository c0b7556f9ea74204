"""Finds the files of a batch job's input and reads them, from any place on."""

import glob
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from workbench.errors import BatchError, meant
from workbench.serving.batch_lines import lines_of
from workbench.serving.batch_records import Position, Record
from workbench.serving.batch_tables import check_csv, check_parquet, csv_rows, parquet_rows

LINES, CSV, PARQUET = "jsonl", "csv", "parquet"
FORMATS = {".jsonl": LINES, ".json": LINES, ".ndjson": LINES, ".csv": CSV, ".parquet": PARQUET, ".pq": PARQUET}
START = Position()


@dataclass(frozen=True)
class InputFile:
    """One file: name, size, and the hash of its content."""

    name: str
    bytes: int
    blake2b: str


class BatchInput:
    """The files of an input, in the order of their names."""

    def __init__(self, source: str | Path, kind: str):
        """Find the files.

        Args:
            source: a file, a pattern such as "in/*.jsonl", or a folder, whose files of known endings count.
            kind: of the lines.

        Raises:
            BatchError: there is none, or a file cannot be read as what its ending says.
        """
        self.source, self.kind = str(source), kind
        self.paths = _files(source)
        for path in self.paths:
            _check_file(path, kind)
        self.sizes = [path.stat().st_size for path in self.paths]

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(self.sizes)

    def read_bytes(self, position: Position) -> int:
        """How many bytes of all files lie before a position."""
        return sum(self.sizes[: position.file]) + position.bytes

    def fingerprint(self) -> list[dict[str, Any]]:
        """Name, size and content hash of every file."""
        found = []
        for path, size in zip(self.paths, self.sizes, strict=True):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
            found.append(asdict(InputFile(path.name, size, digest.hexdigest())))
        return found

    def records(self, start: Position = START) -> Iterator[Record]:
        """Read from a position on, in the memory of a few lines."""
        for number in range(start.file, len(self.paths)):
            path = self.paths[number]
            begin = start if number == start.file else Position(number)
            read = {LINES: lines_of, CSV: csv_rows, PARQUET: parquet_rows}[_format(path)]
            yield from read(path, begin)


def _files(source: str | Path) -> list[Path]:
    place = Path(source).expanduser()
    if place.is_dir():
        found = sorted(each for each in place.iterdir() if each.is_file() and each.suffix.lower() in FORMATS)
        if not found:
            raise BatchError(f"Folder {place} holds no file that ends in {', '.join(FORMATS)}. Name another one.")
        return found
    if place.is_file():
        return [place]
    found = sorted(Path(each) for each in glob.glob(str(place)) if Path(each).is_file())
    if not found:
        beside = [each.name for each in place.parent.iterdir()] if place.parent.is_dir() else []
        raise BatchError(
            f"There is no input {str(source)!r}: neither a file, a folder nor a pattern that a file fits."
            f"{meant(place.name, beside)} Name one."
        )
    return found


def _format(path: Path) -> str:
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        raise BatchError(f"{path} ends in {path.suffix!r}; an input ends in {', '.join(FORMATS)}. Rename it.")
    return found


def _check_file(path: Path, kind: str) -> None:
    """Refuse a file as a whole where no line of it could be read."""
    found = _format(path)
    try:
        with path.open("rb") as file:
            start = file.read(4)
    except OSError as error:
        raise BatchError(f"{path} cannot be read: {error.strerror}. Mend that, or name another input.") from error
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise BatchError(f"{path} is written in UTF-16; an input is UTF-8. Save it as UTF-8.")
    if found == CSV:
        check_csv(path, kind)
    elif found == PARQUET:
        check_parquet(path, kind)
