"""The filter bench on four items: what is refused elsewhere is an answer here, counts and lists by hand."""

import pytest

from workbench.errors import FilterError, ServingError
from workbench.serving.campaigns import create_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.filter_bench import FilterBench, values_of
from workbench.serving.filter_store import FilterStore
from workbench.serving.promotion_cost import promotion_cost
from workbench.serving.recommender import Recommender


@pytest.fixture
def recommender(small_workspace, train_small):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    return Recommender(open_campaign(small_workspace.path, "g", "c"), log=False)


@pytest.fixture
def bench(recommender):
    return FilterBench(recommender, num_results=2, asked={"seed": 1, "exclude_seen": False})


def test_a_filter_goes_all_the_way(bench):
    found = bench.attempt("include ItemID where Items.PRICE < $MAX", "ann", {"MAX": 3})
    assert found.error == ""
    assert [str(line).strip() for line in found.lines] == ["INCLUDE ItemID", "Items.PRICE < $MAX"]
    assert found.notices == ("include, where read as INCLUDE, WHERE.",)
    assert found.portability.accepted
    assert (found.explanation.total, found.explanation.left) == (4, 2)
    assert sorted(found.response.item_ids) == ["a", "b"]
    assert bench.now == 160


@pytest.mark.parametrize(
    ("given", "parts", "checked", "error"),
    [
        ("INCLUDE ItemID", 0, False, "Line 1"),
        ("cheap", 0, False, "has no filter 'cheap'"),
        ("INCLUDE ItemID WHERE Items.PRIZE < 3", 2, False, "Did you mean 'PRICE'"),
        ("INCLUDE ItemID WHERE Items.PRICE < $MAX", 2, True, r"\$MAX is not given"),
        ("INCLUDE UserID WHERE Users.AGE > 3", 2, False, "needs a filter of ItemID"),
    ],
)
def test_what_cannot_be_used_says_why_and_shows_the_rest(bench, given, parts, checked, error):
    found = bench.attempt(given, "ann")
    assert error.replace("\\", "") in found.error
    assert (len(found.lines), found.portability is not None) == (parts, checked)
    assert (found.explanation, found.response) == (None, None)


def test_no_filter_lists_everything(bench):
    found = bench.attempt("  ", "ann")
    assert (found.error, found.filter, found.explanation) == ("", None, None)
    assert len(found.response.items) == 2
    assert bench.left_for("", ["ann", "bob"]) == [4, 4]


def test_a_stored_filter_is_tried_by_its_name(bench, small_workspace):
    FilterStore(small_workspace.path, "g").create("cheap", "INCLUDE ItemID WHERE Items.PRICE < 3")
    found = bench.attempt(" cheap ", "ann")
    assert (found.given, found.text) == (" cheap ", "INCLUDE ItemID WHERE Items.PRICE < 3")
    assert found.explanation.left == 2
    assert bench.made("cheap", "ann").item_ids == found.response.item_ids


def test_the_current_item_is_compared_with(recommender):
    text = "INCLUDE ItemID WHERE Items.PRICE > CurrentItem.PRICE"
    about = FilterBench(recommender, num_results=2, item="a").attempt(text, "ann")
    assert (about.explanation.left, about.response.kind, about.error) == (2, "related", "")
    assert "no current item" in FilterBench(recommender).attempt(text, "ann").error
    assert FilterBench(recommender, item="a").left_for(text, ["ann", "bob"]) == [2, 2]


def test_windows_of_time_keep_out_more_the_longer_they_are(recommender):
    at = FilterBench(recommender, num_results=4, timestamp=86_400 + 145)
    table = at.windows("EXCLUDE ItemID WHERE Interactions.TIMESTAMP > NOW() - {days}d", [0, 1, 2], ["ann", "bob"])
    # Of ann's events at 100, 120 and 150 one is after 145, of bob's at 110 and 130 none.
    assert table.to_numpy().tolist() == [[0, 0, 0.0, 3], [1, 1, 0.5, 2], [2, 3, 2.5, 0]]
    with pytest.raises(ServingError, match="has no {days}"):
        at.windows("EXCLUDE ItemID WHERE Items.PRICE < 3", [1], ["ann"])
    with pytest.raises(ServingError, match=r"A window is 1\.5 days"):
        at.windows("EXCLUDE ItemID WHERE Interactions.TIMESTAMP > NOW() - {days}d", [1.5], ["ann"])


def test_for_whom_a_filter_applies(bench):
    table = bench.for_whom("EXCLUDE ItemID WHERE Items.PRICE < 3 IF CurrentUser.AGE > 40", ["ann", "zoe"])
    assert table.to_numpy().tolist() == [["ann", False, "CurrentUser.AGE > 40 (here 31)", 4], ["zoe", True, "", 2]]


def test_why_names_the_condition(bench):
    verdict = bench.why("INCLUDE ItemID WHERE Items.PRICE < 3", "d", "ann")
    assert not verdict.listed
    assert "Items.PRICE < 3 (here 4)" in verdict.reasons[0]
    with pytest.raises(FilterError, match="Items has no 'e'"):
        bench.why("INCLUDE ItemID WHERE Items.PRICE < 3", "e", "ann")


def test_values_are_read_as_they_are_typed():
    assert values_of("  ") == {}
    assert values_of('{"A": [1, "x"]}') == {"A": [1, "x"]}
    with pytest.raises(FilterError, match=r"no JSON: .*They look like"):
        values_of("A = 3")
    with pytest.raises(FilterError, match="The values are list, and an object is needed"):
        values_of("[1]")
    with pytest.raises(FilterError, match="no JSON"):
        values_of("[" * 100_000)


def test_promotions_cost_more_the_more_is_promoted(recommender):
    asked = {"num_results": 2, "exclude_seen": False}
    table = promotion_cost(recommender, ["ann", "bob"], "INCLUDE ItemID WHERE Items.PRICE > 3", [0, 50, 100], **asked)
    assert table["PERCENT"].tolist() == [0, 50, 100]
    assert table["PLACED"].tolist() == [0.0, 0.5, 0.5]  # there is only one such item
    assert table["GIVEN_UP"].iloc[0] == 0.0 < table["GIVEN_UP"].iloc[1] == table["GIVEN_UP"].iloc[2]
    assert (table["LOW"] <= table["GIVEN_UP"]).all()
    assert (table["GIVEN_UP"] <= table["HIGH"]).all()
    with pytest.raises(ServingError, match="asked for 0 users and 1 percents"):
        promotion_cost(recommender, [], None, [10])
    with pytest.raises(ServingError, match="A percent is 101"):
        promotion_cost(recommender, ["ann"], None, [101])
