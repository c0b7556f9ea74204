"""The reference's worked examples, hand-computed tables, and what must hold for any lists."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.evaluation.metrics import METRICS, per_user


def lists_of(**items):
    """One list per user: lists_of(ana="abc") recommends a, b, c to ana, in that order."""
    rows = [(user, item, rank) for user, named in items.items() for rank, item in enumerate(named, start=1)]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "RANK"])


def truth_of(**items):
    rows = [(user, item) for user, named in items.items() for item in named]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID"])


def test_mean_reciprocal_rank_of_the_reference():
    """First hits at ranks 4, 2 and 6: (1/4 + 1/2 + 1/6) / 3 = 0.3056."""
    scores = per_user(lists_of(a="123x", b="1x", c="12345xy"), truth_of(a="x", b="x", c="xy"))
    assert scores["mean_reciprocal_rank_at_25"].to_dict() == pytest.approx({"a": 1 / 4, "b": 1 / 2, "c": 1 / 6})
    assert scores["mean_reciprocal_rank_at_25"].mean() == pytest.approx(0.3056, abs=5e-5)


def test_gain_and_precision_of_the_reference():
    """Hits at 2 and 5, two relevant: (1/log 3 + 1/log 6) / (1/log 2 + 1/log 3) = 0.6241, precision 2/5."""
    scores = per_user(lists_of(u="1x34y"), truth_of(u="xy"))
    assert scores.loc["u", "normalized_discounted_cumulative_gain_at_5"] == pytest.approx(0.6241, abs=5e-5)
    assert scores.loc["u", "precision_at_5"] == 0.4


def test_keys_are_those_of_personalize():
    wanted = {f"{name}_at_{k}" for k in (5, 10, 25) for name in ("normalized_discounted_cumulative_gain", "precision")}
    columns = per_user(lists_of(u="a"), truth_of(u="a")).columns
    assert wanted | {"mean_reciprocal_rank_at_25"} <= set(columns)
    assert set(columns) == {f"{name}_at_{k}" for name in METRICS for k in (5, 10, 25)}


def test_every_metric_by_hand():
    """Hits at 1 and 3 of four relevant items, cut at 3."""
    scores = per_user(lists_of(u="a1b"), truth_of(u="abcd"), ks=[3]).loc["u"]
    ideal = 1 + 1 / math.log2(3) + 1 / 2
    assert scores.to_dict() == pytest.approx(
        {
            "mean_reciprocal_rank_at_3": 1.0,
            "normalized_discounted_cumulative_gain_at_3": (1 + 1 / 2) / ideal,
            "precision_at_3": 2 / 3,
            "recall_at_3": 2 / 4,
            "hit_rate_at_3": 1.0,
            "mean_average_precision_at_3": (1 / 1 + 2 / 3) / 3,
        }
    )


def test_users_without_a_list_score_zero_and_users_without_truth_are_absent():
    scores = per_user(lists_of(a="x", stranger="x"), truth_of(b="x", a="x"))
    assert list(scores.index) == ["b", "a"]
    assert scores.loc["b"].sum() == 0
    assert scores.loc["a", "precision_at_5"] == 0.2


def test_repeated_truth_counts_once_and_ids_stay_text():
    lists = lists_of(**{"007": ["01", "1"]})
    truth = truth_of(**{"007": ["1", "1"]})
    assert per_user(lists, truth, ks=[2]).loc["007", "recall_at_2"] == 1.0
    assert per_user(lists, truth, ks=[1]).loc["007", "recall_at_1"] == 0.0


def test_inputs_are_not_changed():
    lists, truth = lists_of(a="xy", b="yz"), truth_of(a="y", b="y")
    before = lists.copy(), truth.copy()
    per_user(lists, truth)
    pd.testing.assert_frame_equal(lists, before[0])
    pd.testing.assert_frame_equal(truth, before[1])


def test_empty_lists_score_zero():
    assert per_user(lists_of(), truth_of(a="x")).to_numpy().sum() == 0


@pytest.mark.parametrize(
    ("lists", "words"),
    [
        (lists_of(u="aba"), "'u' holds an item twice .row 3."),
        (lists_of(u="ab").assign(RANK=[1, 1]), "'u' holds a rank twice .row 2."),
        (lists_of(u="ab").assign(RANK=[0, 1]), "ranks count from 1; the lists hold 0"),
    ],
)
def test_broken_lists_are_refused(lists, words):
    with pytest.raises(ValueError, match=words):
        per_user(lists, truth_of(u="a"))


def test_a_cut_below_1_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        per_user(lists_of(u="a"), truth_of(u="a"), ks=[0, 5])


users = st.dictionaries(
    st.sampled_from("uvw"),
    st.tuples(st.permutations("abcdefgh"), st.sets(st.sampled_from("abcdefghxyz"), min_size=1)),
    min_size=1,
)


@settings(max_examples=60, deadline=None)
@given(users, st.integers(1, 10))
def test_scores_lie_within_0_and_1_and_do_not_depend_on_row_order(table, k):
    lists, truth = lists_of(**{u: v[0] for u, v in table.items()}), truth_of(**{u: v[1] for u, v in table.items()})
    scores = per_user(lists, truth, ks=[k])
    assert scores.min(axis=None) >= 0
    assert scores.max(axis=None) <= 1
    shuffled = per_user(lists.sample(frac=1, random_state=1), truth.sample(frac=1, random_state=2), ks=[k])
    pd.testing.assert_frame_equal(shuffled.sort_index(), scores.sort_index())


@settings(max_examples=60, deadline=None)
@given(st.permutations("abcdefgh"), st.sets(st.sampled_from("abcdefgh"), min_size=1), st.integers(0, 6))
def test_moving_a_hit_up_never_lowers_a_score(order, relevant, place):
    better = list(order)
    if order[place] not in relevant and order[place + 1] in relevant:
        better[place], better[place + 1] = order[place + 1], order[place]
    low, high = (per_user(lists_of(u=each), truth_of(u=relevant)) for each in (order, better))
    assert (high.to_numpy() >= low.to_numpy() - 1e-12).all()


@settings(max_examples=40, deadline=None)
@given(st.sets(st.sampled_from("abcdefgh"), min_size=1))
def test_the_ideal_list_scores_one_wherever_one_can_be_reached(relevant):
    scores = per_user(lists_of(u=sorted(relevant)), truth_of(u=relevant), ks=[len(relevant)])
    assert np.allclose(scores, 1.0)


def plainly(order, relevant, k):
    """The definitions, written down once more for a single user, without arrays."""
    ranks = [rank for rank, item in enumerate(order[:k], start=1) if item in relevant]
    best = sum(1 / math.log(1 + rank) for rank in range(1, min(k, len(relevant)) + 1))
    return {
        "mean_reciprocal_rank": 1 / ranks[0] if ranks else 0.0,
        "normalized_discounted_cumulative_gain": sum(1 / math.log(1 + rank) for rank in ranks) / best,
        "precision": len(ranks) / k,
        "recall": len(ranks) / len(relevant),
        "hit_rate": float(bool(ranks)),
        "mean_average_precision": sum(n / rank for n, rank in enumerate(ranks, 1)) / min(k, len(relevant)),
    }


@settings(max_examples=60, deadline=None)
@given(users, st.integers(1, 10))
def test_matrix_and_plain_definitions_agree(table, k):
    lists, truth = lists_of(**{u: v[0] for u, v in table.items()}), truth_of(**{u: v[1] for u, v in table.items()})
    scores = per_user(lists, truth, ks=[k])
    for user, (order, relevant) in table.items():
        wanted = {f"{name}_at_{k}": value for name, value in plainly(order, relevant, k).items()}
        assert scores.loc[user].to_dict() == pytest.approx(wanted)
