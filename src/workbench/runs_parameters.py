"""A notebook's parameters cell is its signature: read it, and check values against it before anything runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import yaml

from workbench.errors import ParameterError, RunError, nearest

WORDS = {"str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "list": "a list"}
WORDS["dict"] = "a mapping such as {a: 1}"


@dataclass(frozen=True)
class Parameter:
    """One line of a parameters cell: its type is the annotation, its help the trailing comment."""

    name: str
    type: str
    default: str
    help: str


@dataclass(frozen=True)
class Notebook:
    """A notebook as a run sees it: its file, the question in its title, and its parameters by name."""

    path: Path
    title: str
    parameters: dict[str, Parameter]

    @property
    def name(self) -> str:
        """The file's name without its suffix, such as "10_prepare_data"."""
        return self.path.stem


def inspect(path: Path) -> Notebook:
    """Read a notebook's title and parameters without running it.

    Raises:
        RunError: the file is not a notebook.
    """
    import papermill

    try:
        document = nbformat.read(path, as_version=4)
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: not a readable notebook ({error}). Name an .ipynb file.") from error
    title = next((line[2:].strip() for line in _markdown_lines(document) if line.startswith("# ")), path.stem)
    found = papermill.inspect_notebook(document)
    parameters = {
        name: Parameter(name, each["inferred_type_name"] or "None", each["default"], each["help"] or "")
        for name, each in found.items()
    }
    return Notebook(path, title, parameters)


def check(notebook: Notebook, values: Mapping[str, Any]) -> dict[str, Any]:
    """Check parameter values against a notebook's parameters cell.

    Args:
        notebook: as `inspect` returned it.
        values: name to value, already of Python types.

    Returns:
        The values; a whole number becomes a float where the notebook wants one.

    Raises:
        ParameterError: a name is unknown or a value has the wrong type.
    """
    checked = {}
    for name, value in values.items():
        if name not in notebook.parameters:
            raise ParameterError(
                f"{notebook.name} has no parameter {name!r}.{nearest(name, notebook.parameters)} "
                f"`workbench notebooks {notebook.name}` explains each."
            )
        checked[name] = _fit(notebook, notebook.parameters[name], value)
    return checked


def read_assignments(pairs: Iterable[str]) -> dict[str, str]:
    """Split `name=value` words of the command line; values stay text until a notebook says what they are."""
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise ParameterError(f"-p {pair!r}: write name=value, for instance -p recipe=sims.")
        found[name.strip()] = value
    return found


def parse(notebook: Notebook, name: str, words: str) -> Any:
    """Read a command-line value as the type the notebook declares.

    A text parameter keeps the words exactly as typed; every other type is read as YAML, and a list also
    accepts a,b,c.
    """
    kind = notebook.parameters[name].type
    if kind in ("str", "None"):
        return words
    try:
        value = yaml.safe_load(words)
    except yaml.YAMLError as error:
        problem = getattr(error, "problem", None) or "it cannot be read as YAML"  # the rest shows our input again
        raise ParameterError(f"{name}={words}: {notebook.name} needs {WORDS.get(kind, kind)}; {problem}.") from error
    if kind == "list" and isinstance(value, str):
        value = [part.strip() for part in words.split(",")]
    return value


def _fit(notebook: Notebook, parameter: Parameter, value: Any) -> Any:
    kind = parameter.type
    if kind == "float" and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    accepted = {"str": str, "int": int, "float": float, "bool": bool, "list": list, "dict": dict}.get(kind)
    right = accepted is None or (isinstance(value, accepted) and not (kind == "int" and isinstance(value, bool)))
    if not right:
        raise ParameterError(
            f"{parameter.name}={value!r}: {notebook.name} needs {WORDS[kind]}, got {_kind(value)}. "
            f"Its default is {parameter.default}; {parameter.help or 'see the parameters cell'}."
        )
    return value


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def _markdown_lines(document: nbformat.NotebookNode) -> Iterable[str]:
    for cell in document.cells:
        if cell.cell_type == "markdown":
            yield from cell.source.splitlines()
