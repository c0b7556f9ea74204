"""Which models user-personalization is made of: a choice by order, size and time budget, with its reasons."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.columns import USER_ID
from workbench.recipes.order import is_ordered

CLOSED, TRANSFORMER, GRAPH = "closed-form", "transformer", "graph-filter"
LEAST_EVENTS = 2_000  # fewer teach a transformer nothing that the closed form does not know
LEAST_MINUTES = 0.5  # of a budget, below which a transformer is not begun


def choose_parts(events: pd.DataFrame, hyperparameters: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Choose the parts and say why.

    Args:
        events: interactions.
        hyperparameters: of user-personalization; `parts` other than "auto" decides by itself.

    Returns:
        Names of parts in the order they are fitted, and the reasons as sentences.
    """
    given, budget = hyperparameters["parts"], hyperparameters["budget_minutes"]
    if given != "auto":
        return given.split("+"), [f"parts={given} was asked for."]
    ordered, reason = is_ordered(events)
    if not ordered:
        return [GRAPH], [f"{reason} The graph filter needs no order."]
    reasons = [reason]
    if budget is None:
        return [CLOSED], [*reasons, "budget_minutes is not set, so the closed form stands alone."]
    if len(events) < LEAST_EVENTS or events[USER_ID].nunique() < 2:
        few = f"{len(events):,} events are too few for a transformer; {LEAST_EVENTS:,} are needed."
        return [CLOSED], [*reasons, few]
    if budget < LEAST_MINUTES:
        return [CLOSED], [*reasons, f"budget_minutes={budget:g} is below the {LEAST_MINUTES:g} a transformer needs."]
    return [CLOSED, TRANSFORMER], [*reasons, f"budget_minutes={budget:g} leaves time for a transformer."]
