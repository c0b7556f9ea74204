"""Files of every kind, alone, in folders, packed; and what is said when they cannot be read."""

import bz2
import gzip
import lzma
import zipfile
from datetime import datetime
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import feather, parquet

from workbench.data.sources import Source, connect, open_source
from workbench.errors import SourceError

CSV = b"USER_ID,n\n007,1\n8,2\n"
ROWS = [("007", 1), ("8", 2)]
SHARED = Path(__file__).parents[2] / ".." / "shared" / "data"


def rows(source: Source) -> list[tuple]:
    return connect().con.execute(f'SELECT * FROM "{source.table.get_name()}"').fetchall()


def zipped(members: dict[str, bytes], path: Path) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return sink.getvalue().to_pybytes()


PACK = {"": bytes, ".gz": gzip.compress, ".GZ": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress, ".zst": zstd}


@pytest.mark.parametrize(("ending", "pack"), PACK.items())
@pytest.mark.parametrize("name", ["e.csv", "e.jsonl", "e.parquet"])
def test_files_are_read_packed_or_not(tmp_path, name, ending, pack):
    content = {"e.csv": CSV, "e.jsonl": b'{"USER_ID": "007", "n": 1}\n{"USER_ID": 8, "n": 2}\n'}.get(name)
    if content is None:
        pd.DataFrame({"USER_ID": ["007", "8"], "n": [1, 2]}).to_parquet(tmp_path / "plain")
        content = (tmp_path / "plain").read_bytes()
    path = tmp_path / (name + ending)
    path.write_bytes(pack(content))
    assert rows(open_source(path)) == ROWS
    assert rows(open_source(str(path))) == ROWS


def test_zip_with_one_file_and_with_several(tmp_path):
    assert rows(open_source(zipped({"in/e.csv": CSV}, tmp_path / "one.zip"))) == ROWS
    with pytest.raises(SourceError, match=r"holds 2 files \(a.csv, b.csv\). Unpack the one you mean"):
        open_source(zipped({"a.csv": CSV, "b.csv": CSV}, tmp_path / "two.zip"))
    (tmp_path / "bad.zip").write_bytes(b"PK nothing")
    with pytest.raises(SourceError, match="not a readable zip archive"):
        open_source(tmp_path / "bad.zip")


def test_json_keys_that_come_late_and_nested_values(tmp_path):
    lines = ['{"USER_ID": "a", "x": 1}'] * 3 + ['{"USER_ID": "b", "tags": ["p", "q"], "at": "2024-01-01", "ok": true}']
    (tmp_path / "e.ndjson").write_text("\n".join(lines))
    source = open_source(tmp_path / "e.ndjson")
    assert source.table.columns == ("USER_ID", "x", "at", "ok", "tags")
    assert rows(source)[3] == ("b", None, "2024-01-01", True, '["p","q"]')
    (tmp_path / "list.json").write_text('[{"a": "x", "b": 1.50}, {"a": null, "b": 2}]')
    assert rows(open_source(tmp_path / "list.json")) == [("x", 1.5), (None, 2.0)]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"a": 1}\n{"a": \n', "line 2 is no JSON"),
        ('{"a": 1}\n[1]\n', "line 2 is no JSON object"),
        ('{"a": 1, "A": 2}\n', "'A' .* beside 'a'"),
        ("{}\n", "no JSON objects with keys"),
        (" \n", "the file is empty"),
    ],
)
def test_broken_json(tmp_path, content, message):
    (tmp_path / "e.jsonl").write_text(content)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / "e.jsonl")


def test_parquet_keeps_its_types_and_ids_become_text(tmp_path):
    table = pa.table(
        {
            "user": pa.array([1.0, None]),
            "ITEM_ID": pa.array([10, 11], pa.int32()),
            "price": pa.array([1.5, 2.5], pa.float32()),
            "tags": pa.array([["a"], []]),
            "bytes": pa.array([b"x", b""]),
        }
    )
    pd.DataFrame({"x": [1]}).to_csv(tmp_path / "other.csv")
    parquet.write_table(table, tmp_path / "e.parquet")
    source = open_source(tmp_path / "e.parquet", columns={"user": "USER_ID"})
    assert rows(source) == [("1", "10", 1.5, ["a"], "x"), (None, "11", 2.5, [], None)]
    feather.write_feather(table.drop_columns("bytes"), tmp_path / "e.feather")
    assert rows(open_source(tmp_path / "e.feather", columns={"user": "USER_ID"}))[0] == ("1", "10", 1.5, ["a"])


def test_unreadable_parquet_and_other_columns(tmp_path):
    frame = pd.DataFrame({"USER_ID": ["a"] * 999, "n": range(999)})
    frame.to_parquet(tmp_path / "a.parquet")
    whole = (tmp_path / "a.parquet").read_bytes()
    (tmp_path / "cut.parquet").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SourceError, match=r"cut.parquet: not a readable Parquet file .*It may be cut off"):
        open_source(tmp_path / "cut.parquet")
    (tmp_path / "cut.parquet").unlink()
    frame.rename(columns={"n": "m"}).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(SourceError, match=r"b.parquet: has other columns than a.parquet: \['m', 'n'\]"):
        open_source(tmp_path)


