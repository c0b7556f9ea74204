"""How people behave: bots, repeats, how unequal popularity is, how often they come, how many are new."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from workbench.columns import HOUR, INTERACTIONS, ITEM_ID, TIMESTAMP, USER_ID
from workbench.data.checks import mends
from workbench.data.checks.events_pass import EventFacts
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import (
    INFO,
    OURS,
    SAMPLES,
    WARNING,
    Finding,
    check,
    count,
    percent,
    share,
    some,
)

BOT_EVENTS = 100  # below, a long history is still a keen person's
BOT_FENCE = 3.0  # interquartile ranges of the logarithm of history lengths
BOT_PACE = 5.0  # seconds between events, on average over the whole history
MOST_REPEATS = 50.0  # per cent of events
STEEP, FLAT = -2.0, -0.5  # slopes of the popularity curve
MANY_NEW = 50.0  # per cent


@check(
    "bots",
    looks_for="users that behave like machines",
    threshold="100 events or more, and either an extreme length or one event every 5 seconds",
    origin=f"{OURS}; an extreme length is 3 interquartile ranges above the upper quartile, of the logarithms",
    touches=("users",),
)
def bots(facts: Facts) -> Iterator[Finding]:
    """Crawlers and test accounts look at everything and like nothing."""
    found = suspects(facts.events) if facts.events is not None else pd.DataFrame()
    if found.empty:
        return
    events = int(found["EVENTS"].sum())
    yield Finding(
        WARNING, INTERACTIONS, USER_ID, len(found), "users",
        f"{count(len(found))} user(s) with {count(events)} events "
        f"({percent(share(events, facts.events.rows))} of all) behave like machines, such as "
        f"{some(found[USER_ID])}: {found['WHY'].iloc[0]}. Look at them; drop them if they are no people.",
        step=mends.drop_ids(USER_ID, found[USER_ID].tolist(), "users that behave like machines"),
    )  # fmt: skip


def suspects(events: EventFacts) -> pd.DataFrame:
    """Users that behave like machines: USER_ID, EVENTS, PACE (mean seconds between events), WHY; longest first."""
    limit = max(extreme_length(events.histories), BOT_EVENTS)
    users = events.users
    pace = (users["LAST"] - users["FIRST"]).cast("float64") / (users["EVENTS"] - 1)
    long = users.mutate(PACE=pace).filter(users["EVENTS"] >= BOT_EVENTS)
    # A log without true times has a pace of 0 for everybody.
    quick = (long["PACE"] <= BOT_PACE) & (long["LAST"] > long["FIRST"])
    found = long.filter(quick | (long["EVENTS"] > limit)).to_pandas()
    found = found.sort_values(["EVENTS", USER_ID], ascending=[False, True]).reset_index(drop=True)
    why = [
        f"{count(row.EVENTS)} events, one every {row.PACE:.2g} s"
        if row.PACE <= BOT_PACE
        else f"{count(row.EVENTS)} events, when more than {count(limit)} are extreme here"
        for row in found.itertuples()
    ]
    return found.assign(WHY=pd.Series(why, index=found.index, dtype="str"))


def extreme_length(histories: pd.DataFrame) -> float:
    """History length beyond Tukey's outer fence, on a logarithmic scale; infinite when there is no spread.

    Args:
        histories: EVENTS (length), USERS, sorted by EVENTS.
    """
    if histories.empty:
        return float("inf")
    low, high = np.log(quantile(histories, 0.25)), np.log(quantile(histories, 0.75))
    return float(np.exp(high + BOT_FENCE * (high - low))) if high > low else float("inf")


def quantile(histories: pd.DataFrame, level: float) -> int:
    """The history length that at least this share of users does not exceed."""
    cumulated = histories["USERS"].cumsum()
    return int(histories["EVENTS"].iloc[int(np.searchsorted(cumulated, level * cumulated.iloc[-1]))])


@check(
    "repeats",
    looks_for="events with an item the user had before",
    threshold="more than 50 % is a warning, any a note",
    origin=SAMPLES,
    touches=(),
)
def repeats(facts: Facts) -> Iterator[Finding]:
    """Where people come back to the same items, recommending what they know is easy, and may be wanted."""
    if facts.events is None or not facts.events.acts:
        return
    found = share(facts.events.acts - facts.events.pairs, facts.events.acts)
    if found:
        heavy = found > MOST_REPEATS
        yield Finding(
            WARNING if heavy else INFO, INTERACTIONS, ITEM_ID, found, "% of events",
            f"{percent(found)} of the events are with an item the same user had before (each user, item and time "
            "counted once). " + (
                "A recipe that repeats the history scores high without finding anything; decide whether lists may "
                "repeat items, and compare with seen items left out." if heavy
                else "Decide whether lists may repeat items."
            ),
        )  # fmt: skip


@check(
    "popularity_curve",
    looks_for="how unequally items are liked",
    threshold="slope below -2 head-heavy, above -0.5 nearly even",
    origin=SAMPLES,
    touches=(),
)
def popularity_curve(facts: Facts) -> Iterator[Finding]:
    """Line through log(events) against log(rank); see `power_law`."""
    if facts.events is None or len(facts.events.popularity) < 3:
        return
    slope, error = power_law(facts.events.popularity)
    if slope < STEEP:
        words = "a few items take nearly everything: look at coverage beside accuracy, and discount popularity"
    elif slope > FLAT:
        words = (
            "items are nearly equally popular, so a popularity recipe is a weak baseline and the data may be synthetic"
        )
    else:
        words = "between head-heavy and even, as usual"
    usual = STEEP <= slope <= FLAT
    yield Finding(
        INFO if usual else WARNING, INTERACTIONS, ITEM_ID, round(slope, 3), "slope",
        f"Popularity falls with rank to the power {slope:.2f} (rmse {error:.2f} in log units): {words}.",
    )  # fmt: skip


def power_law(counts: np.ndarray) -> tuple[float, float]:
    """Fit log(count) = a + slope · log(rank) by least squares.

    Args:
        counts: events per item, largest first, all positive.

    Returns:
        The slope and the root mean squared error in natural log units.
    """
    ranks, values = np.log(np.arange(1, len(counts) + 1)), np.log(counts)
    slope, intercept = np.polyfit(ranks, values, 1)
    return float(slope), float(np.sqrt(np.mean((values - intercept - slope * ranks) ** 2)))


@check(
    "visits",
    looks_for="how long people are away between events, and how long they stay with us",
    threshold="none: a note; chart",
    origin=SAMPLES,
)
def visits(facts: Facts) -> Iterator[Finding]:
    """Gaps up to half an hour are the same visit; the span runs from a user's first to last event."""
    events = facts.events
    if events is None or not events.gaps["EVENTS"].sum() or events.first == events.last:
        return
    total = events.gaps["EVENTS"].sum()
    same = events.gaps.query("HOURS <= 0.5")["EVENTS"].sum()
    users = events.users.filter(events.users["EVENTS"] >= 2)
    span = float((users["LAST"] - users["FIRST"]).median().to_pandas()) / HOUR
    sampled = "" if events.gap_users == events.histories["USERS"].sum() else f" (on {count(events.gap_users)} users)"
    words = f"{span / 24:.1f} days" if span >= 48 else f"{span:.1f} hours"
    yield Finding(
        INFO, INTERACTIONS, TIMESTAMP, share(same, total), "% of gaps up to 30 minutes",
        f"{percent(share(same, total))} of events follow the user's previous one within 30 minutes{sampled}. Half of "
        f"the users with two or more events are seen over no more than {words}.",
    )  # fmt: skip


