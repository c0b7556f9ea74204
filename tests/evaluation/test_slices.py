"""Who is new, who is heavy, and what is niche."""

import pandas as pd
import pytest

from workbench.evaluation.slices import make_slices, score_slices
from workbench.evaluation.splits import given


@pytest.fixture
def split():
    """Histories of 0 (cold), 1, 2 and 5 events; item a has 8 of 10 training events, n and m one each."""
    past = [("one", "a"), ("two", "a"), ("two", "a"), *[("five", "a")] * 4, ("five", "n"), ("rest", "a"), ("rest", "m")]
    train = pd.DataFrame(past, columns=["USER_ID", "ITEM_ID"]).assign(TIMESTAMP=range(10))
    truth = [("cold", "a"), ("one", "n"), ("two", "a"), ("five", "a"), ("five", "unseen")]
    return given(train, pd.DataFrame(truth, columns=["USER_ID", "ITEM_ID"]))


def test_slices_by_hand(split):
    parts = {each.name: each for each in make_slices(split, shortest=0.5, longest=0.25, niche=0.2)}
    rows = {name: list(zip(p.held_out["USER_ID"], p.held_out["ITEM_ID"], strict=True)) for name, p in parts.items()}
    assert rows["new users"] == [("cold", "a"), ("one", "n")]
    assert rows["heavy users"] == [("five", "a"), ("five", "unseen")]
    assert rows["niche items"] == [("one", "n"), ("five", "unseen")]
    assert rows["popular items"] == [("cold", "a"), ("two", "a"), ("five", "a")]
    assert len(rows["all users"]) == 5
    assert parts["new users"].rule == "at most 1 past event"
    assert parts["niche items"].rule == "items with at most 1 training event"


def test_scores_of_slices(split):
    lists = pd.DataFrame([(user, "a", 1) for user in ("cold", "one", "two", "five")])
    lists.columns = ["USER_ID", "ITEM_ID", "RANK"]
    table = score_slices(lists, split, seed=0, ks=(1,), shortest=0.5, longest=0.25)
    hits = table[table["METRIC"] == "hit_rate_at_1"].set_index("SLICE")
    assert hits["MEAN"].to_dict() == {
        "all users": 0.75,
        "new users": 0.5,
        "heavy users": 1.0,
        "niche items": 0.0,
        "popular items": 1.0,
    }
    assert hits["USERS"].to_dict()["niche items"] == 2


def test_an_empty_slice_is_said(split):
    lists = pd.DataFrame({"USER_ID": ["one"], "ITEM_ID": ["a"], "RANK": [1]})
    only_popular = given(split.train.query("ITEM_ID == 'a'"), split.held_out.query("ITEM_ID == 'a'"))
    table = score_slices(lists, only_popular, seed=0, ks=(1,))
    empty = table[table["SLICE"] == "niche items"].iloc[0]
    assert (empty["METRIC"], empty["USERS"]) == (None, 0)
