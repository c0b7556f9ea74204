"""The database of a dataset group's live events: SQLite in WAL mode, shared by several processes.

One database for each group and apart from the catalogue: events come by the thousand a second, and neither training
runs nor tuning studies, which write to the catalogue, should wait for them or they for those; a group's events can be
copied, measured and removed with its folder.

A writer takes SQLite's write lock first, so it never has to start over. A commit hands the log to the operating system
(synchronous=NORMAL), so a killed process loses nothing: that is durability "process". With "power" the call goes on to
sync the log after it has let go of the lock, and returns when that is done. SQLite itself would sync while it holds the
lock (synchronous=FULL), one writer after the other; so the syncs of several processes overlap. A checkpoint that comes
between is harmless: SQLite syncs the log before it copies from it, and the database before the log starts over.
"""

import contextlib
import os
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from workbench.data.events_records import DURABILITY, POWER
from workbench.errors import EventError, nearest

FOLDER = "events"
EVENTS = "events.db"
LAYOUT = 1  # raise it when the tables change their meaning
WAIT = 60  # seconds a writer waits for another one
CHECKPOINT = 4_000  # pages of 4 KiB in the log before they are copied into the database
SYNC = getattr(os, "fdatasync", os.fsync)  # without the file's times where the system can
STORE = "CREATE TABLE IF NOT EXISTS store(id TEXT NOT NULL, layout INTEGER NOT NULL)"
TABLES = """
CREATE TABLE IF NOT EXISTS sequence(n INTEGER NOT NULL);
INSERT INTO sequence SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM sequence);
CREATE TABLE IF NOT EXISTS event(
    seq INTEGER PRIMARY KEY, kind INTEGER NOT NULL, event_id TEXT NOT NULL, session_id TEXT NOT NULL, user_id TEXT,
    entity TEXT, time INTEGER NOT NULL, event_type TEXT NOT NULL, event_value REAL, recommendation_id TEXT,
    impression TEXT, source TEXT, properties TEXT, changed INTEGER NOT NULL, undone INTEGER NOT NULL DEFAULT 0,
    UNIQUE(event_id, kind));
CREATE INDEX IF NOT EXISTS event_user ON event(user_id, changed) WHERE user_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS event_anonymous ON event(session_id) WHERE user_id IS NULL;
CREATE INDEX IF NOT EXISTS event_recommendation ON event(recommendation_id) WHERE recommendation_id IS NOT NULL;
CREATE TABLE IF NOT EXISTS amendment(seq INTEGER, event INTEGER, PRIMARY KEY(seq, event)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS session(session_id TEXT PRIMARY KEY, user_id TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS entity(
    kind TEXT, id TEXT, seq INTEGER NOT NULL, properties TEXT NOT NULL, PRIMARY KEY(kind, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entity_seq ON entity(kind, seq);
"""


class EventStore:
    """Connections to one group's database, one for each thread and process that uses it.

    Attributes:
        path: the database's file.
        durability: "power" or "process".
        id: of this database; another one made in its place has another id, and its positions mean something else.
    """

    def __init__(self, path: Path, durability: str = POWER, tables: str = TABLES):
        """Open the database, or make it and its folder.

        Raises:
            EventError: the file is not such a database, or another version of the workbench laid it out.
        """
        if durability not in DURABILITY:
            raise EventError(f"There is no durability {durability!r}.{nearest(durability, DURABILITY)}")
        self.path, self.durability = path, durability
        self._local = threading.local()
        self._lock = threading.Lock()
        self._opened: list[tuple[int, sqlite3.Connection]] = []
        self._log: tuple[int, int] | None = None  # process and file number
        self.closed = False
        with self._mending("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self.id = self._require_layout(self.connection(), tables)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection; a forked process gets one of its own."""
        if self.closed:
            raise EventError(f"The live events in {self.path} were closed. Open them again with LiveEvents(...).")
        if getattr(self._local, "pid", None) != os.getpid():
            opened = sqlite3.connect(
                self.path, timeout=WAIT, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            opened.execute("PRAGMA journal_mode=WAL")
            opened.execute("PRAGMA synchronous=NORMAL")
            opened.execute(f"PRAGMA wal_autocheckpoint={CHECKPOINT}")
            self._local.connection, self._local.pid = opened, os.getpid()
            with self._lock:
                self._opened.append((os.getpid(), opened))
        return self._local.connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction that no other writer, in any process, can be inside of; durable when the block has ended."""
        with self._mending("store"):
            connection = self.connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                with contextlib.suppress(sqlite3.Error):  # a failed COMMIT may have rolled back already
                    connection.execute("ROLLBACK")
                raise
        if self.durability == POWER:
            self._sync_log()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One moment: everything read inside the block belongs to the same state."""
        with self._mending("read"):
            connection = self.connection()
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file; every connection of this process is closed."""
        with self._lock:
            self.closed = True
            if self._log is not None and self._log[0] == os.getpid():
                os.close(self._log[1])
            self._log = None
            for pid, connection in self._opened:
                if pid == os.getpid():
                    connection.close()
            self._opened.clear()

    def _sync_log(self) -> None:
        """Force the log to the disk: with it everything that was committed by now, whoever did it."""
        try:
            with self._lock:
                if self._log is None or self._log[0] != os.getpid():
                    # Nobody removes the log while a connection is open, and ours is; so this stays the right file.
                    self._log = (os.getpid(), os.open(f"{self.path}-wal", os.O_RDONLY))
            SYNC(self._log[1])
        except OSError as error:
            raise EventError(
                f"This call is stored in {self.path}, but may not survive a power cut: {error}. "
                "Mend the disk, then send the call again: what is there already is not stored twice."
            ) from error

    @contextmanager
    def _mending(self, doing: str) -> Iterator[None]:
        """Turn SQLite's errors into messages that say what is safe and what to do."""
        try:
            yield
        except (sqlite3.DatabaseError, OSError) as error:
            kept = "Nothing of this call was stored. " if doing == "store" else ""
            remedy = (
                "Another writer kept it locked; try again."
                if "locked" in str(error)
                else "Free some space or mend the disk or its permissions; if the file was overwritten, restore it."
            )
            raise EventError(f"Could not {doing} live events in {self.path}: {error}. {kept}{remedy}") from error

    def _require_layout(self, connection: sqlite3.Connection, tables: str) -> str:
        known = connection.execute("SELECT count(*) FROM sqlite_master WHERE name = 'store'").fetchone()[0]
        if not known:
            connection.execute("BEGIN IMMEDIATE")
            for statement in [STORE, *tables.split(";\n")]:
                connection.execute(statement)
            if not connection.execute("SELECT count(*) FROM store").fetchone()[
                0
            ]:  # another process may have come first
                connection.execute("INSERT INTO store VALUES (?, ?)", (secrets.token_hex(8), LAYOUT))
            connection.execute("COMMIT")
        found, layout = connection.execute("SELECT id, layout FROM store").fetchone()
        if layout != LAYOUT:
            raise EventError(
                f"{self.path} has layout {layout}; this version of the workbench reads layout {LAYOUT}. Install the "
                "version that made it."
            )
        return found
