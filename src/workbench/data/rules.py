"""What each dataset kind must and may hold, as Amazon Personalize's developer guide has it, in tables.

The names, types and limits are Personalize's; which of them matter to the workbench itself is decided where they are
checked (`workbench.data.violations`).
"""

from dataclasses import dataclass

from workbench.columns import (
    ACTION_ID,
    ACTION_INTERACTIONS,
    ACTIONS,
    CREATION_TIMESTAMP,
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    EVENT_VALUE,
    EXPIRATION_TIMESTAMP,
    IMPRESSION,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    RECOMMENDATION_ID,
    REPEAT_FREQUENCY,
    TIMESTAMP,
    TYPE,
    USER_ID,
    USERS,
    VALUE,
)

ECOMMERCE = "ECOMMERCE"
VIDEO_ON_DEMAND = "VIDEO_ON_DEMAND"
DOMAINS = (ECOMMERCE, VIDEO_ON_DEMAND)

TYPES = ("string", "long", "int", "float", "double", "boolean")

MIN_INTERACTIONS = 1_000
MIN_ACTIVE_USERS = 25  # users with at least two interactions
MIN_ACTIVE_SHARE = 0.01  # of all users
ADVISED_INTERACTIONS = 50_000
ADVISED_ACTIVE_USERS = 1_000

MAX_NAME = 150  # characters of a column name
MAX_SCHEMA = 20_000  # characters of the Avro text
MAX_ID = 256  # characters
MAX_CATEGORY = 1_000  # characters of a categorical value
MAX_IMPRESSION = 1_000  # characters
MAX_TEXT = 20_000  # characters of a textual value
MAX_EVENT_TYPES = 10
MAX_TEXTUAL = 1  # columns
MAX_METADATA = {INTERACTIONS: 5, USERS: 25, ITEMS: 100, ACTIONS: 10}  # columns
MAX_ACTIONS = 1_000

SCHEMA_NAMES = {
    INTERACTIONS: "Interactions",
    ITEMS: "Items",
    USERS: "Users",
    ACTIONS: "Actions",
    ACTION_INTERACTIONS: "ActionInteractions",
}
IDS = (USER_ID, ITEM_ID, ACTION_ID)
TIMES = (TIMESTAMP, CREATION_TIMESTAMP, EXPIRATION_TIMESTAMP)
KEY = {ITEMS: ITEM_ID, USERS: USER_ID, ACTIONS: ACTION_ID}  # one row per value
DOMAIN_EVENTS = {ECOMMERCE: ("View", "Purchase"), VIDEO_ON_DEMAND: ("Watch", "Click")}


@dataclass(frozen=True)
class Field:
    """One column of a schema.

    type: one of `TYPES`.
    nullable: may be empty.
    categorical: a string with few values (several joined with |), which recipes learn from.
    textual: a string of free text, which recipes learn from.
    item_name: the string that people know an item by.
    required: Personalize does not create the dataset without it.
    """

    name: str
    type: str
    nullable: bool = False
    categorical: bool = False
    textual: bool = False
    item_name: bool = False
    required: bool = False


@dataclass(frozen=True)
class Schema:
    """The columns of one dataset kind, in order; `domain` is None for a custom dataset group."""

    kind: str
    fields: tuple[Field, ...]
    domain: str | None = None

    @property
    def names(self) -> list[str]:
        """The columns' names, in order."""
        return [each.name for each in self.fields]


def _needed(name: str, kind: str = "string", **more: bool) -> Field:
    return Field(name, kind, required=True, **more)


def _may(name: str, kind: str = "string", **more: bool) -> Field:
    return Field(name, kind, nullable=True, **more)


def _categories(*names: str) -> tuple[Field, ...]:
    return tuple(_may(name, categorical=True) for name in names)


RESERVED: dict[str, tuple[Field, ...]] = {
    INTERACTIONS: (
        _needed(USER_ID),
        _needed(ITEM_ID),
        _needed(TIMESTAMP, "long"),
        Field(EVENT_TYPE, "string"),
        _may(EVENT_VALUE, "float"),
        _may(IMPRESSION),
        _may(RECOMMENDATION_ID),
        _may(EVENT_ATTRIBUTION_SOURCE),
    ),
    ITEMS: (_needed(ITEM_ID), _may(CREATION_TIMESTAMP, "long")),
    USERS: (_needed(USER_ID),),
    ACTIONS: (
        _needed(ACTION_ID),
        _may(CREATION_TIMESTAMP, "long"),
        _may(VALUE, "long"),
        _may(TYPE),
        _may(EXPIRATION_TIMESTAMP, "long"),
        _may(REPEAT_FREQUENCY, "long"),
    ),
    ACTION_INTERACTIONS: (
        _needed(USER_ID),
        _needed(ACTION_ID),
        _needed(EVENT_TYPE),
        _needed(TIMESTAMP, "long"),
        _may(IMPRESSION),
        _may(RECOMMENDATION_ID),
    ),
}
# What a domain adds to, or changes in, the custom schema of a kind.
DOMAIN_RESERVED: dict[tuple[str, str], tuple[Field, ...]] = {
    (ECOMMERCE, INTERACTIONS): (_needed(EVENT_TYPE),),
    (VIDEO_ON_DEMAND, INTERACTIONS): (_needed(EVENT_TYPE),),
    (ECOMMERCE, ITEMS): (
        _needed("PRICE", "float"),
        _needed("CATEGORY_L1", categorical=True),
        *_categories("CATEGORY_L2", "CATEGORY_L3"),
        _may("PRODUCT_DESCRIPTION", textual=True),
        *_categories("AGE_GROUP", "ADULT", "GENDER"),
    ),
    (VIDEO_ON_DEMAND, ITEMS): (
        _needed(CREATION_TIMESTAMP, "long"),
        _needed("GENRES", categorical=True),
        _may("PRICE", "float"),
        _may("DURATION", "float"),
        _may("AVERAGE_RATING", "float"),
        *_categories("GENRE_L2", "GENRE_L3"),
        _may("PRODUCT_DESCRIPTION", textual=True),
        *_categories("CONTENT_OWNER", "CONTENT_CLASSIFICATION"),
    ),
    (VIDEO_ON_DEMAND, USERS): _categories("SUBSCRIPTION_MODEL"),
}


def reserved(kind: str, domain: str | None = None) -> dict[str, Field]:
    """The required and reserved columns of a dataset kind, by name, in the order of the guide.

    Args:
        kind: one of `columns.KINDS`.
        domain: ECOMMERCE, VIDEO_ON_DEMAND, or None for a custom dataset group.
    """
    fields = {each.name: each for each in RESERVED[kind]}
    return fields | {each.name: each for each in DOMAIN_RESERVED.get((domain or "", kind), ())}


def reserved_types(kind: str) -> dict[str, str]:
    """Column name to type of a kind's required and reserved columns, outside any domain."""
    return {each.name: each.type for each in RESERVED[kind]}
