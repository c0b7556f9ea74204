"""Accuracy, time and memory of the workbench's recipes beside other libraries: same machine, split and metric code.

Run: python tests/benchmarks/bench_recipes.py [--limit SECONDS] [--data NAME ...] [--keep] [--quick]

For every data set of notebooks/sheets/bench.yaml: writes the split, lets each system of bench_recipes.yaml fit on it in
an environment of its own (`make bench-peers`), runs the sheet over the workbench's recipes and those lists, and writes
the table into notebooks/guides/recipes_measured.md. A system that fails or is not installed is shown with its reason.
"""

import argparse
import ast
import json
import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
PLACE, GUIDE = ROOT / "build" / "bench", ROOT / "notebooks" / "guides" / "recipes_measured.md"
PEERS = Path(__file__).parent / "peers"
GRACE = 300.0  # seconds beyond the limit, for reading data and making lists, before a system is killed
QUICK_LIMIT = 25.0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--limit", type=float, help="seconds that each other system may fit (default: bench_recipes.yaml)"
    )
    parser.add_argument("--data", nargs="*", help="data sets of the sheet to run (default: all)")
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-peers", help="where the other systems are")
    parser.add_argument("--keep", action="store_true", help="keep finished lists of an earlier run with equal settings")
    parser.add_argument("--quick", action="store_true", help="seconds instead of hours, to see that it works; no guide")
    return parser.parse_args()


def choose_tasks(sheet: Any, wanted: list[str] | None) -> list[Any]:
    """Leave out what was not asked for, and say why a data set that is not there is skipped."""
    names = [task.name for task in sheet.tasks]
    if unknown := sorted(set(wanted or []) - set(names)):
        sys.exit(f"There is no data set {unknown[0]!r} in the sheet; it has {', '.join(names)}.")
    chosen = []
    for task in sheet.tasks:
        source = task.parameters["source"]
        if wanted and task.name not in wanted:
            continue
        if os.sep in source and not Path(source).exists():
            folder = os.path.relpath(Path(source).parent, ROOT)
            print(f"{task.name}: skipped, there is no {folder}/{Path(source).name}")
            continue
        chosen.append(task)
    return chosen


def prepare_split(task: Any, folder: Path) -> str:
    """Write the split exactly as the notebook will cut it; its hash."""
    from workbench.data.workspace import Workspace
    from workbench.evaluation.splits import make_split
    from workbench.recipes.comparison_data import read_comparison
    from workbench.recipes.comparison_files import hash_split, write_split

    given = task.notebook.parameters
    values = {name: ast.literal_eval(each.default) for name, each in given.items()} | dict(task.parameters)
    read = {name: values[name] for name in ("items", "users", "test_source", "columns", "options")}
    tables = read_comparison(Workspace(PLACE / "workspace"), values["source"], **read)
    parts = make_split(values["split"], tables.data.interactions, values["seed"], tables.test)
    write_split(parts, folder)
    return hash_split(parts)


def run_systems(task: Any, config: dict[str, Any], arguments: argparse.Namespace) -> None:
    """Let every other system fit on one data set, one after another."""
    folder = PLACE / task.name
    split = prepare_split(task, folder / "split")
    (folder / "lists").mkdir(parents=True, exist_ok=True)
    stems = {stem_of(system["label"]) for system in config["systems"]}
    for path in (folder / "lists").iterdir():
        if path.stem not in stems:
            path.unlink()
    for system in config["systems"]:
        settings = system["settings"] | system.get("data_sets", {}).get(task.name, {})
        out = folder / "lists" / stem_of(system["label"])
        wanted = {"label": system["label"], "settings": settings, "split": split, "limit": config["limit"]}
        if arguments.keep and is_finished(out, wanted):
            print(f"{task.name}: {system['label']}: kept", flush=True)
            continue
        begun = time.perf_counter()
        said = run_system(system, settings, out, folder, config, arguments.environments)
        print(f"{task.name}: {system['label']}: {said}, {time.perf_counter() - begun:.0f} s", flush=True)
        facts = json.loads(out.with_suffix(".json").read_text()) if out.with_suffix(".json").exists() else {}
        out.with_suffix(".json").write_text(json.dumps(facts | wanted, indent=2) + "\n")


