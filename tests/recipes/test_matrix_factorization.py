"""Alternating least squares: the equations it solves, users of any history, reasons that add up, new items."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.recipes import alternating_squares, storage
from workbench.recipes.alternating_squares import Ragged, along_own_axes, solve
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k
from workbench.recipes.selection import best

PLAIN = {"alpha": 10.0, "ridge": 0.1}


def events_of(pairs):
    table = pd.DataFrame(pairs, columns=["USER_ID", "ITEM_ID"])
    return table.assign(TIMESTAMP=range(len(table)))


@pytest.fixture(scope="module")
def two_tastes():
    """40 users of even and 40 of odd items, ten items each; user u leaves out item u % 10 of theirs."""
    pairs = [(f"u{u:02d}", f"i{2 * n + u % 2:02d}") for u in range(80) for n in range(10) if n != u // 2 % 10]
    return events_of(pairs)


@pytest.fixture(scope="module")
def recipe(two_tastes):
    return build("matrix-factorization", PLAIN | {"width": 8}).fit(TrainingData(two_tastes), seed=1)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6), block=st.integers(1, 60), repeat_power=st.sampled_from([0.0, 0.5, 1.0]))
def test_each_row_solves_its_own_equations(seed, block, repeat_power):
    rng = np.random.default_rng(seed)
    n_rows, n_others, width = 9, 12, 5
    rows, codes = rng.integers(0, n_rows, 60), rng.integers(0, n_others, 60)
    others = rng.standard_normal((n_others, width)).astype(np.float32)
    diagonal, ridge = rng.random(width).astype(np.float32) + 0.1, rng.random(n_rows) + 0.5
    ragged = Ragged.of(rows, codes, n_rows, repeat_power)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alternating_squares, "BLOCK", block)
        found = solve(ragged, others, diagonal, ridge, steps=60, tolerance=1e-7)
    for row in range(n_rows):
        chosen, counts = np.unique(codes[rows == row], return_counts=True)
        y, w = others[chosen].astype(np.float64), counts**repeat_power
        table = (y * w[:, None]).T @ y + np.diag(diagonal + ridge[row])
        np.testing.assert_allclose(found[row], np.linalg.solve(table, (y * w[:, None]).sum(axis=0)), atol=2e-4)


def test_what_a_row_gets_does_not_depend_on_the_rows_beside_it():
    rng = np.random.default_rng(0)
    rows, codes = rng.integers(0, 50, 600), rng.integers(0, 80, 600)
    others = rng.standard_normal((80, 16)).astype(np.float32)
    arguments = (others, np.ones(16, np.float32))
    together = solve(Ragged.of(rows, codes, 50, 0.0), *arguments, np.ones(50), steps=40, tolerance=1e-5)
    for row in range(50):
        own = codes[rows == row]
        alone = solve(Ragged.of(np.zeros(len(own), int), own, 1, 0.0), *arguments, np.ones(1), steps=40, tolerance=1e-5)
        np.testing.assert_array_equal(alone[0], together[row])


def test_pairs_by_row_and_by_code():
    ragged = Ragged.of(np.array([2, 0, 2, 2, 0]), np.array([1, 3, 1, 0, 3]), 3, 1.0)
    assert (ragged.offsets.tolist(), ragged.codes.tolist()) == ([0, 1, 1, 3], [3, 0, 1])
    assert ragged.weights.tolist() == [2.0, 1.0, 2.0]
    turned = ragged.turned(4)
    assert (turned.offsets.tolist(), turned.codes.tolist()) == ([0, 1, 2, 2, 3], [2, 2, 0])
    assert turned.weights.tolist() == [1.0, 2.0, 2.0]


def test_own_axes_keep_every_product():
    rng = np.random.default_rng(1)
    a, b = rng.standard_normal((30, 4)).astype(np.float32), rng.standard_normal((20, 4)).astype(np.float32)
    turned, other, diagonal = along_own_axes(a, b)
    np.testing.assert_allclose(turned @ other.T, a @ b.T, atol=1e-5)
    np.testing.assert_allclose(turned.T @ turned, np.diag(diagonal), atol=1e-4)
    assert (np.diff(diagonal) <= 0).all()


def test_everybody_gets_the_item_of_their_taste_that_they_lack(recipe, two_tastes):
    lists = top_k(recipe, encode_histories(two_tastes, recipe.item_ids), 1).set_index("USER_ID")["ITEM_ID"]
    assert lists.to_dict() == {f"u{u:02d}": f"i{2 * (u // 2 % 10) + u % 2:02d}" for u in range(80)}


def test_a_new_user_counts_from_the_first_event_on(recipe):
    histories = encode_histories(events_of([("new", "i04"), ("other", "i05")]), recipe.item_ids)
    lists = top_k(recipe, histories, 9).groupby("USER_ID")["ITEM_ID"].agg(list)
    assert all(int(item[1:]) % 2 == 0 for item in lists["new"])
    assert all(int(item[1:]) % 2 == 1 for item in lists["other"])


def test_a_user_without_known_events_gets_popularity(two_tastes):
    more = pd.concat([two_tastes, events_of([("x", "i07"), ("y", "i07"), ("x", "i02")])], ignore_index=True)
    recipe = build("matrix-factorization", PLAIN | {"width": 4}).fit(TrainingData(more))
    lists = top_k(recipe, encode_histories(more, recipe.item_ids, ["nobody", "u00"]), 3)
    assert lists[lists["USER_ID"] == "nobody"]["ITEM_ID"].to_list() == ["i07", "i02", "i00"]
    counts = more["ITEM_ID"].value_counts(normalize=True)
    np.testing.assert_allclose(lists[lists["USER_ID"] == "nobody"]["SCORE"], counts[["i07", "i02", "i00"]], rtol=1e-6)


def test_lists_from_factors_are_those_of_the_scores(recipe, two_tastes):
    histories = encode_histories(two_tastes, recipe.item_ids)
    rows, codes, _ = best(recipe.score(histories), 1)
    lists = top_k(recipe, histories, 1, exclude_seen=False)
    assert (lists["ITEM_ID"].to_numpy() == recipe.item_ids[codes]).mean() > 0.95  # but for scores within rounding
    assert (rows == np.arange(80)).all()


def test_reasons_add_up_to_the_score_and_stand_at_the_newest_event(recipe):
    events = events_of([("a", "i00"), ("a", "i02"), ("a", "i01"), ("a", "i00")])
    history = encode_histories(events, recipe.item_ids)
    why = recipe.explain(history, 4)
    assert dict(zip(why["ITEM_ID"], why["POSITION"], strict=True)) == {"i00": 1, "i01": 2, "i02": 3}
    assert set(why["ITEM_ID"].head(2)) == {"i00", "i02"}
    assert why["CONTRIBUTION"].sum() == pytest.approx(float(recipe.score(history)[0, 4]), abs=1e-4)


def test_similar_items_share_users(recipe):
    nearest = recipe.similar(np.array([0, 1])).argsort(axis=1)[:, ::-1][:, :10]
    assert [sorted(set(row % 2)) for row in nearest.tolist() for row in [np.array(row)]] == [[0], [1]]


def test_repeats_count_when_asked(two_tastes):
    again = pd.concat([two_tastes] * 3, ignore_index=True)
    once = build("matrix-factorization", PLAIN | {"width": 4}).fit(TrainingData(again))
    assert once.notes["events_repeating_a_pair"] == 2 * len(two_tastes)
    plain = build("matrix-factorization", PLAIN | {"width": 4}).fit(TrainingData(two_tastes))
    np.testing.assert_array_equal(once.item_factors, plain.item_factors)
    often = build("matrix-factorization", PLAIN | {"width": 4, "repeat_power": 1.0}).fit(TrainingData(again))
    assert not np.allclose(often.item_factors, plain.item_factors)


def test_new_items_are_taken_in_by_their_users(recipe, two_tastes, tmp_path):
    loaded = storage.load(storage.save(recipe, tmp_path))  # the module's recipe stays as it was
    news = [("u00", "i04"), ("u00", "new"), ("w", "i06"), ("w", "new"), ("v", "lonely"), ("u01", "i05")]
    assert loaded.update(TrainingData(events_of(news))) == {
        "new_items": 2,
        "new_events": 3,
        "events_of_known_items": 3,
        "new_items_without_a_known_user": 1,
    }
    assert loaded.item_ids[-2:].tolist() == ["lonely", "new"]
    scores = loaded.score(encode_histories(events_of([("a", "i00"), ("b", "i01")]), loaded.item_ids))
    assert scores[0, -1] > 10 * abs(scores[1, -1])
    assert scores[:, -2].tolist() == [0, 0]
    np.testing.assert_array_equal(loaded.item_factors[:20], recipe.item_factors)
    assert loaded.update(TrainingData(two_tastes.head(3)))["new_items"] == 0
    again = storage.load(storage.save(loaded, tmp_path / "again"))
    np.testing.assert_array_equal(again.item_factors, loaded.item_factors)


def test_weights_are_chosen_by_held_back_items_and_stay_through_files(two_tastes, tmp_path):
    recipe = build("matrix-factorization", {"width": 4}).fit(TrainingData(two_tastes), seed=2)
    tried = recipe.notes["tried"]
    assert [(each["alpha"], each["ridge"]) for each in tried[:4]] == [(4, 0.1), (1, 0.1), (16, 0.1), (64, 0.1)]
    assert {each["users"] for each in tried} == {80}
    most = max(tried, key=lambda each: each["ndcg"])
    assert most["ndcg"] > 0.5  # two items of a taste are missing: the one held back and one that was never there
    assert (recipe.notes["alpha"], recipe.notes["ridge"]) == (most["alpha"], most["ridge"])
    assert storage.load(storage.save(recipe, tmp_path)).weights == recipe.weights
    half = build("matrix-factorization", {"width": 4, "alpha": 7.0}).fit(TrainingData(two_tastes), seed=2)
    assert [each["alpha"] for each in half.notes["tried"]] == [7.0] * 3


def test_too_few_users_to_choose_by(two_tastes):
    few = two_tastes[two_tastes["USER_ID"].isin(["u00", "u01"])]
    notes = build("matrix-factorization", {"width": 4}).fit(TrainingData(few)).notes
    assert (notes["alpha"], notes["ridge"], notes["tried"]) == (4.0, 0.1, [])


def test_names_of_personalize():
    assert build("matrix-factorization", {"hidden_dimension": 9}).hyperparameters["width"] == 9
    with pytest.raises(Exception, match="bptt of Personalize has no meaning here; the order of events plays no part"):
        build("matrix-factorization", {"bptt": 9})
