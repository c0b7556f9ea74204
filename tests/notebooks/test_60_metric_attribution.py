"""Notebook 60 with other parameters than its own: they steer what is counted, and the file has the exact header."""

from pathlib import Path

import pytest


@pytest.mark.notebook
def test_parameters_steer_what_is_counted(run_notebook, tmp_path):
    report = tmp_path / "report"
    found = run_notebook(
        "60_metric_attribution",
        metrics=[{"eventType": "AddToCart", "metricName": "carts", "expression": "SAMPLECOUNT()"}],
        rates={"cart": ["AddToCart", "View"]},
        shown="",
        campaigns={},
        window_minutes=60,
        trend_hours=48,
        level=0.8,
        seed=3,
        report_dir=str(report),
    )
    assert found["status"] == "completed"
    assert found["seed"] == 3
    assert {row["METRIC_NAME"] for row in found["totals"]} == {"carts"}
    sources = {row["EVENT_ATTRIBUTION_SOURCE"] for row in found["totals"]}
    assert "similar-items" not in sources, "without campaigns nobody knows where sim- ids come from"
    assert {"home-personal", "home-popular", "SOURCE_NAME_UNDEFINED"} <= sources
    assert {row["RATE"] for row in found["rates"]} == {"cart"}
    assert found["figures"] == ["differences", "rates", "totals", "trend"]
    card = found["headline"][0]
    assert card["name"].startswith("cart of ")
    assert card["unit"] == "%"
    first = found["rates"][0]
    assert [card["value"], card["low"], card["high"]] == pytest.approx(
        [100 * first[k] for k in ("VALUE", "LOW", "HIGH")]
    )
    lines = (report / found["csv"]).read_text().splitlines()
    assert lines[0] == "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP"
    assert all(int(line.rsplit(",", 1)[1]) % 3_600 == 0 for line in lines[1:])
    assert sorted(path.name for path in Path(report, "figures").iterdir()) == [
        "differences.json",
        "rates.json",
        "totals.json",
        "trend.json",
    ]
