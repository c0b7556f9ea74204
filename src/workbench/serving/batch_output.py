"""Writes a batch job's answers as JSON Lines, and a finished job's as CSV or Parquet."""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from workbench.data.atomic import sync
from workbench.errors import BatchError
from workbench.serving.batch_answers import Answered
from workbench.serving.batch_formats import ITEM_LIST, RELATED, USERS
from workbench.serving.batch_tables import LIST_MARK

JSON_LINES, CSV, PARQUET = "jsonl", "csv", "parquet"
OUT_FORMATS = (JSON_LINES, CSV, PARQUET)
SHORTENED = 200  # characters of a line in the errors file
AT_ONCE = 4_096  # lines of a table written at once
ITEMS, SCORES = "recommendedItems", "scores"


class LineWriter:
    """Turns answers into lines; every item's id is written as JSON once."""

    def __init__(self, kind: str, item_ids: np.ndarray):
        """Take the kind of lines and the items' ids by code."""
        self.kind = kind
        self.ids = np.empty(len(item_ids), dtype=object)
        self.ids[:] = [json.dumps(str(each), ensure_ascii=False) for each in item_ids]

    def lines(self, answered: Answered) -> bytes:
        """The output's lines, in the order of the input's.

        Scores are written with the fewest digits that give the same float32; an item without one has null.
        """
        items = self.ids[answered.codes].tolist()
        for place, item in answered.unknown_ids.items():
            items[place] = json.dumps(item, ensure_ascii=False)
        scores = None if self.kind == RELATED else _texts(answered.scores)
        end = ',"error":null}' if self.kind == USERS else "}"
        ends = np.cumsum(answered.lengths).tolist()
        lines, start = [], 0
        for asked, stop in zip(answered.asked, ends, strict=True):
            listed = f'{{"input":{asked.text},"output":{{"{ITEMS}":[{",".join(items[start:stop])}]'
            scored = "" if scores is None else f',"{SCORES}":[{",".join(scores[start:stop])}]'
            lines.append(f"{listed}{scored}}}{end}\n")
            start = stop
        return "".join(lines).encode()


def error_line(file: str, number: int, text: str, problem: str) -> str:
    """One line of the errors file: {"file", "line", "input" (shortened), "error"}."""
    shown = text if len(text) <= SHORTENED else f"{text[: SHORTENED - 2]} …"
    record = {"file": file, "line": number, "input": shown, "error": problem}
    return json.dumps(record, ensure_ascii=False).encode(errors="replace").decode() + "\n"


def require_out_format(out_format: str) -> None:
    """Raise a BatchError unless there is such a format of the output."""
    if out_format not in OUT_FORMATS:
        raise BatchError(f"out_format is {out_format!r}; it must be one of {', '.join(OUT_FORMATS)}.")


def write_table(lines: Path, target: Path, out_format: str) -> None:
    """Write a finished output as a table, in the memory of a few thousand lines.

    The columns are those of the input (userId, itemId, itemList), recommendedItems and scores. In CSV lists are joined
    by |; in Parquet they are lists. A table that is there is replaced in one step.
    """
    beside = target.with_name(f".{target.name}.part")
    try:
        (_write_csv if out_format == CSV else _write_parquet)(_documents(lines), beside)
        sync(beside)
        beside.replace(target)
        sync(target.parent)
    finally:
        beside.unlink(missing_ok=True)


def _documents(lines: Path) -> Iterator[dict[str, Any]]:
    with lines.open(encoding="utf-8", newline="\n") as file:
        for line in file:
            found = json.loads(line)
            asked = {name: value for name, value in found["input"].items() if name.endswith(("Id", "List"))}
            yield asked | found["output"]


def _write_csv(documents: Iterator[dict[str, Any]], path: Path) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, each in enumerate(documents):
            if number == 0:
                writer.writerow(each)
            writer.writerow([_joined(value) if isinstance(value, list) else value for value in each.values()])


def _write_parquet(documents: Iterator[dict[str, Any]], path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    types = {ITEM_LIST: pa.list_(pa.string()), ITEMS: pa.list_(pa.string()), SCORES: pa.list_(pa.float32())}
    try:
        while some := list(islice(documents, AT_ONCE)):
            schema = pa.schema([(name, types.get(name, pa.string())) for name in some[0]])
            writer = writer or pq.ParquetWriter(path, schema, compression="zstd")
            writer.write_table(pa.Table.from_pylist(some, schema=writer.schema))
    finally:
        if writer is not None:
            writer.close()


def _joined(values: list[Any]) -> str:
    texts = ["" if each is None else str(each) for each in values]
    marked = next((each for each in texts if LIST_MARK in each), None)
    if marked is not None:
        raise BatchError(f"Item id {marked!r} holds {LIST_MARK!r}, which joins a list's items in CSV. Use {PARQUET}.")
    return LIST_MARK.join(texts)


def _texts(scores: np.ndarray) -> list[str]:
    import pyarrow as pa

    texts = pa.array(scores).cast(pa.string()).to_pylist()
    if not np.isfinite(scores).all():
        texts = [text if finite else "null" for text, finite in zip(texts, np.isfinite(scores).tolist(), strict=True)]
    return texts
