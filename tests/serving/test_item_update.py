"""New items in models that are serving: the model in use stays as it is, arrays that are shared stay unwritten."""

import numpy as np
import pandas as pd
import pytest

from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.storage import load, save, stamps
from workbench.serving import item_update
from workbench.serving.item_update import take_in

EVENTS = pd.DataFrame(
    {
        "USER_ID": ["u", "u", "v", "v", "w", "w"],
        "ITEM_ID": ["a", "b", "a", "c", "b", "c"],
        "TIMESTAMP": [1, 2, 3, 4, 5, 6],
    }
)
ITEMS = pd.DataFrame(
    {
        "ITEM_ID": ["a", "b", "c"],
        "TITLE": ["first film", "second film", "third play"],
        "DESCRIPTION": ["a film of a long war at sea", "a film of a war in the air", "a play of kings and their fools"],
        "GENRES": ["x|y", "x", "y"],
    }
)
FRESH = pd.DataFrame({"ITEM_ID": ["d"], "TITLE": ["d"], "DESCRIPTION": ["a war at sea once more"], "GENRES": ["x"]})


@pytest.mark.parametrize("recipe", ["user-personalization", "similar-items", "semantic-similarity"])
def test_a_new_item_is_scored_by_the_copy_and_the_model_in_use_is_untouched(tmp_path, monkeypatch, recipe: str):
    monkeypatch.setattr(item_update, "SHARED", 1)  # every array is shared, so writing into any would show
    save(build(recipe).fit(TrainingData(EVENTS, ITEMS)), tmp_path)
    model = load(tmp_path, trusted=stamps(tmp_path), map_arrays=True)
    histories = encode_histories(EVENTS, model.item_ids)
    before = model.score(histories)
    changed, counted = take_in(model, FRESH)
    assert counted["new_items"] == 1
    assert changed.item_ids.tolist() == ["a", "b", "c", "d"]
    assert np.array_equal(model.score(histories), before)
    assert changed.score(histories).shape == (3, 4)
    again, _ = take_in(changed, FRESH.assign(ITEM_ID="0"))
    assert again.item_ids.tolist() == ["a", "b", "c", "d", "0"]


@pytest.mark.parametrize("recipe", ["popularity-count", "recent-popularity", "matrix-factorization", "sims"])
def test_models_that_need_events_leave_new_items_out_and_say_so(recipe: str):
    model = build(recipe).fit(TrainingData(EVENTS, ITEMS))
    changed, counted = take_in(model, FRESH)
    assert changed is None
    assert counted["left_out"] == 1
    assert counted["why"]


def test_no_new_items_change_nothing():
    assert take_in(build("popularity-count").fit(TrainingData(EVENTS)), FRESH.iloc[:0]) == (None, {})
