"""What the catalogue says about a dataset group, read quickly: whether it is there, its columns, what was merged.

Live events are taken in by short-lived processes too, so this reads the catalogue with Python's own sqlite3, without
SQLAlchemy, pandas or Ibis, and never writes to it.
"""

import json
import os
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import EventError, nearest

CATALOG = "catalog.db"  # the names below are those of `catalogue`; a test holds them equal
GROUP = "dataset group"
DATASET = "dataset"
ORIGIN = "live_events"  # key in a dataset version's origin


@dataclass(frozen=True)
class GroupFacts:
    """domain: of the group, None for a custom one. columns: dataset kind to its newest version's columns and types."""

    domain: str | None = None
    columns: dict[str, dict[str, str]] = field(default_factory=dict)


class GroupReader:
    """Reads one group's rows of a workspace's catalogue; asks again only when the catalogue has changed."""

    def __init__(self, root: Path, group: str):
        """Find the group.

        Raises:
            EventError: there is no workspace, or no such group in it; the message names those there are.
        """
        self.root, self.group = root, group
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._pid = self._seen = 0
        self._facts = GroupFacts()
        self.facts()

    def facts(self) -> GroupFacts:
        """Domain and columns as of now."""
        with self._lock:
            connection = self._open()
            seen = connection.execute("PRAGMA data_version").fetchone()[0]
            if seen != self._seen:
                self._facts = self._read(connection)
                self._seen = seen
            return self._facts

    def origin(self, kind: str) -> dict[str, Any]:
        """Where the newest version of a dataset came from; empty when there is no version."""
        with self._lock:
            row = self._open().execute(
                'SELECT config FROM resources WHERE kind = ? AND "group" = ? AND name = ? '
                "ORDER BY version DESC LIMIT 1",
                (DATASET, self.group, kind),
            )
            return json.loads((row.fetchone() or ("{}",))[0])

    def close(self) -> None:
        """Let go of the catalogue's file."""
        with self._lock:
            if self._connection is not None and self._pid == os.getpid():
                self._connection.close()
            self._connection = None

    def _open(self) -> sqlite3.Connection:
        if self._connection is None or self._pid != os.getpid():  # a connection must not be used across a fork
            file = self.root / CATALOG
            if not file.is_file():
                raise EventError(
                    f"There is no workspace in {self.root}: it holds no {CATALOG}. Name a workspace's folder, or make "
                    "one with Workspace(path)."
                )
            self._connection = sqlite3.connect(
                f"{file.as_uri()}?mode=ro", uri=True, timeout=60, check_same_thread=False
            )
            self._pid, self._seen = os.getpid(), 0
        return self._connection

    def _read(self, connection: sqlite3.Connection) -> GroupFacts:
        try:
            groups = dict(connection.execute("SELECT name, config FROM resources WHERE kind = ?", (GROUP,)))
            rows = connection.execute(
                'SELECT name, facts FROM resources WHERE kind = ? AND "group" = ? ORDER BY version',
                (DATASET, self.group),
            ).fetchall()
        except sqlite3.DatabaseError as error:
            raise EventError(
                f"{self.root / CATALOG} cannot be read as a catalogue: {error}. Name a workspace's folder."
            ) from error
        if self.group not in groups:
            raise EventError(
                f"There is no dataset group {self.group!r} in {self.root}.{nearest(self.group, groups)} "
                "Make it with Workspace(path).create_group(name)."
            )
        columns = {name: json.loads(facts).get("columns", {}) for name, facts in dict(rows).items()}
        return GroupFacts(json.loads(groups[self.group]).get("domain"), columns)
