"""The readiness verdicts speak of every recipe that the catalogue has."""

from workbench.data.checks import readiness
from workbench.recipes.catalog import CATALOG


def test_every_recipe_of_the_catalogue_gets_a_verdict():
    assert set(CATALOG) <= set(readiness.RECIPES)
