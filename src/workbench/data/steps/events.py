"""Steps on events: map and drop event types, make events of ratings."""

from typing import Any

import ibis
import ibis.expr.types as ir

from workbench.columns import EVENT_TYPE, EVENT_VALUE, ROW
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.values import map_values
from workbench.data.steps.work import Work, as_text, need, numbered, texts
from workbench.errors import FlowError

COLUMN = Option("column", (str,), "Column with the event types.", EVENT_TYPE)


@step(
    "map_event_types",
    "Gives event types other names, so that spelling variants and near twins become one.",
    [
        Option("types", (dict,), "Old event type to new event type."),
        Option(
            "others",
            (str,),
            "Types that are not listed: kept, their events dropped, or an error.",
            "keep",
            ("keep", "drop", "fail"),
        ),
        COLUMN,
    ],
    {"types": {"view": "View", "product_view": "View", "buy": "Purchase"}, "others": "drop"},
)
def map_event_types(work: Work, table: ir.Table, *, types: dict[str, str], others: str, column: str) -> Outcome:
    """Map event types by exact text."""
    return map_values(work, table, column=column, values=types, others=others)


@step(
    "drop_event_types",
    "Drops the events of some types.",
    [Option("types", (list,), "Event types to drop."), COLUMN],
    {"types": ["ping", "heartbeat"]},
)
def drop_event_types(work: Work, table: ir.Table, *, types: list[str], column: str) -> Outcome:
    """Drop events; the record says how many each type had."""
    need(table, column)
    names = texts(types, "option 'types'")
    text = as_text(table[column])
    counts = work.numbers(table, **{f"n{i}": (text == name).sum() for i, name in enumerate(names)})
    found = ", ".join(f"{name}: {counts[f'n{i}']:,}" for i, name in enumerate(names))
    return Outcome(table.filter(text.isnull() | ~text.isin(names)) if names else table, 0, found)


@step(
    "ratings_to_events",
    "Makes events of ratings: a rating at or above a threshold becomes an event of that type.",
    [
        Option("column", (str,), "Column with the ratings."),
        Option("events", (dict,), "Event type to the smallest rating that makes one."),
        Option("all", (bool,), "A rating makes every event it reaches instead of only the highest.", False),
        Option("value", (str,), "Column that keeps the rating; empty: the rating goes.", EVENT_VALUE),
    ],
    {"column": "rating", "events": {"watch": 4, "click": 2}, "value": "EVENT_VALUE"},
)
def ratings_to_events(
    work: Work, table: ir.Table, *, column: str, events: dict[str, Any], all: bool, value: str
) -> Outcome:
    """Turn ratings into EVENT_TYPE and EVENT_VALUE; ratings below every threshold, and missing ones, go."""
    need(table, column)
    if EVENT_TYPE in table.columns:
        raise FlowError(f"the table already has {EVENT_TYPE}; drop or rename that column first.")
    if value and value != column and value in table.columns:
        raise FlowError(f"the table already has a column {value!r}; drop or rename it first, or set 'value'.")
    if not table[column].type().is_numeric():
        raise FlowError(f"column {column!r} holds {table[column].type()} values; cast it to a number first.")
    borders = _borders(events)
    rating = table[column]
    least = borders[-1][1]
    low = work.numbers(table, low=(rating < least).sum(), none=rating.isnull().sum())
    detail = f"{low['low']:,} ratings below {least:g}, {low['none']:,} missing"
    kept = table.filter(rating >= least)
    if all:
        parts = [
            kept.filter(kept[column] >= border).mutate(**{EVENT_TYPE: ibis.literal(name), "_AT": ibis.literal(at)})
            for at, (name, border) in enumerate(reversed(borders))
        ]
        made = work.store(numbered(ibis.union(*parts).order_by(ROW, "_AT")).drop("_AT"))
    else:
        reached = [(kept[column] >= border, ibis.literal(name)) for name, border in borders]
        made = kept.mutate(**{EVENT_TYPE: ibis.cases(*reached)})
    if not value:
        made = made.drop(column)
    elif value != column:
        made = made.rename({value: column})
    return Outcome(made, 0, detail)


def _borders(events: dict[str, Any]) -> list[tuple[str, float]]:
    """Event types with their thresholds, highest first."""
    if not events:
        raise FlowError("option 'events' is empty: give at least one event type with its smallest rating.")
    for name, border in events.items():
        if isinstance(border, bool) or not isinstance(border, int | float):
            raise FlowError(f"event {name!r}: the smallest rating must be a number, got {border!r}.")
    if len(set(events.values())) < len(events):
        raise FlowError(f"two events share one threshold: {events!r}.")
    return sorted(((str(name), border) for name, border in events.items()), key=lambda pair: -pair[1])
