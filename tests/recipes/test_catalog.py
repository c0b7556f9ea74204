"""Names, types and ranges are checked before anything runs; misspelt ones get the nearest."""

import subprocess
import sys
from dataclasses import replace

import pytest

from workbench.errors import RecipeError
from workbench.recipes.catalog import CATALOG, build, entry


def test_names_of_personalize_are_accepted_with_their_prefix():
    assert entry("aws-sims") is CATALOG["sims"]
    assert build("aws-popularity-count").name == "popularity-count"


def test_a_misspelt_recipe_gets_the_nearest():
    with pytest.raises(RecipeError, match=r"no recipe 'simms'. Did you mean 'sims'\?"):
        entry("simms")


@pytest.mark.parametrize("name", [None, 3, ["sims"]])
def test_a_name_that_is_no_text_is_refused(name):
    with pytest.raises(RecipeError, match="named by text"):
        entry(name)


def test_any_recbole_model_has_a_row_of_its_own_making():
    row = entry("recbole:ItemKNN")
    assert (row.name, row.family, row.arguments) == ("recbole:ItemKNN", "recbole", {"model": "ItemKNN"})


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"min_cointeraction_count": 11}, "min_cointeraction_count=11 is outside its range 0 to 10"),
        ({"min_cointeraction_count": 2.5}, "must be a whole number, not float 2.5"),
        ({"min_cointeraction_count": True}, "must be a whole number, not bool True"),
        ({"popularity_discount_factor": "0.5"}, "must be a number, not str '0.5'"),
        ({"popularity_discount_factor": float("nan")}, "must be a number, not float nan"),
        ({"popularity_discount": 0.5}, "Did you mean 'popularity_discount_factor'"),
        ("ridge", "hyperparameters must be a mapping"),
        ({"min_item_interaction_count_percentile": 0.95}, "is above max_item_interaction_count_percentile=0.9"),
    ],
)
def test_wrong_hyperparameters_are_refused_with_their_value(given, words):
    with pytest.raises(RecipeError, match=words):
        build("sims", given)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"decays": 0.5}, "decays must be list"),
        ({"decays": [0.5, 1.0]}, r"decays\[1\]=1.0 is outside its range 0.001 to 0.9999"),
        ({"decays": []}, "must be at least one"),
        ({"decays": [0.5, 0.5]}, "none of them twice"),
        ({"event_weights": {"buy": -1}}, r"event_weights\['buy'\]=-1 is outside its range 0 to 1"),
    ],
)
def test_lists_and_mappings_are_checked_inside(given, words):
    with pytest.raises(RecipeError, match=words):
        build("user-personalization", given)


@pytest.mark.parametrize(
    ("name", "given", "words"),
    [
        ("aws-user-personalization", {"hidden_dimension": 149}, "hidden_dimension of Personalize .* here; use width"),
        ("user-personalization", {"bptt": 32}, "bptt of Personalize has no meaning here; use lags"),
        ("personalized-ranking", {"exploration_weight": 0.3}, "it is set when serving"),
    ],
)
def test_a_name_of_personalize_without_meaning_says_what_to_use_instead(name, given, words):
    with pytest.raises(RecipeError, match=words):
        build(name, given)


def test_no_row_sends_people_away_from_a_setting_it_has():
    for row in CATALOG.values():
        assert not set(row.instead) & set(row.hyperparameters), row.name
        assert set(row.also_called.values()) <= set(row.hyperparameters), row.name


def test_another_name_of_a_setting_is_the_setting_and_counts_once():
    row = replace(CATALOG["sims"], also_called={"least": "min_cointeraction_count"})
    assert row.complete({"least": 2})["min_cointeraction_count"] == 2
    with pytest.raises(RecipeError, match="min_cointeraction_count is given twice; 'least' is another name"):
        row.complete({"min_cointeraction_count": 2, "least": 2})


def test_personalized_ranking_is_user_personalization_under_another_question():
    engine, row = CATALOG["user-personalization"], CATALOG["personalized-ranking"]
    assert (row.factory, row.hyperparameters) == (engine.factory, engine.hyperparameters)
    assert row.use_case == "PERSONALIZED_RANKING"


def test_whole_numbers_become_the_type_of_the_setting():
    values = entry("user-personalization").complete({"ridge": 5, "lags": 20.0})
    assert (values["ridge"], type(values["ridge"])) == (5.0, float)
    assert (values["lags"], type(values["lags"])) == (20, int)


def test_looking_the_catalogue_up_imports_no_model():
    script = (
        "import sys; from workbench.recipes.catalog import entry; entry('recbole:SASRec');"
        "print([m for m in ('torch', 'recbole', 'scipy') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
