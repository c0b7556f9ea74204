"""The flow itself: checked before it runs, counted while it runs, the same every time."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import ibis
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.connection import connect
from workbench.data.flow import RECORD_COLUMNS, Flow
from workbench.data.steps import REGISTRY
from workbench.errors import FlowError

GUIDE = Path(__file__).parents[2] / "notebooks" / "guides" / "flow_steps.md"


@pytest.fixture
def events():
    """Four events; the last is an exact copy of the first, user ids have leading zeros."""
    return pd.DataFrame(
        {
            "user": ["01", "1", "02", "01"],
            "item": ["a", "b", None, "a"],
            "TIMESTAMP": [30, 20, 10, 30],
        }
    )


def rows(result) -> list[dict]:
    return connect().to_pyarrow(result.table.drop("_ROW")).to_pylist()


def test_each_step_is_recorded_with_rows_columns_changes_and_reason(events):
    flow = Flow(
        [
            {"step": "rename", "columns": {"user": "USER_ID", "item": "ITEM_ID"}},
            {"step": "drop_missing", "columns": ["ITEM_ID"], "why": "about nothing"},
            {"step": "drop_duplicates"},
            {"step": "map_values", "column": "ITEM_ID", "values": {"a": "A"}},
        ]
    )
    result = flow.run(ibis.memtable(events))
    assert rows(result) == [
        {"USER_ID": "01", "ITEM_ID": "A", "TIMESTAMP": 30},
        {"USER_ID": "1", "ITEM_ID": "b", "TIMESTAMP": 20},
    ]
    record = flow.explain()
    assert tuple(record.columns) == RECORD_COLUMNS
    assert record["ROWS_IN"].tolist() == [4, 4, 3, 2]
    assert record["ROWS_OUT"].tolist() == [4, 3, 2, 2]
    assert record["ROWS_REMOVED"].tolist() == [0, 1, 1, 0]
    assert record["CHANGED"].tolist() == [0, 0, 0, 1]
    assert record["COLUMNS_ADDED"].tolist() == ["USER_ID, ITEM_ID", "", "", ""]
    assert record["COLUMNS_REMOVED"].tolist() == ["user, item", "", "", ""]
    assert record["REASON"][1] == "about nothing; missing: 1 in ITEM_ID"
    assert (record["SECONDS"] >= 0).all()


def test_rows_keep_file_order_and_their_number_in_the_source(events):
    result = Flow([{"step": "drop_duplicates", "keep": "last"}]).run(ibis.memtable(events))
    assert connect().to_pyarrow(result.table)["_ROW"].to_pylist() == [2, 3, 4]


def test_an_existing_row_number_is_kept(events):
    numbered = events.assign(_ROW=[10, 20, 30, 40])
    result = Flow([{"step": "drop_missing", "columns": ["item"]}]).run(ibis.memtable(numbered))
    assert connect().to_pyarrow(result.table)["_ROW"].to_pylist() == [10, 20, 40]


def test_an_empty_flow_and_an_empty_table_are_fine(events):
    assert len(rows(Flow([]).run(ibis.memtable(events)))) == 4
    empty = ibis.memtable(events.head(0).astype({"user": "string", "item": "string"}))
    result = Flow([{"step": "drop_duplicates"}, {"step": "drop_short_histories", "min_events": 2, "user": "user"}]).run(
        empty
    )
    assert rows(result) == []
    assert result.record["ROWS_OUT"].tolist() == [0, 0]


def test_neither_steps_nor_table_are_changed(events):
    steps = [{"step": "rename", "columns": {"user": "USER_ID"}}]
    before, table = deepcopy(steps), events.copy()
    flow = Flow(steps)
    flow.run(ibis.memtable(events))
    steps[0]["columns"]["user"] = "other"
    assert flow.steps == before
    pd.testing.assert_frame_equal(events, table)


def test_hash_is_of_content_not_of_order(events):
    original = Flow([]).run(ibis.memtable(events)).hash
    assert Flow([]).run(ibis.memtable(events.iloc[::-1])).hash == original
    assert Flow([]).run(ibis.memtable(events[["TIMESTAMP", "item", "user"]])).hash == original
    assert Flow([]).run(ibis.memtable(events.head(3))).hash != original
    assert Flow([]).run(ibis.memtable(events.assign(user=["1", "1", "02", "01"]))).hash != original
    assert Flow([]).run(ibis.memtable(events.rename(columns={"user": "USER"}))).hash != original


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), min_size=1, max_size=3), st.data())
def test_hash_tells_values_apart_that_read_alike_when_joined(pairs, data):
    other = data.draw(st.lists(st.tuples(st.text(max_size=4), st.text(max_size=4)), min_size=1, max_size=3))

    def hashed(values):
        return Flow([]).run(ibis.memtable(pd.DataFrame(values, columns=["a", "b"]).astype("string"))).hash

    assert (hashed(pairs) == hashed(other)) == (sorted(pairs) == sorted(other))


HASHED = """
import ibis, pandas as pd
from workbench.data.connection import connect
from workbench.data.flow import Flow
connect().raw_sql("SET threads = {threads}")
table = connect().sql("SELECT 'u' || (i * 7919 % 501) AS USER_ID, 'i' || (i % 37) AS ITEM_ID, i // 3 AS TIMESTAMP, "
    "i / 7.0 AS PRICE FROM range(200000) t(i)")
