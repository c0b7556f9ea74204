"""Run notebooks headlessly, one after another, and leave a report whatever happens."""

import errno
import json
import os
import shutil
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench import errors
from workbench.data.atomic import BROKEN, disk_errors
from workbench.errors import RunError
from workbench.records import dump, versions, write_text
from workbench.runs_sheets import Sheet, Task
from workbench.show import report, results

COMPLETED, FAILED, WAITING, UNFINISHED = "completed", "failed", "not run", "unfinished"


@dataclass
class Outcome:
    """What became of one notebook of a run."""

    name: str
    title: str
    parameters: dict[str, Any]
    status: str = WAITING
    seconds: float = 0.0
    error: str = ""
    error_kind: str = ""
    results: dict[str, Any] = field(default_factory=dict)


@dataclass
class Run:
    """A run's folder and outcomes; `index` is the page to open."""

    sheet: Sheet
    folder: Path
    outcomes: list[Outcome]
    started: str
    seconds: float = 0.0

    @property
    def status(self) -> str:
        """Completed when every notebook is; failed when one failed; unfinished while some wait, or after a kill."""
        if all(each.status == COMPLETED for each in self.outcomes):
            return COMPLETED
        return FAILED if self.failure else UNFINISHED

    @property
    def failure(self) -> Outcome | None:
        """The notebook that failed, if one did."""
        return next((each for each in self.outcomes if each.status == FAILED), None)

    @property
    def index(self) -> Path:
        """The report's first page."""
        return self.folder / "index.html"


def run(
    sheet: Sheet,
    *,
    workspace: Path,
    reports: Path,
    resume: bool = False,
    single_file: bool = False,
    progress: bool = True,
) -> Run:
    """Run a sheet's notebooks in order and write the report.

    Args:
        sheet: as `runs_sheets.plan` checked it.
        workspace: folder of datasets and models, handed to every notebook that has a `workspace` parameter.
        reports: folder that gets <sheet>/<run>/ and <sheet>/latest.
        resume: go on in the newest run of this sheet: notebooks completed there with equal parameters are kept.
        single_file: also write everything as one self-contained page.
        progress: show a bar with notebook, cell and time on stderr; left out where stderr is no terminal.

    Returns:
        The run; a failed notebook ends it, is named in `failure`, and the report tells it.

    Raises:
        RunError: there is nothing to resume.
        WorkspaceError: the reports folder cannot be written, or its disk is full.
    """
    with disk_errors(f"the report in {reports}", reports, (*BROKEN, errno.ENOENT, errno.EEXIST)):
        current = _resumed(sheet, reports) if resume else _fresh(sheet, reports)
    with disk_errors(f"the report in {current.folder}", current.folder):
        return _work_through(current, workspace, single_file, progress)


def _work_through(current: Run, workspace: Path, single_file: bool, progress: bool) -> Run:
    """Run what is left of a run, note each outcome at once, and write the pages."""
    _save(current)
    progress = progress and sys.stderr.isatty()  # a bar in a log file is one endless line
    begun = time.perf_counter()
    for task, outcome in zip(current.sheet.tasks, current.outcomes, strict=True):
        if outcome.status == COMPLETED:
            continue
        _run_task(current, task, outcome, workspace, progress)
        current.seconds = time.perf_counter() - begun
        _save(current)
        if outcome.status == FAILED:
            break
    current.seconds = time.perf_counter() - begun
    _save(current)
    report.write(current.folder, single_file=single_file)
    _point_latest(current.folder)
    return current


def exit_code(current: Run) -> int:
    """0 when all went well, 2 when a notebook refused its input, 1 when it broke."""
    if current.failure is None:
        return 0
    kind = getattr(errors, current.failure.error_kind, None)
    return 2 if isinstance(kind, type) and issubclass(kind, errors.WorkbenchError) else 1


