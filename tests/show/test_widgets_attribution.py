"""The attribution controls redraw the same charts when a value changes."""

import pandas as pd
import pytest

from workbench.impact.attribution import attribute
from workbench.impact.rates import rates
from workbench.show import attribution_words
from workbench.show.widgets.attribution import AttributionControls


@pytest.fixture
def earned():
    rows = []
    for number in range(60):
        source = "ab"[number % 2]
        rows.append((f"u{number}", "View", number * 3_600, None, source))
        if number % (3 if source == "a" else 5) == 0:
            rows.append((f"u{number}", "Buy", number * 3_600, 10.0, source))
    columns = ["USER_ID", "EVENT_TYPE", "TIMESTAMP", "EVENT_VALUE", "EVENT_ATTRIBUTION_SOURCE"]
    events = pd.DataFrame(rows, columns=columns)
    metrics = [
        {"eventType": "View", "metricName": "views", "expression": "SAMPLECOUNT()"},
        {"eventType": "Buy", "metricName": "revenue", "expression": "SUM(Interactions.EVENT_VALUE)"},
        {"eventType": "Gone", "metricName": "nothing", "expression": "SAMPLECOUNT()"},
    ]
    found = attribute(events, metrics)
    return found, rates(events, found.sources, {"buy": ["Buy", "View"]}, seed=1)


def test_controls_offer_what_there_is(earned):
    controls = AttributionControls(*earned)
    assert controls.metric.options == ("views", "revenue")
    assert controls.sources.value == ("a", "b")
    assert list(controls.figures) == ["totals", "trend", "rates", "differences"]
    assert len(controls.screen.outputs) == 4
    assert {each["output_type"] for each in controls.screen.outputs} == {"display_data"}


def test_changing_a_value_redraws(earned):
    controls = AttributionControls(*earned)
    controls.metric.value = "revenue"
    assert controls.figures["trend"].layout.yaxis.title.text == "revenue per day"
    controls.window.value = "hour"
    assert controls.figures["trend"].layout.yaxis.title.text == "revenue per hour"
    controls.sources.value = ("a",)
    assert [trace.name for trace in controls.figures["trend"].data] == ["a"]
    assert list(controls.figures) == ["totals", "trend", "rates"], "one source has nothing to be compared with"
    controls.sources.value = ()
    assert controls.figures == {}


def test_words_say_what_the_numbers_say(earned):
    found, measured = earned
    words = attribution_words.reading(found, measured)
    assert words.startswith("Of views, `a` brought most of all sources (100% of all came through recommendations).")
    assert "none of 1 pairs of sources differ clearly, so there is no winner to name" in words
    cards = attribution_words.headline(measured)
    assert [card["name"] for card in cards] == ["buy of a", "buy of b"]
    assert {card["unit"] for card in cards} == {"%"}
    for key, column in (("value", "VALUE"), ("low", "LOW"), ("high", "HIGH")):
        assert [card[key] for card in cards] == pytest.approx((100 * measured.table[column]).tolist(), nan_ok=True)
    assert attribution_words.beside_truth(measured.table, "mine").empty


def test_words_survive_having_nothing_to_say():
    events = pd.DataFrame({"USER_ID": ["u"], "EVENT_TYPE": ["View"], "TIMESTAMP": [1]})
    found = attribute(events, [{"eventType": "Buy", "metricName": "buys", "expression": "SAMPLECOUNT()"}])
    measured = rates(events, found.sources, {"again": ["View", "View"]}, seed=1)
    words = attribution_words.reading(found, measured)
    assert words.startswith("No event counts for any of the metrics. There are no two sources to compare. 100% of")


def test_the_shops_truth_stands_beside_what_was_measured():
    table = pd.DataFrame(
        {
            "RATE": ["click-through"],
            "EVENT_ATTRIBUTION_SOURCE": ["home-popular"],
            "VALUE": 0.21,
            "LOW": 0.19,
            "HIGH": 0.23,
        }
    )
    row = attribution_words.beside_truth(table, "shop").iloc[0]
    assert (row["TRUE"], bool(row["INSIDE"])) == (0.2, True)
