"""Find the files behind a path, folder or glob, and say of which format they are."""

import glob
from collections import Counter
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

from workbench.data.readers.options import SourceOptions
from workbench.data.readers.unpacking import COMPRESSED, compression, data_suffix, only_member
from workbench.errors import SourceError, nearest

FORMATS = {
    ".csv": "csv",
    ".tsv": "csv",
    ".tab": "csv",
    ".psv": "csv",
    ".txt": "csv",
    ".inter": "recbole",
    ".item": "recbole",
    ".user": "recbole",
    ".kg": "recbole",
    ".link": "recbole",
    ".net": "recbole",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".duckdb": "duckdb",
    ".ddb": "duckdb",
    ".sqlite": "sqlite",
    ".sqlite3": "sqlite",
    ".db": "sqlite",
}
MAGIC = {"sqlite": (0, b"SQLite format 3\0"), "duckdb": (8, b"DUCK")}
SHOWN = 12  # neighbouring names that a message lists


@dataclass(frozen=True)
class FoundFiles:
    """Local files of one format, in the order they are read."""

    files: list[Path]
    format: str
    name: str
    notes: list[str] = field(default_factory=list)


def find_files(source: str | Path, options: SourceOptions) -> FoundFiles:
    """The files that a path, a folder (with what lies below) or a glob stands for.

    Hidden files and markers such as _SUCCESS are left out, empty parts of several files are skipped and noted.

    Raises:
        SourceError: nothing there, nothing in it, an unknown ending, or files of several formats.
    """
    path, notes = Path(source).expanduser(), []
    if path.is_dir():
        files = [each for each in sorted(path.rglob("*")) if each.is_file() and not _hidden(each.relative_to(path))]
        if not files:
            raise SourceError(f"{path}: the folder holds no files to read.")
    elif path.exists():
        files = [path]
    else:
        files = [Path(each) for each in sorted(glob.glob(str(path), recursive=True)) if Path(each).is_file()]
        if not files:
            raise SourceError(f"{path}: {missing(path)}")
    empty = [each for each in files if not each.stat().st_size]
    if len(empty) == len(files):
        raise SourceError(f"{empty[0]}: the file is empty (0 bytes). Export it again.")
    if empty:
        notes.append(f"{len(empty):,} empty file(s) skipped, the first is {empty[0].name}")
        files = [each for each in files if each.stat().st_size]
    name = files[0].name if len(files) == 1 else f"{path} ({len(files):,} files)"
    return FoundFiles(files, one_format(files, name, options), name, notes)


def one_format(files: list[Path], name: str, options: SourceOptions) -> str:
    """The format that all files share, by what the caller says or by their endings."""
    if options.format:
        known = {each: each for each in FORMATS.values()} | {"tsv": "csv", "json": "jsonl", "ndjson": "jsonl"}
        if options.format not in known:
            raise SourceError(f"options format: {options.format!r} is unknown.{nearest(options.format, known)}")
        return known[options.format]
    counted = Counter(_format(each) for each in files)
    if len(counted) > 1:
        kinds = ", ".join(f"{count:,} {kind or 'unknown'}" for kind, count in counted.most_common())
        pattern = f"*{files[0].suffix}"
        raise SourceError(
            f"{name}: files of several kinds lie there: {kinds}. Name the ones you mean, such as {pattern!r}."
        )
    found = next(iter(counted))
    if found is None:
        raise SourceError(
            f"{name}: the ending {data_suffix(files[0])!r} does not say what the file holds. Say it with "
            f"options={{'format': 'csv'}}, or one of {', '.join(sorted(set(FORMATS.values())))}; "
            f"known endings: {' '.join(FORMATS)}, each also with {' '.join(COMPRESSED)}."
        )
    return found


def _format(file: Path) -> str | None:
    if compression(file) == ".zip" and not data_suffix(file):
        return _format(Path(only_member(file)))
    found = FORMATS.get(data_suffix(file))
    if found in MAGIC:  # .db is used by both
        with file.open("rb") as stream:
            start = stream.read(32)
        return next((kind for kind, (at, magic) in MAGIC.items() if start[at : at + len(magic)] == magic), found)
    return found


def _hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def missing(path: Path) -> str:
    """Say what lies near a path that does not exist."""
    pattern = glob.has_magic(str(path))
    there = next(each for each in path.absolute().parents if each.is_dir())
    wanted = path.absolute().relative_to(there).parts[0]
    names = sorted(each.name for each in there.iterdir() if not each.name.startswith("."))
    what = "nothing matches" if pattern else "no such file" if wanted == path.name else f"there is no folder {wanted!r}"
    if not names:
        return f"{what}; {there} is empty."
    folded = {each.casefold(): each for each in names}
    close = [] if pattern else get_close_matches(wanted.casefold(), folded, n=1, cutoff=0.5)
    hint = f" Did you mean {folded[close[0]]!r}?" if close else ""
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return f"{what}.{hint} In {there}: {', '.join(names[:SHOWN])}{more}."
