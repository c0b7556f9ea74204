"""An objective by hand: percentile ranks, the blend, what is refused, and the curve of relevance against reward."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from workbench.errors import RecipeError
from workbench.evaluation.splits import given as as_given
from workbench.recipes.objective import Objective, apply_objective, item_rewards, read_objective, trade
from workbench.recipes.objective_evaluation import candidates_of, objective_curve, with_objective
from workbench.recipes.scoring import fit_and_score

OUT = -np.inf


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        (0.0, [4.0, 2.0, 1.0, OUT, 3.0]),  # OFF leaves the scores as they are
        (0.5, [0.5, 1 / 6 + 0.25, 0.25, OUT, 1 / 3 + 0.5]),
        (1.0, [0.0, 0.5, 0.5, OUT, 1.0]),  # equal rewards share their rank
    ],
)
def test_the_blend_follows_its_formula(weight, expected):
    scores = np.array([4.0, 2.0, 1.0, OUT, 3.0])
    rewards = np.array([1.0, 5.0, 5.0, 99.0, 7.0])
    np.testing.assert_allclose(apply_objective(scores, rewards, weight), expected)
    np.testing.assert_allclose(apply_objective(np.tile(scores, (2, 1)), rewards, weight), [expected] * 2)


@given(
    arrays(np.float64, (3, 6), elements=st.floats(-1e6, 1e6)),
    arrays(np.float64, 6, elements=st.floats(0, 1e6)),
    st.floats(0.01, 1),
)
def test_a_blend_stays_within_0_and_1_and_leaves_its_input(scores, rewards, weight):
    before = scores.copy(), rewards.copy()
    blended = apply_objective(scores, rewards, weight)
    assert ((blended >= 0) & (blended <= 1)).all()
    np.testing.assert_array_equal(scores, before[0])
    np.testing.assert_array_equal(rewards, before[1])


def test_no_candidates_and_one_candidate_are_fine():
    assert apply_objective(np.empty((0, 3)), np.ones(3), 0.5).shape == (0, 3)
    np.testing.assert_array_equal(apply_objective(np.array([[OUT, OUT], [2.0, OUT]]), np.ones(2), 0.5)[0], [OUT, OUT])


@pytest.mark.parametrize(
    ("scores", "rewards", "weight", "words"),
    [
        ([1.0, 2.0], [1.0, 2.0], 1.5, "between 0 and 1, not 1.5"),
        ([1.0, 2.0], [1.0], 0.5, r"\(1,\) rewards do not fit scores of shape \(2,\)"),
        ([1.0, 2.0], [1.0, np.nan], 0.5, "reward is no number"),
    ],
)
def test_wrong_arrays_are_refused(scores, rewards, weight, words):
    with pytest.raises(RecipeError, match=words):
        apply_objective(np.array(scores), np.array(rewards), weight)


def test_both_spellings_are_read():
    mine = read_objective({"column": "PRICE", "sensitivity": "medium"})
    assert (
        mine
        == read_objective({"itemAttribute": "PRICE", "objectiveSensitivity": "MEDIUM"})
        == Objective("PRICE", "MEDIUM")
    )
    assert mine.weight == 0.5
    assert read_objective({"column": "PRICE"}).weight == 0.0
    assert read_objective(None) is None
    assert read_objective({}) is None
    assert read_objective({"column": "", "sensitivity": ""}) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"colum": "PRICE"}, "no setting 'colum'. Did you mean 'column'"),
        ({"sensitivity": "LOW"}, "names no column"),
        ({"column": "PRICE", "sensitivity": "MIDDLE"}, "no sensitivity 'MIDDLE'.*Known: HIGH, LOW, MEDIUM, OFF"),
        ({"column": "PRICE", "itemAttribute": "PRICE"}, "column is given twice"),
        ("PRICE", "must be a mapping"),
    ],
)
def test_wrong_settings_are_refused(given, words):
    with pytest.raises(RecipeError, match=words):
        read_objective(given)


@pytest.mark.parametrize(
    ("values", "column", "words"),
    [
        ([1.0, 2.0, 3.0], "PRIZE", "no column 'PRIZE'. Did you mean 'PRICE'.*Numeric ones: PRICE"),
        (["1", "2", "3"], "PRICE", "must be numeric; it is str, such as '1'. Cast it"),
        ([True, False, True], "PRICE", "must be numeric; it is bool"),
        ([1.0, None, 3.0], "PRICE", "no finite number in 1 of 3 rows, the first for item 'b'"),
        ([1.0, 2.0, np.inf], "PRICE", "no finite number in 1 of 3 rows, the first for item 'c'"),
        ([1.0, -2.0, 3.0], "PRICE", "below 0 in 1 rows, the first -2 for item 'b'"),
        ([2, 2, 2], "PRICE", "PRICE is 2 for every item"),
    ],
)
def test_columns_that_cannot_be_a_reward_are_refused(values, column, words):
    with pytest.raises(RecipeError, match=words):
        item_rewards(pd.DataFrame({"ITEM_ID": ["a", "b", "c"], "PRICE": values}), column)


def test_a_reward_needs_items():
    with pytest.raises(RecipeError, match="there are no items"):
        item_rewards(None, "PRICE")


def test_lists_are_traded_within_their_candidates_and_missing_rewards_are_counted():
    lists = pd.DataFrame(
        {
            "USER_ID": ["u"] * 4 + ["v"],
            "ITEM_ID": ["a", "b", "c", "d", "a"],
            "RANK": [1, 2, 3, 4, 1],
            "SCORE": [9.0, 8.0, 7.0, 6.0, 1.0],
        }
    )
    rewards = pd.Series({"a": 0.0, "b": 5.0, "c": 9.0})
    traded, missing = trade(lists, rewards, 0.5, 2)
    # u: relevance 1, 2/3, 1/3, 0; reward a and d (none, so the least) 1/6, b 2/3, c 1.
    assert traded["ITEM_ID"].tolist() == ["b", "c", "a"]
    assert traded["SCORE"].tolist() == pytest.approx([2 / 3, 2 / 3, 0.0])  # b and c tie: the more relevant first
    assert traded["RANK"].tolist() == [1, 2, 1]
    assert missing == 1
    kept, _ = trade(lists, rewards, 0.0, 4)
    pd.testing.assert_frame_equal(kept, lists)


@pytest.fixture
def judged():
    """Popularity orders a > b > c > d > e > f; later items earn more; u buys the popular, v the dear one."""
    rows = [(f"x{n}", item, n) for rank, item in enumerate("fedcba") for n in range(rank + 1)]
    train = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    split = as_given(train, pd.DataFrame({"USER_ID": ["u", "v"], "ITEM_ID": ["a", "f"]}))
    items = pd.DataFrame({"ITEM_ID": list("abcdef"), "PRICE": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    return fit_and_score("popularity-count", {}, split, items, k=2), split, items


def test_the_curve_trades_relevance_for_reward(judged):
    evaluation, split, items = judged
    curve = objective_curve(evaluation, split, items, "PRICE", k=2, weights=[0, 0.5, 1])
    assert curve["SENSITIVITY"].tolist() == ["OFF", "MEDIUM", ""]
    assert curve["NDCG"].tolist() == pytest.approx([0.5, 0.5, 0.5])  # u's hit, then all alike in rank, then v's
    assert curve["MEAN_REWARD"].tolist() == [1.5, 1.5, 5.5]
    assert curve["EARNED"].tolist() == [0.5, 0.5, 3.0]
    assert curve["AVERAGE_REWARDS"].tolist()[2] == 1.0
    assert (curve["USERS"] == 2).all()


def test_an_evaluation_with_an_objective_shows_what_would_be_served(judged):
    evaluation, split, items = judged
    candidates = candidates_of(evaluation, split, 2)
    found = with_objective(evaluation, Objective("PRICE", "HIGH"), split, items, candidates, k=2)
    assert found.lists.groupby("USER_ID")["ITEM_ID"].agg("".join).to_dict() == {"u": "fe", "v": "fe"}
    assert 0 <= found.catalogue["average_rewards_at_k"] <= 1
    assert found.notes["candidates_without_reward"] == 0
    assert evaluation.lists["ITEM_ID"].tolist() == ["a", "b"] * 2
