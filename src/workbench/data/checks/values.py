"""What columns hold: outliers, categories, spellings, separators, markup, lengths."""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import pandas as pd

from workbench.columns import EVENT_TYPE, INTERACTIONS, ITEMS, SEPARATOR, USERS
from workbench.data.checks import mends
from workbench.data.checks.columns_pass import EXACT_ROWS, FENCE
from workbench.data.checks.facts import KEYS, Facts
from workbench.data.checks.registry import (
    GUIDE,
    INFO,
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
from workbench.data.checks.spelling import single_values, variants

MOST_CATEGORIES = 30
LONGEST_ID, LONGEST_CATEGORY, LONGEST_TEXT = 256, 1_000, 20_000
MOST_METADATA = {INTERACTIONS: 5, USERS: 25, ITEMS: 100}
SEPARATORS = (",", ";", "/")
LEAST_JOINED = 5.0  # per cent of the filled values that must hold a foreign separator
MARKUP = r"<[A-Za-z/!][^>]*>|&[A-Za-z]+;|&#\d+;"


@check(
    "outliers",
    looks_for="numbers far outside the rest of their column",
    threshold="beyond 3 interquartile ranges from the middle half",
    origin=f"{GUIDE}, 7; method not published, ours is Tukey's outer fence, on a log scale where more even",
    touches=("items", "users", "context"),
)
def outliers(facts: Facts) -> Iterator[Finding]:
    """A unit mistake or a stuck sensor stretches the scale until everything else looks the same."""
    for row in facts.with_role("number").itertuples():
        if not row.OUTLIERS:
            continue
        part = share(row.OUTLIERS, row.ROWS - row.MISSING)
        side = row.HIGHEST if row.HIGHEST > row.HIGH_FENCE else row.LOWEST
        yield Finding(
            WARNING if part <= 1 else INFO, row.DATASET, row.COLUMN, row.OUTLIERS, "values",
            f"{count(row.OUTLIERS)} values ({percent(part)}) lie below {row.LOW_FENCE:g} or above {row.HIGH_FENCE:g}; "
            f"the farthest is {side:g}, the median {row.MEDIAN:g}. "
            + ("Check units and collection." if part <= 1 else "So many are rather a long tail than mistakes."),
            step=_capping(row),
        )  # fmt: skip


def _capping(row: NamedTuple) -> dict[str, Any]:
    if math.isclose(row.HIGH_FENCE, row.Q3 + FENCE * (row.Q3 - row.Q1)):
        return mends.cap_outliers(row.COLUMN, FENCE)
    return mends.cap_by_ratio(row.COLUMN, FENCE, row.TYPE.startswith(("int", "uint")))


@check(
    "too_many_categories",
    looks_for="a categorical column with very many categories",
    threshold="more than 30",
    origin=f"{GUIDE}, 8",
    touches=(),
)
def too_many_categories(facts: Facts) -> Iterator[Finding]:
    """Values joined with | count one by one."""
    for row in facts.with_role("category").itertuples():
        values = facts.columns[row.DATASET].values.get(row.COLUMN)
        found = row.DISTINCT if values is None else len(single_values(values))
        if found > MOST_CATEGORIES:
            about = "about " if values is None and row.ROWS > EXACT_ROWS else ""
            step = {} if values is None else respelling_step(row.COLUMN, values)
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, found, "categories",
                f"The column has {about}{count(found)} categories; rare ones teach "
                "nothing. Merge spelling variants and rare values; ignore this if the column is only used in filters.",
                step=step,
            )  # fmt: skip


def respelling_step(column: str, values: pd.DataFrame) -> dict:
    """The step that merges a column's spelling variants, or nothing when there are none."""
    spellings = {} if values["VALUE"].str.contains(SEPARATOR, regex=False).any() else variants(values, column)
    return mends.map_values(column, spellings, "one spelling per category") if spellings else {}


