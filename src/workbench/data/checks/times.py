"""Is time right: units, future and ancient times, dates without hours, holes, ties, bursts."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pandas as pd

from workbench.columns import CREATION_TIMESTAMP, DAY, HOUR, INTERACTIONS, ITEM_ID, ITEMS, TIMESTAMP
from workbench.data.checks import mends
from workbench.data.checks.event_counts import seconds, wrong_units
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import (
    ALL_RECIPES,
    BLOCKS,
    INFO,
    OURS,
    RULES,
    SAMPLES,
    WARNING,
    Finding,
    check,
    count,
    percent,
    share,
)

ANCIENT = 631_152_000  # 1990-01-01 00:00:00 UTC: before anybody clicked
MIDNIGHT_SHARE = 50.0  # per cent of the events
TIED_SHARE = 10.0  # per cent of the events
BURST_HOURS, BURST_EVENTS = 1.0, 10
HOLE_DAYS = 7


def day(epoch: float) -> str:
    """A date for a message."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%d")


@check(
    "milliseconds",
    looks_for="times in milliseconds or finer where seconds are expected",
    threshold="100,000,000,000 or more",
    origin=f"{RULES}: epoch seconds; as seconds this size is the year 5138",
    touches=("order", "time"),
)
def milliseconds(facts: Facts) -> Iterator[Finding]:
    """Mixed units put a few events far into the future, where they count as the newest."""
    for row in facts.with_role("time").itertuples():
        column = facts.tables[row.DATASET][row.COLUMN]
        if not column.type().is_numeric() or pd.isna(row.HIGHEST) or row.HIGHEST < 10**11:
            continue
        units = wrong_units(facts.tables[row.DATASET], row.COLUMN)
        found = sum(units.values())
        blocks = row.DATASET == INTERACTIONS
        listed = ", ".join(f"{count(rows)} in {unit}" for unit, rows in units.items())
        yield Finding(
            BLOCKS if blocks else WARNING, row.DATASET, row.COLUMN, found, "rows",
            f"{count(found)} of {count(row.ROWS)} times are too large to be seconds: {listed}. Divide them. "
            "Every other check reads them in their true unit.",
            ALL_RECIPES if blocks else "",
            mends.to_seconds(row.COLUMN),
        )  # fmt: skip


@check(
    "future_times",
    looks_for="events later than now",
    threshold="any",
    origin=OURS,
    touches=("order", "time"),
)
def future_times(facts: Facts) -> Iterator[Finding]:
    """They pull the end of the log away from the present, and every split by time with it."""
    for row in facts.with_role("time").query("COLUMN == @TIMESTAMP").itertuples():
        column = facts.tables[row.DATASET][row.COLUMN]
        found = int((seconds(column.cast("int64")) > facts.now).cast("int64").sum().to_pandas() or 0)
        if found:
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, found, "rows",
                f"{count(found)} event(s) are later than {day(facts.now)} (now). Look for a wrong clock, day and month "
                "exchanged, or a planned date; mend at the source or drop them.",
                step=mends.drop_future(facts.now),
            )  # fmt: skip


@check(
    "ancient_times",
    looks_for="events before 1990, zero and negative times",
    threshold="any before 1990-01-01",
    origin=OURS,
    touches=("order", "time"),
)
def ancient_times(facts: Facts) -> Iterator[Finding]:
    """Usually a missing time stored as 0, days instead of seconds, or just an order of events."""
    for row in facts.with_role("time").query("COLUMN == @TIMESTAMP").itertuples():
        column = facts.tables[row.DATASET][row.COLUMN]
        found = int((column < ANCIENT).cast("int64").sum().to_pandas() or 0)
        if found:
            everything = found == row.ROWS - row.MISSING
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, found, "rows",
                f"{count(found)} event(s) are before 1990; the smallest time is {row.LOWEST:.0f}. "
                + ("If these are only ranks, their order is used and their dates mean nothing." if everything
                   else "A time of 0 usually stands for a missing one."),
                step={} if everything else mends.drop_where(f'"{row.COLUMN}" < {ANCIENT}', "times before 1990"),
            )  # fmt: skip


@check(
    "times_without_hours",
    looks_for="dates without a time of day",
    threshold="50 % of events at exactly 00:00:00 UTC",
    origin=OURS,
    touches=("order",),
)
def times_without_hours(facts: Facts) -> Iterator[Finding]:
    """The order within a day is then only the order of the file."""
    events = facts.events
    if events is None or not events.rows or events.first == events.last:
        return
    found = share(events.midnight, events.rows)
    if found >= MIDNIGHT_SHARE:
        yield Finding(
            WARNING, INTERACTIONS, TIMESTAMP, found, "% of events",
            f"{percent(found)} of the events happened at exactly 00:00:00 UTC: these are dates. Within a day the order "
            "of the file is taken for the order of events; import the time of day if there is one.",
        )  # fmt: skip


