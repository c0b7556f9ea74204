"""What every recipe of the catalogue promises, held for each row unasked."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecipeError
from workbench.recipes import storage
from workbench.recipes.catalog import CATALOG, build, entry
from workbench.recipes.contract import Histories, TrainingData, encode_histories
from workbench.recipes.ranking import rank_given, top_k

QUICK = {"epochs": 1}  # one pass is enough to keep a promise


def settings(name):
    row = CATALOG[name]
    given = {key: value for key, value in QUICK.items() if key in row.hyperparameters}
    return given | ({"min_cointeraction_count": 1} if name == "sims" else {})


@pytest.fixture(scope="module")
def events():
    """30 users walk around 12 items in order; ids with leading zeros, blanks, emoji and markup."""
    names = ["007", "07", "7", "a b", "😀", "<script>", "x" * 300, "i7", "i8", "i9", "ü", "|"]
    rows = [(f"u{u:02d}", names[(u + s) % 12], 1_000 + 10 * s + u % 3) for u in range(30) for s in range(8)]
    table = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    return table.sort_values("TIMESTAMP", kind="stable", ignore_index=True)


@pytest.fixture(scope="module")
def items(events):
    """A row for every item of the events: a title, a text, categories, a number with a gap and a time."""
    ids = sorted(events["ITEM_ID"].unique())
    table = pd.DataFrame({"ITEM_ID": ids, "TITLE": [f"Thing <b>{n}</b>" for n in range(12)]})
    about = ["a warm coat for cold winter days", "a light shirt for hot summer days", "a kettle that boils | whistles"]
    table["PRODUCT_DESCRIPTION"] = [*(about[n % 3] for n in range(11)), None]
    table["CATEGORY_L1"] = ["coats|new", "shirts", "kitchen|new"] * 4
    table["PRICE"] = [np.nan, *(1.5 * n for n in range(11))]
    table["CREATION_TIMESTAMP"] = range(1_000, 1_012)
    return table


@pytest.fixture(scope="module")
def fitted(events, items):
    """Every recipe, fitted once."""
    found = {}

    def fit(name):
        if name not in found:
            found[name] = build(name, settings(name)).fit(TrainingData(events, items), seed=3)
        return found[name]

    return fit


every_recipe = pytest.mark.parametrize("name", CATALOG)


@every_recipe
def test_it_scores_every_item_of_anybody_with_finite_numbers(fitted, events, name):
    recipe = fitted(name)
    assert sorted(recipe.item_ids) == sorted(events["ITEM_ID"].unique())
    scores = recipe.score(encode_histories(events, recipe.item_ids, ["u00", "nobody", "u29"]))
    assert scores.shape == (3, 12)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()


@every_recipe
def test_a_cold_user_gets_a_full_list_of_distinct_items(fitted, events, name):
    recipe = fitted(name)
    lists = top_k(recipe, encode_histories(events, recipe.item_ids, ["nobody"]), 12)
    assert lists["RANK"].to_list() == list(range(1, 13))
    assert lists["ITEM_ID"].nunique() == 12


@every_recipe
def test_similar_items_are_scored_for_every_item(fitted, name):
    scores = fitted(name).similar(np.array([0, 5]))
    assert scores.shape == (2, 12)
    assert np.isfinite(scores).all()


@every_recipe
def test_the_same_seed_gives_the_same_lists_and_the_input_stays_as_it_was(fitted, events, items, name):
    before, items_before = events.copy(deep=True), items.copy(deep=True)
    again = build(name, settings(name)).fit(TrainingData(events, items), seed=3)
    histories = encode_histories(events, again.item_ids)
    pd.testing.assert_frame_equal(top_k(again, histories, 4), top_k(fitted(name), histories, 4))
    pd.testing.assert_frame_equal(events, before)
    pd.testing.assert_frame_equal(items, items_before)


@every_recipe
def test_scoring_leaves_histories_with_repeats_as_they_were(fitted, events, name):
    recipe = fitted(name)
    back = [("u00", "ü", 9_001), ("u00", "007", 9_002), ("u00", "ü", 9_003)]
    again = pd.concat([events, pd.DataFrame(back, columns=events.columns)], ignore_index=True)
    histories = encode_histories(again, recipe.item_ids)
    items, offsets = histories.items.copy(), histories.offsets.copy()
    lists = top_k(recipe, histories, 12)
    np.testing.assert_array_equal(histories.items, items)
    np.testing.assert_array_equal(histories.offsets, offsets)
    assert lists.merge(again[["USER_ID", "ITEM_ID"]]).empty


@every_recipe
def test_a_saved_recipe_gives_identical_scores_and_explanations(fitted, events, name, tmp_path):
    recipe = fitted(name)
    loaded = storage.load(storage.save(recipe, tmp_path))
    histories = encode_histories(events, recipe.item_ids, ["u05", "nobody"])
    np.testing.assert_array_equal(loaded.score(histories), recipe.score(histories))
    assert (loaded.name, loaded.hyperparameters) == (recipe.name, recipe.hyperparameters)
    row = histories.rows(0, 1)
    pd.testing.assert_frame_equal(loaded.explain(row, 3), recipe.explain(row, 3))
    pd.testing.assert_frame_equal(loaded.explain_attributes(row, 3), recipe.explain_attributes(row, 3))


@every_recipe
def test_an_explanation_names_events_of_the_history(fitted, events, name):
    recipe = fitted(name)
    history = encode_histories(events, recipe.item_ids, ["u05"])
    why = recipe.explain(history, 3)
    assert list(why.columns) == ["ITEM_ID", "POSITION", "CONTRIBUTION"]
    assert set(why["ITEM_ID"]) <= set(recipe.item_ids[history.items])
    assert why["CONTRIBUTION"].is_monotonic_decreasing


@every_recipe
@pytest.mark.parametrize("user", ["u05", "nobody"])
def test_attributes_of_a_score_are_named_with_finite_parts(fitted, events, items, name, user):
    recipe = fitted(name)
    history = encode_histories(events, recipe.item_ids, [user])
    before = {what: values.copy() for what, values in vars(history).items() if isinstance(values, np.ndarray)}
    why = recipe.explain_attributes(history, 3)
    assert list(why.columns) == ["KIND", "ATTRIBUTE", "CONTRIBUTION"]
    assert set(why["KIND"]) <= {"item", "user", "context"}
    assert all(each.startswith(tuple(items.columns)) for each in why["ATTRIBUTE"])
    assert why["CONTRIBUTION"].dtype == np.float64
    assert np.isfinite(why["CONTRIBUTION"]).all()
    assert why["CONTRIBUTION"].is_monotonic_decreasing
    for what, values in before.items():
        np.testing.assert_array_equal(getattr(history, what), values)


# user-personalization on a log this small is the closed form alone, which attributes play no part in.
READ_HERE = {"transformer", "similar-items", "semantic-similarity"}


@every_recipe
def test_attributes_are_empty_exactly_where_none_is_read(fitted, events, name):
    recipe = fitted(name)
    history = encode_histories(events, recipe.item_ids, ["u05"])
    assert recipe.explain_attributes(history, 3).empty == (name not in READ_HERE)
    assert name not in READ_HERE or any(each.startswith("items") for each in CATALOG[name].metadata_used)


@every_recipe
def test_defaults_lie_inside_their_own_ranges(name):
    row = CATALOG[name]
    assert row.complete({key: setting.default for key, setting in row.hyperparameters.items()}) == row.complete()
    assert all(setting.meaning for setting in row.hyperparameters.values())


@every_recipe
def test_an_unfitted_recipe_says_so(name):
    recipe = build(name)
    histories = Histories(np.array(["u"], dtype=object), np.array([0, 1]), np.zeros(1, np.int32), np.zeros(1, np.int64))
    said = f"{name} is not fitted; call fit\\(data\\)"
    calls = (
        lambda: recipe.score(histories),
        lambda: top_k(recipe, histories, 3),
        lambda: rank_given(recipe, histories, [["a"]]),
        lambda: recipe.similar(np.array([0])),
        lambda: recipe.state(),
        lambda: encode_histories(pd.DataFrame(), recipe.item_ids),
    )
    for call in calls:
        with pytest.raises(RecipeError, match=said):
            call()
    assert not hasattr(recipe, "item_ids")


@every_recipe
def test_an_unknown_hyperparameter_is_refused_by_name(name):
    with pytest.raises(RecipeError, match="no_such_setting"):
        build(name, {"no_such_setting": 1})


@every_recipe
def test_no_events_are_refused(events, name):
    with pytest.raises(RecipeError, match=r"interactions"):
        build(name, settings(name)).fit(TrainingData(events.head(0)))


def test_all_recipes_score_alike_in_another_process(fitted, events, tmp_path):
    expected = {}
    events.to_parquet(tmp_path / "events.parquet")
    for number, name in enumerate(CATALOG):
        recipe = fitted(name)
        storage.save(recipe, tmp_path / str(number))
        expected[number] = recipe.score(encode_histories(events, recipe.item_ids, ["u05", "nobody"]))
    script = (
        "import sys, numpy, pandas\n"
        "from workbench.recipes import storage\n"
        "from workbench.recipes.contract import encode_histories\n"
        "events = pandas.read_parquet(sys.argv[1] + '/events.parquet')\n"
        "for number in range(int(sys.argv[2])):\n"
        "    recipe = storage.load(f'{sys.argv[1]}/{number}')\n"
        "    scores = recipe.score(encode_histories(events, recipe.item_ids, ['u05', 'nobody']))\n"
        "    numpy.save(f'{sys.argv[1]}/{number}.npy', scores)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path), str(len(CATALOG))], check=True)
    for number, scores in expected.items():
        np.testing.assert_array_equal(np.load(tmp_path / f"{number}.npy"), scores)


def test_rows_of_recbole_models_show_the_defaults_that_the_bridge_uses():
    from workbench.recipes.recbole_bridge_models import default_parameters

    for name in (each for each in CATALOG if each.startswith("recbole:")):
        known = default_parameters(name.removeprefix("recbole:"))
        assert entry(name).complete().items() <= known.items(), name
