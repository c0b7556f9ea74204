"""Trends in sentences, tables and figures."""

import numpy as np
import pandas as pd
import pytest

from workbench.recipes.trend_backtest import ALL_TIME, MOST_CHOSEN, TRENDING
from workbench.serving.responses import RecommendedItem, Response
from workbench.serving.tables import EntityTable, TextColumn, text_array
from workbench.show import trend_words as words
from workbench.show.charts import trending as charts

ITEMS = EntityTable("Items", text_array(["a", "b"]), {"TITLE": TextColumn(np.array([0, 0]), text_array(["<b>Alien"]))})
TRENDS = pd.DataFrame(
    {
        "ITEM_ID": ["a", "b"],
        "EVENTS_NOW": [20, 3],
        "EVENTS_BEFORE": [0, 1],
        "GROWTH": [21.0, 2.0],
        "LOW": [2.8, 0.4],
        "HIGH": [150.0, 9.0],
        "SCORE": [1.0, 0.5],
    }
)
BACKTEST = pd.DataFrame(
    {
        "STARTS_AFTER": [0, 86_400, 2 * 86_400],
        "EVENTS_BEFORE": [5, 6, 7],
        "EVENTS": [6, 7, 8],
        TRENDING: [0.5, 0.0, 0.1],
        MOST_CHOSEN: [0.25, 0.0, 0.4],
        ALL_TIME: [0.0, 0.0, 0.4],
    }
)


def answer(*ids: str) -> Response:
    return Response("key-1", tuple(RecommendedItem(each, place) for place, each in enumerate(ids, 1)))


@pytest.mark.parametrize(
    ("frequency", "window", "name"),
    [("14d", "", "trending-14d"), ("1.5 d", "3 h", "trending-1-5-d-3-h")],
)
def test_a_campaign_is_named_after_its_windows(frequency: str, window: str, name: str):
    assert words.campaign_name(frequency, window) == name


def test_growth_is_told_with_its_interval():
    table = words.growth_table(TRENDS, ITEMS, 5)
    assert table["READING"].tolist() == ["rises beyond chance", "may be chance"]
    figure = charts.growth_intervals(table)
    assert [(trace.name, trace.marker.symbol) for trace in figure.data] == [
        ("beyond chance", "circle"),
        ("may be chance", "circle-open"),
    ]
    assert len({str(each) for trace in figure.data for each in trace.y}) == 2  # titles that are the same keep two rows
    assert not any("<b>" in str(each) for trace in figure.data for each in trace.y)
    assert charts.growth_intervals(table.head(0)).data == ()


def test_windows_are_told_in_words():
    notes = {
        "newest_window_starts_after": 0,
        "window_seconds": 3 * 3_600,
        "events_in_newest_window": 1_200,
        "events_in_window_before": 7,
        "items_growing": 2,
    }
    said = words.window_sentence(notes)
    assert said.startswith("The newest window begins at 1970-01-01 00:00 UTC, is 3 hours long and holds 1,200 events")
    assert "so the list is recent popularity" in words.window_sentence(notes | {"fallback": "recent popularity: why"})


def test_the_backtest_counts_only_those_who_are_ahead_alone():
    said = words.backtest_sentence(BACKTEST)
    assert "trending now 20% (ahead in 1)" in said
    assert "most chosen of the window before 22% (ahead in 0)" in said
    assert "most chosen ever 13% (ahead in 0)" in said
    assert "too short" in words.backtest_sentence(BACKTEST.head(0))
    assert words.backtest_table(BACKTEST).columns[0] == "STARTS AFTER, UTC"
    figure = charts.forecast_lines(BACKTEST, words.LISTS)
    assert len({trace.line.dash for trace in figure.data}) == len({trace.marker.symbol for trace in figure.data}) == 3


def test_counts_are_drawn_an_item_a_line():
    counts = pd.DataFrame({"ENDS": [1, 1, 2, 2], "ITEM_ID": list("abab"), "EVENTS": [1, 2, 3, 4]})
    figure = charts.window_lines(counts, {"a": "<b>Alien", "b": "Heat"})
    assert [(trace.name, list(trace.y)) for trace in figure.data] == [("&lt;b>Alien", [1, 3]), ("Heat", [2, 4])]


def test_the_reading_says_what_the_numbers_say():
    said = words.reading(TRENDS, answer("a", "b"), answer("b", "c"), BACKTEST, 1_234)
    assert said.startswith("1 of 2 items rise so that their 95 % interval leaves out no growth.")
    assert "shares 1 of its 2 items" in said
    assert "most chosen of the window before is better here" in said
    assert said.endswith("1,234 users got their lists in one go.")
    assert "better forecast" in words.reading(TRENDS, answer("a"), answer("b"), BACKTEST.head(1), 1)
    assert "too short" in words.reading(TRENDS, answer("a"), answer("b"), BACKTEST.head(0), 1)
    assert [row["value"] for row in words.headline(TRENDS, BACKTEST)] == pytest.approx([1, 0.2])
    assert words.score_order(TRENDS, answer("a", "b"))
    assert not words.score_order(TRENDS, answer("b", "a"))
