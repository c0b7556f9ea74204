"""Whatever a file holds, every line of it is read once: answered, blank, or with what is wrong with it."""

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.serving.batch_formats import LineError, asked_of, document_of
from workbench.serving.batch_input import BatchInput
from workbench.serving.batch_progress import Progress, Tally
from workbench.serving.batch_records import Position

LINES = st.lists(
    st.one_of(
        st.binary(max_size=30).filter(lambda line: b"\n" not in line),
        st.just(b'{"userId":"u1"}'),
        st.text(max_size=8).map(lambda text: json.dumps({"userId": text}).encode()),
        st.just(b"  \r"),
    ),
    max_size=12,
)
QUICK = settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@QUICK
@given(lines=LINES, ended=st.booleans())
def test_any_bytes_are_read_line_by_line_and_from_any_line_on(tmp_path: Path, lines: list[bytes], ended: bool):
    content = b"\n".join(lines) + (b"\n" if ended and lines else b"")
    path = tmp_path / "in.jsonl"
    path.write_bytes(content)
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return
    found = BatchInput(path, "users")
    records = list(found.records())
    count = content.count(b"\n") + (bool(content) and not content.endswith(b"\n"))
    assert [each.number for each in records] == list(range(1, count + 1))
    assert all(each.blank or each.problem or each.document is not None or each.text == "null" for each in records)
    assert not records or records[-1].after == Position(0, len(records), len(content))
    for number, record in enumerate(records):
        assert list(found.records(record.after)) == records[number + 1 :]


@QUICK
@given(kind=st.sampled_from(["users", "rankings", "related"]), text=st.text(max_size=60))
def test_any_text_is_an_ask_or_a_line_error(kind: str, text: str):
    try:
        asked = asked_of(kind, 0, text, document_of(text), has_filter=True)
    except LineError:
        return
    assert asked.id


@QUICK
@given(document=st.dictionaries(st.sampled_from(["userId", "itemId", "itemList", "filterValues", "x"]), st.one_of(
    st.none(), st.booleans(), st.integers(), st.text(max_size=3), st.lists(st.text(max_size=2), max_size=3),
    st.dictionaries(st.text(max_size=2), st.text(max_size=2), max_size=2),
)))  # fmt: skip
def test_any_document_is_an_ask_or_says_what_is_wrong(document: dict):
    for kind, needed in (("users", {"userId"}), ("rankings", {"userId", "itemList"}), ("related", {"itemId"})):
        try:
            asked = asked_of(kind, 3, "", document, has_filter=True)
        except LineError:
            continue
        assert needed <= set(document) <= needed | {"filterValues"}
        assert asked.id == document["itemId" if kind == "related" else "userId"]
        assert list(asked.items) == document.get("itemList", [])


def test_csv_and_parquet_go_on_from_any_row(tmp_path: Path):
    import pandas as pd

    path = tmp_path / "in.csv"
    path.write_text('userId,itemList\n"a\nb",x|y\n\nc,x\n"d,""e""",\nf,"open')
    found = BatchInput(path, "rankings")
    records = list(found.records())
    assert [each.number for each in records] == [2, 4, 5, 6, 7]
    assert records[0].document == {"userId": "a\nb", "itemList": ["x", "y"]}
    assert records[1].blank
    assert records[3].document == {"userId": 'd,"e"', "itemList": []}
    for number, record in enumerate(records):
        rest = list(found.records(record.after))
        assert [each[:4] for each in rest] == [each[:4] for each in records[number + 1 :]]

    table = tmp_path / "in.parquet"
    pd.DataFrame({"userId": [f"u{row}" for row in range(10)]}).to_parquet(table, row_group_size=4)
    found = BatchInput(table, "users")
    records = list(found.records())
    assert [each.document["userId"] for each in records] == [f"u{row}" for row in range(10)]
    assert [list(found.records(each.after)) for each in records] == [records[row:] for row in range(1, 11)]
    assert records[-1].after.bytes == table.stat().st_size


@given(bits=st.lists(st.booleans(), max_size=40), lengths=st.dictionaries(st.integers(0, 9), st.integers(1, 5)))
def test_a_tally_is_written_and_read_back(bits: list[bool], lengths: dict[int, int]):
    import numpy as np

    before = Tally(np.array(bits, dtype=bool), lines=9, failed=2, blank=1, unknown=3, short=4, lengths=lengths)
    after = Tally.from_json(json.loads(json.dumps(before.to_json())))
    assert after.seen.tolist() == bits
    assert after.counts() == before.counts()
    assert after.answered == 7


def test_progress_is_written_and_read_back(tmp_path: Path):
    import numpy as np

    before = Progress(
        {"kind": "users"}, [], {"revision": 1}, 5, 0, Tally(np.zeros(3, dtype=bool)), Position(1, 2, 3), 7
    )
    before.write(tmp_path / "job.json")
    after = Progress.read(tmp_path / "job.json")
    assert (after.position, after.out, after.now, after.finished) == (Position(1, 2, 3), 7, 5, False)
    assert after.settings == before.settings


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path):
    from workbench.errors import BatchError

    (tmp_path / "in.jsonl").mkdir()
    with pytest.raises(BatchError, match="holds no file"):
        BatchInput(tmp_path / "in.jsonl", "users")
