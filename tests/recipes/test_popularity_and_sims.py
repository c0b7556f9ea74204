"""Popularity and SIMS by hand: counts, windows, ties, borders and the formula of similarity."""

import math

import numpy as np
import pandas as pd
import pytest

from workbench.recipes import neighbours
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories

DAY = 86_400


def data(rows):
    return TrainingData(pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]))


def scores_of(recipe):
    return dict(zip(recipe.item_ids, recipe.scores.tolist(), strict=True))


def test_popularity_counts_each_user_once():
    recipe = build("popularity-count").fit(data([("u", "a", 1), ("u", "a", 2), ("v", "a", 3), ("u", "b", 4)]))
    assert scores_of(recipe) == {"a": 2.0, "b": 1.0}
    assert recipe.notes == {"repeats_counted_once": 1}


def test_recent_popularity_counts_the_window_and_breaks_ties_by_all_time():
    rows = [("u", "old", 0), ("v", "old", 1), ("u", "a", 2), ("u", "a", 10 * DAY), ("u", "b", 10 * DAY)]
    recipe = build("recent-popularity", {"days": 1}).fit(data(rows))
    # 5 events in all: old 2, a 2, b 1; in the last day: a 1, b 1.
    assert scores_of(recipe) == pytest.approx({"a": 1 + 2 / 5, "b": 1 + 1 / 5, "old": 2 / 5})
    assert recipe.notes["events_in_window"] == 2


def test_the_border_of_the_window_itself_is_outside():
    recipe = build("recent-popularity", {"days": 1, "shrink": 0}).fit(data([("u", "a", 0), ("u", "b", DAY)]))
    assert scores_of(recipe) == {"a": 0.0, "b": 1.0}


@pytest.fixture
def baskets():
    """a and b share three users, a and c two, b and c two; d is chosen alone by one."""
    pairs = {"1": "abc", "2": "abc", "3": "ab", "4": "a", "5": "d"}
    return data([(user, item, number) for user, items in pairs.items() for number, item in enumerate(items)])


def open_sims(**given):
    borders = {
        f"{end}_{kind}_percentile": float(end == "max")
        for end in ("min", "max")
        for kind in ("user_history_length", "item_interaction_count")
    }
    return build("sims", borders | given)


def similarity(recipe):
    table = recipe.similarity.toarray()
    names = recipe.item_ids
    return {
        f"{names[i]}{names[j]}": table[i, j] for i in range(len(names)) for j in range(len(names)) if table[i, j] > 0
    }


@pytest.mark.parametrize("d", [0.0, 0.5, 1.0])
def test_similarity_follows_its_formula(baskets, d):
    recipe = open_sims(popularity_discount_factor=d, min_cointeraction_count=1).fit(baskets)
    together, chosen, users = {"ab": 3, "ac": 2, "bc": 2}, {"a": 4, "b": 3, "c": 2, "d": 1}, 5
    expected = {}
    for pair, count in together.items():
        for i, j in (pair, pair[::-1]):
            expected[i + j] = chosen[j] ** (1 - d) * (count * users / (chosen[i] * chosen[j])) ** d
    assert similarity(recipe) == pytest.approx(expected, rel=1e-6)


def test_zero_discount_orders_by_popularity_and_full_discount_by_lift(baskets):
    most_popular = open_sims(popularity_discount_factor=0, min_cointeraction_count=1).fit(baskets)
    by_lift = open_sims(popularity_discount_factor=1, min_cointeraction_count=1).fit(baskets)
    code = {name: number for number, name in enumerate(most_popular.item_ids)}
    assert most_popular.similar([code["c"]])[0].argmax() == code["a"]  # 4 users
    assert by_lift.similar([code["c"]])[0].argmax() == code["b"]  # 2 of b's 3 users, but only 2 of a's 4


def test_rare_pairs_are_dropped(baskets):
    assert set(similarity(open_sims(min_cointeraction_count=3).fit(baskets))) == {"ab", "ba"}