@check(
    "new_users",
    looks_for="how many of the active users are new",
    threshold="more than 50 % of users active in the newest tenth of events",
    origin=SAMPLES,
    touches=("users",),
)
def new_users(facts: Facts) -> Iterator[Finding]:
    """New users have no history: they get popular items until their first event."""
    yield from _new(
        facts, USER_ID, "users", "They start with popular items; a recipe that reads users' attributes helps."
    )


@check(
    "new_items",
    looks_for="how many of the items with events are new",
    threshold="more than 50 % of items active in the newest tenth of events",
    origin=SAMPLES,
    touches=("items",),
)
def new_items(facts: Facts) -> Iterator[Finding]:
    """New items have no events a model could have learned from."""
    yield from _new(
        facts, ITEM_ID, "items", "Retrain often, explore, or use recipes that read item attributes and texts."
    )


def _new(facts: Facts, key: str, what: str, advice: str) -> Iterator[Finding]:
    if facts.events is None or not facts.events.rows or facts.events.first == facts.events.last:
        return
    table = facts.events.users if key == USER_ID else facts.events.items
    border = facts.events.border
    active = table.filter(table["LAST"] >= border)
    row = (
        active.aggregate(active=active.count(), new=(active["FIRST"] >= border).cast("int64").sum()).to_pandas().iloc[0]
    )
    found = share(row["new"], row["active"])
    yield Finding(
        WARNING if found > MANY_NEW else INFO, INTERACTIONS, key, found, f"% of active {what}",
        f"Of {count(row['active'])} {what} seen in the newest tenth of the events, {count(row['new'])} "
        f"({percent(found)}) had none before. " + (advice if found > MANY_NEW else ""),
    )  # fmt: skip