def is_finished(out: Path, wanted: dict[str, Any]) -> bool:
    try:
        facts = json.loads(out.with_suffix(".json").read_text())
    except (OSError, json.JSONDecodeError):
        return False
    return not facts.get("failed") and all(facts.get(name) == value for name, value in wanted.items())


def run_system(
    system: dict[str, Any], settings: dict[str, Any], out: Path, folder: Path, config: dict[str, Any], places: Path
) -> str:
    """Run one system in its own process; when it ends without lists, say why in its file of figures."""
    for suffix in (".json", ".parquet"):
        out.with_suffix(suffix).unlink(missing_ok=True)
    python = places / system["environment"] / "bin" / "python"
    if not python.exists():
        return fail(out, "its environment is not installed; make bench-peers does that")
    command = [str(python), str(PEERS / system["runner"]), "--split", str(folder / "split"), "--out", str(out)]
    command += ["--label", system["label"], "--limit", str(config["limit"]), "--settings", json.dumps(settings)]
    log = folder / f"{out.name}.log"
    code = run_in_time(command, log, folder, config["limit"] + GRACE)
    if code is None:
        return fail(out, f"killed: no lists {GRACE:g} s after its limit of {config['limit']:g} s")
    if code == 0 and out.with_suffix(".json").exists():
        return json.loads(out.with_suffix(".json").read_text()).get("note", "done")
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
    last = re.sub(r"/\S*/", "", lines[-1] if lines else "it said nothing")[:200]
    return fail(out, f"ended with code {code}: {last}")


def run_in_time(command: list[str], log: Path, folder: Path, seconds: float) -> int | None:
    """Run a command with its whole process group; None when it had to be killed. Nothing outlives this process."""
    with log.open("w") as words:
        process = subprocess.Popen(command, stdout=words, stderr=subprocess.STDOUT, start_new_session=True, cwd=folder)
        try:
            return process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def fail(out: Path, reason: str) -> str:
    out.with_suffix(".json").write_text(json.dumps({"failed": reason}) + "\n")
    return f"failed: {reason}"


def stem_of(label: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    arguments = read_arguments()
    config = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text())
    config["limit"] = arguments.limit or (QUICK_LIMIT if arguments.quick else config["limit"])
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, str(config["threads"]))
    from recipes_report import describe, write_guide

    from workbench.runs import run
    from workbench.runs_sheets import notebooks_folder, plan

    sheet = plan(notebooks_folder(ROOT), ["bench"], {})
    tasks = choose_tasks(sheet, arguments.data)
    if not tasks:
        sys.exit("Nothing to measure.")
    for task in tasks:
        run_systems(task, config, arguments)
    if arguments.quick:
        tasks = [replace(task, parameters=task.parameters | {"recipes": few(task)}) for task in tasks]
    shown = run(replace(sheet, tasks=tuple(tasks)), workspace=PLACE / "workspace", reports=ROOT / "reports")
    for outcome in shown.outcomes:
        print(f"\n== {outcome.name}: {outcome.status} {outcome.error}")
        if outcome.results.get("status") == "completed":
            section = describe(outcome.results, PLACE / outcome.name / "lists", config)
            print(section)
            if not arguments.quick:
                write_guide(GUIDE, outcome.name, section)
    print(f"\nCharts: {os.path.relpath(shown.index, ROOT)}")
    sys.exit(0 if shown.failure is None else 1)


def few(task: Any) -> list[Any]:
    """The quickest recipe and the lists of the other systems."""
    return ["popularity-count", *(each for each in task.parameters["recipes"] if "lists" in each)]


if __name__ == "__main__":
    main()
