"""Notebook 30 with other parameters than its defaults, on the shop, whose requests have a device."""

import pytest

from workbench.data.events import LiveEvents
from workbench.data.workspace import Workspace
from workbench.serving.campaigns import campaigns

SMALL = {"epochs": 1, "width": 16, "layers": 1, "window": 20, "negatives": 64}  # learns from the device, in seconds


@pytest.mark.notebook
def test_parameters_steer_the_lists(run_notebook, tmp_path):
    asked = {
        "group": "shop",
        "recipe": "transformer",
        "hyperparameters": SMALL,
        "campaign": "front",
        "user": "u0051",
        "visitor_items": ["00017", "00205"],
        "context": {"DEVICE": "phone"},
        "item_filter": "EXCLUDE ItemID WHERE Items.PRICE > 60",
        "promoted": 'INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("Camping")',
        "promoted_percent": 50,
        "weights": [0.0, 1.0],
        "num_results": 6,
        "columns": ["PRICE", "BRAND"],
        "dial_users": 20,
        "seed": 3,
    }
    found = run_notebook("30_recommend", **asked)
    assert found["status"] == "completed"
    assert found["parameters"]["context"] == {"DEVICE": "phone"}
    lists = found["lists"]
    assert {len(each["itemList"]) for each in lists.values()} == {6}
    assert lists["with a history"]["userId"] == "u0051"
    assert [each.get("promotionName") for each in lists["with the rules"]["itemList"]].count("your choice") == 3
    assert {rule["rule"] for rule in lists["with the rules"]["rules"]} == {"filter", "seen", "promotion"}
    assert lists["weight 1"]["explorationShare"] == 1.0
    assert lists["never seen before"]["itemList"][0]["reason"] == ["Popular item"]
    assert [row["WEIGHT"] for row in found["dial"]] == [0.0, 0.1, 0.6, 1.0]
    assert {row["LISTS"] for row in found["dial"]} == {20}
    assert set(found["figures"]) == {"influences", "dial", "price"}
    place = Workspace(tmp_path / "workspace")
    assert campaigns(place, "shop")["CAMPAIGN"].tolist() == ["front"]
    live = LiveEvents(place.path, "shop")
    assert [each.item_id for each in live.user_events("notebook-30-00017-00205")] == ["00017", "00205"]

    again = run_notebook("30_recommend", **asked)
    assert again["lists"]["weight 1"]["itemList"] == lists["weight 1"]["itemList"]
    assert len(live.user_events("notebook-30-00017-00205")) == 2
    assert campaigns(place, "shop")["REVISION"].tolist() == [1]
