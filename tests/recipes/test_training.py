"""A training: what it compares with, what it saves, what it refuses, and what it counts."""

import json

import numpy as np
import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import RecipeError, SplitError
from workbench.evaluation.splits import given, make_split
from workbench.recipes.contract import encode_histories
from workbench.recipes.examples import HIT, because_of, item_titles, pick_users, user_card
from workbench.recipes.ranking import top_k
from workbench.recipes.scoring import metric_cuts
from workbench.recipes.storage import load
from workbench.recipes.training import TrainingConfig, fit_and_score, train
from workbench.recipes.training_data import filter_events, shortfalls

COLUMNS = ["USER_ID", "ITEM_ID", "TIMESTAMP"]


def table(rows):
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.astype({"USER_ID": "str", "ITEM_ID": "str", "TIMESTAMP": "int64"})


@pytest.fixture
def circle():
    """60 users walk around 20 items in order, 20 steps each from a start of their own: the next item is certain."""
    steps = [(f"u{u:02d}", f"i{(u + s) % 20:02d}", 1_000_000 + s * 100 + u) for u in range(60) for s in range(20)]
    return table(steps)


@pytest.fixture
def items():
    return pd.DataFrame(
        {
            "ITEM_ID": [f"i{n:02d}" for n in range(20)],
            "TITLE": [f"Film <b>{n}</b>" for n in range(20)],
            "GENRES": ["Drama" if n % 2 else "Crime|Drama" for n in range(20)],
        }
    )


@pytest.fixture
def workspace(tmp_path, circle, items):
    found = Workspace(tmp_path / "workspace")
    found.create_group("circle")
    found.write_dataset("circle", "interactions", circle, origin={})
    found.write_dataset("circle", "items", items, origin={})
    return found


def test_lists_are_judged_by_hand():
    """a is known by three users, b by two, c by one: cold gets a, b, c; new's a is seen and left out."""
    train_part = table([("1", "a", 1), ("2", "a", 2), ("1", "b", 3), ("2", "b", 4), ("2", "c", 5), ("new", "a", 6)])
    split = given(train_part, pd.DataFrame({"USER_ID": ["new", "cold", "new"], "ITEM_ID": ["c", "a", "unknown"]}))
    found = fit_and_score("popularity-count", {}, split, k=2)
    assert found.lists.groupby("USER_ID")["ITEM_ID"].agg("".join).to_dict() == {"cold": "ab", "new": "bc"}
    assert found.per_user["mean_reciprocal_rank_at_2"].to_dict() == {"new": 0.5, "cold": 1.0}
    assert found.per_user["recall_at_2"].to_dict() == {"new": 0.5, "cold": 1.0}
    assert found.catalogue["coverage"] == 1.0
    assert found.notes["fallback_users"] == 1
    assert found.notes["fallback_share"] == 0.5
    assert found.notes["held_out_events_out_of_reach"] == 1
    assert set(found.timings) == {"fit", "score"}


def test_seen_items_may_stay_in_the_lists():
    split = make_split("leave-last-out", table([("1", "a", 1), ("1", "b", 2), ("1", "a", 3), ("2", "a", 4)]))
    without = fit_and_score("popularity-count", {}, split, k=1)
    assert without.notes["held_out_events_out_of_reach"] == 1
    assert without.per_user["hit_rate_at_1"].sum() == 0
    kept = fit_and_score("popularity-count", {}, split, k=1, exclude_seen=False)
    assert kept.notes["held_out_events_out_of_reach"] == 0
    assert kept.per_user["hit_rate_at_1"].sum() == 1


def test_metrics_are_cut_where_the_lists_end():
    assert metric_cuts(25) == [5, 10, 25]
    assert metric_cuts(12) == [5, 10, 12]
    assert metric_cuts(100) == [5, 10, 25, 100]
    assert metric_cuts(1) == [1]
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        metric_cuts(0)


def test_training_compares_with_both_baselines_and_saves(workspace):
    found = train(workspace, "circle", "mine", "sims", TrainingConfig(top_k=10, seed=3))
    assert list(found.evaluations) == ["sims", "popularity-count", "recent-popularity"]
    assert set(found.differences["BASELINE"]) == {"popularity-count", "recent-popularity"}
    assert set(found.differences["READING"]) <= {"higher", "lower", "no clear difference"}
    assert found.summary["USERS"].unique().tolist() == [6]
    assert (found.version.solution, found.version.version, found.version.status) == ("mine", 1, "ACTIVE")
    names = {path.name for path in found.version.path.iterdir()}
    assert names == {"model.safetensors", "recipe.json", "items.parquet", "metrics.json", "per_user.parquet"}
    written = json.loads((found.version.path / "metrics.json").read_text())
    assert written["seed"] == 3
    assert written["datasets"]["interactions"]["hash"] == found.data_hash
    assert written["parameters"]["recipe"] == "sims"
    assert written["metrics"]["precision_at_10"] == found.version.metrics["precision_at_10"]
    assert written["split"]["held_out_users"] == 6
    assert {"python", "numpy"} <= set(written["packages"])
    assert {"fit", "score", "fit_on_all_events", "all"} <= set(written["timings"])
    kept = pd.read_parquet(found.version.path / "per_user.parquet")
    assert kept.groupby("RECIPE").size().to_dict() == {"sims": 6, "popularity-count": 6, "recent-popularity": 6}


