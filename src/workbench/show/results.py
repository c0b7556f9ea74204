"""results.json: what a notebook found, in a form that programs and the report's index page read."""

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

PACKAGES = (
    "recommendation-workbench",
    "numpy",
    "pandas",
    "scipy",
    "duckdb",
    "ibis-framework",
    "torch",
    "recbole",
    "scikit-learn",
    "optuna",
    "plotly",
)


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
        headline: the numbers for the index page: name, value, and where known low, high, unit.
        figures: name to plotly figure; each is kept as figures/<name>.json.
        facts: anything else worth keeping; frames become lists of records.

    Returns:
        The path of results.json. Numbers that are not finite are written as null.
    """
    folder = Path(report_dir)
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in (figures or {}).items():
        write_text(folder / "figures" / f"{name}.json", figure.to_json())
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


def versions() -> dict[str, str]:
    """Name the Python and package versions of this process, without importing any of them."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def dump(document: object) -> str:
    """Write strict JSON: frames as records, numpy numbers as numbers, NaN and infinities as null."""
    return json.dumps(plain(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def plain(value: object) -> object:
    """Turn frames, numpy values and non-finite numbers into what strict JSON can hold."""
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, pd.DataFrame):
        return plain(value.to_dict("records"))
    if isinstance(value, pd.Series):
        return plain(value.to_dict())
    if isinstance(value, list | tuple | set | frozenset | np.ndarray):
        return [plain(each) for each in value]
    if isinstance(value, bool | np.bool_):
        return bool(value)
    if isinstance(value, int | np.integer):
        return int(value)
    if isinstance(value, float | np.floating):
        return float(value) if math.isfinite(value) else None
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    return str(value)


def write_text(path: Path, words: str) -> None:
    """Write beside the place and rename, so a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    beside.write_text(words, encoding="utf-8")
    beside.replace(path)
