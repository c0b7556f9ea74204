"""Databases, tables in memory and URLs."""

import functools
import http.server
import os
import sqlite3
import threading
from decimal import Decimal

import duckdb
import fsspec
import ibis
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from workbench.data.connection import GIB, memory_limit
from workbench.data.sources import Source, connect, open_source
from workbench.errors import SourceError

MAP = {"user": "USER_ID", "t": "TIMESTAMP"}


def rows(source: Source) -> list[tuple]:
    return connect().con.execute(f'SELECT * FROM "{source.table.get_name()}"').fetchall()


@pytest.fixture
def sqlite_file(tmp_path):
    path = tmp_path / "shop.db"
    with sqlite3.connect(path) as link:
        link.execute("CREATE TABLE events (user TEXT, t INTEGER, price REAL, word)")
        link.execute("INSERT INTO events VALUES ('001', 1700000000, 1.5, NULL), ('002', 1700000001, 2, 'x:y')")
        link.execute('CREATE TABLE "odd name" (a TEXT)')
    link.close()
    return path


@pytest.fixture
def duckdb_file(tmp_path):
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as link:
        link.execute("CREATE TABLE events AS SELECT '001' AS user, 1700000000000 AS t")
        link.execute("CREATE SCHEMA raw")
        link.execute("CREATE TABLE raw.items AS SELECT 5 AS ITEM_ID")
    return path


def test_sqlite_table_and_query(sqlite_file):
    expected = [("001", 1_700_000_000, 1.5, None), ("002", 1_700_000_001, 2.0, "x:y")]
    assert rows(open_source(sqlite_file, columns=MAP, options={"table": "events"})) == expected
    assert rows(open_source(f"sqlite:///{sqlite_file}?table=events", columns=MAP)) == expected
    sql = "SELECT user, '10:30' AS clock FROM events WHERE word = 'x:y'"
    assert rows(open_source(f"sqlite:///{sqlite_file}", options={"query": sql})) == [("002", "10:30")]


def test_sqlite_is_streamed_in_batches_in_order(tmp_path):
    with sqlite3.connect(tmp_path / "big.sqlite") as link:
        link.execute("CREATE TABLE e (USER_ID TEXT, n INTEGER)")
        link.executemany("INSERT INTO e VALUES (?, ?)", ((f"{n:06}", n) for n in range(120_000)))
    link.close()
    assert rows(open_source(tmp_path / "big.sqlite")) == [(f"{n:06}", n) for n in range(120_000)]


def test_duckdb_table_and_query(duckdb_file):
    for _ in range(2):  # a file can be attached only once; opening it again must still work
        assert rows(open_source(duckdb_file, columns=MAP, options={"table": "events"})) == [("001", 1_700_000_000)]
    assert rows(open_source(f"duckdb:///{duckdb_file}?table=raw.items")) == [("5",)]
    counted = open_source(duckdb_file, options={"query": "SELECT count(*) AS n FROM events"})
    assert rows(counted) == [(1,)]


def test_databases_name_their_tables(sqlite_file, duckdb_file):
    for path, names in ((sqlite_file, "events, odd name"), (duckdb_file, "events, raw.items")):
        with pytest.raises(SourceError, match=rf"2 tables \({names}\). Say which"):
            open_source(path)
        with pytest.raises(SourceError, match="no table 'event'. Did you mean 'events'"):
            open_source(path, options={"table": "event"})
        with pytest.raises(SourceError, match="(?i)syntax error"):
            open_source(path, options={"query": "SELEC nothing"})


def test_databases_that_are_none(tmp_path):
    for name in ("fake.sqlite", "fake.duckdb"):
        (tmp_path / name).write_text("nothing of the kind " * 99)
        with pytest.raises(SourceError, match=f"{name}: .*not a"):
            open_source(tmp_path / name)
    with pytest.raises(SourceError, match="no such file. Did you mean 'fake.sqlite'"):
        open_source(f"sqlite:///{tmp_path}/fake.sqlit?table=x")
    with pytest.raises(SourceError, match=r"mssql://me:\*\*\*@host/db: needs a driver"):
        open_source("mssql://me:secret@host/db?table=x")


def test_postgresql_without_a_driver_or_server_says_so_without_the_password():
    with pytest.raises(SourceError, match=r"recommendation-workbench\[postgres\]|[Cc]onnection") as caught:
        open_source("postgresql://me:secret@127.0.0.1:1/db?table=events")
    assert "secret" not in str(caught.value)


@pytest.mark.skipif("WORKBENCH_TEST_POSTGRES" not in os.environ, reason="WORKBENCH_TEST_POSTGRES names no server")
def test_postgresql_server():
    address = os.environ["WORKBENCH_TEST_POSTGRES"]  # such as postgresql://me@localhost/postgres
    sql = """SELECT lpad(i::text, 3, '0') AS user, timestamptz '2024-01-01 00:00:00Z' + i * interval '1 second' AS t,
             i % 2 = 0 AS even, (i / 4.0)::numeric(9, 2) AS price, ARRAY['a', 'b'] AS tags
             FROM generate_series(1, 2) i ORDER BY i"""
    assert rows(open_source(address, columns=MAP, options={"query": sql})) == [
        ("001", 1_704_067_201, False, 0.25, '["a", "b"]'),
        ("002", 1_704_067_202, True, 0.5, '["a", "b"]'),
    ]
    with pytest.raises(SourceError, match="no table 'no_such_table'"):
        open_source(f"{address}?table=no_such_table")


