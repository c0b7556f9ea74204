"""Few aggregate passes over the event log: who, what and when, counted once for every check."""

from dataclasses import dataclass

import ibis
import numpy as np
import pandas as pd
from ibis import Table

from workbench.columns import ITEM_ID, USER_ID
from workbench.data.checks import event_counts as counts


@dataclass(frozen=True)
class EventFacts:
    """What an event log looks like; rows without user, item or time, or later than now, are left out
    here and counted by the checks `missing_ids` and `future_times`.

    rows: events looked at. acts: distinct (user, item, time). distinct_rows: distinct in every column.
    pairs: distinct (user, item). tied: events that share user and time with another item.
    units: rows per wrong time unit, such as {"milliseconds": 12}; times below are already in seconds.
    users, items: Ibis tables, one row per id: EVENTS, FIRST, LAST (epoch seconds).
    histories: EVENTS (history length), USERS, sorted. popularity: events per item, largest first.
    hours: WEEKDAY (0 Monday), HOUR (UTC), EVENTS. days: DAY (days since 1970-01-01 UTC), EVENTS, sorted.
    types: EVENT_TYPE, ROWS, or empty without that column.
    gaps: HOURS (upper border of a bucket; infinite for the last), EVENTS: time since the user's previous event.
    gap_users: how many users the gaps were measured on.
    first, last: oldest and newest time. border: events from here on are the newest tenth. All epoch seconds.
    midnight: events at exactly 00:00:00 UTC.
    log: Ibis table U, I, T, R (see `compact`), one row per event.
    """

    rows: int
    acts: int
    distinct_rows: int
    pairs: int
    tied: int
    units: dict[str, int]
    users: Table
    items: Table
    histories: pd.DataFrame
    popularity: np.ndarray
    hours: pd.DataFrame
    days: pd.DataFrame
    types: pd.DataFrame
    gaps: pd.DataFrame
    gap_users: int
    first: int
    last: int
    border: float
    midnight: int
    log: Table


def measure_events(table: Table, now: int) -> EventFacts:
    """Measure an event log.

    Args:
        table: USER_ID, ITEM_ID, TIMESTAMP and any further columns.
        now: epoch second that counts as the present.

    Returns:
        Exact counts. Rows and pairs are told apart by 64-bit hashes: in a log of twenty million rows the chance that
        even one pair is taken for another is about one in a hundred thousand.
    """
    rows = counts.known(table, now)
    log = counts.compact(rows)
    users, items = counts.activity(rows, USER_ID), counts.activity(rows, ITEM_ID)
    sizes = users.group_by("EVENTS").aggregate(USERS=users.count()).order_by("EVENTS").to_pandas()
    popularity = items.select("EVENTS").order_by(ibis.desc("EVENTS")).to_pandas()["EVENTS"].to_numpy()
    gaps, gap_users = counts.gaps(log)
    return EventFacts(
        **counts.totals(log),
        units=counts.wrong_units(table),
        users=users,
        items=items,
        histories=sizes,
        popularity=popularity,
        hours=counts.hours(log),
        days=counts.days(log),
        types=counts.event_types(table),
        gaps=gaps,
        gap_users=gap_users,
        log=log,
    )
