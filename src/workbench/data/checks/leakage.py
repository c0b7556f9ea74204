"""Would a test see the future or the answer: twins, columns made of events, users who left early."""

from collections.abc import Iterator

import pandas as pd

from workbench.columns import DAY, EVENT_TYPE, INTERACTIONS, ITEM_ID, ITEMS, TIMESTAMP, USER_ID, USERS
from workbench.data.checks import mends
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import OURS, WARNING, Finding, check, count, percent, share

TWIN_SHARE = 5.0  # per cent of the distinct events
FUTURE_SHARE = 25.0  # per cent of the events
TELLING = 0.98  # correlation


@check(
    "twin_events",
    looks_for="one act told as several events",
    threshold="5 % of distinct events share user, item and time with another",
    origin=OURS,
    touches=(),
)
def twin_events(facts: Facts) -> Iterator[Finding]:
    """A click and its watch at the same second: a split puts one into training and asks for the other."""
    if facts.events is None or not facts.events.distinct_rows:
        return
    found = facts.events.distinct_rows - facts.events.acts
    part = share(found, facts.events.distinct_rows)
    if part >= TWIN_SHARE:
        by = "event type" if EVENT_TYPE in facts.tables[INTERACTIONS].columns else "other columns"
        yield Finding(
            WARNING, INTERACTIONS, "", part, "% of distinct events",
            f"{count(found)} events ({percent(part)}) share user, item and second with another event and differ in "
            f"{by} only. A random split can train on one and test on the other: the test then measures copying. Split "
            "by time or by user, leave seen items out of lists, or keep one event per act.",
            step=mends.drop_duplicates("one event per user, item and time", [USER_ID, ITEM_ID, TIMESTAMP], "last"),
        )  # fmt: skip


@check(
    "future_in_training",
    looks_for="how much of the future a split by users lets into training",
    threshold="25 % of all events are later than a user's last one, on average",
    origin=OURS,
    touches=(),
)
def future_in_training(facts: Facts) -> Iterator[Finding]:
    """Splitting by user trains on what others did after the test events; only a split by time does not."""
    events = facts.events
    if events is None or events.rows == 0 or events.first == events.last:
        return
    found = later_share(events.days, last_days(facts))
    if found >= FUTURE_SHARE:
        yield Finding(
            WARNING, INTERACTIONS, TIMESTAMP, found, "% of events",
            f"When a user's last event is held out, {percent(found)} of all events lie on later days, on average over "
            "users. A split by users or by last event trains on them, so it flatters recipes that follow trends; "
            "confirm results with the split 'global-time'.",
        )  # fmt: skip


def last_days(facts: Facts) -> pd.DataFrame:
    """Users by the day of their last event: DAY, USERS."""
    users = facts.events.users
    return users.group_by(DAY=users["LAST"] // DAY).aggregate(USERS=users.count()).order_by("DAY").to_pandas()


def later_share(days: pd.DataFrame, last: pd.DataFrame) -> float:
    """Share of all events on days after a user's last day, in per cent, averaged over users.

    Args:
        days: DAY, EVENTS.
        last: DAY of the last event, USERS.
    """
    later = days["EVENTS"].sum() - days.set_index("DAY")["EVENTS"].cumsum()
    per_day = last["DAY"].map(later)
    return share(float((per_day * last["USERS"]).sum()), float(last["USERS"].sum() * days["EVENTS"].sum()))


@check(
    "columns_made_of_events",
    looks_for="item or user columns that repeat what the events say",
    threshold="correlation of 0.98 with the number of events",
    origin=OURS,
    touches=(),
)
def columns_made_of_events(facts: Facts) -> Iterator[Finding]:
    """A count of ratings over all time contains the test period."""
    for dataset, key in ((ITEMS, ITEM_ID), (USERS, USER_ID)):
        if facts.events is None or dataset not in facts.tables:
            continue
        active = facts.events.items if key == ITEM_ID else facts.events.users
        names = facts.with_role("number").query("DATASET == @dataset")["COLUMN"].tolist()
        if not names:
            continue
        both = facts.tables[dataset].filter(lambda each, key=key: each[key].notnull()).join(active, key)
        measures = {str(i): both[name].cast("float64").corr(both["EVENTS"], how="pop") for i, name in enumerate(names)}
        found = both.aggregate(ROWS=both.count(), **measures).to_pandas().iloc[0]
        for position, name in enumerate(names):
            correlation = found[str(position)]
            if found["ROWS"] >= 10 and pd.notna(correlation) and abs(correlation) >= TELLING:
                yield Finding(
                    WARNING, dataset, name, round(float(correlation), 3), "correlation",
                    f"The column follows the number of events (correlation {correlation:.3f}), so it was probably "
                    "counted from them, the test period included. Leave it out of training.",
                    step=mends.drop_columns([name], "counted from the events themselves"),
                )  # fmt: skip
