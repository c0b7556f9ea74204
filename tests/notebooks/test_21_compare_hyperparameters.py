"""The tuning notebook: parameters steer it, and a second run goes on instead of starting anew."""

import pytest


@pytest.mark.notebook
def test_parameters_steer_the_study_and_a_second_run_continues(run_notebook):
    settings = {
        "group": "shop",
        "recipe": "recent-popularity",
        "ranges": {"days": [2.0, 60.0]},
        "metric": "recall_at_25",
        "held_out_share": 0.3,
        "minutes": 0.0,
        "study": "windows",
        "seed": 3,
    }
    first = run_notebook("21_compare_hyperparameters", trials=3, **settings)
    assert first["status"] == "completed"
    assert first["study"] == "windows"
    assert [trial["STATE"] for trial in first["trials"]] == ["finished"] * 3
    assert all(2.0 <= trial["days"] <= 60.0 for trial in first["trials"])
    assert first["headline"][0]["name"] == "recall at 25, best setting"
    assert "users held out from the tuning itself" in first["reading"]
    assert first["parameters"]["pruner"] == "median"
    again = run_notebook("21_compare_hyperparameters", trials=5, processes=2, pruner="none", **settings)
    assert again["parameters"]["pruner"] == "none"
    assert again["notes"]["processes"].startswith("2 at a time")
    assert again["trials"][:3] == first["trials"]
    assert len(again["trials"]) == 5
    assert again["notes"]["trials_of_this_run"] == 2
    assert sorted(again["figures"]) == ["history", "importance", "report", "settings", "time", "training"]
