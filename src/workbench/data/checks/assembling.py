"""Facts and findings become the frames that a reader and the charts get."""

import json

import numpy as np
import pandas as pd

from workbench.columns import DAY, INTERACTIONS, ITEM_ID, USER_ID
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import CHECKS, SEVERITIES, Finding

FINDINGS = [
    "CHECK", "SEVERITY", "DATASET", "COLUMN", "NUMBER", "UNIT", "THRESHOLD", "MESSAGE", "BLOCKS", "STEP",
]  # fmt: skip
MOST_RANKS = 2_000  # points of the popularity curve


def findings_frame(found: list[tuple[str, Finding]]) -> pd.DataFrame:
    """One row per finding, blocking ones first, then in the order of the checks; columns as in FINDINGS."""
    rows = [
        (
            name, each.severity, each.dataset, each.column, float(each.number), each.unit, CHECKS[name].threshold,
            each.message.strip(), each.blocks, json.dumps(dict(each.step), ensure_ascii=False) if each.step else "",
        )
        for name, each in found
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=FINDINGS).astype({name: "str" for name in FINDINGS if name != "NUMBER"})
    place = frame["SEVERITY"].map({name: number for number, name in enumerate(SEVERITIES)}).astype("int64")
    return frame.iloc[np.argsort(place.to_numpy(), kind="stable")].reset_index(drop=True)


def statistics_frame(facts: Facts) -> pd.DataFrame:
    """One row per dataset: DATASET, ROWS, COLUMNS, COMPLETE_ROWS, USERS, ITEMS, FIRST, LAST (UTC, text)."""
    rows = []
    for kind, columns in facts.columns.items():
        row = {"DATASET": kind, "ROWS": columns.rows, "COLUMNS": len(columns.statistics)}
        row |= {"COMPLETE_ROWS": columns.complete, "USERS": None, "ITEMS": None, "FIRST": "", "LAST": ""}
        if kind == INTERACTIONS:
            ends = pd.to_datetime([facts.events.first, facts.events.last], unit="s")
            row |= {"USERS": int(facts.events.histories["USERS"].sum()), "ITEMS": len(facts.events.popularity)}
            if facts.events.rows:
                row |= dict(zip(("FIRST", "LAST"), ends.strftime("%Y-%m-%d %H:%M:%S"), strict=True))
        for key, name in ((USER_ID, "USERS"), (ITEM_ID, "ITEMS")):
            if kind != INTERACTIONS and key in facts.tables[kind].columns:
                row[name] = int(facts.tables[kind][key].nunique().to_pandas())
        rows.append(row)
    return pd.DataFrame(rows).astype({"USERS": "Int64", "ITEMS": "Int64"})


def series(facts: Facts) -> dict[str, pd.DataFrame]:
    """The frames behind the charts: popularity, hours, days, histories, gaps, drift, cutoff; empty without events."""
    events, rhythm = facts.events, facts.rhythm
    if events is None:
        empty = {
            "popularity": ["RANK", "EVENTS"], "hours": ["WEEKDAY", "HOUR", "EVENTS"], "days": ["DATE", "EVENTS"],
            "histories": ["EVENTS", "USERS"], "gaps": ["HOURS", "EVENTS"], "drift": ["LAG", "LOSS", "NOISE"],
            "cutoff": ["PERIODS", "LOSS"],
        }  # fmt: skip
        return {name: pd.DataFrame({column: [] for column in columns}) for name, columns in empty.items()}
    return {
        "popularity": popularity_frame(events.popularity),
        "hours": events.hours,
        "days": days_frame(events.days),
        "histories": events.histories,
        "gaps": events.gaps,
        "drift": rhythm.drift,
        "cutoff": rhythm.cutoff,
    }


def popularity_frame(counts: np.ndarray) -> pd.DataFrame:
    """RANK (from 1) and EVENTS of items; of more than MOST_RANKS items a selection, evenly spread on a log scale."""
    ranks = np.arange(1, len(counts) + 1)
    if len(counts) > MOST_RANKS:
        ranks = np.unique(np.geomspace(1, len(counts), MOST_RANKS).round().astype(int))
    return pd.DataFrame({"RANK": ranks, "EVENTS": counts[ranks - 1]})


def days_frame(days: pd.DataFrame) -> pd.DataFrame:
    """DATE (UTC) and EVENTS, one row per day from the first to the last; days without events say 0.

    Where a stray time would stretch this over more than 100 years, only days with events are listed.
    """
    if days.empty:
        return pd.DataFrame({"DATE": pd.to_datetime([]), "EVENTS": []})
    first, last = int(days["DAY"].iloc[0]), int(days["DAY"].iloc[-1])
    filled = days.set_index("DAY")["EVENTS"]
    if last - first <= 36_525:
        filled = filled.reindex(range(first, last + 1), fill_value=0)
    dates = pd.to_datetime(filled.index.to_numpy() * DAY, unit="s")
    return pd.DataFrame({"DATE": dates, "EVENTS": filled.to_numpy()})
