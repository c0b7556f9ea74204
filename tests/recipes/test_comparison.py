"""A comparison: who takes part, what the budget leaves, who fails, and what may be said of a leader."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import RecipeError, SourceError
from workbench.evaluation.splits import make_split
from workbench.recipes import comparison_runs
from workbench.recipes.comparison import compare, pick_pairs
from workbench.recipes.comparison_data import read_comparison
from workbench.recipes.comparison_entrants import find_entrants
from workbench.recipes.comparison_files import write_lists


@pytest.fixture(scope="module")
def circle():
    """50 users walk around 20 items in order; the next item is certain, and popularity says nothing."""
    rows = [(f"{u:03d}", f"{(u + s) % 20:02d}", 100 * s + u) for u in range(50) for s in range(12)]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


@pytest.fixture(scope="module")
def split(circle):
    return make_split("leave-last-out", circle)


RECIPES = [
    "popularity-count",
    {"recipe": "user-personalization", "hyperparameters": {"ridge": 1.0}},
    {"recipe": "user-personalization", "hyperparameters": {"ridge": 1.0, "decays": [0.3]}, "label": "short memory"},
]


@pytest.fixture(scope="module")
def found(split):
    return compare(RECIPES, split, top_k=5, seed=3)


def test_entrants_are_named_and_the_missing_baseline_is_added():
    labels = [(each.label, each.added) for each in find_entrants(RECIPES)]
    assert labels == [
        ("popularity-count", False),
        ("user-personalization (ridge=1.0)", False),
        ("short memory", False),
        ("recent-popularity", True),
    ]


@pytest.mark.parametrize(
    ("recipes", "words"),
    [
        ([], "at least one recipe"),
        ("sims", "must be a list"),
        (["simms"], "Did you mean 'sims'"),
        ([{"recipe": "sims", "hyper": {}}], "unknown key 'hyper'"),
        ([{"hyperparameters": {}}], "lacks the key 'recipe'"),
        ([{"recipe": "sims", "hyperparameters": {"x": 1}}], "no hyperparameter 'x'"),
        (["sims", "aws-sims"], "'sims' twice"),
    ],
)
def test_wrong_lists_of_recipes_stop_before_anything_runs(recipes, words):
    with pytest.raises(RecipeError, match=words):
        find_entrants(recipes)


def test_every_held_out_user_has_a_list_of_every_recipe(found, split):
    sizes = found.lists.groupby("RECIPE")["USER_ID"].nunique()
    assert set(sizes) == {50}
    assert len(sizes) == 4
    assert (found.lists.groupby(["RECIPE", "USER_ID"])["RANK"].max() == 5).all()
    assert set(found.timings) == set(sizes.index)
    assert all(set(times) == {"fit", "score"} for times in found.timings.values())
    assert found.outcomes["MEMORY"].between(0, 2).all()
    assert not found.outcomes["OUTSIDE"].any()


def test_the_certain_next_item_is_found_and_clearly_beats_the_baselines(found):
    means = found.summary[found.summary["METRIC"] == found.metric].set_index("RECIPE")["MEAN"]
    assert means["user-personalization (ridge=1.0)"] == 1.0
    assert found.baseline in ("popularity-count", "recent-popularity")
    beside = found.differences[found.differences["METRIC"] == found.metric].set_index("RECIPE")
    assert beside.loc["short memory", "READING"] == "higher"


def test_pairs_hold_every_two_recipes_once_the_higher_mean_first(found):
    pairs = found.pairs[found.pairs["METRIC"] == found.metric]
    assert len(pairs) == 6
    assert (pairs["DIFFERENCE"] >= 0).all()


def test_of_many_recipes_the_leader_and_the_neighbours_are_compared():
    assert pick_pairs(["a", "b", "c"]) == [("a", "b"), ("a", "c"), ("b", "c")]
    many = pick_pairs([f"r{n}" for n in range(9)])
    assert len(many) == 8 + 7
    assert ("r3", "r4") in many
    assert ("r3", "r5") not in many


def test_intervals_of_the_leader_are_at_least_as_wide_as_single_ones(split):
    noisy = compare(["sims", "recent-popularity", "popularity-count"], split, top_k=10)
    one = noisy.pairs[(noisy.pairs["METRIC"] == noisy.metric) & (noisy.pairs["FIRST"] == noisy.order[0])]
    widths = noisy.lead.set_index("SECOND")["HIGH"] - noisy.lead.set_index("SECOND")["LOW"]
    single = one.set_index("SECOND")["HIGH"] - one.set_index("SECOND")["LOW"]
    assert (widths >= single.reindex(widths.index) - 0.02).all()


def test_a_used_up_budget_skips_and_says_so_but_never_the_baselines(split):
    found = compare(["sims", "user-personalization"], split, budget_minutes=1e-9)
    status = found.outcomes.set_index("RECIPE")["STATUS"].to_dict()
    assert status == {
        "sims": "skipped",
        "user-personalization": "skipped",
        "popularity-count": "done",
        "recent-popularity": "done",
    }
    assert found.outcomes["REASON"].iloc[0].startswith("the budget of 1e-09 minutes was used up")


def test_a_recipe_that_cannot_work_is_reported_and_the_others_go_on(split):
    broken = {"recipe": "user-personalization", "hyperparameters": {"event_weights": {"buy": 1.0}}}
    found = compare([broken, "sims"], split)
    row = found.outcomes.set_index("RECIPE").loc["user-personalization"]
    assert row["STATUS"] == "failed"
    assert "need the column EVENT_TYPE" in row["REASON"]
    assert "sims" in found.order


def test_models_that_stop_by_the_clock_are_told_what_is_left():
    bpr, ease = find_entrants(["recbole:BPR", "recbole:EASE"])[:2]
    assert comparison_runs._in_time(bpr, 30.0)["budget_minutes"] == 0.5
    assert comparison_runs._in_time(bpr, float("inf")) == {}
    assert comparison_runs._in_time(ease, 30.0) == {}
    own = find_entrants([{"recipe": "user-personalization", "hyperparameters": {"budget_minutes": 5.0}}])[0]
    assert comparison_runs._in_time(own, 60.0) == {"budget_minutes": 1.0}
    assert comparison_runs._in_time(own, 6_000.0) == {"budget_minutes": 5.0}
    assert comparison_runs._in_time(find_entrants(["user-personalization"])[0], 60.0) == {}


@pytest.mark.parametrize("minutes", [0, -1, float("nan")])
def test_a_budget_that_is_none_is_refused(split, minutes):
    with pytest.raises(ValueError, match="budget_minutes must be above 0"):
        compare(["sims"], split, budget_minutes=minutes)


def test_written_lists_keep_ids_as_text_and_leave_added_baselines_out(found, tmp_path):
    lists = pd.read_parquet(write_lists(found.asked_lists, tmp_path / "deep" / "lists.parquet"))
    assert list(lists.columns) == ["RECIPE", "USER_ID", "ITEM_ID", "RANK", "SCORE"]
    assert set(lists["RECIPE"]) == {"popularity-count", "user-personalization (ridge=1.0)", "short memory"}
    assert lists["USER_ID"].str.fullmatch(r"\d{3}").all()
    assert lists["ITEM_ID"].str.fullmatch(r"\d{2}").all()
    assert [each.name for each in (tmp_path / "deep").iterdir()] == ["lists.parquet"]


def test_the_same_seed_gives_the_same_comparison(found, split):
    again = compare(RECIPES, split, top_k=5, seed=3)
    pd.testing.assert_frame_equal(again.pairs, found.pairs)
    pd.testing.assert_frame_equal(again.lists, found.lists)


@pytest.fixture
def place(tmp_path):
    return Workspace(tmp_path / "workspace")


def test_a_log_straight_from_a_file_with_odd_names(place, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("who;film;when\n007;01;2024-01-02\n08;1;2024-01-01\n")
    columns = {"who": "USER_ID", "film": "ITEM_ID", "when": "TIMESTAMP"}
    found = read_comparison(place, str(path), columns=columns)
    assert found.data.interactions["USER_ID"].to_list() == ["007", "08"]
    assert found.data.interactions["ITEM_ID"].to_list() == ["01", "1"]
    assert found.data.interactions["TIMESTAMP"].to_list() == [1_704_153_600, 1_704_067_200]
    assert found.data.items is None


def test_usual_names_are_recognised_and_reported(place, tmp_path):
    path = tmp_path / "ratings.csv"
    path.write_text("userId,movieId,rating,timestamp\n1,01,4,100\n2,02,3,90\n")
    found = read_comparison(place, str(path))
    assert list(found.data.interactions.columns) == ["USER_ID", "ITEM_ID", "rating", "TIMESTAMP"]
    assert "took 'userId' as USER_ID, 'movieId' as ITEM_ID, 'timestamp' as TIMESTAMP" in found.notes[0]


def test_a_log_without_times_or_header_keeps_its_order(place, tmp_path):
    path = tmp_path / "log.txt"
    path.write_text("1 5\n1 4\n2 4\n")
    options = {"format": "csv", "delimiter": " ", "header": False, "names": ["USER_ID", "ITEM_ID"]}
    found = read_comparison(place, str(path), options=options)
    assert found.data.interactions["TIMESTAMP"].to_list() == [0, 1, 2]
    assert any("order of its rows" in note for note in found.notes)


def test_a_published_split_comes_from_two_files(place, tmp_path):
    (tmp_path / "train.csv").write_text("USER_ID,ITEM_ID\na,x\na,y\nb,x\n")
    (tmp_path / "test.csv").write_text("USER_ID,ITEM_ID\nb,y\n")
    found = read_comparison(place, str(tmp_path / "train.csv"), test_source=str(tmp_path / "test.csv"))
    lists = compare(["popularity-count"], make_split("given", found.data.interactions, 0, found.test)).lists
    assert lists.loc[lists["RECIPE"] == "popularity-count", "ITEM_ID"].to_list() == ["y"]


def test_a_group_brings_its_own_items(place, circle):
    place.create_group("own")
    place.write_dataset("own", "interactions", circle, origin={})
    place.write_dataset("own", "items", pd.DataFrame({"ITEM_ID": ["00"], "TITLE": ["first"]}), origin={})
    found = read_comparison(place, "own")
    assert len(found.data.interactions) == 600
    assert found.data.items["TITLE"].to_list() == ["first"]


def test_what_cannot_be_read_says_what_is_missing(place, tmp_path):
    path = tmp_path / "log.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(RecipeError, match=r"has no column USER_ID; found \['a', 'b'\]"):
        read_comparison(place, str(path))
    with pytest.raises(RecipeError, match="columns names 'whom', which no file has"):
        read_comparison(place, str(path), columns={"a": "USER_ID", "b": "ITEM_ID", "whom": "TIMESTAMP"})
    with pytest.raises(SourceError):
        read_comparison(place, str(tmp_path / "nowhere.csv"))


def test_scores_that_tie_everywhere_have_no_leader(split):
    found = compare(["popularity-count"], split)
    assert np.isfinite(found.lead["DIFFERENCE"]).all()
    assert set(found.lead["READING"]) <= {"higher", "no clear difference"}