def _run_task(current: Run, task: Task, outcome: Outcome, workspace: Path, progress: bool) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    folder = current.folder / task.name
    shutil.rmtree(folder, ignore_errors=True)  # what a failed try left
    values = dict(task.parameters)
    for name, value in (("workspace", workspace), ("report_dir", folder)):
        if name in task.notebook.parameters and name not in values:
            values[name] = str(value)
    number = current.outcomes.index(outcome) + 1
    begun = time.perf_counter()
    outcome.error = outcome.error_kind = ""
    try:
        papermill.execute_notebook(
            str(task.notebook.path),
            str(current.folder / f"{task.name}.ipynb"),
            values,
            cwd=str(task.notebook.path.parent),
            progress_bar=_bar(f"{number}/{len(current.outcomes)} {task.name}") if progress else False,
            kernel_name="python3",
            extra_arguments=["--IPKernelApp.log_level=40"],  # its warnings about its own transport help nobody here
        )
        outcome.status = COMPLETED
    except PapermillExecutionError as error:
        outcome.status, outcome.error_kind, outcome.error = FAILED, error.ename, error.evalue or error.ename
    except Exception as error:  # a kernel that dies, or a full disk: the report must still say so
        outcome.status, outcome.error_kind = FAILED, type(error).__name__
        outcome.error = f"{type(error).__name__}: {error}"
    outcome.seconds = time.perf_counter() - begun
    outcome.results = _read_results(folder)
    if outcome.status == FAILED:
        results.write_failure(folder, task.name, outcome.parameters, outcome.error, outcome.seconds)


def _bar(words: str) -> dict[str, Any]:
    bar = "{desc} cell {n_fmt}/{total_fmt} |{bar}| {elapsed}"
    return {"desc": words, "bar_format": bar, "file": sys.stderr, "leave": True}


def _fresh(sheet: Sheet, reports: Path) -> Run:
    now = datetime.now(UTC)
    base = reports / sheet.name
    base.mkdir(parents=True, exist_ok=True)
    name = now.strftime("%Y-%m-%d_%H%M%S")
    folder = next(path for path in _names(base / name) if not path.exists())
    folder.mkdir()
    outcomes = [Outcome(task.name, task.notebook.title, dict(task.parameters)) for task in sheet.tasks]
    return Run(sheet, folder, outcomes, now.isoformat(timespec="seconds"))


def _names(path: Path) -> Any:
    yield path
    number = 2
    while True:
        yield path.with_name(f"{path.name}-{number}")
        number += 1


def _resumed(sheet: Sheet, reports: Path) -> Run:
    folders = sorted(
        path.parent for path in (reports / sheet.name).glob("*/results.json") if path.parent.name[0] != "l"
    )
    if not folders:
        raise RunError(f"Nothing to resume: {reports / sheet.name} holds no run. Start one without --resume.")
    folder = folders[-1]
    document = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    before = {each["name"]: each for each in document["notebooks"]}
    outcomes, still_valid = [], True
    for task in sheet.tasks:
        outcome = Outcome(task.name, task.notebook.title, dict(task.parameters))
        old = before.get(task.name, {})
        same = old.get("status") == COMPLETED and old.get("parameters") == _plain(task.parameters)
        still_valid = still_valid and same  # what follows a notebook that runs again must run again too
        if still_valid:
            outcome.status, outcome.seconds = COMPLETED, old["seconds"]
            outcome.results = _read_results(folder / task.name)
        outcomes.append(outcome)
    return Run(sheet, folder, outcomes, document["started"])


def _save(current: Run) -> None:
    failure = current.failure
    document = {
        "sheet": current.sheet.name,
        "title": current.sheet.title,
        "about": current.sheet.about,
        "status": current.status,
        "why": f"{failure.name}: {failure.error}" if failure else "",
        "started": current.started,
        "seconds": round(sum(each.seconds for each in current.outcomes), 1),
        "versions": versions(),
        "notebooks": [vars(each) for each in current.outcomes],
    }
    write_text(current.folder / "results.json", dump(document))


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return json.loads(dump(values))


def _read_results(folder: Path) -> dict[str, Any]:
    path = folder / "results.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _point_latest(folder: Path) -> None:
    """Make <sheet>/latest the newest run: a link, or a small page that leads there where links are not allowed."""
    link = folder.parent / "latest"
    beside = folder.parent / f".latest.{os.getpid()}"
    try:
        beside.symlink_to(folder.name, target_is_directory=True)
        beside.replace(link)
    except OSError:
        write_text(folder.parent / "latest.html", report.redirect(f"{folder.name}/index.html"))