def test_excel_sheets(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Events"
    sheet.append(["user", "t", "n", "new", None])
    sheet.append(["007", datetime(2024, 1, 1, 0, 1), 1, True])
    sheet.append([])
    sheet.append([8, datetime(2024, 1, 2), 2, False])
    book.save(tmp_path / "one.xlsx")
    mapping = {"user": "USER_ID", "t": "TIMESTAMP"}
    assert rows(open_source(tmp_path / "one.xlsx", columns=mapping)) == [
        ("007", 1_704_067_260, 1, True),
        ("8", 1_704_153_600, 2, False),
    ]
    book.create_sheet("Notes")
    book.save(tmp_path / "two.xlsx")
    with pytest.raises(SourceError, match=r"2 sheets \(Events, Notes\).*options=\{'sheet': 'Events'\}"):
        open_source(tmp_path / "two.xlsx")
    with pytest.raises(SourceError, match="no sheet 'events'. Did you mean 'Events'"):
        open_source(tmp_path / "two.xlsx", options={"sheet": "events"})
    with pytest.raises(SourceError, match="sheet 'Notes' is empty"):
        open_source(tmp_path / "two.xlsx", options={"sheet": "Notes"})
    assert len(rows(open_source(tmp_path / "two.xlsx", options={"sheet": "Events"}))) == 2
    sheet.cell(2, 7, "stray")
    book.save(tmp_path / "stray.xlsx")
    with pytest.raises(SourceError, match="row 1 has the value 'stray' in column 7, but only 4 columns have a name"):
        open_source(tmp_path / "stray.xlsx", options={"sheet": "Events"})
    (tmp_path / "fake.xlsx").write_bytes(b"no")
    with pytest.raises(SourceError, match="not a readable Excel workbook"):
        open_source(tmp_path / "fake.xlsx")


def test_folder_and_glob_are_one_table_in_the_order_of_names(tmp_path):
    for name, content in {
        "b.csv": "USER_ID,n\nc,3\n",
        "a.csv": "USER_ID,n\na,1\nb,2\n",
        "sub/c.csv": "USER_ID,n\nd,4\n",
    }.items():
        (tmp_path / "parts" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "parts" / name).write_text(content)
    for name in ("_SUCCESS", ".hidden.csv", "z.csv"):
        (tmp_path / "parts" / name).touch()
    source = open_source(tmp_path / "parts")
    assert rows(source) == [("a", 1), ("b", 2), ("c", 3), ("d", 4)]
    assert "1 empty file(s) skipped, the first is z.csv" in source.notes
    assert rows(open_source(f"{tmp_path}/parts/[ab].csv")) == [("a", 1), ("b", 2), ("c", 3)]
    assert len(rows(open_source(f"{tmp_path}/parts/**/*.csv"))) == 4


def test_folders_that_are_no_table(tmp_path):
    with pytest.raises(SourceError, match="the folder holds no files"):
        open_source(tmp_path)
    (tmp_path / "a.csv").write_text("x,y\n1,2\n")
    (tmp_path / "b.csv").write_text("y,x\n1,2\n")
    with pytest.raises(SourceError, match=r"b.csv: has the columns \['y', 'x'\], but a.csv has \['x', 'y'\]"):
        open_source(tmp_path)
    (tmp_path / "c.jsonl").write_text('{"x": 1}')
    (tmp_path / "read.me").write_text("hello")
    with pytest.raises(SourceError, match="files of several kinds.* 2 csv, 1 jsonl, 1 unknown"):
        open_source(tmp_path)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("interaction.csv", "no such file. Did you mean 'interactions.csv'.*In .*: interactions.csv, items.csv"),
        ("*.tsv", "nothing matches. In .*: interactions.csv"),
        ("nowhere/x.csv", "no folder 'nowhere'. In .*: interactions.csv"),
    ],
)
def test_missing_files_name_what_is_there(tmp_path, path, message):
    for name in ("interactions.csv", "items.csv"):
        (tmp_path / name).write_bytes(CSV)
    with pytest.raises(SourceError, match=message):
        open_source(tmp_path / path)


def test_the_file_is_not_changed_and_not_read_again_when_only_described(tmp_path):
    (tmp_path / "e.csv").write_bytes(CSV)
    source = open_source(tmp_path / "e.csv")
    assert (tmp_path / "e.csv").read_bytes() == CSV
    assert source.table.schema().names == ("USER_ID", "n")


@pytest.mark.skipif(not SHARED.is_dir(), reason="shared/data is not beside the repository")
def test_public_files_open_as_they_are():
    ratings = open_source(
        SHARED / "movielens-latest-small" / "ratings.csv.gz",
        columns={"userId": "USER_ID", "movieId": "ITEM_ID", "timestamp": "TIMESTAMP", "rating": "EVENT_VALUE"},
    )
    assert ratings.table.count().execute() == 100_836
    assert list(ratings.report["TYPE"]) == ["text", "text", "float64", "int64"]
    games = open_source(
        SHARED / "amazon-games" / "Video.txt.gz",
        options={"header": False, "delimiter": " ", "names": ["USER_ID", "ITEM_ID"]},
    )
    assert games.table.count().execute() == 287_107
    items = open_source(SHARED / "retail-demo-store" / "items.csv.gz")
    assert items.table.count().execute() == 2_465


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full to stand for a full disk")
def test_a_full_disk_says_where(tmp_path, monkeypatch):
    (tmp_path / "e.csv.xz").write_bytes(lzma.compress(CSV * 10_000))
    full = tmp_path / "full"
    full.mkdir()
    (full / "e.csv").symlink_to("/dev/full")  # what is unpacked goes there
    monkeypatch.setattr("workbench.data.readers.unpacking.new_folder", lambda: full)
    with pytest.raises(SourceError, match=r"e.csv.xz: the disk of the temporary folder .* is full.*TMPDIR"):
        open_source(tmp_path / "e.csv.xz")
