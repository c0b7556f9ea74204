"""Fixtures that several rooms' tests share."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]


@pytest.fixture
def run_notebook(tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a notebook headlessly with parameters and give back what it wrote to results.json.

    Workspace and report folder default to the test's own folder; an unknown parameter is an error, as for users.
    """

    def run(name: str, **parameters: Any) -> dict[str, Any]:
        import papermill

        path = ROOT / "notebooks" / f"{name}.ipynb"
        known = papermill.inspect_notebook(str(path))
        values = {"workspace": str(tmp_path / "workspace"), "report_dir": str(tmp_path / name)} | parameters
        assert set(values) <= set(known), f"unknown parameters {set(values) - set(known)}; known: {sorted(known)}"
        papermill.execute_notebook(
            str(path), str(tmp_path / f"{name}.ipynb"), values, cwd=str(path.parent), progress_bar=False
        )
        return json.loads((Path(values["report_dir"]) / "results.json").read_text())

    return run


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A headless Chromium of this machine; tests that need one are skipped where there is none."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        pytest.skip(f"no browser on this machine: none of {', '.join(BROWSERS)} is there")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: Any) -> Iterator[Callable[..., Any]]:
    """Open a page of a folder at a width; it must give no error, ask nothing of the network, and fit the width."""
    pages = []

    def look(path: Path, width: int = 1280) -> Any:
        page = browser.new_page(viewport={"width": width, "height": 900})
        pages.append(page)
        errors, outside = [], []
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda each: None if each.url.startswith(("file:", "data:")) else outside.append(each.url))
        page.goto(path.as_uri())
        page.wait_for_timeout(300)
        assert (errors, outside) == ([], [])
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        return page

    yield look
    for page in pages:
        page.close()