def test_the_saved_model_learned_from_all_events(workspace, circle):
    found = train(workspace, "circle", "mine", "popularity-count", TrainingConfig(seed=1))
    model = load(found.version.path)
    assert model.scores.sum() == len(circle)  # every user had every item once
    assert found.evaluation.recipe.scores.sum() == found.split.notes["train_events"]
    assert set(found.baselines) == {"recent-popularity"}


def test_same_seed_same_scores(workspace):
    first, again = (train(workspace, "circle", "mine", "sims", TrainingConfig(seed=5)) for _ in range(2))
    pd.testing.assert_frame_equal(first.summary, again.summary)
    assert again.version.version == 2


def test_too_little_data_is_refused_with_all_reasons_and_the_failure_is_kept(tmp_path, circle):
    few = Workspace(tmp_path / "workspace")
    few.create_group("few")
    few.write_dataset("few", "interactions", circle[circle["USER_ID"] < "u10"], origin={})
    with pytest.raises(RecipeError, match=r"200 interactions of the 1,000 needed; 10 users .* of the 25 needed"):
        train(few, "few", "mine", "popularity-count")
    failed = few.solution_versions("few").iloc[0]
    assert failed["STATUS"] == "CREATE FAILED"
    assert "Too little to train on" in failed["FAILURE_REASON"]
    found = train(few, "few", "mine", "popularity-count", TrainingConfig(train_anyway=True))
    assert len(found.notes["below_the_least"]) == 2
    assert found.version.version == 2


def test_a_share_of_users_and_too_many_event_types_count_too():
    singles = table([(f"u{n}", "a", n) for n in range(5_000)] + [(f"v{n % 30}", f"i{n}", n) for n in range(60)])
    assert shortfalls(singles.head(5_060)) == ["30 of 5,030 users have 2 interactions or more, 1% are needed"]
    types = table([(f"u{n % 50}", f"i{n}", n) for n in range(1_100)]).assign(
        EVENT_TYPE=[f"t{n % 11}" for n in range(1_100)]
    )
    assert shortfalls(types) == ["11 event types, at most 10 are allowed"]


def test_the_event_filter_counts_what_it_drops():
    events = table([("u", "a", 1), ("u", "b", 2), ("u", "c", 3), ("u", "d", 4)])
    events = events.assign(EVENT_TYPE=["watch", "watch", "click", "watch"], EVENT_VALUE=[5.0, 2.0, 5.0, None])
    before = events.copy()
    kept, notes = filter_events(events, ["watch"], 3)
    assert kept["ITEM_ID"].tolist() == ["a"]
    assert notes == {"events": 4, "dropped_by_event_type": 1, "dropped_by_event_value": 2, "events_left": 1}
    pd.testing.assert_frame_equal(events, before)
    with pytest.raises(RecipeError, match="EVENT_TYPE 'wach'.*Did you mean 'watch'"):
        filter_events(events, ["wach"])
    with pytest.raises(RecipeError, match="needs a column EVENT_VALUE"):
        filter_events(events[COLUMNS], (), 3)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        ({"recipe_name": "simms"}, RecipeError, "Did you mean 'sims'"),
        ({"config": TrainingConfig(hyperparameters={"min_count": 1})}, RecipeError, "no hyperparameter 'min_count'"),
        ({"config": TrainingConfig(split="user-90-10")}, SplitError, "Did you mean 'users-90-10'"),
        ({"config": TrainingConfig(event_types=["buy"])}, RecipeError, "needs a column EVENT_TYPE"),
    ],
)
def test_wrong_names_are_told(workspace, call, error, words):
    with pytest.raises(error, match=words):
        train(workspace, "circle", "mine", **({"recipe_name": "sims"} | call))


def test_a_missing_dataset_is_told(tmp_path):
    empty = Workspace(tmp_path / "workspace")
    empty.create_group("empty")
    with pytest.raises(RecipeError, match="has no interactions; it has nothing yet"):
        train(empty, "empty", "mine", "sims")


def test_a_card_shows_past_list_and_hits_by_title(circle, items):
    split = make_split("leave-last-out", circle)
    found = fit_and_score("popularity-count", {}, split, items, k=25)
    card = user_card(found, split, items, "u07", past=3)
    assert card.past["ITEM"].tolist() == ["Film <b>5</b>", "Film <b>4</b>", "Film <b>3</b>"]
    assert card.past["WHEN"].tolist() == ["1970-01-12"] * 3
    assert card.listed["ITEM"].tolist() == ["Film <b>6</b>"]  # everything else is seen
    assert card.listed["HIT"].tolist() == [HIT]
    assert "BECAUSE OF" not in card.listed.columns
    assert card.sentence == (
        "User u07: 1 of 1 recommended items shown were chosen next. Chosen next, 1 in all: Film <b>6</b>"
    )
    assert user_card(found, split, None, "u07").listed["ITEM"].tolist() == ["i06"]
    with pytest.raises(RecipeError, match="'nobody' is not among the 60 held-out users"):
        user_card(found, split, items, "nobody")


