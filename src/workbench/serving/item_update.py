"""New items in a model that was trained without them, where the model allows it."""

import copy
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError, ServingError
from workbench.recipes.contract import Recipe, TrainingData


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
    changed = copy.deepcopy(recipe)
    try:
        counted: dict[str, Any] = changed.update(TrainingData(_no_events(), items))
    except RecipeError as error:
        return None, {"left_out": len(items), "why": str(error)}
    if not np.array_equal(changed.item_ids[: len(known)], known):
        raise ServingError(f"{recipe.name} gave known items other codes when it took in new ones; train it again.")
    if len(changed.item_ids) == len(known):
        return None, counted | {"left_out": len(items), "why": f"{recipe.name} needs events of an item to score it."}
    return changed, counted


def _no_events() -> pd.DataFrame:
    return pd.DataFrame({USER_ID: _texts(), ITEM_ID: _texts(), TIMESTAMP: pd.Series(dtype="int64")})


def _texts() -> pd.Series:
    return pd.Series(dtype="str")
