"""Filters: what is wrong is shown where it stands, with what was expected and what was probably meant."""

import pickle
import re

import pytest

from workbench.errors import FilterError
from workbench.serving.filter_errors import underlined
from workbench.serving.filter_rules import require_rules
from workbench.serving.filter_tree import Condition, CurrentItem, Expression, Field, Filter, Number
from workbench.serving.filters import FilterTextError, parse

W = "INCLUDE ItemID WHERE "


def refused(text: str) -> FilterTextError:
    with pytest.raises(FilterTextError) as caught:
        parse(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "column", "problem", "advice"),
    [
        ("INCLUDE ItemID Items.PRICE < 10", 16, "WHERE is missing before 'Items.PRICE'", "ItemID WHERE Items.PRICE"),
        ("SELECT ItemID WHERE Items.PRICE < 10", 1, "begins with INCLUDE or EXCLUDE, not with 'SELECT'", "EXCLUDE"),
        (f'{W}Items.A IN ("x") AND Interactions.EVENT_TYPE IN ("click")', 43, "Items and Interactions", r"with \|"),
        (f"{W}CurrentUser.AGE > 18", 22, "CurrentUser stands only after IF", "IF CurrentUser.AGE > 18"),
        (f'{W}Items.A IN ("x") IF CurrentUser.B>18 IF CurrentUser.C IN ("f")', 59, "only one IF", "with AND"),
        (f'{W}Items.A IN ("x") IF CurrentUser.B>18 OR CurrentUser.C IN ("f")', 59, "joined with AND only", "twice"),
        ('EXCLUDE ItemID IF CurrentUser.AGE > 18 WHERE Items.A IN ("x")', 16, "IF comes last", "First WHERE"),
        (f'{W}Items.CATEGORY IN ("*")', 22, r"\* means any event type, and Items.CATEGORY", "List the values"),
        (f"{W}Items.PRICE < Items.LIST_PRICE", 36, "cannot be compared with another column", "CurrentItem.LIST_PRICE"),
        ('INCLUDE UserID WHERE Items.GENRES IN ("x")', 22, "Items says nothing about users", "Users or Interactions"),
        (f"{W}PRICE < 10", 22, "'PRICE' has no dataset", "Items.PRICE"),
        (f"{W}Items.COLOR IN ()", 22, "the list is empty", "at least one value"),
    ],
)
def test_invalid_examples_of_the_reference_are_refused_for_their_reason(text, column, problem, advice):
    error = refused(text)
    assert (error.line, error.column) == (1, column)
    assert re.search(problem, error.problem)
    assert re.search(advice, error.advice)


