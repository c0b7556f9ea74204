"""Static rules every notebook keeps: a question, one documented parameters cell, small cells, nothing stored."""

import ast
import re
from pathlib import Path

import nbformat
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))
PARTS = ["Setup", "Data", "Do it", "Look", "Check", "So what"]


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def notebook(request):
    return nbformat.read(request.param, as_version=4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parameters(notebook):
    return [cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", [])]


def test_there_are_notebooks():
    assert PATHS


def test_it_opens_with_a_question(notebook):
    first = notebook.cells[0]
    assert first.cell_type == "markdown"
    assert re.match(r"# .*\?$", first.source.splitlines()[0])


def test_its_parts_stand_in_order(notebook):
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    assert [part for part in re.findall(r"^## (.*)$", text, re.M) if part in PARTS] == PARTS


def test_the_first_code_cell_is_the_parameters_cell_with_types_help_and_literals(notebook):
    assert parameters(notebook) == [code(notebook)[0]]
    tree = ast.parse(code(notebook)[0].source)
    for node in tree.body:
        assert isinstance(node, ast.AnnAssign), ast.unparse(node)
        ast.literal_eval(node.value)
    for line in code(notebook)[0].source.splitlines():
        assert re.search(r"  # \w", line), f"no help: {line}"
    names = {node.target.id for node in tree.body}
    assert {"workspace", "report_dir"} <= names


def test_every_parameter_is_used(notebook):
    names = [node.target.id for node in ast.parse(code(notebook)[0].source).body]
    rest = "\n".join(cell.source for cell in code(notebook)[1:])
    assert [name for name in names if not re.search(rf"\b{name}\b", rest)] == []


def test_it_is_small(notebook):
    lengths = [len(cell.source.splitlines()) for cell in code(notebook)]
    assert len(lengths) <= 24
    assert sum(lengths) <= 150
    assert max(lengths) <= 20


def test_no_definitions_shell_or_sleep(notebook):
    for cell in code(notebook):
        assert not re.search(r"^\s*[!%]", cell.source, re.M)
        tree = ast.parse(cell.source)
        banned = (ast.FunctionDef, ast.ClassDef, ast.AsyncFunctionDef)
        assert not [node for node in ast.walk(tree) if isinstance(node, banned)]
        assert "sleep(" not in cell.source
        assert not re.search(r"[\"'](/|~/|[A-Z]:\\\\)\w", cell.source), "absolute path"


def test_it_checks_itself_and_writes_results(notebook):
    text = "\n".join(cell.source for cell in code(notebook))
    assert "assert " in text
    assert "results.write(" in text


def test_it_is_stored_without_output_but_golden_cells(notebook):
    for cell in code(notebook):
        if "keep_output" in cell.metadata.get("tags", []):
            assert sum(len(str(output)) for output in cell.outputs) < 2000
        else:
            assert (cell.outputs, cell.execution_count) == ([], None)


def test_it_names_a_kernel_that_exists_everywhere(notebook):
    assert notebook.metadata.kernelspec.name == "python3"
    assert notebook.metadata.language_info.name == "python"
    assert notebook.nbformat_minor >= 5
