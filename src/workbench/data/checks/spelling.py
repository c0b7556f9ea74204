"""One thing written in several ways: categories, event types, words for nothing."""

import re
from collections.abc import Iterator

import pandas as pd

from workbench.columns import ACTION_INTERACTIONS, EVENT_TYPE, INTERACTIONS, SEPARATOR
from workbench.data.checks import mends
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import (
    ALL_RECIPES,
    BLOCKS,
    GUIDE,
    INFO,
    OURS,
    WARNING,
    Finding,
    check,
    count,
    some,
)
from workbench.data.rules import MAX_EVENT_TYPES

NOTHING = {
    "na",
    "notapplicable",
    "notavailable",
    "null",
    "none",
    "nil",
    "nan",
    "unknown",
    "undefined",
    "missing",
    "tbd",
}
SAME = {"f": "female", "w": "female", "woman": "female", "m": "male", "man": "male", "y": "yes", "n": "no"}
SAME |= {"t": "true", "tv": "television", "us": "usa", "uk": "unitedkingdom"}
# Words that shops and players use, and the event type of the domain schemas they stand for.
EVENT_WORDS = {
    "View": (
        "view",
        "productview",
        "detailview",
        "viewitem",
        "pageview",
        "itemview",
        "detailpageview",
        "productviewed",
    ),
    "AddToCart": ("addtocart", "cart", "addtobasket", "basket", "addcart"),
    "ViewCart": ("viewcart", "openbasket", "showcart"),
    "StartCheckout": ("startcheckout", "checkout", "begincheckout", "initiatecheckout"),
    "Purchase": ("purchase", "buy", "bought", "order", "ordered", "transaction", "sale", "conversion"),
    "Watch": ("watch", "play", "stream", "watched", "played", "videoplay"),
    "Click": ("click", "clicked", "tap", "itemclick", "productclick", "clickthrough"),
    "Wishlist": ("wishlist", "wish", "addtowishlist", "favourite", "favorite"),
}
MEANT = {word: event for event, words in EVENT_WORDS.items() for word in words}


def folded(value: str) -> str:
    """A value without case, blanks and punctuation: what is left when two spellings mean the same."""
    return re.sub(r"[\W_]+", "", value.casefold())


def variants(values: pd.DataFrame, column: str = "") -> dict[str, str]:
    """Find values that are spellings of a more frequent one.

    Args:
        values: VALUE (text), ROWS.
        column: the column's name.

    Returns:
        Spelling to the most frequent spelling of the same thing; of equally frequent ones the first in the alphabet.
        A trailing word that only repeats the column's name ("blue colour" in COLOUR) makes no difference.
    """
    ordered = values.sort_values(["ROWS", "VALUE"], ascending=[False, True])["VALUE"].tolist()
    keys = {value: _key(value) for value in ordered}
    tails = {folded(word) for word in column.split("_")} - {""}
    best: dict[str, str] = {}
    found = {}
    for value in ordered:
        key = keys[value]
        for tail in tails:
            shorter = key.removesuffix(tail)
            if shorter != key and shorter in keys.values():
                key = shorter
        if key and key in best:
            found[value] = best[key]
        else:
            best[key] = value
    return found


def single_values(values: pd.DataFrame) -> pd.DataFrame:
    """VALUE and ROWS of single categories, with those joined by | taken apart; most frequent first."""
    parts = values.assign(VALUE=values["VALUE"].str.split(SEPARATOR, regex=False)).explode("VALUE")
    parts = parts.assign(VALUE=parts["VALUE"].astype("str").str.strip()).query("VALUE != ''")
    counted = parts.groupby("VALUE", as_index=False)["ROWS"].sum()
    return counted.sort_values(["ROWS", "VALUE"], ascending=[False, True], ignore_index=True)


def _key(value: str) -> str:
    key = folded(value)
    return "nothing" if key in NOTHING else SAME.get(key, key)


@check(
    "inconsistent_naming",
    looks_for="one category in several spellings, or several words for nothing",
    threshold="any",
    origin="Personalize, data readiness list",
    touches=("items", "users"),
)
def inconsistent_naming(facts: Facts) -> Iterator[Finding]:
    """Such as "N/A" beside "Not Applicable", "F" beside "female", or "blue" beside "BLUE"."""
    for row in facts.with_role("category").itertuples():
        values = facts.columns[row.DATASET].values.get(row.COLUMN)
        if values is None:
            continue
        joined = values["VALUE"].str.contains(SEPARATOR, regex=False).any()
        parts = single_values(values) if joined else values
        spellings = variants(parts, row.COLUMN)
        if not spellings:
            continue
        rows = int(parts.loc[parts["VALUE"].isin(list(spellings)), "ROWS"].sum())
        pairs = [f"{old} = {new}" for old, new in spellings.items()]
        yield Finding(
            WARNING, row.DATASET, row.COLUMN, rows, "rows",
            f"{count(rows)} rows spell a category in another way than most: {some(pairs)}. Write each in one way.",
            step={} if joined else mends.map_values(row.COLUMN, spellings, "one spelling per category"),
        )  # fmt: skip


