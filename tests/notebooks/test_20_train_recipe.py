"""Notebook 20 with other parameters than its defaults: each of them must steer it."""

import pandas as pd
import pytest

from workbench.data.workspace import Workspace


@pytest.fixture
def own_group(tmp_path):
    """Ids with leading zeros and a script in a title; 40 users walk around 30 items, and half only click."""
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    rows = [
        (
            f"{u:03d}",
            f"{(7 * u + s) % 30:03d}",
            1_600_000_000 + 1_000 * s + u,
            "buy" if s % 2 else "click",
            float(s % 5),
        )
        for u in range(40)
        for s in range(12)
    ]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"])
    place.write_dataset("own", "interactions", events, origin={})
    items = pd.DataFrame({"ITEM_ID": [f"{n:03d}" for n in range(30)], "TITLE": ["<script>alert(1)</script>"] * 30})
    place.write_dataset(
        "own", "items", items.assign(COLOUR=["red", "blue"] * 15, PRICE=[float(n % 7) for n in range(30)]), origin={}
    )
    return tmp_path / "workspace"


@pytest.mark.notebook
def test_parameters_steer_the_training(run_notebook, own_group):
    found = run_notebook(
        "20_train_recipe",
        group="own",
        recipe="sims",
        hyperparameters={"min_cointeraction_count": 1, "max_item_interaction_count_percentile": 1.0},
        split="leave-last-out",
        top_k=6,
        event_types=["buy"],
        event_value_threshold=1.0,
        exclude_seen=False,
        train_anyway=True,
        objective_column="PRICE",
        objective_sensitivity="medium",
        examples=2,
        solution="mine",
        seed=3,
    )
    assert found["status"] == "completed"
    assert found["headline"][0]["name"] == "NDCG at 6, sims"
    assert found["parameters"]["hyperparameters"]["min_cointeraction_count"] == 1
    assert found["counts"]["held_out_users"] == 40
    assert found["counts"]["held_out_events"] == 40
    assert found["counts"]["train_events"] + 40 == 40 * 5  # of 6 buys each, the one of value 0 is dropped
    assert len(found["examples"]) == 2
    assert found["parameters"]["objective"]["weight"] == 0.5
    curve = {row["SENSITIVITY"]: row["MEAN_REWARD"] for row in found["objective_curve"]}
    assert curve["HIGH"] > curve["OFF"]
    assert found["seed"] == 3
    assert {row["RECIPE"] for row in found["summary"]} == {"sims", "popularity-count", "recent-popularity"}
    assert {"precision_at_6", "precision_at_5"} <= set(found["metrics"])
    assert set(found["figures"]) == {"scores", "differences", "users", "parts", "objective"}
    saved = Workspace(own_group).solution_version("own", "mine")
    assert (saved.version, saved.config["split"], saved.config["event_types"]) == (1, "leave-last-out", ["buy"])


@pytest.mark.notebook
def test_another_recipe_and_seed_give_other_numbers(run_notebook, own_group, tmp_path):
    common = {"group": "own", "train_anyway": True, "top_k": 5, "workspace": str(own_group)}
    first = run_notebook("20_train_recipe", recipe="popularity-count", seed=1, **common)
    again = run_notebook("20_train_recipe", recipe="popularity-count", seed=2, **common)
    assert first["headline"][0]["value"] != again["headline"][0]["value"]
    assert first["parameters"]["recipe"] == "popularity-count"
    assert {row["BASELINE"] for row in first["differences"]} == {"recent-popularity"}
