"""Filters held against the columns there are: what cannot work is refused, what does not occur is said."""

import numpy as np
import pytest

from workbench.errors import FilterError
from workbench.serving.filter_tree import Condition, Expression, Field, Filter, Number, Text
from workbench.serving.filters import FilterTextError, check, parse
from workbench.serving.tables import EntityTable, NumberColumn, TextColumn, text_array

W = "INCLUDE ItemID WHERE "
ITEMS = EntityTable(
    "Items",
    text_array(["i1", "i2"]),
    {
        "PRICE": NumberColumn(np.array([1.0, np.nan])),
        "IS_NEW": NumberColumn(np.array([1.0, 0.0]), boolean=True),
        "GENRES": TextColumn(np.array([0, 1], dtype=np.int32), text_array(["Action|Crime", "Comedy"])),
        "CODE": TextColumn(np.array([0, 0], dtype=np.int32), text_array(["007"])),
        "ABOUT": TextColumn(np.array([0, 0], dtype=np.int32), text_array(["a red car"]), textual=True),
        "CREATION_TIMESTAMP": NumberColumn(np.array([1.0, 2.0])),
    },
)
USERS = EntityTable(
    "Users",
    text_array(["u1"]),
    {
        "AGE": NumberColumn(np.array([20.0])),
        "TIER": TextColumn(np.array([0], dtype=np.int32), text_array(["gold"])),
    },
)
TABLES = {"Items": ITEMS, "Users": USERS, "Actions": None}
EVENTS = ("EVENT_TYPE", "EVENT_VALUE", "DEVICE")


def checked(text: str, use: str = "recommend", **more) -> tuple[str, ...]:
    return check(parse(text), TABLES, more.pop("event_columns", EVENTS), use, **more)


@pytest.mark.parametrize(
    ("text", "use"),
    [
        (f"{W}Items.PRICE < 10", "recommend"),
        (f'{W}Items.GENRES IN ("Crime", "Comedy")', "rank"),
        (f'{W}Items.GENRES = "Action|Crime"', "rank"),
        (f'{W}Items.ABOUT CONTAINS "red" OR Items.ABOUT LIKE "a%"', "recommend"),
        (f"{W}Items.IS_NEW = TRUE OR Items.IS_NEW = 1", "recommend"),
        (f"{W}Items.CREATION_TIMESTAMP > NOW() - 30d", "recommend"),
        (f'{W}Items.ITEM_ID IN ("i1")', "recommend"),
        (f"{W}Items.GENRES IN CurrentItem.GENRES AND Items.PRICE < CurrentItem.PRICE", "related"),
        (f'{W}Items.PRICE > 1 IF CurrentUser.AGE >= 18 AND CurrentUser.TIER IN ("gold")', "related"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "recommend"),
        ("EXCLUDE ItemID WHERE Interactions.TIMESTAMP > NOW() - 1d AND Interactions.EVENT_VALUE > 1", "recommend"),
        ('EXCLUDE ItemID WHERE Interactions.DEVICE = "tv" OR Interactions.DEVICE > 3', "recommend"),
        ('INCLUDE UserID WHERE Users.TIER IN ("gold") | EXCLUDE UserID WHERE Interactions.ITEM_ID IN ("i1")', "users"),
    ],
)
def test_what_fits_passes_without_a_notice(text, use):
    assert checked(text, use) == ()


