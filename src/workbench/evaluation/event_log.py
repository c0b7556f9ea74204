"""Events in time order with ids as numbers, so that cutting them is arithmetic."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import SplitError

SHOWN = 5  # row numbers in a message


@dataclass(frozen=True)
class Log:
    """Events with codes for their ids.

    events: sorted by time, ties in table order. users, items: one code per event. user_ids: code to id.
    """

    events: pd.DataFrame
    users: np.ndarray
    items: np.ndarray
    user_ids: np.ndarray


def read_log(events: pd.DataFrame, name: str) -> Log:
    """Check, sort and code one table; `name` says in errors what it is for."""
    return code([in_time_order(events, name)])


def code(parts: list[pd.DataFrame]) -> Log:
    """Code tables one after the other, each already in time order, with shared codes."""
    events = pd.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    users, user_ids = pd.factorize(events[USER_ID])
    items, _ = pd.factorize(events[ITEM_ID])
    return Log(events, users, items, np.asarray(user_ids, dtype=object))


def in_time_order(events: pd.DataFrame, name: str, *, time_needed: bool = True) -> pd.DataFrame:
    """Check the columns and sort by time, ties in table order; the caller's frame is left alone."""
    needed = [USER_ID, ITEM_ID, *([TIMESTAMP] if time_needed else [])]
    missing = [column for column in needed if column not in events.columns]
    if missing:
        raise SplitError(f"{name} lacks column(s) {missing}; found {list(events.columns)}. Rename or add them.")
    if events.empty:
        raise SplitError(f"{name} got no events at all; check the preparation and the event filter.")
    for column in needed:
        empty = events[column].isna().to_numpy()
        if empty.any():
            rows = ", ".join(f"{row + 1:,}" for row in np.flatnonzero(empty)[:SHOWN])
            raise SplitError(
                f"{name} has {int(empty.sum()):,} row(s) without {column} (the first: {rows}); drop or fill them "
                "first, with the flow step drop_missing or where the file is made."
            )
    if TIMESTAMP not in events.columns:
        return events.reset_index(drop=True)
    times = events[TIMESTAMP].to_numpy()
    if (times[1:] >= times[:-1]).all():
        return events.reset_index(drop=True)
    return events.iloc[np.argsort(times, kind="stable")].reset_index(drop=True)


def later_events(users: np.ndarray) -> np.ndarray:
    """For each event, how many later events its user has."""
    order = np.argsort(users, kind="stable")
    ends = np.cumsum(np.bincount(users))[users[order]]
    later = np.empty(len(users), dtype=np.int64)
    later[order] = ends - 1 - np.arange(len(users))
    return later


def events_of_users(log: Log, events: np.ndarray) -> np.ndarray:
    """Mark every event of the users who have any of the marked events."""
    marked = np.zeros(len(log.user_ids), dtype=bool)
    marked[log.users[events]] = True
    return marked[log.users]


def count_among(keys: np.ndarray, pool: np.ndarray) -> int:
    """How many keys occur in the pool."""
    ordered = np.sort(pool)
    return int((np.searchsorted(ordered, keys, "right") > np.searchsorted(ordered, keys, "left")).sum())
