"""Time columns: every way to write a time ends as whole seconds since 1970, or in an error that names the rows."""

from datetime import date, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from workbench.data.sources import Source, open_source
from workbench.errors import SourceError

T = 1_704_067_200  # 2024-01-01 00:00:00 UTC
MAP = {"t": "TIMESTAMP"}


@pytest.fixture
def write(tmp_path):
    def to_file(*times: str) -> Path:
        path = tmp_path / "e.csv"
        path.write_text("u;t\n" + "".join(f"u{n};{each}\n" for n, each in enumerate(times)))
        return path

    return to_file


def seconds(source: Source) -> list:
    frame = source.table.select("TIMESTAMP").to_pyarrow()
    assert frame.schema.field(0).type == pa.int64()
    return frame.column(0).to_pylist()


def recognised(source: Source) -> str:
    return source.report.set_index("COLUMN").loc["TIMESTAMP", "RECOGNISED_AS"]


def note(source: Source) -> str:
    return source.report.set_index("COLUMN").loc["TIMESTAMP", "NOTE"]


@pytest.mark.parametrize(
    ("times", "expected", "format_name"),
    [
        (["1704067200", "0"], [T, 0], "seconds since 1970"),
        (["-5", "1704067200"], [-5, T], "seconds since 1970"),
        (["1704067200.9", "1.7040672e9"], [T, T], "seconds since 1970, fractions dropped"),
        (["1704067200999.5", "0.0"], [T, 0], "milliseconds since 1970, divided by 1000, fractions dropped"),
        (["1704067200999", "0"], [T, 0], "milliseconds since 1970, divided by 1000"),
        (["1704067200999999"], [T], "microseconds since 1970, divided by 1000000"),
        (["1704067200999999999"], [T], "nanoseconds since 1970, divided by 1000000000"),
        (["2024-01-01", "2024/1/2", "1969-12-31"], [T, T + 86_400, -86_400], "ISO dates, each taken as midnight UTC"),
        (["2024-01-01 00:00", "2024-01-01T00:00:01.9"], [T, T + 1], "ISO text without a zone, taken as UTC"),
        (["2024-01-01T02:00:00+02:00", "2024-01-01 00:00:01Z"], [T, T + 1], "ISO text with a zone, turned into UTC"),
        (["2024-01-01 00:00:00 UTC", "2023-12-31T19:00:00-05"], [T, T], "ISO text with a zone, turned into UTC"),
        ([" 1704067200", "1704067201 "], [T, T + 1], "seconds since 1970"),
        (["", "1704067200"], [None, T], "seconds since 1970"),
        (["", ""], [None, None], "empty"),
    ],
)
def test_formats_are_recognised_and_reported(write, times, expected, format_name):
    source = open_source(write(*times), columns=MAP)
    assert seconds(source) == expected
    assert recognised(source) == format_name


@pytest.mark.parametrize("name", ["TIMESTAMP", "CREATION_TIMESTAMP", "EXPIRATION_TIMESTAMP"])
def test_every_time_column_of_the_vocabulary_is_turned(write, name):
    source = open_source(write("1704067200000"), columns={"t": name})
    assert source.table.select(name).to_pyarrow().column(0).to_pylist() == [T]


def test_other_columns_are_times_when_said(write):
    source = open_source(write("1704067200000"), columns={"t": "seen"}, options={"types": {"seen": "time"}})
    assert source.table.select("seen").to_pyarrow().column(0).to_pylist() == [T]


@pytest.mark.parametrize(
    ("given", "times", "expected"),
    [
        ("%d/%m/%Y", ["01/02/2024"], [T + 31 * 86_400]),
        ("%m/%d/%Y", ["01/02/2024"], [T + 86_400]),
        ("%d.%m.%Y %H:%M", ["01.01.2024 00:01"], [T + 60]),
        ("%b %d, %Y %I:%M %p", ["Jan 1, 2024 12:00 AM"], [T]),
        ("%d/%b/%Y:%H:%M:%S %z", ["01/Jan/2024:01:00:00 +0100"], [T]),
        ("%Y%m%d", ["20240101"], [T]),
        ("seconds", ["20240101"], [20_240_101]),
        ("milliseconds", ["-1500", "1500"], [-2, 1]),
        ("iso", ["2024-01-01", "2024-01-01T00:00:00Z"], [T, T]),
    ],
)
def test_a_given_format_is_obeyed(write, given, times, expected):
    assert seconds(open_source(write(*times), columns=MAP, options={"time_format": given})) == expected
    source = open_source(write(*times), columns=MAP, options={"time_format": {"t": given}})
    assert recognised(source).endswith("(as given)")


@pytest.mark.parametrize(
    ("given", "message"),
    [("second", "'second' is neither a unit nor a pattern. Did you mean 'seconds'"), ("%Q", "pattern '%Q' cannot be")],
)
def test_a_format_that_is_none_is_refused(write, given, message):
    with pytest.raises(SourceError, match=message):
        open_source(write("1704067200"), columns=MAP, options={"time_format": given})


