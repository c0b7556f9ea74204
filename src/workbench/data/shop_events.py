"""Visits to the shop: what people were shown, looked at, wished for and bought, drawn from the truth tables."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from workbench.columns import (
    ACTION_ID,
    CREATION_TIMESTAMP,
    DAY,
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    EVENT_VALUE,
    HOUR,
    IMPRESSION,
    ITEM_ID,
    RECOMMENDATION_ID,
    SEPARATOR,
    TIMESTAMP,
    USER_ID,
)
from workbench.data.shop_catalogue import SILENT_ITEMS, SILENT_USERS
from workbench.data.shop_truth import (
    CATEGORIES,
    CHECKOUT,
    COMPANION,
    DAYS,
    LIST_LENGTH,
    ORGANIC_CART,
    PAY,
    SOURCES,
    START,
    WISH,
    SourceTruth,
    interest,
    taking,
)

VISITS = 9.5  # per user in the whole log, on average
DEVICES = ("phone", "desktop", "tablet")
# Relative activity by hour of the day, UTC, from midnight.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 6, 7, 7, 7, 8, 10, 9, 7, 7, 8, 9, 11, 13, 14, 12, 8, 4)
_BY_NAME = {source.name: source for source in SOURCES}
_COLUMNS = (
    USER_ID,
    ITEM_ID,
    TIMESTAMP,
    EVENT_TYPE,
    EVENT_VALUE,
    "DEVICE",
    IMPRESSION,
    RECOMMENDATION_ID,
    EVENT_ATTRIBUTION_SOURCE,
)


@dataclass
class Simulation:
    """The state of one draw of the log; `rng` is the only source of chance."""

    rng: np.random.Generator
    items: pd.DataFrame
    users: pd.DataFrame
    events: list[tuple] = field(default_factory=list)
    lists: list[tuple] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.ids, self.people = self.items[ITEM_ID].tolist(), self.users[USER_ID].tolist()
        self.price = self.items["PRICE"].to_numpy()
        self.created = self.items[CREATION_TIMESTAMP].to_numpy()
        category = np.array([CATEGORIES.index(name) for name in self.items["CATEGORY_L1"]])
        known = len(self.ids) - SILENT_ITEMS
        quality = np.exp(self.rng.standard_normal(len(self.ids)))
        quality[known:] = 0
        per_category = np.bincount(category, weights=quality, minlength=len(CATEGORIES))
        share = quality / per_category[category]
        taste = interest()[self.users["SEGMENT"]] * np.exp(0.4 * self.rng.standard_normal((len(self.users), 12)))
        taste /= taste.sum(axis=1, keepdims=True)
        self.choice = np.cumsum(taste[:, category] * share, axis=1)
        self.popular = np.cumsum(quality / quality.sum())
        self.within = np.cumsum(np.where(category[None, :] == np.arange(12)[:, None], share, 0), axis=1)
        self.category = category
        # The companion of an item is the next one of its category, so it stays the same whatever the seed.
        self.companion = (np.arange(len(self.ids)) + len(CATEGORIES)) % known

    def draw(self, cumulative: np.ndarray, time: int) -> int:
        """Draw an item that already exists at `time`."""
        for _ in range(60):
            item = int(np.searchsorted(cumulative, self.rng.random() * cumulative[-1], side="right"))
            if self.created[item] <= time:
                return item
        return int(np.flatnonzero(self.created <= time)[0])

    def view(self, user: int, item: int, time: int, device: str, cart: float, shown: tuple[str, str, str]) -> None:
        """Record that an item was looked at, and how far towards a purchase it went."""
        rng, impression, recommendation, source = self.rng, *shown
        chance, who, what = rng.random(4), self.people[user], self.ids[item]
        pieces = 2 if rng.random() < 0.1 else 1
        value = round(float(self.price[item]) * pieces, 2)
        self.events.append((who, what, time, "View", None, device, impression, recommendation, source))
        steps = [("Wishlist", None, 15)] if chance[0] < WISH else []
        if chance[1] < cart:
            steps.append(("AddToCart", value, 30))
            if chance[2] < CHECKOUT:
                steps.append(("StartCheckout", value, 90))
                if chance[3] < PAY:
                    steps.append(("Purchase", value, 150))
        for name, worth, later in steps:
            self.events.append((who, what, time + later, name, worth, device, None, recommendation, source))

    def show(self, user: int, source: SourceTruth, cumulative: np.ndarray, time: int, device: str, keen: float) -> None:
        """Show a list of recommendations, perhaps have it clicked, and keep both."""
        listed: list[int] = []
        while len(listed) < LIST_LENGTH:
            item = self.draw(cumulative, time)
            if item not in listed:
                listed.append(item)
        impression = SEPARATOR.join(self.ids[item] for item in listed)
        recommendation = f"{source.prefix}-{len(self.lists) + 1:06d}"
        self.lists.append((recommendation, self.people[user], time, source.name, impression))
        if self.rng.random() < source.click * keen:
            item = listed[int(self.rng.random() ** 1.6 * LIST_LENGTH)]
            name = source.name if source.named else None
            self.view(user, item, time + 12, device, source.cart, (impression, recommendation, name))

    def visit(self, user: int, arm: SourceTruth, time: int, keen: float) -> None:
        """One visit: the home page's list, then items looked at one after the other."""
        rng = self.rng
        device = DEVICES[int(np.searchsorted([0.6, 0.9], rng.random(), side="right"))]
        if rng.random() < 0.85:
            cumulative = self.choice[user] if arm.name == "home-personal" else self.popular
            self.show(user, arm, cumulative, time, device, keen)
        item = None
        for _ in range(1 + int(rng.standard_exponential() * 3)):
            time += 40 + int(rng.random() * 200)
            follows = item is not None and rng.random() < COMPANION and self.created[self.companion[item]] <= time
            item = int(self.companion[item]) if follows else self.draw(self.choice[user], time)
            self.view(user, item, time, device, ORGANIC_CART, (None, None, None))
            if rng.random() < 0.25:
                time += 20
                self.show(user, _BY_NAME["similar-items"], self.within[self.category[item]], time, device, keen)


