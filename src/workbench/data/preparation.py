"""From sources to stored datasets: what to prepare, what it was before and is after, and which version it became."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import ibis
import ibis.expr.types as ir
import pandas as pd

from workbench.columns import (
    CREATION_TIMESTAMP,
    DAY,
    EVENT_TYPE,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    KINDS,
    ROW,
    TIMESTAMP,
    USER_ID,
    USERS,
)
from workbench.data.column_rules import likely
from workbench.data.connection import connect
from workbench.data.flow import Flow, FlowResult
from workbench.data.samples import SAMPLES, require_source
from workbench.data.sources import open_source
from workbench.data.steps.missing import is_missing
from workbench.data.workspace import Workspace
from workbench.errors import FlowError, ParameterError

VALID_NAME = re.compile(r"[A-Za-z_][A-Za-z\d_]*")
LENGTHS = [0, 1, 4, 9, 19, 49, 99, 199, 499, float("inf")]
LENGTH_NAMES = ["1", "2–4", "5–9", "10–19", "20–49", "50–99", "100–199", "200–499", "500+"]
EPOCH = datetime(1970, 1, 1)
YEAR_10000 = 253_402_300_800  # seconds
REPORT_ROWS = 10_000  # of a sample's table are looked at to describe its columns; its types are known already
MAPPINGS = {INTERACTIONS: "columns", ITEMS: "item_columns", USERS: "user_columns"}  # of the notebook's parameters
KEYS = {INTERACTIONS: (USER_ID, ITEM_ID, TIMESTAMP), ITEMS: (ITEM_ID,), USERS: (USER_ID,)}


@dataclass(frozen=True)
class Draft:
    """One dataset in the making.

    raw: the table as it came. report: one row per column: COLUMN, TYPE, RECOGNISED_AS, EXAMPLE, NOTE.
    flow: the steps to run. tables: further tables its steps may name. origin: goes into the dataset's version.
    """

    kind: str
    name: str
    raw: ir.Table
    report: pd.DataFrame
    flow: Flow
    tables: dict[str, ir.Table] = field(default_factory=dict)
    origin: dict[str, Any] = field(default_factory=dict)

    @property
    def before(self) -> ir.Table:
        """The raw table under the names that the flow gives its columns, to compare with what comes out."""
        table = self.raw
        for each in self.flow.steps:
            if each["step"] == "rename" and set(each["columns"]) <= set(table.columns):
                names = each["columns"]
                table = table.select([table[name].name(names.get(name, name)) for name in table.columns])
        return table

    def run(self) -> FlowResult:
        """Run the flow.

        Raises:
            FlowError: a step cannot run, or the steps leave no row.
        """
        result = self.flow.run(self.raw, self.tables)
        if len(result.record) and not result.record["ROWS_OUT"].iloc[-1]:
            worst = result.record.loc[result.record["ROWS_REMOVED"].idxmax()]
            raise FlowError(
                f"{self.name}: the steps leave no row; step {worst['STEP']} ({worst['NAME']}) removed "
                f"{worst['ROWS_REMOVED']:,} of {worst['ROWS_IN']:,}. Look at the columns it goes by in the source, "
                "or say other steps."
            )
        return result


def drafts(
    sources: Mapping[str, str],
    columns: Mapping[str, dict[str, str]],
    steps: Mapping[str, list[dict[str, Any]]],
    options: dict[str, Any] | None = None,
) -> dict[str, Draft]:
    """Open what a user named and decide which steps prepare it.

    Args:
        sources: dataset kind to path or URL; under "interactions" a sample's name opens all tables of that sample.
            Empty text leaves a kind out.
        columns: dataset kind to its column mapping (their name to ours); kinds may be missing.
        steps: dataset kind to steps; where empty, a sample's own flow or `default_steps`.
        options: how to read the interactions; see `open_source`.

    Returns:
        Dataset kind to its draft, interactions last, so a group is complete once they are stored.

    Raises:
        ParameterError: no source for the interactions, or a table without ids or times, and no steps to make them.
        SourceError: a source that cannot be opened.
    """
    given = {kind: source for kind, source in sources.items() if source}
    if INTERACTIONS not in given:
        raise ParameterError(f"source is empty: name the file of the interactions, or a sample: {', '.join(SAMPLES)}.")
    require_source(given[INTERACTIONS])
    found: dict[str, Draft] = {}
    if given.get(INTERACTIONS) in SAMPLES:
        found = _of_sample(given.pop(INTERACTIONS), columns, steps)
    opened = {}
    for kind, source in given.items():
        reading = (options or None) if kind == INTERACTIONS else None
        opened[kind] = open_source(source, columns=columns.get(kind) or None, options=reading)
    tables = {kind: draft.raw for kind, draft in found.items()} | {kind: each.table for kind, each in opened.items()}
    for kind, each in opened.items():
        if not steps.get(kind):
            _require_key(kind, each.name, each.table.columns)
        flow = Flow(steps.get(kind) or default_steps(kind, each.table.columns))
        others = {name: table for name, table in tables.items() if name != kind}
        origin = {"source": each.name, "columns": columns.get(kind) or {}, "flow": flow.steps}
        found[kind] = Draft(kind, each.name, each.table, each.report, flow, others, origin)
    return dict(sorted(found.items(), key=lambda pair: (pair[0] == INTERACTIONS, KINDS.index(pair[0]))))


def _require_key(kind: str, name: str, columns: tuple[str, ...]) -> None:
    """Refuse a table without its key columns before any step renames what the user has to map."""
    missing = [each for each in KEYS[kind] if each not in columns]
    if not missing or not _valid_names(columns):  # without renamed columns the schema's own check says it as well
        return
    known = {*KEYS[kind], ROW}
    free = [each for each in columns if each not in known]
    pairs = ", ".join(f"{likely(each, free) or 'its name'!r}: {each!r}" for each in missing)
    raise ParameterError(
        f"{name}: no column is {' or '.join(missing)}, which {kind} need. Its columns are "
        f"{', '.join(map(repr, free)) or 'none but those'}. Say which is which with {MAPPINGS[kind]}={{{pairs}}}."
    )


def _of_sample(
    name: str, columns: Mapping[str, dict[str, str]], steps: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Draft]:
    sample, found = SAMPLES[name], {}
    for kind in sample.kinds:
        raw = sample.table(kind)
        if columns.get(kind):
            raw = open_source(raw, columns=columns[kind]).table
        flow = Flow(steps.get(kind) or sample.flows[kind])
        # A sample's planted defects sit in its times too: they are described as they are, for the flow to mend.
        numbers = {each: "integer" for each in raw.columns if raw[each].type().is_integer()}
        report = open_source(raw.limit(REPORT_ROWS), options={"types": numbers}).report
        others = {each: sample.table(each) for each in sample.queries if each != kind}
        origin = {"sample": name, "table": kind, "flow": flow.steps}
        found[kind] = Draft(kind, f"{name}, {kind}", raw, report, flow, others, origin)
    return found


def default_steps(kind: str, columns: tuple[str, ...] | list[str]) -> list[dict[str, Any]]:
    """Say what any table of a kind needs before it is a dataset: valid names, filled ids, no copies.

    Args:
        kind: interactions, items or users.
        columns: the table's columns, after mapping.
    """
    steps: list[dict[str, Any]] = []
    names = _valid_names(columns)
    if names:
        steps.append({"step": "rename", "columns": names, "why": "column names of letters, digits and _ only"})
    key = [name for name in KEYS[kind] if name in columns]
    if key:
        steps.append({"step": "drop_missing", "columns": key, "why": "a row of nobody, about nothing or at no time"})
    if kind == INTERACTIONS:
        steps.append({"step": "drop_duplicates", "why": "the same event, in every column, written twice"})
    elif key:
        steps.append({"step": "drop_duplicates", "by": key, "keep": "last", "why": "the later row is the newer one"})
    return steps


def _valid_names(columns: tuple[str, ...] | list[str]) -> dict[str, str]:
    """New names for columns whose names no schema may hold."""
    taken = {name.casefold() for name in columns}
    renamed = {}
    for name in columns:
        if VALID_NAME.fullmatch(name):
            continue
        stem = re.sub(r"[^A-Za-z\d]+", "_", name).strip("_").upper() or "COLUMN"
        stem = stem if VALID_NAME.fullmatch(stem) else f"COLUMN_{stem}"
        new, number = stem, 1
        while new.casefold() in taken:
            number += 1
            new = f"{stem}_{number}"
        taken.add(new.casefold())
        renamed[name] = new
    return renamed


def group_name(group: str, source: str) -> str:
    """The dataset group to write into: the one given, else a name made of the source's."""
    if group:
        return group
    stem = Path(urlsplit(source).path).name.split(".")[0] if source not in SAMPLES else source
    return re.sub(r"[^A-Za-z\d_-]+", "-", stem).strip("-_")[:63] or "data"


