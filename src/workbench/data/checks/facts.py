"""All that the checks know about a dataset group, measured once."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import pandas as pd
from ibis import Table

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    ACTIONS,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    ROW,
    TIMESTAMP,
    USER_ID,
    USERS,
)
from workbench.data.checks.columns_pass import ColumnFacts, is_blank, measure_columns
from workbench.data.checks.events_pass import EventFacts
from workbench.data.checks.rhythm import Rhythm, measure_rhythm
from workbench.errors import SchemaError, nearest

KEYS = {
    INTERACTIONS: (USER_ID, ITEM_ID, TIMESTAMP),
    ITEMS: (ITEM_ID,),
    USERS: (USER_ID,),
    ACTIONS: (ACTION_ID,),
    ACTION_INTERACTIONS: (USER_ID, ACTION_ID, TIMESTAMP),
}


@dataclass(frozen=True)
class Facts:
    """What was measured.

    tables: dataset kind to Ibis table, ids as text.
    columns: dataset kind to what its columns look like.
    events: what the event log looks like; None without interactions.
    now: epoch second that counts as the present.
    seed: of the draws behind the noise of popularity's drift.
    """

    tables: Mapping[str, Table]
    columns: Mapping[str, ColumnFacts]
    events: EventFacts | None
    now: int
    seed: int = 0

    @cached_property
    def rhythm(self) -> Rhythm | None:
        """How fast popularity moves; None without interactions."""
        return None if self.events is None else measure_rhythm(self.events.log, self.events.days, self.seed)

    @cached_property
    def statistics(self) -> pd.DataFrame:
        """One row per column of every dataset."""
        return pd.concat([each.statistics for each in self.columns.values()], ignore_index=True)

    def rows(self, dataset: str) -> int:
        """Number of rows; 0 for a dataset that is not there."""
        return self.columns[dataset].rows if dataset in self.columns else 0

    def column(self, dataset: str, name: str) -> pd.Series | None:
        """One column's statistics, or None when there is no such column."""
        found = self.statistics.query("DATASET == @dataset and COLUMN == @name")
        return None if found.empty else found.iloc[0]

    def with_role(self, *roles: str) -> pd.DataFrame:
        """The columns that play one of the roles."""
        return self.statistics[self.statistics["ROLE"].isin(roles)]


def gather(tables: Mapping[str, Table], now: int, seed: int = 0) -> Facts:
    """Measure the columns of a dataset group's tables, and make ready to measure its events.

    Args:
        tables: dataset kind to Ibis table.
        now: epoch second that counts as the present.
        seed: of the draws behind the noise of popularity's drift.

    Raises:
        SchemaError: a table is of no known kind, lacks a key column, or its time is not a number.
    """
    ready = {kind: with_text_ids(table, kind) for kind, table in tables.items()}
    columns = {kind: measure_columns(table, kind) for kind, table in ready.items()}
    events = EventFacts(ready[INTERACTIONS], now) if INTERACTIONS in ready else None
    return Facts(ready, columns, events, now, seed)


def with_text_ids(table: Table, kind: str) -> Table:
    """Check that the key columns are there and read ids as text, blank ones as missing."""
    if kind not in KEYS:
        raise SchemaError(f"{kind!r} is no dataset kind.{nearest(kind, KEYS)}")
    for name in KEYS[kind]:
        if name not in table.columns:
            raise SchemaError(f"{kind}: column {name!r} is missing.{nearest(name, table.columns)} Rename it in a flow.")
    if TIMESTAMP in KEYS[kind] and not table[TIMESTAMP].type().is_numeric():
        raise SchemaError(
            f"{kind}: column {TIMESTAMP!r} is {table[TIMESTAMP].type()}, and must be whole epoch seconds. "
            "Convert it with the flow step 'parse_time', or open the file with columns={...: 'TIMESTAMP'}."
        )
    table = table.drop(ROW) if ROW in table.columns else table
    names = [name for name in KEYS[kind] if name != TIMESTAMP]
    text = {name: table[name].cast("string") for name in names}
    return table.mutate(**{name: is_blank(each).ifelse(None, each) for name, each in text.items()})
