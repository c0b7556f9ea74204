"""Insights as a whole: planted defects, mends and their difference, readiness, series, bad input."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from workbench.data.checks.mends import ORDER
from workbench.data.checks.readiness import RECIPES
from workbench.data.checks.registry import CHECKS
from workbench.data.checks.rhythm import choose_period, cutoff_curve, drift_curve
from workbench.data.insights import catalogue, difference, insights, mend, pick
from workbench.errors import SchemaError

GUIDE = Path(__file__).parents[2] / "notebooks" / "guides" / "insights.md"
NOW = 1_700_000_000
START = 1_672_617_600  # Monday 2023-01-02 00:00:00 UTC
DAY = 86_400


@pytest.fixture(scope="module")
def log() -> pd.DataFrame:
    """1,200 events of 60 users and 40 items over 50 days; 10 rows told twice."""
    rows = range(1_200)
    frame = pd.DataFrame(
        {
            "USER_ID": [f"u{row % 60}" for row in rows],
            "ITEM_ID": [f"i{(row * row) % 37 % (1 + row % 40)}" for row in rows],
            "TIMESTAMP": [START + 3_613 * row for row in rows],
        }
    )
    return pd.concat([frame, frame.head(10)], ignore_index=True)


@pytest.fixture(scope="module")
def shop():
    """The raw shop, and what was found in it."""
    from workbench.data.samples import sample, sample_table

    tables = {kind: sample_table("shop", kind) for kind in sample("shop").flows}
    return tables, insights(tables, now=NOW + 100_000_000)


def test_every_planted_defect_of_the_shop_is_found(shop):
    from workbench.data.shop_defects import planted_defects

    findings = shop[1].findings
    for planted in planted_defects().itertuples():
        same = findings[(findings["CHECK"] == planted.CHECK) & (findings["DATASET"] == planted.DATASET)]
        if planted.COLUMN:
            same = same[same["COLUMN"].isin([planted.COLUMN, ""])]
        assert len(same), f"not found: {planted}"


def test_planted_defects_are_counted_exactly(shop):
    numbers = shop[1].findings.set_index(["CHECK", "DATASET", "COLUMN"])["NUMBER"]
    assert numbers["milliseconds", "interactions", "TIMESTAMP"] == 180
    assert numbers["future_times", "interactions", "TIMESTAMP"] == 40
    assert numbers["missing_ids", "interactions", "USER_ID"] == 60
    assert numbers["unknown_items", "interactions", "ITEM_ID"] == 120
    assert numbers["bots", "interactions", "USER_ID"] == 2
    assert numbers["event_type_spelling", "interactions", "EVENT_TYPE"] == 1_130
    assert numbers["outliers", "items", "PRICE"] == 3
    assert numbers["multi_value_separator", "items", "TAGS"] == 60
    assert numbers["inconsistent_naming", "users", "GENDER"] == 120


def test_mending_all_leaves_only_what_the_source_must_mend(shop):
    tables, before = shop
    mended = mend(tables, before.findings)
    after = insights(mended.tables, now=NOW + 100_000_000).findings
    left = after[after["SEVERITY"] != "info"]
    assert set(left["CHECK"]) == {"text_completeness", "created_after_first_event", "too_many_categories"} & set(
        left["CHECK"]
    )
    assert (left["STEP"] == "").all()
    assert mended.record["ROWS_REMOVED"].sum() > 3_000
    change = difference(before.findings, after)
    assert change.iloc[0]["CHANGE"] == "mended"
    assert "milliseconds" in set(change.query("CHANGE == 'mended'")["CHECK"])


def test_the_unready_shop_becomes_ready(shop):
    tables, before = shop
    assert before.readiness.set_index("RECIPE")["VERDICT"]["sims"] == "not ready"
    mended = mend(tables, before.findings)
    after = insights(mended.tables, now=NOW + 100_000_000).readiness.set_index("RECIPE")
    assert after["VERDICT"]["sims"].startswith("ready")
    assert after["VERDICT"]["semantic-similarity"] == "not ready"  # texts have to be written


def test_one_mend_does_one_thing(log):
    before = log.copy()
    found = insights({"interactions": log}, now=NOW)
    mended = mend({"interactions": log}, found.findings, ["duplicate_events"])
    assert mended.record["NAME"].tolist() == ["drop_duplicates"]
    assert mended.record["ROWS_REMOVED"].tolist() == [10]
    assert mended.tables["interactions"].count().to_pandas() == 1_200
    pd.testing.assert_frame_equal(log, before)


def test_mending_nothing_leaves_the_tables_alone(log):
    found = insights({"interactions": log}, now=NOW)
    mended = mend({"interactions": log}, found.findings, [])
    assert mended.record.empty
    assert mended.tables["interactions"].count().to_pandas() == 1_210


def test_notes_are_mended_only_by_name(log):
    found = insights({"interactions": log}, now=NOW)
    assert found.findings.set_index("CHECK")["SEVERITY"]["duplicate_events"] == "info"
    assert "drop_duplicates" not in set(mend({"interactions": log}, found.findings).record.get("NAME", []))


def test_findings_come_most_severe_first_and_their_steps_are_json(log):
    findings = insights({"interactions": log.head(900)}, now=NOW).findings
    order = findings["SEVERITY"].map({"blocks": 0, "warning": 1, "info": 2})
    assert order.is_monotonic_increasing
    assert findings["CHECK"].iloc[0] == "too_few_interactions"
    assert all(json.loads(step)["step"] for step in findings["STEP"] if step)


def test_too_little_data_makes_every_recipe_unready(log):
    readiness = insights({"interactions": log.head(900)}, now=NOW).readiness.set_index("RECIPE")
    assert set(readiness["VERDICT"]) == {"not ready"}
    assert readiness["WHY"]["sims"] == "too_few_interactions"
    assert readiness["WHY"]["semantic-similarity"] == "no items dataset, no text column in items"


def test_a_warning_matters_to_the_recipes_it_touches(log):
    tied = log.assign(TIMESTAMP=log["TIMESTAMP"] // 800_000 * 800_000)
    readiness = insights({"interactions": tied}, now=NOW).readiness.set_index("RECIPE")
    assert "tied_times" in readiness["WHY"]["recbole:SASRec"]
    assert "tied_times" not in readiness["WHY"]["recbole:EASE"]


def test_series_add_up_to_the_events(log):
    found = insights({"interactions": log}, now=NOW)
    assert found.hours["EVENTS"].sum() == found.days["EVENTS"].sum() == 1_210
    assert (found.histories["EVENTS"] * found.histories["USERS"]).sum() == 1_210
    assert found.popularity["EVENTS"].sum() == 1_210
    assert found.gaps["EVENTS"].sum() == 1_210 - 60
    assert len(found.days) == 51
    assert found.statistics[["ROWS", "USERS"]].to_numpy().tolist() == [[1_210, 60]]


def test_drift_is_half_the_sum_of_absolute_differences():
    # Shares (1/2, 1/2, 0), then (1/2, 0, 1/2), then the first again: neighbours differ by 1/2, every second by 0.
    matrix = csr_matrix(np.array([[500, 500, 0], [500, 0, 500], [500, 500, 0], [500, 0, 500]], dtype=float))
    drift = drift_curve(matrix, seed=1).set_index("LAG")["LOSS"]
    assert drift.to_dict() == {1: 0.5, 2: 0.0, 3: 0.5}


def test_noise_is_small_for_many_events_and_repeats_with_its_seed():
    matrix = csr_matrix(np.array([[50_000, 50_000]] * 4, dtype=float))
    first, second = drift_curve(matrix, seed=3), drift_curve(matrix, seed=3)
    pd.testing.assert_frame_equal(first, second)
    assert first["NOISE"].max() < 0.01


def test_cut_off_finds_that_only_the_newest_period_counts():
    # Every period its own item pair: the last period shares one of two items, all history before dilutes it.
    matrix = csr_matrix(np.array([[8, 0, 0, 0], [4, 4, 0, 0], [0, 4, 4, 0], [0, 0, 4, 4]], dtype=float))
    curve = cutoff_curve(matrix).set_index("PERIODS")["LOSS"]
    # Judged on periods 3 and 4. One period: 1/2 and 1/2. Two: period 3 has (12, 4) before it, so 3/4 are wrong;
    # period 4 has (4, 8, 4) before it, of which 4/16 fit. Three: 3/4, and (12, 8, 4) with 4/24.
    assert curve.round(4).to_dict() == {1: 0.5, 2: 0.75, 3: round((0.75 + 20 / 24) / 2, 4)}


def test_periods_need_events_and_number():
    days = pd.DataFrame({"DAY": range(28), "EVENTS": [150] * 28})
    assert choose_period(days) == "week"
    assert choose_period(days.assign(EVENTS=1_000)) == "day"
    assert choose_period(days.assign(EVENTS=10)) == ""


def test_picking_findings_by_dataset_and_word(log):
    findings = insights({"interactions": log, "items": pd.DataFrame({"ITEM_ID": ["i0"], "A": [1]})}, now=NOW).findings
    assert set(pick(findings, dataset="items")["DATASET"]) <= {"items"}
    assert "unknown_items" in set(pick(findings, search="UNKNOWN")["CHECK"])
    assert pick(findings.head(0), search="x").empty


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ({"interaction": {"USER_ID": ["a"]}}, "Did you mean 'interactions'"),
        ({"interactions": {"USER_ID": ["a"], "ITEM": ["x"], "TIMESTAMP": [1]}}, "'ITEM_ID' is missing.*'ITEM'"),
        ({"interactions": {"USER_ID": ["a"], "ITEM_ID": ["x"], "TIMESTAMP": ["2020-01-01"]}}, "parse_time"),
        ({}, "no table"),
    ],
)
def test_tables_that_cannot_be_checked(tables, words):
    with pytest.raises(SchemaError, match=words):
        insights({kind: pd.DataFrame(columns) for kind, columns in tables.items()})


def test_an_unknown_check_names_the_likely_one(log):
    with pytest.raises(ValueError, match="Did you mean 'bots'"):
        insights({"interactions": log}, checks=["bot"])
    with pytest.raises(ValueError, match="Did you mean 'outliers'"):
        mend({"interactions": log}, pd.DataFrame(), ["outlier"])


@pytest.mark.parametrize("rows", [0, 1])
def test_empty_and_tiny_logs_are_judged_not_broken(log, rows):
    found = insights({"interactions": log.head(rows)}, now=NOW)
    assert found.findings["CHECK"].iloc[0] == "too_few_interactions"


def test_hostile_ids_travel_through_mends():
    hostile = ["<script>alert(1)</script>", "o'brien", 'say "hi"', "😀", "007", "x" * 300]
    log = pd.DataFrame({"USER_ID": hostile * 2, "ITEM_ID": hostile[::-1] * 2, "TIMESTAMP": range(START, START + 12)})
    items = pd.DataFrame({"ITEM_ID": hostile[:3], "PRICE": [1.0, 2.0, 3.0]})
    found = insights({"interactions": log, "items": items}, now=NOW)
    kept = mend({"interactions": log, "items": items}, found.findings, ["unknown_items"]).tables["interactions"]
    assert sorted(kept["ITEM_ID"].to_pandas().unique()) == sorted(hostile[:3])


def test_every_check_with_a_mend_has_its_place():
    assert {name for names in ORDER for name in names} <= set(CHECKS)


def test_every_check_is_in_the_guide():
    words = GUIDE.read_text()
    for row in catalogue().itertuples():
        assert f"`{row.CHECK}`" in words, f"{row.CHECK} is missing in {GUIDE.name}"
    for recipe in RECIPES:
        assert f"`{recipe}`" in words
