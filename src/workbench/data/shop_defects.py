"""The defects planted in the raw shop tables: what, where, how many, and the check that has to find each."""

from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    DAY,
    EVENT_TYPE,
    EVENT_VALUE,
    HOUR,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    TIMESTAMP,
    USER_ID,
    USERS,
)
from workbench.data.shop_catalogue import COLOURS, SILENT_ITEMS, SILENT_USERS
from workbench.data.shop_truth import START

MILLISECONDS, FUTURE, NO_USER, NO_ITEM, GHOST_ITEMS, GHOST_USERS, REPEATS = 180, 40, 60, 45, 120, 80, 300
WRONG_VALUES, BOTS, BOT_EVENTS = 6, 2, 1_500
TEN_YEARS = 3_653 * DAY
# Right spelling of an event type, wrong spelling, rows that get it.
RESPELT = (
    ("View", "view", 400),
    ("View", "VIEW", 200),
    ("View", "product_view", 150),
    ("AddToCart", "add_to_cart", 120),
    ("AddToCart", "Add To Cart", 60),
    ("StartCheckout", "checkout", 80),
    ("Purchase", "buy", 50),
    ("Purchase", "order", 30),
    ("Wishlist", "wish", 40),
)
NO_BRAND, NO_DESCRIPTION, NO_PRICE, MARKUP, WRONG_PRICES, REPEATED_ITEMS, COMMAS = 150, 80, 8, 25, 3, 5, 60
NOT_APPLICABLE = (("N/A", 12), ("Not Applicable", 9))
COLOUR_SPELLINGS = 34  # eight colours in four spellings, and the two words for none
ROWS_PER_SPELLING = 5
UNUSUAL_COLOURS = 8 * 3 * ROWS_PER_SPELLING + 9  # three wrong spellings of each, and the rarer word for none
NO_AGE, WRONG_AGES, REPEATED_USERS = 90, 5, 4
GENDERS = (("F", "female", 70), ("M", "Male", 50))
RESPELT_ACTIONS = (("TAKEN", "Taken", 120), ("NOT_TAKEN", "Not Taken", 80))
RESPELT_ACTION_ROWS = sum(rows for *_, rows in RESPELT_ACTIONS)
REPEATED_ACTIONS, GHOST_ACTIONS = 30, 15


@dataclass(frozen=True)
class Defect:
    """One planted defect. count: rows, unless the defect's words say what is counted instead."""

    defect: str
    dataset: str
    column: str
    count: int
    check: str


DEFECTS = (
    Defect("exact repeats of a row", INTERACTIONS, "", REPEATS, "duplicate_events"),
    Defect("times in milliseconds", INTERACTIONS, TIMESTAMP, MILLISECONDS, "milliseconds"),
    Defect("times ten years ahead", INTERACTIONS, TIMESTAMP, FUTURE, "future_times"),
    Defect("missing user ids", INTERACTIONS, USER_ID, NO_USER, "missing_ids"),
    Defect("missing item ids", INTERACTIONS, ITEM_ID, NO_ITEM, "missing_ids"),
    Defect("items that no catalogue row explains", INTERACTIONS, ITEM_ID, GHOST_ITEMS, "unknown_items"),
    Defect("users that no user row explains", INTERACTIONS, USER_ID, GHOST_USERS, "unknown_users"),
    Defect("event types (number of different ones)", INTERACTIONS, EVENT_TYPE, 5 + len(RESPELT), "event_types"),
    Defect("misspelt event types", INTERACTIONS, EVENT_TYPE, sum(n for *_, n in RESPELT), "event_type_spelling"),
    Defect("bots (number of users)", INTERACTIONS, USER_ID, BOTS, "bots"),
    Defect("values a thousand times too high", INTERACTIONS, EVENT_VALUE, WRONG_VALUES, "outliers"),
    Defect("repeated item ids", ITEMS, ITEM_ID, REPEATED_ITEMS, "duplicate_ids"),
    Defect("items nobody looked at", ITEMS, ITEM_ID, SILENT_ITEMS, "items_without_interactions"),
    Defect("missing brands (under 70 % complete)", ITEMS, "BRAND", NO_BRAND, "missing_columns"),
    Defect("missing prices", ITEMS, "PRICE", NO_PRICE, "missing_values"),
    Defect("prices a thousand times too high", ITEMS, "PRICE", WRONG_PRICES, "outliers"),
    Defect("colours (number of different spellings)", ITEMS, "COLOUR", COLOUR_SPELLINGS, "too_many_categories"),
    Defect("colours spelt otherwise than most", ITEMS, "COLOUR", UNUSUAL_COLOURS, "inconsistent_naming"),
    Defect("two words for no colour", ITEMS, "COLOUR", sum(n for _, n in NOT_APPLICABLE), "words_for_nothing"),
    Defect("tags joined with a comma", ITEMS, "TAGS", COMMAS, "multi_value_separator"),
    Defect("missing descriptions (under 85 %)", ITEMS, "PRODUCT_DESCRIPTION", NO_DESCRIPTION, "text_completeness"),
    Defect("markup in descriptions", ITEMS, "PRODUCT_DESCRIPTION", MARKUP, "markup"),
    Defect("repeated user ids", USERS, USER_ID, REPEATED_USERS, "duplicate_ids"),
    Defect("users who did nothing", USERS, USER_ID, SILENT_USERS, "users_without_interactions"),
    Defect("missing ages", USERS, "AGE", NO_AGE, "missing_values"),
    Defect("ages above 200", USERS, "AGE", WRONG_AGES, "outliers"),
    Defect("genders spelt in two ways", USERS, "GENDER", sum(n for *_, n in GENDERS), "inconsistent_naming"),
    Defect("exact repeats of a row", ACTION_INTERACTIONS, "", REPEATED_ACTIONS, "duplicate_events"),
    Defect("misspelt event types", ACTION_INTERACTIONS, EVENT_TYPE, RESPELT_ACTION_ROWS, "event_type_spelling"),
    Defect("actions that no action row explains", ACTION_INTERACTIONS, ACTION_ID, GHOST_ACTIONS, "unknown_actions"),
)


