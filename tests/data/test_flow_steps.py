"""Each step on a table small enough to check by hand."""

import ibis
import pandas as pd
import pytest

from workbench.data.connection import connect
from workbench.data.flow import Flow
from workbench.errors import FlowError


def run(frame, *steps, tables=None):
    """The rows of the result as dicts without `_ROW`, and the record."""
    others = {name: ibis.memtable(each) for name, each in (tables or {}).items()}
    result = Flow(list(steps)).run(ibis.memtable(pd.DataFrame(frame)), others)
    return connect().to_pyarrow(result.table.drop("_ROW")).to_pylist(), result.record


def column(frame, name, *steps, tables=None):
    return [row[name] for row in run(frame, *steps, tables=tables)[0]]


def last(frame, *steps, tables=None):
    return run(frame, *steps, tables=tables)[1].iloc[-1]


# columns


def test_rename_refuses_a_name_that_is_taken_in_any_case():
    with pytest.raises(FlowError, match=r"already has column\(s\) \['user_id'\]"):
        run({"u": ["1"], "user_id": ["2"]}, {"step": "rename", "columns": {"u": "USER_ID"}})


def test_rename_swaps_names():
    rows, _ = run({"a": ["1"], "b": ["2"]}, {"step": "rename", "columns": {"a": "b", "b": "a"}})
    assert rows == [{"b": "1", "a": "2"}]


def test_keep_and_drop_columns():
    frame = {"a": ["1"], "b": ["2"], "c": ["3"]}
    assert run(frame, {"step": "keep_columns", "columns": ["c", "a"]})[0] == [{"c": "3", "a": "1"}]
    assert run(frame, {"step": "drop_columns", "columns": ["b"]})[0] == [{"a": "1", "c": "3"}]
    with pytest.raises(FlowError, match="would leave no column"):
        run(frame, {"step": "drop_columns", "columns": ["a", "b", "c"]})


def test_set_counts_values_it_changed():
    step = {"step": "set", "columns": {"a": "x", "n": 3}}
    rows, record = run({"a": ["x", "y", None]}, step)
    assert rows == [{"a": "x", "n": 3}] * 3
    assert record["CHANGED"].tolist() == [2]


def test_cast_fails_with_row_numbers_and_value_or_does_what_it_is_told():
    frame = {"n": ["1", " 2.0 ", "x", "", None, "2.5"]}
    cast = {"step": "cast", "columns": {"n": "integer"}}
    with pytest.raises(FlowError, match=r"'n': 2 value\(s\) cannot be converted, for example 'x'; rows \[3, 6\]"):
        run(frame, cast)
    assert column(frame, "n", cast | {"invalid": "null"}) == [1, 2, None, None, None, None]
    assert column(frame, "n", cast | {"invalid": None}) == [1, 2, None, None, None, None]  # YAML's null
    assert column(frame, "n", cast | {"invalid": "drop"}) == [1, 2, None, None]
    assert last(frame, cast | {"invalid": "drop"})["REASON"] == "rows dropped for unreadable values: 2 in n"
    with pytest.raises(FlowError, match="unknown type 'intger'. Did you mean 'integer'"):
        run(frame, {"step": "cast", "columns": {"n": "intger"}})


# values


@pytest.mark.parametrize(
    ("others", "expected", "changed"),
    [("keep", ["F", "x", None, "F"], 2), ("null", ["F", None, None, "F"], 3), ("drop", ["F", None, "F"], 2)],
)
def test_map_values_and_what_is_not_listed(others, expected, changed):
    step = {"step": "map_values", "column": "g", "values": {"w": "F"}, "others": others}
    rows, record = run({"g": ["w", "x", None, "w"]}, step)
    assert [row["g"] for row in rows] == expected
    assert record["CHANGED"].tolist() == [changed]


def test_map_values_can_fail_with_the_values_and_rows():
    with pytest.raises(FlowError, match=r"1 value\(s\) are not listed, among them \['x'\]; rows \[2\]"):
        run({"g": ["w", "x"]}, {"step": "map_values", "column": "g", "values": {"w": "F"}, "others": "fail"})


