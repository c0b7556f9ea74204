"""Read the catalogue without SQLAlchemy: for processes that open a campaign and should not wait for an import.

The names of resources and states stand here, so that both ways into the catalogue spell them alike.
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from workbench.errors import WorkspaceError

CATALOG = "catalog.db"  # the file, in the workspace's folder
LAYOUT = 1  # raise it when the tables, or the folders they point to, change their meaning
WAIT = 60  # seconds a writer waits for another one

# Kinds of resources.
GROUP = "dataset group"
DATASET = "dataset"
SOLUTION = "solution version"
CAMPAIGN = "campaign"  # one row a revision, whose number is its version
FILTER = "filter"  # likewise
BATCH = "batch job"

# How far a resource has come, spelled as Amazon Personalize spells it.
PENDING = "CREATE PENDING"
IN_PROGRESS = "CREATE IN_PROGRESS"
ACTIVE = "ACTIVE"
FAILED = "CREATE FAILED"
STOPPED = "CREATE STOPPED"
DELETED = "DELETED"  # ours: the row stays, so that no number is given out twice

COLUMNS = (
    *("id", "kind", "group", "name", "version", "status", "config", "facts", "path", "token", "failure_reason"),
    *("created", "updated"),
)
PLAIN = ("config", "facts")  # JSON in the database


class CatalogueReader:
    """Reads the rows of one workspace; every call sees what was committed before it.

    Each call opens the file for itself, so threads and forked processes may share a reader.
    """

    def __init__(self, path: Path):
        """Find the catalogue.

        Args:
            path: the database's file.

        Raises:
            WorkspaceError: there is none, it cannot be read, or another version of the workbench laid it out.
        """
        self.path = path
        if not path.is_file():
            raise WorkspaceError(
                f"There is no workspace in {path.parent}: it holds no {path.name}. Name a workspace's folder, or make "
                "one with Workspace(path)."
            )
        with self._reading() as connection:
            [found] = connection.execute("SELECT max(version) FROM workbench_layout").fetchone()
        if found != LAYOUT:
            raise WorkspaceError(
                f"{path} has layout {found}; this version of the workbench reads layout {LAYOUT}. Install the version "
                "that made it."
            )

    def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        """Rows whose columns equal what is `wanted`, as `Catalogue.rows` gives them."""
        unknown = set(wanted) - set(COLUMNS)
        if unknown:
            raise ValueError(f"The catalogue has no columns {sorted(unknown)}; it has {COLUMNS}.")
        where = " AND ".join(f'"{name}" = ?' for name in wanted) or "1"
        listed = ", ".join(f'"{name}"' for name in COLUMNS)
        order = 'ORDER BY kind, "group", name, version'
        with self._reading() as connection:
            found = connection.execute(f"SELECT {listed} FROM resources WHERE {where} {order}", tuple(wanted.values()))
            rows = [dict(zip(COLUMNS, row, strict=True)) for row in found]
        return [row | {name: json.loads(row[name]) for name in PLAIN} for row in rows]

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        try:
            uri = f"{self.path.as_uri()}?mode=ro"
            with closing(sqlite3.connect(uri, uri=True, timeout=WAIT)) as connection:
                yield connection
        except sqlite3.DatabaseError as error:
            raise WorkspaceError(f"{self.path} cannot be read as a catalogue: {error}.") from error
