"""Lists from scores: order, ties, masks, and what is never listed."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import ranking
from workbench.recipes.contract import Histories
from workbench.recipes.popularity import PopularityCount
from workbench.recipes.ranking import best, top_k


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