def test_frames_of_every_kind_give_the_same_table():
    data = {"user": ["007", "8", None], "t": [1_700_000_000_000, 1_700_000_001_999, None], "n": [1, 2, 3]}
    expected = [("007", 1_700_000_000, 1), ("8", 1_700_000_001, 2), (None, None, 3)]
    arrow = pa.table(data)
    other = ibis.duckdb.connect()
    other.create_table("events", arrow)
    kinds = [pd.DataFrame(data), pl.DataFrame(data), pl.LazyFrame(data), arrow, arrow.to_reader()]
    kinds += [ibis.memtable(arrow), other.table("events"), arrow.to_batches()[0]]
    for table in kinds:
        assert rows(open_source(table, columns=MAP)) == expected, type(table)
    here = connect().create_table("_events_of_a_test", arrow, overwrite=True)
    assert rows(open_source(here.filter(here.n < 3), columns=MAP)) == expected[:2]


def test_a_frame_is_not_changed_and_its_own_changes_stay_outside():
    frame = pd.DataFrame({"USER_ID": ["a", ""], "n": [1, 2]})
    before = frame.copy()
    source = open_source(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert rows(source) == [("a", 1), (None, 2)]


def test_odd_types_become_plain_ones():
    frame = pd.DataFrame(
        {
            "USER_ID": [1.0, None],
            "kind": pd.Categorical(["x", "y"]),
            "price": [Decimal("1.50"), Decimal("2.00")],
            "n": pd.array([1, None], dtype="Int16"),
        }
    )
    source = open_source(frame)
    assert rows(source) == [("1", "x", 1.5, 1), (None, "y", 2.0, None)]
    assert "double written without decimals" in source.report.loc[0, "NOTE"]


def test_wanted_types_of_typed_columns():
    frame = pd.DataFrame({"n": [1, 2], "p": [1.5, 2.5]})
    source = open_source(frame, options={"types": {"n": "number", "p": "text"}})
    assert rows(source) == [(1.0, "1.5"), (2.0, "2.5")]
    with pytest.raises(SourceError, match="column 'p' is double in the source and is not turned into integer"):
        open_source(frame, options={"types": {"p": "integer"}})


def test_progress_is_a_bar_on_the_error_stream(sqlite_file, capsys):
    open_source(sqlite_file, options={"table": "events"}, progress=True)
    assert "2 rows" in capsys.readouterr().err


def test_a_named_index_is_a_column():
    assert rows(open_source(pd.DataFrame({"n": [1]}, index=pd.Index(["007"], name="USER_ID")))) == [("007", 1)]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"a": [1, "x"]}), "a column mixes types.*column a"),
        (pd.DataFrame([[1, 2]], columns=["a", "A"]), "'A' .* beside 'a'"),
        (pd.DataFrame({"a": []}), "column names but no rows"),
        ([1, 2], "cannot open a builtins.list"),
        (pa.table({"a": [b"\xff\x00"]}), "column 'a' holds bytes"),
    ],
)
def test_tables_that_cannot_be_opened(table, message):
    with pytest.raises(SourceError, match=message):
        open_source(table)


@pytest.fixture
def server(tmp_path):
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    handler = functools.partial(Quiet, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


def test_web_address(tmp_path, server):
    (tmp_path / "e.csv").write_text("USER_ID,n\n007,1\n")
    source = open_source(f"{server}/e.csv?token=secret")
    assert rows(source) == [("007", 1)]
    assert source.name == f"{server}/e.csv"
    with pytest.raises(SourceError, match=r"/none.csv: nothing there"):
        open_source(f"{server}/none.csv?token=secret")


def test_object_stores():
    store = fsspec.filesystem("memory")
    store.pipe({"/bucket/day/b.csv": b"USER_ID,n\nb,2\n", "/bucket/day/a.csv": b"USER_ID,n\na,1\n"})
    assert rows(open_source("memory://bucket/day/a.csv")) == [("a", 1)]
    assert rows(open_source("memory://bucket/day")) == [("a", 1), ("b", 2)]
    assert rows(open_source("memory://bucket/day/*.csv")) == [("a", 1), ("b", 2)]
    with pytest.raises(SourceError, match="nothing there"):
        open_source("memory://bucket/night/*.csv")
    with pytest.raises(SourceError, match="the protocol 'foo' is unknown. Known: http, https, s3"):
        open_source("foo://bucket/x.csv")


@pytest.mark.parametrize(("scheme", "library"), [("s3", "s3fs"), ("gs", "gcsfs"), ("az", "adlfs")])
def test_missing_cloud_library_names_the_extra(scheme, library):
    if __import__("importlib").util.find_spec(library):
        pytest.skip(f"{library} is installed")
    with pytest.raises(SourceError, match=r"pip install 'recommendation-workbench\[cloud\]'"):
        open_source(f"{scheme}://bucket/x.csv")


def test_the_connection_is_one_and_stays_at_home():
    assert connect() is connect()
    wanted = "('autoinstall_known_extensions', 'autoload_known_extensions', 'TimeZone', 'preserve_insertion_order')"
    found = (
        connect().con.execute(f"SELECT value FROM duckdb_settings() WHERE name IN {wanted} ORDER BY name").fetchall()
    )
    assert found == [("UTC",), ("false",), ("false",), ("true",)]
    assert GIB <= memory_limit() <= 4 * GIB
