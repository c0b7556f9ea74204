"""results.json: what a notebook found, in a form that programs and the report's index page read."""

import errno
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from workbench.data.atomic import BROKEN, disk_errors
from workbench.records import dump, versions, write_text


def write(
    report_dir: str | Path,
    *,
    notebook: str,
    parameters: Mapping[str, Any],
    seed: int | None,
    data_hash: str,
    seconds: float,
    headline: Sequence[Mapping[str, Any]] = (),
    figures: Mapping[str, Any] | None = None,
    **facts: Any,
) -> Path:
    """Write a notebook's results.json and its figures.

    Args:
        report_dir: folder to write into; made when absent.
        notebook: the notebook's name, such as "10_prepare_data".
        parameters: name to value, as the run used them.
        seed: the seed of every random step, or None when nothing was random.
        data_hash: identifies the data, usually a dataset version's hash.
        seconds: how long the notebook's work took.
        headline: the numbers for the index page: name, value, and where known low, high, level (0.95), unit, note.
        figures: name to plotly figure; each is kept as figures/<name>.json.
        facts: anything else worth keeping; frames become lists of records.

    Returns:
        The path of results.json. Numbers that are not finite are written as null.

    Raises:
        WorkspaceError: the folder cannot be written, or the disk is full.
    """
    folder = Path(report_dir)
    document = {
        "notebook": notebook,
        "status": "completed",
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(float(seconds), 3),
        "seed": seed,
        "data_hash": data_hash,
        "parameters": dict(parameters),
        "versions": versions(),
        "headline": list(headline),
        "figures": sorted(figures or {}),
        **facts,
    }
    path = folder / "results.json"
    with disk_errors(f"the report {folder}", folder, (*BROKEN, errno.ENOENT, errno.EEXIST)):
        folder.mkdir(parents=True, exist_ok=True)
        for name, figure in (figures or {}).items():
            write_text(folder / "figures" / f"{name}.json", figure.to_json())
        write_text(path, dump(document))
    return path


def write_failure(
    report_dir: str | Path, notebook: str, parameters: Mapping[str, Any], why: str, seconds: float
) -> Path:
    """Write the results.json of a notebook that failed: status and reason beside what was asked for."""
    folder = Path(report_dir)
    document = {
        "notebook": notebook,
        "status": "failed",
        "why": why,
        "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(float(seconds), 3),
        "parameters": dict(parameters),
        "versions": versions(),
    }
    write_text(folder / "results.json", dump(document))
    return folder / "results.json"
