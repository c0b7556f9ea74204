"""Steps on time: every format, time zones across a change of clocks, features and sessions."""

import ibis
import pandas as pd
import pytest

from workbench.data.connection import connect
from workbench.data.flow import Flow
from workbench.errors import FlowError

NOON = 1_577_880_000  # 2020-01-01 12:00:00 UTC


def run(frame, *steps):
    result = Flow(list(steps)).run(ibis.memtable(pd.DataFrame(frame)))
    return connect().to_pyarrow(result.table.drop("_ROW")).to_pylist(), result.record


@pytest.mark.parametrize(
    ("value", "format", "timezone", "expected"),
    [
        (NOON, "seconds", "UTC", NOON),
        (f"{NOON}.9", "seconds", "UTC", NOON),
        (NOON * 1000 + 999, "milliseconds", "UTC", NOON),
        (NOON * 1_000_000, "microseconds", "UTC", NOON),
        ("2020-01-01T12:00:00Z", "iso", "Europe/Berlin", NOON),
        ("2020-01-01T13:00:00+01:00", "iso", "Asia/Tokyo", NOON),
        ("2020-01-01 13:00:00", "iso", "Europe/Berlin", NOON),
        ("2020-01-01", "iso", "UTC", NOON - 43_200),
        ("01.01.2020 13:00", "%d.%m.%Y %H:%M", "Europe/Berlin", NOON),
        ("2020-07-01 14:00:00", "iso", "Europe/Berlin", 1_593_604_800),  # summer time: 12:00 UTC
        (pd.Timestamp("2020-01-01 12:00"), "iso", "UTC", NOON),
        ("1969-12-31T23:59:59Z", "iso", "UTC", -1),
    ],
)
def test_every_format_becomes_epoch_seconds(value, format, timezone, expected):
    step = {"step": "parse_time", "column": "t", "format": format, "timezone": timezone}
    rows, record = run({"t": [value]}, step)
    assert rows == [{"TIMESTAMP": expected}]
    assert record["REASON"][0] == f"read as {format}, time zone {timezone}"


def test_text_that_is_no_time_names_rows_and_value():
    frame = {"t": ["2020-01-01", "soon", None, "later"]}
    step = {"step": "parse_time", "column": "t", "format": "iso"}
    with pytest.raises(FlowError, match=r"'t': 2 value\(s\) cannot be converted, for example 'soon'; rows \[2, 4\]"):
        run(frame, step)
    rows, record = run(frame, step | {"invalid": "drop"})
    assert [row["TIMESTAMP"] for row in rows] == [1_577_836_800, None]
    assert record["ROWS_REMOVED"].tolist() == [2]
    assert [row["TIMESTAMP"] for row in run(frame, step | {"invalid": "null"})[0]] == [1_577_836_800, None, None, None]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"format": "isoo"}, "unknown time format 'isoo'"),
        ({"format": "iso", "timezone": "Europe/Berln"}, "unknown time zone 'Europe/Berln'"),
        ({"format": "iso", "to": "u"}, "already has a column 'u'"),
    ],
)
def test_wrong_options(options, message):
    with pytest.raises(FlowError, match=message):
        run({"t": ["2020-01-01"], "u": ["1"]}, {"step": "parse_time", "column": "t", **options})


def test_future_rows_go_and_the_moment_is_recorded():
    frame = {"TIMESTAMP": [NOON, NOON + 60, NOON + 61]}
    rows, record = run(frame, {"step": "drop_future", "now": "2020-01-01T12:00:00", "tolerance": 60})
    assert [row["TIMESTAMP"] for row in rows] == [NOON, NOON + 60]
    assert record["REASON"][0] == f"now = {NOON} (2020-01-01 12:00:00 UTC), 60 s tolerated"
    assert len(run({"TIMESTAMP": [NOON, 99_999_999_999]}, {"step": "drop_future"})[0]) == 1
    with pytest.raises(FlowError, match="'now' must be seconds or ISO text, got 'today'"):
        run(frame, {"step": "drop_future", "now": "today"})


def test_features_are_those_of_the_wall_clock():
    step = {"step": "time_features", "features": ["hour", "weekday", "weekend", "day", "month", "season", "year"]}
    rows, _ = run({"TIMESTAMP": [NOON + 11 * 3600 + 1800]}, step | {"timezone": "Europe/Berlin"})
    del rows[0]["TIMESTAMP"]
    assert rows[0] == {
        "HOUR": 0,
        "WEEKDAY": "Thursday",
        "WEEKEND": False,
        "DAY": 2,
        "MONTH": 1,
        "SEASON": "winter",
        "YEAR": 2020,
    }
    south = {"step": "time_features", "features": ["season"], "southern": True, "prefix": "S_"}
    assert run({"TIMESTAMP": [NOON]}, south)[0][0]["S_SEASON"] == "summer"
    with pytest.raises(FlowError, match=r"unknown feature\(s\) \['minute'\]"):
        run({"TIMESTAMP": [NOON]}, {"step": "time_features", "features": ["minute"]})


def test_sessions_start_after_a_pause_longer_than_the_gap():
    frame = {"USER_ID": ["a", "b", "a", "a", "a"], "TIMESTAMP": [0, 0, 1800, 3601, 3601]}
    rows, record = run(frame, {"step": "sessions", "gap_minutes": 30})
    assert [(row["SESSION_ID"], row["SESSION_POSITION"]) for row in rows] == [
        ("a-1", 1),
        ("b-1", 1),
        ("a-1", 2),
        ("a-2", 1),
        ("a-2", 2),
    ]
    assert record["REASON"].tolist() == ["3 sessions"]