def test_reasons_name_past_items(circle):
    model = fit_and_score(
        "sims", {"max_item_interaction_count_percentile": 1.0}, make_split("users-90-10", circle)
    ).recipe
    history = circle[circle["USER_ID"] == "u01"].head(5)
    listed = top_k(model, encode_histories(history, model.item_ids), 2)["ITEM_ID"]
    reasons = because_of(model, history, "u01", listed, item_titles(None))
    assert all(part in set(history["ITEM_ID"]) for reason in reasons for part in reason.split("; "))


def test_a_card_names_attributes_where_they_took_part(circle, items):
    table = items.assign(COLOUR=["<b>red</b>", "blue | white"] * (len(items) // 2))
    split = make_split("leave-last-out", circle)
    found = fit_and_score("similar-items", {"shrinkage": 50}, split, table, k=25)
    card = user_card(found, split, table, "u07")
    assert card.listed["ATTRIBUTES"].str.contains(r"COLOUR=|TITLE~", regex=True).any()
    assert "ATTRIBUTES" not in user_card(fit_and_score("sims", {}, split, table), split, table, "u07").listed


def test_picked_users_are_held_out_and_follow_the_seed(circle):
    split = make_split("users-90-10", circle, 2)
    picked = pick_users(split, 3, seed=1)
    assert len(picked) == 3
    assert set(picked) <= set(split.held_out["USER_ID"])
    assert pick_users(split, 3, seed=1) == picked
    assert len(pick_users(split, 100)) == 6


def test_undefined_metrics_are_null_in_the_file(workspace):
    found = train(workspace, "circle", "mine", "popularity-count", TrainingConfig(split="leave-last-out"))
    assert found.evaluation.per_user["diversity_at_25"].isna().all()  # only one item is left to list
    written = json.loads((found.version.path / "metrics.json").read_text())
    assert written["metrics"]["diversity_at_25"] is None
    assert np.isnan(found.evaluation.summary.set_index("METRIC").loc["diversity_at_25", "MEAN"])


def test_an_objective_changes_the_lists_and_is_kept_with_the_model(workspace, circle, items):
    priced = items.assign(PRICE=[float(n % 7) for n in range(20)])
    workspace.write_dataset("circle", "items", priced, origin={})
    objective = {"itemAttribute": "PRICE", "objectiveSensitivity": "HIGH"}
    config = TrainingConfig(split="global-time", top_k=5, objective=objective, exclude_seen=False)
    found = train(workspace, "circle", "mine", "popularity-count", config)
    kept = found.version.config["objective"]
    assert kept == {"column": "PRICE", "sensitivity": "HIGH", "weight": 0.75, "candidates_per_place": 4}
    assert set(found.purposes) == {"objective_curve"}
    curve = found.purposes["objective_curve"].set_index("SENSITIVITY")
    main = "normalized_discounted_cumulative_gain_at_5"
    assert found.version.metrics[main] == pytest.approx(curve.loc["HIGH", "NDCG"])
    assert curve.loc["HIGH", "MEAN_REWARD"] > curve.loc["OFF", "MEAN_REWARD"]
    assert found.version.metrics["average_rewards_at_k"] == pytest.approx(curve.loc["HIGH", "AVERAGE_REWARDS"])
    assert "average_rewards_at_k" in found.baselines["recent-popularity"].catalogue
    written = json.loads((found.version.path / "metrics.json").read_text())
    assert len(written["purposes"]["objective_curve"]) == len(curve)


def test_a_column_that_is_no_reward_stops_before_any_waiting(workspace):
    with pytest.raises(RecipeError, match="TITLE must be numeric"):
        train(workspace, "circle", "mine", "sims", TrainingConfig(objective={"column": "TITLE"}))
    with pytest.raises(RecipeError, match="no sensitivity 'SOME'"):
        train(
            workspace,
            "circle",
            "mine",
            "sims",
            TrainingConfig(objective={"column": "TITLE", "sensitivity": "some"}),
        )


def test_trends_and_given_lists_are_judged_too(workspace):
    trends = train(workspace, "circle", "trends", "trending-now", TrainingConfig(hyperparameters={"frequency": "100s"}))
    assert len(trends.purposes["trend_backtest"]) == 10
    assert 0 <= trends.version.metrics["trend_prediction_accuracy"] <= 1
    hyperparameters = {"ridge": 10.0, "popularity_discount": 0.0}
    config = TrainingConfig(hyperparameters=hyperparameters, split="leave-last-out", exclude_seen=False)
    ranked = train(workspace, "circle", "ranked", "personalized-ranking", config)
    table = ranked.purposes["given_lists"].set_index("METRIC")
    assert table.loc["hit_rate_at_25", ["GIVEN", "RANKED"]].tolist() == [1.0, 1.0]  # the list is the whole catalogue
    assert table.loc["mean_reciprocal_rank_at_25", "READING"] == "higher"
    assert load(ranked.version.path).name == "personalized-ranking"
