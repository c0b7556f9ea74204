"""Is it all there: missing values by row, by column and in texts, and ids without events."""

from collections.abc import Iterator

import pandas as pd

from workbench.columns import ITEM_ID, ITEMS, USER_ID, USERS
from workbench.data.checks import mends
from workbench.data.checks.columns_pass import OPTIONAL_ACTION_COLUMNS, OPTIONAL_EVENT_COLUMNS
from workbench.data.checks.facts import KEYS, Facts
from workbench.data.checks.registry import (
    ALL_RECIPES,
    BLOCKS,
    GUIDE,
    INFO,
    OURS,
    SAMPLES,
    WARNING,
    Finding,
    check,
    count,
    percent,
    share,
)

LEAST_COMPLETE = 70.0  # per cent, of rows and of a column's values
LEAST_TEXT = 85.0  # per cent of a text column
NOTABLE_MISSING = 10.0  # per cent


def countable(facts: Facts) -> pd.DataFrame:
    """Columns whose gaps count: not ids (their own check), not references, texts or optional action columns."""
    chosen = facts.with_role("number", "boolean", "category", "label", "event type", "time", "other")
    keys = [row.COLUMN in KEYS[row.DATASET] for row in chosen.itertuples()]
    return chosen[~chosen["COLUMN"].isin(OPTIONAL_ACTION_COLUMNS) & ~pd.Series(keys, index=chosen.index, dtype=bool)]


@check(
    "missing_rows",
    looks_for="too many rows that miss a value",
    threshold="below 70 % complete rows",
    origin=f"{GUIDE}, 5",
    touches=("items", "users", "context"),
)
def missing_rows(facts: Facts) -> Iterator[Finding]:
    """A row is complete when every column has a value; columns that are empty by nature do not count."""
    for dataset, columns in facts.columns.items():
        complete = share(columns.complete, columns.rows)
        if columns.rows and complete < LEAST_COMPLETE:
            yield Finding(
                WARNING, dataset, "", complete, "% complete rows",
                f"Only {count(columns.complete)} of {count(columns.rows)} rows ({percent(complete)}) have a value in "
                "every column. Complete them at the source, fill them, or drop the columns that are mostly empty.",
            )  # fmt: skip


@check(
    "missing_columns",
    looks_for="columns that are mostly or often empty",
    threshold="below 70 % complete",
    origin=f"{GUIDE}, 6",
    touches=("items", "users", "context"),
)
def missing_columns(facts: Facts) -> Iterator[Finding]:
    """A column with many gaps teaches a model which rows are incomplete, not what they are."""
    for row in countable(facts).itertuples():
        complete = 100.0 - row.MISSING_SHARE
        if row.ROWS and complete < LEAST_COMPLETE and row.COLUMN in OPTIONAL_EVENT_COLUMNS:
            yield Finding(
                INFO, row.DATASET, row.COLUMN, complete, "% complete",
                f"{percent(complete)} of the events have a value. That is as it should be where only some event types, "
                "such as purchases, have one.",
            )  # fmt: skip
        elif row.ROWS and complete < LEAST_COMPLETE:
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, complete, "% complete",
                f"{count(row.MISSING)} of {count(row.ROWS)} values are missing; only {percent(complete)} are there. "
                "Fill the column at the source, or leave it out: that is what the step does.",
                step=mends.drop_columns([row.COLUMN], f"only {percent(complete)} complete"),
            )  # fmt: skip


@check(
    "missing_values",
    looks_for="any missing value in a column that is at least 70 % complete",
    threshold="more than 10 % missing is a warning, any a note",
    origin=SAMPLES,
    touches=(),
)
def missing_values(facts: Facts) -> Iterator[Finding]:
    """Numbers are filled with their mean and categories with their most common value, as Personalize advises."""
    for row in countable(facts).itertuples():
        if not row.MISSING or 100.0 - row.MISSING_SHARE < LEAST_COMPLETE:
            continue
        step = mends.fill_missing(row.COLUMN, row.ROLE) if row.ROLE not in ("time", "label", "other") else {}
        yield Finding(
            WARNING if row.MISSING_SHARE > NOTABLE_MISSING else INFO,
            row.DATASET, row.COLUMN, row.MISSING, "missing values",
            f"{count(row.MISSING)} of {count(row.ROWS)} values ({percent(row.MISSING_SHARE)}) are missing. "
            "Fill them at the source or with the step.",
            step=step,
        )  # fmt: skip