def planted_defects() -> pd.DataFrame:
    """Every planted defect: DEFECT, DATASET, COLUMN (empty: the whole row), COUNT, CHECK that has to find it."""
    columns = ["DEFECT", "DATASET", "COLUMN", "COUNT", "CHECK"]
    return pd.DataFrame([astuple(each) for each in DEFECTS], columns=columns)


def spellings(colour: str) -> tuple[str, ...]:
    """The wrong spellings of a colour, such as "red" for "Red"."""
    return colour.upper(), colour.lower(), f"{colour} colour"


def spoil_interactions(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Plant the defects of the event log; no row gets two of them."""
    raw, deck = events.copy(), _Deck(rng, len(events))
    raw[TIMESTAMP] = raw[TIMESTAMP].astype("int64")
    raw.loc[deck.take(MILLISECONDS), TIMESTAMP] *= 1_000
    raw.loc[deck.take(FUTURE), TIMESTAMP] += TEN_YEARS
    raw.loc[deck.take(NO_USER), USER_ID] = None
    raw.loc[deck.take(NO_ITEM), ITEM_ID] = None
    raw.loc[deck.take(GHOST_ITEMS), ITEM_ID] = [f"{90_001 + row % 12}" for row in range(GHOST_ITEMS)]
    raw.loc[deck.take(GHOST_USERS), USER_ID] = [f"guest-{row % 9 + 1}" for row in range(GHOST_USERS)]
    for right, wrong, rows in RESPELT:
        raw.loc[deck.take(rows, raw[EVENT_TYPE] == right), EVENT_TYPE] = wrong
    paid = raw[EVENT_TYPE].eq("Purchase") & raw[EVENT_VALUE].gt(20)
    raw.loc[deck.take(WRONG_VALUES, paid), EVENT_VALUE] *= 1_000
    repeated = raw.loc[deck.take(REPEATS)]
    return _by_row(pd.concat([raw, repeated, _bots(raw, rng)]), TIMESTAMP)


def spoil_items(items: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Plant the defects of the catalogue. Five ids get a second, later row with another price."""
    raw, deck = items.copy(), _Deck(rng, len(items))
    later = raw.loc[deck.take(REPEATED_ITEMS)].copy()
    later["PRICE"] = (later["PRICE"] * 0.9).round(2)
    raw.loc[deck.take(NO_PRICE), "PRICE"] = np.nan
    raw.loc[deck.take(WRONG_PRICES, raw["PRICE"] > 20), "PRICE"] *= 1_000
    untouched = ~raw[ITEM_ID].isin(later[ITEM_ID])
    each = [_Deck(rng, len(items), untouched) for _ in range(4)]
    raw.loc[each[0].take(NO_BRAND), "BRAND"] = None
    raw.loc[each[1].take(NO_DESCRIPTION), "PRODUCT_DESCRIPTION"] = None
    marked = each[1].take(MARKUP)
    words = raw.loc[marked, "PRODUCT_DESCRIPTION"]
    raw.loc[marked, "PRODUCT_DESCRIPTION"] = "<p>" + words.str.replace(". ", ".<br/>&nbsp;", regex=False) + "</p>"
    several = each[2].take(COMMAS, raw["TAGS"].str.contains("|", regex=False))
    raw.loc[several, "TAGS"] = raw.loc[several, "TAGS"].str.replace("|", ", ", regex=False)
    for words, rows in NOT_APPLICABLE:
        raw.loc[each[3].take(rows), "COLOUR"] = words
    for colour in COLOURS:
        for wrong in spellings(colour):
            raw.loc[each[3].take(ROWS_PER_SPELLING, raw["COLOUR"] == colour), "COLOUR"] = wrong
    return pd.concat([raw, later]).reset_index(drop=True)


def spoil_users(users: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Plant the defects of the user table, and leave the segments out."""
    raw, deck = users.drop(columns="SEGMENT"), _Deck(rng, len(users))
    raw["AGE"] = raw["AGE"].astype("Int64")
    raw.loc[deck.take(NO_AGE), "AGE"] = pd.NA
    raw.loc[deck.take(WRONG_AGES), "AGE"] = [214, 222, 999, 250, 301]
    for right, wrong, rows in GENDERS:
        raw.loc[deck.take(rows, raw["GENDER"] == right), "GENDER"] = wrong
    repeated = raw.loc[deck.take(REPEATED_USERS)]
    return pd.concat([raw, repeated]).reset_index(drop=True)


def spoil_action_events(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Plant the defects of the action log; no row gets two of them."""
    raw, deck = events.copy(), _Deck(rng, len(events))
    for right, wrong, rows in RESPELT_ACTIONS:
        raw.loc[deck.take(rows, raw[EVENT_TYPE] == right), EVENT_TYPE] = wrong
    raw.loc[deck.take(GHOST_ACTIONS), ACTION_ID] = "summer-raffle"
    return _by_row(pd.concat([raw, raw.loc[deck.take(REPEATED_ACTIONS)]]), TIMESTAMP)


class _Deck:
    """Row numbers dealt without return, so that defects never share a row."""

    def __init__(self, rng: np.random.Generator, rows: int, allowed: pd.Series | None = None):
        order = rng.permutation(rows)
        self.left = order if allowed is None else order[allowed.to_numpy()[order]]

    def take(self, count: int, where: pd.Series | None = None) -> np.ndarray:
        fits = np.ones(len(self.left), bool) if where is None else where.to_numpy(dtype=bool)[self.left]
        places = np.flatnonzero(fits)[:count]
        dealt = self.left[places]
        self.left = np.delete(self.left, places)
        return np.sort(dealt)


def _bots(events: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Views of two users who look at an item every three seconds for more than an hour."""
    there = events[events[ITEM_ID].str.startswith("0", na=False)]
    rows = []
    for bot, user in enumerate(("u0100", "u0200")[:BOTS]):
        begin = START + (20 + 15 * bot) * DAY + 3 * HOUR
        known = np.sort(there[there[TIMESTAMP] < begin][ITEM_ID].unique())  # nobody sees an item before it exists
        for number, item in enumerate(known[rng.integers(0, len(known), BOT_EVENTS)]):
            rows.append({USER_ID: user, ITEM_ID: item, TIMESTAMP: begin + 3 * number, EVENT_TYPE: "View"})
    return pd.DataFrame(rows).assign(DEVICE="desktop").reindex(columns=events.columns)


def _by_row(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Order as a log file would be, with the wrong times left where they were written."""
    seconds = frame[column].where(frame[column] < 10_000_000_000, frame[column] // 1_000)
    seconds = seconds.where(seconds < START + 1_000 * DAY, seconds - TEN_YEARS)
    order = np.argsort(seconds.to_numpy(), kind="stable")
    return frame.iloc[order].reset_index(drop=True)
