"""The shop's items, users and actions before anything is spoilt."""

import numpy as np
import pandas as pd

from workbench.columns import (
    ACTION_ID,
    CREATION_TIMESTAMP,
    DAY,
    EXPIRATION_TIMESTAMP,
    ITEM_ID,
    REPEAT_FREQUENCY,
    TYPE,
    USER_ID,
    VALUE,
)
from workbench.data.shop_truth import ACTIONS, CATEGORIES, DAYS, SEGMENT_SHARES, START

ITEMS = 420
SILENT_ITEMS = 24  # in the catalogue, never looked at
USERS = 1_260
SILENT_USERS = 60  # registered, never seen

# Category: two kinds of product, lowest and highest price.
_PRODUCTS = {
    "Camping": (("Tent", "Sleeping Bag"), 25, 320),
    "Cycling": (("Helmet", "Bike Light"), 15, 160),
    "Running": (("Race Vest", "Running Belt"), 12, 110),
    "Kitchen": (("Frying Pan", "Knife Set"), 14, 180),
    "Garden": (("Watering Can", "Secateurs"), 8, 95),
    "Furniture": (("Side Table", "Bookcase"), 45, 480),
    "Clothing": (("Rain Jacket", "Wool Jumper"), 20, 190),
    "Shoes": (("Trail Shoe", "Ankle Boot"), 30, 210),
    "Beauty": (("Face Cream", "Hand Soap"), 5, 60),
    "Audio": (("Headphones", "Loudspeaker"), 25, 420),
    "Computing": (("Keyboard", "Monitor Stand"), 12, 260),
    "Toys": (("Building Blocks", "Jigsaw"), 8, 85),
}
_ADJECTIVES = ("Light", "Classic", "Compact", "Sturdy", "Soft", "Bright", "Quiet", "Foldable", "Everyday", "Reclaimed")
_BRANDS = ("Alder", "Birch & Co", "Cedarworks", "Dune", "Elmfield", "Fjord", "Grove", "Harbour")
COLOURS = ("Black", "White", "Red", "Blue", "Green", "Yellow", "Grey", "Brown")
_TAGS = ("gift", "summer", "new season", "bestseller", "handmade", "recycled")
_CLOSINGS = (
    "Made to last and easy to repair.",
    "Arrives ready to use, with a two year guarantee.",
    "A favourite of our own staff.",
    "Packed without plastic.",
)
_OCCUPATIONS = ("student", "office", "trade", "health", "teaching", "retired")


def items(rng: np.random.Generator) -> pd.DataFrame:
    """Draw the catalogue: one row per item, ids with leading zeros, a seventh of the items new during the log."""
    category = np.arange(ITEMS) % len(CATEGORIES)
    kind = (np.arange(ITEMS) // len(CATEGORIES)) % 2
    words = rng.integers(0, [len(_ADJECTIVES), len(_BRANDS), len(COLOURS), len(_CLOSINGS)], (ITEMS, 4))
    spread = rng.random((ITEMS, 4))
    rows = []
    for number in range(ITEMS):
        name = CATEGORIES[category[number]]
        products, low, high = _PRODUCTS[name]
        adjective, brand, colour, closing = words[number]
        product, price = products[kind[number]], round(low + (high - low) * spread[number, 0] ** 2, 2)
        age = DAYS * spread[number, 1] * 0.8 if number % 7 == 3 else -400 * spread[number, 1]
        tags = [tag for bit, tag in enumerate(_TAGS) if (number * 7 + bit * 5) % 11 < 3] or ["everyday"]
        rows.append(
            {
                ITEM_ID: f"{number + 1:05d}",
                "TITLE": f"{_ADJECTIVES[adjective]} {product} {_BRANDS[brand]} {number + 1}",
                "PRICE": price,
                "MARGIN": round(price * (0.15 + 0.3 * spread[number, 2]), 2),
                "CATEGORY_L1": name,
                "CATEGORY_L2": product,
                "BRAND": _BRANDS[brand],
                "COLOUR": COLOURS[colour],
                "TAGS": "|".join(tags),
                "PRODUCT_DESCRIPTION": (
                    f"A {_ADJECTIVES[adjective].lower()} {product.lower()} in {COLOURS[colour].lower()} "
                    f"by {_BRANDS[brand]}, for {name.lower()}. {_CLOSINGS[closing]}"
                ),
                CREATION_TIMESTAMP: int(START + age * DAY),
            }
        )
    return pd.DataFrame(rows)


def users(rng: np.random.Generator) -> pd.DataFrame:
    """Draw the people, with SEGMENT (a position in SEGMENTS) that the raw table never shows."""
    segment = np.searchsorted(np.cumsum(SEGMENT_SHARES)[:-1], rng.random(USERS), side="right")
    # Age leans on the segment, so that user metadata carries a signal.
    age = np.clip(np.array([34, 52, 29, 31, 41])[segment] + rng.standard_normal(USERS) * 9, 18, 84).astype(int)
    female = rng.random(USERS) < np.array([0.45, 0.55, 0.68, 0.36, 0.56])[segment]
    occupation = rng.integers(0, len(_OCCUPATIONS), USERS)
    return pd.DataFrame(
        {
            USER_ID: [f"u{number + 1:04d}" for number in range(USERS)],
            "AGE": age,
            "GENDER": np.where(female, "F", "M"),
            "OCCUPATION": np.array(_OCCUPATIONS)[occupation],
            "MEMBER": np.where(rng.random(USERS) < 0.4, "true", "false"),
            "SEGMENT": segment,
        }
    )


def actions() -> pd.DataFrame:
    """The eight things the shop would like people to do; one of them has expired when the log ends."""
    end = START + DAYS * DAY
    return pd.DataFrame(
        {
            ACTION_ID: list(ACTIONS),
            "TITLE": [name.replace("-", " ").capitalize() for name in ACTIONS],
            VALUE: [40, 5, 12, 15, 20, 25, 4, 8],
            TYPE: ["club", "message", "app", "offer", "offer", "message", "service", "club"],
            CREATION_TIMESTAMP: [START - 200 * DAY] * len(ACTIONS),
            EXPIRATION_TIMESTAMP: [end + 90 * DAY] * (len(ACTIONS) - 1) + [end - 5 * DAY],
            REPEAT_FREQUENCY: [30, 14, 7, 14, 21, 30, 30, 30],
        }
    )
