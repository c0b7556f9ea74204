"""Which list a recommendationId stood for, so that an event that carries it tells what else was shown.

Lists are served far more often than events come, and losing a few costs a little exploration, no history. So `add` only
puts a list into memory; a thread writes what has gathered every 0.2 seconds, into a database beside the events'.
A killed process loses the lists of at most that last moment; events with their ids still count as events.
"""

import atexit
import contextlib
import json
import os
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workbench.data.events_group import GroupReader
from workbench.data.events_records import PROCESS
from workbench.data.events_store import FOLDER, EventStore
from workbench.errors import EventError

LISTS = "recommendations.db"
DELAY = 0.2  # seconds from the first list in memory to its writing
AT_ONCE = 500  # ids asked for in one statement
TABLES = """
CREATE TABLE IF NOT EXISTS list(id TEXT PRIMARY KEY, campaign TEXT NOT NULL, user_id TEXT, items TEXT NOT NULL,
    explored TEXT NOT NULL, time REAL NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS list_time ON list(time);
"""


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A list that was served.

    items: ids, best first. explored: for each of them whether exploration put it there. time: epoch seconds.
    """

    recommendation_id: str
    campaign: str
    user_id: str | None
    items: tuple[str, ...]
    explored: tuple[bool, ...]
    time: float


class RecommendationLog:
    """The lists that were served in one dataset group.

    Attributes:
        lost: lists that could not be written, because the disk was full for example.
    """

    def __init__(self, workspace: str | Path, group: str):
        """Open the log, or make it in an existing group.

        Raises:
            EventError: there is no such workspace or group.
        """
        root = Path(getattr(workspace, "path", workspace)).expanduser().resolve()
        GroupReader(root, group).close()
        self._store = EventStore(root / group / FOLDER / LISTS, PROCESS, TABLES)
        self._lock = threading.Lock()
        self._waiting: dict[str, tuple] = {}
        self._writing: dict[str, tuple] = {}
        self._pid = os.getpid()
        self.lost = 0
        atexit.register(self.close)

    def add(
        self,
        recommendation_id: str,
        campaign: str,
        user_id: str | None,
        items: Sequence[str],
        explored: Iterable[bool] = (),
    ) -> None:
        """Remember a list; it is on its way to the disk when the call returns, not there.

        Args:
            recommendation_id: a new one, 1 to 40 characters.
            campaign: its name.
            user_id: user or session.
            items: ids, best first.
            explored: for each item whether exploration put it there; empty for none.
        """
        row = (campaign, user_id, tuple(items), tuple(explored), time.time())
        with self._lock:
            if self._pid != os.getpid():  # a forked process: what waits belongs to its parent, whose thread is not here
                self._pid, self._waiting = os.getpid(), {}
            if not self._waiting:
                timer = threading.Timer(DELAY, self._flush_later)
                timer.daemon = True
                timer.start()
            self._waiting[recommendation_id] = row

    def get(self, recommendation_id: str) -> Recommendation | None:
        """The list that an id stood for, or None when no process has logged it."""
        return self.get_many([recommendation_id]).get(recommendation_id)

    def get_many(self, recommendation_ids: Iterable[str]) -> dict[str, Recommendation]:
        """The lists of several ids; unknown ones are left out."""
        wanted = list(dict.fromkeys(recommendation_ids))
        with self._lock:
            memory = self._writing | self._waiting
        found = {each: _recommendation(each, *memory[each]) for each in wanted if each in memory}
        with self._store.reading() as connection:
            for begin in range(0, len(wanted), AT_ONCE):
                part = wanted[begin : begin + AT_ONCE]
                marks = ",".join("?" * len(part))
                for id_, *row in connection.execute(f"SELECT * FROM list WHERE id IN ({marks})", part):
                    found.setdefault(id_, _recommendation(id_, *row[:2], *map(json.loads, row[2:4]), row[4]))
        return found

    def flush(self) -> None:
        """Write what has gathered; other processes see it then. A forked worker calls this before it ends."""
        with self._lock:
            rows, self._waiting = self._waiting, {}
            self._writing |= rows
        if rows:
            values = [(id_, *row[:2], _json(row[2]), _json(row[3]), row[4]) for id_, row in rows.items()]
            written = 0
            try:
                with self._store.writing() as connection:
                    connection.executemany("INSERT OR IGNORE INTO list VALUES (?, ?, ?, ?, ?, ?)", values)
                written = len(rows)
            finally:
                with self._lock:
                    self.lost += len(rows) - written
                    for id_ in rows:
                        self._writing.pop(id_, None)

    def _flush_later(self) -> None:
        with contextlib.suppress(EventError):  # nobody waits for this thread; `lost` counts
            self.flush()

    def forget(self, before: float) -> int:
        """Remove the lists served before a time (epoch seconds); returns how many."""
        self.flush()
        with self._store.writing() as connection:
            return connection.execute("DELETE FROM list WHERE time < ?", (before,)).rowcount

    def close(self) -> None:
        """Write what has gathered and let go of the file."""
        atexit.unregister(self.close)
        if self._pid == os.getpid() and not self._store.closed:
            self.flush()
        self._store.close()


def _recommendation(
    id_: str, campaign: str, user_id: str | None, items: Sequence[str], explored: Sequence[bool], moment: float
) -> Recommendation:
    flags = tuple(bool(each) for each in explored) or (False,) * len(items)
    return Recommendation(id_, campaign, user_id, tuple(items), flags, moment)


def _json(values: Sequence[Any]) -> str:
    return json.dumps([each if isinstance(each, str) else int(each) for each in values], ensure_ascii=False)
