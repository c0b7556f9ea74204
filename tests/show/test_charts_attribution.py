"""Attribution charts draw what the frames hold, switch with plotly's own menus, and escape names from data."""

import pandas as pd
import pytest

from workbench.show.charts import attribution as charts

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def totals():
    rows = [
        ("revenue", "sum", "home", 90.0),
        ("revenue", "sum", HOSTILE, 10.0),
        ("views", "samplecount", "home", 1_234.0),
    ]
    frame = pd.DataFrame(rows, columns=["METRIC_NAME", "MATH_FUNCTION", "EVENT_ATTRIBUTION_SOURCE", "VALUE"])
    return frame.assign(EVENT_TYPE=["Purchase", "Purchase", "View"])


@pytest.fixture
def trend():
    rows = [
        (metric, source, time, float(time))
        for metric in ("revenue", "views")
        for source in ("SOURCE_NAME_UNDEFINED", "home")
        for time in (0, 86_400)
    ]
    return pd.DataFrame(rows, columns=["METRIC_NAME", "EVENT_ATTRIBUTION_SOURCE", "TIMESTAMP", "VALUE"])


@pytest.fixture
def rates():
    rows = [("ctr", "a", 1, 10, 0.1, 0.05, 0.2), ("ctr", "b", 3, 10, 0.3, 0.2, 0.5), ("buy", "a", 1, 2, 0.5, 0.1, 0.9)]
    return pd.DataFrame(rows, columns=["RATE", "EVENT_ATTRIBUTION_SOURCE", "COUNT", "OF", "VALUE", "LOW", "HIGH"])


@pytest.fixture
def pairs():
    rows = [
        ("ctr", "b", "a", 0.2, 0.1, 0.3, "higher"),
        ("ctr", "c", "a", 0.05, -0.1, 0.2, "no clear difference"),
        ("buy", "a", "c", 0.1, 0.05, 0.15, "higher"),
    ]
    return pd.DataFrame(rows, columns=["RATE", "FIRST", "SECOND", "DIFFERENCE", "LOW", "HIGH", "READING"])


def buttons(figure):
    return figure.layout.updatemenus[0].buttons


def test_totals_show_one_metric_at_a_time(totals):
    figure = charts.totals(totals)
    assert [trace.visible for trace in figure.data] == [True, False]
    assert list(figure.data[0].x) == [90, 10]
    assert [button.label for button in buttons(figure)] == ["revenue", "views"]
    assert buttons(figure)[1].args[0]["visible"] == [False, True]
    assert buttons(figure)[1].args[1] == {"xaxis.title.text": "samplecount, View events"}
    assert figure.layout.xaxis.title.text == "sum, Purchase events"
    assert figure.data[1].text == ("1,234",)


def test_one_metric_alone_needs_no_menu(totals):
    figure = charts.totals(totals, "views")
    assert len(figure.data) == 1
    assert not figure.layout.updatemenus


def test_names_from_data_are_escaped(totals, rates):
    assert HOSTILE not in charts.totals(totals).to_json()
    named = rates.assign(RATE=HOSTILE, EVENT_ATTRIBUTION_SOURCE=[HOSTILE, "b", "c"])
    assert HOSTILE not in charts.rates(named).to_json()


def test_long_names_are_cut():
    assert len(charts._label("x" * 900)) == 40


def test_the_trend_starts_without_events_that_nobody_claims(trend):
    figure = charts.trend(trend, window="day")
    assert [trace.name for trace in figure.data] == ["home", "SOURCE_NAME_UNDEFINED"] * 2
    assert [trace.visible for trace in figure.data] == [True, "legendonly", False, False]
    assert buttons(figure)[1].args[0]["visible"] == [False, False, True, "legendonly"]
    assert figure.layout.yaxis.title.text == "revenue per day"
    assert str(figure.data[0].x[1])[:10] == "1970-01-02"
    dashes = {trace.line.dash for trace in figure.data[:2]}
    symbols = {trace.marker.symbol for trace in figure.data[:2]}
    assert len(dashes) == len(symbols) == 2, "sources differ in more than colour"


def test_rates_come_highest_first_with_their_intervals(rates):
    figure = charts.rates(rates)
    assert list(figure.data[0].y) == ["b", "a"]
    assert list(figure.data[0].error_x.array) == pytest.approx([0.2, 0.1])
    assert list(figure.data[0].error_x.arrayminus) == pytest.approx([0.1, 0.05])
    assert figure.layout.xaxis.title.text == "rate and 95% interval"


def test_differences_mark_what_is_clear_by_symbol(pairs):
    figure = charts.differences(pairs)
    clear, unclear = figure.data[:2]
    assert (clear.marker.symbol, unclear.marker.symbol) == ("diamond", "circle-open")
    assert list(clear.y) == ["b<br>− a"]
    assert list(unclear.y) == ["c<br>− a"]
    assert buttons(figure)[1].args[1] == {"yaxis.categoryarray": ["a<br>− c"]}


def test_frames_are_not_changed(totals, trend, rates, pairs):
    for draw, frame in zip(
        (charts.totals, charts.trend, charts.rates, charts.differences), (totals, trend, rates, pairs), strict=True
    ):
        before = frame.copy(deep=True)
        draw(frame)
        pd.testing.assert_frame_equal(frame, before)


def test_empty_frames_give_empty_figures(totals, trend, rates, pairs):
    for draw, frame in zip(
        (charts.totals, charts.trend, charts.rates, charts.differences), (totals, trend, rates, pairs), strict=True
    ):
        assert len(draw(frame.head(0)).data) == 0