def test_drop_missing_takes_blank_text_as_missing():
    frame = {"a": ["x", " ", None, "y"], "b": [1.0, None, None, None]}
    assert column(frame, "a", {"step": "drop_missing", "columns": ["a"]}) == ["x", "y"]
    assert column(frame, "a", {"step": "drop_missing"}) == ["x"]
    assert column(frame, "a", {"step": "drop_missing", "when": "all"}) == ["x", "y"]


@pytest.mark.parametrize(
    ("fill", "expected"),
    [
        (7, [1, 7, 1, 4, 7]),
        ({"how": "mean"}, [1, 2, 1, 4, 2]),
        ({"how": "median"}, [1, 1, 1, 4, 1]),
        ({"how": "mode"}, [1, 1, 1, 4, 1]),
        ({"how": "max"}, [1, 4, 1, 4, 4]),
        ({"how": "previous"}, [1, 1, 1, 4, 4]),
    ],
)
def test_fill_missing(fill, expected):
    step = {"step": "fill_missing", "columns": {"n": fill}}
    rows, record = run({"n": [1.0, None, 1.0, 4.0, None]}, step)
    assert [row["n"] for row in rows] == expected
    assert record["CHANGED"].tolist() == [2]


@pytest.mark.parametrize(
    ("fill", "message"),
    [
        ("x", "holds float64 values and cannot be filled with 'x'"),
        ({"how": "avg"}, "one of mean, .*got {'how': 'avg'}"),
    ],
)
def test_fill_missing_refuses_what_does_not_fit(fill, message):
    with pytest.raises(FlowError, match=message):
        run({"n": [1.0, None]}, {"step": "fill_missing", "columns": {"n": fill}})


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"method": "absolute", "low": 2, "high": 4}, [2, 2, 3, 4, 4]),
        ({"method": "quantile", "high": 0.75}, [1, 2, 3, 4, 4]),
        ({"method": "iqr"}, [1, 2, 3, 4, 7]),  # quartiles 2 and 4, so the limits are -1 and 7
    ],
)
def test_cap_outliers(options, expected):
    assert column({"n": [1, 2, 3, 4, 100]}, "n", {"step": "cap_outliers", "columns": ["n"], **options}) == expected


def test_bucket_puts_a_border_into_the_range_above():
    step = {"step": "bucket", "column": "age", "edges": [25, 45], "labels": ["young", "middle", "old"], "to": "G"}
    assert column({"age": [24.9, 25.0, 45.0, None]}, "G", step) == ["young", "middle", "old", None]
    unnamed = {"step": "bucket", "column": "age", "edges": [25, 45]}
    assert column({"age": [1, 30, 50]}, "age_BUCKET", unnamed) == ["below 25", "25 to 45", "45 and above"]
    assert column({"n": [1, 2, 3, 4]}, "n_BUCKET", {"step": "bucket", "column": "n", "quantiles": 2})[1:3] == [
        "below 2.5",
        "2.5 and above",
    ]
    with pytest.raises(FlowError, match="2 edges make 3 ranges, but there are 1 labels"):
        run({"age": [1]}, unnamed | {"labels": ["x"]})


# text and several values


def test_clean_text_takes_tags_entities_white_space_and_length():
    dirty = [
        "<p>Fish &amp; <b>chips</b></p>",
        "a\n\t b  c",
        "<script>alert(1)</script>3 < 4 &lt;b&gt;",
        "plain",
        "<br/>",
        "abcdef &#39;x&#39;",
    ]
    step = {"step": "clean_text", "columns": ["t"], "longest": 12}
    rows, record = run({"t": dirty}, step)
    assert [row["t"] for row in rows] == ["Fish & chips", "a b c", "3 < 4 <b>", "plain", None, "abcdef 'x'"]
    assert record["CHANGED"].tolist() == [5]
    long = run({"t": ["x" * 13]}, step)
    assert long[0] == [{"t": "x" * 12}]
    assert long[1]["REASON"].tolist() == ["1 texts cut at 12 characters"]


def test_multi_values_are_trimmed_and_each_once_in_their_order():
    step = {"step": "multi_values", "column": "g", "separator": ","}
    assert column({"g": ["b, a,b,, c", "", None, "x"]}, "g", step) == ["b|a|c", None, None, "x"]


