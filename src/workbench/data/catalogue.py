"""The catalogue: one row per resource in an SQLite database that several processes share.

A row says what a resource is called, how far it has come, how it was configured and where its files lie. The row is
written last, in the same transaction that gives out version numbers, so a resource is listed only once it is whole.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    JSON,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    and_,
    create_engine,
    event,
    insert,
    inspect,
    select,
    update,
)
from sqlalchemy.exc import DatabaseError

from workbench.data.atomic import disk_errors
from workbench.data.catalogue_reader import (
    ACTIVE,
    CAMPAIGN,
    CATALOG,
    DATASET,
    DELETED,
    FAILED,
    FILTER,
    GROUP,
    IN_PROGRESS,
    LAYOUT,
    PENDING,
    SOLUTION,
    STOPPED,
    WAIT,
)
from workbench.errors import WorkspaceError

__all__ = [
    "ACTIVE",
    "CAMPAIGN",
    "CATALOG",
    "DATASET",
    "DELETED",
    "FAILED",
    "FILTER",
    "GROUP",
    "IN_PROGRESS",
    "PENDING",
    "SOLUTION",
    "STOPPED",
    "Catalogue",
    "add",
    "change",
    "find",
    "next_version",
    "now",
]

METADATA = MetaData()
LAYOUTS = Table("workbench_layout", METADATA, Column("version", Integer, primary_key=True))
RESOURCES = Table(
    "resources",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("group", String, nullable=False),
    Column("name", String, nullable=False),  # a group's own name, a dataset's kind, a solution's name
    Column("version", Integer, nullable=False),  # from 1; 0 for what has no versions
    Column("status", String, nullable=False),
    Column("config", JSON, nullable=False),  # how it was asked for
    Column("facts", JSON, nullable=False),  # what came of it
    Column("path", String),  # below the workspace's folder
    Column("token", String),  # the writer that is at work on it
    Column("failure_reason", String),
    Column("created", String, nullable=False),
    Column("updated", String, nullable=False),
    UniqueConstraint("kind", "group", "name", "version"),
)


class Catalogue:
    """Reads and writes the rows of one workspace."""

    def __init__(self, path: Path):
        """Open the database, or make it.

        Raises:
            WorkspaceError: the file is not a catalogue, or another version of the workbench laid it out.
        """
        self.path = path
        self.url = f"sqlite:///{path}"
        self._engine = _engine(self.url)
        try:
            with disk_errors(f"the catalogue {path}", path.parent):
                self._check_layout()
        except DatabaseError as error:
            raise WorkspaceError(
                f"{path} cannot be read as a catalogue: {error.orig}. If it was overwritten, restore it from a copy; "
                "if the folder is not a workspace, name another one."
            ) from error

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction that no other writer, in any process, can be inside of at the same time."""
        options = {"workbench_begin": "BEGIN IMMEDIATE"}
        with self._engine.connect().execution_options(**options) as connection, connection.begin():
            yield connection

    def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        """Rows whose columns equal what is `wanted`, oldest version first."""
        with self._engine.connect() as connection:
            return find(connection, **wanted)

    def change(self, row: int, **values: Any) -> None:
        """Change one row in a transaction of its own."""
        with self.writing() as connection:
            change(connection, row, **values)

    def close(self) -> None:
        """Let go of the database's file."""
        self._engine.dispose()

    def _check_layout(self) -> None:
        with self._engine.connect() as connection:
            known = set(inspect(connection).get_table_names())
            versions = list(connection.scalars(select(LAYOUTS))) if LAYOUTS.name in known else []
        if not versions:
            with self.writing() as connection:
                METADATA.create_all(connection)
                versions = list(connection.scalars(select(LAYOUTS)))
                if not versions:
                    connection.execute(insert(LAYOUTS).values(version=LAYOUT))
                    versions = [LAYOUT]
        if versions != [LAYOUT]:
            age = "newer" if max(versions) > LAYOUT else "older"
            raise WorkspaceError(
                f"{self.path} has layout {max(versions)}, made by a {age} version of the workbench; this one reads "
                f"layout {LAYOUT}. Install the version that made it, or name an empty folder as the workspace."
            )


def find(connection: Connection, **wanted: Any) -> list[dict[str, Any]]:
    """Rows whose columns equal what is `wanted`, ordered by kind, group, name and version."""
    order = [RESOURCES.c[name] for name in ("kind", "group", "name", "version")]
    query = select(RESOURCES).where(_equal(wanted)).order_by(*order)
    return [dict(row) for row in connection.execute(query).mappings()]


def add(connection: Connection, **values: Any) -> int:
    """Write one row; `config` and `facts` default to empty. Returns its id."""
    time = now()
    defaults = {"config": {}, "facts": {}, "version": 0, "created": time, "updated": time}
    return connection.execute(insert(RESOURCES).values(**(defaults | values))).inserted_primary_key[0]


def change(connection: Connection, row: int, **values: Any) -> None:
    """Change the row with this id, and the time of its last change."""
    connection.execute(update(RESOURCES).where(RESOURCES.c.id == row).values(updated=now(), **values))


def next_version(connection: Connection, kind: str, group: str, name: str, folder: Path) -> int:
    """The next free version number; hold the writing transaction from here to the row that takes it.

    Numbers of folders that the catalogue does not know are skipped, so nothing on disk is ever written over.
    """
    listed = [row["version"] for row in find(connection, kind=kind, group=group, name=name)]
    on_disk = [int(path.name) for path in folder.glob("*") if path.name.isascii() and path.name.isdigit()]
    return max([*listed, *on_disk], default=0) + 1


def now() -> str:
    """The time as ISO text in UTC, to the microsecond."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _equal(wanted: Mapping[str, Any]) -> Any:
    return and_(True, *(RESOURCES.c[name] == value for name, value in wanted.items()))


def _to_json(value: Any) -> str:
    """JSON of plain values; numpy numbers and arrays become plain, anything else its text."""
    return json.dumps(value, default=lambda each: each.tolist() if hasattr(each, "tolist") else str(each))


def _engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": WAIT}, json_serializer=_to_json)

    @event.listens_for(engine, "connect")
    def _set_up(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves: sqlite3 would say it too late
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # a committed row survives a power cut

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("workbench_begin", "BEGIN"))

    return engine
