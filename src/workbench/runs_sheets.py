"""Run sheets: which notebooks, in which order, with which parameters; checked whole before anything runs."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from workbench.errors import ParameterError, RunError, nearest
from workbench.runs_parameters import Notebook, check, inspect, parse

KEYS = ("title", "about", "parameters", "notebooks")
TASK_KEYS = ("notebook", "name", "parameters")
PATH_KEYS = ("lists",)  # lists of another system, in an entry of `recipes`
PATH = re.compile(r"^[^\s{}\[\]]*[/\\]|^[^{}\[\]]+\.[A-Za-z0-9]{2,8}$")


@dataclass(frozen=True)
class Task:
    """One notebook of a run, with the parameters that differ from its defaults."""

    name: str
    notebook: Notebook
    parameters: dict[str, Any]


@dataclass(frozen=True)
class Sheet:
    """An ordered list of tasks under one name."""

    name: str
    title: str
    about: str
    tasks: tuple[Task, ...]


def notebooks_folder(start: Path | None = None) -> Path:
    """Find the notebooks: WORKBENCH_NOTEBOOKS, else notebooks/ here or above, else beside the installed source."""
    named = os.environ.get("WORKBENCH_NOTEBOOKS")
    here = (start or Path.cwd()).resolve()
    places = [Path(named)] if named else [each / "notebooks" for each in (here, *here.parents)]
    places += [] if named else [Path(__file__).resolve().parents[2] / "notebooks"]
    for place in places:
        if (place / "sheets").is_dir():
            return place.resolve()
    raise RunError(
        f"No notebooks/ folder with sheets/ in {here} or above it. "
        "Start in the workbench's folder, or set WORKBENCH_NOTEBOOKS to its notebooks folder."
    )


def find_notebook(folder: Path, words: str, where: str = "") -> Path:
    """Find a notebook by number ("10"), name ("10_prepare_data") or path; `where` it was named opens the message.

    Raises:
        RunError: no such notebook; the nearest names are offered.
    """
    if words.endswith(".ipynb"):
        path = Path(words) if Path(words).is_absolute() else Path.cwd() / words
        if path.is_file():
            return path.resolve()
        words = Path(words).stem
    names = {path.stem: path for path in sorted(folder.glob("*.ipynb"))}
    if words in names:
        return names[words]
    numbered = [path for name, path in names.items() if name.split("_")[0] == words]
    if len(numbered) == 1:
        return numbered[0]
    raise RunError(f"{where}There is no notebook {words!r} in {folder.name}/.{nearest(words, names)}")


def find_sheet(folder: Path, words: str) -> Path | None:
    """Find a run sheet by name or path; None when there is none by that name."""
    if words.endswith((".yaml", ".yml")):
        path = Path(words)
        if not path.is_file():
            raise RunError(f"There is no run sheet {words!r}.{nearest(Path(words).stem, sheet_names(folder))}")
        return path
    path = folder / "sheets" / f"{words}.yaml"
    return path if path.is_file() else None


def sheet_names(folder: Path) -> list[str]:
    """List the run sheets that come with the notebooks."""
    return sorted(path.stem for path in (folder / "sheets").glob("*.yaml"))


def plan(folder: Path, names: Sequence[str], assignments: Mapping[str, str]) -> Sheet:
    """Turn what was typed into a checked sheet: one sheet's name, or notebooks by number or name.

    Args:
        folder: the notebooks folder.
        names: e.g. ["movielens"] or ["10", "20"].
        assignments: parameters of the command line, as text; they win over the sheet's.

    Raises:
        RunError: a sheet or notebook does not exist.
        ParameterError: a parameter is unknown to every notebook, or has the wrong type.
    """
    path = find_sheet(folder, names[0]) if len(names) == 1 else None
    if path:
        sheet = read_sheet(path, folder)
    elif len(names) == 1 and not names[0][:1].isdigit() and not names[0].endswith(".ipynb"):
        known = [*sheet_names(folder), *(each.stem for each in folder.glob("*.ipynb"))]
        raise RunError(f"There is no run sheet or notebook {names[0]!r}.{nearest(names[0], known)}")
    else:
        tasks = tuple(_task(folder, {"notebook": name}, {}) for name in names)
        title = tasks[0].notebook.title if len(tasks) == 1 else ", ".join(task.name for task in tasks)
        sheet = Sheet("_".join(task.name.split("_")[0] for task in tasks), title, "", tasks)
    return _override(sheet, assignments)


def read_sheet(path: Path, folder: Path) -> Sheet:
    """Read a run sheet and check every notebook and parameter in it.

    Raises:
        RunError: not YAML, an unknown key, no notebooks, or a notebook that does not exist.
        ParameterError: a parameter is unknown or has the wrong type.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise RunError(f"{path.name}: not a readable run sheet: {error}") from error
    if not isinstance(content, dict) or not isinstance(content.get("notebooks"), list) or not content["notebooks"]:
        raise RunError(f"{path.name}: a run sheet is a mapping with a list under 'notebooks'; got {content!r:.80}.")
    _known_keys(path.name, content, KEYS)
    shared = content.get("parameters") or {}
    tasks = tuple(_task(folder, each, shared, path.name) for each in content["notebooks"])
    tasks = tuple(Task(task.name, task.notebook, _placed(task, task.parameters, path.parent)) for task in tasks)
    unused = set(shared) - {name for task in tasks for name in task.notebook.parameters}
    if unused:
        known = {name for task in tasks for name in task.notebook.parameters}
        name = sorted(unused)[0]
        raise ParameterError(f"{path.name}: no notebook of the sheet has a parameter {name!r}.{nearest(name, known)}")
    doubles = {task.name for task in tasks if [each.name for each in tasks].count(task.name) > 1}
    if doubles:
        raise RunError(f"{path.name}: {sorted(doubles)} stand twice; give each its own 'name'.")
    return Sheet(path.stem, str(content.get("title", path.stem)), str(content.get("about", "")), tasks)


