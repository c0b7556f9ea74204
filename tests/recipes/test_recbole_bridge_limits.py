"""RecBole fits that end early: a watcher, the clock, and memory that would not suffice."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.recbole_bridge import RecBoleRecipe
from workbench.recipes.recbole_bridge_memory import check_memory, memory_needs
from workbench.recipes.recbole_bridge_models import complete_parameters, find_model
from workbench.recipes.recbole_bridge_rows import make_rows, newest_only


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    rows = [(f"u{user}", f"i{(user + step) % 12}", 1_000 + step) for user in range(30) for step in range(8)]
    return pd.DataFrame(rows, columns=[USER_ID, ITEM_ID, TIMESTAMP])


@pytest.fixture
def rows(events):
    items = events[ITEM_ID].unique()
    return make_rows(encode_histories(events, items), len(items))


class Enough(RuntimeError):
    """What a study raises to end a trial."""


@pytest.mark.parametrize("model", ["BPR", "SASRec", "FM"])
def test_a_watcher_hears_of_every_pass_and_may_end_the_fit(events, model):
    heard: list[tuple[int, float]] = []

    def watch(step: int, value: float) -> None:
        heard.append((step, value))
        if step == 2:
            raise Enough("that will do")

    recipe = RecBoleRecipe(model, epochs=5, threads=1)
    recipe.watch = watch
    with pytest.raises(Enough, match="that will do"):
        recipe.fit(TrainingData(events), seed=1)
    assert [step for step, _ in heard] == [1, 2]
    assert all(0 <= value <= 1 for _, value in heard)


def test_the_clock_also_ends_models_of_several_stages(events):
    items = pd.DataFrame({ITEM_ID: [f"i{n}" for n in range(12)], "KIND": [f"k{n % 3}" for n in range(12)]})
    recipe = RecBoleRecipe("S3Rec", epochs=500, pretrain_epochs=500, stopping_step=500, budget_minutes=0.03, threads=1)
    recipe.fit(TrainingData(events, items))
    assert recipe.notes["epochs_of_pretrain"] < 500
    assert recipe.notes["batches_run"] > 0
    assert recipe.notes["stopped_by_budget_minutes"] == 0.03


def test_a_refit_is_left_out_when_the_time_is_over(events):
    recipe = RecBoleRecipe("BPR", epochs=5000, stopping_step=5000, budget_minutes=0.02, refit=True)
    recipe.fit(TrainingData(events))
    assert recipe.notes["refit_left_out"] == "the time was over"
    assert "refitted_on_all_events" not in recipe.notes


def test_newest_events_alone_are_trained_on(rows):
    kept, left_out = newest_only(rows, 3)
    assert left_out == 30 * 5
    assert kept.train[:6].tolist() == [5, 6, 7, 13, 14, 15]
    assert newest_only(rows, 0) == (rows, 0)


@pytest.mark.parametrize(
    ("model", "changes", "message"),
    [
        ("EASE", {"n_items": 1_000_000}, r"EASE would need about .* GB are free; .* dense matrices of 1,000,000 x"),
        ("MultiVAE", {"n_users": 10**9}, r"histories padded to the longest, 8\. What helps: max_history below 8"),
        ("BPR", {"n_users": 10**10}, r"10,000,000,012 vectors of 64 numbers\. What helps: embedding_size below 64"),
        ("BERT4Rec", {"n_items": 10**9}, r"What helps: train_batch_size below 128"),
    ],
)
def test_too_little_memory_is_foreseen_with_what_helps(rows, model, changes, message):
    parameters = complete_parameters(model, {})
    assert 0 <= check_memory(model, find_model(model), rows, parameters) < 1
    with pytest.raises(RecipeError, match=message):
        check_memory(model, find_model(model), replace(rows, **changes), parameters)


def test_the_forecast_follows_the_longest_history(rows):
    parameters = complete_parameters("NAIS", {})
    sizes = np.where(rows.users == 0, 0, rows.users)  # as it is: 8 events each
    padded = next(each for each in memory_needs("NAIS", "general", rows, parameters) if "padded" in each.what)
    assert sizes.max() == 29
    assert padded.size == 30 * 8 * 20
