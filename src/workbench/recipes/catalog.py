"""The catalogue of recipes: a table from name to what a recipe does, needs and can be told."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from workbench.errors import RecipeError, nearest
from workbench.recipes.catalog_entry import Entry, Hyperparameter
from workbench.recipes.catalog_recbole import RECBOLE, RECBOLE_FACTORY
from workbench.recipes.catalog_rows import ROWS
from workbench.recipes.contract import Recipe

__all__ = ["CATALOG", "Entry", "Hyperparameter", "build", "entry"]

CATALOG: dict[str, Entry] = {row.name: row for row in ROWS}


def entry(name: str) -> Entry:
    """Look a recipe up.

    Args:
        name: a catalogue name, with or without "aws-" before it; or "recbole:" and one of RecBole's model names.

    Raises:
        RecipeError: there is no such recipe; names the nearest.
    """
    if not isinstance(name, str):
        raise RecipeError(f"A recipe is named by text, not {type(name).__name__} {name!r}.{nearest('', CATALOG)}")
    plain = name.removeprefix("aws-")
    if plain in CATALOG:
        return CATALOG[plain]
    model = plain.removeprefix(RECBOLE)
    if plain.startswith(RECBOLE) and model.isidentifier():
        return Entry(
            name=plain,
            family="recbole",
            use_case="USER_PERSONALIZATION",
            about=f"RecBole's {model} with its own defaults; hyperparameters go to RecBole as given.",
            hyperparameters={},
            factory=RECBOLE_FACTORY,
            arguments={"model": model},
            free=True,
        )
    raise RecipeError(f"There is no recipe {name!r}.{nearest(plain, [*CATALOG, RECBOLE + '<Model>'])}")


def build(name: str, hyperparameters: Mapping[str, Any] | None = None) -> Recipe:
    """Make an unfitted recipe from its name and hyperparameters; those not given get their defaults.

    Raises:
        RecipeError: the recipe, a hyperparameter or a value is not known.
    """
    row = entry(name)
    values = row.complete(hyperparameters)
    module, _, factory = row.factory.partition(":")
    recipe = getattr(import_module(module), factory)(**(row.arguments or {}), **values)
    recipe.name = row.name
    return recipe
