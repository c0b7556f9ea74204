"""Rows left out by formula against rows really left out, and choices that are known beforehand."""

import numpy as np
import pandas as pd
import pytest

from workbench.recipes import ridge_choice
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.gram import normal_equations
from workbench.recipes.gram_separate import solve_separately
from workbench.recipes.gram_sequences import sequences
from workbench.recipes.held_events import hold, newest_events
from workbench.recipes.ridge_choice import discount_factors, left_out_scores


def walks(users=30, steps=9, items=8, noise=0.0, seed=0):
    """Users walk around a circle; with `noise` they jump."""
    rng = np.random.default_rng(seed)
    rows = []
    for u in range(users):
        place = int(rng.integers(items))
        for s in range(steps):
            rows.append((f"u{u:02d}", f"i{place}", 100 * s))
            place = int(rng.integers(items)) if rng.random() < noise else (place + 1) % items
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def prepared(table, **hyperparameters):
    """An unfitted recipe with everything that its choice needs."""
    recipe = build("autoregressive", {"decays": [0.3, 0.9]} | hyperparameters)
    recipe.item_ids = np.array(sorted(table["ITEM_ID"].unique()), dtype=object)
    histories = encode_histories(table, recipe.item_ids)
    recipe._choose_columns(np.bincount(histories.items, minlength=len(recipe.item_ids)))
    events = sequences(histories.items, histories.offsets, clock=recipe._events(histories)[-1])
    probe = recipe._probe(events, hold(histories, len(recipe.item_ids)))
    gram, cross = normal_equations(
        events, recipe.decays, recipe.lags, recipe.columns, len(recipe.item_ids), cross_dtype=np.float32
    )
    return recipe, probe, gram, cross, *recipe._rare_equations(events)


@pytest.mark.parametrize("days", [None, 300 / 86_400])
def test_a_row_left_out_by_formula_is_a_row_left_out(days):
    table = walks(noise=0.5)
    _, probe, gram, cross, own, rare_cross = prepared(table, half_life_days=days)
    found = left_out_scores(gram, cross, own, rare_cross, probe, ridge=5.0)
    for user in (0, 7, 29):
        name = f"u{user:02d}"
        is_newest = (table["USER_ID"] == name) & (table["TIMESTAMP"] == table["TIMESTAMP"].max())
        settings = {"decays": [0.3, 0.9], "ridge": 5.0, "popularity_discount": 0.0, "half_life_days": days}
        without = build("autoregressive", settings)
        without.fit(TrainingData(table[~is_newest]))
        asked = encode_histories(table[~is_newest & (table["USER_ID"] == name)], without.item_ids)
        np.testing.assert_allclose(found[user], without.score(asked)[0], atol=2e-5)


def test_rare_items_are_left_out_too():
    table = walks(noise=0.5)
    recipe, probe, gram, cross, own, rare_cross = prepared(table, dense_features=4)
    assert recipe.notes["items_solved_by_themselves"] == 6
    found = left_out_scores(gram, cross, own, rare_cross, probe, ridge=5.0)
    # The same columns must be solved together with and without the row.
    is_newest = (table["USER_ID"] == "u04") & (table["TIMESTAMP"] == table["TIMESTAMP"].max())
    short = encode_histories(table[~is_newest], recipe.item_ids)
    again = sequences(short.items, short.offsets)
    gram, cross = normal_equations(again, recipe.decays, recipe.lags, recipe.columns, 8)
    weights = np.linalg.solve(gram + 5.0 * np.eye(len(gram)), cross.T)
    rare_weights = solve_separately(*recipe._rare_equations(again), 5.0)
    expected = probe.features[4] @ weights + (probe.rare[4] @ rare_weights).toarray()
    np.testing.assert_allclose(found[4], np.asarray(expected).ravel(), atol=2e-5)


def test_noise_asks_for_more_ridge_than_certainty():
    certain, noisy = (
        build("autoregressive").fit(TrainingData(walks(users=60, noise=noise))).notes["ridge"] for noise in (0.0, 0.9)
    )
    assert certain <= noisy


def test_what_is_given_stays_and_what_was_tried_is_noted():
    found = build("autoregressive", {"ridge": 7.0}).fit(TrainingData(walks(noise=0.3))).notes
    assert found["ridge"] == 7.0
    assert [row["popularity_discount"] for row in found["tried"]] == list(ridge_choice.DISCOUNTS)
    assert found["popularity_discount"] in ridge_choice.DISCOUNTS
    assert found["chosen_by_rows"] == 30


def test_too_few_users_take_the_starting_values():
    found = build("autoregressive").fit(TrainingData(walks(users=5))).notes
    assert (found["ridge"], found["popularity_discount"], found["chosen_by_rows"]) == (300.0, 0.0, 0)


def test_rows_are_the_newest_events_of_users_with_three_or_more():
    offsets = np.concatenate([[0], np.cumsum([2, *[3] * 20, 1])])
    found = newest_events(offsets)
    assert found.tolist() == [2 + 3 * n + 2 for n in range(20)]


@pytest.mark.parametrize("days", [None, 300 / 86_400])
def test_rows_to_choose_by_are_what_scoring_reads_of_the_held_histories(days):
    table = walks(noise=0.5)
    recipe, probe, *_ = prepared(table, half_life_days=days, dense_features=4)
    held = hold(encode_histories(table, recipe.item_ids), len(recipe.item_ids))
    codes, offsets, values = recipe._faded_events(held.histories)
    rows = np.repeat(np.arange(len(held)), np.diff(offsets))
    age = np.repeat(offsets[1:], np.diff(offsets)) - 1 - np.arange(len(codes))
    for found, columns in ((probe.features, recipe.columns), (probe.rare, recipe.rare_columns)):
        expected = recipe._features(rows, codes, age, values, columns, len(held))
        np.testing.assert_array_equal(found.toarray(), expected.toarray())
    assert probe.targets.tolist() == held.targets.tolist()
    assert (probe.seen != held.seen).nnz == 0


def test_the_discount_divides_by_popularity():
    factors = discount_factors(np.array([0.1, 0.4, 0.0]), 0.5)
    mean = 0.5 / 3
    assert factors == pytest.approx([(0.1 / mean) ** -0.5, (0.4 / mean) ** -0.5, (0.1 / mean) ** -0.5], rel=1e-6)
