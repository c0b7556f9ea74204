"""Charts of data quality: what a reader sees is what the frames say."""

import pandas as pd
import pytest

from workbench.data.insights import insights
from workbench.show import insights_words
from workbench.show.charts import quality
from workbench.show.tables import show_table
from workbench.show.widgets.quality import findings_browser

START = 1_672_617_600  # Monday 2023-01-02 00:00:00 UTC


@pytest.fixture(scope="module")
def found():
    log = pd.DataFrame(
        {
            "USER_ID": [f"u{row % 7}" for row in range(70)],
            "ITEM_ID": [f"<b>i{row % 9}" for row in range(70)],
            "TIMESTAMP": [START + 7_200 * row for row in range(70)],
        }
    )
    items = pd.DataFrame({"ITEM_ID": ["<b>i0", "<b>i1"], "BRAND": ["<script>", None]})
    return insights({"interactions": log, "items": items}, now=START * 2)


def test_heatmap_has_days_from_monday_and_hours_in_utc():
    hours = pd.DataFrame({"WEEKDAY": [0, 6], "HOUR": [0, 23], "EVENTS": [3, 4]})
    heat = quality.activity_heatmap(hours).data[0]
    assert list(heat.y) == ["Monday", "Sunday"]
    assert heat.z.tolist() == [[3, 0], [0, 4]]


def test_history_lengths_fall_into_doubling_buckets():
    bars = quality.history_lengths(pd.DataFrame({"EVENTS": [1, 2, 3, 4, 8], "USERS": [5, 1, 2, 3, 4]})).data[0]
    assert list(bars.x) == ["1", "2 to 3", "4 to 7", "8 to 15"]
    assert list(bars.y) == [5, 3, 3, 4]


def test_missing_values_tell_gaps_from_columns_empty_by_nature():
    columns = pd.DataFrame(
        {
            "DATASET": ["interactions", "items", "items", "items"],
            "COLUMN": ["RECOMMENDATION_ID", "BRAND", "PRICE", "TITLE"],
            "ROLE": ["reference", "category", "number", "label"],
            "MISSING": [9, 4, 1, 0],
            "MISSING_SHARE": [90.0, 40.0, 10.0, 0.0],
            "ROWS": [10] * 4,
        }
    )
    figure = quality.missing_values(columns)
    assert {bar.name: list(bar.x) for bar in figure.data} == {
        "empty by nature on most rows": [90],
        "more than 30 % missing": [40],
        "up to 30 % missing": [10],
    }
    assert "1 of 4 columns are complete" in figure.layout.title.text


def test_readiness_says_each_verdict_in_words_before_and_after():
    before = pd.DataFrame({"RECIPE": ["a", "b"], "VERDICT": ["not ready", "ready"], "WHY": ["bots", ""]})
    after = before.assign(VERDICT=["ready, with care", "ready"])
    heat = quality.readiness_matrix(after, before).data[0]
    assert heat.text.tolist() == [["✗ not ready", "▲ with care"], ["✓ ready", "✓ ready"]]
    assert list(heat.x) == ["before mending", "after mending"]


def test_all_charts_draw_what_insights_give(found):
    figures = [
        quality.activity_heatmap(found.hours),
        quality.events_per_day(found.days),
        quality.popularity_curve(found.popularity),
        quality.history_lengths(found.histories),
        quality.missing_values(found.columns),
        quality.findings_overview(found.findings),
        quality.readiness_matrix(found.readiness),
        quality.drift_curve(found.drift, found.period),
        quality.cutoff_curve(found.cutoff, found.period),
    ]
    for figure in figures:
        assert figure.layout.title.text
        assert figure.to_json()


def test_charts_of_a_group_without_events_are_empty_not_broken():
    found = insights({"items": pd.DataFrame({"ITEM_ID": ["a"], "PRICE": [1.0]})})
    for chart, frame in (
        (quality.activity_heatmap, found.hours),
        (quality.events_per_day, found.days),
        (quality.popularity_curve, found.popularity),
        (quality.history_lengths, found.histories),
        (quality.missing_values, found.columns),
        (quality.findings_overview, found.findings),
    ):
        assert chart(frame).layout.title.text


def test_words_count_findings_and_say_when_data_is_fine(found):
    counts = found.findings["SEVERITY"].value_counts()
    assert f"{counts['blocks']} finding" in insights_words.verdict(found)
    assert "not ready" in insights_words.reading(found)
    fine = insights({"items": pd.DataFrame({"ITEM_ID": ["a", "b"], "PRICE": [1.0, 2.0]})})
    assert "The data is fine" in insights_words.verdict(fine)


def test_the_browser_shows_what_the_plain_call_shows(found):
    box = findings_browser(found.findings)
    dataset, search = box.children[0].children
    dataset.value = "items"
    assert "items" in box.children[1].value
    assert "<script>" not in box.children[1].value
    search.value = "no such word"
    assert "No rows" in box.children[1].value


def test_findings_are_escaped(found):
    page = show_table(insights_words.readable(found.findings), rows=99)._repr_html_()
    assert "<b>" not in page
    assert "<script>" not in page
