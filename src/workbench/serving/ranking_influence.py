"""How much popularity and freshness count beside likeness, set by a campaign: rankingInfluence."""

import copy
from collections.abc import Mapping

import numpy as np

from workbench.errors import ServingError
from workbench.recipes.contract import Recipe

SEMANTIC = "semantic"


def influenced(recipe: Recipe, influence: Mapping[str, float] | None) -> Recipe:
    """A recipe that weighs popularity and freshness as a campaign says; others stay as they are.

    Args:
        recipe: fitted.
        influence: POPULARITY and FRESHNESS, 0 to 1 each; what is not named stays as trained.

    Raises:
        ServingError: freshness is asked for, and no item has a time of creation.

    Source: Amazon Personalize, rankingInfluence of aws-semantic-similarity.
    """
    if not influence or recipe.family != SEMANTIC:
        return recipe
    if influence.get("FRESHNESS") and np.isnan(recipe.created).all():
        raise ServingError(
            f"ranking_influence FRESHNESS={influence['FRESHNESS']:g} needs CREATION_TIMESTAMP in the items dataset, "
            "and the model has seen none. Add the column and train again, or set it to 0."
        )
    other = copy.copy(recipe)
    other.hyperparameters = recipe.hyperparameters | {name.lower(): value for name, value in influence.items()}
    return other