steps = [{{"step": "drop_duplicates", "by": ["USER_ID", "ITEM_ID"]}},
    {{"step": "sample", "share": 0.5, "by": "USER_ID"}}, {{"step": "sessions"}},
    {{"step": "cap_outliers", "columns": ["PRICE"], "high": 0.9}}]
print(Flow(steps).run(table).hash)
"""


def test_the_same_flow_gives_the_same_hash_in_every_process_and_with_any_number_of_threads():
    runs = [
        subprocess.run([sys.executable, "-c", HASHED.format(threads=n)], capture_output=True, text=True, check=True)
        for n in (1, 2)
    ]
    assert len({run.stdout for run in runs}) == 1
    assert len(runs[0].stdout.strip()) == 64


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([{"step": "renme", "columns": {}}], r"step 1: unknown step 'renme'\. Did you mean 'rename'\?"),
        ([{"step": "rename", "colums": {}}], r"step 1 \(rename\): unknown option 'colums'\. Did you mean 'columns'\?"),
        ([{"step": "rename"}], r"step 1 \(rename\): option 'columns' is missing: Present name to new name"),
        ([{"step": "k_core", "user_min": "5"}], r"'user_min' must be a whole number, got '5' \(str\)"),
        ([{"step": "k_core", "user_min": True}], r"'user_min' must be a whole number, got True \(bool\)"),
        ([{"step": "drop_duplicates", "keep": "frist"}], r"'keep' got 'frist'\. Did you mean 'first'\?"),
        ([{"columns": []}], "step 1 has no 'step' that names it"),
        (["rename"], "step 1 must be a dict such as .*got 'rename'"),
        ({"step": "rename"}, r"a flow is a list of steps, got .*\(dict\)"),
        ([{"step": "drop_duplicates", "why": 7}], "option 'why' must be text, got 7"),
    ],
)
def test_a_wrong_step_is_refused_before_anything_runs(steps, message):
    with pytest.raises(FlowError, match=message):
        Flow(steps)


def test_errors_while_running_name_the_step_and_the_likely_column(events):
    flow = Flow([{"step": "drop_duplicates"}, {"step": "drop_columns", "columns": ["itm"]}])
    with pytest.raises(FlowError, match=r"step 2 \(drop_columns\): there is no column 'itm'\. Did you mean 'item'\?"):
        flow.run(ibis.memtable(events))


def test_explain_needs_a_run_and_plan_does_not():
    flow = Flow([{"step": "drop_duplicates", "why": "sent twice"}])
    with pytest.raises(FlowError, match="has not run yet"):
        flow.explain()
    assert flow.plan()[["STEP", "NAME", "WHY"]].to_numpy().tolist() == [[1, "drop_duplicates", "sent twice"]]


def test_tables_stored_on_the_way_are_dropped_when_nobody_needs_them(events):
    def stored() -> set[str]:
        return {name for name in connect().list_tables() if name.startswith("_flow_")}

    before = stored()
    result = Flow([{"step": "drop_duplicates"}, {"step": "drop_missing"}]).run(ibis.memtable(events))
    assert len(stored() - before) == 1
    del result
    assert stored() == before


def test_every_registered_step_and_option_is_in_the_guide():
    text = GUIDE.read_text(encoding="utf-8")
    for name, step in REGISTRY.items():
        assert f"### `{name}`\n\n{step.about}" in text
        section = text.split(f"### `{name}`\n")[1].split("\n### ")[0]
        for option in step.options:
            assert f"| `{option.name}` |" in section, f"{name}: option {option.name} is not in {GUIDE.name}"
        assert yaml.safe_load(section.split("```yaml\n")[1].split("```")[0]) == [step.example]


@pytest.mark.parametrize("name", REGISTRY)
def test_every_example_is_a_valid_step(name):
    Flow([REGISTRY[name].example])
