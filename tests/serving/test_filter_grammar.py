"""Filters: what the text says is what the tree says, and the tree prints as text that says the same."""

import pickle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import FilterError
from workbench.serving.filter_tree import (
    And,
    Boolean,
    Condition,
    CurrentItem,
    Expression,
    Field,
    Filter,
    Not,
    Now,
    Number,
    Or,
    Placeholder,
    Star,
    Text,
    conditions,
    duration,
)
from workbench.serving.filters import parse

VALID = """\
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)
INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("wishlist", "favorite")
INCLUDE ItemID WHERE Items.BRAND IN ("acme", "zenith") AND Items.PRICE <= 49.99
INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($CATS) OR Items.ON_SALE IN ("True")
EXCLUDE ItemID WHERE Items.STOCK = 0
EXCLUDE ItemID WHERE Items.RATING < $MIN_RATING
INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > $SINCE AND Items.PRICE < $MAX
EXCLUDE ItemID WHERE Items.CLASSIFICATION IN ("R", "NC-17") IF CurrentUser.AGE < 18
INCLUDE ItemID WHERE Items.REGION IN ("EU") IF CurrentUser.COUNTRY IN ("IT", "FR") AND CurrentUser.AGE >= 21
INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES AND Items.PRICE < CurrentItem.PRICE
EXCLUDE ItemID WHERE Items.SELLER NOT IN ("own")
INCLUDE ItemID WHERE Items.GENRES IN ($G) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch", "click")
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("hide") | EXCLUDE ItemID WHERE Items.STOCK = 0
INCLUDE UserID WHERE Users.TIER IN ("gold", "platinum") AND Users.AGE >= 30
EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("unsubscribe")
INCLUDE ActionID WHERE Actions.CHANNEL IN ($CH) AND Actions.VALUE >= 10
EXCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ("NOT_TAKEN")
INCLUDE ActionID WHERE Actions.LEVEL IN ("premium") IF CurrentUser.MEMBERSHIP = "premium"
""".splitlines()  # the reference's own, in canonical spacing

EXTENSIONS = """\
INCLUDE ItemID WHERE Items.PRICE != 10
INCLUDE ItemID WHERE (Items.A IN ("x") OR Items.B IN ("y")) AND Items.C IN ("z")
INCLUDE ItemID WHERE NOT (Items.A IN ("x") AND Items.B IN ("y")) OR NOT Items.C = 1
INCLUDE ItemID WHERE Items.NAME LIKE "A%" AND Items.NAME NOT LIKE "%z"
INCLUDE ItemID WHERE Items.TEXT CONTAINS $WORD OR Items.TEXT NOT CONTAINS "red"
INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > NOW() - 30d
INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP <= NOW()
INCLUDE ItemID WHERE Items.START < NOW() + 15d 12h 45m 10s
EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch") AND Interactions.TIMESTAMP >= NOW() - 1d 12h
INCLUDE ItemID WHERE Items.IS_NEW = TRUE AND Items.SOLD IN (FALSE)
""".splitlines()

ITEMS = "INCLUDE ItemID WHERE Items."


def only(text: str) -> Condition:
    """The one condition that follows the beginning of every filter here."""
    return parse(ITEMS + text).expressions[0].where


@pytest.mark.parametrize("text", [*VALID, *EXTENSIONS])
def test_canonical_text_prints_as_it_is_and_needs_no_notice(text):
    found = parse(text)
    assert str(found) == text
    assert parse(str(found)) == found
    assert found.text == text
    assert [each for each in found.notices if "AND and OR" not in each] == []


def test_every_example_of_the_reference_parses():
    reference = Path(__file__).parents[3] / "shared" / "reference" / "personalize.md"
    if not reference.exists():
        pytest.skip(f"there is no {reference.name} beside the repository")
    part = reference.read_text(encoding="utf-8").split("### 7.3")[1].split("```")[1]
    examples = [line.split("  -- ")[0].strip() for line in part.strip().splitlines()]
    assert len(examples) == 20
    for text in examples:
        assert parse(str(parse(text))) == parse(text)


def test_a_whole_tree():
    text = 'EXCLUDE ItemID WHERE Items.A IN ("x", 7) AND Items.B < $LIMIT IF CurrentUser.AGE >= 18'
    a = Condition(Field("Items", "A"), "IN", (Text("x"), Number(7.0, "7")))
    b = Condition(Field("Items", "B"), "<", (Placeholder("LIMIT"),))
    age = Condition(Field("CurrentUser", "AGE"), ">=", (Number(18.0, "18"),))
    found = parse(text)
    assert found == Filter(text, (Expression("EXCLUDE", "ItemID", And((a, b)), (age,)),))
    spans = [text[slice(*each.span)] for each in (*conditions(found.expressions[0].where), *found.expressions[0].when)]
    assert spans == ['Items.A IN ("x", 7)', "Items.B < $LIMIT", "CurrentUser.AGE >= 18"]


