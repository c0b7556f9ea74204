"""What an event log looks like: each fact is measured in one aggregate pass, when a check first asks for it."""

from dataclasses import dataclass
from functools import cached_property

import ibis
import numpy as np
import pandas as pd
from ibis import Table

from workbench.columns import ITEM_ID, USER_ID
from workbench.data.checks import event_counts as counts


@dataclass(frozen=True)
class EventFacts:
    """What an event log looks like.

    Rows without user, item or time, or later than now, are left out here and counted by the checks `missing_ids` and
    `future_times`. Counts are exact; rows and pairs are told apart by 64-bit hashes, and in a log of twenty million
    rows the chance that even one is taken for another is about one in a hundred thousand.

    table: the whole log: USER_ID, ITEM_ID, TIMESTAMP and any further columns.
    now: epoch second that counts as the present.
    """

    table: Table
    now: int

    @cached_property
    def known(self) -> Table:
        """The rows looked at."""
        return counts.known(self.table, self.now)

    @cached_property
    def log(self) -> Table:
        """U, I, T, R, one row per event; see `event_counts.compact`."""
        return counts.compact(self.known)

    @cached_property
    def _ends(self) -> dict[str, float]:
        return counts.ends(self.log)

    @property
    def rows(self) -> int:
        """Number of events."""
        return int(self._ends["rows"])

    @property
    def first(self) -> int:
        """The oldest event's time, epoch seconds."""
        return int(self._ends["first"])

    @property
    def last(self) -> int:
        """The newest event's time, epoch seconds."""
        return int(self._ends["last"])

    @property
    def border(self) -> float:
        """Events from this epoch second on are the newest tenth."""
        return float(self._ends["border"])

    @property
    def midnight(self) -> int:
        """Events at exactly 00:00:00 UTC."""
        return int(self._ends["midnight"])

    @cached_property
    def distinct_rows(self) -> int:
        """Events distinct in at least one column."""
        return counts.distinct(self.log["R"])

    @cached_property
    def acts(self) -> int:
        """Distinct (user, item, time)."""
        return counts.distinct(ibis.struct({name: self.log[name] for name in "UIT"}).hash())

    @cached_property
    def pairs(self) -> int:
        """Distinct (user, item)."""
        return counts.distinct(ibis.struct({name: self.log[name] for name in "UI"}).hash())

    @cached_property
    def tied(self) -> int:
        """Events that share user and second with another item."""
        return counts.tied(self.log)

    @cached_property
    def users(self) -> Table:
        """One row per user: USER_ID, EVENTS, FIRST, LAST (epoch seconds)."""
        return counts.activity(self.known, USER_ID)

    @cached_property
    def items(self) -> Table:
        """One row per item: ITEM_ID, EVENTS, FIRST, LAST (epoch seconds)."""
        return counts.activity(self.known, ITEM_ID)

    @cached_property
    def histories(self) -> pd.DataFrame:
        """EVENTS (history length), USERS; shortest first."""
        users = self.users
        return users.group_by("EVENTS").aggregate(USERS=users.count()).order_by("EVENTS").to_pandas()

    @cached_property
    def popularity(self) -> np.ndarray:
        """Events per item, largest first."""
        events = self.items.select("EVENTS").order_by(ibis.desc("EVENTS"))
        return events.to_pandas()["EVENTS"].to_numpy()

    @cached_property
    def hours(self) -> pd.DataFrame:
        """WEEKDAY (0 Monday), HOUR (UTC), EVENTS."""
        return counts.hours(self.log)

    @cached_property
    def days(self) -> pd.DataFrame:
        """DAY (days since 1970-01-01 UTC), EVENTS; oldest first, only days with events."""
        return counts.days(self.log)

    @cached_property
    def _gaps(self) -> tuple[pd.DataFrame, int]:
        return counts.gaps(self.log)

    @property
    def gaps(self) -> pd.DataFrame:
        """HOURS (upper border of a bucket), EVENTS: time since the user's previous event."""
        return self._gaps[0]

    @property
    def gap_users(self) -> int:
        """How many users the gaps were measured on."""
        return self._gaps[1]
