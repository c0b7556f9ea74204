"""Sentences and tables of a training say what the numbers say, whatever the parameters."""

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.recipes.training import TrainingConfig, train
from workbench.show import training_words

NDCG = "normalized_discounted_cumulative_gain_at_10"


@pytest.fixture(scope="module")
def training(tmp_path_factory):
    place = Workspace(tmp_path_factory.mktemp("words") / "workspace")
    place.create_group("circle")
    rows = [(f"u{u:02d}", f"i{(u + s) % 20:02d}", 1_000 * s + u) for u in range(30) for s in range(12)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    place.write_dataset("circle", "interactions", events, origin={})
    return train(place, "circle", "mine", "sims", TrainingConfig(top_k=10, train_anyway=True))


def test_the_verdict_names_score_interval_baselines_and_limits(training):
    words = training_words.verdict(training, NDCG)
    mean = training.evaluation.per_user[NDCG].mean()
    assert f"sims reaches NDCG at 10 of {mean:.4f} (" in words
    assert "over 3 held-out users" in words
    assert "popularity-count" in words
    assert "recent-popularity" in words
    assert "an A/B test has the last word" in words
    assert "too little data: 360 interactions of the 1,000 needed" in words
    readings = training.differences.set_index("METRIC").loc[[NDCG], "READING"]
    assert all(reading in words for reading in readings)


def test_the_headline_carries_intervals(training):
    rows = training_words.headline(training, NDCG)
    assert [row["name"] for row in rows] == [
        "NDCG at 10, sims",
        "NDCG at 10 minus popularity-count",
        "NDCG at 10 minus recent-popularity",
        "coverage of items",
    ]
    assert all(row["low"] <= row["value"] <= row["high"] for row in rows[:3])


def test_counts_add_up_and_say_what_was_set_aside(training):
    counts = training_words.count_table(training).set_index("WHAT")["COUNT"]
    parts = ["events to learn from", "their past events, given as input", "their events to foretell"]
    assert counts[parts].sum() == counts["events in the dataset"] == 360
    assert counts["held-out users"] == 3
    assert "users who got the fallback list" in counts.index


def test_tables_are_ready_to_read(training):
    assert training_words.time_table(training)["SECONDS"].min() >= 0
    table = training_words.catalogue_table(training)
    assert list(table.columns) == ["METRIC", "sims", "popularity-count", "recent-popularity", "MEANS"]
    assert (table["MEANS"] != "").all()
    gaps = training_words.difference_table(training.differences.assign(LOW=float("nan"), HIGH=float("nan")))
    assert set(gaps["95 % INTERVAL"]) == {"–"}
    assert training_words.difference_table(training.differences)["DIFFERENCE"].str.match(r"[+-]\d").all()


def test_options_show_what_will_be_used():
    table = training_words.hyperparameter_table("sims", {"min_cointeraction_count": 5}).set_index("HYPERPARAMETER")
    assert table.loc["min_cointeraction_count", ["VALUE", "DEFAULT", "RANGE"]].to_list() == ["5", "3", "0 to 10"]
    free = training_words.hyperparameter_table("recbole:Pop", {"train_batch_size": 64})
    assert free[["HYPERPARAMETER", "VALUE"]].to_numpy().tolist() == [["train_batch_size", "64"]]
