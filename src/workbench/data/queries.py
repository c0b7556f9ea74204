"""Give any table a name on the DuckDB connection, so that plain SQL can run over it."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ibis
import ibis.expr.types as ir
import pandas as pd
import pyarrow as pa

from workbench.columns import ROW
from workbench.data.connection import connect
from workbench.errors import SchemaError

AnyTable = ir.Table | pd.DataFrame


@contextmanager
def named(table: AnyTable) -> Iterator[tuple[Any, str]]:
    """Make a temporary view of a table.

    Args:
        table: an Ibis table of any backend, or a pandas frame (whose rows get numbers, when they have none).

    Yields:
        The Ibis DuckDB backend and the view's name on it; the view is gone after the block.

    Raises:
        SchemaError: the frame has a column name twice, or mixes types in one column.
    """
    expression = numbered_frame(table) if isinstance(table, pd.DataFrame) else table
    backends = expression._find_backends()[0]
    backend = backends[0] if backends and backends[0].name == "duckdb" else connect()
    if backends and backends[0].name != "duckdb":
        expression = ibis.memtable(expression.to_pyarrow())
    empty = [column for column, type_ in expression.schema().items() if type_.is_null()]
    expression = expression.cast(dict.fromkeys(empty, "string"))  # DuckDB would call them integers
    name = f"workbench_{secrets.token_hex(6)}"
    backend.create_view(name, expression)
    try:
        yield backend, name
    finally:
        backend.drop_view(name)


def numbered_frame(frame: pd.DataFrame) -> ir.Table:
    """An in-memory Ibis table of a frame, with `_ROW` counted from 1 where the frame has none."""
    names = [str(name) for name in frame.columns]
    folded = pd.Series(names).str.casefold()
    twice = [name for name, again in zip(names, folded.duplicated(keep=False), strict=True) if again]
    if twice:
        raise SchemaError(f"The column names {twice} differ in nothing but case, or not at all. Rename one of each.")
    numbers = {} if ROW in names else {ROW: range(1, len(frame) + 1)}
    copy = frame.set_axis(names, axis=1).assign(**numbers).reset_index(drop=True)
    return ibis.memtable(pa.table({name: _arrow(name, copy[name]) for name in copy.columns}))


def _arrow(name: str, values: pd.Series) -> pa.Array:
    if values.dtype.name == "object":
        _require_one_type(name, values)
    try:
        return pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        raise SchemaError(
            f"Column {name} cannot be stored: {error}. Make it text, whole numbers or numbers."
        ) from error


def _require_one_type(name: str, values: pd.Series) -> None:
    types = values.dropna().map(lambda value: type(value).__name__)
    if types.nunique() > 1:
        first = {kind: int(types.index[types == kind][0]) + 1 for kind in sorted(types.unique())}
        raise SchemaError(
            f"Column {name} mixes types: {', '.join(f'{kind} (first in row {row})' for kind, row in first.items())}. "
            f"Make it one type, such as frame[{name!r}].astype(str)."
        )
