"""A filter laid out: every part once, below what it belongs to, extensions marked."""

from workbench.serving.filter_print import outline, records
from workbench.serving.filters import parse

TEXT = (
    'INCLUDE ItemID WHERE Items.A IN ("x") AND (Items.B = 1 OR NOT (Items.C != 2 AND Items.D = 3)) '
    "IF CurrentUser.AGE >= 18 | EXCLUDE ItemID WHERE Items.E = 1 OR Items.F = 2 AND Items.G = 3"
)


def test_the_parts_stand_below_what_they_belong_to():
    assert (
        "\n".join(map(str, outline(parse(TEXT))))
        == """\
INCLUDE ItemID
    all of
        Items.A IN ("x")
        any of    [brackets]
            Items.B = 1
            not    [NOT]
                all of    [brackets]
                    Items.C != 2    [There is no !=; NOT IN is the nearest]
                    Items.D = 3
    if CurrentUser.AGE >= 18
EXCLUDE ItemID
    any of
        Items.E = 1
        all of
            Items.F = 2
            Items.G = 3"""
    )


def test_lines_are_rows_of_a_table():
    assert records(parse("INCLUDE ItemID WHERE Items.A = 1")) == [
        {"DEPTH": 0, "PART": "expression", "TEXT": "INCLUDE ItemID", "EXTENSION": ""},
        {"DEPTH": 1, "PART": "condition", "TEXT": "Items.A = 1", "EXTENSION": ""},
    ]