@pytest.mark.parametrize(
    ("text", "column", "problem", "advice"),
    [
        ("INCLUED ItemID WHERE Items.A = 1", 1, "'INCLUED'", "Did you mean 'INCLUDE'?"),
        ("INCLUDE ItemsID WHERE Items.A = 1", 9, "'ItemsID'", "Did you mean 'ItemID'?"),
        ("INCLUDE ItemID WHER Items.A = 1", 16, "'WHER'", "Did you mean 'WHERE'?"),
        (f"{W}Item.PRICE < 10", 22, "no dataset 'Item'", "Did you mean 'Items'?"),
        ("INCLUDE ActionID WHERE Action.VALUE < 10", 24, "no dataset 'Action'", "Did you mean 'Actions'?"),
        (f"{W}Items.A CONTAIN 'x'", 30, "'CONTAIN'", "Did you mean 'CONTAINS'?"),
        (f"{W}Items.A = 1 ANDD Items.B = 1", 34, "'ANDD'", "Did you mean 'AND'?"),
        (f"{W}Items.A BETWEEN 1 AND 2", 30, "comes an operator, not 'BETWEEN'", "Write >= the lower"),
        (f"{W}Items.A = red", 32, "the text 'red' is not in quotes", 'Write "red"'),
        (f"{W}Items.A IN (red)", 34, "the text 'red' is not in quotes", 'Write "red"'),
        (f'{W}Items.A IN ("a" "b")', 38, "a comma is missing before", '"b"'),
        (f'{W}Items.A IN ("a",)', 38, "after a comma comes another value", "Drop the last comma"),
        (f'{W}Items.A IN ("a", $B)', 22, "$B stands in a list with other values", "IN ($B)"),
        (f'{W}Items.A IN ("a"', 33, "a bracket is not closed", "Close it"),
        (f"{W}(Items.A = 1", 22, "a bracket is not closed", "Close it"),
        (f"{W}Items.A = 1)", 33, "closed that was not opened", "Drop it"),
        (f'{W}Items.A IN ("a)', 34, "a text is not closed", "Close it"),
        (f"{W}Items.A = 10,000", 22, "takes one value, not 2", "A number has no commas: 10000"),
        (f'{W}Items.A = ("a", "b")', 22, "takes one value, not 2", "write IN"),
        (f"{W}Items.A > 30d", 32, "'30d' is a length of time", "NOW() - 30d"),
        (f"{W}Items.A > NOW() - 30", 38, "'-' means nothing here", "NOW() - 30d"),
        (f"{W}Items.A > NOW() -30", 38, "after NOW() comes + or - and a duration", "unit"),
        (f"{W}Items.A > NOW() 30d", 38, "+ or - is missing", "- 30d"),
        (f"{W}Items.A > NOW() - 9999999w", 38, "cannot be moved", "10,000w"),
        (f"{W}Items.A IN (NOW())", 22, "NOW() is never one", ">= NOW() - 30d"),
        (f"{W}Items.A = 1e999", 32, "too large", "1e308"),
        (f"{W}Items.A LIKE 5", 22, "takes a text or a parameter, not 5", '"5"'),
        (f"{W}Items.A = *", 22, "* does not go with =", "IN (*)"),
        (f"{W}CurrentItem.A = 5", 22, "left of =", "Items.A = CurrentItem.A"),
        (f"{W}Items.A = 1 IF Items.B = 2", 37, "IF asks about the current user", "CurrentUser.B"),
        (f"{W}Users.A = 1", 22, "Users says nothing about items", "IF CurrentUser.A"),
        (f"{W}Items.A = 1, Items.B = 2", 33, "a comma stands after a condition", "AND or OR"),
        (f"{W}Items.A = 1 Items.B = 2", 34, "AND or OR is missing", "AND Items.B"),
        (f"{W}Items.A = 1 EXCLUDE ItemID WHERE Items.B = 2", 34, "joined with |", "| EXCLUDE"),
        (f"{W}Items.A = 1 | EXCLUDE UserID WHERE Users.B = 2", 57, "UserID in a filter that began with ItemID", ""),
        (f"{W}Items.A = 1 |", 35, "after | another expression begins", "INCLUDE"),
        (f"{W}Items.A NOT = 1", 34, "after NOT comes IN, LIKE or CONTAINS", "!="),
        (f"{W}Items.A = = 1", 32, "two operators follow each other", "Operators are"),
        (f"{W}Items.A =", 31, "comes a value, not the end", '"jazz"'),
        (f"{W}Items.A", 29, "comes an operator, not the end", "IN, NOT IN"),
        (f"{W}Items. = 3", 22, "column's name is missing", "Items.COLUMN"),
        (f"{W}Items.A = 1 IF NOT CurrentUser.B = 2", 37, "after IF 'NOT' cannot stand", "joined with AND"),
        (f'{W}Items.A IN (\\"x\\")', 34, "means nothing here", "JSON"),
        (f"{W}Items.A IN (“x”)", 34, "left double quotation mark", "straight double quotes"),
        (f"{W}Items.A = 1;", 33, "means nothing here", "semicolon"),
        (f"{W}Items.A = 1 && Items.B = 2", 34, "means nothing here", "Write AND"),
        ("INCLUDE\u200b ItemID WHERE Items.A = 1", 8, "U+200B zero width space", "delete it"),
        ("", 1, "the filter is empty", "INCLUDE ItemID WHERE"),
        (" \n ", 2, "the filter is empty", "INCLUDE ItemID WHERE"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ("*")', 22, "none of all types", "EXCLUDE … IN (*)"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*", "a")', 22, "list with other values", "IN (*)"),
        ("INCLUDE ItemID WHERE Interactions.A = CurrentItem.B", 22, "CurrentItem is compared with", "Items.COLUMN"),
    ],
)
def test_slips_are_answered_with_what_to_write(text, column, problem, advice):
    error = refused(text)
    assert error.column == column
    assert problem in error.problem
    assert advice in error.advice


