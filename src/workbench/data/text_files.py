"""Text files with one record a line: find the delimiter, read the names, make a lazy view with every column as text."""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from workbench.data.connection import create_view, literal
from workbench.data.raw_table import RawTable, check_names
from workbench.data.source_options import SourceOptions

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
HEAD_BYTES = 1 << 20
SNIFFED_RECORDS = 100
OTHER_NAMES = "Give every column a name of its own with options={'names': [...]}, in the file's order."


@dataclass(frozen=True)
class Layout:
    """How a text file is laid out."""

    delimiter: str
    names: list[str]
    notes: list[str] = field(default_factory=list)


def read_text(files: list[Path], name: str, options: SourceOptions) -> RawTable:
    """Open text files of one layout as one table, every column text."""
    layout = find_layout(files[0], name, options)
    view = create_view(view_sql(files, layout, options))
    return RawTable(view, name, True, notes=layout.notes)


def view_sql(files: list[Path], layout: Layout, options: SourceOptions) -> str:
    """The SELECT that reads the files lazily, in order."""
    columns = ", ".join(f"{literal(each)}: 'VARCHAR'" for each in layout.names)
    quote = literal(options.quote)
    return (
        f"SELECT * FROM read_csv({literal([str(file) for file in files])}, auto_detect = false, "
        f"delim = {literal(layout.delimiter)}, quote = {quote}, escape = {quote}, "
        f"header = {literal(options.header)}, columns = {{{columns}}}, nullstr = '', strict_mode = true)"
    )


def find_layout(file: Path, name: str, options: SourceOptions) -> Layout:
    """Delimiter and column names from the first rows of a file."""
    import pyarrow

    with pyarrow.input_stream(str(file)) as stream:
        head = stream.read(HEAD_BYTES)
    text = head.decode("utf-8-sig", errors="ignore")
    delimiter = options.delimiter or max(DELIMITERS, key=text.split("\n", 1)[0].count)
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    names = options.names or (first if options.header else [f"column_{n}" for n in range(1, len(first) + 1)])
    check_names(names, name, OTHER_NAMES)
    return Layout(delimiter, names)
