"""A preparation as a list of named steps: checked before it runs, counted while it runs, the same every time.

A flow is plain data, `[{"step": "rename", "columns": {...}, "why": "..."}, ...]`, so it fits in a run sheet, in a
notebook cell and in a dataset's origin. The steps themselves live in `workbench.data.steps`.
"""

import hashlib
import time
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import ibis.expr.types as ir
import pandas as pd

from workbench.columns import ROW
from workbench.data.connection import quoted
from workbench.data.steps import REGISTRY, Outcome
from workbench.data.steps.work import Work, numbered
from workbench.errors import FlowError, nearest

RECORD_COLUMNS = (
    "STEP",
    "NAME",
    "ROWS_IN",
    "ROWS_OUT",
    "ROWS_REMOVED",
    "COLUMNS_ADDED",
    "COLUMNS_REMOVED",
    "CHANGED",
    "REASON",
    "SECONDS",
)


@dataclass(frozen=True)
class FlowResult:
    """What a flow made of a table.

    table: the prepared table, computed and kept in DuckDB, in file order, with the internal `_ROW`.
    record: one row per step: STEP (from 1), NAME, ROWS_IN, ROWS_OUT, ROWS_REMOVED (negative where a step added rows),
        COLUMNS_ADDED and COLUMNS_REMOVED (names joined with a comma), CHANGED (values), REASON, SECONDS.
    hash: of the content; the same rows and columns give the same hash, whatever their order, on any machine.
    """

    table: ir.Table
    record: pd.DataFrame
    hash: str


@dataclass
class Flow:
    """A list of steps that has been checked and can be run on any table.

    Args:
        steps: each a dict with "step" (a registered name), that step's options, and optionally "why", which goes
            into the record. The list is copied.

    Raises:
        FlowError: a step or option is unknown, missing or of the wrong type; the message names the likely one.
    """

    steps: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not isinstance(self.steps, list):
            raise FlowError(f"a flow is a list of steps, got {self.steps!r} ({type(self.steps).__name__}).")
        self.steps = deepcopy(self.steps)
        self._options = [_checked(number, each) for number, each in enumerate(self.steps, start=1)]
        self._last: FlowResult | None = None

    def run(self, table: ir.Table, tables: dict[str, ir.Table] | None = None) -> FlowResult:
        """Run all steps on a table.

        Args:
            table: an Ibis table on the workbench's connection, as `open_source(...).table`; gets `_ROW`, the row
                number from 1, unless it has one. Not changed.
            tables: further tables that `join`, `append` and `sql` know by name.

        Returns:
            The prepared table with its record and hash.

        Raises:
            FlowError: a step cannot run on this table; the message says which step and why.
        """
        work = Work(tables)
        current = work.store(table if ROW in table.columns else numbered(table))
        rows, record = work.count(current), []
        for number, given in enumerate(self.steps, start=1):
            before, started = current, time.perf_counter()
            chosen = REGISTRY[given["step"]]
            outcome = _run(work, number, given, self._options[number - 1], current)
            current = work.store(outcome.table) if chosen.heavy else outcome.table
            rows_in, rows = rows, rows if chosen.keeps_rows else work.count(current)
            record.append(_line(number, given, before, current, rows_in, rows, outcome, time.perf_counter() - started))
        final = _in_order(work, work.store(current))
        frame = pd.DataFrame(record, columns=list(RECORD_COLUMNS))
        self._last = FlowResult(final, frame, content_hash(final))
        return self._last

    def explain(self) -> pd.DataFrame:
        """Give the record of the last run: what each step did, to how many rows, and why.

        Raises:
            FlowError: the flow has not run yet.
        """
        if self._last is None:
            raise FlowError("this flow has not run yet, so there is nothing to explain; call run(table) first.")
        return self._last.record.copy()

    def plan(self) -> pd.DataFrame:
        """List the steps before they run: STEP, NAME, OPTIONS (as text), ABOUT, WHY."""
        rows = [
            {
                "STEP": number,
                "NAME": each["step"],
                "OPTIONS": ", ".join(f"{key}={value!r}" for key, value in each.items() if key not in ("step", "why")),
                "ABOUT": REGISTRY[each["step"]].about,
                "WHY": each.get("why", ""),
            }
            for number, each in enumerate(self.steps, start=1)
        ]
        return pd.DataFrame(rows, columns=["STEP", "NAME", "OPTIONS", "ABOUT", "WHY"])


