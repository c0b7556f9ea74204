"""Intervals that hold what they promise, and comparisons that know when there is nothing to say."""

import numpy as np
import pandas as pd
import pytest

from workbench.evaluation import intervals
from workbench.evaluation.intervals import bootstrap, paired, paired_summary, summarise


def test_interval_is_near_the_textbook_one():
    """For 400 normal values the 95 % range is mean -+ 1.96 s / 20."""
    values = np.random.default_rng(0).normal(5, 2, 400)
    found = bootstrap(values, seed=1, resamples=4_000)
    half = 1.96 * values.std() / 20
    assert found.mean == pytest.approx(values.mean())
    assert (found.low, found.high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.03)
    assert (found.n, found.level) == (400, 0.95)


def test_the_interval_holds_the_true_mean_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    found = [bootstrap(rng.binomial(1, 0.3, 150), seed, level=0.9, resamples=300) for seed in range(200)]
    assert 0.84 <= np.mean([each.low <= 0.3 <= each.high for each in found]) <= 0.96


def test_same_seed_same_numbers_and_another_seed_others():
    values = np.random.default_rng(0).random(60)
    assert bootstrap(values, 4) == bootstrap(values, 4)
    assert bootstrap(values, 4) != bootstrap(values, 5)


def test_chunks_of_bounded_size_give_honest_ranges(monkeypatch):
    values = np.random.default_rng(0).random(500)
    whole = bootstrap(values, 4)
    monkeypatch.setattr(intervals, "CELLS", 1_000)
    small = bootstrap(values, 4)
    assert small.low == pytest.approx(whole.low, abs=0.01)


def test_a_single_value_has_no_range():
    found = bootstrap([0.25], seed=0)
    assert (found.mean, found.n) == (0.25, 1)
    assert np.isnan([found.low, found.high]).all()


def test_undefined_values_are_left_out_and_not_counted():
    found = bootstrap([1.0, float("nan"), 3.0], seed=0)
    assert (found.mean, found.n) == (2.0, 2)
    with pytest.raises(ValueError, match="no value to average"):
        bootstrap([float("nan")], seed=0)


def test_paired_sees_a_small_steady_difference_that_separate_ranges_hide():
    rng = np.random.default_rng(0)
    base = pd.Series(rng.random(200), index=[f"u{n}" for n in range(200)])
    better = (base + 0.02 + rng.normal(0, 0.01, 200)).sample(frac=1, random_state=1)  # another order of users
    assert bootstrap(better, 0).low < bootstrap(base, 0).high
    found = paired(better, base, seed=0)
    assert found.mean == pytest.approx(0.02, abs=0.003)
    assert found.low > 0
    assert found.p == pytest.approx(2 / 1001)
    assert found.reading == "higher"
    assert paired(base, better, seed=0).reading == "lower"


def test_paired_of_equal_recipes_says_no_clear_difference():
    values = np.random.default_rng(0).random(50)
    found = paired(values, values, seed=0)
    assert (found.mean, found.p, found.reading) == (0.0, 1.0, "no clear difference")


def test_paired_needs_the_same_users():
    with pytest.raises(ValueError, match="same users"):
        paired(pd.Series([1.0], index=["a"]), pd.Series([1.0], index=["b"]), seed=0)
    with pytest.raises(ValueError, match="got 2 and 3"):
        paired([1.0, 2.0], [1.0, 2.0, 3.0], seed=0)


def test_summarise_counts_users_per_metric_and_puts_labels_first():
    scores = pd.DataFrame({"precision_at_5": [0.0, 0.4, 0.8], "diversity_at_5": [1.0, np.nan, np.nan]})
    before = scores.copy()
    table = summarise(scores, seed=0, RECIPE="sims")
    assert list(table.columns) == ["RECIPE", "METRIC", "MEAN", "LOW", "HIGH", "USERS"]
    assert table["MEAN"].tolist() == pytest.approx([0.4, 1.0])
    assert table["USERS"].tolist() == [3, 1]
    assert np.isnan(table.loc[1, "LOW"])
    pd.testing.assert_frame_equal(scores, before)


def test_paired_summary_agrees_with_paired():
    rng = np.random.default_rng(0)
    first, second = (pd.DataFrame(rng.random((40, 2)), columns=["m", "n"]) for _ in range(2))
    row = paired_summary(first, second, seed=3).iloc[1]
    alone = paired(first["n"], second["n"], seed=3)
    shared = [row[name] for name in ("DIFFERENCE", "LOW", "HIGH", "P")]
    assert shared == pytest.approx([alone.mean, alone.low, alone.high, alone.p])
    assert row["READING"] == alone.reading


def test_no_users_at_all_is_an_error():
    with pytest.raises(ValueError, match="no users to average over"):
        summarise(pd.DataFrame({"m": []}), seed=0)
