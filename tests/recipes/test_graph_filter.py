"""graph-filter by hand, by dense matrices, and on bad input."""

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from workbench.errors import RecipeError
from workbench.recipes import graph_filter_hidden, graph_spectrum
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k

FIXED = {"shape": "plateau", "plateau": 1.0, "low_pass": 0.0, "item_exponent": 0.0, "user_exponent": 0.5}


def log(rows):
    return pd.DataFrame([(*row, 0) for row in rows], columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def fit(events, seed=0, **hyperparameters):
    return build("graph-filter", hyperparameters).fit(TrainingData(events), seed=seed)


def score(recipe, events, users):
    return recipe.score(encode_histories(events, recipe.item_ids, users))


def clustered(users=120, items=40, seed=1):
    """Users of four tastes, each with eight items, mostly of their own ten."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        weights = np.where(np.arange(items) // 10 == user % 4, 8.0, 0.5)
        for item in rng.choice(items, 8, replace=False, p=weights / weights.sum()):
            rows.append((f"u{user:03d}", f"i{item:02d}"))
    return log(rows)


@pytest.fixture
def large(monkeypatch):
    """Treat every table as too large for its whole spectrum."""
    monkeypatch.setattr(graph_spectrum, "EXACT_SIDE", 0)


def test_a_linear_filter_is_the_normalised_product_by_hand():
    # a chose p and q, b chose q. Degrees: a 2, b 1; p 1, q 2.
    # R~ = [[1/sqrt 2, 1/2], [0, 1/sqrt 2]], so P = [[1/2, 1/sqrt 8], [1/sqrt 8, 3/4]] with largest eigenvalue 1.
    events = log([("a", "p"), ("a", "q"), ("b", "q")])
    recipe = fit(events, **FIXED)
    np.testing.assert_allclose(score(recipe, events, ["a", "b"]), [[0.853553, 1.103553], [0.353553, 0.75]], atol=1e-5)


def test_the_item_exponent_prefers_popular_items_by_hand():
    # b's q has degree 2: 2 ** -0.5 goes in; q's own score takes 2 ** 0.5 on the way out, p's takes 1.
    events = log([("a", "p"), ("a", "q"), ("b", "q")])
    recipe = fit(events, **FIXED | {"item_exponent": 0.5})
    np.testing.assert_allclose(score(recipe, events, ["b"]), [[0.25, 0.75]], atol=1e-5)


def test_the_shapes_pass_eigenvalues_as_written():
    values = np.array([0.0, 0.25, 0.5, 1.0])
    np.testing.assert_allclose(graph_spectrum.ridge_filter(0.5)(values), [0, 0.5, 0.75, 1.0])
    np.testing.assert_allclose(graph_spectrum.plateau_filter(1.0)(values), values)
    np.testing.assert_allclose(graph_spectrum.plateau_filter(2.0)(values), [0, 0.375, 0.5, 1.0])


@pytest.mark.parametrize("shape", [{"shape": "ridge", "spectral_ridge": 0.3}, {"shape": "plateau", "plateau": 1.5}])
@pytest.mark.parametrize("exponent", [0.5, 0.3])
def test_the_series_over_the_sparse_table_equals_the_whole_spectrum(monkeypatch, shape, exponent):
    events = clustered()
    settings = shape | {"low_pass": 0.0, "item_exponent": 0.3, "user_exponent": exponent, "order": 40}
    exact = fit(events, **settings)
    monkeypatch.setattr(graph_spectrum, "EXACT_SIDE", 0)
    series = fit(events, **settings)
    assert (exact.notes["whole_spectrum"], series.notes["whole_spectrum"]) == (True, False)
    found = [score(each, events, ["u000", "u001", "u117"]) for each in (exact, series)]
    if exponent == 0.5:
        np.testing.assert_allclose(found[1], found[0], atol=2e-3)
    else:  # the largest eigenvalue is only bounded, so the filter's argument differs by a hundredth
        np.testing.assert_allclose(found[1], found[0], atol=2e-2)


def test_the_low_pass_part_is_the_projection_on_the_leading_eigenvectors(large):
    events = clustered()
    settings = FIXED | {"rank": 5}
    plain, both = fit(events, **settings), fit(events, **settings | {"low_pass": 2.0})
    pairs = pd.crosstab(events["USER_ID"], events["ITEM_ID"]).clip(upper=1)
    table = pairs / np.sqrt(np.outer(pairs.sum(axis=1), pairs.sum(axis=0)))
    vectors = np.linalg.svd(table.to_numpy())[2][:5]
    extra = score(both, events, ["u000"]) - score(plain, events, ["u000"])
    np.testing.assert_allclose(extra[0], 2 * pairs.loc["u000"].to_numpy() @ vectors.T @ vectors, atol=0.02)


def test_many_users_and_few_give_the_same_spectrum_from_either_side():
    pairs = sparse.csr_matrix((np.random.default_rng(0).random((30, 12)) < 0.3).astype(np.float32))
    tall, wide = graph_spectrum.build_graph(pairs, 0.5, 1, 0), graph_spectrum.build_graph(pairs.T.tocsr(), 0.5, 1, 0)
    common = min(len(tall.values), len(wide.values))
    np.testing.assert_allclose(tall.values[:common], wide.values[:common], atol=1e-5)


def test_the_parts_of_an_explanation_add_up_to_the_score(large):
    events = clustered()
    recipe = fit(events, rank=8, low_pass=0.3, item_exponent=0.4)
    history = encode_histories(events, recipe.item_ids, ["u003"])
    expected = recipe.score(history)[0]
    for item in (0, 17):
        assert recipe.explain(history, item)["CONTRIBUTION"].sum() == pytest.approx(expected[item], abs=1e-4)


@pytest.mark.parametrize("side", [0, 4_000])
def test_the_same_seed_gives_the_same_scores_and_what_was_tried_is_noted(monkeypatch, side):
    monkeypatch.setattr(graph_spectrum, "EXACT_SIDE", side)
    events = clustered()
    first, again = fit(events, seed=5, rank=8), fit(events, seed=5, rank=8)
    np.testing.assert_array_equal(score(first, events, ["u001"]), score(again, events, ["u001"]))
    assert first.notes["tried"] == again.notes["tried"]
    best = max(first.notes["tried"], key=lambda row: row["score"])
    assert best.items() - {("score", best["score"])} <= first.notes.items()


def test_what_is_given_is_not_tried_otherwise():
    recipe = fit(clustered(), spectral_ridge=0.07, item_exponent=0.2)
    tried = recipe.notes["tried"]
    assert {(row["shape"], row["spectral_ridge"], row["item_exponent"]) for row in tried} == {("ridge", 0.07, 0.2)}


def test_hidden_items_are_in_no_graph_and_in_no_history():
    pairs = sparse.csr_matrix((np.random.default_rng(0).random((40, 60)) < 0.3).astype(np.float32))
    users, kept, hidden = graph_filter_hidden.hide(pairs, seed=3)
    assert kept[users].multiply(hidden).nnz == 0
    assert kept.nnz + hidden.nnz == pairs.nnz
    assert (np.diff(hidden.indptr) >= 1).all()


def test_the_gain_counts_places_among_unseen_items():
    # One row, seen item 0; hidden items 1 and 3 hold places 0 and 2 among the rest: (1 + 1/2) / (1 + 1/log2 3).
    scores = np.array([[-np.inf, 5.0, 4.0, 3.0, 2.0]], dtype=np.float32)
    found = graph_filter_hidden.discounted(scores, sparse.csr_matrix(np.array([[0.0, 1.0, 0.0, 1.0, 0.0]])))
    assert found == pytest.approx(1.5 / (1 + 1 / np.log2(3)))


def test_it_finds_the_taste_of_a_new_user():
    events = clustered()
    recipe = fit(events)
    fresh = log([("new", "i00"), ("new", "i03"), ("new", "i05")])
    lists = top_k(recipe, encode_histories(fresh, recipe.item_ids), 6)
    assert (lists["ITEM_ID"] < "i10").all()


def test_times_order_and_repeats_change_nothing():
    events = clustered()
    again = pd.concat([events, events.head(50)]).sample(frac=1.0, random_state=2).assign(TIMESTAMP=7)
    first, second = fit(events, **FIXED), fit(again, **FIXED)
    np.testing.assert_allclose(score(second, again, ["u004"]), score(first, events, ["u004"]), atol=1e-5)
    assert second.notes["repeats_counted_once"] == 50


@pytest.mark.parametrize("side", [0, 4_000])
@pytest.mark.parametrize(
    "rows",
    [
        [("a", "x")],
        [("a", "x"), ("a", "x")],
        [(f"u{u}", f"i{i}") for u in range(30) for i in range(6)],
        [(f"u{u}", f"i{u}") for u in range(30)],
    ],
    ids=["one event", "one event twice", "identical users", "nothing shared"],
)
def test_poor_logs_give_finite_scores(monkeypatch, side, rows):
    monkeypatch.setattr(graph_spectrum, "EXACT_SIDE", side)
    events = log(rows)
    recipe = fit(events)
    scores = score(recipe, events, [rows[0][0], "nobody"])
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores[1], recipe.popularity)


def test_unknown_items_leave_popularity():
    events = clustered()
    recipe = fit(events, **FIXED)
    histories = encode_histories(log([("x", "never seen")]), recipe.item_ids)
    assert histories.unknown == 1
    np.testing.assert_array_equal(recipe.score(histories)[0], recipe.popularity)


def test_a_history_of_a_hundred_thousand_events_is_scored():
    events = clustered()
    recipe = fit(events, **FIXED)
    long = log([("bot", f"i{n % 40:02d}") for n in range(100_000)])
    every = log([("bot", f"i{n:02d}") for n in range(40)])
    np.testing.assert_allclose(score(recipe, long, ["bot"]), score(recipe, every, ["bot"]))


def test_no_event_is_refused():
    with pytest.raises(RecipeError, match="0 interactions"):
        fit(log([]))
