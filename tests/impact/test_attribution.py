"""Metric attribution: sums and counts by hand, sources, windows, the file, and all that is refused or reported."""

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal

from workbench.errors import AttributionError
from workbench.impact.attribution import HEADER, attribute, csv_name, write_csv
from workbench.impact.attribution_metrics import parse_expression, read_metrics
from workbench.impact.attribution_sources import UNDEFINED, event_sources
from workbench.impact.windows import rewindow, utc, window_start

COUNT = {"eventType": "View", "metricName": "views", "expression": "SAMPLECOUNT()"}
REVENUE = {"eventType": "Purchase", "metricName": "revenue", "expression": "SUM(Interactions.EVENT_VALUE)"}
MARGIN = {"eventType": "Purchase", "metricName": "margin", "expression": "SUM(Items.MARGIN)"}


@pytest.fixture
def events():
    """Nine events in two quarters of an hour: 0 to 899 and 900 to 1799."""
    rows = [
        ("u1", "a", 0, "View", None, None, "home"),
        ("u1", "a", 899, "View", None, None, "home"),
        ("u1", "b", 900, "View", None, "sim-1", None),
        ("u2", "b", 901, "View", None, "sim-1", "home"),
        ("u2", "c", 1799, "View", None, "other-9", None),
        ("u2", "c", 1799, "View", None, None, ""),
        ("u1", "a", 10, "Purchase", 10.5, None, "home"),
        ("u2", "b", 20, "Purchase", 2.0, None, "home"),
        ("u2", "z", 950, "Purchase", None, "sim-2", None),
    ]
    columns = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "RECOMMENDATION_ID"]
    return pd.DataFrame(rows, columns=[*columns, "EVENT_ATTRIBUTION_SOURCE"])


@pytest.fixture
def items():
    return pd.DataFrame({"ITEM_ID": ["a", "b", "c"], "MARGIN": [3, 1, 7], "TITLE": ["A", "B", "C"]})


def note(found, name):
    return int(found.notes.set_index("NOTE").COUNT[name])


def test_counts_and_sums_per_source_and_quarter_of_an_hour(events, items):
    found = attribute(events, [COUNT, REVENUE, MARGIN], items=items, campaigns={"sim-": "similar"})
    expected = pd.DataFrame(
        [
            ("views", "View", 2.0, "samplecount", "home", 0),
            ("views", "View", 2.0, "samplecount", UNDEFINED, 900),
            ("views", "View", 1.0, "samplecount", "home", 900),
            ("views", "View", 1.0, "samplecount", "similar", 900),
            ("revenue", "Purchase", 12.5, "sum", "home", 0),
            ("margin", "Purchase", 4.0, "sum", "home", 0),
        ],
        columns=HEADER,
    )
    assert_frame_equal(found.table, expected, check_dtype=False)
    assert note(found, "revenue: no value") == 1
    assert note(found, "margin: no value") == 1, "item z is in no catalogue"


def test_events_and_items_are_not_changed(events, items):
    before = events.copy(deep=True), items.copy(deep=True)
    attribute(events, [COUNT, MARGIN], items=items, campaigns={"sim-": "similar"})
    assert_frame_equal(events, before[0])
    assert_frame_equal(items, before[1])


def test_any_window_is_allowed(events):
    assert attribute(events, [COUNT], window=60).table.TIMESTAMP.tolist() == [0, 840, 900, 900, 1740]
    assert attribute(events, [COUNT], window=86_400).table.TIMESTAMP.unique().tolist() == [0]
    for wrong in (0, -5, 1.5, True):
        with pytest.raises(ValueError, match="whole number of seconds, at least 1"):
            attribute(events, [COUNT], window=wrong)


def test_the_events_own_source_wins_over_its_recommendation(events):
    sources = event_sources(events, {"sim-": "similar"})
    assert sources.tolist() == ["home", "home", "similar", "home", UNDEFINED, UNDEFINED, "home", "home", "similar"]