def test_split_values_into_rows_or_columns():
    frame = {"i": ["1", "2"], "g": ["b|a", None]}
    rows, record = run(frame, {"step": "split_values", "column": "g"})
    assert [(row["i"], row["g"]) for row in rows] == [("1", "b"), ("1", "a"), ("2", None)]
    assert record["ROWS_REMOVED"].tolist() == [-1]
    rows, record = run(frame, {"step": "split_values", "column": "g", "into": ["G1"]})
    assert rows == [{"i": "1", "G1": "b"}, {"i": "2", "G1": None}]
    assert record["REASON"].tolist() == ["1 rows had more than 1 values; the rest of them is left out"]


def test_join_values_and_flags():
    joined = {"step": "join_values", "columns": ["a", "b"], "to": "ab"}
    assert column({"a": ["x", None, ""], "b": ["y", "z", None]}, "ab", joined) == ["x|y", "z", None]
    flags = {"step": "join_values", "columns": ["Action", "Drama"], "to": "G", "flags": True}
    assert column({"Action": [1, 0, 1], "Drama": [1, 0, 0]}, "G", flags) == ["Action|Drama", None, "Action"]


def test_gather_values_makes_one_row_per_key():
    frame = {"i": ["1", "2", "1", "1"], "tag": ["b", None, "a", "b"], "n": [1, 2, 3, 4]}
    rows, _ = run(frame, {"step": "gather_values", "by": ["i"], "column": "tag"})
    assert rows == [{"i": "1", "tag": "b|a", "n": 1}, {"i": "2", "tag": None, "n": 2}]


# events


def test_ratings_become_the_highest_event_they_reach_or_all_of_them():
    frame = {"r": [5.0, 2.0, 1.0, None]}
    step = {"step": "ratings_to_events", "column": "r", "events": {"watch": 4, "click": 2}}
    rows, record = run(frame, step)
    assert rows == [{"EVENT_VALUE": 5.0, "EVENT_TYPE": "watch"}, {"EVENT_VALUE": 2.0, "EVENT_TYPE": "click"}]
    assert record["REASON"].tolist() == ["1 ratings below 2, 1 missing"]
    assert column(frame, "EVENT_TYPE", step | {"all": True}) == ["click", "watch", "click"]
    assert run(frame, step | {"value": ""})[0] == [{"EVENT_TYPE": "watch"}, {"EVENT_TYPE": "click"}]
    with pytest.raises(FlowError, match="two events share one threshold"):
        run(frame, step | {"events": {"a": 1, "b": 1}})


def test_event_types_are_mapped_and_dropped():
    frame = {"EVENT_TYPE": ["view", "buy", "ping", "view"]}
    mapped = {"step": "map_event_types", "types": {"view": "View", "buy": "Purchase"}, "others": "drop"}
    assert column(frame, "EVENT_TYPE", mapped) == ["View", "Purchase", "View"]
    rows, record = run(frame, {"step": "drop_event_types", "types": ["ping"]})
    assert len(rows) == 3
    assert record["REASON"].tolist() == ["ping: 1"]


# rows and histories


def test_drop_duplicates_by_key_keeps_first_or_last():
    frame = {"k": ["a", "a", None, None], "v": [1, 2, 3, 4]}
    assert column(frame, "v", {"step": "drop_duplicates", "by": ["k"]}) == [1, 3]
    assert column(frame, "v", {"step": "drop_duplicates", "by": ["k"], "keep": "last"}) == [2, 4]
    assert column(frame, "v", {"step": "drop_duplicates"}) == [1, 2, 3, 4]


def test_conditions_take_null_as_not_holding():
    frame = {"n": [1.0, 5.0, None]}
    assert column(frame, "n", {"step": "drop_where", "condition": "n > 2 -- large"}) == [1.0, None]
    assert column(frame, "n", {"step": "keep_where", "condition": "n > 2"}) == [5.0]


