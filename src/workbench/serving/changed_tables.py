"""An entity table in another order, with more ids and with rows that were put live, without touching the old one."""

from collections.abc import Iterator, Mapping

import numpy as np

from workbench.serving.tables import AnyColumn, EntityTable, NumberColumn, TextColumn, Value, column_of, text_array


def changed_table(table: EntityTable, ids: np.ndarray, rows: Mapping[str, Mapping[str, Value]]) -> EntityTable:
    """The table for other ids, with some rows replaced.

    Args:
        table: as it was laid out; not changed.
        ids: (n,) object, the new order; ids that `table` does not know get what `rows` says, else missing values.
        rows: id to its whole new row by column; columns it does not name are missing then.

    Returns:
        A table whose columns are put together when they are first asked for. Columns that only `rows` have are new.
    """
    known = table.positions
    order = np.array([known.get(each, -1) for each in ids.tolist()], dtype=np.int64)
    places = {each: code for code, each in enumerate(ids.tolist()) if each in rows} if rows else {}
    replaced = {places[each]: row for each, row in rows.items() if each in places}
    return EntityTable(table.kind, ids, ChangedColumns(table.columns, order, replaced))


class ChangedColumns(Mapping[str, AnyColumn]):
    """Columns of another table, taken in an order, with whole rows replaced."""

    def __init__(self, columns: Mapping[str, AnyColumn], order: np.ndarray, rows: Mapping[int, Mapping[str, Value]]):
        self._columns, self._order, self._rows = columns, order, rows
        added = {name for row in rows.values() for name in row} - set(columns)
        self._names = dict.fromkeys([*columns, *sorted(added)])
        self._open: dict[str, AnyColumn] = {}

    def __getitem__(self, name: str) -> AnyColumn:
        if name not in self._open:
            if name not in self._names:
                raise KeyError(name)
            self._open[name] = self._put_together(name)
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def _put_together(self, name: str) -> AnyColumn:
        put = {code: row.get(name) for code, row in self._rows.items()}
        if name not in self._columns:
            return column_of([put.get(code) for code in range(len(self._order))])
        column = self._columns[name]
        return (
            _numbers(column, self._order, put) if isinstance(column, NumberColumn) else _texts(column, self._order, put)
        )


def _numbers(column: NumberColumn, order: np.ndarray, put: Mapping[int, Value]) -> NumberColumn:
    values = _taken(column.values, order, np.nan)
    for code, value in put.items():
        values[code] = np.nan if value is None else float(value)
    return NumberColumn(values, column.boolean)


def _texts(column: TextColumn, order: np.ndarray, put: Mapping[int, Value]) -> TextColumn:
    """Texts that no field had before come behind the vocabulary."""
    codes = _taken(column.codes, order, -1)
    wanted = dict.fromkeys(str(value) for value in put.values() if value is not None)
    known = {each: at for at, each in enumerate(column.vocabulary.tolist()) if each in wanted} if wanted else {}
    more = [each for each in wanted if each not in known]
    places = known | {each: len(column.vocabulary) + at for at, each in enumerate(more)}
    for code, value in put.items():
        codes[code] = -1 if value is None else places[str(value)]
    vocabulary = np.concatenate([column.vocabulary, text_array(more)]) if more else column.vocabulary
    return TextColumn(codes, vocabulary, column.textual)


def _taken(values: np.ndarray, order: np.ndarray, missing: float) -> np.ndarray:
    found = np.full(len(order), missing, dtype=values.dtype)
    kept = order >= 0
    found[kept] = values[order[kept]]
    return found
