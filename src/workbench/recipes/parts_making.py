"""Make one part of user-personalization from the settings of the whole."""

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any

from workbench.recipes.contract import Recipe
from workbench.recipes.parts import CLOSED, GRAPH, TRANSFORMER

CLASSES = {
    CLOSED: ("workbench.recipes.autoregressive", "Autoregressive", "autoregressive"),
    TRANSFORMER: ("workbench.recipes.transformer", "Transformer", "transformer"),
    GRAPH: ("workbench.recipes.graph_filter", "GraphFilter", "graph-filter"),
}


def check_parts(names: Sequence[str], hyperparameters: Mapping[str, Any]) -> None:
    """Refuse settings that a part cannot work with, before any part is fitted.

    Raises:
        RecipeError: says which setting.
    """
    for name in names:
        make_part(name, hyperparameters)
    if TRANSFORMER in names:
        from workbench.recipes.transformer_distributed import pick_device

        pick_device(hyperparameters["device"])


def make_part(name: str, hyperparameters: Mapping[str, Any], minutes_spent: float = 0.0) -> Recipe:
    """Build a part; settings that the whole does not have keep the part's own defaults.

    Args:
        name: of `CLASSES`.
        hyperparameters: of user-personalization.
        minutes_spent: taken off `budget_minutes`.
    """
    from workbench.recipes.catalog import entry

    module, factory, row = CLASSES[name]
    settings = entry(row).hyperparameters
    values = {key: hyperparameters.get(key, each.default) for key, each in settings.items()}
    if name == TRANSFORMER and values["budget_minutes"] is not None:
        values["budget_minutes"] = max(0.05, values["budget_minutes"] - minutes_spent)
    if name == TRANSFORMER:
        values["cold"] = False
    return getattr(import_module(module), factory)(**values)
