"""Who takes part in a comparison: recipes, and lists that other systems made; checked before anything runs."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workbench.errors import RecipeError, nearest
from workbench.recipes.catalog import entry
from workbench.recipes.training import BASELINES

RECIPE_KEYS = ("recipe", "hyperparameters", "label")
FIGURES = ("fit_seconds", "list_seconds", "peak_memory_gb")
LISTS_KEYS = ("lists", "label", *FIGURES, "note")
# What a file of figures beside the lists may say besides; further keys are left alone.
BESIDE_KEYS = (*LISTS_KEYS[1:], "failed", "split", "versions", "settings", "threads", "device")
SUFFIXES = (".parquet", ".csv", ".tsv")


@dataclass(frozen=True)
class Entrant:
    """A recipe with settings that takes part, or the lists of another system.

    label: what it is called here; unique.
    name: of the catalogue; "" for another system.
    hyperparameters: those that differ from the defaults.
    added: a baseline that nobody asked for, judged all the same so that there is something to beat.
    lists: the file with the lists of another system; None for a recipe.
    figures: what that system told of itself, see `FIGURES` and `BESIDE_KEYS`.
    """

    label: str
    name: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    added: bool = False
    lists: Path | None = None
    figures: Mapping[str, Any] = field(default_factory=dict)


def find_entrants(recipes: Sequence[str | Mapping[str, Any]]) -> list[Entrant]:
    """Read a list of entrants and check every name, hyperparameter and path before anything runs.

    Args:
        recipes: catalogue names; mappings with "recipe" and, where wanted, "hyperparameters" and "label"; or mappings
            with "lists", a file that another system made or a folder of such files, and, where wanted, "label",
            "fit_seconds", "list_seconds", "peak_memory_gb" and "note". A JSON file of the same name beside the lists
            may hold these too; what the mapping says wins. With "failed" in it, and no lists, the entrant is reported
            as failed with that reason.

    Returns:
        One entrant each, one for every file of a folder. Without a label a recipe is called by its name, and by its
        name and settings when the name appears more than once; lists by their file's name. Baselines that are not in
        the list are added at the end.

    Raises:
        RecipeError: an empty list, an unknown recipe, key or hyperparameter, a file that is not there, or two entrants
            that are the same.
    """
    if isinstance(recipes, str) or not isinstance(recipes, Iterable) or not list(recipes):
        raise RecipeError(f"recipes must be a list with at least one recipe, such as ['sims'], not {recipes!r}.")
    found: list[Entrant] = []
    for each in recipes:
        found += _outside(each) if isinstance(each, Mapping) and "lists" in each else [_recipe(each)]
    names = [each.name for each in found]
    labelled = [_labelled(each, several=names.count(each.name) > 1) for each in found]
    labels = [each.label for each in labelled]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise RecipeError(f"recipes holds {twice[0]!r} twice; give different hyperparameters or a label of its own.")
    return labelled + [Entrant(name, name, added=True) for name in BASELINES if name not in names + labels]


def _recipe(recipe: str | Mapping[str, Any]) -> Entrant:
    """Read one recipe of the list; its label stays empty where none is given."""
    if isinstance(recipe, Mapping):
        _known_keys(recipe, RECIPE_KEYS)
        if "recipe" not in recipe:
            raise RecipeError(f"recipes: {dict(recipe)} lacks the key 'recipe', the recipe's name.")
    else:
        recipe = {"recipe": recipe}
    row, given = entry(recipe["recipe"]), recipe.get("hyperparameters") or {}
    row.complete(given)
    return Entrant(str(recipe.get("label") or ""), row.name, dict(given))


def _labelled(entrant: Entrant, several: bool) -> Entrant:
    if entrant.label:
        return entrant
    settings = ", ".join(f"{key}={value}" for key, value in entrant.hyperparameters.items())
    label = f"{entrant.name} ({settings})" if several and settings else entrant.name
    return Entrant(label, entrant.name, entrant.hyperparameters)


def _outside(given: Mapping[str, Any]) -> list[Entrant]:
    """Read one entry with lists of another system, or with a folder of them."""
    _known_keys(given, LISTS_KEYS)
    path = Path(str(given["lists"]))
    if not path.is_dir():
        return [_from_file(path, given)]
    if wrong := [key for key in given if key != "lists"]:
        raise RecipeError(
            f"recipes: {path} is a folder, where {wrong[0]!r} cannot mean one of its files; write it into a JSON file "
            "of the same name beside each file of lists."
        )
    stems = sorted({each.stem for each in path.iterdir() if each.suffix in (*SUFFIXES, ".json")})
    if not stems:
        raise RecipeError(f"recipes: the folder {path} holds no lists ({', '.join(SUFFIXES)}).")
    return [_from_file(_lists_named(path, stem), {}) for stem in stems]


def _lists_named(folder: Path, stem: str) -> Path:
    """Find the lists that a file of figures belongs to; a path that is not there when the other system made none."""
    places = [folder / f"{stem}{suffix}" for suffix in SUFFIXES]
    return next((place for place in places if place.exists()), places[0])


def _from_file(path: Path, given: Mapping[str, Any]) -> Entrant:
    figures = _beside(path.with_suffix(".json")) | {key: given[key] for key in given if key != "lists"}
    if not path.is_file() and not figures.get("failed"):
        raise RecipeError(
            f"recipes: there is no file or folder {str(path)!r} with lists. A relative path starts at {Path.cwd()}."
        )
    for name in FIGURES:
        value = figures.get(name)
        if value is not None and not (isinstance(value, int | float) and not isinstance(value, bool) and value >= 0):
            raise RecipeError(f"recipes: {name} of {path.name} must be a number of 0 or more, not {value!r}.")
    return Entrant(str(figures.get("label") or path.stem), "", lists=path, figures=figures)


def _beside(path: Path) -> dict[str, Any]:
    """Read the file of figures beside the lists; nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise RecipeError(f"{path} is not readable JSON: {error}") from error
    if not isinstance(found, dict):
        raise RecipeError(f"{path} must hold one JSON object with keys such as {', '.join(FIGURES)}.")
    return {key: found[key] for key in BESIDE_KEYS if key in found}


def _known_keys(given: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            raise RecipeError(f"recipes: {dict(given)} has an unknown key {key!r}.{nearest(str(key), known)}")
