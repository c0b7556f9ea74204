"""Columns of a stored dataset as arrays in files, laid out by code, and read back one by one on demand."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import numpy as np

from workbench.errors import nearest
from workbench.serving.array_files import ArrayFolder, ArrayWriter
from workbench.serving.tables import AnyColumn, NumberColumn, TextColumn
from workbench.serving.texts import Texts

NUMBER, BOOLEAN, TEXT, PROSE = "number", "boolean", "text", "prose"


def write_columns(
    writer: ArrayWriter, prefix: str, table: Any, rows: np.ndarray, leave: Collection[str], prose: Collection[str] = ()
) -> dict[str, str]:
    """Write the columns of an Arrow table in another order of rows.

    Args:
        writer: where to.
        prefix: put before each column's name.
        table: pyarrow.Table.
        rows: (n,) int64, the row of the table that each place gets, -1 for a missing value.
        leave: columns not to write.
        prose: columns of long text.

    Returns:
        Column name to "number", "boolean", "text" or "prose", for `StoredColumns`. Columns of other types, such as
        dates, are left out: no filter and no recipe reads them.
    """
    kinds = {}
    for name in table.column_names:
        if name not in leave and _is_plain(table.column(name).type):
            kinds[name] = _write(writer, f"{prefix}/{name}", table.column(name), rows, name in prose)
    return kinds


class StoredColumns(Mapping[str, AnyColumn]):
    """The columns that `write_columns` wrote, each opened when it is first asked for."""

    def __init__(self, files: ArrayFolder, prefix: str, kinds: Mapping[str, str]):
        self.kinds = dict(kinds)
        self._files, self._prefix = files, prefix
        self._open: dict[str, AnyColumn] = {}

    def __getitem__(self, name: str) -> AnyColumn:
        if name not in self._open:
            if name not in self.kinds:
                raise KeyError(f"no column {name!r}.{nearest(name, self.kinds)}")
            self._open[name] = self._read(name)
        return self._open[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.kinds)

    def __len__(self) -> int:
        return len(self.kinds)

    def __contains__(self, name: object) -> bool:
        return name in self.kinds

    def raw(self, name: str) -> tuple[np.ndarray, Texts | None]:
        """A column's array as it lies on disk, and the texts its codes stand for; None for numbers."""
        path = f"{self._prefix}/{name}"
        return self._files[path], None if self.kinds[name] in (NUMBER, BOOLEAN) else self._files.texts(path)

    def _read(self, name: str) -> AnyColumn:
        values, texts = self.raw(name)
        if texts is None:
            return NumberColumn(values, boolean=self.kinds[name] == BOOLEAN)
        return TextColumn(values, texts.array, textual=self.kinds[name] == PROSE)


def _is_plain(kind: Any) -> bool:
    import pyarrow.types as types

    kind = kind.value_type if types.is_dictionary(kind) else kind
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind)
    return number or types.is_boolean(kind) or types.is_string(kind) or types.is_large_string(kind)


def _write(writer: ArrayWriter, path: str, column: Any, rows: np.ndarray, prose: bool) -> str:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        values = pc.cast(column, pa.float64()).to_numpy()
        writer.put(path, taken(values.astype(np.float64), rows, np.nan))
        return BOOLEAN if pa.types.is_boolean(kind) else NUMBER
    codes, texts = encoded(column)
    writer.put(path, taken(codes, rows, -1))
    writer.put_texts(path, texts)
    return PROSE if prose else TEXT


def encoded(column: Any) -> tuple[np.ndarray, list[str]]:
    """An Arrow column of text as (n,) int32 codes, -1 where missing, and the texts they stand for."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    packed = whole if pa.types.is_dictionary(whole.type) else pc.dictionary_encode(whole)
    codes = pc.fill_null(packed.indices, pa.scalar(-1, packed.indices.type)).to_numpy(zero_copy_only=False)
    return codes.astype(np.int32), packed.dictionary.to_pylist()


def taken(values: np.ndarray, rows: np.ndarray, missing: float) -> np.ndarray:
    """The values at these rows, `missing` where the row is -1."""
    if not len(values):
        return np.full(len(rows), missing, dtype=values.dtype)
    found = values[rows]
    found[rows < 0] = missing
    return found
