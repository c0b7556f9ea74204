"""Text files with one record a line, as a lazy view with every column as text."""

from pathlib import Path

from workbench.data.connection import create_view, literal
from workbench.data.readers.files import FoundFiles
from workbench.data.readers.options import SourceOptions
from workbench.data.readers.raw_table import RawTable
from workbench.data.readers.text_faults import LONGEST_FIELD, mended
from workbench.data.readers.text_layout import Layout, find_layout, read_head, records
from workbench.data.readers.unpacking import as_utf8, compression, reader_compression, unpacked
from workbench.errors import SourceError


def read_text(found: FoundFiles, options: SourceOptions) -> RawTable:
    """Open text files of one layout as one table, every column text.

    Raises:
        SourceError: empty, not text, names that are missing, double or unlike those of the other files.
    """
    files, notes = [], list(found.notes)
    for file in found.files:
        plain, encoding = as_utf8(file, options.encoding)
        if encoding:
            notes.append(f"{file.name} turned from {encoding} into UTF-8")
        files.append(unpacked(plain) if compression(plain) in (".zip", ".bz2", ".xz") else plain)
    layout = find_layout(files[0], found, options)
    for file in files[1:]:
        _check_same(file, files[0], layout, options)
    notes += layout.notes
    view = create_view(view_sql(files, layout))

    def mend(error: Exception) -> RawTable:
        copies = mended(files, layout, error)
        note = "line ends, quotes or long fields that the fast reader refuses were rewritten in a temporary copy"
        return RawTable(
            create_view(view_sql(copies, layout, LONGEST_FIELD)), found.name, True, layout.keep_text, [*notes, note]
        )

    return RawTable(view, found.name, True, layout.keep_text, notes, mend)


def view_sql(files: list[Path], layout: Layout, longest: int | None = None) -> str:
    """The SELECT that reads the files lazily, in order; `longest` row in bytes, 2 MB when not given."""
    columns = ", ".join(f"{literal(each)}: 'VARCHAR'" for each in layout.names)
    quote, packing = literal(layout.quote), reader_compression(files)
    if longest:
        packing += f", max_line_size = {longest}"
    return (
        f"SELECT * FROM read_csv({literal([str(file) for file in files])}, auto_detect = false, "
        f"delim = {literal(layout.delimiter)}, quote = {quote}, escape = {quote}, comment = '', "
        f"header = {literal(layout.header)}, columns = {{{columns}}}, nullstr = '', strict_mode = true{packing})"
    )


def _check_same(file: Path, first: Path, layout: Layout, options: SourceOptions) -> None:
    if not layout.header:
        return
    text, _ = read_head(file)
    names = next(records(text, layout.delimiter, layout.quote), [])
    names = [each.rpartition(":")[0] if layout.keep_text else each.strip() for each in names]
    if not options.names and names != layout.names and any(names):
        raise SourceError(
            f"{file.name}: has the columns {names}, but {first.name} has {layout.names}. "
            "Files that are read together need the same columns in the same order; name those that belong together."
        )