def test_a_history_adds_up_its_distinct_items_and_the_rest_follows_by_popularity(baskets):
    recipe = open_sims(popularity_discount_factor=0, min_cointeraction_count=3).fit(baskets)
    history = pd.DataFrame({"USER_ID": ["n", "n"], "ITEM_ID": ["a", "a"], "TIMESTAMP": [1, 2]})
    scores = recipe.score(encode_histories(history, recipe.item_ids, ["n", "cold"]))
    assert dict(zip(recipe.item_ids, scores[0].tolist(), strict=True)) == pytest.approx(
        {"a": 4 / 5 - 1, "b": 3.0, "c": 2 / 5 - 1, "d": 1 / 5 - 1}
    )
    assert recipe.item_ids[np.argsort(-scores[1])].tolist() == ["a", "b", "c", "d"]


def test_an_explanation_adds_up_to_the_score(baskets):
    recipe = open_sims(min_cointeraction_count=1).fit(baskets)
    history = pd.DataFrame({"USER_ID": ["n"] * 3, "ITEM_ID": ["a", "b", "a"], "TIMESTAMP": [1, 2, 3]})
    coded = encode_histories(history, recipe.item_ids)
    target = list(recipe.item_ids).index("c")
    why = recipe.explain(coded, target)
    assert why["CONTRIBUTION"].sum() == pytest.approx(recipe.score(coded)[0, target], rel=1e-6)
    assert dict(zip(why["ITEM_ID"], why["POSITION"], strict=True)) == {"a": 1, "b": 2}


def test_percentiles_leave_out_users_and_items_and_say_so():
    rows = [(f"u{u}", f"i{i}", i) for u in range(10) for i in range(u + 1)]
    recipe = build(
        "sims",
        {
            "min_cointeraction_count": 0,
            "min_user_history_length_percentile": 0.15,
            "max_user_history_length_percentile": 0.85,
            "min_item_interaction_count_percentile": 0.0,
            "max_item_interaction_count_percentile": 1.0,
        },
    ).fit(data(rows))
    # Histories are 1 to 10 long; the borders are 2.35 and 8.65, so lengths 3 to 8 stay.
    assert recipe.notes["users_left_out"] == 4
    assert recipe.notes["events_left_out"] == 1 + 2 + 9 + 10
    assert len(recipe.item_ids) == 10


def test_endless_histories_are_cut_to_their_newest_items_and_counted(baskets, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST_PAIRS", 16)
    recipe = open_sims(min_cointeraction_count=1).fit(baskets)
    # Lengths 3, 3, 2, 1, 1 cut at 2 make 4 + 4 + 4 + 1 + 1 = 14 pairs; users 1 and 2 keep b and c.
    assert recipe.notes["events_beyond_pair_limit"] == 2
    assert math.isclose(similarity(recipe).get("ac", 0.0), 0.0)


def test_endless_histories_are_cut_by_time_whatever_the_order_of_rows(baskets, monkeypatch):
    monkeypatch.setattr(neighbours, "MOST_PAIRS", 16)
    turned = TrainingData(baskets.interactions.iloc[::-1].reset_index(drop=True))
    assert similarity(open_sims(min_cointeraction_count=1).fit(turned)).keys() == {"bc", "cb", "ab", "ba"}


def test_a_pair_needs_exactly_the_least_count_and_zero_asks_for_none(baskets):
    assert set(similarity(open_sims(min_cointeraction_count=2).fit(baskets))) == {"ab", "ba", "ac", "ca", "bc", "cb"}
    assert set(similarity(open_sims(min_cointeraction_count=0).fit(baskets))) == {"ab", "ba", "ac", "ca", "bc", "cb"}


def test_items_outside_their_percentiles_take_no_part_but_stay_in_the_catalogue(baskets):
    # Events per item: a 4, b 3, c 2, d 1; the upper border at 0.9 is 3.7, the lower at 0.3 is 1.9.
    recipe = open_sims(
        min_cointeraction_count=1,
        min_item_interaction_count_percentile=0.3,
        max_item_interaction_count_percentile=0.9,
    ).fit(baskets)
    assert set(similarity(recipe)) == {"bc", "cb"}
    assert recipe.notes["items_left_out"] == 2
    assert sorted(recipe.item_ids) == ["a", "b", "c", "d"]
