"""Coverage, novelty, variety and popularity by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.evaluation.catalogue_metrics import catalogue, item_features, item_popularity, list_traits


def lists_of(**items):
    rows = [(user, item, rank) for user, named in items.items() for rank, item in enumerate(named, start=1)]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "RANK"])


@pytest.fixture
def train():
    """Four users; a had by all four, b by two (once twice), c by one."""
    rows = [("1", "a"), ("2", "a"), ("3", "a"), ("4", "a"), ("1", "b"), ("1", "b"), ("2", "b"), ("3", "c")]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID"])


@pytest.fixture
def items():
    """e was never had by anyone; titles are all different, genres repeat."""
    return pd.DataFrame(
        {
            "ITEM_ID": list("abcde"),
            "TITLE": ["Alpha", "Beta", "Gamma", "Delta", "Epsilon"],
            "GENRES": ["Drama", "Drama|Crime", "Crime", "Drama", None],
            "YEAR": [1990, 1991, 1992, 1993, 1994],
        }
    )


def test_popularity_counts_users_not_events(train):
    assert item_popularity(train).to_dict() == {"a": 1.0, "b": 0.5, "c": 0.25}


def test_novelty_and_popularity_by_hand(train):
    traits = list_traits(lists_of(u="abc", v="e"), train, ks=[2, 3])
    assert traits.loc["u", "novelty_at_2"] == pytest.approx((0 + 1) / 2)
    assert traits.loc["u", "novelty_at_3"] == pytest.approx((0 + 1 + 2) / 3)
    assert traits.loc["v", "novelty_at_3"] == 2.0  # nobody had e: it counts as one user of four
    assert traits.loc["u", "average_popularity_at_3"] == pytest.approx((1 + 0.5 + 0.25) / 3)
    assert not any("diversity" in name for name in traits.columns)


def test_diversity_is_the_mean_distance_of_all_pairs(train, items):
    traits = list_traits(lists_of(u="abc", v="ae", w="ad", alone="a"), train, items, ks=[3])
    half = 1 / np.sqrt(2)  # similarity of a genre with the pair of genres it belongs to
    assert traits.loc["u", "diversity_at_3"] == pytest.approx(1 - (half + 0 + half) / 3)
    assert traits.loc["v", "diversity_at_3"] == 1.0
    assert traits.loc["w", "diversity_at_3"] == pytest.approx(0.0)
    assert np.isnan(traits.loc["alone", "diversity_at_3"])


def test_titles_and_numbers_are_no_features(items):
    matrix, ids, used = item_features(items)
    assert used == ["GENRES"]
    assert matrix.shape == (5, 2)
    assert list(ids) == list("abcde")
    assert item_features(items[["ITEM_ID", "TITLE", "YEAR"]]) is None


def test_users_without_a_list_are_undefined(train):
    traits = list_traits(lists_of(u="a"), train, ks=[1], users=["u", "nobody"])
    assert traits["novelty_at_1"].isna().tolist() == [False, True]


def test_coverage_counts_items_of_interactions_and_items(train, items):
    found = catalogue(lists_of(u="ab", v="ac"), train, items=items, k=2)
    assert found["coverage"] == 3 / 5
    assert catalogue(lists_of(u="ab", v="ac"), train, k=2)["coverage"] == 1.0
    assert catalogue(lists_of(u="ab", v="ac"), train, k=1)["coverage"] == pytest.approx(1 / 3)


def test_coverage_of_users_wants_a_whole_list(train):
    assert catalogue(lists_of(u="ab", v="a"), train, users=["u", "v", "w", "x"], k=2)["coverage_of_users"] == 0.25


def test_concentration_and_difference_between_users(train, items):
    alike = catalogue(lists_of(u="a", v="a"), train, items=items, k=1)
    assert alike["concentration_at_1"] == pytest.approx(1 - 1 / 5)  # one of five items gets every place
    assert alike["difference_between_users_at_1"] == 0.0
    other = catalogue(lists_of(u="ab", v="ac"), train, k=2)
    assert other["difference_between_users_at_2"] == 0.5


def test_popularity_bias_compares_lists_with_the_users_own_past(train):
    history = pd.DataFrame({"USER_ID": ["u", "u", "w"], "ITEM_ID": ["b", "c", "a"]})
    found = catalogue(lists_of(u="a"), train, history=history, k=1)
    assert found["popularity_bias_at_1"] == pytest.approx(1.0 / 0.375 - 1)
    assert np.isnan(catalogue(lists_of(x="a"), train, history=history, k=1)["popularity_bias_at_1"])


def test_inputs_are_not_changed(train, items):
    lists = lists_of(u="ab", v="ac")
    before = lists.copy(), train.copy(), items.copy()
    catalogue(lists, train, items=items, history=train, k=2)
    list_traits(lists, train, items)
    for frame, copy in zip((lists, train, items), before, strict=True):
        pd.testing.assert_frame_equal(frame, copy)


@settings(max_examples=40, deadline=None)
@given(st.dictionaries(st.sampled_from("uvwxyz"), st.permutations("abcde"), min_size=1), st.integers(1, 6))
def test_shares_lie_within_0_and_1(table, k):
    events = pd.DataFrame({"USER_ID": list("112233"), "ITEM_ID": list("abcabd")})
    lists = lists_of(**table)
    found = catalogue(lists, events, k=k)
    assert all(-1e-9 <= value <= 1 for value in found.values())
    traits = list_traits(lists, events, ks=[k])
    assert traits[f"average_popularity_at_{k}"].between(0, 1).all()
    assert (traits[f"novelty_at_{k}"] >= 0).all()