def test_and_binds_tighter_than_or_and_not_tightest():
    a, b, c = (Condition(Field("Items", name), "=", (Number(1.0, "1"),)) for name in "ABC")
    mixed = parse(f"{ITEMS}A = 1 OR NOT Items.B = 1 AND Items.C = 1")
    assert mixed.expressions[0].where == Or((a, And((Not(b), c))))
    assert "AND is taken first" in mixed.notices[0]
    bracketed = parse(f"{ITEMS}A = 1 AND (Items.B = 1 OR Items.C = 1)")
    assert bracketed.expressions[0].where == And((a, Or((b, c))))
    said = parse(f"{ITEMS}A = 1 OR (Items.B = 1 AND Items.C = 1)")
    assert said.notices == ()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('A = "x"', Text("x")),
        (r'A = "say \"hi\""', Text('say "hi"')),
        (r'A = "back\\slash"', Text("back\\slash")),
        (r'A = "C:\new"', Text(r"C:\new")),
        (r"A = 'it\'s'", Text("it's")),
        ('A = "日本 😀"', Text("日本 😀")),
        ('A = "two\nlines"', Text("two\nlines")),
        ("A = -1.50", Number(-1.5, "-1.50")),
        ("A = 1e3", Number(1000.0, "1e3")),
        ("A = 007", Number(7.0, "007")),
        ("A = true", Boolean(True)),
        ("A = ($X)", Placeholder("X")),
        ("A = $x_1", Placeholder("x_1")),
        ("A = CurrentItem.B", CurrentItem("B")),
        ("A > now()", Now(0)),
        ("A > NOW() - 30d", Now(-2_592_000)),
        ("A > NOW()-30d", Now(-2_592_000)),
        ("A > now-30d", Now(-2_592_000)),
        ("A > NOW() + 1.5h", Now(5_400)),
        ("A > NOW() - 1d - 12h", Now(-129_600)),
        ("A > NOW() - 1d 12h", Now(-129_600)),
        ("A > NOW() - 2 weeks", Now(-1_209_600)),
        ("A > NOW() + 1h - 30m", Now(1_800)),
    ],
)
def test_values(text, value):
    assert only(text).values == (value,)


@pytest.mark.parametrize(
    ("written", "canonical", "notice"),
    [
        ("include itemid where items.A in (1)", f"{ITEMS}A IN (1)", "include, itemid, where, in read as INCLUDE, Item"),
        ("INCLUDE USER_ID WHERE Users.A = 1", "INCLUDE UserID WHERE Users.A = 1", "USER_ID read as UserID"),
        ("INCLUDE UserId WHERE USERS.A = 1", "INCLUDE UserID WHERE Users.A = 1", "UserId read as UserID"),
        ("INCLUDE ItemID WHERE ITEMS.A = 1", f"{ITEMS}A = 1", "ITEMS read as Items"),
        (f"{ITEMS}A IN ('x')", f'{ITEMS}A IN ("x")', "Single quotes"),
        (f"{ITEMS}A <> 1", f"{ITEMS}A != 1", "<> read as !="),
        (f"{ITEMS}A == 1", f"{ITEMS}A = 1", "== read as ="),
        (f"{ITEMS}A ≤ 1", f"{ITEMS}A <= 1", "≤ read as <="),
        (f"{ITEMS}A > NOW - 1d", f"{ITEMS}A > NOW() - 1d", "NOW read as NOW"),
        (f"{ITEMS}A IN $X", f"{ITEMS}A IN ($X)", r"\$X after IN read in brackets"),
        (f"{ITEMS}A IN (CurrentItem.A)", f"{ITEMS}A IN CurrentItem.A", "read without brackets"),
        (f"{ITEMS}A = (1)", f"{ITEMS}A = 1", "1 after = read without brackets"),
        ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', VALID[1], "any event type"),
        (f'{ITEMS}A IN ("click, rating")', f'{ITEMS}A IN ("click, rating")', 'one text .* "click", "rating"'),
    ],
)
def test_other_spellings_are_read_and_said(written, canonical, notice):
    found = parse(written)
    assert str(found) == canonical
    with pytest.raises(AssertionError, match=notice):
        raise AssertionError(" ".join(found.notices))


def test_spaces_and_lines_mean_nothing():
    spread = "\n\tINCLUDE\n ItemID\u00a0WHERE(Items . A\nIN(1 ,\n2)AND Items.B<3)\n"
    assert parse(spread) == parse(f"{ITEMS}A IN (1, 2) AND Items.B < 3")


def test_brackets_that_change_nothing_leave_no_trace():
    assert parse(f"INCLUDE ItemID WHERE ((({ITEMS[21:]}A = 1)))") == parse(f"{ITEMS}A = 1")


def test_notices_and_text_do_not_count_in_comparisons():
    one, other = parse(f"{ITEMS}A = 1"), parse("include ItemID where Items.A=1")
    assert one == other
    assert hash(one) == hash(other)
    assert one != parse(f"{ITEMS}A = 1.0"), "a category tells 1 from 1.0"


