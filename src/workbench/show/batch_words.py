"""A finished batch job in tables and sentences: lines, errors, coverage, and how long the lists are."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.serving.batch import BatchResult
from workbench.show.tables import Table, show_table


def first_lines(path: Path, most: int = 3) -> list[dict[str, Any]]:
    """The first lines of a JSON Lines output."""
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line, _ in zip(file, range(most), strict=False)]


def lines_table(path: Path, most: int = 3) -> pd.DataFrame:
    """LINE and TEXT of the first lines of any file."""
    with path.open(encoding="utf-8", errors="replace") as file:
        rows = [(number, line.rstrip("\r\n")) for number, line in zip(range(1, most + 1), file, strict=False)]
    return pd.DataFrame(rows, columns=["LINE", "TEXT"])


def output_preview(output: Path, most: int = 3) -> Table:
    """The first answers of an output: lines as they stand, or rows of a table."""
    if output.suffix == ".parquet":
        import pyarrow.parquet as pq

        rows = next(pq.ParquetFile(output).iter_batches(most)).to_pylist()
        return show_table(pd.DataFrame(rows).astype(str), f"The first rows of {output.name}")
    return show_table(lines_table(output, most), f"The first lines of {output.name}")


def errors_table(done: BatchResult, most: int = 25) -> pd.DataFrame:
    """FILE, LINE, INPUT and ERROR of the first lines that have no answer."""
    rows = [(each["file"], each["line"], each["input"], each["error"]) for each in first_lines(done.errors, most)]
    return pd.DataFrame(rows, columns=["FILE", "LINE", "INPUT", "ERROR"])


def counts_table(done: BatchResult) -> pd.DataFrame:
    """WHAT and COUNT of everything that a job counts."""
    rows = {
        "lines read": done.lines,
        "answered": done.answered,
        "without an answer, in the errors file": done.failed,
        "blank lines": done.blank,
        "answered, though nothing is known": done.unknown,
        "lists with fewer items than asked for": done.short,
        "different items listed": done.coverage,
        "items of the catalogue": done.items,
    }
    return pd.DataFrame({"WHAT": list(rows), "COUNT": list(rows.values())})


def lengths_table(done: BatchResult) -> pd.DataFrame:
    """LENGTH (items in a list) and LISTS, by length."""
    return pd.DataFrame({"LENGTH": list(done.lengths), "LISTS": list(done.lengths.values())})


def speed_sentence(done: BatchResult) -> str:
    """Say how fast it went, and how long a million lines would take at that."""
    rate = done.lines / max(done.seconds, 1e-6)
    minutes = 1_000_000 / rate / 60
    return (
        f"{done.lines:,} lines took {done.seconds:.2g} s, {rate:,.0f} a second. At this rate a million lines take "
        f"{minutes:,.1f} minutes."
    )


def again_sentence(first: BatchResult, again: BatchResult) -> str:
    """Say what a second call of the same job did."""
    left = again.lines - again.resumed
    did = "nothing was computed again" if not left else f"{left:,} lines were left"
    return (
        f"{again.resumed:,} of {again.lines:,} lines were done before the second call; {did}. Its counts are those of "
        f"the first: {again.answered:,} answered, {again.failed:,} not (first {first.answered:,} and {first.failed:,})."
    )


def headline(done: BatchResult) -> list[dict[str, Any]]:
    """The numbers for a report's index page."""
    return [
        {"name": "lines answered", "value": done.answered, "unit": "lines"},
        {"name": "lines without an answer", "value": done.failed, "unit": "lines"},
        {"name": "different items listed", "value": done.coverage, "unit": f"of {done.items:,} items"},
    ]


def reading(done: BatchResult) -> str:
    """Three sentences about a job, true for any parameters."""
    share = done.short / max(1, done.answered)
    short = (
        "Every list is as long as asked for."
        if not done.short
        else f"{share:.0%} of the lists are shorter than asked for, because fewer items were left to list."
    )
    wrong = (
        "Every line had an answer."
        if not done.failed
        else f"{done.failed:,} lines had none, and each stands in the errors file with what to do about it."
    )
    return (
        f"{done.answered:,} lists name {done.coverage:,} of {done.items:,} items, {done.coverage / done.items:.0%}. "
        f"{short} {wrong}"
    )
