"""What is written for programs: strict JSON, whole files or none, and the versions that made it."""

import json
import math
import os
import platform
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

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
    "safetensors",
    "scikit-learn",
    "optuna",
    "plotly",
)


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
