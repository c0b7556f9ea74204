"""autoregressive: the formula by hand, order and ties, event weights, rare items, memory."""

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecipeError
from workbench.recipes import autoregressive, storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k

DAY = 86_400
COLUMNS = ["USER_ID", "ITEM_ID", "TIMESTAMP"]


def frame(histories, **columns):
    rows = [(user, item, step) for user, items in histories.items() for step, item in enumerate(items)]
    return pd.DataFrame(rows, columns=COLUMNS).assign(**columns)


PLAIN = {"ridge": 300.0, "popularity_discount": 0.0}  # nothing is chosen


def fit(table, **hyperparameters):
    return build("autoregressive", PLAIN | hyperparameters).fit(TrainingData(table))


def scores_of(recipe, items, **columns):
    return recipe.score(encode_histories(frame({"n": items}, **columns), recipe.item_ids))[0]


@pytest.fixture
def walk():
    rng = np.random.default_rng(5)
    return frame({f"u{u}": rng.choice(list("abcdef"), 12) for u in range(15)})


def test_two_events_by_hand():
    """One row: feature e(a), target b; (1 + ridge) w = 1, so w(a -> b) = 1 / 3."""
    recipe = fit(frame({"u": "ab"}), decays=[0.5], ridge=2.0)
    assert scores_of(recipe, "a") == pytest.approx([0, 1 / 3], rel=1e-6)
    # One event further back, a weighs half; b itself leads nowhere.
    assert scores_of(recipe, "ab") == pytest.approx([0, 1 / 6], rel=1e-6)


def test_weights_are_the_ridge_regression_of_all_rows(walk):
    decays, lags, ridge = [0.4, 0.9], 5, 3.0
    recipe = fit(walk, decays=decays, lags=lags, ridge=ridge)
    n = len(recipe.item_ids)
    code = {item: number for number, item in enumerate(recipe.item_ids)}
    rows, targets = [], []
    for _, events in walk.groupby("USER_ID", sort=False):
        items = [code[each] for each in events["ITEM_ID"]]
        for t in range(1, len(items)):
            row = np.zeros(2 * n)
            for a, decay in enumerate(decays):
                for back in range(1, min(lags, t) + 1):
                    row[a * n + items[t - back]] += decay ** (back - 1)
            rows.append(row)
            targets.append(np.eye(n)[items[t]])
    x, y = np.array(rows), np.array(targets)
    expected = np.linalg.solve(x.T @ x + ridge * np.eye(2 * n), x.T @ y)
    np.testing.assert_allclose(recipe.weights, expected, atol=1e-5)


def test_a_half_life_by_hand():
    """Rows: f(a) -> b, and a two days (two half-lives) old beside b -> c."""
    table = frame({"u": "abc"}).assign(TIMESTAMP=[0, 2 * DAY, 9 * DAY])
    recipe = fit(table, decays=[0.5], ridge=2.0, half_life_days=1.0)
    x = np.array([[1, 0, 0], [0.5 * 0.25, 1, 0]])
    weights = np.linalg.solve(x.T @ x + 2 * np.eye(3), x.T @ np.array([[0, 1, 0], [0, 0, 1]]))
    np.testing.assert_allclose(recipe.weights, weights, atol=1e-6)
    # Scored at the time of the newest event, whenever the request comes: a is three half-lives old, b none.
    asked = frame({"n": "ab"}).assign(TIMESTAMP=[5 * DAY, 8 * DAY])
    found = recipe.score(encode_histories(asked, recipe.item_ids))[0]
    assert found == pytest.approx(0.5 / 8 * weights[0] + weights[1], rel=1e-5)


def test_of_a_half_life_events_of_one_time_know_nothing(walk):
    together = walk.assign(TIMESTAMP=1_600_000_000)
    for settings in ({}, {"dense_features": 9}):
        plain, timed = fit(together, **settings), fit(together, half_life_days=1.0, **settings)
        histories = encode_histories(together, plain.item_ids)
        np.testing.assert_array_equal(plain.score(histories), timed.score(histories))


def test_a_half_life_beyond_all_times_changes_nothing_and_a_short_one_leaves_the_newest_event(walk):
    histories = encode_histories(walk, np.array(list("abcdef"), dtype=object))
    plain, long = fit(walk), fit(walk, half_life_days=100_000.0)
    np.testing.assert_allclose(plain.score(histories), long.score(histories), atol=1e-5)
    years = walk.assign(TIMESTAMP=walk["TIMESTAMP"] * 365 * DAY)
    short, newest = fit(years, half_life_days=1 / 1440), fit(years, lags=1, decays=[0.3, 0.8, 0.97])
    histories = encode_histories(years, short.item_ids)
    np.testing.assert_allclose(short.score(histories), newest.score(histories), atol=1e-6)


