"""What serving knows of items, users and events, as numpy arrays by code: no pandas, no text work in a request.

An entity's code is its position in the `ids` of its table. Text columns keep every whole field once, in a vocabulary.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np

from workbench.errors import ServingError, nearest
from workbench.serving.table_columns import AnyColumn, NumberColumn, TextColumn, Value, column_of, text_array

__all__ = [
    "ACTIONS_TABLE",
    "ITEMS_TABLE",
    "USERS_TABLE",
    "AnyColumn",
    "EntityTable",
    "EventLog",
    "NumberColumn",
    "TextColumn",
    "UserState",
    "Value",
    "column_of",
    "text_array",
]

ITEMS_TABLE, USERS_TABLE, ACTIONS_TABLE = "Items", "Users", "Actions"  # as filter expressions spell them


@dataclass(frozen=True, eq=False)
class EntityTable:
    """Items, users or actions with their attributes.

    kind: "Items", "Users" or "Actions", as filter expressions spell it.
    ids: (n,) object, text; the position is the code.
    columns: column name to its values, each of length n; the id is no column.
    """

    kind: str
    ids: np.ndarray
    columns: Mapping[str, AnyColumn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse columns that are longer or shorter than the ids; columns read on demand were checked when written."""
        for name, column in self.columns.items() if isinstance(self.columns, dict) else ():
            if len(column) != len(self.ids):
                raise ServingError(
                    f"Column {name} of {self.kind} has {len(column):,} values for {len(self.ids):,} ids; "
                    "give one value an id, NaN or -1 where it is missing."
                )

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def positions(self) -> dict[str, int]:
        """Id to code; built when first asked for."""
        found = dict(zip(self.ids.tolist(), range(len(self.ids)), strict=True))
        if len(found) != len(self.ids):
            raise ServingError(f"{self.kind} holds {len(self.ids) - len(found):,} ids twice; give every id one row.")
        return found

    def code_of(self, id: str) -> int:
        """The code of one id, -1 when it is unknown."""
        return self.positions.get(id, -1)

    def codes_of(self, ids: Iterable[str]) -> np.ndarray:
        """The codes of many ids, (m,) int32, -1 where unknown."""
        known = self.positions
        return np.array([known.get(each, -1) for each in ids], dtype=np.int32)

    def column(self, name: str) -> AnyColumn:
        """One column.

        Raises:
            ServingError: there is none of this name; the message names those there are.
        """
        if name not in self.columns:
            raise ServingError(f"{self.kind} has no column {name!r}.{nearest(name, self.columns)}")
        return self.columns[name]

    def value(self, code: int, column: str) -> Value:
        """One field: text, number or true/false; None where it is missing or the code is -1."""
        found = self.column(column)
        return None if code < 0 else found.value(code)

    def row(self, code: int) -> dict[str, Value]:
        """All fields of one entity by column; empty when the code is -1."""
        return {} if code < 0 else {name: column.value(code) for name, column in self.columns.items()}

    @classmethod
    def from_frame(cls, kind: str, ids: Iterable[str], frame: Any, id_column: str, textual: Iterable[str] = ()) -> Self:
        """Lay a frame's columns out by code.

        Args:
            kind: "Items", "Users" or "Actions".
            ids: the ids in the order of their codes; ids without a row in the frame get missing values, rows of other
                ids are left out.
            frame: pandas, one row an id; None when there are no attributes.
            id_column: the frame's column of ids, as text.
            textual: the columns that hold prose.

        Raises:
            ServingError: an id has two rows.
        """
        table = cls(kind, text_array(ids))
        if frame is None:
            return table
        known = table.positions
        rows = np.full(len(table), -1, dtype=np.int64)
        for row, each in enumerate(frame[id_column].tolist()):
            code = known.get(each, -1)
            if code >= 0 and rows[code] >= 0:
                raise ServingError(
                    f"{id_column} {each!r} stands in rows {rows[code] + 1} and {row + 1} of {kind}; give it one row."
                )
            if code >= 0:
                rows[code] = row
        prose = set(textual)
        names = [name for name in frame.columns if name != id_column]
        columns = {name: column_of(frame[name].tolist(), rows, name in prose) for name in names}
        return cls(kind, table.ids, columns)


@dataclass(frozen=True, eq=False)
class EventLog:
    """Events, oldest first.

    entities: (m,) int32 codes of the items (or actions) in their table, -1 where unknown.
    times: (m,) int64 epoch seconds.
    columns: each (m,): EVENT_TYPE object text (None where missing), EVENT_VALUE float64, further ones of the dataset.
    users: (m,) int32 codes in a table of users, for logs of many users; None for the log of one.
    """

    entities: np.ndarray
    times: np.ndarray
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    users: np.ndarray | None = None

    def __post_init__(self) -> None:
        """Refuse arrays of different lengths."""
        arrays = {"times": self.times, **self.columns} | ({} if self.users is None else {"users": self.users})
        for name, values in arrays.items():
            if len(values) != len(self.entities):
                raise ServingError(
                    f"{name} of an event log has {len(values):,} values for {len(self.entities):,} events; "
                    "give one an event."
                )

    def __len__(self) -> int:
        return len(self.entities)

    @classmethod
    def empty(cls) -> Self:
        """A log without events."""
        return cls(np.zeros(0, dtype=np.int32), np.zeros(0, dtype=np.int64))


@dataclass(frozen=True, eq=False)
class UserState:
    """All that is known of one user when a request comes in.

    user_id: as the request gives it; a session id for somebody anonymous.
    attributes: the user's row of the users dataset and live changes to it; empty when unknown.
    events: stored and live ones, oldest first.
    known: whether there is any event.
    live: how many of the events are live ones.
    version: sequence number of the newest live event that concerns this user, 0 when there is none.
    """

    user_id: str
    attributes: Mapping[str, Value] = field(default_factory=dict)
    events: EventLog = field(default_factory=EventLog.empty)
    known: bool = False
    live: int = 0
    version: int = 0
