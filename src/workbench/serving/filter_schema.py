"""The columns of a dataset group as filters see them, read from its newest datasets when a filter asks for them."""

from collections.abc import Iterator, Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    ACTIONS,
    EVENT_TYPE,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    TIMESTAMP,
    USER_ID,
    USERS,
)
from workbench.serving import filter_tree as tree
from workbench.serving.column_files import encoded
from workbench.serving.filters import check
from workbench.serving.tables import AnyColumn, EntityTable, NumberColumn, TextColumn, text_array

if TYPE_CHECKING:
    from workbench.data.versions import DatasetVersion
    from workbench.data.workspace import Workspace

TABLES = {tree.ITEMS: (ITEMS, ITEM_ID), tree.USERS: (USERS, USER_ID), tree.ACTIONS: (ACTIONS, ACTION_ID)}
_ONE_CONNECTION = Lock()  # threads that make filters share the one that reads schemas off
USES = {tree.USER_TARGET: "users", tree.ACTION_TARGET: "actions"}


class DatasetColumns(Mapping[str, AnyColumn]):
    """The columns of a stored dataset, each read when it is first asked for."""

    def __init__(self, version: "DatasetVersion", leave: str, prose: tuple[str, ...]):
        """Take the columns of a version without the ids in `leave`; `prose` names those of long text."""
        self._version, self._prose = version, prose
        self._types = {name: kind for name, kind in version.columns.items() if name != leave}
        self._read: dict[str, AnyColumn] = {}

    def __getitem__(self, name: str) -> AnyColumn:
        if name not in self._read:
            kind = kind_of(self._types[name])
            self._read[name] = _column(stored_column(self._version, name), kind, name in self._prose)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._types)

    def __len__(self) -> int:
        return len(self._types)

    def __contains__(self, name: object) -> bool:
        return name in self._types


def check_in_group(workspace: "Workspace", group: str, filter: tree.Filter) -> tuple[tuple[str, ...], dict[str, Any]]:
    """Hold a filter against the newest datasets of a group.

    Args:
        workspace, group: where the datasets are.
        filter: what `filters.parse` gave.

    Returns:
        Notices of `filters.check`, and the tables that it looked into.

    Raises:
        FilterError: see `filters.check`.
        WorkspaceError: there is no such group.
    """
    versions = workspace.training_data(group)
    domain = workspace.group(group)["domain"]
    tables = {name: _table(name, id_column, versions.get(kind), domain) for name, (kind, id_column) in TABLES.items()}
    use = use_of(filter)
    events = versions.get(ACTION_INTERACTIONS if use == "actions" else INTERACTIONS)
    columns, types = _events(events)
    return check(filter, tables, columns, use, event_types=types), tables


def use_of(filter: tree.Filter) -> str:
    """The kind of request that a filter is made for."""
    target = filter.expressions[0].target
    if target != tree.ITEM_TARGET:
        return USES[target]
    asked = [condition for part in filter.expressions for condition in (*tree.conditions(part.where), *part.when)]
    current = any(isinstance(value, tree.CurrentItem) for condition in asked for value in condition.values)
    return "related" if current else "recommend"


def kind_of(type_: str) -> str:
    """What a DuckDB type is to a filter."""
    if type_ == "BOOLEAN":
        return "boolean"
    return "category" if type_ == "VARCHAR" else "number"


def stored_column(version: "DatasetVersion", name: str) -> Any:
    """One column of a dataset as an Arrow array."""
    import pyarrow.parquet as pq

    from workbench.data.versions import DATA_FILE

    return pq.read_table(version.path / DATA_FILE, columns=[name]).column(name)


def _table(name: str, id_column: str, version: "DatasetVersion | None", domain: str | None) -> EntityTable | None:
    if version is None:
        return None
    from workbench.data.schemas import schema_for

    with _ONE_CONNECTION:
        schema = schema_for(TABLES[name][0], domain, version.table())
    prose = tuple(each.name for each in schema.fields if each.textual)
    ids = text_array(stored_column(version, id_column).to_pylist())
    return EntityTable(name, ids, DatasetColumns(version, id_column, prose))


def _column(values: Any, kind: str, prose: bool) -> AnyColumn:
    if kind == "category":
        codes, texts = encoded(values)
        return TextColumn(codes, text_array(texts), prose)
    import pyarrow as pa
    import pyarrow.compute as pc

    numbers = pc.cast(values, pa.float64()).to_numpy()
    return NumberColumn(np.asarray(numbers, dtype=np.float64), boolean=kind == "boolean")


def _events(version: "DatasetVersion | None") -> tuple[dict[str, str], list[str] | None]:
    """The columns of events and what they hold, and the types that there are; None where there is no column of them."""
    if version is None:
        return {}, None
    leave = (USER_ID, ITEM_ID, ACTION_ID, TIMESTAMP)
    kinds = {name: kind_of(kind) for name, kind in version.columns.items() if name not in leave}
    if EVENT_TYPE not in kinds:
        return kinds, None
    return kinds, [each for each in stored_column(version, EVENT_TYPE).unique().to_pylist() if each is not None]