@check(
    "tied_times",
    looks_for="users with several items in the same second",
    threshold="10 % of events",
    origin=OURS,
    touches=("order",),
)
def tied_times(facts: Facts) -> Iterator[Finding]:
    """Baskets are like this, and ratings forms; recipes that learn from order learn the file's order there."""
    events = facts.events
    if events is None or not events.rows or events.first == events.last:
        return
    found = share(events.tied, events.rows)
    if found >= TIED_SHARE:
        yield Finding(
            WARNING, INTERACTIONS, TIMESTAMP, found, "% of events",
            f"{percent(found)} of the events share user and second with another item, so their order is unknown and "
            "the file's order stands in. Do not read much into metrics on each user's very last item.",
        )  # fmt: skip


@check(
    "short_lives",
    looks_for="whole histories made in one sitting",
    threshold="half of the users with 10 or more events are done within one hour",
    origin=OURS,
    touches=("order",),
)
def short_lives(facts: Facts) -> Iterator[Finding]:
    """Then the log holds one visit per user, and says little about what they come back for."""
    if facts.events is None:
        return
    users = facts.events.users
    long = users.filter(users["EVENTS"] >= BURST_EVENTS)
    counted = long.aggregate(
        users=long.count(), brief=(long["LAST"] - long["FIRST"] <= BURST_HOURS * HOUR).cast("int64").sum()
    )
    row = counted.to_pandas().iloc[0].fillna(0)
    found = share(row["brief"], row["users"])
    if found >= 50 and facts.events.first != facts.events.last:
        yield Finding(
            WARNING, INTERACTIONS, TIMESTAMP, found, "% of users with 10 or more events",
            f"{percent(found)} of these users made all their events within one hour, as when filling in a form. "
            "The order of such events reflects the page more than the person.",
        )  # fmt: skip


@check(
    "holes",
    looks_for="days without any event",
    threshold="7 days in a row",
    origin=OURS,
    touches=("time",),
)
def holes(facts: Facts) -> Iterator[Finding]:
    """A hole is often a failed export; popularity after it looks like a sudden change."""
    if facts.events is None or len(facts.events.days) < 2:
        return
    days = facts.events.days["DAY"]
    empty = days.diff().fillna(1) - 1
    if empty.max() >= HOLE_DAYS:
        longest = empty.idxmax()
        start = (int(days[longest]) - int(empty[longest])) * DAY
        yield Finding(
            WARNING, INTERACTIONS, TIMESTAMP, float(empty.max()), "days",
            f"{count(empty.sum())} days lack any event, {count(empty.max())} of them in a row from {day(start)} (UTC). "
            "Check whether an export failed, or the shop was closed.",
        )  # fmt: skip


@check(
    "created_after_first_event",
    looks_for="items whose creation time is later than their first interaction",
    threshold="1 % of items with both",
    origin=OURS,
    touches=("items",),
)
def created_after_first_event(facts: Facts) -> Iterator[Finding]:
    """The creation time decides which items are new; a wrong one shows old items as new."""
    if facts.events is None or facts.column(ITEMS, CREATION_TIMESTAMP) is None:
        return
    items = facts.tables[ITEMS]
    if not items[CREATION_TIMESTAMP].type().is_numeric():
        return
    made = items.filter(items[CREATION_TIMESTAMP].notnull()).select(ITEM_ID, CREATION_TIMESTAMP)
    both = made.join(facts.events.items, ITEM_ID)
    late = (seconds(both[CREATION_TIMESTAMP].cast("int64")) > both["FIRST"]).cast("int64").sum()
    row = both.aggregate(items=both.count(), late=late).to_pandas().iloc[0].fillna(0)
    if share(row["late"], row["items"]) >= 1:
        yield Finding(
            WARNING, ITEMS, CREATION_TIMESTAMP, row["late"], "items",
            f"{count(row['late'])} of {count(row['items'])} items were created after their first interaction. "
            "Perhaps the column holds the last change; the first interaction is the safer creation time.",
        )  # fmt: skip


@check(
    "activity",
    looks_for="when people are active, by hour and weekday",
    threshold="none: a note; chart",
    origin=SAMPLES,
)
def activity(facts: Facts) -> Iterator[Finding]:
    """The busiest hour against the quietest; hours are UTC. A flat day hints at machines or lost time zones."""
    if facts.events is None or not facts.events.rows or facts.events.first == facts.events.last:
        return
    hours = facts.events.hours.groupby("HOUR")["EVENTS"].sum()
    found = share(hours.max(), hours.sum())
    yield Finding(
        INFO, INTERACTIONS, TIMESTAMP, found, "% of events in the busiest hour",
        f"The busiest hour is {int(hours.idxmax()):02d}:00 to {int(hours.idxmax()):02d}:59 UTC with {percent(found)} "
        f"of the events, the quietest {int(hours.idxmin()):02d}:00 with {percent(share(hours.min(), hours.sum()))}; "
        "an even day would have 4.2 % in each.",
    )  # fmt: skip
