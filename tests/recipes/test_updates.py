"""New events taken in without a fit: the same as a fit on everything."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData

COLUMNS = ["USER_ID", "ITEM_ID", "TIMESTAMP"]
RECIPES = {
    "popularity-count": {},
    "recent-popularity": {"days": 0.001},  # 86.4 seconds
    "trending-now": {"frequency": "30s", "window": "1 min"},
}
EVENTS = st.lists(
    st.tuples(st.sampled_from("uvwx"), st.sampled_from(["a", "b", "c", "007", "7", "ü"]), st.integers(0, 300)),
    min_size=1,
    max_size=25,
)


def table(rows):
    return pd.DataFrame(rows, columns=COLUMNS).astype({"USER_ID": "str", "ITEM_ID": "str", "TIMESTAMP": "int64"})


@pytest.mark.parametrize("name", RECIPES)
@settings(max_examples=60, deadline=None)
@given(first=EVENTS, second=EVENTS, third=EVENTS)
def test_updates_in_any_order_give_what_a_fit_on_all_events_gives(name, first, second, third):
    grown = build(name, RECIPES[name]).fit(TrainingData(table(first)))
    for part in (second, third):
        taken = grown.update(TrainingData(table(part)))
        assert taken["new_events"] == len(part)
    whole = build(name, RECIPES[name]).fit(TrainingData(table([*first, *second, *third])))
    assert grown.item_ids.tolist() == whole.item_ids.tolist()
    np.testing.assert_array_equal(grown.scores, whole.scores)
    assert grown.notes == whole.notes


@pytest.mark.parametrize("name", RECIPES)
def test_a_loaded_recipe_takes_updates_too_and_leaves_the_input_as_it_was(name, tmp_path):
    old = table([("u", "b", 10), ("v", "b", 20), ("u", "c", 100)])
    new = table([("u", "b", 130), ("w", "a", 140), ("v", "a", 141), ("v", "b", 1)])
    before = new.copy(deep=True)
    loaded = storage.load(storage.save(build(name, RECIPES[name]).fit(TrainingData(old)), tmp_path))
    taken = loaded.update(TrainingData(new, pd.DataFrame({"ITEM_ID": ["a", "idle"]})))
    assert taken["new_items"] == 1
    assert taken["items_without_events_left_aside"] == 1
    if name != "popularity-count":
        assert taken["late_events"] == 1
    whole = build(name, RECIPES[name]).fit(TrainingData(pd.concat([old, new])))
    np.testing.assert_array_equal(loaded.scores, whole.scores)
    pd.testing.assert_frame_equal(new, before)


@pytest.mark.parametrize("name", RECIPES)
def test_nothing_new_changes_nothing(name):
    recipe = build(name, RECIPES[name]).fit(TrainingData(table([("u", "a", 1)])))
    scores = recipe.scores.copy()
    assert recipe.update(TrainingData(table([])))["new_events"] == 0
    np.testing.assert_array_equal(recipe.scores, scores)


def test_windows_move_with_the_newest_event():
    recipe = build("trending-now", {"frequency": "1h"}).fit(
        TrainingData(table([("u", "a", 3_000 + n) for n in range(9)]))
    )
    assert "fallback" in recipe.notes
    recipe.update(TrainingData(table([("u", "b", 6_700 + n) for n in range(9)])))
    assert recipe.notes["events_in_window_before"] == 9
    assert recipe.trends()["ITEM_ID"].tolist() == ["b", "a"]


def test_a_recipe_whose_borders_move_with_every_event_asks_for_a_fit():
    recipe = build("sims").fit(TrainingData(table([("u", "a", 1), ("u", "b", 2)])))
    with pytest.raises(RecipeError, match="sims cannot take in new events or items; train it again"):
        recipe.update(TrainingData(table([("u", "c", 3)])))
