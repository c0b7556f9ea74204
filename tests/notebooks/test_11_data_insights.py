"""11_data_insights with other parameters than its own: the raw shop, mended and saved."""

import pytest

from workbench.data.workspace import Workspace

pytestmark = pytest.mark.notebook


def test_mends_are_applied_to_the_raw_shop_and_saved(run_notebook, tmp_path):
    found = run_notebook(
        "11_data_insights",
        group="shop",
        raw=True,
        mends=["all"],
        save_mended=True,
        dataset="items",
        search="price",
        now=1_800_000_000,
    )
    before = {(each["CHECK"], each["DATASET"]) for each in found["findings"]}
    after = {(each["CHECK"], each["DATASET"]) for each in found["after"]}
    assert {("milliseconds", "interactions"), ("bots", "interactions"), ("duplicate_ids", "items")} <= before - after
    assert found["saved"] == ["action_interactions", "interactions", "items", "users"]
    assert Workspace(tmp_path / "workspace").dataset("shop", "items").version == 2
    verdicts = {each["RECIPE"]: each["VERDICT"] for each in found["readiness"]}
    assert verdicts["sims"].startswith("ready")
    assert {"activity", "days", "popularity", "histories", "missing", "readiness", "drift", "cutoff"} <= set(
        found["figures"]
    )
    assert found["headline"][0] == {"name": "blocking findings", "value": 1, "unit": "findings"}
