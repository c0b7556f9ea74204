"""The rows of the catalogue: every recipe's use case, needs and hyperparameters, and no branches."""

from workbench.recipes import (
    catalog_factors,
    catalog_personal,
    catalog_popularity,
    catalog_ranking,
    catalog_recbole,
    catalog_related,
)

ROWS = (
    *catalog_popularity.ROWS,
    *catalog_related.ROWS,
    *catalog_personal.ROWS,
    *catalog_factors.ROWS,
    *catalog_ranking.ROWS,
    *catalog_recbole.ROWS,
)
