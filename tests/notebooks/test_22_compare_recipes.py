"""Notebook 22 on a file of one's own, with other parameters than its defaults."""

from pathlib import Path

import pandas as pd
import pytest


@pytest.fixture
def log(tmp_path):
    """Odd names, ids with leading zeros, order only: 40 users walk around 25 items."""
    rows = [f"{u:03d};{(u + s) % 25:03d};{s}" for u in range(40) for s in range(9)]
    path = tmp_path / "my log.csv"
    path.write_text("\n".join(["wer;was;note", *rows]) + "\n")
    return path


@pytest.mark.notebook
def test_parameters_steer_the_comparison(run_notebook, log, tmp_path):
    recipes = ["sims", {"recipe": "user-personalization", "hyperparameters": {"ridge": 1.0, "decays": [0.5]}}]
    found = run_notebook(
        "22_compare_recipes",
        source=str(log),
        columns={"wer": "USER_ID", "was": "ITEM_ID"},
        recipes=recipes,
        split="leave-last-out",
        top_k=4,
        seed=11,
        report_dir=str(tmp_path / "out"),
    )
    assert found["status"] == "completed"
    assert found["metric"] == "normalized_discounted_cumulative_gain_at_4"
    assert found["split"]["held_out_users"] == 40
    assert set(found["timings"]["user-personalization"]) == {"fit", "score"}
    assert [row["STATUS"] for row in found["outcomes"]] == ["done"] * 4
    assert found["headline"][0]["name"] == "NDCG, user-personalization"
    assert found["seed"] == 11
    lists = pd.read_parquet(Path(tmp_path) / "out" / "lists.parquet")
    assert lists.groupby("RECIPE").size().to_dict() == {"sims": 160, "user-personalization": 160}
    assert lists["USER_ID"].str.len().eq(3).all()
    # The ninth step of user 3 leads to item (3 + 8) % 25.
    first = lists[(lists["RECIPE"] == "user-personalization") & (lists["USER_ID"] == "003") & (lists["RANK"] == 1)]
    assert first["ITEM_ID"].to_list() == ["011"]


@pytest.mark.notebook
def test_a_published_split_a_budget_and_lists_of_another_system(run_notebook, log, tmp_path):
    test = tmp_path / "test.csv"
    test.write_text("wer;was\n003;013\n004;014\n")
    (tmp_path / "theirs.csv").write_text("USER_ID,ITEM_ID,RANK\n003,013,1\n004,001,1\n004,014,2\n")
    theirs = {"lists": str(tmp_path / "theirs.csv"), "label": "theirs", "fit_seconds": 90.0}
    found = run_notebook(
        "22_compare_recipes",
        source=str(log),
        columns={"wer": "USER_ID", "was": "ITEM_ID"},
        recipes=["popularity-count", "sims", theirs],
        split="given",
        split_dir=str(tmp_path / "split"),
        test_source=str(test),
        exclude_seen=False,
        budget_minutes=1e-9,
    )
    assert found["split"]["held_out_events"] == 2
    assert {row["RECIPE"]: row["STATUS"] for row in found["outcomes"]}["sims"] == "skipped"
    assert found["headline"][0]["name"] == "NDCG, theirs"
    assert found["timings"]["theirs"] == {"fit": 90.0, "score": None}
    assert found["split_files"] == ["train.parquet", "history.parquet", "held_out.parquet", "split.json"]
    assert len(pd.read_parquet(tmp_path / "split" / "train.parquet")) == 360
