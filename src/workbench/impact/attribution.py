"""Metric attribution: what each source of recommendations brought, per window of time.

Does what Amazon Personalize's metric attribution does: SUM and SAMPLECOUNT of up to ten metrics per source and
15-minute window, in its CSV format. Unlike it, any window is allowed, everything left out is counted and said, and
`workbench.impact.rates` adds the rates.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import (
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    ITEM_ID,
    RECOMMENDATION_ID,
    TIMESTAMP,
    VALUE,
)
from workbench.errors import AttributionError, nearest
from workbench.impact.attribution_metrics import MOST_METRICS, SAMPLECOUNT, Metric, read_metrics
from workbench.impact.attribution_sources import UNDEFINED, Campaigns, event_sources, source_problems
from workbench.impact.windows import QUARTER_HOUR, window_start

METRIC_NAME, MATH_FUNCTION = "METRIC_NAME", "MATH_FUNCTION"
HEADER = (METRIC_NAME, EVENT_TYPE, VALUE, MATH_FUNCTION, EVENT_ATTRIBUTION_SOURCE, TIMESTAMP)
MOST_SOURCES = 100  # Personalize refuses more


@dataclass(frozen=True)
class Attribution:
    """What the sources brought.

    table: one row per metric, source and window that had events: METRIC_NAME, EVENT_TYPE, VALUE (float),
        MATH_FUNCTION ("sum" or "samplecount"), EVENT_ATTRIBUTION_SOURCE, TIMESTAMP (start of the window, epoch
        seconds); ordered by metric as configured, then time, then source.
    notes: NOTE, COUNT, MEANING: everything a reader must know about what was counted and what was not.
    sources: the source of every event, indexed as the events.
    metrics: as parsed. window: its length in seconds.
    """

    table: pd.DataFrame
    notes: pd.DataFrame
    sources: pd.Series
    metrics: tuple[Metric, ...]
    window: int

    def totals(self) -> pd.DataFrame:
        """METRIC_NAME, EVENT_TYPE, MATH_FUNCTION, EVENT_ATTRIBUTION_SOURCE, VALUE over the whole time.

        Ordered by metric as configured, the largest source first.
        """
        keys = [METRIC_NAME, EVENT_TYPE, MATH_FUNCTION, EVENT_ATTRIBUTION_SOURCE]
        summed = self.table.groupby(keys, sort=False, as_index=False)[VALUE].sum()
        place = {metric.name: number for number, metric in enumerate(self.metrics)}
        order = summed.assign(_place=summed[METRIC_NAME].map(place)).sort_values(
            ["_place", VALUE, EVENT_ATTRIBUTION_SOURCE], ascending=[True, False, True], kind="stable"
        )
        return order.drop(columns="_place").reset_index(drop=True)


def attribute(
    events: pd.DataFrame,
    metrics: Sequence[Mapping[str, Any]] | Sequence[Metric],
    *,
    items: pd.DataFrame | None = None,
    campaigns: Campaigns = None,
    window: int = QUARTER_HOUR,
) -> Attribution:
    """Count and sum what each source brought, per window of time.

    Args:
        events: TIMESTAMP (epoch seconds), EVENT_TYPE, ITEM_ID for SUM(Items.…), EVENT_ATTRIBUTION_SOURCE and
            RECOMMENDATION_ID where there are such columns, and the columns summed. Repeated rows are counted as
            often as they stand there, and reported.
        metrics: as `read_metrics` takes or returns them.
        items: ITEM_ID and the numeric columns summed, one row per item.
        campaigns: which campaign made which recommendation, as `event_sources` takes it.
        window: its length in seconds.

    Raises:
        AttributionError: a metric cannot be read, or a column it needs is missing or not a number.
        ValueError: the window is not a whole number of seconds above zero.

    Source: Amazon Personalize developer guide, metric attribution.
    """
    parsed = [each if isinstance(each, Metric) else read_metrics([each])[0] for each in metrics]
    if len({metric.name for metric in parsed}) < len(parsed) or not parsed:
        parsed = read_metrics(list(metrics))  # says which name stands there twice, or that there is none
    for column in (TIMESTAMP, EVENT_TYPE):
        if column not in events.columns:
            raise AttributionError(f"The events have no column {column!r}.{nearest(column, events.columns)}")
    sources = event_sources(events, campaigns)
    starts = window_start(events[TIMESTAMP], window)
    parts, notes = [], _event_notes(events, sources)
    for metric in parsed:
        values = _values(metric, events, items)
        chosen = events[EVENT_TYPE].eq(metric.event_type).to_numpy()
        missing = chosen & np.isnan(values)
        counted = chosen & ~missing
        frame = pd.DataFrame(
            {
                METRIC_NAME: metric.name,
                EVENT_TYPE: metric.event_type,
                VALUE: values[counted],
                MATH_FUNCTION: metric.function,
                EVENT_ATTRIBUTION_SOURCE: sources.to_numpy()[counted],
                TIMESTAMP: starts[counted],
            }
        )
        keys = [METRIC_NAME, EVENT_TYPE, MATH_FUNCTION, TIMESTAMP, EVENT_ATTRIBUTION_SOURCE]
        parts.append(frame.groupby(keys, as_index=False)[VALUE].sum()[list(HEADER)])
        notes += _metric_notes(metric, events, int(chosen.sum()), int(missing.sum()))
    table = pd.concat(parts, ignore_index=True).astype({VALUE: float, TIMESTAMP: "int64"})
    if len(parsed) > MOST_METRICS:
        notes.append(("more than 10 metrics", len(parsed), f"Personalize would refuse; it takes {MOST_METRICS}."))
    return Attribution(
        table, pd.DataFrame(notes, columns=["NOTE", "COUNT", "MEANING"]), sources, tuple(parsed), int(window)
    )


def write_csv(table: pd.DataFrame, path: str | Path) -> Path:
    """Write an attribution's table in Personalize's format: its six columns, VALUE as a float, UTF-8, LF.

    Args:
        table: as `Attribution.table`.
        path: the file; its folder is made when absent.
    """
    place = Path(path)
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = place.with_name(place.name + ".tmp")
    table[list(HEADER)].to_csv(beside, index=False, lineterminator="\n")
    beside.replace(place)
    return place


def csv_name(method: str, timestamp: int) -> str:
    """The name Personalize gives such a file, such as "AggregatedAttributionMetrics - BULK - 1750000000.csv"."""
    return f"AggregatedAttributionMetrics - {method} - {int(timestamp)}.csv"


def _values(metric: Metric, events: pd.DataFrame, items: pd.DataFrame | None) -> np.ndarray:
    """What each event adds to a metric; NaN where there is nothing to add."""
    if metric.function == SAMPLECOUNT:
        return np.ones(len(events))
    if metric.table == "Interactions":
        return _numbers(metric, events, metric.column)
    if items is None:
        raise AttributionError(f"Metric {metric.name!r} sums Items.{metric.column}, and there is no items dataset.")
    if items[ITEM_ID].duplicated().any():
        twice = items.loc[items[ITEM_ID].duplicated(), ITEM_ID].iat[0]
        raise AttributionError(f"Item {twice!r} has several rows, so Items.{metric.column} has no one value. Keep one.")
    worth = pd.Series(_numbers(metric, items, metric.column), index=items[ITEM_ID].to_numpy())
    return events[ITEM_ID].map(worth).to_numpy(dtype=float)


def _numbers(metric: Metric, frame: pd.DataFrame, column: str) -> np.ndarray:
    if column not in frame.columns:
        raise AttributionError(
            f"Metric {metric.name!r}: there is no column {column!r} in {metric.table}.{nearest(column, frame.columns)}"
        )
    if not pd.api.types.is_numeric_dtype(frame[column]) or pd.api.types.is_bool_dtype(frame[column]):
        example = frame[column].dropna().iloc[:1].tolist()
        raise AttributionError(
            f"Metric {metric.name!r}: {metric.table}.{column} holds {frame[column].dtype} values such as {example}, "
            "and SUM needs numbers. Cast the column in the preparation."
        )
    return frame[column].to_numpy(dtype=float, na_value=np.nan)


def _event_notes(events: pd.DataFrame, sources: pd.Series) -> list[tuple[str, int, str]]:
    repeated = int(events.duplicated().sum())
    with_id = (
        events[RECOMMENDATION_ID].notna() if RECOMMENDATION_ID in events.columns else pd.Series(False, events.index)
    )
    undefined = sources.eq(UNDEFINED)
    unresolved = int((undefined & with_id).sum())
    notes = [
        ("events", len(events), "All events given."),
        ("sources", int(sources.nunique()), f"Different sources, {UNDEFINED} included where it occurs."),
        ("events without a source", int(undefined.sum()), f"They count as {UNDEFINED}."),
    ]
    if unresolved:
        notes.append(
            ("unknown recommendation ids", unresolved, "No campaign is known for them, so they have no source either.")
        )
    if repeated:
        notes.append(
            ("repeated events", repeated, "Counted as often as they stand there; drop_duplicates removes them.")
        )
    if sources.nunique() > MOST_SOURCES:
        notes.append(
            ("more than 100 sources", int(sources.nunique()), f"Personalize would refuse; it takes {MOST_SOURCES}.")
        )
    for name, count in source_problems(sources).items():
        notes.append(
            (
                "source name",
                int(count),
                f"Personalize would refuse {name[:60]!r}: not at most 1,024 printable ASCII letters.",
            )
        )
    return notes


def _metric_notes(metric: Metric, events: pd.DataFrame, chosen: int, missing: int) -> list[tuple[str, int, str]]:
    notes = []
    if not chosen:
        known = nearest(metric.event_type, events[EVENT_TYPE].dropna().unique())
        notes.append((f"{metric.name}: no events", 0, f"There is no event of type {metric.event_type!r}.{known}"))
    if missing:
        meaning = f"Events of type {metric.event_type} for which {metric.expression} finds no value; they add nothing."
        notes.append((f"{metric.name}: no value", missing, meaning))
    return notes
