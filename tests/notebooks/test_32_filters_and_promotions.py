"""Notebook 32 with other parameters than its defaults, on the shop: prices, brands, members, event types."""

import pytest

from workbench.data.workspace import Workspace
from workbench.serving.filter_store import FilterStore

CHEAP = (
    "INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ($KIND) AND Items.PRICE < $MOST"
    ' | EXCLUDE ItemID WHERE Items.BRAND = "Fjord"'
)
ASKED = {
    "group": "shop",
    "recipe": "popularity-count",
    "filter": CHEAP,
    "filter_values": {"KIND": '"Camping","Cycling"', "MOST": 60},
    "broken": 'EXCLUDE ItemID WHERE Items.PRICE > 60 IF CurrentUser.AGE > 18 OR CurrentUser.MEMBER = "true"',
    "too_strict": "INCLUDE ItemID WHERE Items.PRICE < 0",
    "window": 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("view") AND Interactions.TIMESTAMP > NOW() - {days}d',
    "window_days": [10, 1000],
    "for_some": 'INCLUDE ItemID WHERE Items.CATEGORY_L1 IN ("Camping") IF CurrentUser.MEMBER = "true"',
    "named": {"bargains": "INCLUDE ItemID WHERE Items.PRICE < 20"},
    "promotions": [{"name": "sale", "percent_promoted_items": 50, "filter": "bargains"}],
    "slotted": [{"name": "first", "slots": [1], "filter": "INCLUDE ItemID WHERE Items.PRICE > 100"}],
    "caps": [{"column": "BRAND", "at_most": 1}],
    "user": "u0051",
    "num_results": 6,
    "columns": ["PRICE", "BRAND"],
    "seed": 3,
}


@pytest.mark.notebook
def test_parameters_steer_filters_and_promotions(run_notebook, tmp_path):
    found = run_notebook("32_filters_and_promotions", **ASKED)
    assert found["status"] == "completed"
    assert found["parameters"]["filter"] == CHEAP
    lists = found["lists"]
    assert {each["userId"] for each in lists.values()} == {"u0051"}
    assert all(len(each["itemList"]) <= 6 for each in lists.values())
    names = [each.get("promotionName") for each in lists["one promotion"]["itemList"]]
    assert (names.count("sale"), len(names)) == (3, 6)
    ruled = [each.get("promotionName") for each in lists["all rules"]["itemList"]]
    assert (ruled[0], ruled.count("sale")) == ("first", 3)
    assert {each["rule"] for each in lists["all rules"]["rules"]} >= {"promotion", "cap"}
    assert lists["without the filter"]["itemList"] != lists["with the filter"]["itemList"]
    rows = {each["NAME"]: each for each in found["filters"]}
    assert rows["too strict"]["LEFT"] == 0
    assert rows["the filter above"]["PERSONALIZE"] == "✓ yes"
    assert (rows["broken"]["LEFT"], rows["broken"]["PERSONALIZE"]) == (None, "–")
    assert "Line 1, column" in rows["broken"]["WHY"]
    assert "may not be listed" in found["why"]["said"]
    short, long = found["windows"]
    assert (short["DAYS"], long["DAYS"]) == (10, 1000)
    assert short["MEAN_REMOVED"] < long["MEAN_REMOVED"]
    assert [row["PERCENT"] for row in found["cost"]] == list(range(0, 101, 10))
    assert found["cost"][0]["GIVEN_UP"] == 0
    assert set(found["figures"]) == {"mask", "windows", "cost"}
    place = Workspace(tmp_path / "workspace")
    store = FilterStore(place.path, "shop")
    assert [(each.name, each.revision) for each in store.list()] == [("bargains", 1)]

    again = run_notebook("32_filters_and_promotions", **ASKED, item="00017")
    assert again["lists"]["all rules"]["itemList"] == lists["all rules"]["itemList"]
    assert [(each.name, each.revision) for each in store.list()] == [("bargains", 1)]
    assert "'00017'" in again["why"]["said"]


@pytest.mark.notebook
def test_a_filter_that_cannot_be_read_is_shown_and_the_rest_goes_on(run_notebook):
    asked = ASKED | {"filter": "INCLUDE ItemID WHERE Items.PRIZE < 3", "filter_values": {}}
    found = run_notebook("32_filters_and_promotions", **asked)
    assert found["status"] == "completed"
    assert found["lists"]["with the filter"]["itemList"] == found["lists"]["without the filter"]["itemList"]
    assert "Did you mean 'PRICE'?" in found["why"]["said"]
    assert set(found["figures"]) == {"windows", "cost"}