@pytest.mark.parametrize(
    ("text", "use", "column", "problem", "advice"),
    [
        (f"{W}Items.PRICEE < 10", "recommend", 28, "Items has no column 'PRICEE'.", "Did you mean 'PRICE'? There are"),
        (f"{W}Items.price < 10", "recommend", 28, "Items has no column 'price'.", "Did you mean 'PRICE'?"),
        (f"{W}Items . COLOR = 1", "recommend", 30, "Items has no column 'COLOR'.", "There are ITEM_ID, PRICE"),
        (f"{W}Items.PRICE < 1 IF CurrentUser.AGES > 1", "recommend", 53, "CurrentUser has no column", "'AGE'"),
        (f"{W}Items.PRICE < CurrentItem.COST", "related", 48, "CurrentItem has no column 'COST'.", "There are"),
        (
            'EXCLUDE ItemID WHERE Interactions.EVENT = "x"',
            "recommend",
            35,
            "Interactions has no column",
            "'EVENT_TYPE'",
        ),
        ("INCLUDE ActionID WHERE Actions.X = 1", "actions", 24, "no dataset of actions", "Import"),
        (f'{W}Items.ABOUT IN ("red")', "recommend", 22, "holds long text, which IN cannot", 'CONTAINS "word"'),
        (f'{W}Items.ABOUT = "red"', "recommend", 22, "holds long text, which = cannot", 'CONTAINS "word"'),
        (f'{W}Items.PRICE < "cheap"', "recommend", 36, 'holds numbers, and "cheap" is none', "without quotes"),
        (f'{W}Items.PRICE IN ("PRICE", "x")', "recommend", 38, 'holds numbers, and "PRICE" is none', "without quotes"),
        (f"{W}Items.CODE IN (77, 7)", "recommend", 37, "and 77 is a number", 'written "77"'),
        (f'{W}Items.PRICE IN (1, "x")', "recommend", 41, 'holds numbers, and "x" is none', "without quotes"),
        (f"{W}Items.CODE = 7", "recommend", 35, "holds categories, and 7 is a number", 'written "7"'),
        (f'{W}Items.GENRES < "b"', "recommend", 22, "no order for <", "Use = or IN, or store"),
        (f"{W}Items.GENRES >= $X", "recommend", 22, "no order for >=", "Use = or IN"),
        (f"{W}Items.IS_NEW > 0", "recommend", 22, "no order for >", "Use = or IN."),
        (f"{W}Items.IS_NEW = 2", "recommend", 37, "true or false, and 2 is neither", "TRUE or FALSE"),
        (f'{W}Items.IS_NEW IN ("yes")', "recommend", 39, '"yes" is neither', "TRUE or FALSE"),
        (f"{W}Items.PRICE = TRUE", "recommend", 36, "holds numbers, and TRUE is none", "1 or 0"),
        (f"{W}Items.GENRES = NOW()", "recommend", 37, "NOW() is a time", "epoch seconds"),
        (f'{W}Items.PRICE LIKE "1%"', "recommend", 22, "LIKE looks into text", "Compare with"),
        (f'{W}Items.PRICE < 1 IF CurrentUser.AGE = "x"', "recommend", 59, "CurrentUser.AGE holds numbers", "quotes"),
        (f"{W}Items.PRICE < CurrentItem.PRICE", "recommend", 22, "'recommend' has no current item", "related items"),
        (
            f"{W}Items.PRICE = CurrentItem.GENRES",
            "related",
            22,
            "numbers and CurrentItem.GENRES categories",
            "same kind",
        ),
        (f"{W}Items.PRICE < 1", "users", 22, "'users' needs a filter of UserID, and this one is of ItemID", "UserID"),
        ("INCLUDE UserID WHERE Users.AGE > 1", "rank", 22, "needs a filter of ItemID", "ItemID"),
        (
            "INCLUDE UserID WHERE Users.AGE > 1 IF CurrentUser.AGE > 2",
            "users",
            39,
            "no current user",
            "Users.AGE >= 18",
        ),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE = 3", "recommend", 48, "holds categories, and 3", '"3"'),
        ('EXCLUDE ItemID WHERE Interactions.TIMESTAMP > "x"', "recommend", 47, "holds numbers", "quotes"),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(text, use, column, problem, advice):
    with pytest.raises(FilterTextError) as caught:
        checked(text, use)
    assert caught.value.column == column
    assert problem in caught.value.problem
    assert advice in caught.value.advice


def test_columns_of_events_have_the_kind_that_is_told():
    kinds = {"EVENT_TYPE": "category", "DEVICE": "category", "SHARE": "number"}
    text = "EXCLUDE ItemID WHERE Interactions.DEVICE > 3"
    with pytest.raises(FilterError, match="Interactions.DEVICE holds categories"):
        checked(text, event_columns=kinds)
    assert checked('EXCLUDE ItemID WHERE Interactions.DEVICE = "tv"', event_columns=kinds) == ()


def test_event_types_without_an_event_are_named_whatever_their_case():
    text = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("CLICK", "purchas")'
    assert checked(text, event_types=["click", "purchase"]) == (
        "No event is of type 'purchas'. Did you mean 'purchase'? There are click, purchase.",
    )
    assert checked(text) == ()


def test_values_that_no_row_holds_are_named_and_the_rest_counted():
    assert checked(f'{W}Items.GENRES IN ("Comdy", "Crime")') == ("No Items.GENRES is 'Comdy'. Did you mean 'Comedy'?",)
    assert checked(f'{W}Items.ITEM_ID IN ("i3")') == ("No Items.ITEM_ID is 'i3'.",)
    many = checked(f'{W}Items.GENRES NOT IN ("1", "2", "3", "4", "5")')
    assert many[-1] == "2 more values of Items.GENRES do not occur."
    assert len(many) == 4


def test_numbers_in_quotes_are_read_as_numbers_and_said():
    assert checked(f'{W}Items.PRICE = "10"') == ("Items.PRICE holds numbers: '10' is read as one.",)
    assert checked(f'{W}Items.IS_NEW IN ("True")') == ("Items.IS_NEW holds true or false: 'True' is read as one.",)


def test_a_dataset_that_is_absent_is_said():
    with pytest.raises(FilterError, match="there is no dataset of users, so CurrentUser has no columns"):
        check(parse(f"{W}Items.PRICE < 1 IF CurrentUser.AGE > 1"), {"Items": ITEMS}, EVENTS, "recommend")


def test_a_tree_made_by_hand_is_checked_too():
    def of(*conditions: Condition) -> Filter:
        return Filter("", tuple(Expression("INCLUDE", "ItemID", each) for each in conditions))

    assert check(of(Condition(Field("Items", "PRICE"), "<", (Number(1.0, "1"),))), TABLES, EVENTS, "rank") == ()
    with pytest.raises(FilterError, match='Items.PRICE < "x"'):
        check(of(Condition(Field("Items", "PRICE"), "<", (Text("x"),))), TABLES, EVENTS, "rank")
    with pytest.raises(FilterError, match="no column 'NONE'"):
        check(of(Condition(Field("Items", "NONE"), "<", (Number(1.0, "1"),))), TABLES, EVENTS, "rank")


def test_an_unknown_use_is_a_value_error():
    with pytest.raises(ValueError, match="not 'recomend'. Did you mean 'recommend'"):
        checked(f"{W}Items.PRICE < 1", "recomend")
