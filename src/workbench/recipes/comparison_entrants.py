"""Who takes part in a comparison: a list of recipes, checked before anything runs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.errors import RecipeError, nearest
from workbench.recipes.catalog import entry
from workbench.recipes.training import BASELINES


@dataclass(frozen=True)
class Entrant:
    """A recipe with settings that takes part.

    label: what it is called here; unique.
    name: of the catalogue.
    hyperparameters: those that differ from the defaults.
    added: a baseline that nobody asked for, judged all the same so that there is something to beat.
    """

    label: str
    name: str
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    added: bool = False


def find_entrants(recipes: Sequence[str | Mapping[str, Any]]) -> list[Entrant]:
    """Read a list of recipes and check every name and hyperparameter before anything runs.

    Args:
        recipes: catalogue names, or mappings with "recipe" and, where wanted, "hyperparameters" and "label".

    Returns:
        One entrant each. Without a label an entrant is called by its name, and by its name and settings when the name
        appears more than once. Baselines that are not in the list are added at the end.

    Raises:
        RecipeError: an empty list, an unknown recipe, key or hyperparameter, or two entrants that are the same.
    """
    if isinstance(recipes, str) or not isinstance(recipes, Iterable) or not list(recipes):
        raise RecipeError(f"recipes must be a list with at least one recipe, such as ['sims'], not {recipes!r}.")
    asked = [_read(each) for each in recipes]
    names = [name for name, _, _ in asked]
    found = []
    for name, hyperparameters, label in asked:
        settings = ", ".join(f"{key}={value}" for key, value in hyperparameters.items())
        several = names.count(name) > 1 and settings
        found.append(Entrant(label or (f"{name} ({settings})" if several else name), name, hyperparameters))
    labels = [each.label for each in found]
    if twice := sorted({label for label in labels if labels.count(label) > 1}):
        raise RecipeError(f"recipes holds {twice[0]!r} twice; give different hyperparameters or a label of its own.")
    return found + [Entrant(name, name, added=True) for name in BASELINES if name not in names + labels]


def _read(recipe: str | Mapping[str, Any]) -> tuple[str, dict[str, Any], str]:
    """Read one entry of the list of recipes: its catalogue name, hyperparameters and label."""
    known = ("recipe", "hyperparameters", "label")
    if isinstance(recipe, Mapping):
        for key in recipe:
            if key not in known:
                raise RecipeError(f"recipes: {dict(recipe)} has an unknown key {key!r}.{nearest(str(key), known)}")
        if "recipe" not in recipe:
            raise RecipeError(f"recipes: {dict(recipe)} lacks the key 'recipe', the recipe's name.")
    else:
        recipe = {"recipe": recipe}
    row, given = entry(recipe["recipe"]), recipe.get("hyperparameters") or {}
    row.complete(given)
    return row.name, dict(given), str(recipe.get("label") or "")
