"""New items in a model that was trained without them, where the model allows it."""

import copy
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError, ServingError
from workbench.recipes.contract import Recipe, TrainingData

SHARED = 1_000_000  # bytes from which a copy of a model shares an array instead of copying it


def take_in(recipe: Recipe, items: pd.DataFrame) -> tuple[Recipe | None, dict[str, Any]]:
    """Take new items into a copy of a model.

    Args:
        recipe: fitted; requests may be using it, so it is not changed.
        items: rows of items that it does not know.

    Returns:
        The copy, whose codes of known items are those of `recipe`, or None when it scores no item more; and what was
        counted, with "left_out" where the model takes in no items and "why" it does not.

    Raises:
        ServingError: the model gave known items other codes.
    """
    if items.empty:
        return None, {}
    known = recipe.item_ids
    changed = copy.deepcopy(recipe, _large_arrays(recipe))
    try:
        counted: dict[str, Any] = changed.update(TrainingData(_no_events(), items))
    except RecipeError as error:
        return None, {"left_out": len(items), "why": str(error)}
    if not np.array_equal(changed.item_ids[: len(known)], known):
        raise ServingError(f"{recipe.name} gave known items other codes when it took in new ones; train it again.")
    if len(changed.item_ids) == len(known):
        return None, counted | {"left_out": len(items), "why": f"{recipe.name} needs events of an item to score it."}
    return changed, counted


def _large_arrays(recipe: Recipe) -> dict[int, Any]:
    """The large arrays of a model by id, so that a copy shares them; from now on nobody may write into them."""
    shared: dict[int, Any] = {}
    seen: set[int] = set()
    waiting: list[Any] = [recipe]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, np.ndarray):
            if each.nbytes >= SHARED and each.dtype != object:
                each.flags.writeable = False
                shared[id(each)] = each
        elif isinstance(each, dict):
            waiting += each.values()
        elif isinstance(each, list | tuple):
            waiting += each
        elif hasattr(each, "__dict__") and not isinstance(each, type):
            waiting += vars(each).values()
    return shared


def _no_events() -> pd.DataFrame:
    return pd.DataFrame({USER_ID: _texts(), ITEM_ID: _texts(), TIMESTAMP: pd.Series(dtype="int64")})


def _texts() -> pd.Series:
    return pd.Series(dtype="str")
