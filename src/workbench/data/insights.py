"""What is wrong with the data, what it blocks, and the flow step that mends it.

`insights` measures the tables of a dataset group once and lets every check of `workbench.data.checks` look at the
result. `mend` runs the steps of chosen findings through `workbench.data.flow`, so a mend is recorded like any other
preparation. All hours and days are UTC.
"""

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from ibis import Table
from tqdm.auto import tqdm

from workbench.columns import ACTION_INTERACTIONS, INTERACTIONS, KINDS
from workbench.data.checks import mends
from workbench.data.checks.assembling import findings_frame, series, statistics_frame
from workbench.data.checks.facts import gather
from workbench.data.checks.readiness import verdicts
from workbench.data.checks.registry import BLOCKS, CHECKS, WARNING, Finding
from workbench.data.connection import connect, new_name
from workbench.data.flow import RECORD_COLUMNS, Flow
from workbench.data.versions import DatasetVersion
from workbench.errors import ParameterError, SchemaError, nearest

ALL = "all"
Tables = Mapping[str, Table | DatasetVersion | pd.DataFrame]


@dataclass(frozen=True)
class Insights:
    """What the checks found.

    findings: one row per finding, most severe first; columns: CHECK, SEVERITY ("blocks", "warning",
        "info"), DATASET, COLUMN, NUMBER, UNIT, THRESHOLD, MESSAGE, BLOCKS, STEP. No row means the data is fine.
        STEP is the flow step that mends it as JSON text, empty when only the source can.
    statistics: DATASET, ROWS, COLUMNS, COMPLETE_ROWS, USERS, ITEMS, FIRST, LAST (text dates, UTC).
    columns: one row per column; see `workbench.data.checks.columns_pass.STATISTICS`.
    readiness: RECIPE, VERDICT, WHY.
    popularity: RANK, EVENTS of items, at most 2,000 ranks spread evenly on a log scale.
    hours: WEEKDAY (0 Monday), HOUR (UTC), EVENTS. days: DATE (UTC), EVENTS, days without events included.
    histories: EVENTS (history length), USERS. gaps: HOURS (upper border), EVENTS.
    drift: LAG, LOSS, NOISE. cutoff: PERIODS, LOSS. period: what both count in, such as "week"; empty when too short.
    checked: names of the checks that looked.
    """

    findings: pd.DataFrame
    statistics: pd.DataFrame
    columns: pd.DataFrame
    readiness: pd.DataFrame
    popularity: pd.DataFrame
    hours: pd.DataFrame
    days: pd.DataFrame
    histories: pd.DataFrame
    gaps: pd.DataFrame
    drift: pd.DataFrame
    cutoff: pd.DataFrame
    period: str
    checked: tuple[str, ...]


@dataclass(frozen=True)
class Mended:
    """Tables after their mends. record: the flow's record with DATASET in front. skipped: findings without a step."""

    tables: dict[str, Table]
    record: pd.DataFrame
    skipped: pd.DataFrame


def insights(
    tables: Tables,
    *,
    now: int | None = None,
    checks: Sequence[str] | None = None,
    seed: int = 0,
    progress: bool = False,
) -> Insights:
    """Check the datasets of a group.

    Args:
        tables: dataset kind to Ibis table, dataset version or pandas frame.
        now: epoch second that counts as the present; None for the clock.
        checks: names of the checks to run; None for all.
        seed: of the draws behind the noise of popularity's drift.
        progress: show a bar, one step per check.

    Raises:
        SchemaError: a table is of no known kind, lacks a key column, or its time is not a number.
        ValueError: an unknown check.
    """
    chosen = list(CHECKS) if checks is None else list(checks)
    _require_checks(chosen)
    if not tables:
        raise SchemaError(f"there is no table to check; give at least one of {', '.join(KINDS)}.")
    known = [kind for kind in KINDS if kind in tables] + [kind for kind in tables if kind not in KINDS]
    ready = {kind: as_table(tables[kind]) for kind in known}
    found: list[tuple[str, Finding]] = []
    with tqdm(total=len(chosen) + 1, desc="measuring", disable=not progress) as bar:
        facts = gather(ready, int(time.time()) if now is None else int(now), seed)
        for name in chosen:
            bar.update()
            bar.set_description(name)
            found += [(name, each) for each in CHECKS[name].find(facts)]
        bar.update()
    return Insights(
        findings=findings_frame(found),
        statistics=statistics_frame(facts),
        columns=facts.statistics,
        readiness=verdicts(facts, found),
        period=facts.rhythm.period if facts.rhythm is not None else "",
        checked=tuple(chosen),
        **series(facts),
    )