def _task(folder: Path, entry: Any, shared: Mapping[str, Any], where: str = "the command line") -> Task:
    if isinstance(entry, str):
        entry = {"notebook": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("notebook"), str):
        raise RunError(f"{where}: a notebook is a name, or a mapping with 'notebook' and 'parameters'; got {entry!r}.")
    _known_keys(where, entry, TASK_KEYS)
    notebook = inspect(find_notebook(folder, entry["notebook"], f"{where}: " if where.endswith("ml") else ""))
    own = entry.get("parameters") or {}
    if not isinstance(own, dict):
        raise ParameterError(f"{where}: parameters of {notebook.name} must be a mapping, got {own!r}.")
    common = {name: value for name, value in shared.items() if name in notebook.parameters}
    name = str(entry.get("name", notebook.name))
    if not name.replace("-", "").replace("_", "").isalnum():
        raise RunError(f"{where}: {name!r} becomes a file name: use letters, digits, - and _ only.")
    return Task(name, notebook, check(notebook, common | own))


def _override(sheet: Sheet, assignments: Mapping[str, str]) -> Sheet:
    known = {name for task in sheet.tasks for name in task.notebook.parameters}
    for name in assignments:
        if name not in known:
            who = sheet.tasks[0].name if len(sheet.tasks) == 1 else f"No notebook of {sheet.name}"
            verb = "has no" if len(sheet.tasks) == 1 else "has a"
            raise ParameterError(f"{who} {verb} parameter {name!r}.{nearest(name, known)}")
    tasks = []
    for task in sheet.tasks:
        mine = {n: parse(task.notebook, n, words) for n, words in assignments.items() if n in task.notebook.parameters}
        mine = _placed(task, check(task.notebook, mine), Path.cwd())
        tasks.append(Task(task.name, task.notebook, task.parameters | mine))
    return Sheet(sheet.name, sheet.title, sheet.about, tuple(tasks))


def _placed(task: Task, values: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Make relative paths absolute, because a notebook runs in its own folder and not where somebody typed.

    A text counts as a path when it has a file's suffix or a separator and is no URL. One that exists beside the
    notebook keeps meaning that. Inside lists and mappings only the keys of `PATH_KEYS` hold paths.
    """
    return {name: _absolute(value, folder, task.notebook.path.parent) for name, value in values.items()}


def _absolute(value: Any, folder: Path, home: Path) -> Any:
    if isinstance(value, list):
        return [_absolute(each, folder, home) if isinstance(each, dict) else each for each in value]
    if isinstance(value, dict):
        return {key: _absolute(each, folder, home) if key in PATH_KEYS else each for key, each in value.items()}
    if not isinstance(value, str) or "://" in value or not PATH.search(value) or Path(value).is_absolute():
        return value
    if (home / value).exists() and not (folder / value).exists():
        return value
    return str((folder / value).resolve())


def _known_keys(where: str, entry: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in entry:
        if key not in known:
            raise RunError(f"{where}: unknown key {key!r}.{nearest(str(key), known)}")
