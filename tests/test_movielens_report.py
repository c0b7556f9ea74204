"""The main job: one sheet runs from raw ratings to a report that opens clean, offline, on a desk and on a phone."""

import json

import pytest

from workbench.runs import run
from workbench.runs_sheets import notebooks_folder, plan

pytestmark = pytest.mark.notebook


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    folder = tmp_path_factory.mktemp("movielens")
    sheet = plan(notebooks_folder(), ["movielens"], {"trials": "3"})
    return run(sheet, workspace=folder / "workspace", reports=folder / "reports", single_file=True, progress=False)


def test_every_notebook_completes_and_says_what_it_found(report):
    assert [each.error for each in report.outcomes] == [""] * len(report.outcomes)
    found = json.loads((report.folder / "results.json").read_text())
    assert found["status"] == "completed"
    for each in found["notebooks"]:
        assert each["results"]["headline"], each["name"]
        assert {"data_hash", "seed", "versions", "parameters", "seconds"} <= set(each["results"])


def test_notebooks_on_one_group_name_the_same_data(report):
    hashes = {each.name[:2]: each.results["data_hash"] for each in report.outcomes}
    assert hashes["20"] == hashes["21"] == hashes["22"] == hashes["10"]


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_opens_clean_and_offline(report, open_page, width):
    pages = sorted(report.folder.glob("*.html"))
    assert len(pages) == len(report.outcomes) + 2
    for path in pages:
        page = open_page(path, width)
        assert page.locator(".wb-figure").count() == page.locator(".wb-figure .main-svg:first-child").count()
