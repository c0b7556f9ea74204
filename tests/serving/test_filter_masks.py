"""Masks of filters: hand-made tables, and the whole of it against an evaluator that goes row by row."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import FilterError
from workbench.serving import filter_tree as tree
from workbench.serving.filter_masks import compile_filter
from workbench.serving.filter_text import MANY, like_pattern, texts_like
from workbench.serving.filters import parse
from workbench.serving.tables import EntityTable, EventLog, TextColumn, UserState, column_of, text_array

DAY = 86_400
NOW = 100 * DAY


def table_of(**columns):
    length = len(next(iter(columns.values())))
    ids = text_array(f"i{number}" for number in range(length))
    return EntityTable("Items", ids, {name: column_of(values) for name, values in columns.items()})


def log_of(*events, users=None):
    """Events as (item code, event type, value, days ago)."""
    codes, types, values, ages = zip(*events, strict=True) if events else ([], [], [], [])
    return EventLog(
        np.array(codes, dtype=np.int32),
        np.array([NOW - age * DAY for age in ages], dtype=np.int64),
        {
            "EVENT_TYPE": text_array(types),
            "EVENT_VALUE": np.array([np.nan if value is None else value for value in values], dtype=np.float64),
        },
        None if users is None else np.array(users, dtype=np.int32),
    )


def operand(value):
    if isinstance(value, tree.Placeholder | tree.Star | tree.CurrentItem | tree.Now):
        return value
    if isinstance(value, bool):
        return tree.Boolean(value)
    return tree.Text(value) if isinstance(value, str) else tree.Number(float(value), str(value))


def condition(field, operator, *values):
    dataset, column = field.split(".")
    return tree.Condition(tree.Field(dataset, column), operator, tuple(map(operand, values)))


def include(where, *when, target="ItemID"):
    return tree.Expression("INCLUDE", target, where, when)


def exclude(where, *when, target="ItemID"):
    return tree.Expression("EXCLUDE", target, where, when)


def listed(table, *expressions, user=None, values=None, current_item=None, now=NOW):
    compiled = compile_filter(tree.Filter("", expressions), table)
    mask = compiled.mask(user, values or {}, now=now, current_item=current_item)
    assert mask.dtype == bool
    return np.flatnonzero(mask).tolist()


@pytest.fixture
def films():
    """Five films; the last has no attributes."""
    return table_of(
        GENRES=["Action|Crime", "Crime", "Comedy", "action", None],
        PRICE=[10.0, 20.0, 30.0, 0.0, None],
        NEW=[True, False, None, True, None],
        CREATION_TIMESTAMP=[NOW - DAY, NOW - 10 * DAY, NOW - 30 * DAY, NOW - 50 * DAY, None],
    )


@pytest.mark.parametrize(
    ("where", "codes"),
    [
        (condition("Items.GENRES", "IN", "Crime"), [0, 1]),
        (condition("Items.GENRES", "IN", "Crime", "Comedy"), [0, 1, 2]),
        (condition("Items.GENRES", "IN", "Action|Crime"), [0]),
        (condition("Items.GENRES", "NOT IN", "Crime"), [2, 3, 4]),
        (condition("Items.GENRES", "=", "Action"), [0]),
        (condition("Items.GENRES", "!=", "Action"), [1, 2, 3]),
        (tree.Not(condition("Items.GENRES", "=", "Action")), [1, 2, 3, 4]),
        (condition("Items.GENRES", "LIKE", "C%"), [0, 1, 2]),
        (condition("Items.GENRES", "LIKE", "_rime"), [0, 1]),
        (condition("Items.GENRES", "NOT LIKE", "C%"), [3, 4]),
        (condition("Items.GENRES", "CONTAINS", "ACTION"), [0, 3]),
        (condition("Items.GENRES", "NOT CONTAINS", "action"), [1, 2, 4]),
        (condition("Items.PRICE", "<", 20), [0, 3]),
        (condition("Items.PRICE", "<=", 20), [0, 1, 3]),
        (condition("Items.PRICE", ">", 20), [2]),
        (condition("Items.PRICE", ">=", "20"), [1, 2]),
        (condition("Items.PRICE", "=", 0), [3]),
        (condition("Items.PRICE", "!=", 0), [0, 1, 2]),
        (condition("Items.PRICE", "IN", 0, 30), [2, 3]),
        (condition("Items.PRICE", "NOT IN", 0, 30), [0, 1, 4]),
        (condition("Items.NEW", "=", True), [0, 3]),
        (condition("Items.NEW", "IN", "false"), [1]),
        (condition("Items.NEW", "=", 1), [0, 3]),
        (condition("Items.CREATION_TIMESTAMP", ">", tree.Now(-30 * DAY)), [0, 1]),
        (condition("Items.CREATION_TIMESTAMP", ">=", tree.Now(-30 * DAY)), [0, 1, 2]),
        (condition("Items.ITEM_ID", "IN", "i3", "i9"), [3]),
        (condition("Items.ITEM_ID", "LIKE", "i%"), [0, 1, 2, 3, 4]),
        (tree.And((condition("Items.GENRES", "IN", "Crime"), condition("Items.PRICE", ">", 10))), [1]),
        (tree.Or((condition("Items.GENRES", "IN", "Comedy"), condition("Items.PRICE", "<=", 10))), [0, 2, 3]),
    ],
)
def test_conditions_on_items_match_by_hand(films, where, codes):
    assert listed(films, include(where)) == codes
    assert listed(films, exclude(where)) == [code for code in range(5) if code not in codes]


def test_conditions_hold_on_the_same_event_and_event_types_ignore_case(films):
    user = UserState(
        "u", events=log_of((0, "Watch", 0.9, 1), (1, "click", 0.9, 2), (2, "WATCH", 0.1, 3), (-1, "watch", 1, 1))
    )
    where = tree.And(
        (condition("Interactions.EVENT_TYPE", "IN", "watch"), condition("Interactions.EVENT_VALUE", ">", 0.5))
    )
    assert listed(films, include(where), user=user) == [0]
    assert listed(films, exclude(where), user=user) == [1, 2, 3, 4]
    recent = condition("Interactions.TIMESTAMP", ">", tree.Now(-int(2.5 * DAY)))
    assert listed(films, exclude(recent), user=user) == [2, 3, 4]


def test_star_is_any_event_and_nobody_has_none(films):
    any_event = condition("Interactions.EVENT_TYPE", "IN", tree.Star())
    user = UserState("u", events=log_of((3, None, None, 1)))
    assert listed(films, include(any_event), user=user) == [3]
    assert listed(films, exclude(any_event), user=user) == [0, 1, 2, 4]
    assert listed(films, include(any_event)) == []
    assert listed(films, exclude(any_event)) == [0, 1, 2, 3, 4]


def test_includes_unite_and_excludes_are_taken_off_in_any_order(films):
    user = UserState("u", events=log_of((1, "click", None, 1), (4, "buy", None, 1)))
    expressions = (
        include(condition("Items.GENRES", "IN", "Crime")),
        exclude(condition("Interactions.EVENT_TYPE", "=", "click")),
        include(condition("Interactions.EVENT_TYPE", "=", "buy")),
        exclude(condition("Items.PRICE", "=", 10)),
    )
    assert listed(films, *expressions, user=user) == [4]
    assert listed(films, *reversed(expressions), user=user) == [4]


def test_an_expression_counts_only_where_its_if_holds(films):
    expression = include(condition("Items.GENRES", "IN", "Comedy"), condition("CurrentUser.AGE", "<", 18))
    assert listed(films, expression, user=UserState("u", {"AGE": 17.0})) == [2]
    assert listed(films, expression, user=UserState("u", {"AGE": 18.0})) == [0, 1, 2, 3, 4]
    assert listed(films, expression, user=UserState("u", {})) == [0, 1, 2, 3, 4]
    assert listed(films, expression) == [0, 1, 2, 3, 4]
    both = exclude(
        condition("Items.PRICE", "=", 0),
        condition("CurrentUser.TIER", "IN", "gold"),
        condition("CurrentUser.KIDS", "=", True),
    )
    assert listed(films, both, user=UserState("u", {"TIER": "gold|old", "KIDS": True})) == [0, 1, 2, 4]
    assert listed(films, both, user=UserState("u", {"TIER": "silver", "KIDS": True})) == [0, 1, 2, 3, 4]


def test_the_current_item_gives_its_parts_or_its_number(films):
    same = include(condition("Items.GENRES", "IN", tree.CurrentItem("GENRES")))
    assert listed(films, same, current_item=0) == [0, 1]
    assert listed(films, same, current_item=4) == listed(films, same, current_item=-1) == []
    whole = include(condition("Items.GENRES", "=", tree.CurrentItem("GENRES")))
    assert listed(films, whole, current_item=0) == [0]
    cheaper = include(condition("Items.PRICE", "<", tree.CurrentItem("PRICE")))
    assert listed(films, cheaper, current_item=1) == [0, 3]
    assert listed(films, cheaper, current_item=4) == []
    with pytest.raises(FilterError, match="needs the current item, which only a request for related items has"):
        listed(films, same)


def test_parameters_are_filled_in_and_several_values_go_after_in(films):
    expression = include(condition("Items.GENRES", "IN", tree.Placeholder("G")))
    assert listed(films, expression, values={"G": '"Comedy","action"'}) == [2, 3]
    assert listed(films, expression, values={"$G": ["Comedy", "action"]}) == [2, 3]
    price = include(condition("Items.PRICE", "<", tree.Placeholder("MAX")))
    assert listed(films, price, values={"MAX": '"20"'}) == listed(films, price, values={"MAX": 20}) == [0, 3]
    with pytest.raises(FilterError, match=r"\$MAX is given 2 values \(1, 2\).* compares with one"):
        listed(films, price, values={"MAX": [1, 2]})
    with pytest.raises(FilterError, match=r"Items.PRICE < \$MAX asks for 'cheap', and Items.PRICE holds numbers"):
        listed(films, price, values={"MAX": "cheap"})


def test_a_missing_parameter_stops_an_include(films):
    expression = include(
        tree.And(
            (
                condition("Items.GENRES", "IN", tree.Placeholder("G")),
                condition("Items.PRICE", "<", tree.Placeholder("MAX")),
            )
        )
    )
    with pytest.raises(FilterError, match=r"\$MAX is not given, and INCLUDE needs every parameter"):
        listed(films, expression, values={"G": "Crime"})
    with pytest.raises(FilterError, match=r"no parameter \$MX\. Did you mean 'MAX'\?"):
        listed(films, expression, values={"G": "Crime", "MX": 1})


def test_a_missing_parameter_of_an_exclude_leaves_its_condition_out_and_says_so(films):
    genre, price = condition("Items.GENRES", "IN", tree.Placeholder("G")), condition("Items.PRICE", ">", 5)
    filter = tree.Filter("", (exclude(tree.And((genre, price))), exclude(tree.Not(genre))))
    compiled = compile_filter(filter, films)
    assert np.flatnonzero(compiled.mask(None, now=NOW)).tolist() == [3, 4]
    assert np.flatnonzero(compiled.mask(None, {"G": "Crime"}, now=NOW)).tolist() == []
    assert compiled.notices() == ("$G is not given, so this condition is ignored: Items.GENRES IN ($G)",)
    assert compiled.notices({"G": "Crime"}) == ()


def test_a_missing_parameter_of_an_if_leaves_the_expression_out(films):
    expression = exclude(condition("Items.PRICE", "=", 0), condition("CurrentUser.AGE", "<", tree.Placeholder("AGE")))
    compiled = compile_filter(tree.Filter("", (expression,)), films)
    child = UserState("u", {"AGE": 5.0})
    assert compiled.mask(child, now=NOW).all()
    assert np.flatnonzero(~compiled.mask(child, {"AGE": 18}, now=NOW)).tolist() == [3]
    assert compiled.notices()[0].startswith("$AGE is not given, so this expression is ignored: EXCLUDE ItemID")


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        (include(condition("Items.GENRE", "IN", "x")), "Items has no column 'GENRE'. Did you mean 'GENRES'"),
        (include(condition("Items.GENRES", "<", 3)), "Items.GENRES holds text such as 'Action|Crime', and < compares"),
        (include(condition("Items.PRICE", "LIKE", "1%")), "Items.PRICE holds numbers, and LIKE looks into text"),
        (include(condition("Items.PRICE", "=", "cheap")), "asks for 'cheap', and Items.PRICE holds numbers"),
        (include(condition("Items.NEW", "=", "maybe")), "asks for 'maybe', and Items.NEW holds true or false"),
        (include(condition("Items.PRICE", "<", tree.CurrentItem("COST"))), "Items has no column 'COST'"),
        (include(condition("Users.AGE", "<", 3), target="UserID"), "filters UserID, and the table holds Items"),
        (include(condition("Users.AGE", "<", 3)), "reads Users; conditions after ItemID WHERE are all on Items or all"),
    ],
)
def test_what_does_not_suit_the_table_is_refused_when_compiled(films, expression, message):
    with pytest.raises(FilterError, match=re.escape(message)):
        compile_filter(tree.Filter("", (expression,)), films)


def test_masks_of_attributes_are_kept_by_value_and_cannot_be_written(films):
    compiled = compile_filter(
        tree.Filter("", (include(condition("Items.GENRES", "IN", tree.Placeholder("G"))),)), films
    )
    first = compiled.mask(None, {"G": "Crime"}, now=NOW)
    assert compiled.mask(None, {"G": '"Crime"'}, now=NOW + 5) is first
    assert compiled.mask(None, {"G": "Comedy"}, now=NOW) is not first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = False


def test_the_memory_of_kept_masks_is_bounded(films):
    filter = tree.Filter("", (include(condition("Items.GENRES", "IN", tree.Placeholder("G"))),))
    compiled = compile_filter(filter, films, memory=60)
    for number in range(100):
        compiled.mask(None, {"G": f"genre {number}"}, now=NOW)
    assert compiled.cache.used <= 60
    assert len(compiled.cache) <= 12


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "=", "!="])
def test_kept_masks_of_times_hold_exactly_as_long_as_they_are_right(operator):
    table = table_of(TIME=[10.0, 20.0, 20.5, None, 30.0])
    kept = compile_filter(tree.Filter("", (include(condition("Items.TIME", operator, tree.Now(-5))),)), table)
    for now in [*range(10, 40), *range(40, 10, -1), 25, 25, 26, 25]:
        fresh = compile_filter(kept.filter, table)
        assert kept.mask(None, now=now).tolist() == fresh.mask(None, now=now).tolist(), now
    assert kept.cache.hits > 20


def test_users_are_masked_by_their_attributes_and_events():
    ids = text_array(["ann", "bob", "cy"])
    users = EntityTable(
        "Users", ids, {"AGE": column_of([30.0, 40.0, None]), "TIER": column_of(["gold", "tin", "gold"])}
    )
    log = log_of((0, "buy", 1, 1), (1, "leave", 1, 1), (1, "buy", 1, 50), users=[0, 1, 2])
    gold = include(condition("Users.TIER", "IN", "gold"), target="UserID")
    left = exclude(condition("Interactions.EVENT_TYPE", "IN", "leave"), target="UserID")
    recent = include(
        tree.And(
            (
                condition("Interactions.EVENT_TYPE", "=", "BUY"),
                condition("Interactions.TIMESTAMP", ">", tree.Now(-30 * DAY)),
            )
        ),
        target="UserID",
    )

    def ids_of(*expressions):
        mask = compile_filter(tree.Filter("", expressions), users).mask_users(log, now=NOW)
        return ids[mask].tolist()

    assert ids_of(gold) == ["ann", "cy"]
    assert ids_of(left) == ["ann", "cy"]
    assert ids_of(recent) == ["ann"]
    assert ids_of(include(condition("Users.AGE", ">", 35), target="UserID"), left) == []
    assert ids_of(include(condition("Users.USER_ID", "=", "bob"), target="UserID")) == ["bob"]
    with pytest.raises(FilterError, match="ask for mask_users"):
        compile_filter(tree.Filter("", (gold,)), users).mask(None, now=NOW)
    with pytest.raises(FilterError, match="IF asks about the current user"):
        ids_of(include(condition("Users.AGE", ">", 35), condition("CurrentUser.AGE", ">", 1), target="UserID"))


def test_actions_are_masked_by_events_with_actions():
    actions = EntityTable("Actions", text_array(["call", "mail"]), {"VALUE": column_of([5.0, 20.0])})
    user = UserState("u", events=log_of((1, "NOT_TAKEN", None, 1)))
    dear = include(condition("Actions.VALUE", ">=", 5), target="ActionID")
    refused = exclude(condition("Action_Interactions.EVENT_TYPE", "IN", "not_taken"), target="ActionID")
    compiled = compile_filter(tree.Filter("", (dear, refused)), actions)
    assert compiled.mask(user, now=NOW).tolist() == [True, False]
    with pytest.raises(FilterError, match="all on Actions or all on Action_Interactions"):
        compile_filter(
            tree.Filter("", (exclude(condition("Interactions.EVENT_TYPE", "=", "x"), target="ActionID"),)), actions
        )


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("A%", "Abc", True),
        ("A%", "bA", False),
        ("%b%", "abc", True),
        ("a_c", "abc", True),
        ("a_c", "abbc", False),
        ("%", "", True),
        ("", "", True),
        ("100\\%", "100%", True),
        ("100\\%", "1000", False),
        ("a\\", "a\\", True),
        ("a\\_b", "a_b", True),
        ("a\\_b", "axb", False),
        ("%ab%ab", "abab", True),
        ("%ab%ab", "ab", False),
        ("a.c", "abc", False),
        ("a%b_%c", "a\nbxbc", True),
    ],
)
def test_like_patterns(pattern, text, fits):
    assert bool(like_pattern(pattern).fullmatch(text)) == fits


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=10))
def test_like_patterns_mean_what_a_plain_regular_expression_does(pattern, text):
    plain = re.compile(pattern.replace("%", ".*").replace("_", "."))
    assert bool(like_pattern(pattern).fullmatch(text)) == bool(plain.fullmatch(text))


def test_a_hostile_pattern_takes_no_time(films):
    pattern = "%a" * 500 + "b"
    assert not like_pattern(pattern).fullmatch("a" * 2_000)


@given(
    st.lists(st.text("aAbß|\0é", max_size=6), min_size=1, max_size=8),
    st.sampled_from(["LIKE", "CONTAINS"]),
    st.text("aAbß|%_\\\0é", max_size=4),
    st.booleans(),
)
def test_a_long_vocabulary_is_searched_as_a_short_one_is(texts, operator, asked, prose):
    texts = list(dict.fromkeys(texts))
    short = TextColumn(np.arange(len(texts), dtype=np.int32), text_array(texts), prose)
    more = [*texts, *(f"{number}z" for number in range(MANY))]
    long = TextColumn(np.arange(len(more), dtype=np.int32), text_array(more), prose)
    found = texts_like(long, operator, [asked])[: len(texts)]
    assert found.tolist() == texts_like(short, operator, [asked]).tolist()


def test_huge_lists_and_hostile_values_are_answered_soon(films):
    many = [f"value {number}" for number in range(20_000)]
    start = time.perf_counter()
    assert listed(films, include(condition("Items.GENRES", "IN", *many, "Crime"))) == [0, 1]
    assert listed(films, include(condition("Items.PRICE", "IN", *range(20_000)))) == [0, 1, 2, 3]
    expression = include(condition("Items.GENRES", "NOT IN", tree.Placeholder("G")))
    assert listed(films, expression, values={"G": ",".join(f'"{each}"' for each in many)}) == [0, 1, 2, 3, 4]
    with pytest.raises(FilterError, match="breaks off at character 1;"):
        listed(films, expression, values={"G": '"' + "\\" * 100_001})
    assert time.perf_counter() - start < 2


REFERENCE = [  # valid examples of the reference's section 7.3, and what they list
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("purchase")', "bcd"),
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("*")', "cd"),
    ("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)", "cd"),
    ('INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("wishlist", "favorite")', "b"),
    ('INCLUDE ItemID WHERE Items.BRAND IN ("acme","zenith") AND Items.PRICE <= 49.99', "ab"),
    ('INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($CATS) OR Items.ON_SALE IN ("True")', "acd"),
    ("EXCLUDE ItemID WHERE Items.STOCK = 0", "bcd"),
    ("EXCLUDE ItemID WHERE Items.RATING < $MIN_RATING", "ad"),
    ("INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > $SINCE AND Items.PRICE < $MAX", "b"),
    ('EXCLUDE ItemID WHERE Items.CLASSIFICATION IN ("R","NC-17") IF CurrentUser.AGE < 18', "abc"),
    (
        'INCLUDE ItemID WHERE Items.REGION IN ("EU") IF CurrentUser.COUNTRY IN ("IT","FR") AND CurrentUser.AGE >= 21',
        "abcd",
    ),
    ("INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES AND Items.PRICE < CurrentItem.PRICE", "a"),
    ('EXCLUDE ItemID WHERE Items.SELLER NOT IN ("own")', "a"),
    (
        'INCLUDE ItemID WHERE Items.GENRES IN ($G) | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch","click")',
        "a",
    ),
    ('EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("hide") | EXCLUDE ItemID WHERE Items.STOCK = 0', "bcd"),
]


@pytest.mark.parametrize(("text", "ids"), REFERENCE)
def test_the_valid_examples_of_the_reference_list_what_they_say(text, ids):
    columns = {
        "BRAND": ["acme", "zenith", "zenith", None],
        "PRICE": [10.0, 20.0, 60.0, 90.0],
        "CATEGORY_L1": ["toys", "books", "toys", None],
        "ON_SALE": ["False", "False", None, "True"],
        "STOCK": [0.0, 3.0, 4.0, None],
        "RATING": [4.5, 2.0, 3.0, None],
        "CREATION_TIMESTAMP": [NOW - 50 * DAY, NOW - 5 * DAY, NOW - DAY, NOW - DAY],
        "CLASSIFICATION": ["G", "PG", None, "R"],
        "REGION": ["EU", "US", "EU", None],
        "GENRES": ["x|y", "z", "y", "w"],
        "SELLER": ["own", "other", None, "other"],
    }
    table = EntityTable("Items", text_array("abcd"), {name: column_of(values) for name, values in columns.items()})
    events = log_of((0, "Purchase", None, 3), (1, "wishlist", None, 2), (0, "hide", None, 1), (1, "click", None, 1))
    user = UserState("u", {"AGE": 12.0, "COUNTRY": "IT"}, events)
    values = {"CATS": '"toys"', "MIN_RATING": '"3.5"', "SINCE": NOW - 10 * DAY, "MAX": "50", "G": '"x","z"'}
    filter = parse(text)
    compiled = compile_filter(filter, table)
    given = {name: values[name] for name in compiled.parameters}
    mask = compiled.mask(user, given, now=NOW, current_item=2)
    assert "".join(table.ids[mask]) == ids


def test_threads_share_a_filter(films):
    filter = tree.Filter("", (include(condition("Items.PRICE", "<", tree.Placeholder("MAX"))),))
    compiled = compile_filter(filter, films, memory=30)
    prices = films.columns["PRICE"].values

    def right(number):
        top = number % 7 * 6
        return compiled.mask(None, {"MAX": top}, now=NOW).tolist() == (prices < top).tolist()

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(400)))


def test_a_condition_on_the_users_id(films):
    expression = exclude(condition("Items.PRICE", ">", 0), condition("CurrentUser.USER_ID", "IN", "ann"))
    assert listed(films, expression, user=UserState("ann")) == [3, 4]
    assert listed(films, expression, user=UserState("bob")) == [0, 1, 2, 3, 4]