def test_where_a_pause_changes_the_subject_a_half_life_foretells_better():
    """Sessions of up to 9 events a minute apart, a month between them, and each about one of ten subjects."""
    rng = np.random.default_rng(9)
    rows, now = [], 0
    for user in range(150):
        for _ in range(6):
            subject, now = int(rng.integers(10)), now + 30 * DAY
            for _ in range(int(rng.integers(2, 10))):
                now += 60
                item = 15 * subject + rng.integers(15) if rng.random() < 0.7 else rng.integers(150)
                rows.append((f"u{user}", f"i{item:03d}", now))
    table = pd.DataFrame(rows, columns=COLUMNS)
    plain, timed = (build("autoregressive", {"half_life_days": days}).fit(TrainingData(table)) for days in (None, 1.0))
    best = [max(each["score"] for each in recipe.notes["tried"]) for recipe in (plain, timed)]
    assert best[1] > best[0] + 0.03, best


@pytest.mark.parametrize("settings", [{}, {"dense_features": 9}, {"event_weights": {"buy": 1.0, "click": 0.2}}])
def test_explanations_with_a_half_life_add_up_to_the_score(walk, settings):
    rng = np.random.default_rng(6)
    table = walk.assign(
        TIMESTAMP=walk.groupby("USER_ID")["TIMESTAMP"].transform(lambda t: np.sort(rng.integers(0, 9 * DAY, len(t))))
    )
    table = table.assign(EVENT_TYPE=rng.choice(["buy", "click"], len(table)))
    recipe = fit(table, ridge=1.0, lags=4, half_life_days=2.0, **settings)
    histories = encode_histories(table, recipe.item_ids)
    scores = recipe.score(histories)
    for user in range(3):
        parts = recipe.explain(histories.rows(user, user + 1), 2)["CONTRIBUTION"]
        assert parts.sum() == pytest.approx(scores[user, 2], abs=1e-6)


def test_a_half_life_reaches_the_closed_form_of_user_personalization_and_its_files(walk, tmp_path):
    settings = PLAIN | {"half_life_days": 0.5}
    days = walk.assign(TIMESTAMP=walk["TIMESTAMP"] * DAY)
    alone = build("autoregressive", settings).fit(TrainingData(days))
    whole = build("user-personalization", settings | {"parts": "closed-form"}).fit(TrainingData(days))
    histories = encode_histories(days, alone.item_ids)
    assert not np.allclose(alone.score(histories), fit(days).score(histories), atol=1e-3)
    np.testing.assert_array_equal(whole.score(histories), alone.score(histories))
    storage.save(alone, tmp_path / "model")
    np.testing.assert_array_equal(storage.load(tmp_path / "model").score(histories), alone.score(histories))


@pytest.mark.parametrize("days", [0.0, -1.0, 1e9])
def test_a_half_life_needs_to_be_within_its_range(days):
    with pytest.raises(RecipeError, match="half_life_days=.* is outside its range 1e-05 to 100000"):
        build("autoregressive", {"half_life_days": days})


def test_a_history_of_a_hundred_thousand_events_trains_and_scores():
    rng = np.random.default_rng(8)
    table = pd.DataFrame({"USER_ID": "u", "ITEM_ID": rng.choice(list("abcdef"), 100_000)})
    table["TIMESTAMP"] = np.sort(rng.integers(0, 30 * 365 * DAY, len(table)))
    recipe = fit(table, half_life_days=1 / 1440, lags=20)
    assert np.isfinite(recipe.score(encode_histories(table, recipe.item_ids))).all()


def test_the_order_of_a_history_decides(walk):
    recipe = fit(walk, ridge=1.0)
    assert not np.allclose(scores_of(recipe, "abc"), scores_of(recipe, "cba"))


def test_events_of_one_time_keep_the_order_of_the_table():
    together = frame({"u": "abcab", "v": "bcabc"}).assign(TIMESTAMP=1)
    apart = frame({"u": "abcab", "v": "bcabc"})
    np.testing.assert_array_equal(fit(together).weights, fit(apart).weights)


def test_a_circle_is_learned():
    table = frame({f"u{u}": [f"i{(u + s) % 9}" for s in range(9)] for u in range(30)})
    recipe = fit(table, ridge=1.0)
    asked = frame({f"n{u}": [f"i{(u + s) % 9}" for s in range(4)] for u in range(9)})
    lists = top_k(recipe, encode_histories(asked, recipe.item_ids), 1)
    assert lists["ITEM_ID"].to_list() == [f"i{(u + 4) % 9}" for u in range(9)]


