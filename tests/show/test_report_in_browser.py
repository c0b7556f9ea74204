"""The report in a real browser: no console error, no outside request, nothing hostile runs, readable on a phone."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from workbench.show import report

HOSTILE = "<script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"


@pytest.fixture
def run_folder(tmp_path):
    """A run of one notebook with a figure, a hostile title in it, hostile markdown and hostile text."""
    figure = {
        "data": [{"type": "bar", "x": [HOSTILE, "b"], "y": [1, 2]}],
        "layout": {"title": {"text": "Sales </script>" + HOSTILE}, "xaxis": {"title": {"text": "item"}}},
    }
    data = {"application/vnd.plotly.v1+json": figure, "text/html": "<script src='https://example.org/x.js'></script>"}
    cell = new_code_cell("figure")
    cell.outputs = [
        new_output("display_data", data=data),
        new_output("display_data", data={"text/markdown": f"**So** {HOSTILE}"}),
        new_output("stream", text=HOSTILE),
        new_output("display_data", data={"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}),
    ]
    table = "<div><table><tr>" + "<td>wide cell</td>" * 40 + "</tr></table></div>"
    wide = new_code_cell("table")
    wide.outputs = [new_output("display_data", data={"text/html": table})]
    cells = [new_markdown_cell("# What sold?\n\n## Look"), cell, new_markdown_cell("## Look"), wide]
    nbformat.write(new_notebook(cells=cells), tmp_path / "10_ask.ipynb")
    headline = [{"name": HOSTILE, "value": HOSTILE, "low": 0.1, "high": 0.2, "unit": HOSTILE, "note": HOSTILE}]
    entry = {
        "name": "10_ask",
        "title": HOSTILE,
        "status": "failed",
        "seconds": 1.0,
        "error": HOSTILE,
        "parameters": {"a": HOSTILE},
        "results": {"headline": headline, "data_hash": HOSTILE, "seed": 1, "parameters": {"a": HOSTILE}},
    }
    run = {"title": HOSTILE, "about": HOSTILE, "sheet": HOSTILE, "why": HOSTILE, "status": "failed", "seconds": 1.0}
    run |= {"started": "2026-01-01", "versions": {"python": HOSTILE}, "notebooks": [entry]}
    (tmp_path / "results.json").write_text(json.dumps(run))
    report.write(tmp_path, single_file=True)
    return tmp_path


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["index.html", "10_ask.html", "report.html"])
def test_pages_open_clean_offline_and_fit(run_folder, open_page, name, width):
    page = open_page(run_folder / name, width)
    assert page.evaluate("window.hurt") is None
    if name != "index.html":
        assert page.locator(".wb-figure .main-svg").count() >= 1


def test_code_is_folded_and_the_contents_lead_to_the_headings(run_folder, open_page):
    page = open_page(run_folder / "10_ask.html")
    assert page.locator("details.code").first.get_attribute("open") is None
    targets = page.locator("nav.toc a").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    assert targets == ["#look", "#look-2"]
    assert page.locator("#look-2").inner_text() == "Look"


def test_plotly_is_stored_once(run_folder):
    assert [path.name for path in (run_folder / "assets").iterdir()] == ["plotly.min.js"]
    assert (run_folder / "report.html").read_text().count("plotly.js v") == 1