@check(
    "multi_value_separator",
    looks_for="several categories in one field joined with something else than |",
    threshold="5 % of values, and the parts are fewer than the whole",
    origin=f"{RULES} (separator |); the 5 % are {OURS}",
    touches=("items", "users"),
)
def multi_value_separator(facts: Facts) -> Iterator[Finding]:
    """Otherwise "Drama, Comedy" is a category of its own, unrelated to both."""
    for row in facts.with_role("category", "label").itertuples():
        values = facts.columns[row.DATASET].values.get(row.COLUMN)
        if values is None:
            continue
        for separator in SEPARATORS:
            joined = values[values["VALUE"].str.contains(separator, regex=False)]
            rows, everything = int(joined["ROWS"].sum()), int(values["ROWS"].sum())
            if share(rows, everything) < LEAST_JOINED or not _splits(values, joined, separator):
                continue
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, rows, "rows",
                f"{count(rows)} values such as {some(joined['VALUE'], 2)} look like several categories joined with "
                f"{separator!r}. Join them with {SEPARATOR!r} so that each counts by itself.",
                step=mends.join_values(row.COLUMN, separator),
            )  # fmt: skip


def _splits(values: pd.DataFrame, joined: pd.DataFrame, separator: str) -> bool:
    """Whether taking values apart at the separator gives known or repeated parts rather than new ones."""
    pattern = "[" + re.escape(separator + SEPARATOR) + "]"
    whole = values["VALUE"].nunique()
    parts = values["VALUE"].str.split(pattern, regex=True).explode().str.strip()
    return len(joined) > 1 and parts[parts != ""].nunique() < whole


@check(
    "markup",
    looks_for="HTML tags and entities in texts",
    threshold="any",
    origin=f"{RULES}: tags and entities are removed",
    touches=(),
)
def markup(facts: Facts) -> Iterator[Finding]:
    """Tags are noise to a text model and a danger to a page that shows them."""
    for row in facts.with_role("text", "label", "category").itertuples():
        column = facts.tables[row.DATASET][row.COLUMN]
        found = int(column.re_search(MARKUP).cast("int64").sum().to_pandas() or 0)
        if found:
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, found, "rows",
                f"{count(found)} of {count(row.ROWS)} texts hold HTML tags or entities. Take them out.",
                step=mends.clean_text(row.COLUMN),
            )  # fmt: skip


@check(
    "too_long_values",
    looks_for="ids, categories and texts longer than is stored",
    threshold="ids 256, categories 1,000, texts 20,000 characters",
    origin="Personalize, quotas and data rules",
    touches=(),
)
def too_long_values(facts: Facts) -> Iterator[Finding]:
    """Longer ids and categories are refused by Personalize, longer texts are cut."""
    limits = {"id": LONGEST_ID, "category": LONGEST_CATEGORY, "label": LONGEST_CATEGORY, "text": LONGEST_TEXT}
    for row in facts.with_role(*limits).itertuples():
        longest = 0 if pd.isna(row.LONGEST) else int(row.LONGEST)
        if longest > limits[row.ROLE]:
            yield Finding(
                WARNING, row.DATASET, row.COLUMN, longest, "characters",
                f"The longest value has {count(longest)} characters; Personalize takes {count(limits[row.ROLE])} in "
                f"{'an' if row.ROLE == 'id' else 'a'} {row.ROLE}. The workbench keeps it whole.",
            )  # fmt: skip


@check(
    "constant_columns",
    looks_for="columns with the same value in every row",
    threshold="one distinct value",
    origin=OURS,
    touches=(),
)
def constant_columns(facts: Facts) -> Iterator[Finding]:
    """Such a column tells no row from another."""
    for row in facts.with_role("number", "boolean", "category", "label").itertuples():
        if row.DISTINCT == 1 and row.MISSING == 0 and row.ROWS > 1:
            example = some([row.EXAMPLE])
            yield Finding(
                INFO, row.DATASET, row.COLUMN, 1, "distinct values",
                f"Every row says {example}; a model learns nothing from it.",
                step=mends.drop_columns([row.COLUMN], f"every row says {example}"),
            )  # fmt: skip


@check(
    "too_many_columns",
    looks_for="more metadata columns than Personalize takes",
    threshold="interactions 5, users 25, items 100",
    origin="Personalize, quotas",
    touches=(),
)
def too_many_columns(facts: Facts) -> Iterator[Finding]:
    """Only matters when the data is to go to Personalize; the workbench has no such limit."""
    reserved = {EVENT_TYPE, "EVENT_VALUE", "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"}
    for dataset, limit in MOST_METADATA.items():
        if dataset in facts.tables:
            names = facts.columns[dataset].statistics["COLUMN"]
            found = int((~names.isin([*KEYS[dataset], *reserved])).sum())
            if found > limit:
                yield Finding(
                    INFO, dataset, "", found, "metadata columns",
                    f"{found} metadata columns; Personalize takes {limit}. The workbench uses them all.",
                )  # fmt: skip
