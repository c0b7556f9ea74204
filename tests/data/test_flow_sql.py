"""The sql step reads, and nothing else."""

import ibis
import pandas as pd
import pytest

from workbench.data.connection import connect
from workbench.data.flow import Flow
from workbench.errors import FlowError


def run(query, frame=None, tables=None):
    table = ibis.memtable(pd.DataFrame(frame or {"a": [1, 2, 3]}))
    result = Flow([{"step": "sql", "query": query}]).run(table, tables)
    return connect().to_pyarrow(result.table).to_pylist()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("SELECT a * 2 AS b FROM this WHERE a > 1", [{"_ROW": 1, "b": 4}, {"_ROW": 2, "b": 6}]),
        ("SELECT * FROM this WHERE a = 3; -- done", [{"_ROW": 3, "a": 3}]),
        ("WITH big AS (SELECT * FROM this WHERE a > 2) SELECT a FROM big", [{"_ROW": 1, "a": 3}]),
        ("FROM this SELECT sum(a) AS total", [{"_ROW": 1, "total": 6}]),
        ("SELECT n FROM range(2) r(n)", [{"_ROW": 1, "n": 0}, {"_ROW": 2, "n": 1}]),
        ("SELECT a FROM this ORDER BY a DESC", [{"_ROW": i, "a": 4 - i} for i in (1, 2, 3)]),
    ],
)
def test_any_select_replaces_the_table(query, expected):
    assert run(query) == expected


def test_values_that_a_query_changes_are_counted_where_rows_keep_their_number():
    table = ibis.memtable(pd.DataFrame({"a": [1, 2, 3], "b": ["x", None, "y"]}))
    query = "SELECT * REPLACE (if(a > 1, a * 10, a) AS a, coalesce(b, '?') AS b) FROM this WHERE a < 3"
    record = Flow([{"step": "sql", "query": query}]).run(table).record
    assert record[["ROWS_REMOVED", "CHANGED"]].to_numpy().tolist() == [[1, 2]]
    anew = Flow([{"step": "sql", "query": "SELECT a FROM this"}]).run(table).record
    assert anew["REASON"][0] == "rows numbered anew, so changed values are not counted"


def test_other_tables_are_known_by_name():
    other = ibis.memtable(pd.DataFrame({"k": [2], "v": ["x"]}))
    assert run("SELECT a, v FROM this JOIN more ON a = k", tables={"more": other}) == [{"_ROW": 1, "a": 2, "v": "x"}]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("DROP TABLE this", "only one SELECT is allowed here, and this is not one: 'DROP TABLE this'"),
        ("SELECT 1; DELETE FROM this", "only one SELECT is allowed"),
        ("SELECT 1; SELECT 2", "only one SELECT is allowed here, got 2 statements"),
        ("COPY this TO 'x.csv'", "only one SELECT is allowed"),
        ("SET memory_limit = '1GB'", "only one SELECT is allowed"),
        ("ATTACH 'x.db'", "only one SELECT is allowed"),
        ("", "only one SELECT is allowed"),
        ("SELEC a FROM this", "syntax error at or near"),
        ("SELECT * FROM read_csv('x.csv')", "calls the table function 'read_csv'"),
        ("SELECT * FROM 'x.csv'", "reads 'x.csv', which is no table of this flow"),
        ("SELECT * FROM thsi", "reads 'thsi', which is no table of this flow. Did you mean 'this'"),
        ("SELECT (SELECT max(content) FROM read_text('/etc/hosts')) FROM this", "table function 'read_text'"),
        ("SELECT * FROM duckdb_tables()", "table function 'duckdb_tables'"),
        ("SELECT * FROM information_schema.tables", "reads 'information_schema.tables'"),
        ("SELECT b FROM this", r'step 1 \(sql\): .*"b" not found.* columns here: \[\'a\'\]'),
    ],
)
def test_anything_but_one_select_over_known_tables_is_refused(query, message):
    with pytest.raises(FlowError, match=f"(?s){message}"):
        run(query)


@pytest.mark.parametrize(
    "condition",
    ["a > 1) OR (SELECT true FROM read_text('x'))", "1=1); DROP TABLE this; --", "a IN (SELECT b FROM other)"],
)
def test_a_condition_cannot_reach_further_than_a_query(condition):
    with pytest.raises(FlowError):
        Flow([{"step": "drop_where", "condition": condition}]).run(ibis.memtable(pd.DataFrame({"a": [1]})))