def _checked(number: int, given: Any) -> dict[str, Any]:
    """The complete options of one step's dict."""
    if not isinstance(given, dict):
        raise FlowError(f"step {number} must be a dict such as {{'step': 'rename', …}}, got {given!r}.")
    if "step" not in given:
        raise FlowError(f"step {number} has no 'step' that names it: {given!r}.{nearest('', REGISTRY)}")
    name = given["step"]
    if name not in REGISTRY:
        raise FlowError(f"step {number}: unknown step {name!r}.{nearest(str(name), REGISTRY)}")
    return REGISTRY[name].complete(given, f"step {number} ({name})")


def _run(work: Work, number: int, given: dict[str, Any], options: dict[str, Any], table: ir.Table) -> Outcome:
    """Run one step; whatever goes wrong says where."""
    import duckdb
    from ibis.common.exceptions import IbisError

    name = given["step"]
    try:
        outcome = REGISTRY[name].function(work, table, **deepcopy(options))
        if ROW not in outcome.table.columns:
            raise FlowError(f"the internal column {ROW} is gone; leave it where it is.")
        return outcome
    except FlowError as error:
        raise FlowError(f"step {number} ({name}): {error}") from error
    except (duckdb.Error, IbisError) as error:
        columns = [each for each in table.columns if each != ROW]
        raise FlowError(f"step {number} ({name}): {error} The table's columns here: {columns}.") from error


def _line(
    number: int,
    given: dict[str, Any],
    before: ir.Table,
    after: ir.Table,
    rows_in: int,
    rows_out: int,
    outcome: Outcome,
    seconds: float,
) -> dict[str, Any]:
    """One row of the record."""
    return {
        "STEP": number,
        "NAME": given["step"],
        "ROWS_IN": rows_in,
        "ROWS_OUT": rows_out,
        "ROWS_REMOVED": rows_in - rows_out,
        "COLUMNS_ADDED": ", ".join(name for name in after.columns if name not in before.columns),
        "COLUMNS_REMOVED": ", ".join(name for name in before.columns if name not in after.columns),
        "CHANGED": int(outcome.changed),
        "REASON": "; ".join(filter(None, (given.get("why", ""), outcome.detail))),
        "SECONDS": round(seconds, 3),
    }


def _in_order(work: Work, table: ir.Table) -> ir.Table:
    """Sort a stored table by row number, unless it is; where rows were multiplied, number them anew.

    Rows that share a number get an order from their content, so that ties in time never depend on threads.
    """
    rising = table.select(UP=table[ROW] > table[ROW].lag())
    found = work.numbers(rising, rows=rising.count(), up=rising["UP"].sum())
    if found["up"] >= found["rows"] - 1:
        return table
    if work.numbers(table, n=table[ROW].nunique())["n"] == found["rows"]:
        return work.store(table.order_by(ROW))
    rest = [name for name in table.columns if name != ROW]
    return work.store(numbered(table.order_by([ROW, *rest])))


def content_hash(table: ir.Table) -> str:
    """Hash a stored table's rows and columns regardless of their order.

    Every row becomes an MD5 sum of its values with their lengths; the sums are added up, so the order of rows, threads
    and processes does not matter, and a repeated row counts twice. `_ROW` is left out.
    """
    names = sorted(name for name in table.columns if name != ROW)
    row = f"concat_ws('|', {', '.join(_value_text(name, table[name]) for name in names)})"
    query = (
        "SELECT count(*), coalesce(sum((m >> 64)::HUGEINT), 0), coalesce(sum((m & 18446744073709551615)::HUGEINT), 0) "
        f"FROM (SELECT md5_number({row}) AS m FROM {quoted(table.op().name)})"
    )
    found = Work().connection.con.execute(query).fetchone()
    types = [f"{name} {table[name].type().copy(nullable=True)}" for name in names]
    return hashlib.sha256("\n".join([*types, *map(str, found)]).encode()).hexdigest()


def _value_text(name: str, column: ir.Column) -> str:
    """SQL for a value such that different values never read alike: text carries its length, null is empty."""
    if column.type().is_numeric() or column.type().is_boolean():
        return f"coalesce({quoted(name)}::VARCHAR, '')"
    return f"coalesce(strlen({quoted(name)}::VARCHAR) || ':' || {quoted(name)}::VARCHAR, '')"
