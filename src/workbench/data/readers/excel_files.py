"""Excel workbooks: one sheet, its first row the names, its cells as text until their type is recognised."""

import zipfile
from collections.abc import Iterator

from workbench.data.readers.files import FoundFiles
from workbench.data.readers.options import SourceOptions
from workbench.data.readers.raw_table import RawTable, check_names
from workbench.data.readers.text_spool import spool
from workbench.data.readers.unpacking import unpacked
from workbench.errors import SourceError, nearest


def read_excel(found: FoundFiles, options: SourceOptions) -> RawTable:
    """Open one sheet of a workbook, streamed row by row.

    Raises:
        SourceError: unreadable, several sheets and none named, no rows, double names.
    """
    import openpyxl

    if len(found.files) > 1:
        raise SourceError(f"{found.name}: workbooks are read one at a time. Name one of them.")
    file = unpacked(found.files[0])
    try:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise SourceError(f"{found.name}: not a readable Excel workbook ({error}). Save it again as .xlsx.") from error
    try:
        sheet = book[_sheet(book.sheetnames, found.name, options.sheet)]
        rows = (row for row in sheet.iter_rows(values_only=True) if any(cell is not None for cell in row))
        head = next(rows, None)
        if head is None:
            raise SourceError(f"{found.name}: sheet {sheet.title!r} is empty.{nearest('', book.sheetnames)}")
        names, rows = _names(head, rows, found.name, options)
        notes = [*found.notes, f"sheet {sheet.title!r}; rows without any value are skipped"]
        return spool(names, _table(rows, len(names), found.name), found.name, notes, options.progress)
    finally:
        book.close()


def _table(rows: Iterator[tuple], width: int, source: str) -> Iterator[tuple]:
    """Rows of one width; a value to the right of the named columns is not dropped in silence."""
    for number, row in enumerate(rows, start=1):
        beyond = next((place for place, cell in enumerate(row[width:], start=width + 1) if cell is not None), None)
        if beyond:
            raise SourceError(
                f"{source}: row {number:,} has the value {str(row[beyond - 1])[:60]!r} in column {beyond}, but only "
                f"{width} columns have a name. Name the column in the sheet, or clear the cell."
            )
        yield row[:width] + (None,) * (width - len(row))


def _sheet(sheets: list[str], source: str, wanted: str | None) -> str:
    if wanted is None and len(sheets) == 1:
        return sheets[0]
    if wanted is None:
        raise SourceError(
            f"{source}: {len(sheets)} sheets ({', '.join(sheets)}). Say which: options={{'sheet': {sheets[0]!r}}}."
        )
    if wanted not in sheets:
        raise SourceError(f"{source}: no sheet {wanted!r}.{nearest(wanted, sheets)}")
    return wanted


def _names(head: tuple, rows: Iterator[tuple], source: str, options: SourceOptions) -> tuple[list[str], Iterator]:
    if not options.header:
        rows = _put_back(head, rows)
        head = tuple(f"column_{number}" for number in range(1, len(head) + 1))
    if options.names:
        if len(options.names) != len(head):
            raise SourceError(f"{source}: {len(head)} columns, but options names has {len(options.names)}.")
        head = tuple(options.names)
    names = ["" if each is None else str(each).strip() for each in head]
    while names and not names[-1]:  # empty columns to the right of the table
        names.pop()
    names = [each or f"unnamed_{number}" for number, each in enumerate(names, start=1)]
    check_names(names, source, "Give every column a name of its own in the sheet, or options={'names': [...]}.")
    return names, rows


def _put_back(first: tuple, rows: Iterator[tuple]) -> Iterator[tuple]:
    yield first
    yield from rows