def mend(tables: Tables, findings: pd.DataFrame, checks: Sequence[str] = (ALL,)) -> Mended:
    """Apply the steps of chosen findings.

    Args:
        tables: what `insights` was given.
        findings: its findings, or some of their rows.
        checks: names of the checks whose findings to mend; "all" stands for every blocking finding and warning, so
            that mends of mere notes, such as a shorter history, are only made when named.

    Returns:
        All tables, mended or not. Units and ids are set right first, then rows go, then values change, then columns
        go; a step that two findings share runs once.

    Raises:
        ParameterError: a name that is no check.
        FlowError: a step cannot run on its table.
    """
    _require_checks([name for name in checks if name != ALL])
    by_name = findings["CHECK"].isin(list(checks))
    wanted = findings[by_name | (findings["SEVERITY"].isin([BLOCKS, WARNING]) & (ALL in checks))]
    ready = {kind: as_table(table) for kind, table in tables.items()}
    records = []
    # Descriptions before events, so that events are matched with mended ids.
    for kind in sorted(ready, key=lambda each: (each in (INTERACTIONS, ACTION_INTERACTIONS), each)):
        steps = mend_steps(wanted[wanted["DATASET"] == kind])
        if steps:
            beside = {name: each for name, each in ready.items() if name != kind}
            result = Flow(steps).run(ready[kind], tables=beside)
            ready[kind] = result.table
            records.append(result.record.assign(DATASET=kind))
    record = pd.concat(records, ignore_index=True) if records else pd.DataFrame(columns=["DATASET", *RECORD_COLUMNS])
    return Mended(
        {kind: ready[kind] for kind in tables},
        record[["DATASET", *RECORD_COLUMNS]],
        wanted[wanted["STEP"] == ""].reset_index(drop=True),
    )


def mend_steps(findings: pd.DataFrame) -> list[dict[str, Any]]:
    """The steps of one dataset's findings as a flow, each once and in an order that disturbs none."""
    texts = findings.loc[findings["STEP"] != ""].drop_duplicates("STEP")
    steps = [(mends.place(row.CHECK), json.loads(row.STEP)) for row in texts.itertuples()]
    return [step for _, step in sorted(steps, key=lambda each: each[0])]


def as_table(table: Table | DatasetVersion | pd.DataFrame) -> Table:
    """Give any of the accepted tables as an Ibis table on the process's own connection."""
    if isinstance(table, DatasetVersion):
        return table.table()
    if isinstance(table, Table) and table.get_backend() is connect():
        return table
    return connect().create_table(new_name("insights"), table, temp=True)


def _require_checks(names: Iterable[str]) -> None:
    for name in names:
        if name not in CHECKS:
            raise ParameterError(f"there is no check called {name!r}.{nearest(name, [*CHECKS, ALL])}")


def pick(findings: pd.DataFrame, *, dataset: str = "", search: str = "") -> pd.DataFrame:
    """Keep the findings of one dataset and those in which a text occurs, in any case; empty text keeps all.

    Raises:
        ParameterError: `dataset` is no kind of dataset.
    """
    if dataset and dataset not in KINDS:
        raise ParameterError(f"there is no dataset {dataset!r}.{nearest(dataset, KINDS)}")
    chosen = findings[findings["DATASET"] == dataset] if dataset else findings
    words = chosen[["CHECK", "SEVERITY", "COLUMN", "MESSAGE"]].agg(" ".join, axis=1) if len(chosen) else chosen["CHECK"]
    return chosen[words.str.contains(search, case=False, regex=False)].reset_index(drop=True)


def difference(before: pd.DataFrame, after: pd.DataFrame) -> pd.DataFrame:
    """Compare findings before and after mending.

    Returns:
        CHECK, DATASET, COLUMN, BEFORE, AFTER (the measured numbers, missing where there was no finding), UNIT and
        CHANGE: "mended", "new", "changed" or "as before"; what changed comes first.
    """
    keys = ["CHECK", "DATASET", "COLUMN", "UNIT"]
    left = before[[*keys, "NUMBER"]].rename(columns={"NUMBER": "BEFORE"})
    right = after[[*keys, "NUMBER"]].rename(columns={"NUMBER": "AFTER"})
    both = left.merge(right, on=keys, how="outer")
    change = pd.Series("changed", index=both.index, dtype="str")
    change = change.mask(both["BEFORE"] == both["AFTER"], "as before")
    change = change.mask(both["AFTER"].isna(), "mended").mask(both["BEFORE"].isna(), "new")
    place = change.map({"mended": 0, "new": 1, "changed": 2, "as before": 3})
    both = both.assign(CHANGE=change, _PLACE=place).sort_values(["_PLACE", *keys], ignore_index=True)
    return both[["CHECK", "DATASET", "COLUMN", "BEFORE", "AFTER", "UNIT", "CHANGE"]]


def catalogue() -> pd.DataFrame:
    """Every registered check: CHECK, SUBJECT, LOOKS_FOR, THRESHOLD, ORIGIN, TOUCHES."""
    rows = [(c.name, c.subject, c.looks_for, c.threshold, c.origin, ", ".join(c.touches)) for c in CHECKS.values()]
    return pd.DataFrame(rows, columns=["CHECK", "SUBJECT", "LOOKS_FOR", "THRESHOLD", "ORIGIN", "TOUCHES"])
