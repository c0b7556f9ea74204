"""Rewards, trends and segments by hand."""

import pandas as pd
import pytest

from workbench.evaluation.purpose_metrics import (
    average_rewards_at_k,
    rewards_per_user,
    segment_metrics,
    trend_prediction_accuracy,
)


@pytest.fixture
def lists():
    rows = [("u", item, rank) for rank, item in enumerate("abcd", 1)] + [("v", "a", 1), ("v", "b", 2), ("w", "a", 1)]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "RANK"])


def test_rewards_are_those_of_the_best_paying_recommendations(lists):
    """u buys a (1), c (6) and d (3); the two dearest of the list are c and b (4): 6 of 10. v buys b: 4 of 4."""
    bought = pd.DataFrame([("u", "a"), ("u", "c"), ("u", "d"), ("v", "b"), ("w", "z")], columns=["USER_ID", "ITEM_ID"])
    prices = pd.Series({"a": 1.0, "b": 4.0, "c": 6.0, "d": 3.0})
    assert rewards_per_user(lists, bought, prices, k=2).to_dict() == {"u": 0.6, "v": 1.0}
    assert average_rewards_at_k(lists, bought, prices, k=2) == pytest.approx(0.8)
    assert average_rewards_at_k(lists, bought.query("USER_ID == 'w'"), prices, k=2) == 0.0


def test_a_missing_reward_names_the_item(lists):
    truth = pd.DataFrame({"USER_ID": ["u"], "ITEM_ID": ["a"]})
    with pytest.raises(ValueError, match="item 'd' needs a reward of 0 or more; got None"):
        rewards_per_user(lists, truth, pd.Series({"a": 1.0, "b": 4.0, "c": 6.0}))
    with pytest.raises(ValueError, match=r"item 'b' .* got -4"):
        rewards_per_user(lists, truth, pd.Series({"a": 1.0, "b": -4.0, "c": 6.0, "d": 1.0}))


def test_trend_accuracy_is_the_share_of_the_rise_that_was_named():
    """a rises by 3, b by 1, c falls: naming b and c finds 1 of the 4 that the two fastest rose by."""
    before = pd.DataFrame({"ITEM_ID": list("ccab")})
    after = pd.DataFrame({"ITEM_ID": list("aaaabbc")})
    assert trend_prediction_accuracy(pd.Series(["b", "c"]), before, after, k=2) == 0.25
    assert trend_prediction_accuracy(pd.Series(["a", "b"]), before, after, k=2) == 1.0
    assert trend_prediction_accuracy(pd.Series(["b", "a"]), before, after, k=1) == pytest.approx(1 / 3)
    assert trend_prediction_accuracy(pd.Series(["a"]), after, before.query("ITEM_ID == 'a'")) == 0.0


def test_segments_look_at_the_first_hundredth_of_the_users():
    """Of 200 users K is 2. Item x: u1 and u3 are true, one of them is in the first 2; item y: nobody is."""
    segments = pd.DataFrame(
        [("x", "u1", 1), ("x", "u2", 2), ("x", "u3", 3), ("y", "u9", 1)], columns=["ITEM_ID", "USER_ID", "RANK"]
    )
    truth = pd.DataFrame([("x", "u1"), ("x", "u3"), ("y", "u1")], columns=["ITEM_ID", "USER_ID"])
    found = segment_metrics(segments, truth, n_users=200)
    assert found.loc["x"].to_dict() == {"hit": 1.0, "recall": 0.5}
    assert found.loc["y"].to_dict() == {"hit": 0.0, "recall": 0.0}
    assert found["hit"].mean() == 0.5
    with pytest.raises(ValueError, match="n_users must be at least 1"):
        segment_metrics(segments, truth, n_users=0)