def summary(before: ir.Table, after: ir.Table) -> pd.DataFrame:
    """Count a table before and after its preparation.

    Returns:
        FACT, BEFORE, AFTER (numbers as text with thousands grouped, times as dates; empty where there is no such
        column): rows, columns, users, items, event types, first and last time, missing values.
    """
    first, second = _facts(before), _facts(after)
    return pd.DataFrame(
        [(name, first.get(name, ""), second.get(name, "")) for name in dict.fromkeys([*first, *second])],
        columns=["FACT", "BEFORE", "AFTER"],
    )


def _facts(table: ir.Table) -> dict[str, str]:
    names = [name for name in table.columns if name != ROW]
    asked = {"rows": table.count()}
    asked |= {f"missing_{i}": is_missing(table[name]).sum() for i, name in enumerate(names)}
    distinct = {"users": USER_ID, "items": ITEM_ID, "event types": EVENT_TYPE}
    asked |= {word: table[name].nunique() for word, name in distinct.items() if name in names}
    timed = next((n for n in (TIMESTAMP, CREATION_TIMESTAMP) if n in names and table[n].type().is_integer()), None)
    if timed:
        asked |= {"first time": table[timed].min(), "last time": table[timed].max()}
    found = connect().to_pyarrow(table.aggregate(**asked)).to_pylist()[0]
    missing = sum(found.pop(f"missing_{i}") or 0 for i in range(len(names)))
    times = {word: _date(found.pop(word)) for word in ("first time", "last time") if word in found}
    counts = {"rows": found.pop("rows"), "columns": len(names), **found, "missing values": missing}
    return {word: f"{count:,}" for word, count in counts.items()} | times


