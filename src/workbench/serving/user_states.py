"""What is known of a user when a request comes in: stored events and attributes, and live ones on top."""

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from workbench.columns import EVENT_TYPE, EVENT_VALUE
from workbench.serving.array_files import ArrayFolder
from workbench.serving.changed_tables import changed_table
from workbench.serving.column_files import NUMBER, StoredColumns
from workbench.serving.tables import USERS_TABLE, EntityTable, EventLog, UserState, Value, text_array

CODES_KEPT = 20_000  # positions of users asked for, so that nobody is searched for twice in a row
OWN_FIELDS = {  # of a live event, for columns that are no properties
    EVENT_TYPE: "event_type",
    EVENT_VALUE: "event_value",
    "RECOMMENDATION_ID": "recommendation_id",
    "EVENT_ATTRIBUTION_SOURCE": "source",
}


class Live(Protocol):
    """The part of `data.events.LiveEvents` that users' states are made of."""

    def user_events(self, user_id: str, after: int = 0) -> Sequence[Any]:
        """A user's or session's events with a sequence number above `after`, by time, then sequence."""

    def user_version(self, user_id: str) -> int:
        """Sequence number of the newest thing that concerns a user or session, 0 when there is none."""

    def user_of(self, session_id: str) -> str | None:
        """The user whom a session named last."""

    def changed_since(self, position: int) -> Any:
        """Users and sessions with something new after a position."""


class UserStates:
    """Looks users up in a deployment's arrays and in the live events.

    Events that were merged into the stored history are left out of the live ones, by their sequence number.

    Attributes:
        event_columns: column of an event to "number", "boolean" or "text".
        merged: sequence number of the newest live event that the stored history holds already.
    """

    def __init__(
        self,
        files: ArrayFolder,
        items: EntityTable,
        live: Live | None = None,
        changes: Mapping[str, Mapping[str, Value]] | None = None,
        merged: int = 0,
    ):
        """Open the arrays; nothing is read yet.

        Args:
            files: what `deployment_layout` wrote.
            items: the table whose codes live events get.
            live: None knows the stored events only.
            changes: user to attributes that were put live, by column name; put in place of the stored row.
            merged: sequence number of the newest live event that the stored history holds already.
        """
        self.items, self.live = items, live
        self.event_columns: dict[str, str] = files.about["events"]
        self.merged = merged
        self._ids = files.texts("users")
        self._codes: dict[str, int] = {}  # found before
        self._offsets, self._entities, self._times = files["offsets"], files["entities"], files["times"]
        self._has_row = files["has_row"]
        self._events = StoredColumns(files, "events", self.event_columns)
        self._attributes = StoredColumns(files, "users", files.about["users"])
        empty = dict.fromkeys(self._attributes)
        self.changes = {user: empty | row for user, row in (changes or {}).items()}
        self._columns = [(name, *self._events.raw(name)) for name in self.event_columns]
        self._fields = [(name, *self._attributes.raw(name)) for name in self._attributes]

    def __len__(self) -> int:
        return len(self._ids)

    @property
    def counts(self) -> np.ndarray:
        """Stored events by user, (n,) int64, in the order of `table`."""
        return np.diff(self._offsets)

    def code_of(self, user_id: str) -> int:
        """The position of a stored user, -1 for one known only live or not at all."""
        code = self._codes.get(user_id)
        if code is None:
            if len(self._codes) >= CODES_KEPT:
                self._codes.clear()
            code = self._codes[user_id] = self._ids.find(user_id)
        return code

    def state(self, user_id: str) -> UserState:
        """All that is known of one user, or of an anonymous session, live events included."""
        code = self._owner_code(user_id)
        return self._state(user_id, code, self._live_events(user_id, code))

    def states(self, user_ids: Iterable[str]) -> list[UserState]:
        """The states of many users, in their order; asks for live events only of those who have any."""
        wanted = list(user_ids)
        if self.live is None or self.live.position() == 0:
            return [self._state(each, self.code_of(each), (), quiet=True) for each in wanted]
        changed = self.live.changed_since(self.merged)
        touched = changed.users | changed.sessions
        found = []
        for each in wanted:
            code = self.code_of(each)
            found.append(self.state(each) if code < 0 or each in touched else self._state(each, code, ()))
        return found

    def attributes(self, user_id: str) -> dict[str, Value]:
        """A user's row of the users dataset or, where one was put, the live one; empty when unknown."""
        if user_id in self.changes:
            return dict(self.changes[user_id])
        return self._row(self.code_of(user_id))

    @cached_property
    def table(self) -> EntityTable:
        """The stored users and, behind them, those put live, with their newest attributes; built when first asked."""
        stored = EntityTable(USERS_TABLE, self._ids.array, self._attributes)
        if not self.changes:
            return stored
        more = [each for each in self.changes if self.code_of(each) < 0]
        return changed_table(stored, np.concatenate([stored.ids, text_array(more)]), self.changes)

    @cached_property
    def log(self) -> EventLog:
        """All stored events, one user after the other, oldest first; `users` are codes of `table`."""
        users = np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self._offsets))
        columns = {name: _decoded(values, texts, kind == NUMBER) for name, values, texts, kind in self._named()}
        return EventLog(self._entities, self._times, columns, users)

    @property
    def frame(self) -> Any:
        """The users' stored attributes, without live ones, as a pandas frame: USER_ID and one column an attribute."""
        import pandas as pd

        from workbench.columns import USER_ID

        columns = {name: [column.value(code) for code in range(len(self))] for name, column in self._attributes.items()}
        return pd.DataFrame({USER_ID: self._ids.array} | columns)

    def _named(self) -> list[tuple[str, np.ndarray, Any, str]]:
        return [(name, values, texts, self.event_columns[name]) for name, values, texts in self._columns]

    def _owner_code(self, user_id: str) -> int:
        """The position of a stored user, or of the one whom a session of this name has named."""
        code = self.code_of(user_id)
        if code < 0 and self.live is not None and (owner := self.live.user_of(user_id)) is not None:
            return self.code_of(owner)
        return code

    def _live_events(self, user_id: str, code: int) -> Sequence[Any]:
        """Nothing of somebody who is not stored was merged: anonymous sessions wait until they name a user."""
        return () if self.live is None else self.live.user_events(user_id, after=self.merged if code >= 0 else 0)

    def _state(self, user_id: str, code: int, live: Sequence[Any], quiet: bool = False) -> UserState:
        """One user; where it is `quiet`, nothing at all was ever put live, so nobody needs to be asked about."""
        stored = self._stored(code)
        events = _merged(stored, self._log_of(live)) if live else stored
        changed = self.changes.get(user_id)
        return UserState(
            user_id,
            self._row(code) if changed is None else changed,
            events,
            known=len(events) > 0,
            live=len(live),
            version=0 if quiet or self.live is None else self.live.user_version(user_id),
        )

    def _row(self, code: int) -> dict[str, Value]:
        if code < 0 or not self._has_row[code]:
            return {}
        return {name: _field(values[code], texts, self._attributes.kinds[name]) for name, values, texts in self._fields}

    def _stored(self, code: int) -> EventLog:
        start, stop = (int(self._offsets[code]), int(self._offsets[code + 1])) if code >= 0 else (0, 0)
        columns = {
            name: values[start:stop] if texts is None else texts.take(values[start:stop])
            for name, values, texts in self._columns
        }
        return EventLog(self._entities[start:stop], self._times[start:stop], columns)

    def _log_of(self, live: Sequence[Any]) -> EventLog:
        """Live events with the columns that stored ones have."""
        codes = [self.items.code_of(each.item_id) if each.item_id is not None else -1 for each in live]
        columns = {}
        for name, _, texts, _ in self._named():
            values = [_live_field(each, name) for each in live]
            columns[name] = _objects(values) if texts is not None else _floats(values)
        times = np.array([each.time for each in live], dtype=np.int64)
        return EventLog(np.array(codes, dtype=np.int32), times, columns)


