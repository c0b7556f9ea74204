"""Write a table in the form that datasets have: typed, sorted, compressed, hashed."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from workbench.columns import ACTION_INTERACTIONS, INTERACTIONS, ROW, TIMESTAMP
from workbench.data.atomic import Stage, move, sync_tree
from workbench.data.catalogue import ACTIVE, DATASET, Catalogue, add, next_version
from workbench.data.connection import literal, query, quoted
from workbench.data.queries import AnyTable, named
from workbench.data.rules import KEY, reserved_types
from workbench.data.versions import DATA_FILE, content_hash
from workbench.errors import WorkspaceError

ROW_GROUP = 122_880  # rows; DuckDB's own size, so a scan splits over cores
LOGS = (INTERACTIONS, ACTION_INTERACTIONS)
STORED = {"string": "VARCHAR", "long": "BIGINT", "float": "DOUBLE"}


def dump(table: AnyTable, path: Path) -> None:
    """Compute a table once and keep it as it is, with row numbers where it has them.

    Raises:
        WorkspaceError: a lazy table's own expressions fail on its values, in a cast for example.
    """
    with named(table) as (backend, name), _computing():
        backend.raw_sql(f"COPY (FROM {name}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION snappy)")


@contextmanager
def _computing() -> Iterator[None]:
    try:
        yield
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        reason = str(error).splitlines()[0]
        raise WorkspaceError(f"The table cannot be computed: {reason} Mend these values first, in a flow.") from error


def store(raw: Path, folder: Path, kind: str) -> dict[str, Any]:
    """Write checked data in the form that datasets have.

    Args:
        raw: what `dump` wrote.
        folder: where the Parquet file goes.
        kind: decides the order: logs by time, ties by `_ROW`; items, users and actions by `_ROW`, or by id
            when there are no row numbers and the order means nothing.

    Returns:
        rows, columns (name to type) and hash.
    """
    source = f"read_parquet({literal(str(raw))}, file_row_number = true)"
    types = {name: type_ for name, type_, *_ in query(f"DESCRIBE FROM {source}")}
    order = [quoted(ROW)] if ROW in types else ["file_row_number"]
    if kind in LOGS:
        order.insert(0, f"CAST({quoted(TIMESTAMP)} AS BIGINT)")
    elif ROW not in types:
        order.insert(0, f"CAST({quoted(KEY[kind])} AS VARCHAR)")
    kept = [name for name in types if name not in (ROW, "file_row_number")]
    columns = ", ".join(f"{_stored(name, types[name], kind)} AS {quoted(name)}" for name in kept)
    folder.mkdir(exist_ok=True)
    file = folder / DATA_FILE
    query(
        f"COPY (SELECT {columns} FROM {source} ORDER BY {', '.join(order)}) TO {literal(str(file))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {ROW_GROUP})"
    )
    described = query(f"DESCRIBE FROM read_parquet({literal(str(file))})")
    rows = query(f"SELECT count(*) FROM read_parquet({literal(str(file))})")[0][0]
    return {"rows": rows, "columns": {name: kind for name, kind, *_ in described}, "hash": content_hash(file)}


def publish(book: Catalogue, staged: Stage, dataset: tuple[str, str], origin: dict[str, Any], facts: dict) -> int:
    """Rename what `store` wrote into place and list it, in one transaction.

    Args:
        book: the workspace's catalogue; its folder is the workspace's.
        staged: its sub-folder "dataset" holds the files.
        dataset: group and kind.
        origin: where the data came from.
        facts: what `store` gave back.

    Returns:
        The version number.
    """
    group, kind = dataset
    root, folder = book.path.parent, staged.folder / DATASET
    sync_tree(folder)
    with book.writing() as connection:
        version = next_version(connection, DATASET, group, kind, root / group / kind)
        place = f"{group}/{kind}/{version}"
        staged.intend(root / place)
        move(folder, root / place)
        values = {"kind": DATASET, "group": group, "name": kind, "version": version, "path": place}
        add(connection, status=ACTIVE, config=origin, facts=facts, **values)
    return version


def _stored(name: str, found: str, kind: str) -> str:
    """How a column is cast: reserved columns to their own type, exotic numbers to plain ones."""
    reserved = reserved_types(kind).get(name)
    if reserved in STORED:
        return f"CAST({quoted(name)} AS {STORED[reserved]})"
    if found.startswith(("DECIMAL", "HUGEINT", "UHUGEINT", "UBIGINT")):
        return f"CAST({quoted(name)} AS DOUBLE)"
    return quoted(name)
