"""user-personalization: what it picks and why, the blend, new items, and what it says about itself."""

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecipeError
from workbench.recipes import storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k

TINY = {"width": 16, "layers": 1, "window": 8, "batch_events": 64, "epochs": 3, "learning_rate": 0.01}
BOTH = TINY | {"parts": "closed-form+transformer"}


def circle(users=60, items=10, steps=9, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        place = int(rng.integers(items))
        rows += [(f"u{user:02d}", f"i{(place + s) % items}", 60 * s) for s in range(steps)]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def shelves(n):
    """Every second item stands on the same shelf; the last two have no events."""
    ids = [f"i{k}" for k in range(n)] + ["new even", "new odd"]
    return pd.DataFrame(
        {"ITEM_ID": ids, "SHELF": ["even" if k % 2 == 0 else "odd" for k in range(n)] + ["even", "odd"]}
    )


def fitted(hyperparameters, events=None, items=None, seed=0):
    return build("user-personalization", hyperparameters).fit(
        TrainingData(circle() if events is None else events, items), seed=seed
    )


def test_without_a_budget_the_closed_form_stands_alone():
    recipe = fitted({})
    assert recipe.notes["parts"] == ["closed-form"]
    assert recipe.notes["why"][-1] == "budget_minutes is not set, so the closed form stands alone."
    alone = build("autoregressive").fit(TrainingData(circle()))
    histories = encode_histories(circle(), recipe.item_ids)
    np.testing.assert_array_equal(recipe.score(histories), alone.score(histories))
    pd.testing.assert_frame_equal(recipe.explain(histories.rows(0, 1), 3), alone.explain(histories.rows(0, 1), 3))


@pytest.mark.parametrize(
    ("budget", "users", "parts", "why"),
    [
        (10, 60, ["closed-form"], "540 events are too few for a transformer; 2,000 are needed."),
        (0.2, 300, ["closed-form"], "budget_minutes=0.2 is below the 0.5 a transformer needs."),
        (0.5, 300, ["closed-form", "transformer"], "budget_minutes=0.5 leaves time for a transformer."),
    ],
)
def test_what_is_picked_depends_on_budget_and_size(budget, users, parts, why):
    recipe = fitted(TINY | {"budget_minutes": budget}, circle(users))
    assert recipe.notes["parts"] == parts
    assert recipe.notes["why"][-1] == why


def test_a_log_without_order_goes_to_the_graph_filter():
    rng = np.random.default_rng(0)
    rows = [(f"u{u}", f"i{i}", 0) for u in range(40) for i in rng.permutation(20)[:6]]
    recipe = fitted({}, pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]))
    assert recipe.notes["parts"] == ["graph-filter"]
    assert "events at different times" in recipe.notes["why"][0]


def test_the_blend_adds_logarithms_with_weights_learned_on_held_events():
    recipe = fitted(BOTH)
    blend = recipe.notes["blend"]
    assert blend["held_events"] == 60
    assert sum(blend["weights"].values()) == pytest.approx(1.0)
    assert max(row["score"] for row in blend["tried"]) >= max(blend["alone"].values()) - 1e-5
    histories = encode_histories(circle(), recipe.item_ids, ["u00", "u07"])
    closed, network = (part.score(histories) for part in recipe.parts.values())
    expected = recipe.weights[0] * np.log(np.maximum(closed, 1e-5)) + recipe.weights[1] * network
    np.testing.assert_allclose(recipe.score(histories), expected, rtol=1e-5)


def test_a_saved_blend_scores_the_same(tmp_path):
    recipe = fitted(BOTH, items=shelves(10))
    loaded = storage.load(storage.save(recipe, tmp_path))
    histories = encode_histories(circle(), recipe.item_ids, ["u00", "nobody"])
    np.testing.assert_array_equal(loaded.score(histories), recipe.score(histories))


@pytest.mark.parametrize("hyperparameters", [{}, BOTH])
def test_new_items_score_as_the_items_most_alike(hyperparameters):
    events = circle(items=10)
    only_even = events[events["ITEM_ID"].isin([f"i{k}" for k in range(0, 10, 2)])]
    both = pd.concat([only_even, events.assign(USER_ID="w" + events["USER_ID"])], ignore_index=True)
    recipe = fitted(hyperparameters, both, shelves(10))
    assert recipe.notes["new_items"] == 2
    asked = encode_histories(only_even, recipe.item_ids, ["u00"])
    scores = dict(zip(recipe.item_ids, recipe.score(asked)[0], strict=True))
    even = np.mean([scores[f"i{k}"] for k in range(0, 10, 2)])
    assert scores["new even"] == pytest.approx(even, rel=1e-4)


def test_items_that_come_later_are_taken_in_without_a_fit():
    recipe = fitted({}, items=shelves(10).iloc[:10])
    late = pd.DataFrame({"ITEM_ID": ["late", "i3"], "SHELF": ["odd", "odd"]})
    counted = recipe.update(TrainingData(circle().iloc[:0], late))
    assert counted["new_items"] == 1
    lists = top_k(recipe, encode_histories(circle(), recipe.item_ids, ["u00"]), 11, exclude_seen=False)
    assert "late" in set(lists["ITEM_ID"])
    assert recipe.update(TrainingData(circle().iloc[:0], late))["new_items"] == 0


def test_without_attributes_later_items_score_lowest():
    recipe = fitted({})
    counted = recipe.update(TrainingData(circle().iloc[:0], pd.DataFrame({"ITEM_ID": ["late"]})))
    assert counted == {"new_items": 1, "new_items_like_no_other": 1, "new_events": 0, "events_left_aside": 0}
    scores = recipe.score(encode_histories(circle(), recipe.item_ids, ["u00"]))
    assert scores[0, -1] == scores[0].min()


def test_a_history_of_new_items_alone_gets_popularity():
    recipe = fitted({}, items=shelves(10))
    asked = pd.DataFrame({"USER_ID": ["x"], "ITEM_ID": ["new odd"], "TIMESTAMP": [0]})
    scores = recipe.score(encode_histories(asked, recipe.item_ids))[0]
    np.testing.assert_allclose(scores[:10], recipe.popularity)


def test_why_a_blend_recommends_is_what_the_absence_of_each_event_costs():
    recipe = fitted(BOTH)
    history = encode_histories(circle(), recipe.item_ids, ["u00"])
    following = (history.items[-1] + 1) % 10
    why = recipe.explain(history, int(following))
    assert why["ITEM_ID"].iloc[0] == recipe.item_ids[history.items[-1]]
    assert why["POSITION"].iloc[0] == 1
    full = recipe.score(history)[0, following]
    without = encode_histories(circle().query("USER_ID == 'u00'").iloc[:-1], recipe.item_ids)
    assert why["CONTRIBUTION"].iloc[0] == pytest.approx(full - recipe.score(without)[0, following], rel=1e-4)


def test_wrong_settings_are_refused_before_anything_is_fitted():
    with pytest.raises(RecipeError, match="parts='both' is not one of"):
        build("user-personalization", {"parts": "both"})
    with pytest.raises(RecipeError, match=r"hidden_dimension.*use width"):
        build("user-personalization", {"hidden_dimension": 149})
    with pytest.raises(RecipeError, match="none of them twice"):
        build("user-personalization", {"decays": [0.5, 0.5]})