def test_sample_is_the_same_for_the_same_seed_and_whole_for_users():
    frame = {"u": [f"u{i % 50}" for i in range(200)], "n": list(range(200))}
    half = {"step": "sample", "share": 0.5, "by": "u", "seed": 1}
    rows, _ = run(frame, half)
    users = {row["u"] for row in rows}
    assert 10 < len(users) < 40
    assert len(rows) == 4 * len(users)
    assert run(frame, half)[0] == rows
    assert run(frame, half | {"seed": 2})[0] != rows
    assert len({row["u"] for row in run(frame, {"step": "sample", "number": 7, "by": "u"})[0]}) == 7
    assert len(run(frame, {"step": "sample", "number": 7})[0]) == 7
    assert len(run(frame, {"step": "sample", "share": 1.0})[0]) == 200
    with pytest.raises(FlowError, match="give either 'share' or 'number'"):
        run(frame, {"step": "sample"})


def test_bots_and_short_histories():
    frame = {"USER_ID": ["a"] * 5 + ["b"] * 2 + ["c"]}
    rows, record = run(frame, {"step": "drop_bots", "max_events": 4}, {"step": "drop_short_histories", "min_events": 2})
    assert [row["USER_ID"] for row in rows] == ["b", "b"]
    assert record["REASON"].tolist() == ["1 users with more than 4 events", "1 users with fewer than 2 events"]
    # Of the lengths 5, 2 and 1 the median is 2.
    assert column(frame, "USER_ID", {"step": "drop_bots", "quantile": 0.5}) == ["b", "b", "c"]


def test_k_core_goes_on_until_nothing_falls_away():
    # c has one event; without it item z has one; without z user b has one; without b items x and y keep one each.
    frame = {"USER_ID": ["a", "a", "b", "b", "c"], "ITEM_ID": ["x", "y", "y", "z", "z"]}
    rows, record = run(frame, {"step": "k_core", "user_min": 2, "item_min": 1})
    assert len(rows) == 4
    assert record["REASON"].tolist() == ["stable after 2 rounds with at least 2 per user and 1 per item"]
    assert run(frame, {"step": "k_core", "user_min": 2, "item_min": 2})[0] == []


# other tables


def test_join_brings_columns_and_counts_what_finds_no_match():
    frame = {"product": ["1", "2", "3"]}
    items = {"ITEM_ID": ["1", "2"], "PRICE": [5.0, 6.0], "NAME": ["a", "b"]}
    step = {"step": "join", "table": "items", "on": {"product": "ITEM_ID"}, "columns": ["PRICE"]}
    rows, record = run(frame, step, tables={"items": pd.DataFrame(items)})
    assert [(row["product"], row["PRICE"]) for row in rows] == [("1", 5.0), ("2", 6.0), ("3", None)]
    assert record["REASON"].tolist() == ["table items; 1 rows without a match"]
    tables = {"items": pd.DataFrame(items)}
    assert column(frame, "product", step | {"how": "inner"}, tables=tables) == ["1", "2"]
    assert column(frame, "product", step | {"how": "semi"}, tables=tables) == ["1", "2"]
    assert column(frame, "product", step | {"how": "anti"}, tables=tables) == ["3"]


def test_join_refuses_keys_that_are_there_twice_unless_told():
    frame, tables = {"k": ["1"]}, {"t": pd.DataFrame({"k": ["1", "1"], "v": [1, 2]})}
    step = {"step": "join", "table": "t", "on": "k"}
    with pytest.raises(FlowError, match=r"'t' has 1 key\(s\) of \['k'\] more than once, for example \['1'\]"):
        run(frame, step, tables=tables)
    assert column(frame, "v", step | {"duplicates": "first"}, tables=tables) == [1]
    assert sorted(column(frame, "v", step | {"duplicates": "all"}, tables=tables)) == [1, 2]
    with pytest.raises(FlowError, match="there is no table 'T2' beside this one. Did you mean 't'"):
        run(frame, step | {"table": "T2"}, tables=tables)


def test_append_fills_columns_that_one_side_lacks():
    tables = {"more": pd.DataFrame({"a": ["2"], "c": [1.5]})}
    rows, _ = run({"a": ["1"], "b": ["x"]}, {"step": "append", "table": "more"}, tables=tables)
    assert rows == [{"a": "1", "b": "x", "c": None}, {"a": "2", "b": None, "c": 1.5}]
    with pytest.raises(FlowError, match="a: int64 here, string there"):
        run({"a": [1]}, {"step": "append", "table": "more"}, tables=tables)
