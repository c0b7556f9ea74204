"""Parquet and Arrow files: they carry their types, and only the columns that are used are read."""

from workbench.data.connection import connect, create_view, literal, new_name
from workbench.data.readers.files import FoundFiles
from workbench.data.readers.raw_table import RawTable, check_names
from workbench.data.readers.unpacking import unpacked
from workbench.errors import SourceError


def read_parquet(found: FoundFiles) -> RawTable:
    """Open Parquet files of one schema as one lazy table.

    Raises:
        SourceError: a file is damaged, or the files have different columns.
    """
    import pyarrow
    from pyarrow import parquet

    files, first = [unpacked(each) for each in found.files], None
    for file in files:
        try:
            names = parquet.read_schema(file).names
        except (pyarrow.ArrowException, OSError) as error:
            raise SourceError(
                f"{file.name}: not a readable Parquet file ({' '.join(str(error).split())[:200]}). "
                "It may be cut off: fetch or write it again."
            ) from error
        first = first or names
        check_names(names, file.name, "Rename one of them where the file is made.")
        if sorted(names) != sorted(first):
            odd = sorted(set(names) ^ set(first))
            raise SourceError(f"{file.name}: has other columns than {files[0].name}: {odd}. Read them one by one.")
    listed = literal([str(each) for each in files])
    return _opened(f"SELECT * FROM read_parquet({listed}, binary_as_string = true, union_by_name = true)", found)


def read_arrow(found: FoundFiles) -> RawTable:
    """Open Arrow (Feather) files as one lazy table."""
    import pyarrow
    from pyarrow import dataset

    try:
        files = dataset.dataset([str(unpacked(each)) for each in found.files], format="feather")
    except (pyarrow.ArrowException, OSError) as error:
        raise SourceError(f"{found.name}: not a readable Arrow file ({error}). Write it again.") from error
    check_names(files.schema.names, found.name, "Rename one of them where the file is made.")
    name = new_name("arrow")
    connect().con.register(name, files)
    return RawTable(name, found.name, False, notes=list(found.notes))


def _opened(sql: str, found: FoundFiles) -> RawTable:
    import duckdb

    try:
        return RawTable(create_view(sql), found.name, False, notes=list(found.notes))
    except duckdb.Error as error:
        raise SourceError(f"{found.name}: cannot be read: {' '.join(str(error).split())[:300]}") from error
