"""Is there enough: interactions, users, items."""

from collections.abc import Iterator

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    DAY,
    EVENT_TYPE,
    INTERACTIONS,
    ITEM_ID,
    TIMESTAMP,
    USER_ID,
)
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import (
    ALL_RECIPES,
    BLOCKS,
    GUIDE,
    OURS,
    RULES,
    WARNING,
    Finding,
    check,
    count,
    percent,
    share,
    some,
)
from workbench.data.rules import (
    ADVISED_ACTIVE_USERS,
    ADVISED_INTERACTIONS,
    MIN_ACTIVE_SHARE,
    MIN_ACTIVE_USERS,
    MIN_INTERACTIONS,
)

ACTION_EVENTS, ACTION_WEEKS = 50, 6
LIST_LENGTH = 25  # items of the longest list that offline metrics look at


@check(
    "too_few_interactions",
    looks_for="too few distinct interactions to train on",
    threshold="below 1,000 blocks; 50,000 advised",
    origin=f"{GUIDE}, 1",
    touches=("volume",),
)
def too_few_interactions(facts: Facts) -> Iterator[Finding]:
    """Count distinct rows, since identical events are stored once."""
    if facts.events is None:
        return
    found = facts.events.distinct_rows
    if found >= ADVISED_INTERACTIONS:
        return
    blocks = found < MIN_INTERACTIONS
    wanted = MIN_INTERACTIONS if blocks else ADVISED_INTERACTIONS
    yield Finding(
        BLOCKS if blocks else WARNING, INTERACTIONS, "", found, "distinct interactions",
        f"There are {count(found)} distinct interactions; {count(wanted)} are {'needed' if blocks else 'advised'}. "
        f"Import {count(wanted - found)} more.",
        ALL_RECIPES if blocks else "",
    )  # fmt: skip


@check(
    "too_few_users",
    looks_for="too few users with at least two interactions",
    threshold="below 25 blocks; 1,000 advised",
    origin=f"{GUIDE}, 2",
    touches=("volume",),
)
def too_few_users(facts: Facts) -> Iterator[Finding]:
    """A user with one interaction teaches no connection between items."""
    if facts.events is None:
        return
    found = users_with_two(facts)
    if found >= ADVISED_ACTIVE_USERS:
        return
    blocks = found < MIN_ACTIVE_USERS
    wanted = MIN_ACTIVE_USERS if blocks else ADVISED_ACTIVE_USERS
    yield Finding(
        BLOCKS if blocks else WARNING, INTERACTIONS, USER_ID, found, "users with two or more interactions",
        f"{count(found)} users have two or more interactions; {count(wanted)} are {'needed' if blocks else 'advised'}. "
        f"Import at least two interactions for {count(wanted - found)} more users.",
        ALL_RECIPES if blocks else "",
    )  # fmt: skip


@check(
    "too_small_share_of_users",
    looks_for="too small a share of users with at least two interactions",
    threshold="below 1 % of users blocks",
    origin=f"{RULES} (newer guide)",
    touches=("volume",),
)
def too_small_share_of_users(facts: Facts) -> Iterator[Finding]:
    """Newer editions of the guide ask for one per cent beside the 25 users."""
    if facts.events is None or not len(facts.events.histories):
        return
    everybody = int(facts.events.histories["USERS"].sum())
    found = share(users_with_two(facts), everybody)
    if found < 100 * MIN_ACTIVE_SHARE:
        yield Finding(
            BLOCKS, INTERACTIONS, USER_ID, found, "% of users",
            f"{percent(found)} of {count(everybody)} users have two or more interactions; at least 1 % must. "
            "Check that ids stay the same between a user's visits.",
            ALL_RECIPES,
        )  # fmt: skip


@check(
    "too_few_items",
    looks_for="a catalogue too small to choose from",
    threshold="below 2 blocks; more than 25 advised",
    origin=f"{OURS}: lists are judged at up to 25 items",
    touches=("volume",),
)
def too_few_items(facts: Facts) -> Iterator[Finding]:
    """With as many items as list places, every list is right."""
    if facts.events is None or not facts.events.rows:
        return
    found = len(facts.events.popularity)
    if found > LIST_LENGTH:
        return
    blocks = found < 2
    yield Finding(
        BLOCKS if blocks else WARNING, INTERACTIONS, ITEM_ID, found, "items",
        f"Only {count(found)} item(s) have interactions. A list of 25 then holds them all and metrics at 25 say "
        "nothing; compare recipes at 1 or 3, or recommend finer things.",
        ALL_RECIPES if blocks else "",
    )  # fmt: skip


@check(
    "all_times_equal",
    looks_for="events that all have the same time",
    threshold="one distinct time blocks user segments",
    origin=f"{GUIDE}, 11",
    touches=("order", "time"),
)
def all_times_equal(facts: Facts) -> Iterator[Finding]:
    """Without time there is no order, no newest event and no split by time."""
    events = facts.events
    if events is not None and events.rows > 1 and events.first == events.last:
        yield Finding(
            BLOCKS, INTERACTIONS, TIMESTAMP, 1, "distinct times",
            f"All {count(events.rows)} events happened at {events.first}. Replace the constant with the true times.",
            "item-affinity, item-attribute-affinity, trending-now",
        )  # fmt: skip


@check(
    "too_few_action_events",
    looks_for="actions with too little feedback to be scored",
    threshold="50 taken and 50 not taken or viewed, within 6 weeks of the newest",
    origin="Personalize, next best action",
    touches=("volume",),
)
def too_few_action_events(facts: Facts) -> Iterator[Finding]:
    """Below it every score stays 0.0."""
    if ACTION_INTERACTIONS not in facts.tables or EVENT_TYPE not in facts.tables[ACTION_INTERACTIONS].columns:
        return
    table = facts.tables[ACTION_INTERACTIONS]
    table = table.filter(table[ACTION_ID].notnull() & table[TIMESTAMP].notnull())
    recent = table.filter(table[TIMESTAMP] >= table[TIMESTAMP].max() - ACTION_WEEKS * 7 * DAY)
    taken = recent[EVENT_TYPE].lower() == "taken"
    counted = recent.group_by(ACTION_ID).aggregate(
        TAKEN=taken.cast("int64").sum(), OTHER=(~taken).cast("int64").sum()
    )  # fmt: skip
    frame = counted.order_by(ACTION_ID).to_pandas()
    thin = frame[(frame["TAKEN"].fillna(0) < ACTION_EVENTS) | (frame["OTHER"].fillna(0) < ACTION_EVENTS)]
    if len(thin):
        yield Finding(
            WARNING, ACTION_INTERACTIONS, ACTION_ID, len(thin), "actions",
            f"{len(thin)} of {len(frame)} actions, such as {some(thin[ACTION_ID])}, have fewer than 50 events of being "
            "taken, or fewer than 50 of being viewed or not taken, in the last 6 weeks. Show them more often first.",
        )  # fmt: skip


def users_with_two(facts: Facts) -> int:
    """Number of users with at least two interactions."""
    return int(facts.events.histories.query("EVENTS >= 2")["USERS"].sum())
