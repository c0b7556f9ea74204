"""What a running flow lends its steps: other tables, counts, stored intermediate tables, SQL."""

import weakref
from collections.abc import Iterable
from typing import Any

import ibis
import ibis.expr.operations as ops
import ibis.expr.types as ir

from workbench.columns import ROW
from workbench.data.connection import connect, new_name, quoted
from workbench.errors import FlowError, nearest

SHOWN = 5  # row numbers an error message lists


class Work:
    """The workshop of one run, on the process's DuckDB connection; its tables go when nobody needs them."""

    def __init__(self, tables: dict[str, ir.Table] | None = None):
        self.connection = connect()
        self.tables = dict(tables or {})

    def table(self, name: str) -> ir.Table:
        """Give a table that was passed to the flow beside the main one."""
        if name not in self.tables:
            raise FlowError(f"there is no table {name!r} beside this one.{nearest(name, self.tables)}")
        return self.tables[name]

    def numbers(self, table: ir.Table, **aggregates: Any) -> dict[str, Any]:
        """Compute several aggregates in one pass; sums over no rows come back as 0."""
        row = self.connection.to_pyarrow(table.aggregate(**aggregates)).to_pylist()[0]
        return {name: 0 if value is None else value for name, value in row.items()}

    def count(self, table: ir.Table) -> int:
        """Count rows."""
        return int(self.numbers(table, rows=table.count())["rows"])

    def rows_where(self, table: ir.Table, condition: ir.BooleanValue) -> list[int]:
        """Give the first few row numbers where a condition holds, for an error message."""
        found = table.filter(condition).select(ROW).order_by(ROW).limit(SHOWN)
        return self.connection.to_pyarrow(found)[ROW].to_pylist()

    def store(self, table: ir.Table) -> ir.Table:
        """Compute a table once and keep it in DuckDB, which spills to disk, until nothing refers to it any more."""
        if isinstance(table.op(), ops.DatabaseTable) and table.op().name in self._names():
            return table
        name = new_name("flow")
        self.connection.create_table(name, table)
        return self._adopt(name)

    def query(self, query: str, tables: dict[str, ir.Table]) -> ir.Table:
        """Store the result of a checked SELECT that knows the given tables by name."""
        stored = {name: self.store(table) for name, table in tables.items()}
        names = ", ".join(
            f"{quoted(name)} AS (SELECT * FROM {quoted(each.op().name)})" for name, each in stored.items()
        )
        result = new_name("flow")
        # The line break keeps a comment at the end of the query from swallowing the bracket.
        self.connection.con.execute(f"CREATE TABLE {quoted(result)} AS WITH {names} SELECT * FROM (\n{query}\n)")
        return self._adopt(result)

    def _names(self) -> Iterable[str]:
        return STORED

    def _adopt(self, name: str) -> ir.Table:
        table = self.connection.table(name)
        STORED.add(name)
        weakref.finalize(table.op(), _drop, self.connection, name).atexit = False
        return table


STORED: set[str] = set()  # names of tables that flows of this process have stored and not yet dropped


def _drop(connection: Any, name: str) -> None:
    # A cursor is its own connection: dropping through the shared one would close a result somebody is still reading.
    STORED.discard(name)
    with connection.con.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {quoted(name)}")


def need(table: ir.Table, *names: str) -> None:
    """Raise a FlowError that names the likely match unless every column exists."""
    for name in names:
        if name not in table.columns:
            present = [each for each in table.columns if each != ROW]
            raise FlowError(f"there is no column {name!r}.{nearest(str(name), present)}")


def texts(values: list[Any], what: str) -> list[str]:
    """Check that a list of names holds text only and repeats nothing."""
    for value in values:
        if not isinstance(value, str):
            raise FlowError(f"{what} must be names in text, got {value!r} ({type(value).__name__}).")
    repeated = {value for value in values if values.count(value) > 1}
    if repeated:
        raise FlowError(f"{what} names {sorted(repeated)} more than once.")
    return values


def numbered(table: ir.Table) -> ir.Table:
    """Put row numbers, counted from 1 in the table's order, before the other columns."""
    return table.select(
        (ibis.row_number() + 1).cast("int64").name(ROW), *[name for name in table.columns if name != ROW]
    )


def differ(new: ir.Column, old: ir.Column) -> ir.IntegerScalar:
    """Count rows whose value changed, nothing to something and back included."""
    return (~new.identical_to(old)).sum()


def as_text(column: ir.Column) -> ir.StringColumn:
    """Cast to text; text stays exactly as it is."""
    return column if column.type().is_string() else column.cast("string")