def test_the_message_has_line_column_caret_and_advice():
    assert str(refused("INCLUED ItemID WHERE Items.A = 1")) == (
        "Line 1, column 1: a filter begins with INCLUDE or EXCLUDE, not with 'INCLUED'.\n"
        "    INCLUED ItemID WHERE Items.A = 1\n"
        "    ^^^^^^^\n"
        "Did you mean 'INCLUDE'? INCLUDE keeps only what meets the conditions, EXCLUDE removes it."
    )


@pytest.mark.parametrize(
    ("text", "line", "column", "shown"),
    [
        (f"{W}\n  Items.A\n  ~ 3", 3, 3, ["      ~ 3", "      ^"]),
        (f"{W}\r\n  Items.A ~ 3\r\n", 2, 11, ["      Items.A ~ 3", "              ^"]),
        (f"{W}\n\tItems.A\t~ 3", 2, 10, ["    \tItems.A\t~ 3", "    \t       \t^"]),
        (f'{W}\nItems.A = "日本" ~', 2, 16, ['    Items.A = "日本" ~', "                     ^"]),
        (f'{W}\nItems.A = "e\u0301" ~', 2, 16, ['    Items.A = "e\u0301" ~', "                  ^"]),
        (f"{W}\nItems.A = 日本", 2, 11, ["    Items.A = 日本", "              ^^^^"]),
        (f'{W}\nItems.A = "\x1b\u202e" ~', 2, 16, ['    Items.A = "\ufffd\ufffd" ~', "                   ^"]),
    ],
)
def test_the_caret_stands_under_the_character(text, line, column, shown):
    error = refused(text)
    assert (error.line, error.column) == (line, column)
    assert str(error).splitlines()[1:3] == shown


def test_a_long_line_is_shown_around_the_place():
    text = f"{W}Items.A IN ({', '.join(map(str, range(500)))}) ~ Items.B"
    shown, carets = underlined(text, text.index("~"), text.index("~") + 1)
    assert len(shown) < 110
    assert shown[carets.index("^")] == "~"
    assert shown.strip().startswith("…")


def test_an_error_survives_pickling_with_its_place():
    error = pickle.loads(pickle.dumps(refused(f"{W}\nItems.A ~ 1")))
    assert isinstance(error, FilterError)
    assert (error.line, error.column, error.problem) == (2, 9, "'~' means nothing here.")


@pytest.mark.parametrize("text", [None, 5, b"INCLUDE", ["INCLUDE"]])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(FilterError, match="A filter is a text such as"):
        parse(text)


def test_a_tree_made_by_hand_is_held_to_the_same_rules_and_shown_as_its_text():
    where = Condition(Field("Interactions", "A"), "=", (CurrentItem("B"),))
    by_hand = Filter("", (Expression("INCLUDE", "ItemID", where),))
    with pytest.raises(FilterTextError, match="Interactions.A = CurrentItem.B"):
        require_rules(by_hand)
    fine = Filter("", (Expression("INCLUDE", "ItemID", Condition(Field("Items", "A"), "=", (Number(1.0, "1"),))),))
    require_rules(fine)
