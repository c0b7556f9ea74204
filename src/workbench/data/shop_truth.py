"""What is true in the shop: who likes what, what goes with what, and what each source of recommendations adds.

Everything the shop's generator draws, it draws from these tables, so a model, an experiment or an estimate made on
the shop can be held against the truth.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

START = 1_746_057_600  # 2025-05-01 00:00:00 UTC, the first second of the shop's log
DAYS = 60  # length of the log
LIST_LENGTH = 6  # items in every list of recommendations

SEGMENTS = ("outdoor", "home", "style", "tech", "family")
CATEGORIES = (
    "Camping",
    "Cycling",
    "Running",
    "Kitchen",
    "Garden",
    "Furniture",
    "Clothing",
    "Shoes",
    "Beauty",
    "Audio",
    "Computing",
    "Toys",
)
# Percent of a segment's interest that goes to each category; each row adds up to 100.
_INTEREST = (
    (28, 24, 20, 3, 6, 2, 5, 6, 1, 2, 2, 1),
    (3, 2, 2, 26, 24, 24, 3, 2, 5, 3, 3, 3),
    (2, 2, 6, 3, 2, 5, 30, 24, 20, 3, 2, 1),
    (3, 6, 3, 4, 2, 4, 3, 2, 1, 34, 34, 4),
    (6, 4, 2, 14, 6, 6, 12, 8, 3, 4, 3, 32),
)
SEGMENT_SHARES = (0.24, 0.22, 0.2, 0.18, 0.16)

ACTIONS = (
    "join-loyalty",
    "newsletter",
    "install-app",
    "free-shipping",
    "gift-card",
    "refer-a-friend",
    "style-quiz",
    "garden-club",
)
# Percent of the people of a segment who take each action when they see it.
_TAKING = (
    (30, 20, 34, 24, 14, 16, 10, 20),
    (28, 26, 14, 30, 18, 12, 12, 46),
    (26, 34, 30, 22, 24, 20, 52, 10),
    (18, 14, 48, 28, 16, 24, 10, 10),
    (40, 28, 24, 38, 32, 26, 14, 22),
)

COMPANION = 0.35  # chance that the next item looked at in a visit is the companion of the one before
WISH = 0.08  # chance that an item looked at is put on the wish list
CHECKOUT = 0.6  # chance that an item in the cart goes to checkout
PAY = 0.7  # chance that a started checkout is paid
ORGANIC_CART = 0.12  # chance that an item somebody found without a recommendation is put into the cart


@dataclass(frozen=True)
class SourceTruth:
    """One place that shows recommendations, and what is true of it.

    click: chance that a list is clicked. cart: chance that a clicked item is put into the cart.
    named: whether its events carry EVENT_ATTRIBUTION_SOURCE; otherwise only the RECOMMENDATION_ID's prefix tells.
    """

    name: str
    prefix: str
    click: float
    cart: float
    named: bool


SOURCES = (
    SourceTruth("home-popular", "hop", 0.20, 0.14, True),
    SourceTruth("home-personal", "hpe", 0.30, 0.22, True),
    SourceTruth("similar-items", "sim", 0.18, 0.18, False),
    SourceTruth("email-may", "ema", 0.12, 0.15, True),
    SourceTruth("email-june", "ejn", 0.12, 0.15, True),
)


def preferences() -> pd.DataFrame:
    """The share of each segment's interest that goes to each category: SEGMENT, CATEGORY_L1, SHARE (rows sum to 1)."""
    return _long(_INTEREST, CATEGORIES, "CATEGORY_L1", "SHARE")


def action_rates() -> pd.DataFrame:
    """The chance that somebody who sees an action takes it: SEGMENT, ACTION_ID, RATE."""
    return _long(_TAKING, ACTIONS, "ACTION_ID", "RATE")


def source_effects() -> pd.DataFrame:
    """The truth about each source, for holding measured rates and experiments against.

    Returns:
        EVENT_ATTRIBUTION_SOURCE, PREFIX of its recommendation ids, NAMED (its events name it), CLICK_RATE (Views per
        list shown), CART_RATE (AddToCart per View) and PURCHASE_RATE (Purchase per View). Users are assigned to
        home-popular or home-personal at random, half each, so these two are an experiment; email-may and email-june
        are the same, so a difference found between them is chance.
    """
    return pd.DataFrame(
        {
            "EVENT_ATTRIBUTION_SOURCE": [each.name for each in SOURCES],
            "PREFIX": [each.prefix for each in SOURCES],
            "NAMED": [each.named for each in SOURCES],
            "CLICK_RATE": [each.click for each in SOURCES],
            "CART_RATE": [each.cart for each in SOURCES],
            "PURCHASE_RATE": [round(each.cart * CHECKOUT * PAY, 6) for each in SOURCES],
        }
    )


def interest() -> np.ndarray:
    """The preference table as an array, (segments, categories), rows adding up to 1."""
    return np.array(_INTEREST, dtype=float) / 100


def taking() -> np.ndarray:
    """The action rates as an array, (segments, actions)."""
    return np.array(_TAKING, dtype=float) / 100


def _long(percent: tuple[tuple[int, ...], ...], names: tuple[str, ...], column: str, value: str) -> pd.DataFrame:
    rows = [
        (segment, name, share / 100)
        for segment, shares in zip(SEGMENTS, percent, strict=True)
        for name, share in zip(names, shares, strict=True)
    ]
    return pd.DataFrame(rows, columns=["SEGMENT", column, value])
