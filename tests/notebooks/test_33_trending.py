"""Notebook 33 with other parameters than its defaults, on the shop, with windows that overlap."""

from itertools import pairwise

import pytest

from workbench.data.workspace import Workspace
from workbench.serving.campaigns import campaigns


@pytest.mark.notebook
def test_parameters_steer_the_trend(run_notebook, tmp_path):
    asked = {
        "group": "shop",
        "frequency": "2d",
        "window": "4 days",
        "shrink": 2.0,
        "caution": 1.0,
        "item_filter": "EXCLUDE ItemID WHERE Items.PRICE > 100",
        "user": "u0051",
        "num_results": 6,
        "charted": 3,
        "windows": 4,
        "columns": ["PRICE"],
        "seed": 3,
    }
    found = run_notebook("33_trending", **asked)
    assert found["status"] == "completed"
    assert {name: found["parameters"][name] for name in ("frequency", "window", "shrink", "caution")} == {
        "frequency": "2d",
        "window": "4 days",
        "shrink": 2.0,
        "caution": 1.0,
    }
    assert len(found["counts"]) == 3 * 4
    ends = sorted({row["ENDS"] for row in found["counts"]})
    assert {later - earlier for earlier, later in pairwise(ends)} == {2 * 86_400}
    assert {row["ENDS"] - row["STARTS_AFTER"] for row in found["counts"]} == {4 * 86_400}
    assert 1 <= len(found["backtest"]) <= 4
    assert {len(each["itemList"]) for each in found["lists"].values()} == {6}
    assert found["lists"]["for one user"]["userId"] == "u0051"
    assert [rule["rule"] for rule in found["lists"]["under the filter"]["rules"]] == ["filter"]
    assert found["batch"]["users"] == found["batch"]["lists"] > 1_000
    assert set(found["figures"]) == {"growth", "windows", "backtest"}
    place = Workspace(tmp_path / "workspace")
    assert set(campaigns(place, "shop")["CAMPAIGN"]) == {"trending-2d-4-days", "most-chosen"}

    again = run_notebook("33_trending", **asked | {"frequency": "70d", "window": "", "item_filter": ""})
    assert again["backtest"] == []
    assert "backtest" not in again["figures"]
    assert again["lists"]["under the filter"]["rules"] == []
    assert len(campaigns(place, "shop")) == 3
