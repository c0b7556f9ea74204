"""The generated shop as a sample: its committed files, and the flows that mend every planted defect."""

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from workbench.data.sample import Sample, Shipped
from workbench.data.shop import LISTS
from workbench.data.shop_catalogue import COLOURS
from workbench.data.shop_defects import GENDERS, NOT_APPLICABLE, RESPELT, RESPELT_ACTIONS, spellings

_COLUMNS = {
    INTERACTIONS: {
        "USER_ID": "VARCHAR",
        "ITEM_ID": "VARCHAR",
        "TIMESTAMP": "BIGINT",
        "EVENT_TYPE": "VARCHAR",
        "EVENT_VALUE": "DOUBLE",
        "DEVICE": "VARCHAR",
        "IMPRESSION": "VARCHAR",
        "RECOMMENDATION_ID": "VARCHAR",
        "EVENT_ATTRIBUTION_SOURCE": "VARCHAR",
    },
    ITEMS: {
        "ITEM_ID": "VARCHAR",
        "TITLE": "VARCHAR",
        "PRICE": "DOUBLE",
        "MARGIN": "DOUBLE",
        "CATEGORY_L1": "VARCHAR",
        "CATEGORY_L2": "VARCHAR",
        "BRAND": "VARCHAR",
        "COLOUR": "VARCHAR",
        "TAGS": "VARCHAR",
        "PRODUCT_DESCRIPTION": "VARCHAR",
        "CREATION_TIMESTAMP": "BIGINT",
    },
    USERS: {"USER_ID": "VARCHAR", "AGE": "BIGINT", "GENDER": "VARCHAR", "OCCUPATION": "VARCHAR", "MEMBER": "VARCHAR"},
    ACTIONS: {
        "ACTION_ID": "VARCHAR",
        "TITLE": "VARCHAR",
        "VALUE": "BIGINT",
        "TYPE": "VARCHAR",
        "CREATION_TIMESTAMP": "BIGINT",
        "EXPIRATION_TIMESTAMP": "BIGINT",
        "REPEAT_FREQUENCY": "BIGINT",
    },
    ACTION_INTERACTIONS: {"USER_ID": "VARCHAR", "ACTION_ID": "VARCHAR", "EVENT_TYPE": "VARCHAR", "TIMESTAMP": "BIGINT"},
    LISTS: {
        "RECOMMENDATION_ID": "VARCHAR",
        "USER_ID": "VARCHAR",
        "TIMESTAMP": "BIGINT",
        "EVENT_ATTRIBUTION_SOURCE": "VARCHAR",
        "IMPRESSION": "VARCHAR",
    },
}


def _select(table: str) -> str:
    columns = ", ".join(f"'{name}': '{kind}'" for name, kind in _COLUMNS[table].items())
    return f"SELECT * FROM read_csv('{{folder}}/{table}.csv.gz', header=true, columns={{{columns}}})"


_COLOURS = {spelt: colour for colour in COLOURS for spelt in spellings(colour)} | {
    words: "none" for words, _ in NOT_APPLICABLE
}
_MEND_EVENTS = [
    {"step": "drop_missing", "columns": ["USER_ID", "ITEM_ID"], "why": "an event of nobody, or about nothing"},
    {"step": "drop_duplicates", "why": "events that were sent twice"},
    {
        "step": "sql",
        "query": (
            "SELECT * REPLACE (if(TIMESTAMP > 10000000000, TIMESTAMP // 1000, TIMESTAMP) AS TIMESTAMP) FROM this"
        ),
        "why": "one sender wrote milliseconds",
    },
    {"step": "drop_where", "condition": "TIMESTAMP > 1760000000", "why": "clocks that ran ten years ahead"},
    {
        "step": "map_event_types",
        "types": {wrong: right for right, wrong, _ in RESPELT},
        "why": "five things happen in the shop; other words are spellings of them",
    },
    {"step": "join", "table": "known_items", "on": "ITEM_ID", "how": "semi", "why": "ids that the catalogue lacks"},
    {"step": "join", "table": "known_users", "on": "USER_ID", "how": "semi", "why": "ids that the user table lacks"},
    {"step": "drop_bots", "max_events": 1000, "why": "no person looks at a thousand items in two months"},
    {
        "step": "drop_where",
        "condition": "EVENT_VALUE > 5000",
        "why": "paid a thousand times the price: the decimal point was lost",
    },
]

SHOP = Sample(
    name="shop",
    about=(
        "An invented shop, drawn from a seed: 1,200 people, 420 items and 60 days of visits, with defects planted on "
        "purpose and known truths about taste and about five sources of recommendations."
    ),
    licence="Made by this project, under its licence (Apache-2.0).",
    domain=None,  # domain groups cannot hold actions
    files=Shipped("data/samples/shop"),
    queries={name: _select(name) for name in _COLUMNS}
    | {
        "known_items": f"SELECT DISTINCT ITEM_ID FROM ({_select(ITEMS)})",
        "known_users": f"SELECT DISTINCT USER_ID FROM ({_select(USERS)})",
        "known_actions": f"SELECT DISTINCT ACTION_ID FROM ({_select(ACTIONS)})",
    },
    flows={
        INTERACTIONS: _MEND_EVENTS,
        ITEMS: [
            {"step": "drop_duplicates", "by": ["ITEM_ID"], "keep": "last", "why": "the later row has today's price"},
            {"step": "map_values", "column": "COLOUR", "values": _COLOURS, "why": "eight colours, four spellings each"},
            {"step": "multi_values", "column": "TAGS", "separator": ",", "why": "some were joined with a comma"},
            {"step": "clean_text", "columns": ["PRODUCT_DESCRIPTION"], "why": "some came with HTML"},
            {
                "step": "sql",
                "query": "SELECT * REPLACE (if(PRICE > 1000, PRICE / 1000, PRICE) AS PRICE) FROM this",
                "why": "nothing in the shop costs a thousand: the decimal point was lost",
            },
            {
                "step": "fill_missing",
                "columns": {
                    "PRICE": {"how": "median"},
                    "BRAND": "unknown",
                },
                "why": "a price in the middle, and a brand of its own",
            },
            {
                "step": "sql",
                "query": ("SELECT * REPLACE (coalesce(PRODUCT_DESCRIPTION, TITLE) AS PRODUCT_DESCRIPTION) FROM this"),
                "why": "where there is no description, the title says most",
            },
        ],
        USERS: [
            {"step": "drop_duplicates", "by": ["USER_ID"], "keep": "last", "why": "registered twice"},
            {
                "step": "map_values",
                "column": "GENDER",
                "values": {wrong: right for right, wrong, _ in GENDERS},
                "why": "one letter each",
            },
            {
                "step": "sql",
                "query": "SELECT * REPLACE (if(AGE > 120, NULL, AGE) AS AGE) FROM this",
                "why": "nobody is that old",
            },
            {"step": "fill_missing", "columns": {"AGE": {"how": "median"}}, "why": "an age in the middle"},
        ],
        ACTIONS: [],
        ACTION_INTERACTIONS: [
            {"step": "drop_duplicates", "why": "events that were sent twice"},
            {
                "step": "map_event_types",
                "types": {wrong: right for right, wrong, _ in RESPELT_ACTIONS},
                "why": "the same two words, spelt differently",
            },
            {
                "step": "join",
                "table": "known_actions",
                "on": "ACTION_ID",
                "how": "semi",
                "why": "an action that no action row explains",
            },
        ],
    },
)
