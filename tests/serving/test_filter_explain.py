"""What a filter does, counted by hand, and why single items are listed or not."""

import time

import numpy as np
import pytest

from workbench.errors import FilterError
from workbench.serving.filter_explain import explain, left_for
from workbench.serving.filter_masks import compile_filter
from workbench.serving.filter_verdict import verdict
from workbench.serving.filters import parse
from workbench.serving.tables import EntityTable, EventLog, UserState, column_of, text_array

NOW = 1_700_000_000
FILTER = (
    'INCLUDE ItemID WHERE Items.GENRES IN ("Crime", "Comedy") AND Items.PRICE < 25'
    ' | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch") AND Interactions.TIMESTAMP > NOW() - 30d'
    " | EXCLUDE ItemID WHERE Items.PRICE = $PRICE"
    ' | EXCLUDE ItemID WHERE Items.GENRES IN ("Crime") IF CurrentUser.AGE < 18'
)


@pytest.fixture
def films():
    """Five films; the last has no attributes."""
    columns = {
        "GENRES": column_of(["Action|Crime", "Crime", "Comedy", "Drama", None]),
        "PRICE": column_of([10.0, 20.0, 30.0, 0.0, None]),
    }
    return EntityTable("Items", text_array(["a", "b", "c", "d", "e"]), columns)


@pytest.fixture
def user():
    """Watched film b two days ago, film a a year ago."""
    times = np.array([NOW - 365 * 86_400, NOW - 2 * 86_400])
    types = text_array(["watch", "Watch"])
    return UserState("u", {"AGE": 30.0}, EventLog(np.array([0, 1], dtype=np.int32), times, {"EVENT_TYPE": types}))


def test_every_condition_is_counted(films, user):
    told = explain(compile_filter(parse(FILTER), films), user, now=NOW)
    assert (told.kind, told.total, told.left) == ("Items", 5, 1)
    include, watched, priced, crime = told.expressions
    assert [(each.applies, each.matched, each.left_without) for each in told.expressions] == [
        (True, 2, 4),
        (True, 1, 2),
        (True, 0, 1),
        (False, 2, 1),
    ]
    assert [(each.matched, each.missing, each.left_without) for each in include.conditions] == [(3, 1, 2), (3, 1, 2)]
    assert [(each.matched, each.left_without) for each in watched.conditions] == [(2, 1), (1, 0)]
    assert priced.conditions[0].ignored
    assert crime.unless == ("CurrentUser.AGE < 18 (here 30)",)
    assert told.notices == ("$PRICE is not given, so this condition is ignored: Items.PRICE = $PRICE",)


def test_counts_left_are_those_of_the_mask(films, user):
    compiled = compile_filter(parse(FILTER), films)
    for values in ({}, {"PRICE": 10}):
        for each in (user, UserState("v", {"AGE": 9.0}), None):
            told = explain(compiled, each, values, now=NOW)
            assert told.left == compiled.mask(each, values, now=NOW).sum()


def test_records_are_a_row_an_expression_and_a_row_a_condition(films, user):
    rows = explain(compile_filter(parse(FILTER), films), user, now=NOW).records()
    assert [row["CONDITION"] for row in rows[:3]] == ["", 'Items.GENRES IN ("Crime", "Comedy")', "Items.PRICE < 25"]
    assert set(rows[0]) == {"EXPRESSION", "CONDITION", "APPLIES", "MATCHED", "MISSING", "LEFT_WITHOUT"}
    assert len(rows) == 4 + 6


def test_a_filter_that_leaves_too_little_names_what_costs_most(films, user):
    strict = parse('INCLUDE ItemID WHERE Items.GENRES IN ("Crime") AND Items.PRICE > 100')
    (warning,) = explain(compile_filter(strict, films), user, now=NOW).warnings
    assert warning == "Nothing is left of 5 items. Without Items.PRICE > 100 there would be 2."
    compiled = compile_filter(parse("EXCLUDE ItemID WHERE Items.PRICE >= 10"), films)
    (warning,) = explain(compiled, user, now=NOW, least=3).warnings
    assert warning.startswith(
        "Only 2 of 5 items are left, fewer than the 3 that a list needs. Without Items.PRICE >= 10"
    )
    assert explain(compiled, user, now=NOW, least=2).warnings == ()


