"""Tiny notebooks, one per behaviour, in a folder laid out like the real one."""

from collections.abc import Callable
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

PARAMETERS = """\
days: int = 14  # length of the window, in days
share: float = 0.5  # share held out
words: str = "007"  # kept as typed
recipes: list = ["a"]  # recipe names
on: bool = True  # a switch
report_dir: str = "report"  # where results go"""
WRITE = """\
from workbench.show import results
path = results.write(report_dir, notebook="n", parameters=dict(days=days, words=words, recipes=recipes, share=share),
    seed=1, data_hash="abc", seconds=0.1, headline=[dict(name="<b>days</b>", value=days, low=1, high=2, unit="d")])"""


@pytest.fixture
def make_notebook(tmp_path: Path) -> Callable[..., Path]:
    """Write notebooks/<name>.ipynb with a title, a parameters cell and the given code cells."""
    folder = tmp_path / "notebooks"
    (folder / "sheets").mkdir(parents=True)

    def make(name: str, *cells: str, title: str = "What is it?") -> Path:
        parameters = new_code_cell(PARAMETERS, metadata={"tags": ["parameters"]})
        body = [new_code_cell(cell) for cell in cells]
        document = new_notebook(cells=[new_markdown_cell(f"# {title}\n\n## Setup & start"), parameters, *body])
        document.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        document.metadata["language_info"] = {"name": "python"}
        path = folder / f"{name}.ipynb"
        nbformat.write(document, path)
        return path

    make.folder = folder
    make.write = WRITE
    return make
