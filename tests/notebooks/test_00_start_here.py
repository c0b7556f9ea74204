"""The minute's tour runs with another recipe and seed, and they steer it."""

import pytest

pytestmark = pytest.mark.notebook


def test_recipe_and_seed_steer_the_tour(run_notebook):
    found = run_notebook("00_start_here", recipe="sims", seed=3, users=1)
    assert (found["seed"], found["parameters"]["recipe"]) == (3, "sims")
    assert found["headline"][0]["name"] == "NDCG@10 of sims"
    assert {row["RECIPE"] for row in found["metrics"]} == {"sims", "popularity-count", "recent-popularity"}
    assert {row["EVENT_ATTRIBUTION_SOURCE"] for row in found["rates"]} > {"home-personal", "home-popular"}
