"""Steps on whole histories: bots, too-short histories, k-core."""

import ibis
import ibis.expr.types as ir

from workbench.columns import ITEM_ID, ROW, USER_ID
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, need
from workbench.errors import FlowError

USER = Option("user", (str,), "User column.", USER_ID)


def _per_user(work: Work, table: ir.Table, user: str) -> ir.Table:
    counted = table.filter(table[user].notnull()).group_by(user).aggregate(_EVENTS=ibis._.count())
    return work.store(counted.rename({"_USER": user}))


@step(
    "drop_bots",
    "Drops all rows of users whose history is longer than people's are.",
    [
        Option("max_events", (int,), "Longest history that stays.", None),
        Option("quantile", (float,), "Or: users above this quantile of history lengths go, such as 0.999.", None),
        USER,
    ],
    {"max_events": 5000},
    heavy=True,
)
def drop_bots(work: Work, table: ir.Table, *, max_events: int | None, quantile: float | None, user: str) -> Outcome:
    """Drop users above a length; the record says the length used and how many users went."""
    need(table, user)
    if (max_events is None) == (quantile is None):
        raise FlowError(f"give either 'max_events' or 'quantile', got {max_events!r} and {quantile!r}.")
    if max_events is not None and max_events < 1:
        raise FlowError(f"option 'max_events' must be at least 1, got {max_events}.")
    if quantile is not None and not 0 < quantile < 1:
        raise FlowError(f"option 'quantile' must lie between 0 and 1, got {quantile}.")
    users = _per_user(work, table, user)
    limit = max_events
    if quantile is not None:
        limit = int(work.numbers(users, limit=users["_EVENTS"].quantile(quantile))["limit"])
    bots = users.filter(users["_EVENTS"] > limit)
    gone = work.count(bots)
    return Outcome(
        table.anti_join(bots, table[user] == bots["_USER"]), 0, f"{gone:,} users with more than {limit:,} events"
    )


@step(
    "drop_short_histories",
    "Drops all rows of users with too few events.",
    [Option("min_events", (int,), "Shortest history that stays."), USER],
    {"min_events": 2},
    heavy=True,
)
def drop_short_histories(work: Work, table: ir.Table, *, min_events: int, user: str) -> Outcome:
    """Drop short histories; rows without a user are nobody's history and go too."""
    need(table, user)
    if min_events < 1:
        raise FlowError(f"option 'min_events' must be at least 1, got {min_events}.")
    users = _per_user(work, table, user)
    enough = users.filter(users["_EVENTS"] >= min_events)
    gone = work.count(users) - work.count(enough)
    kept = table.semi_join(enough, table[user] == enough["_USER"])
    return Outcome(kept, 0, f"{gone:,} users with fewer than {min_events:,} events")


@step(
    "k_core",
    "Drops users and items with too few rows, again and again until all that stay have enough.",
    [
        Option("user_min", (int,), "Rows every user must keep.", 5),
        Option("item_min", (int,), "Rows every item must keep.", 5),
        USER,
        Option("item", (str,), "Item column.", ITEM_ID),
    ],
    {"user_min": 5, "item_min": 5},
    heavy=True,
)
def k_core(work: Work, table: ir.Table, *, user_min: int, item_min: int, user: str, item: str) -> Outcome:
    """Cut down to the k-core; the record counts the rounds, the last of which removes nothing."""
    need(table, user, item)
    if user_min < 1 or item_min < 1:
        raise FlowError(f"'user_min' and 'item_min' must be at least 1, got {user_min} and {item_min}.")
    pairs = table.filter(table[user].notnull() & table[item].notnull())
    current = work.store(pairs.select(ROW, _USER=pairs[user], _ITEM=pairs[item]))
    rows, rounds = work.count(current), 0
    while True:
        rounds += 1
        smaller = work.store(_common(_common(current, "_USER", user_min), "_ITEM", item_min))
        left = work.count(smaller)
        current = smaller
        if left == rows:
            break
        rows = left
    kept = table.semi_join(current, table[ROW] == current[ROW])
    return Outcome(kept, 0, f"stable after {rounds} rounds with at least {user_min} per user and {item_min} per item")


def _common(table: ir.Table, column: str, minimum: int) -> ir.Table:
    counted = table.group_by(column).aggregate(_N=table.count())
    enough = counted.filter(counted["_N"] >= minimum)
    return table.semi_join(enough, column)
