"""Cut interactions into what a recipe learns from, what it is asked with, and what happened next.

Pure pandas: no model, no file, no plot. Events of equal time keep their table order, so the same table gives the same
split everywhere. Nothing leaves a split uncounted: `Split.notes` says what was set aside and what can never be hit.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import DAY, TIMESTAMP
from workbench.errors import ParameterError, SplitError, nearest
from workbench.evaluation.event_log import (
    Log,
    code,
    count_among,
    events_of_users,
    in_time_order,
    later_events,
    read_log,
)

USERS_90_10, GLOBAL_TIME, LEAVE_LAST_OUT, GIVEN = "users-90-10", "global-time", "leave-last-out", "given"
EACH_USER_80_20 = "each-user-80-20"
SPLITS = (USERS_90_10, GLOBAL_TIME, LEAVE_LAST_OUT, EACH_USER_80_20, GIVEN)


@dataclass(frozen=True)
class Split:
    """Three tables of interactions with every column kept, each in time order.

    train: what a recipe may learn from.
    history: the past of the held-out users, given when their lists are asked for.
    held_out: the truth: what these users did after their history.
    notes: counts of users and events in each part, of what was set aside, and of what no list can hit.
    """

    name: str
    train: pd.DataFrame
    history: pd.DataFrame
    held_out: pd.DataFrame
    notes: dict[str, int]


def make_split(
    name: str, events: pd.DataFrame, seed: int = 0, test: pd.DataFrame | None = None, share: float = 0.1
) -> Split:
    """Make a split by its name.

    Args:
        name: "users-90-10", "global-time", "leave-last-out", "each-user-80-20" or "given".
        events: USER_ID, ITEM_ID, TIMESTAMP (epoch seconds), any further columns; not changed.
        seed: draws the held-out users of "users-90-10"; the other splits draw nothing.
        test: the held-out events of "given", USER_ID and ITEM_ID at least.
        share: the part held out by "users-90-10" (of users, and of each one's events) and "global-time" (of events).

    Raises:
        SplitError: an unknown name, "given" without `test`, or data that leave a part empty.
    """
    if name not in SPLITS:
        raise SplitError(f"There is no split {name!r}.{nearest(name, SPLITS)}")
    if (name == GIVEN) != (test is not None):
        raise SplitError(
            f"split {GIVEN!r} got no test table: name the file of the held-out events (test_source), or another split."
            if test is None
            else f"split {name!r} got a test table (test_source), but cuts its own: leave it out, or take {GIVEN!r}."
        )
    if name == USERS_90_10:
        return users_90_10(events, seed, share=share)
    if name == GLOBAL_TIME:
        return global_time(events, share=share)
    if name == LEAVE_LAST_OUT:
        return leave_last_out(events)
    if name == EACH_USER_80_20:
        return each_user_80_20(events)
    return given(events, test)


def users_90_10(events: pd.DataFrame, seed: int = 0, *, share: float = 0.1) -> Split:
    """Hold out whole users: train on the others, ask with their oldest events, judge by their newest.

    Args:
        events: as in `make_split`.
        seed: draws the held-out users among those with two events or more; independent of row order.
        share: of users, rounded to the nearest and at least 1; and of a held-out user's events, rounded down and at
            least 1, so that every held-out user has at least one event on each side.

    Returns:
        The split; users with a single event stay in train and are counted in the notes.

    Raises:
        SplitError: fewer than two users, or none with two events.
        ParameterError: `seed` is below 0, or `share` outside 0 to 1.

    Source: Amazon Personalize developer guide, "Evaluating a solution version with metrics".
    """
    if seed < 0:
        raise ParameterError(f"seed must be 0 or more, not {seed}")
    log = read_log(events, USERS_90_10)
    _check_share(share)
    sizes = np.bincount(log.users)
    able = np.flatnonzero(sizes >= 2)
    if len(sizes) < 2 or not len(able):
        raise SplitError(
            f"{USERS_90_10} got {len(sizes):,} user(s), {len(able):,} of them with 2 events or more; "
            "it needs at least 2 users, one of them with 2 events. Add data, or use leave-last-out."
        )
    drawn = min(max(1, int(len(able) * share + 0.5)), len(sizes) - 1)
    by_name = able[np.argsort(log.user_ids[able].astype(str), kind="stable")]
    chosen = np.zeros(len(sizes), dtype=bool)
    chosen[np.random.default_rng(seed).choice(by_name, size=drawn, replace=False)] = True
    theirs = chosen[log.users]
    newest = later_events(log.users) < np.maximum(1, np.floor(sizes[log.users] * share + 1e-9))
    return _split(USERS_90_10, log, ~theirs, theirs & ~newest, theirs & newest, _singles(sizes))


def global_time(events: pd.DataFrame, *, share: float = 0.1, days: float | None = None) -> Split:
    """Hold out the newest events of everybody: nothing later than the border is learned from.

    Args:
        events: as in `make_split`.
        share: of all events, 0 to 1; the border is the time of the oldest held-out event, and all events of exactly
            that time are held out too.
        days: instead of `share`, the length of the held-out window counted back from the newest event.

    Returns:
        The split. Held-out users without any earlier event stay in, with an empty history; the notes count them.

    Raises:
        SplitError: the border leaves no training events, as when all times are equal.
    """
    log = read_log(events, GLOBAL_TIME)
    times = log.events[TIMESTAMP].to_numpy()
    if days is None:
        _check_share(share)
        border, wanted = times[-max(1, int(len(times) * share + 0.5))], f"share={share:g}"
    else:
        border, wanted = times[-1] - days * DAY, f"days={days:g}"
    held = times >= border
    if held.all():
        raise SplitError(
            f"{GLOBAL_TIME} with {wanted} leaves no training events: the border is {border:.0f}, the oldest event "
            f"{times[0]}, the newest {times[-1]}. Hold out less, or use a split by user."
        )
    return _split(GLOBAL_TIME, log, ~held, ~held & events_of_users(log, held), held, {"border": int(np.ceil(border))})


def leave_last_out(events: pd.DataFrame) -> Split:
    """Hold out the last event of every user who has two or more; the history is everything before it.

    Args:
        events: as in `make_split`. Among events of equal time the one lowest in the table is the last.

    Returns:
        The split; users with a single event stay in train and are counted in the notes.

    Raises:
        SplitError: no user has two events.
    """
    return _newest_of_each_user(LEAVE_LAST_OUT, events, np.ones_like)


def each_user_80_20(events: pd.DataFrame) -> Split:
    """Hold out the newest 20 % (rounded down, at least 1) of each user's events, as Personalize does for segments.

    Source: Amazon Personalize developer guide, metrics of USER_SEGMENTATION recipes.
    """
    return _newest_of_each_user(EACH_USER_80_20, events, lambda sizes: np.maximum(1, sizes // 5))


def given(train: pd.DataFrame, test: pd.DataFrame) -> Split:
    """Take a published split as it is.

    Args:
        train: as `events` in `make_split`; also the history of the users in `test`.
        test: USER_ID and ITEM_ID at least; TIMESTAMP only orders it.

    Returns:
        The split. Users of `test` who are not in `train` stay in, with an empty history; the notes count them.

    Raises:
        SplitError: either table is empty or lacks a column.
    """
    past, future = (
        in_time_order(train, f"{GIVEN}: train table"),
        in_time_order(test, f"{GIVEN}: test table", time_needed=False),
    )
    log = code([past, future])
    held = np.arange(len(log.users)) >= len(past)
    split = _split(GIVEN, log, ~held, ~held & events_of_users(log, held), held, {})
    # Each part keeps the columns and types of its own table.
    history = past[events_of_users(log, held)[: len(past)]].reset_index(drop=True)
    return Split(GIVEN, past, history, future, split.notes)


def _newest_of_each_user(name: str, events: pd.DataFrame, how_many: Callable[[np.ndarray], np.ndarray]) -> Split:
    log = read_log(events, name)
    sizes = np.bincount(log.users)
    held = (sizes >= 2)[log.users] & (later_events(log.users) < how_many(sizes)[log.users])
    if not held.any():
        raise SplitError(f"{name} got {len(sizes):,} user(s), none with 2 events or more. Add data.")
    return _split(name, log, ~held, ~held & events_of_users(log, held), held, _singles(sizes))


def _singles(sizes: np.ndarray) -> dict[str, int]:
    return {"users_with_one_event": int((sizes == 1).sum())}


def _check_share(share: float) -> None:
    if not 0 < share < 1:
        raise ParameterError(f"share must lie between 0 and 1, not {share!r}")


def _split(name: str, log: Log, train: np.ndarray, history: np.ndarray, held: np.ndarray, extra: dict) -> Split:
    """Cut the log by three masks and count what a reader of the scores must know."""
    pairs = log.users * (int(log.items.max()) + 1) + log.items
    users = len(log.user_ids)
    learning, asking, judged = (np.bincount(log.users[part], minlength=users) > 0 for part in (train, history, held))
    taught = np.bincount(log.items[train], minlength=int(log.items.max()) + 1) > 0
    notes = {
        "train_events": int(train.sum()),
        "train_users": int(learning.sum()),
        "held_out_users": int(judged.sum()),
        "history_events": int(history.sum()),
        "held_out_events": int(held.sum()),
        "held_out_users_without_history": int((judged & ~asking).sum()),
        "held_out_events_of_items_unseen_in_training": int((~taught[log.items[held]]).sum()),
        "held_out_events_repeating_the_history": count_among(pairs[held], pairs[history]),
        **extra,
    }
    parts = (log.events[mask].reset_index(drop=True) for mask in (train, history, held))
    return Split(name, *parts, notes=notes)