def test_without_campaigns_a_recommendation_names_nobody(events):
    assert event_sources(events).tolist()[2] == UNDEFINED
    assert note(attribute(events, [COUNT]), "unknown recommendation ids") == 3


def test_the_longest_beginning_wins_and_a_table_of_campaigns_works_too(events):
    assert event_sources(events, {"sim-2": "late", "sim-": "early"}).tolist()[8] == "late"
    table = pd.DataFrame({"RECOMMENDATION_ID": ["sim-1", "sim-1", "other-9"], "CAMPAIGN": ["x", "x", "y"]})
    assert event_sources(events, table).tolist()[2:5] == ["x", "home", "y"]
    with pytest.raises(AttributionError, match=r"'sim-1' belongs to several campaigns: \['x', 'q'\]"):
        event_sources(events, pd.concat([table, pd.DataFrame({"RECOMMENDATION_ID": ["sim-1"], "CAMPAIGN": ["q"]})]))
    with pytest.raises(AttributionError, match="no column 'CAMPAIGN'.*Did you mean 'campain'"):
        event_sources(events, table.rename(columns={"CAMPAIGN": "campain"}))


def test_events_without_source_columns_are_undefined(events):
    bare = events[["TIMESTAMP", "EVENT_TYPE", "ITEM_ID"]]
    assert event_sources(bare).eq(UNDEFINED).all()


def test_repeated_events_are_counted_and_reported(events):
    twice = pd.concat([events, events.iloc[[0]]], ignore_index=True)
    found = attribute(twice, [COUNT])
    assert note(found, "repeated events") == 1
    assert found.table.VALUE.iloc[0] == 3


def test_totals_put_the_largest_source_first(events):
    totals = attribute(events, [COUNT, REVENUE], campaigns={"sim-": "similar"}).totals()
    assert totals.METRIC_NAME.tolist() == ["views"] * 3 + ["revenue"]
    assert totals.EVENT_ATTRIBUTION_SOURCE.tolist() == ["home", UNDEFINED, "similar", "home"]
    assert totals.VALUE.tolist() == [3, 2, 1, 12.5]


def test_more_than_personalize_takes_is_counted_and_said(events):
    many = [{**COUNT, "metricName": f"m{number}"} for number in range(11)]
    assert note(attribute(events, many), "more than 10 metrics") == 11
    crowd = pd.concat([events.iloc[[0]].assign(EVENT_ATTRIBUTION_SOURCE=f"s{n}") for n in range(101)])
    assert note(attribute(crowd, [COUNT]), "more than 100 sources") == 101
    strange = events.assign(EVENT_ATTRIBUTION_SOURCE="<b>ü</b>")
    assert note(attribute(strange, [COUNT]), "source name") == 9


def test_a_metric_without_events_names_the_likely_type(events):
    found = attribute(events, [{**COUNT, "eventType": "view"}])
    assert found.table.empty
    assert "Did you mean 'View'?" in found.notes.MEANING.iloc[-1]
    assert found.totals().empty


@pytest.mark.parametrize(
    ("metric", "words"),
    [
        (MARGIN, "'margin' sums Items.MARGIN, and there is no items dataset"),
        (
            {**REVENUE, "expression": "SUM(Interactions.EVENTVALUE)"},
            "no column 'EVENTVALUE'.*Did you mean 'EVENT_VALUE'",
        ),
        ({**REVENUE, "expression": "SUM(Interactions.USER_ID)"}, "SUM needs numbers"),
    ],
)
def test_a_sum_needs_a_numeric_column(events, metric, words):
    with pytest.raises(AttributionError, match=words):
        attribute(events, [metric])


def test_an_item_with_two_rows_has_no_one_value(events, items):
    with pytest.raises(AttributionError, match="Item 'a' has several rows"):
        attribute(events, [MARGIN], items=pd.concat([items, items.head(1)]))


