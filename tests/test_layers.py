"""The direction of imports, held as code: rooms call rooms above them, and each heavy library has one owner."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "workbench"
# A file imports from its own row or an earlier one; inside a row, files of one room may share.
ROWS = (
    ("errors", "columns", "records"),
    ("data",),
    ("evaluation",),
    ("recipes",),
    ("serving",),
    ("impact",),
    ("show",),
    ("runs",),
    ("cli",),
)
ROW = {name: number for number, names in enumerate(ROWS) for name in names}
OWNERS = {
    "ibis": ("data",),
    "duckdb": ("data",),
    "torch": ("recipes",),
    "recbole": ("recipes.recbole_bridge",),
    "plotly": ("show.charts", "show.report"),
    "ipywidgets": ("show.widgets",),
    "papermill": ("runs",),
}
MODULES = {
    ".".join(path.relative_to(SOURCE).with_suffix("").parts): path
    for path in sorted(SOURCE.rglob("*.py"))
    if path.name != "__init__.py"
}


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            assert node.level == 0, f"{path}: write absolute imports"
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def room(module: str) -> str:
    """The first part of a module's name that has a row: data.flow belongs to data, runs_sheet to runs."""
    first = module.split(".")[0]
    return first if first in ROW else first.split("_")[0]


@pytest.mark.parametrize("module", MODULES)
def test_imports_go_to_rooms_above(module):
    for name in imported(MODULES[module]):
        package, _, rest = name.partition(".")
        if package == "workbench" and rest and rest.split(".")[0] != "__version__":
            assert ROW[room(rest)] <= ROW[room(module)], f"{module} must not import {rest}"


@pytest.mark.parametrize("module", MODULES)
def test_heavy_libraries_have_one_owner(module):
    for name in imported(MODULES[module]):
        for owner in [OWNERS[name.split(".")[0]]] if name.split(".")[0] in OWNERS else []:
            assert any(module.startswith(each) for each in owner), f"{module} imports {name}; only {owner} may"


def test_importing_the_package_loads_nothing_heavy():
    script = "import sys, workbench; print([m for m in sys.modules if m.split('.')[0] in ('torch','pandas','plotly')])"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
