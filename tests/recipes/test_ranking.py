"""Lists from scores: order, ties, masks, and what is never listed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.evaluation.splits import given as split_as_given
from workbench.recipes import ranking
from workbench.recipes.contract import Histories
from workbench.recipes.popularity import PopularityCount
from workbench.recipes.ranking import best, rank_given, top_k
from workbench.recipes.reranking import rerank


class Fixed(PopularityCount):
    """Scores as given, one row a history."""

    def __init__(self, table):
        super().__init__()
        self.table = np.asarray(table, dtype=np.float32)
        self.item_ids = np.array([f"i{n}" for n in range(self.table.shape[1])], dtype=object)

    def score(self, histories):
        return self.table[[int(each) for each in histories.user_ids]]


def histories(*past):
    sizes = [len(each) for each in past]
    return Histories(
        user_ids=np.array([str(n) for n in range(len(past))], dtype=object),
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        items=np.array([item for each in past for item in each], dtype=np.int32),
        times=np.zeros(sum(sizes), dtype=np.int64),
    )


def lists_of(table, past, k, **options):
    found = top_k(Fixed(table), histories(*past), k, **options)
    return found.groupby("USER_ID")["ITEM_ID"].agg(list).to_dict()


def test_best_first_seen_left_out_ties_by_code():
    assert lists_of([[1, 3, 3, 2], [0, 0, 0, 0]], [[1], []], 2) == {"0": ["i2", "i3"], "1": ["i0", "i1"]}


def test_seen_items_stay_when_asked():
    assert lists_of([[1, 3, 3, 2]], [[1]], 2, exclude_seen=False) == {"0": ["i1", "i2"]}


def test_only_allowed_items_are_listed():
    assert lists_of([[4, 3, 2, 1]], [[]], 4, allowed=np.array([False, True, False, True])) == {"0": ["i1", "i3"]}


def test_minus_infinity_is_never_listed_and_lists_may_be_short():
    found = top_k(Fixed([[-np.inf, 5, 1]]), histories([1]), 3)
    assert found.to_dict("records") == [{"USER_ID": "0", "ITEM_ID": "i2", "RANK": 1, "SCORE": 1.0}]


def test_everything_seen_gives_no_rows_but_all_columns():
    found = top_k(Fixed([[1, 2]]), histories([0, 1]), 2)
    assert (list(found.columns), len(found)) == (["USER_ID", "ITEM_ID", "RANK", "SCORE"], 0)


def test_batches_do_not_change_the_lists(monkeypatch):
    table = np.random.default_rng(0).integers(0, 4, (9, 6))
    past = [[n % 6] for n in range(9)]
    whole = top_k(Fixed(table), histories(*past), 3)
    monkeypatch.setattr(ranking, "BATCH_SCORES", 12)
    pd.testing.assert_frame_equal(top_k(Fixed(table), histories(*past), 3), whole)


def test_scores_of_the_recipe_are_not_changed():
    recipe = Fixed([[1, 2, 3]])
    recipe.score = lambda batch: recipe.table
    top_k(recipe, histories([2]), 2)
    assert recipe.table.tolist() == [[1, 2, 3]]


@given(st.lists(st.lists(st.integers(-2, 2), min_size=5, max_size=5), min_size=1, max_size=6), st.integers(1, 7))
def test_it_is_the_head_of_a_full_sort(rows, k):
    scores = np.array(rows, dtype=np.float32)
    scores[scores == -2] = -np.inf
    found_rows, found_columns, _ = best(scores, k)
    for number, row in enumerate(scores):
        expected = [c for c in np.argsort(-row, kind="stable")[:k] if row[c] > -np.inf]
        assert found_columns[found_rows == number].tolist() == expected


def test_nan_names_the_user():
    with pytest.raises(RecipeError, match="gave NaN for user '1'"):
        top_k(Fixed([[1, 2], [np.nan, 1]]), histories([], []), 1)


def test_wrong_mask_and_wrong_k():
    with pytest.raises(RecipeError, match=r"one true or false per item: 2 values, not int64 of shape \(3,\)"):
        top_k(Fixed([[1, 2]]), histories([]), 1, allowed=np.array([1, 0, 1]))
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        top_k(Fixed([[1, 2]]), histories([]), 0)


def test_a_given_list_is_ordered_and_unknown_items_follow_as_given():
    table = [[1, 3, 3, 2], [9, 0, 0, 5]]
    found = rank_given(Fixed(table), histories([1], []), [["what", "i3", "i2", "i1", "who"], ["i3", "i0"]])
    assert found["USER_ID"].tolist() == ["0"] * 5 + ["1"] * 2
    assert found["ITEM_ID"].tolist() == ["i2", "i1", "i3", "what", "who", "i0", "i3"]  # seen items stay, ties as given
    assert found["RANK"].tolist() == [1, 2, 3, 4, 5, 1, 2]
    assert found["SCORE"].fillna(-1).tolist() == [3, 3, 2, -1, -1, 9, 5]
    assert found["SCORE"].isna().sum() == 2


def test_given_lists_may_be_empty_and_batches_do_not_change_them(monkeypatch):
    rng = np.random.default_rng(1)
    table = rng.integers(0, 3, (7, 5))
    given_lists = [[f"i{n}" for n in rng.permutation(6)[: row % 4]] for row in range(7)]
    whole = rank_given(Fixed(table), histories(*[[]] * 7), given_lists)
    assert len(whole) == sum(map(len, given_lists))
    monkeypatch.setattr(ranking, "BATCH_SCORES", 10)
    pd.testing.assert_frame_equal(rank_given(Fixed(table), histories(*[[]] * 7), given_lists), whole)
    assert rank_given(Fixed(table), histories(*[[]] * 7), [[]] * 7).empty


def test_an_item_given_twice_is_refused_with_both_places():
    with pytest.raises(RecipeError, match="user '0' holds item 'i2' at place 1 and again at place 3"):
        rank_given(Fixed([[1, 2, 3]]), histories([]), [["i2", "i0", "i2"]])
    with pytest.raises(RecipeError, match="one list a user: 1, not 2"):
        rank_given(Fixed([[1, 2, 3]]), histories([]), [["i2"], ["i0"]])


def test_reranking_is_judged_against_the_order_as_given():
    """User 0's list comes as i0 i1 i2 and is ordered i2 i1 i0; i2 is chosen next: 1/3 becomes 1."""
    events = pd.DataFrame({"USER_ID": ["0", "1"], "ITEM_ID": ["i0", "i1"], "TIMESTAMP": [1, 2]})
    split = split_as_given(events, pd.DataFrame({"USER_ID": ["0", "1"], "ITEM_ID": ["i2", "i0"]}))
    lists = pd.DataFrame({"USER_ID": "0", "ITEM_ID": ["i1", "i0", "i2", "x"], "RANK": [2, 1, 3, 4]})
    found = rerank(Fixed([[1, 2, 3], [0, 0, 0]]), lists, split, ks=[4])
    assert found.lists["ITEM_ID"].tolist() == ["i2", "i1", "i0", "x"]
    row = found.differences.set_index("METRIC").loc["mean_reciprocal_rank_at_4"]
    assert (row["GIVEN"], row["RANKED"]) == pytest.approx((1 / 3, 1.0))
    assert (found.unknown_items, len(found.given)) == (1, 1)
    with pytest.raises(RecipeError, match="None of the 2 held-out users has a given list"):
        rerank(Fixed([[1, 2, 3]]), lists.assign(USER_ID="x"), split)
