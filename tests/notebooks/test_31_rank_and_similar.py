"""Notebook 31 with other parameters than its defaults, on films, whose items have no descriptions and no times."""

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.serving.campaigns import campaigns

STAR_WARS, JEDI, TOY_STORY, ALIEN = "50", "181", "1", "183"


@pytest.mark.notebook
def test_parameters_steer_the_order_and_the_relations(run_notebook, tmp_path):
    asked = {
        "group": "movielens",
        "ranking_recipe": "sims",
        "given_list": [ALIEN, STAR_WARS, TOY_STORY, JEDI],
        "user": "1",
        "others": 1,
        "item": STAR_WARS,
        "cold_item": ALIEN,
        "semantic_options": {"text_columns": "TITLE|GENRES"},
        "popularity": 0.9,
        "freshness": 0.0,
        "num_results": 5,
        "columns": ["GENRES"],
        "seed": 3,
    }
    found = run_notebook("31_rank_and_similar", **asked)
    assert found["status"] == "completed"
    answers = found["answers"]
    assert next(iter(answers["orders"])) == "user 1"
    assert len(answers["orders"]) == 2
    orders = [[each["itemId"] for each in one["personalizedRanking"]] for one in answers["orders"].values()]
    assert [sorted(each) for each in orders] == [sorted(asked["given_list"])] * 2
    assert found["refusal"].startswith("nothing")
    assert {len(each["itemList"]) for each in answers["likes"].values()} == {5}
    assert list(answers["influenced"]) == ["likeness alone", "popularity 0.9"]
    effects = {row["LIST"]: row["MEDIAN EVENTS"] for row in found["effects"]}
    assert effects["popularity 0.9"] > effects["likeness alone"]
    assert JEDI in [each["itemId"] for each in answers["likes"]["similar-items"]["itemList"]]
    assert set(found["figures"]) == {"order", "agreement"}
    place = Workspace(tmp_path / "workspace")
    made = {"sims", "similar-items", "semantic-similarity", "influenced"}
    assert set(campaigns(place, "movielens")["CAMPAIGN"]) == made

    again = run_notebook("31_rank_and_similar", **asked | {"given_list": [], "shelf": 3, "popularity": 0.0})
    assert again["refusal"].startswith("input_list holds item")
    assert len(again["answers"]["orders"]["user 1"]["personalizedRanking"]) == 5
    assert list(again["answers"]["influenced"]) == ["likeness alone"]
    assert set(again["answers"]["likes"]) == {"similar-items", "sims", "semantic-similarity"}
    assert len(place.solution_versions("movielens")) == 3


@pytest.mark.notebook
def test_a_group_without_items_or_times_of_creation_is_enough(run_notebook, tmp_path):
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    rows = [(f"<b>u{u:02d}", f"<script>{(7 * u + s * s) % 30}", 86_400 * s + u) for u in range(40) for s in range(30)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    place.write_dataset("own", "interactions", events, origin={"source": "test"})
    found = run_notebook(
        "31_rank_and_similar", group="own", related_recipes=["sims"], ranking_recipe="sims", columns=[]
    )
    assert found["status"] == "completed"
    assert set(found["answers"]["likes"]) == {"sims"}
    assert found["effects"] == []