@check(
    "missing_ids",
    looks_for="rows without an id or a time",
    threshold="any",
    origin=OURS,
    touches=("ids",),
)
def missing_ids(facts: Facts) -> Iterator[Finding]:
    """Such a row belongs to nobody, to nothing or to no moment, and cannot be stored as a dataset."""
    for row in facts.with_role("id", "time").itertuples():
        if row.MISSING and row.COLUMN in KEYS[row.DATASET]:
            yield Finding(
                BLOCKS, row.DATASET, row.COLUMN, row.MISSING, "rows",
                f"{count(row.MISSING)} row(s) have no {row.COLUMN} (empty or blanks only). "
                "If they are anonymous visitors, give each visit an id of its own; else drop them.",
                ALL_RECIPES,
                mends.drop_missing([row.COLUMN], f"rows without {row.COLUMN} belong to nothing"),
            )  # fmt: skip


@check(
    "text_completeness",
    looks_for="a text column with too many gaps to be trained on",
    threshold="below 85 % complete",
    origin=f"{GUIDE}, 9",
    touches=("text",),
)
def text_completeness(facts: Facts) -> Iterator[Finding]:
    """Free text is what a recipe knows about an item without events."""
    for row in facts.with_role("text").itertuples():
        complete = 100.0 - row.MISSING_SHARE
        if row.ROWS and complete < LEAST_TEXT:
            yield Finding(
                BLOCKS if row.DATASET == ITEMS else WARNING, row.DATASET, row.COLUMN, complete, "% complete",
                f"{count(row.MISSING)} of {count(row.ROWS)} texts are missing; {percent(complete)} are there and "
                "85 % are needed, or the column is not trained on. Write the missing texts.",
                "semantic-similarity" if row.DATASET == ITEMS else "",
            )  # fmt: skip


@check(
    "items_without_interactions",
    looks_for="catalogue items that nobody has interacted with",
    threshold="any; from 50 % a warning",
    origin=f"{GUIDE}, 3 (the 50 % are {OURS})",
    touches=("items",),
)
def items_without_interactions(facts: Facts) -> Iterator[Finding]:
    """They are recommended only by recipes that read item texts and attributes, or by exploration."""
    yield from _without_events(facts, ITEMS, ITEM_ID, "recommended only by recipes that explore or read attributes")


@check(
    "users_without_interactions",
    looks_for="known users who have done nothing",
    threshold="any; from 50 % a warning",
    origin=f"{GUIDE}, 4 (the 50 % are {OURS})",
    touches=("users",),
)
def users_without_interactions(facts: Facts) -> Iterator[Finding]:
    """They get popular items until their first event."""
    yield from _without_events(facts, USERS, USER_ID, "shown popular items until their first event")


def _without_events(facts: Facts, dataset: str, key: str, result: str) -> Iterator[Finding]:
    if facts.events is None or dataset not in facts.tables:
        return
    active = facts.events.items if key == ITEM_ID else facts.events.users
    everything = facts.tables[dataset].select(key).filter(lambda each: each[key].notnull()).distinct()
    total = int(everything.count().to_pandas())
    silent = int(everything.anti_join(active, key).count().to_pandas())
    if silent:
        yield Finding(
            WARNING if share(silent, total) >= 50 else INFO, dataset, key, share(silent, total), f"% of {dataset}",
            f"{count(silent)} of {count(total)} {dataset} ({percent(share(silent, total))}) have no interaction and "
            f"are {result}. Check that all interactions were imported and that ids are written alike in both tables.",
        )  # fmt: skip
