"""Links between notebooks, as a reader of the report follows them."""

import json
import re

import nbformat
import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from workbench.show import report

WORDS = "# {0}\n\nSee [the other](20_other.ipynb), [elsewhere](00_away.ipynb), [a guide](guides/a.md), [web](https://x.org/b.md)."


@pytest.fixture
def folder(tmp_path):
    """A run of 10_ask, and of 20_other under the name `second`; 30_last did not run."""
    entries = [
        ("10_ask", "10_ask", "completed"),
        ("second", "20_other", "completed"),
        ("30_last", "30_last", "not run"),
    ]
    notebooks = []
    for name, notebook, status in entries:
        results = {"notebook": notebook} if status == "completed" else {}
        notebooks.append({"name": name, "title": name, "status": status, "seconds": 1.0, "error": "", "parameters": {}})
        notebooks[-1]["results"] = results
        if results:
            nbformat.write(new_notebook(cells=[new_markdown_cell(WORDS.format(name))]), tmp_path / f"{name}.ipynb")
    run = {"title": "Run", "about": "", "sheet": "s", "why": "", "status": "failed", "seconds": 1.0}
    run |= {"started": "2026-01-01", "versions": {}, "notebooks": notebooks}
    (tmp_path / "results.json").write_text(json.dumps(run))
    report.write(tmp_path, single_file=True)
    return tmp_path


def test_a_link_to_a_notebook_of_the_run_leads_to_its_page(folder):
    assert '<a href="second.html">the other</a>' in (folder / "10_ask.html").read_text()
    assert '<a href="#second">the other</a>' in (folder / "report.html").read_text()


def test_what_is_not_in_the_report_keeps_its_words_without_a_dead_link(folder):
    page = (folder / "10_ask.html").read_text()
    assert "elsewhere, a guide, " in page
    assert '<a href="https://x.org/b.md">web</a>' in page


@pytest.mark.parametrize("name", ["index.html", "10_ask.html", "second.html", "report.html"])
def test_no_page_links_to_a_file_that_is_not_there(folder, name):
    found = re.findall(r'href="([^"#:]+)"', (folder / name).read_text())
    assert [each for each in found if not (folder / each).exists()] == []
