"""How a text file is laid out: its delimiter and its column names, from the first rows."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from workbench.data.readers.files import FoundFiles
from workbench.data.readers.options import SourceOptions
from workbench.data.readers.raw_table import check_names
from workbench.data.readers.unpacking import data_suffix, open_bytes
from workbench.errors import SourceError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
OTHER_DELIMITERS = ("::", "^", "~", "\x01", "\x1f", "¦", "§", "#", ":", " ")  # the longer before its own parts
OF_SUFFIX = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".psv": "|"}
TIME = re.compile(r"1\d{9}(\d{3})?(\.\d+)?|\d{4}-\d\d-\d\d[ T]\d\d:\d\d.*")  # in a row of data, never a name
HEAD_BYTES = 1 << 20
SNIFFED_RECORDS = 100
OTHER_NAMES = "Give every column a name of its own with options={'names': [...]}, in the file's order."


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out."""

    delimiter: str
    quote: str
    header: bool
    names: list[str]
    keep_text: frozenset[str] = frozenset()
    notes: list[str] = field(default_factory=list)


def find_layout(file: Path, found: FoundFiles, options: SourceOptions) -> Layout:
    """Delimiter and column names from the first rows of a file."""
    text, notes = read_head(file)
    if found.format == "recbole":
        return _recbole_layout(text, found.name)
    delimiter = options.delimiter
    if delimiter is None:
        delimiter = sniff_delimiter(text, file, options.quote)
    if len(delimiter) == 1:
        first = next(records(text, delimiter, options.quote), [])
    else:
        first = text.splitlines()[0].split(delimiter)
    if options.delimiter and len(first) == 1:
        _refuse_delimiter(first[0], options.delimiter, found.name)
    if options.delimiter is None and len(first) == 1:
        _refuse_other_delimiter(text, first[0], found.name)
    if options.delimiter is None and len(first) > 1:
        notes.append(f"delimiter found: {DELIMITERS[delimiter]}")
    names = _names(first, found.name, options, notes)
    return Layout(delimiter, options.quote, options.header, names, notes=notes)


def read_head(file: Path) -> tuple[str, list[str]]:
    """The first rows of a file as text without a byte order mark, and a note if there was one."""
    with open_bytes(file) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip(b"\xef\xbb\xbf \r\n\t"):
        raise SourceError(f"{file.name}: the file is empty. Export it again.")
    if (place := head.find(b"\0")) >= 0:
        line = head.count(b"\n", 0, place) + 1
        raise SourceError(
            f"{file.name}: a null byte at byte {place:,} (line {line:,}), so this is no UTF-8 text. If it is UTF-16, "
            "say options={'encoding': 'utf-16'} (or utf-16-le, utf-16-be); otherwise export it again."
        )
    notes = ["UTF-8 byte order mark skipped"] if head.startswith(b"\xef\xbb\xbf") else []
    return head.decode("utf-8-sig", errors="replace"), notes


def sniff_delimiter(text: str, file: Path, quote: str) -> str:
    """The delimiter that cuts the header, and the rows like it, into several fields; a comma when none does."""
    scores = {}
    for delimiter in DELIMITERS:
        widths = _widths(text, delimiter, quote)
        if widths and widths[0] > 1:
            scores[delimiter] = widths.count(widths[0]) / len(widths)
    whole = [delimiter for delimiter, score in scores.items() if score == 1]
    own = OF_SUFFIX.get(data_suffix(file), "")
    if own in whole:
        return own
    if len(whole) > 1:
        ways = " or ".join(f"{each!r} ({DELIMITERS[each]})" for each in whole)
        raise SourceError(
            f"{file.name}: the fields can be cut at {ways}. Say which with options={{'delimiter': {whole[0]!r}}}."
        )
    return max(scores, key=lambda each: scores[each], default=",")


def records(text: str, delimiter: str, quote: str) -> Iterator[list[str]]:
    """The fields of each record."""
    quoting = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    lines = io.StringIO(text, newline="")
    return csv.reader(lines, delimiter=delimiter, quotechar=quote or None, quoting=quoting)


def _widths(text: str, delimiter: str, quote: str) -> list[int]:
    widths = []
    try:
        for record in records(text, delimiter, quote):
            if record:
                widths.append(len(record))
            if len(widths) > SNIFFED_RECORDS:
                break
    except csv.Error:  # an open quote swallowed the rest; what came before still counts
        return widths
    return widths[:-1] if len(widths) > 1 and len(text) >= HEAD_BYTES else widths  # the last record may be cut off


def _names(first: list[str], source: str, options: SourceOptions, notes: list[str]) -> list[str]:
    if options.names:
        if len(options.names) != len(first):
            raise SourceError(f"{source}: {len(first)} columns, but options names has {len(options.names)}.")
        names = [str(each) for each in options.names]
    elif not options.header:
        names = [f"column_{number}" for number in range(1, len(first) + 1)]
    else:
        if all(_is_number(each) for each in first) or any(TIME.fullmatch(each.strip()) for each in first):
            raise SourceError(
                f"{source}: the first row, {first}, looks like data, not like column names. "
                "If it is data: options={'header': False, 'names': ['USER_ID', …]}."
            )
        names = [each.strip() or f"unnamed_{number}" for number, each in enumerate(first, start=1)]
        if nameless := sum(not each.strip() for each in first):
            notes.append(f"{nameless} column(s) without a name called unnamed_N")
    check_names(names, source, OTHER_NAMES)
    return names


def _recbole_layout(text: str, source: str) -> Layout:
    """RecBole's atomic files: tab separated, no quotes, each name with its type behind a colon."""
    typed = [each.rpartition(":") for each in text.split("\n", 1)[0].rstrip("\r").split("\t")]
    if not all(name and kind in ("token", "token_seq", "float", "float_seq") for name, _, kind in typed):
        raise SourceError(
            f"{source}: not a RecBole atomic file: its header needs names with types, such as 'user_id:token', "
            "separated by tabs. For any other text file: options={'format': 'csv'}."
        )
    names = [name for name, _, _ in typed]
    check_names(names, source, OTHER_NAMES)
    keep = frozenset(name for name, _, kind in typed if kind != "float")
    return Layout("\t", "", True, names, keep, ["RecBole atomic file: types taken from its header"])


def _refuse_delimiter(header: str, delimiter: str, source: str) -> None:
    others = [each for each in DELIMITERS if each in header and each != delimiter]
    if others:
        raise SourceError(
            f"{source}: with the delimiter {delimiter!r} there is one column, {header!r}. It contains {others[0]!r}: "
            f"say options={{'delimiter': {others[0]!r}}}, or leave the option out and it is found."
        )


def _refuse_other_delimiter(text: str, header: str, source: str) -> None:
    """Say when one column would be several if it were cut where none of the usual delimiters stands."""
    lines = text.splitlines()[: SNIFFED_RECORDS + 1]
    for each in OTHER_DELIMITERS:
        least = 2 if each == " " else 1  # two words may well be one name
        if header.count(each) >= least and len({line.count(each) for line in lines}) == 1:
            raise SourceError(
                f"{source}: there is one column, {header[:200]!r}, and {each!r} stands in every row of it. If it is "
                f"the delimiter, say options={{'delimiter': {each!r}}}; if it is not, give the column another name "
                "with options={'names': [...]}."
            )


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
