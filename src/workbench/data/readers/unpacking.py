"""Make plain local UTF-8 files out of compressed, remote or differently encoded ones, streamed through the disk."""

import bz2
import codecs
import gzip
import io
import lzma
import shutil
import zipfile
from pathlib import Path
from typing import IO

from workbench.data.connection import new_name
from workbench.data.scratch import scratch
from workbench.errors import SourceError

CHUNK = 1 << 20
COMPRESSED = (".gz", ".zst", ".bz2", ".xz", ".zip")
UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def data_suffix(file: Path) -> str:
    """The ending that tells the format, in lower case: that of events.CSV.gz is .csv."""
    endings = [each.lower() for each in file.suffixes]
    if endings and endings[-1] in COMPRESSED:
        endings.pop()
    return endings[-1] if endings else ""


def compression(file: Path) -> str:
    """The ending that tells the compression, in lower case; "" for none."""
    ending = file.suffix.lower()
    return ending if ending in COMPRESSED else ""


def reader_compression(files: list[Path]) -> str:
    """What DuckDB's readers have to be told, as SQL; they know only endings in lower case themselves."""
    kinds = {compression(file) for file in files}
    packing = {".gz": "gzip", ".zst": "zstd"}.get(kinds.pop()) if len(kinds) == 1 else None
    return f", compression = '{packing}'" if packing else ""


def open_bytes(file: Path) -> IO[bytes]:
    """The content of a file, decompressed while it is read."""
    import pyarrow

    ending = compression(file)
    if ending == ".zip":
        return zipfile.ZipFile(file).open(only_member(file))
    if ending == ".zst":
        return io.BufferedReader(pyarrow.input_stream(str(file), compression="zstd"), CHUNK)
    return {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}.get(ending, open)(file, "rb")


def unpacked(file: Path) -> Path:
    """A decompressed copy of a file in the scratch folder; the file itself when it is not compressed."""
    if not compression(file):
        return file
    target = new_folder() / (Path(only_member(file)).name if compression(file) == ".zip" else file.stem)
    with open_bytes(file) as packed, target.open("wb") as plain:
        shutil.copyfileobj(packed, plain, CHUNK)
    return target


def only_member(file: Path) -> str:
    """Name of the one data file in a zip archive."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = [each for each in archive.namelist() if not each.endswith("/") and "__MACOSX" not in each]
    except zipfile.BadZipFile as error:
        raise SourceError(f"{file.name}: not a readable zip archive ({error}). Fetch or pack it again.") from error
    if len(names) != 1:
        raise SourceError(f"{file.name}: holds {len(names)} files ({', '.join(names[:12])}). Unpack the one you mean.")
    return names[0]


def as_utf8(file: Path, encoding: str | None) -> tuple[Path, str | None]:
    """A UTF-8 copy of a text file in another encoding; the file itself when it is said to be UTF-8.

    Args:
        file: the text file, compressed or not.
        encoding: what the caller says; a UTF-16 byte order mark is obeyed when nothing is said.

    Returns:
        The file to read and the encoding it was turned from, if it was.
    """
    if encoding is None:
        with open_bytes(file) as stream:
            encoding = "utf-16" if stream.read(2) in UTF16_MARKS else None
    if encoding is None:
        return file, None
    try:
        name = codecs.lookup(encoding).name
    except LookupError as error:
        raise SourceError(f"options encoding: {encoding!r} is unknown; try 'latin-1', 'cp1252', 'utf-16'.") from error
    if name in ("utf-8", "ascii"):
        return file, None
    plain = file.name[: -len(compression(file))] if compression(file) else file.name
    target = new_folder() / plain
    decoder, read = codecs.getincrementaldecoder(name)(), 0
    with open_bytes(file) as stream, target.open("wb") as out:
        while True:
            chunk = stream.read(CHUNK)
            try:
                text = decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                raise SourceError(
                    f"{file.name}: byte {read + error.start:,} is not {name} ({error.reason})."
                ) from error
            out.write(text.encode("utf-8"))
            if not chunk:
                return target, name
            read += len(chunk)


def new_folder() -> Path:
    """An empty folder in the scratch folder."""
    folder = scratch() / new_name("files")
    folder.mkdir()
    return folder
