"""Whether Amazon Personalize would take a filter, and every reason why not."""

import numpy as np
import pytest

from workbench.serving.filters import parse, portable
from workbench.serving.tables import EntityTable, NumberColumn, TextColumn, text_array

W = "INCLUDE ItemID WHERE "


def reasons(text: str, **more) -> tuple[str, ...]:
    return portable(parse(text), **more).reasons


@pytest.mark.parametrize(
    "text",
    [
        'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")',
        f'{W}Items.A IN ("x", "y") AND Items.B <= 49.99 AND Items.C < $MAX',
        f'{W}Items.A IN ("x") IF CurrentUser.AGE < 18 AND CurrentUser.B = "y"',
        f"{W}Items.A IN CurrentItem.A",
        "include userid where users.a NOT IN ('x')",
        'INCLUDE ActionID WHERE Actions.A = 1 | EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("Taken")',
        f'{W}Items.A = "(not Items.B = 1) OR NOW()"',
    ],
)
def test_the_services_own_language_is_accepted_in_its_canonical_spelling(text):
    found = portable(parse(text))
    assert found.accepted
    assert found.reasons == ()
    assert found.text == str(parse(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{W}Items.A != 1", "There is no !=; NOT IN is the nearest: Items.A != 1."),
        (f'{W}Items.A LIKE "x%"', 'There is no LIKE: Items.A LIKE "x%".'),
        (f'{W}Items.A NOT CONTAINS "x"', 'There is no NOT CONTAINS: Items.A NOT CONTAINS "x".'),
        (f"{W}Items.A > NOW() - 1d", "There is no NOW(); give the time as a parameter: Items.A > NOW() - 1d."),
        (
            f"{W}Items.A = TRUE",
            'There is no TRUE or FALSE without quotes; store "True" and "False" as text: Items.A = TRUE.',
        ),
        (
            f"{W}NOT Items.A = 1",
            "There is no NOT before a condition; turn the operator round, or INCLUDE into EXCLUDE.",
        ),
        (f"{W}(Items.A = 1 OR Items.B = 1) AND Items.C = 1", "There are no brackets to group conditions."),
        (f"{W}(Items.A = 1)", f"There are no brackets to group conditions; without them it is {W}Items.A = 1."),
        (
            "EXCLUDE ItemID WHERE Interactions.TIMESTAMP > 5",
            "Events are not filtered by their time: Interactions.TIMESTAMP > 5.",
        ),
        (f"{W}Items.A < ${'p' * 51}", f"The parameter ${'p' * 51} has 51 characters, and 50 are allowed."),
    ],
)
def test_each_extension_is_a_reason_by_itself(text, said):
    assert reasons(text) == (said,)
    assert not portable(parse(text)).accepted


def test_every_reason_is_given_once():
    found = reasons(f"{W}NOT (Items.A != 1 OR Items.A != 1) AND Items.B > NOW() IF CurrentUser.C != 2")
    assert [each.split(":")[0].split(";")[0] for each in found] == [
        "There is no !=",
        "There is no NOW()",
        "There is no !=",
        "There is no NOT before a condition",
        "There are no brackets to group conditions.",
    ]


def test_length_counts_as_it_is_written():
    fits = f'{W}Items.A = "{"x" * (2_500 - len(W) - 12)}"'
    assert len(fits) == 2_500
    assert reasons(fits) == ()
    longer = fits.replace('x"', 'xx"')
    assert reasons(longer) == ("It has 2,501 characters, and 2,500 are allowed.",)
    padded = fits.replace("=", " =")
    assert reasons(padded) == ("It has 2,501 characters, and 2,500 are allowed. Spelled canonically it has 2,500.",)


def test_six_fields_are_one_too_many_across_expressions_and_after_if():
    five = f"{W}Items.A = 1 AND Items.B = 1 AND Items.C = 1 AND Items.D = 1 AND Items.A = 2"
    assert reasons(f"{five} IF CurrentUser.AGE > 1") == ()
    assert reasons(f"{five} IF CurrentUser.AGE > 1 | EXCLUDE ItemID WHERE Interactions.E IN (1)") == (
        "It asks about 6 different fields (Interactions.E, Items.A, Items.B, Items.C, Items.D, Users.AGE), and 5 are "
        "allowed.",
    )
    assert reasons(f"{five} AND Items.A = CurrentItem.A") == ()


def test_the_group_has_ten_filters_and_ten_fields():
    others = [parse(f"{W}Items.F{number} = 1") for number in range(9)]
    assert reasons(f"{W}Items.A = 1", others=others) == ()
    assert reasons(f"{W}Items.A = 1 AND Items.B = 1", others=others) == (
        "With it the filters of the group ask about 11 different fields (Items.A, Items.B, Items.F0, Items.F1, "
        "Items.F2, Items.F3, Items.F4, Items.F5, Items.F6, Items.F7, Items.F8), and 10 are allowed.",
    )
    assert reasons(f"{W}Items.F1 = 1", others=[*others, others[0]]) == (
        "It is filter number 11 of the group, and 10 are allowed.",
    )


def test_more_than_25_parameters_cannot_be_given():
    text = W + " OR ".join(f"Items.A = $P{number}" for number in range(26))
    assert reasons(text) == ("It has 26 parameters, and a request gives 25 values.",)


def test_columns_of_text_and_of_true_or_false_are_found_by_the_tables():
    prose = TextColumn(np.array([0], dtype=np.int32), text_array(["words"]), textual=True)
    items = EntityTable("Items", text_array(["i"]), {"ABOUT": prose, "NEW": NumberColumn(np.ones(1), boolean=True)})
    text = f'{W}Items.ABOUT IN ("red") AND Items.NEW = 1 AND Items.NEW = CurrentItem.NEW AND Items.OTHER = 1'
    assert reasons(text) == ()
    assert reasons(text, tables={"Items": items, "Users": None}) == (
        "Items.ABOUT is a textual column, which is not filtered by.",
        'Items.NEW is boolean; store "True" and "False" as text, or 1 and 0.',
        'CurrentItem.NEW is boolean; store "True" and "False" as text, or 1 and 0.',
    )


@pytest.mark.parametrize(
    ("text", "caution"),
    [
        (f"{W}Items.A = 1 OR Items.B = 1 AND Items.C = 1", "AND or OR is taken first"),
        (f'{W}Items.A = "a \\" b"', "quotes and backslashes"),
        (f'{W}Items.A NOT IN ("x")', "NOT IN means for a field with several values"),
        ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "latest 100 events"),
        (f"{W}Items.A = CurrentItem.A", "related items"),
        (f'{W}Items.A < "b"', "documented for numbers only"),
    ],
)
def test_what_is_taken_but_not_documented_is_a_caution(text, caution):
    found = portable(parse(text))
    assert found.accepted
    assert caution in " ".join(found.cautions)


def test_a_filter_says_it_of_itself():
    assert parse(f"{W}Items.A = 1").portable.accepted
    assert parse(f"{W}Items.A != 1").portable == portable(parse(f"{W}Items.A != 1"))
