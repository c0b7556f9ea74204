"""Fixtures that several rooms' tests share."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]


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
