"""Catalogue row of the recipe that re-ranks a given list for a user: the engine of user-personalization."""

from dataclasses import replace

from workbench.recipes import catalog_personal
from workbench.recipes.catalog_entry import RANKING

_ENGINE = next(row for row in catalog_personal.ROWS if row.name == "user-personalization")

ROWS = (
    replace(
        _ENGINE,
        name="personalized-ranking",
        use_case=RANKING,
        about="Puts items that you name into the order of one user's taste: a search result, a shelf, a newsletter. "
        "The same model and hyperparameters as user-personalization; the list is yours. See `ranking.rank_given`.",
    ),
)
