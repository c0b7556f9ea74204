"""What is said of a batch job holds for jobs of all kinds."""

import json
from pathlib import Path

from workbench.serving.batch import BatchResult
from workbench.show import batch_words as words
from workbench.show.charts.batch import length_bars


def job(folder: Path, **other) -> BatchResult:
    usual = {
        "output": folder / "out.jsonl",
        "errors": folder / "errors.jsonl",
        "lines": 10,
        "answered": 8,
        "failed": 2,
        "blank": 1,
        "unknown": 1,
        "short": 2,
        "coverage": 3,
        "items": 12,
        "lengths": {1: 2, 4: 6},
        "resumed": 0,
        "seconds": 0.5,
        "notices": (),
    }
    return BatchResult(**(usual | other))


def test_a_job_in_words(tmp_path: Path):
    done = job(tmp_path)
    assert words.speed_sentence(done) == (
        "10 lines took 0.5 s, 20 a second. At this rate a million lines take 833.3 minutes."
    )
    assert words.reading(done) == (
        "8 lists name 3 of 12 items, 25%. 25% of the lists are shorter than asked for, because fewer items were left "
        "to list. 2 lines had none, and each stands in the errors file with what to do about it."
    )
    whole = words.reading(job(tmp_path, failed=0, short=0))
    assert "Every list is as long as asked for. Every line had an answer." in whole
    assert "nothing was computed again" in words.again_sentence(done, job(tmp_path, resumed=10))
    assert "4 lines were left" in words.again_sentence(done, job(tmp_path, resumed=6))
    assert words.counts_table(done)["COUNT"].tolist() == [10, 8, 2, 1, 1, 2, 3, 12]


def test_a_job_in_tables_and_a_chart(tmp_path: Path):
    error = {"file": "in.jsonl", "line": 7, "input": "<b>", "error": "The line is no JSON"}
    (tmp_path / "errors.jsonl").write_text(json.dumps(error) + "\n")
    done = job(tmp_path)
    assert words.errors_table(done).to_dict("records") == [
        {"FILE": "in.jsonl", "LINE": 7, "INPUT": "<b>", "ERROR": "The line is no JSON"}
    ]
    assert words.lengths_table(done).to_dict("list") == {"LENGTH": [1, 4], "LISTS": [2, 6]}
    figure = length_bars(words.lengths_table(done), "How long")
    assert (list(figure.data[0].x), list(figure.data[0].y)) == ([1, 4], [2, 6])
    assert (figure.layout.xaxis.title.text, figure.layout.yaxis.title.text) == ("items in a list", "lists")
    (tmp_path / "a.csv").write_text("userId\n<b>\n")
    assert "&lt;b&gt;" in words.output_preview(tmp_path / "a.csv")._repr_html_()