def test_why_an_item_is_not_listed(films, user):
    compiled = compile_filter(parse(FILTER), films)

    def why(id, **values):
        return verdict(compiled, id, user, values, now=NOW)

    assert why("a").listed
    assert why("a").reasons[0].startswith("Kept by INCLUDE ItemID WHERE Items.GENRES")
    watched = why("b")
    assert not watched.listed
    assert "Taken away by EXCLUDE ItemID WHERE Interactions.EVENT_TYPE" in watched.reasons[0]
    assert "(here 'Watch' in 1 event); Interactions.TIMESTAMP > NOW() - 30d (here 16998" in watched.reasons[0]
    dear = why("c")
    assert not dear.listed
    assert dear.reasons == (f"Not kept by {compiled.filter.expressions[0]}: Items.PRICE < 25 (here 30).",)
    assert why("e").reasons[0].endswith("(here no value); Items.PRICE < 25 (here no value).")
    assert why("a", PRICE=10).reasons[0] == (
        "Taken away by EXCLUDE ItemID WHERE Items.PRICE = $PRICE: Items.PRICE = $PRICE (here 10)."
    )
    assert not verdict(compiled, "b", UserState("v", {"AGE": 9.0}), now=NOW).listed


def test_verdicts_agree_with_masks(films, user):
    compiled = compile_filter(parse(FILTER), films)
    for each in (user, UserState("v", {"AGE": 9.0}), None):
        mask = compiled.mask(each, now=NOW)
        assert [verdict(compiled, id, each, now=NOW).listed for id in films.ids] == mask.tolist()


def test_an_unknown_id_gets_the_nearest(films, user):
    with pytest.raises(FilterError, match=r"Items has no 'aa'\. Did you mean 'a'\? Known: a, b, c, d, e"):
        verdict(compile_filter(parse(FILTER), films), "aa", user, now=NOW)


def test_filters_of_users_are_explained_too():
    users = EntityTable("Users", text_array(["ann", "bob"]), {"AGE": column_of([30.0, 40.0])})
    log = EventLog(
        np.array([0, 0], dtype=np.int32),
        np.array([1, 2]),
        {"EVENT_TYPE": text_array(["buy", "leave"])},
        np.array([0, 1], dtype=np.int32),
    )
    filter = 'INCLUDE UserID WHERE Users.AGE >= 30 | EXCLUDE UserID WHERE Interactions.EVENT_TYPE IN ("leave")'
    compiled = compile_filter(parse(filter), users)
    told = explain(compiled, log, now=NOW, least=2)
    assert (told.left, told.expressions[1].matched) == (1, 1)
    assert told.warnings[0].startswith("Only 1 of 2 users are left")
    assert "(here 'leave' in 1 event)" in verdict(compiled, "bob", log, now=NOW).reasons[0]


@pytest.mark.parametrize("filter", [FILTER, 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch")'])
def test_what_is_left_for_many_users_is_what_their_masks_leave(films, user, filter):
    compiled = compile_filter(parse(filter), films)
    people = [user, UserState("v", {"AGE": 9.0}), UserState("w")]
    left = left_for(compiled, people, now=NOW)
    assert left.tolist() == [compiled.mask(each, now=NOW).sum() for each in people]


def test_a_condition_under_not_decides_where_it_does_not_hold(films, user):
    text = 'INCLUDE ItemID WHERE Items.PRICE > 5 AND NOT (Items.GENRES IN ("Crime") OR Items.GENRES IN ("Drama"))'
    out = verdict(compile_filter(parse(text), films), "a", user, now=NOW)
    assert [each.negated for each in out.expressions[0].conditions] == [False, True, True]
    assert not out.listed
    assert out.reasons[0].endswith(": NOT Items.GENRES IN (\"Crime\") (here 'Action|Crime').")
    kept = verdict(compile_filter(parse(text), films), "c", user, now=NOW)
    assert kept.reasons[0].count("NOT Items.GENRES") == 2  # each with the value there is


def test_hundreds_of_conditions_are_explained_quickly_and_warned_of_shortly(films):
    text = "INCLUDE ItemID WHERE " + " OR ".join(f"Items.PRICE = {number + 0.5}" for number in range(300))
    start = time.process_time()
    found = explain(compile_filter(parse(text), films), None, now=NOW)
    assert time.process_time() - start < 5  # some hundred times as much when each is worked out anew
    assert found.left == 0
    long = 'INCLUDE ItemID WHERE Items.GENRES IN ("' + '","'.join(f"genre {number}" for number in range(3000)) + '")'
    assert len(explain(compile_filter(parse(long), films), None, now=NOW).warnings[0]) < 600