def simulate(rng: np.random.Generator, items: pd.DataFrame, users: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the whole log.

    Args:
        rng: the source of chance.
        items, users: as `shop_catalogue` draws them; users with SEGMENT.

    Returns:
        Events (USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE, DEVICE, IMPRESSION, RECOMMENDATION_ID,
        EVENT_ATTRIBUTION_SOURCE) in time order, and the lists shown (RECOMMENDATION_ID, USER_ID, TIMESTAMP,
        EVENT_ATTRIBUTION_SOURCE, IMPRESSION), in time order too.
    """
    world = Simulation(rng, items, users)
    hours = np.cumsum(_HOURS) / sum(_HOURS)
    for user in range(len(users) - SILENT_USERS):
        arm = _BY_NAME["home-personal" if rng.random() < 0.5 else "home-popular"]
        keen = 1.4 if rng.random() < 0.5 else 0.6  # some people click on everything: events of one user hang together
        visits = 2 + int((VISITS - 2) * np.exp(0.7 * rng.standard_normal() - 0.245))
        for _ in range(visits):
            hour = int(np.searchsorted(hours, rng.random(), side="right"))
            world.visit(user, arm, START + _day(rng) * DAY + hour * HOUR + int(rng.random() * HOUR), keen)
        for month, name in enumerate(("email-may", "email-june")):
            for mailing in range(3):
                time = START + (month * 31 + mailing * 9 + 3) * DAY + 7 * HOUR + int(rng.random() * 6 * HOUR)
                world.show(user, _BY_NAME[name], world.choice[user], time, "phone", keen)
    lists = pd.DataFrame(
        world.lists, columns=[RECOMMENDATION_ID, USER_ID, TIMESTAMP, EVENT_ATTRIBUTION_SOURCE, IMPRESSION]
    )
    events = pd.DataFrame(world.events, columns=list(_COLUMNS))
    return _ordered(events), _ordered(lists)


def action_events(rng: np.random.Generator, users: pd.DataFrame, actions: pd.DataFrame) -> pd.DataFrame:
    """Draw who saw which action and took it: VIEWED, then TAKEN or NOT_TAKEN, in the log's last forty days.

    Returns:
        USER_ID, ACTION_ID, EVENT_TYPE, TIMESTAMP in time order.
    """
    rates, rows = taking(), []
    for user, segment in zip(users[USER_ID], users["SEGMENT"], strict=True):
        for column, action in enumerate(actions[ACTION_ID]):
            chance = rng.random(3)
            if chance[0] < 0.4:
                time = START + int((DAYS - 40 + 40 * chance[1]) * DAY) - HOUR
                taken = "TAKEN" if chance[2] < rates[segment, column] else "NOT_TAKEN"
                rows += [(user, action, "VIEWED", time), (user, action, taken, time + 45)]
    return _ordered(pd.DataFrame(rows, columns=[USER_ID, ACTION_ID, EVENT_TYPE, TIMESTAMP]))


def _day(rng: np.random.Generator) -> int:
    """A day of the log; Saturdays and Sundays are half again as likely."""
    while True:
        day = int(rng.random() * DAYS)
        weekend = (day + 3) % 7 >= 5  # 2025-05-01 was a Thursday
        if rng.random() < (1.0 if weekend else 0.67):
            return day


def _ordered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values(TIMESTAMP, kind="stable").reset_index(drop=True)