def test_explanations_add_up_to_the_score(walk):
    recipe = fit(walk, ridge=1.0, lags=4)
    for items in ("abc", "abcabcabc", "aa"):
        history = encode_histories(frame({"n": items}), recipe.item_ids)
        for target in range(len(recipe.item_ids)):
            parts = recipe.explain(history, target)["CONTRIBUTION"]
            assert parts.sum() == pytest.approx(recipe.score(history)[0, target], abs=1e-6)


def test_an_unknown_history_gets_popularity(walk):
    recipe = fit(walk)
    shares = walk["ITEM_ID"].value_counts(normalize=True).sort_index()
    assert scores_of(recipe, "?") == pytest.approx(shares.to_numpy(), rel=1e-6)


def test_of_event_weights_only_ratios_count(walk):
    table = walk.assign(EVENT_TYPE=["buy" if n % 3 else "click" for n in range(len(walk))])
    small = fit(table, event_weights={"buy": 0.3, "click": 0.1})
    large = fit(table, event_weights={"buy": 0.6, "click": 0.2})
    np.testing.assert_allclose(small.weights, large.weights, rtol=1e-4, atol=1e-7)
    assert not np.allclose(small.weights, fit(table).weights, atol=1e-3)


def test_events_without_a_weight_do_not_count(walk):
    table = walk.assign(EVENT_TYPE=["buy" if n % 3 else "click" for n in range(len(walk))])
    only_buys = fit(table, event_weights={"buy": 1.0})
    np.testing.assert_allclose(only_buys.weights, fit(table[table["EVENT_TYPE"] == "buy"]).weights, atol=1e-6)
    assert only_buys.notes["events_without_weight"] == (table["EVENT_TYPE"] == "click").sum()
    clicked = scores_of(only_buys, "abc", EVENT_TYPE="click")
    np.testing.assert_array_equal(clicked, only_buys.popularity)


def test_event_weights_need_their_column_and_their_types(walk):
    with pytest.raises(RecipeError, match="need the column EVENT_TYPE; found"):
        fit(walk, event_weights={"buy": 1.0})
    with pytest.raises(RecipeError, match=r"names 'bye', which no event has. Did you mean 'buy'"):
        fit(walk.assign(EVENT_TYPE="buy"), event_weights={"bye": 1.0})
    with pytest.raises(RecipeError, match="leave no event with a weight above 0"):
        fit(walk.assign(EVENT_TYPE="buy"), event_weights={"buy": 0.0})


def test_rare_items_are_solved_by_themselves_and_counted(walk):
    rare = pd.concat([walk, frame({f"r{n}": ["z", "a"] for n in range(3)})], ignore_index=True)
    recipe = fit(rare, ridge=1.0, dense_features=9)
    assert recipe.notes["items_solved_together"] == 3
    assert recipe.notes["items_solved_by_themselves"] == 4
    # z is rare and always followed by a: three rows with feature 1 in each of the three decays.
    expected = np.linalg.solve(3 * np.ones((3, 3)) + np.eye(3), 3 * np.ones(3)).sum()
    assert scores_of(recipe, "z")[0] == pytest.approx(expected, rel=1e-5)
    parts = recipe.explain(encode_histories(frame({"n": "zab"}), recipe.item_ids), 0)["CONTRIBUTION"]
    assert parts.sum() == pytest.approx(scores_of(recipe, "zab")[0], abs=1e-6)


def test_too_many_pairs_of_rare_items_shorten_their_window(walk, monkeypatch):
    monkeypatch.setattr(autoregressive, "MOST_RARE_PAIRS", 100)
    assert fit(walk, dense_features=3).notes["lags_of_rare_items"] < 12


def test_too_little_memory_is_foreseen_with_the_setting_that_avoids_it(walk, monkeypatch):
    class Tight:
        available = 1_000

    monkeypatch.setattr(autoregressive.psutil, "virtual_memory", Tight)
    with pytest.raises(RecipeError, match=r"are free. Set dense_features below \d+"):
        fit(walk)


@pytest.mark.parametrize("histories", [{"u": "a"}, {"u": "a", "v": "b"}, {"u": "aaaa"}, {"u": "ab" * 300}])
def test_odd_logs_train(histories):
    recipe = fit(frame(histories))
    assert np.isfinite(scores_of(recipe, "a")).all()