def _date(seconds: int | None) -> str:
    """A time as UTC text; one beyond any calendar as the bare number."""
    if seconds is None:
        return ""
    if not 0 <= seconds < YEAR_10000:
        return f"{seconds} (no date)"
    return f"{EPOCH + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"


def histories(before: ir.Table, after: ir.Table) -> pd.DataFrame:
    """Sort users by their number of events: VALUE (range of lengths), BEFORE, AFTER (users)."""
    counts = {}
    for word, table in (("BEFORE", before), ("AFTER", after)):
        lengths = _counted(table, table[USER_ID]) if USER_ID in table.columns else pd.Series(dtype="int64")
        counts[word] = pd.cut(lengths, LENGTHS, labels=LENGTH_NAMES).value_counts().reindex(LENGTH_NAMES).to_numpy()
    return pd.DataFrame({"VALUE": LENGTH_NAMES, **counts})


def per_day(before: ir.Table, after: ir.Table) -> pd.DataFrame:
    """Count events per day (UTC): DAY, BEFORE, AFTER; a table without times in seconds counts none."""
    counts = {}
    for word, table in (("BEFORE", before), ("AFTER", after)):
        timed = TIMESTAMP in table.columns and table[TIMESTAMP].type().is_integer()
        days = _counted(table, table[TIMESTAMP] // DAY) if timed else pd.Series(dtype="int64")
        days.index = pd.to_datetime(days.index.astype("float64"), unit="D", errors="coerce")
        counts[word] = days[days.index.notna()]
    frame = pd.DataFrame(counts).sort_index()
    if len(frame):
        # One event a century away would stretch the axis until nothing can be read.
        if (left := frame.index[frame["AFTER"].notna()]).size:
            frame = frame.loc[left.min() : left.max()]
        frame = frame.reindex(pd.date_range(frame.index.min(), frame.index.max(), freq="D"))
    return frame.fillna(0).astype("int64").rename_axis("DAY").reset_index()


def _counted(table: ir.Table, values: ir.Column) -> pd.Series:
    """Rows per value, missing values left out."""
    named = table.select(VALUE=values)
    counted = named.filter(named["VALUE"].notnull()).group_by("VALUE").aggregate(N=ibis._.count())
    return connect().to_pandas(counted).set_index("VALUE")["N"]


def store(workspace: Workspace, group: str, draft: Draft, result: FlowResult) -> tuple[Any, bool]:
    """Write a prepared table as the next version, unless the newest version already holds the same.

    Returns:
        The dataset version and whether it is new.
    """
    if workspace.has_dataset(group, draft.kind):
        newest = workspace.dataset(group, draft.kind)
        if newest.origin.get("flow_hash") == result.hash:
            return newest, False
    origin = draft.origin | {"flow_hash": result.hash}
    return workspace.write_dataset(group, draft.kind, result.table, origin=origin), True