def test_events_need_a_type_and_a_time(events):
    with pytest.raises(AttributionError, match="no column 'EVENT_TYPE'"):
        attribute(events.drop(columns="EVENT_TYPE"), [COUNT])


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("COUNT()", "no function 'COUNT'.*Did you mean 'SAMPLECOUNT'"),
        ("SAMPLECOUNT(*)", "takes nothing in its brackets"),
        ("SUM(PRICE)", "SUM needs one column, as in"),
        ("SUM(Users.AGE)", "no dataset 'Users'"),
        ("SUM(Items.PRICE) / 2", "is not an expression"),
        ("SUM(Items.PRICE * 2)", "SUM needs one column"),
        ("", "is not an expression"),
        ("SUM(Items." + "A" * 260 + ")", "271 characters long, at most 256"),
        (3, "An expression is text"),
    ],
)
def test_expressions_that_cannot_be_read(expression, words):
    with pytest.raises(AttributionError, match=words):
        parse_expression(expression)


@given(
    st.sampled_from(["Items", "items", "INTERACTIONS"]), st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,30}", fullmatch=True)
)
def test_expressions_are_read_with_any_blanks_and_case(table, column):
    for words in (f"SUM({table}.{column})", f" sum ( {table} . {column} ) "):
        assert parse_expression(words) == ("sum", table.capitalize(), column)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_by_name(words):
    try:
        function, _, _ = parse_expression(words)
    except AttributionError:
        return
    assert function in ("sum", "samplecount")


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ([], "at least one metric"),
        (["SAMPLECOUNT()"], "Metric 1 must be a dict"),
        ([{"eventType": "View", "expression": "SAMPLECOUNT()"}], "Metric 1 lacks 'metricName'"),
        ([{**COUNT, "windw": 3}], "unknown key 'windw'"),
        ([COUNT, COUNT], "Metric 2: the name 'views' is taken"),
        ([{**COUNT, "eventType": " "}], "eventType must be a text that is not empty"),
        ([COUNT, {**COUNT, "metricName": "x", "expression": "AVG(Items.P)"}], r"Metric 2 \(x\): .*no function 'AVG'"),
    ],
)
def test_configurations_that_cannot_be_read(config, words):
    with pytest.raises(AttributionError, match=words):
        read_metrics(config)


def test_the_consoles_spelling_is_read_too():
    console = {"EventType": "View", "MetricName": "views", "MetricMathExpression": "samplecount()"}
    assert read_metrics([console]) == read_metrics([COUNT])
    assert read_metrics([MARGIN])[0].expression == "SUM(Items.MARGIN)"


def test_the_file_is_exactly_personalizes(events, tmp_path):
    strange = events.assign(EVENT_ATTRIBUTION_SOURCE='a "b", c')
    path = write_csv(attribute(strange.head(2), [COUNT]).table, tmp_path / "deep" / csv_name("BULK", 1_750_000_000))
    assert path.name == "AggregatedAttributionMetrics - BULK - 1750000000.csv"
    assert path.read_bytes().decode() == (
        "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP\n"
        'views,View,2.0,samplecount,"a ""b"", c",0\n'
    )
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_windows_hold_their_start_and_not_their_end():
    assert window_start(pd.Series([-1, 0, 899, 900])).tolist() == [-900, 0, 0, 900]
    assert utc(1_746_057_600) == "2025-05-01 00:00 UTC"


def test_longer_windows_add_up_and_fill_with_zero():
    table = pd.DataFrame(
        {"METRIC_NAME": "m", "SOURCE": ["a", "a", "b"], "TIMESTAMP": [0, 900, 7_200], "VALUE": [1.0, 2, 5]}
    )
    hours = rewindow(table, 3_600)
    assert hours.SOURCE.tolist() == ["a"] * 3 + ["b"] * 3
    assert hours.VALUE.tolist() == [3, 0, 0, 0, 0, 5]
    assert hours.TIMESTAMP.tolist() == [0, 3_600, 7_200] * 2
    assert rewindow(table.head(0), 60).empty