@check(
    "words_for_nothing",
    looks_for="words such as N/A or unknown where a missing value is meant",
    threshold="any",
    origin=OURS,
    touches=(),
)
def words_for_nothing(facts: Facts) -> Iterator[Finding]:
    """A model would learn that all items without a brand share one."""
    for row in facts.with_role("category").itertuples():
        values = facts.columns[row.DATASET].values.get(row.COLUMN)
        if values is None:
            continue
        empty = values[values["VALUE"].map(folded).isin(NOTHING)]
        if len(empty):
            yield Finding(
                INFO, row.DATASET, row.COLUMN, int(empty["ROWS"].sum()), "rows",
                f"{count(empty['ROWS'].sum())} rows say {some(empty['VALUE'])}, which reads as a missing value. "
                "Empty them, unless it is a true category.",
                step=mends.empty_values(row.COLUMN, empty["VALUE"].tolist()),
            )  # fmt: skip


@check(
    "event_types",
    looks_for="more event types than can be trained with",
    threshold="more than 10",
    origin=f"{GUIDE}, 10",
    touches=("context",),
)
def event_types(facts: Facts) -> Iterator[Finding]:
    """Training in Personalize fails; here it only spreads the data thin. Spellings are looked at too."""
    for dataset in (INTERACTIONS, ACTION_INTERACTIONS):
        values = _types(facts, dataset)
        if values is None:
            continue
        spellings = event_spellings(values)
        if len(values) > MAX_EVENT_TYPES:
            step = mends.map_event_types(spellings) if spellings else {}
            rest = len(values) - len(spellings)
            yield Finding(
                BLOCKS, dataset, EVENT_TYPE, len(values), "event types",
                f"There are {len(values)} event types: {some(values['VALUE'], 12)}. At most 10 can be trained with. "
                + (f"Merging spellings leaves {rest}." if spellings else "Merge or drop those that matter least."),
                ALL_RECIPES if dataset == INTERACTIONS else "next-best-action",
                step,
            )  # fmt: skip


@check(
    "event_type_spelling",
    looks_for="event types that are spellings of another, or have a usual name",
    threshold="any",
    origin=f"{OURS}; usual names are those of Personalize's domain schemas",
    touches=("context",),
)
def event_type_spelling(facts: Facts) -> Iterator[Finding]:
    """Event weights, filters and attribution go by the exact name."""
    for dataset in (INTERACTIONS, ACTION_INTERACTIONS):
        values = _types(facts, dataset)
        spellings = {} if values is None else event_spellings(values)
        if not spellings:
            continue
        rows = int(values.loc[values["VALUE"].isin(list(spellings)), "ROWS"].sum())
        merges = len(set(spellings.values()) & set(values["VALUE"])) > 0
        pairs = [f"{old} = {new}" for old, new in spellings.items()]
        yield Finding(
            WARNING if merges else INFO, dataset, EVENT_TYPE, rows, "rows",
            f"{count(rows)} rows name an event type in an unusual way: {some(pairs, 12)}. Use one name for each.",
            step=mends.map_event_types(spellings),
        )  # fmt: skip


def event_spellings(values: pd.DataFrame) -> dict[str, str]:
    """Event type to the name it should have: the usual one, or the most frequent spelling if only case differs."""
    groups: dict[str, list[str]] = {}
    for value in values.sort_values(["ROWS", "VALUE"], ascending=[False, True])["VALUE"]:
        key = folded(value)
        groups.setdefault(MEANT.get(key, key), []).append(value)
    found = {}
    for usual, spellings in groups.items():
        unusual = usual in EVENT_WORDS and folded(usual) not in map(folded, spellings)
        target = usual if usual in spellings or unusual else spellings[0]
        found |= {each: target for each in spellings if each != target}
    return found


def _types(facts: Facts, dataset: str) -> pd.DataFrame | None:
    return facts.columns[dataset].values.get(EVENT_TYPE) if dataset in facts.columns else None