def test_times_without_a_zone_take_the_given_one(write):
    source = open_source(write("2024-01-01 01:00:00"), columns=MAP, options={"timezone": "Europe/Berlin"})
    assert seconds(source) == [T]
    assert recognised(source) == "ISO text without a zone, taken as Europe/Berlin"


def test_text_in_a_time_column_names_rows_and_remedy(write):
    path = write("2024-01-01", "yesterday", "2024-01-02", "soon")
    message = r"column 't' \(mapped to TIMESTAMP\): 2 of 4 values are no time.*row 2: 'yesterday', row 4: 'soon'"
    with pytest.raises(SourceError, match=message):
        open_source(path, columns=MAP)
    source = open_source(path, columns=MAP, options={"bad_times": "missing"})
    assert seconds(source) == [T, None, T + 86_400, None]
    assert "2 unreadable times read as missing" in note(source)


def test_only_text_in_a_time_column(write):
    with pytest.raises(SourceError, match="2 of 2 values are no time that can be read. row 1: 'a', row 2: 'b'"):
        open_source(write("a", "b"), columns=MAP, options={"bad_times": "missing"})


@pytest.mark.parametrize(
    ("odd", "also"),
    [("2024-01-01", "ISO dates, each taken as midnight UTC"), ("1704067200000", "milliseconds since 1970")],
)
def test_mixed_formats_are_refused_with_the_odd_row(write, odd, also):
    message = f"written in several ways: most are seconds since 1970, others {also}.*row 3: '{odd}'"
    with pytest.raises(SourceError, match=message):
        open_source(write("1704067200", "1704067201", odd), columns=MAP)


def test_a_mix_far_into_the_file_is_seen(write):
    times = [str(T + n) for n in range(12_000)]
    with pytest.raises(SourceError, match="row 12,001: '1704067200000'|row 12001: '1704067200000'"):
        open_source(write(*times, f"{T}000"), columns=MAP)


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (["03/04/2024"], r"'03/04/2024' \(row 1\).*never guessed.*'%d/%m/%Y'.*'%m/%d/%Y'\}\.$"),
        (["03/04/2024", "25/04/2024"], r"'%d/%m/%Y'.*Row 2, '25/04/2024', fits only the first"),
        (["03.04.24 10:00", "03.25.24 10:00"], r"'%d\.%m\.%y %H:%M'.*'%m\.%d\.%y %H:%M'.*fits only the second"),
        (["20240101", "20231231"], "'20240101' .row 1. can be a date written YYYYMMDD or seconds"),
    ],
)
def test_what_can_mean_two_things_is_asked(write, times, message):
    with pytest.raises(SourceError, match=message):
        open_source(write(*times), columns=MAP)


def test_small_numbers_are_noted(write):
    source = open_source(write("1", "711"), columns=MAP)
    assert seconds(source) == [1, 711]
    assert "all before 1980" in note(source)


@pytest.mark.parametrize(
    ("values", "format_name"),
    [
        (pa.array([T * 1000, None]), "milliseconds since 1970, divided by 1000"),
        (pa.array([float(T), None]), "seconds since 1970"),
        (pa.array([datetime(2024, 1, 1), None], pa.timestamp("ns")), "dates and times without a zone, taken as UTC"),
        (pa.array([datetime(2024, 1, 1), None], pa.timestamp("us", "Asia/Tokyo")), "dates and times with a zone"),
        (pa.array([date(2024, 1, 1), None]), "dates and times without a zone, taken as UTC"),
        (pa.array(["2024-01-01", None]), "ISO dates, each taken as midnight UTC"),
    ],
)
def test_times_of_typed_sources(values, format_name):
    source = open_source(pa.table({"USER_ID": ["a", "b"], "TIMESTAMP": values}))
    assert seconds(source) == [T, None]
    assert recognised(source) == format_name


def test_units_mixed_in_a_typed_source():
    with pytest.raises(
        SourceError, match="most are seconds .*, others milliseconds since 1970, divided by 1000. row 3"
    ):
        open_source(pd.DataFrame({"TIMESTAMP": [T, T, T * 1000]}))
    with pytest.raises(SourceError, match="is boolean, which is no time"):
        open_source(pd.DataFrame({"TIMESTAMP": [True]}))


def test_fractions_of_typed_seconds_are_dropped_and_noted():
    source = open_source(pd.DataFrame({"TIMESTAMP": [T + 0.9, T + 1.0]}))
    assert seconds(source) == [T, T + 1]
    assert recognised(source) == "seconds since 1970, fractions dropped"


def test_a_column_of_mixed_units_opens_as_it_is_when_said():
    frame = pd.DataFrame({"TIMESTAMP": [T, T * 1000]})
    assert seconds(open_source(frame, options={"types": {"TIMESTAMP": "integer"}})) == [T, T * 1000]
    assert seconds(open_source(frame, options={"bad_times": "missing"})) in ([T, None], [None, T])


def test_a_format_that_turns_up_late_still_fits_all(write):
    times = [str(T + n) for n in range(12_000)]
    source = open_source(write(*times, f"{T}.5"), columns=MAP)
    assert recognised(source) == "seconds since 1970, fractions dropped"
    assert seconds(source)[-1] == T
