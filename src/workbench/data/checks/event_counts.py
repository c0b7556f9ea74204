"""The counts that make up the facts about an event log, one aggregate each."""

import ibis
import numpy as np
import pandas as pd
from ibis import Table
from ibis.expr.types import IntegerColumn, IntegerValue

from workbench.columns import DAY, HOUR, ITEM_ID, TIMESTAMP, USER_ID

# From these sizes on a time cannot be seconds (year 5138), milliseconds or microseconds any more.
UNITS = {"milliseconds": (10**11, 10**3), "microseconds": (10**14, 10**6), "nanoseconds": (10**17, 10**9)}
EVERY_EVENT_UP_TO = 2_000_000  # above, gaps between events are measured on a tenth of the users
GAP_HOURS = (1 / 60, 0.5, 1, 6, 24, 168, 720)  # upper borders of the buckets, the last one is open
NEWEST = 0.1  # share of the events that counts as new


def seconds(time: IntegerValue) -> IntegerValue:
    """Read a time as epoch seconds, whatever unit its size shows it to be in."""
    branches = [(time >= border, time // factor) for border, factor in reversed(UNITS.values())]
    return ibis.cases(*branches, else_=time).cast("int64")


def wrong_units(table: Table, column: str = TIMESTAMP) -> dict[str, int]:
    """Count the rows whose time is too large to be seconds, by the unit it must be in."""
    time = table[column].cast("int64")
    ends = [*[border for border, _ in UNITS.values()][1:], 2**63 - 1]
    found = {
        unit: ((time >= border) & (time < end)).cast("int64").sum()
        for (unit, (border, _)), end in zip(UNITS.items(), ends, strict=True)
    }
    counted = table.aggregate(**found).to_pandas().iloc[0].fillna(0)
    return {unit: int(number) for unit, number in counted.items() if number}


def known(table: Table, now: int) -> Table:
    """Keep the rows that have user, item and time, up to now; all times if none is so early."""
    complete = table.filter(table[USER_ID].notnull() & table[ITEM_ID].notnull() & table[TIMESTAMP].notnull())
    past = seconds(complete[TIMESTAMP].cast("int64")) <= now
    earliest = complete[TIMESTAMP].cast("int64").min().to_pandas()
    if pd.isna(earliest) or earliest > now:
        return complete
    return complete.filter(past)


def compact(table: Table) -> Table:
    """Keep four whole numbers of each event: U user, I item, T second, R all columns; all but T are hashes.

    Args:
        table: complete rows; see `known`.
    """
    everything = ibis.struct({name: table[name] for name in table.columns})
    return table.select(
        U=table[USER_ID].hash(),
        I=table[ITEM_ID].hash(),
        T=seconds(table[TIMESTAMP].cast("int64")),
        R=everything.hash(),
    ).cache()


def ends(log: Table) -> dict[str, float]:
    """Number of rows, first and last time, border of the newest tenth (epoch seconds), events at midnight UTC."""
    time = log["T"]
    found = log.aggregate(
        rows=log.count(),
        first=time.min(),
        last=time.max(),
        border=time.quantile(1 - NEWEST),
        midnight=(time % DAY == 0).cast("int64").sum(),
    )
    return found.to_pandas().iloc[0].fillna(0).to_dict()


def distinct(column: IntegerColumn) -> int:
    """Number of distinct values."""
    return int(column.nunique().to_pandas())


def tied(log: Table) -> int:
    """Events at a second at which the same user also has another item."""
    moments = log.group_by("U", "T").aggregate(N=log.count(), FROM=log["I"].min(), TO=log["I"].max())
    crowded = moments.filter(moments["FROM"] != moments["TO"])
    return int(crowded["N"].sum().to_pandas() or 0)


def activity(table: Table, column: str) -> Table:
    """One row per user or item of complete rows: the id, EVENTS, FIRST and LAST in epoch seconds."""
    time = seconds(table[TIMESTAMP].cast("int64"))
    return table.group_by(column).aggregate(EVENTS=table.count(), FIRST=time.min(), LAST=time.max()).cache()


def hours(log: Table) -> pd.DataFrame:
    """Events by WEEKDAY (0 Monday) and HOUR, UTC; all 168 rows, in order."""
    # 1970-01-01 was a Thursday, weekday 3.
    counted = log.group_by(WEEKDAY=(log["T"] // DAY + 3) % 7, HOUR=(log["T"] % DAY) // HOUR).aggregate(
        EVENTS=log.count()
    )
    index = pd.MultiIndex.from_product([range(7), range(24)], names=["WEEKDAY", "HOUR"])
    return counted.to_pandas().set_index(["WEEKDAY", "HOUR"]).reindex(index, fill_value=0).reset_index()


def days(log: Table) -> pd.DataFrame:
    """Events by DAY (days since 1970-01-01, UTC), only days with events, in order."""
    return log.group_by(DAY=log["T"] // DAY).aggregate(EVENTS=log.count()).order_by("DAY").to_pandas()


def gaps(log: Table) -> tuple[pd.DataFrame, int]:
    """Time between a user's successive events, in buckets.

    Returns:
        HOURS (upper border, inclusive; infinite for the last bucket) and EVENTS; and the number of users measured:
        all of them, or in a log longer than EVERY_EVENT_UP_TO those whose hash falls on one in ten.
    """
    if int(log.count().to_pandas()) > EVERY_EVENT_UP_TO:
        log = log.filter(log["U"] % 10 == 0)
    window = ibis.window(group_by="U", order_by="T")
    apart = log.select("U", APART=log["T"] - log["T"].lag().over(window)).filter(lambda each: each["APART"].notnull())
    seconds_apart = apart["APART"]
    bucket = sum((seconds_apart > round(border * HOUR)).cast("int64") for border in GAP_HOURS)
    counted = apart.group_by(BUCKET=bucket).aggregate(EVENTS=apart.count()).to_pandas().set_index("BUCKET")["EVENTS"]
    borders = [*GAP_HOURS, np.inf]
    found = pd.DataFrame({"HOURS": borders, "EVENTS": counted.reindex(range(len(borders)), fill_value=0).to_numpy()})
    return found, int(log["U"].nunique().to_pandas())
