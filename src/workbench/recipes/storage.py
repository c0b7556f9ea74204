"""Save and load fitted recipes: safetensors for arrays, JSON for settings, Parquet for item ids. Nothing runs code."""

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench import __version__
from workbench.columns import ITEM_ID
from workbench.errors import ModelFileError, RecipeError
from workbench.recipes.catalog import build
from workbench.recipes.contract import Recipe
from workbench.recipes.mapped_arrays import mapped

FORMAT = 1
MODEL, ITEMS, RECIPE = "model.safetensors", "items.parquet", "recipe.json"
# What taking back arrays of other names, shapes or meanings raises; the checksums already said that all are whole.
OTHER_VERSION = (RecipeError, LookupError, TypeError, ValueError, RuntimeError)
TEXT, LENGTHS = "#utf8", "#lengths"  # a text array travels as its bytes and the length of every text


def save(recipe: Recipe, folder: str | Path) -> Path:
    """Write a fitted recipe into a folder.

    Args:
        recipe: fitted, made by `catalog.build`.
        folder: made when absent; files of the same names are replaced. recipe.json, which vouches for the others by
            their checksums, is written last.

    Returns:
        The folder.

    Raises:
        RecipeError: the recipe is not fitted, or did not come from the catalogue.
    """
    from safetensors.numpy import save_file

    if not recipe.name:
        raise RecipeError(f"{type(recipe).__name__} has no catalogue name; make it with catalog.build(name).")
    if not hasattr(recipe, "item_ids"):
        raise RecipeError(f"{recipe.name} is not fitted; call fit(data) before save.")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    save_file(_tensors(recipe.state()), folder / MODEL)
    pd.DataFrame({ITEM_ID: pd.array(recipe.item_ids, dtype="str")}).to_parquet(folder / ITEMS, index=False)
    about = {
        "format": FORMAT,
        "workbench": __version__,
        "recipe": recipe.name,
        "hyperparameters": recipe.hyperparameters,
        "notes": recipe.notes,
        "items": len(recipe.item_ids),
        "sha256": {name: _digest(folder / name) for name in (MODEL, ITEMS)},
    }
    about = json.loads(json.dumps(about, default=_plain))
    about["seal"] = _seal(about)
    (folder / RECIPE).write_text(json.dumps(about, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for name in (MODEL, ITEMS, RECIPE):
        _sync(folder / name)
    return folder


def load(folder: str | Path, *, trusted: Mapping[str, Sequence[int]] | None = None, map_arrays: bool = False) -> Recipe:
    """Read a recipe back; it gives the scores it gave when it was saved.

    Args:
        folder: of a saved recipe.
        trusted: what `stamps` said when the folder was last found to be whole; files whose size and time of change are
            still the same are not read through again. None reads every file through.
        map_arrays: map the arrays into memory instead of copying them; the files must not be written over while the
            recipe is in use.

    Raises:
        ModelFileError: a file is missing, truncated, edited or of another format, or the recipe has changed since; says
            which.
    """
    from safetensors.numpy import load_file

    folder = Path(folder)
    about = _about(folder)
    for name, wanted in about["sha256"].items():
        path = folder / name
        if not path.is_file():
            raise ModelFileError(f"{path} is missing; the model is not complete. Train it again.")
        if trusted is not None and list(trusted.get(name, ())) == _stamp(path):
            continue
        if _digest(path) != wanted:
            raise ModelFileError(
                f"{path} ({path.stat().st_size:,} bytes) is not what was saved: truncated or edited. "
                "Restore it from a copy or train again."
            )
    item_ids = pd.read_parquet(folder / ITEMS)[ITEM_ID].to_numpy(dtype=object)
    try:
        recipe = build(about["recipe"], about["hyperparameters"])
        recipe.notes = about["notes"]
        return recipe.restore(item_ids, _arrays((mapped if map_arrays else load_file)(folder / MODEL)))
    except OTHER_VERSION as error:
        raise ModelFileError(
            f"{folder} was saved by another version of the workbench ({about['workbench']}; this is {__version__}), "
            f"whose {about['recipe']} differs: {type(error).__name__}: {_first_line(error)}. Train it again."
        ) from error


def stamps(folder: str | Path) -> dict[str, list[int]]:
    """Size in bytes and time of change (ns) of the files that a folder's recipe.json vouches for, for `load`."""
    return {name: _stamp(Path(folder) / name) for name in (MODEL, ITEMS)}


def _about(folder: Path) -> dict[str, Any]:
    """Read recipe.json and check that it is whole, unedited and of this format."""
    path = folder / RECIPE
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ModelFileError(f"{path} is missing: {folder} holds no saved model.") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ModelFileError(f"{path} is not readable JSON ({error}): truncated or edited. Train it again.") from error
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        found = about.get("format") if isinstance(about, dict) else type(about).__name__
        raise ModelFileError(f"{path} has format {found!r}; this version reads format {FORMAT}. Train it again.")
    if about.get("seal") != _seal(about):
        raise ModelFileError(f"{path} was edited after it was saved: its seal does not fit. Train it again.")
    return about


def _seal(about: dict[str, Any]) -> str:
    words = json.dumps({key: value for key, value in about.items() if key != "seal"}, sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()


def _stamp(path: Path) -> list[int]:
    found = path.stat()
    return [found.st_size, found.st_mtime_ns]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _tensors(state: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Make every array one that safetensors can hold: contiguous, and text as bytes and lengths."""
    tensors = {}
    for name, array in state.items():
        if array.dtype.kind not in "UTO":
            tensors[name] = np.ascontiguousarray(array)
            continue
        if array.dtype.kind == "O" and not all(isinstance(each, str) for each in array):
            raise RecipeError(f"{name} of a recipe's state holds objects that are no text; such cannot be saved.")
        texts = [str(each).encode() for each in array]
        tensors[name + TEXT] = np.frombuffer(b"".join(texts), dtype=np.uint8)
        tensors[name + LENGTHS] = np.array([len(each) for each in texts], dtype=np.int64)
    return tensors


def _arrays(tensors: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    arrays = {name: array for name, array in tensors.items() if not name.endswith((TEXT, LENGTHS))}
    for name in (each.removesuffix(TEXT) for each in tensors if each.endswith(TEXT)):
        words, lengths = tensors[name + TEXT].tobytes(), tensors[name + LENGTHS]
        ends = np.cumsum(lengths)
        starts = ends - lengths
        texts = [words[start:end].decode() for start, end in zip(starts, ends, strict=True)]
        arrays[name] = np.array(texts, dtype=object)  # none padded to the longest
    return arrays


def _plain(value: object) -> object:
    """Write numpy numbers in settings and notes as JSON numbers."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise RecipeError(f"{type(value).__name__} {value!r} in a recipe's hyperparameters or notes cannot be saved.")


def _first_line(error: Exception) -> str:
    return str(error).split("\n", 1)[0].rstrip(":. ")


def _sync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