def _merged(stored: EventLog, live: EventLog) -> EventLog:
    """Both logs in time order; at equal times stored events come first."""
    entities = np.concatenate([stored.entities, live.entities])
    times = np.concatenate([stored.times, live.times])
    columns = {name: np.concatenate([stored.columns[name], live.columns[name]]) for name in stored.columns}
    if len(stored) and live.times[0] < stored.times[-1]:
        order = np.argsort(times, kind="stable")
        return EventLog(entities[order], times[order], {name: values[order] for name, values in columns.items()})
    return EventLog(entities, times, columns)


def _live_field(event: Any, column: str) -> Value:
    if column == "IMPRESSION":
        return "|".join(event.impression) if event.impression else None
    return getattr(event, OWN_FIELDS[column]) if column in OWN_FIELDS else event.properties.get(column)


def _decoded(values: np.ndarray, texts: Any, number: bool) -> np.ndarray:
    return values if number or texts is None else texts.take(values)


def _field(value: Any, texts: Any, kind: str) -> Value:
    if texts is not None:
        return texts[int(value)] if value >= 0 else None
    if np.isnan(value):
        return None
    return float(value) if kind == NUMBER else bool(value)


def _objects(values: list[Value]) -> np.ndarray:
    found = np.empty(len(values), dtype=object)
    found[:] = [None if each is None else str(each) for each in values]
    return found


def _floats(values: list[Value]) -> np.ndarray:
    return np.array([np.nan if each is None else float(each) for each in values], dtype=np.float64)