def test_a_filter_survives_pickling():
    found = parse(VALID[8])
    hash(found)
    again = pickle.loads(pickle.dumps(found))
    assert again == found
    assert "_hash" not in pickle.dumps(found).decode("latin-1")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0s"), (10, "10s"), (129_600, "1d 12h"), (1_209_600, "2w"), (2_592_000, "30d")]
)
def test_durations_are_spelled_in_their_largest_units(seconds, text):
    assert duration(seconds) == text


names = st.sampled_from(["A", "b2", "_C", "EVENT_TYPE", "IN", "and", "Items", "Größe"])
parameters = st.sampled_from(["A", "b_2", "9", "NOT"])
texts = st.text(st.characters(codec="utf-8"), max_size=12).filter(lambda text: text != "*").map(Text)
floats = st.floats(allow_nan=False, allow_infinity=False).map(lambda value: Number(value, repr(value)))
whole = st.integers(-(10**12), 10**12).map(lambda value: Number(float(value), str(value)))
literals = st.one_of(texts, floats, whole, st.booleans().map(Boolean))
alone = st.one_of(parameters.map(Placeholder), names.map(CurrentItem))
moments = st.integers(-(10**9), 10**9).map(Now)


@st.composite
def one_condition(draw, dataset: str, current: bool = True) -> Condition:
    field = Field(dataset, draw(names))
    single = st.one_of(alone if current else parameters.map(Placeholder))
    operator = draw(st.sampled_from(["IN", "NOT IN", "=", "!=", "<", "<=", ">", ">=", "LIKE", "NOT CONTAINS"]))
    if operator in ("IN", "NOT IN"):
        return Condition(
            field,
            operator,
            draw(st.one_of(st.lists(literals, min_size=1, max_size=4), single.map(lambda x: [x])).map(tuple)),
        )
    if operator in ("LIKE", "NOT CONTAINS"):
        return Condition(field, operator, (draw(st.one_of(texts, parameters.map(Placeholder))),))
    return Condition(field, operator, (draw(st.one_of(literals, single, moments)),))


def nodes(dataset: str, current: bool) -> st.SearchStrategy:
    parts = st.one_of(
        one_condition(dataset, current),
        *([st.just(Condition(Field(dataset, "EVENT_TYPE"), "IN", (Star(),)))] if "nteractions" in dataset else []),
    )
    return st.recursive(
        parts,
        lambda inner: st.one_of(
            st.lists(inner, min_size=2, max_size=3).map(lambda found: And(tuple(found))),
            st.lists(inner, min_size=2, max_size=3).map(lambda found: Or(tuple(found))),
            inner.map(Not),
        ),
        max_leaves=8,
    )


@st.composite
def filters(draw) -> Filter:
    target, datasets = draw(
        st.sampled_from(
            [
                ("ItemID", ("Items", "Interactions")),
                ("UserID", ("Users", "Interactions")),
                ("ActionID", ("Actions", "Action_Interactions")),
            ]
        )
    )
    expressions = []
    for _ in range(draw(st.integers(1, 3))):
        dataset = draw(st.sampled_from(datasets))
        where = draw(nodes(dataset, dataset == "Items"))
        when = tuple(draw(st.lists(one_condition("CurrentUser"), max_size=2)))
        expressions.append(Expression(draw(st.sampled_from(["INCLUDE", "EXCLUDE"])), target, where, when))
    return Filter("", tuple(expressions))


@given(filters())
@settings(deadline=None, max_examples=80)
def test_any_tree_prints_as_text_that_parses_to_it(tree):
    found = parse(str(tree))
    assert found == tree
    assert str(found) == str(tree)


@given(st.text(max_size=60))
@settings(deadline=None, max_examples=80)
def test_any_text_is_a_filter_or_a_filter_error(text):
    read(text)


pieces = st.sampled_from(
    [
        *"()*,|.$\"'=<>!-\\",
        "\n",
        "\t",
        "INCLUDE",
        "EXCLUDE",
        "ItemID",
        "UserID",
        "WHERE",
        "IF",
        "AND",
        "OR",
        "NOT",
        "IN",
        "LIKE",
        "NOW()",
        "- 30d",
        "7",
        '"x"',
        "$P",
        "TRUE",
        "word",
        "Items.A",
        "Interactions.EVENT_TYPE",
        "CurrentUser.AGE",
        "CurrentItem.A",
        "Users.B",
        "Nothing.C",
        "日本",
    ]
)


@given(st.lists(pieces, max_size=25).map(" ".join), st.booleans())
@settings(deadline=None, max_examples=200)
def test_any_order_of_the_right_words_is_a_filter_or_a_filter_error(text, begun):
    read(f"{ITEMS}A = 1 {text}" if begun else text)


@given(filters().map(str), st.data())
@settings(deadline=None, max_examples=80)
def test_a_filter_cut_or_with_a_character_changed_is_a_filter_or_a_filter_error(text, data):
    place = data.draw(st.integers(0, len(text)))
    read(text[:place])
    read(text[:place] + data.draw(st.characters()) + text[place + 1 :])


def read(text: str) -> None:
    """Parse, and when that is refused, render the error."""
    try:
        found = parse(text)
    except FilterError as error:
        str(error)
        return
    assert parse(str(found)) == found
