"""The quick normal equations against the slow ones: every row built, as the head of gram.py defines it."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.recipes import gram
from workbench.recipes.gram import has_window, normal_equations, reach
from workbench.recipes.gram_separate import separate_equations, solve_separately
from workbench.recipes.gram_sequences import half_lives, sequences

DECAYS = [0.05, 0.6, 0.97]
N = 6


def by_rows(items, offsets, inputs, targets, lags, clock=None):
    """One row per position, one outer product per row."""
    clock = np.zeros(len(items)) if clock is None else clock
    k = len(DECAYS)
    square, cross = np.zeros((k * N, k * N)), np.zeros((N, k * N))
    for start, stop in itertools.pairwise(offsets):
        for t in range(start + 1, stop):
            features = np.zeros(k * N)
            for a, decay in enumerate(DECAYS):
                window = lags if has_window(decay, lags) else t
                for back in range(1, min(window, t - start) + 1):
                    left = 0.5 ** (clock[t - 1] - clock[t - back])
                    features[a * N + items[t - back]] += decay ** (back - 1) * left * inputs[t - back]
            square += targets[t] * np.outer(features, features)
            cross[items[t]] += targets[t] * features
    return square, cross


@st.composite
def logs(draw):
    lengths = draw(st.lists(st.integers(0, 14), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    total = sum(lengths)
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    return rng.integers(0, N, total), offsets, rng.random(total), rng.random(total)


@st.composite
def timed_logs(draw):
    """Logs whose gaps run from none to decades, and their clock for half-lives of a minute to a year."""
    items, offsets, inputs, targets = draw(logs())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    longest = draw(st.sampled_from([1.0, 4.0, 9.0]))
    gaps = (10 ** rng.uniform(0, longest, len(items)) * rng.integers(0, 2, len(items))).astype(np.int64)
    times = np.cumsum(gaps)
    for start, stop in itertools.pairwise(offsets):
        times[start:stop] += 1_500_000_000 - times[start] if stop > start else 0
    days = draw(st.sampled_from([1 / 1440, 0.04, 1.0, 30.0, 365.0]))
    return (items, offsets, inputs, targets), half_lives(times, offsets, days)


@settings(max_examples=60, deadline=None)
@given(logs(), st.integers(1, 12))
def test_they_are_those_of_all_rows(log, lags):
    items, offsets, inputs, targets = log
    expected = by_rows(items, offsets, inputs, targets, lags)
    found = normal_equations(sequences(items, offsets, inputs, targets), DECAYS, lags, np.arange(N), N)
    np.testing.assert_allclose(found[0], expected[0], atol=2e-5)
    np.testing.assert_allclose(found[1], expected[1], atol=2e-5)


@settings(max_examples=25, deadline=None)
@given(logs(), st.integers(1, 12))
def test_features_of_some_items_are_the_same_sums_for_fewer_columns(log, lags):
    items, offsets, inputs, targets = log
    columns = np.array([-1, 0, -1, 1, 2, -1])
    expected = by_rows(items, offsets, inputs, targets, lags)
    found = normal_equations(sequences(items, offsets, inputs, targets), DECAYS, lags, columns, N)
    used = np.concatenate([a * N + np.flatnonzero(columns >= 0) for a in range(3)])
    np.testing.assert_allclose(found[0], expected[0][np.ix_(used, used)], atol=2e-5)
    np.testing.assert_allclose(found[1], expected[1][:, used], atol=2e-5)


@settings(max_examples=100, deadline=None)
@given(timed_logs(), st.integers(1, 16))
def test_with_half_lives_they_are_those_of_all_rows(log, lags):
    (items, offsets, inputs, targets), clock = log
    expected = by_rows(items, offsets, inputs, targets, lags, clock)
    found = normal_equations(sequences(items, offsets, inputs, targets, clock), DECAYS, lags, np.arange(N), N)
    np.testing.assert_allclose(found[0], expected[0], atol=2e-5)
    np.testing.assert_allclose(found[1], expected[1], atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(timed_logs(), st.integers(1, 16))
def test_with_half_lives_rare_items_have_their_blocks_of_all_rows(log, lags):
    (items, offsets, inputs, targets), clock = log
    columns = np.array([-1, 0, -1, 1, 2, -1])
    square, cross = by_rows(items, offsets, inputs, targets, lags, clock)
    events = sequences(items, offsets, inputs, targets, clock)
    own, sparse_cross = separate_equations(events, DECAYS, lags, columns, N)
    for item, column in ((1, 0), (3, 1), (4, 2)):
        place = [a * N + item for a in range(3)]
        np.testing.assert_allclose(own[column], square[np.ix_(place, place)], atol=2e-5)
        np.testing.assert_allclose(sparse_cross.toarray()[column::3], cross.T[place], atol=2e-5)


def test_events_of_one_time_are_those_without_a_clock():
    rng = np.random.default_rng(3)
    items, offsets, weights = rng.integers(0, N, 200), np.array([0, 50, 50, 130, 200]), rng.random(200)
    clock = half_lives(np.full(200, 1_600_000_000), offsets, 7.0)
    columns = np.array([-1, 0, -1, 1, 2, -1])
    plain, timed = (sequences(items, offsets, weights, weights, each) for each in (None, clock))
    for one, other in zip(*(normal_equations(each, DECAYS, 20, columns, N) for each in (plain, timed)), strict=True):
        np.testing.assert_array_equal(one, other)
    one, other = (separate_equations(each, DECAYS, 20, columns, N) for each in (plain, timed))
    np.testing.assert_array_equal(one[0], other[0])
    np.testing.assert_array_equal(one[1].toarray(), other[1].toarray())


def test_decades_at_a_half_life_of_a_minute_overflow_nowhere():
    times = np.array([0, 1, 2_000_000_000, 2_000_000_001, 2_000_000_060, 4_000_000_000])
    offsets, items = np.array([0, 6]), np.array([0, 1, 2, 3, 4, 5])
    clock = half_lives(times, offsets, 1 / 1440)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        found = normal_equations(sequences(items, offsets, clock=clock), DECAYS, 3, np.arange(N), N)
    expected = by_rows(items, offsets, np.ones(6), np.ones(6), 3, clock)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-12)
    np.testing.assert_allclose(found[1], expected[1], atol=1e-12)


def test_a_long_history_is_summed_up_in_blocks(monkeypatch):
    rng = np.random.default_rng(4)
    items, offsets = rng.integers(0, N, 400), np.array([0, 400])
    clock = half_lives(np.sort(rng.integers(0, 86_400 * 40, 400)), offsets, 3.0)
    monkeypatch.setattr(gram, "BLOCK_PAIRS", 1_000)
    found = normal_equations(sequences(items, offsets, clock=clock), DECAYS, 60, np.arange(N), N)
    expected = by_rows(items, offsets, np.ones(400), np.ones(400), 60, clock)
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-4, atol=2e-5)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-4, atol=2e-5)


def test_small_blocks_give_the_same_sums(monkeypatch):
    rng = np.random.default_rng(1)
    events = sequences(rng.integers(0, N, 200), np.array([0, 50, 50, 130, 200]))
    whole = normal_equations(events, DECAYS, 20, np.arange(N), N)
    monkeypatch.setattr(gram, "BLOCK_PAIRS", 37)
    monkeypatch.setattr(gram, "BLOCK_CELLS", 50)
    for one, other in zip(normal_equations(events, DECAYS, 20, np.arange(N), N), whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9, atol=1e-12)


def test_rare_items_are_solved_as_if_they_met_no_other():
    rng = np.random.default_rng(2)
    items, offsets = rng.integers(0, N, 60), np.array([0, 25, 60])
    columns = np.array([-1, 0, -1, 1, -1, -1])
    square, cross = by_rows(items, offsets, np.ones(60), np.ones(60), 5)
    own, sparse_cross = separate_equations(sequences(items, offsets), DECAYS, 5, columns, N)
    solved = solve_separately(own, sparse_cross, ridge=2.0).toarray()
    for item, column in ((1, 0), (3, 1)):
        place = [a * N + item for a in range(3)]
        np.testing.assert_allclose(sparse_cross.toarray()[column::2], cross.T[place], atol=2e-5)
        np.testing.assert_allclose(own[column], square[np.ix_(place, place)], atol=2e-5)
        expected = np.linalg.solve(own[column] + 2.0 * np.eye(3), cross.T[place])
        np.testing.assert_allclose(solved[column::2], expected, atol=1e-5)


@pytest.mark.parametrize(("decay", "lags", "steps"), [(0.97, 100, 100), (0.1, 100, 8), (0.1, 3, 3)])
def test_fast_decays_reach_only_as_far_as_they_matter(decay, lags, steps):
    assert reach(decay, lags) == steps
