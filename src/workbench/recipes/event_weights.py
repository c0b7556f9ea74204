"""Events that count more or less by their type, the same in every recipe that reads histories in order."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.columns import EVENT_TYPE
from workbench.errors import RecipeError, nearest
from workbench.recipes.contract import Histories


def check_types(recipe: str, table: Mapping[str, float], interactions: pd.DataFrame) -> None:
    """Refuse weights that no event can have.

    Args:
        recipe: name for the message.
        table: EVENT_TYPE to weight; empty weighs all events alike.
        interactions: the events.

    Raises:
        RecipeError: there is no EVENT_TYPE column, a type that no event has, or nothing left with a weight above 0.
    """
    if not table:
        return
    if EVENT_TYPE not in interactions:
        raise RecipeError(
            f"{recipe}: event_weights={dict(table)} need the column {EVENT_TYPE}; found "
            f"{list(interactions.columns)}. Map one in the flow, or leave event_weights empty."
        )
    types = interactions[EVENT_TYPE].astype(object)
    known = types.dropna().unique()
    if not all(isinstance(each, str) for each in known):
        raise RecipeError(
            f"{recipe}: event_weights={dict(table)} name types as text, and {EVENT_TYPE} holds "
            f"{interactions[EVENT_TYPE].dtype} such as {known[0]!r}; convert the column to text in the flow."
        )
    for name in table:
        if name not in known:
            raise RecipeError(f"{recipe}: event_weights names {name!r}, which no event has.{nearest(name, known)}")
    if not types.map(dict(table)).gt(0).any():
        raise RecipeError(f"{recipe}: event_weights={dict(table)} leave no event with a weight above 0.")


def counting(histories: Histories, table: Mapping[str, float]) -> np.ndarray:
    """Tell which events `weigh` keeps: (n_events,) bool."""
    if not table or EVENT_TYPE not in histories.columns:
        return np.ones(len(histories.items), dtype=bool)
    return _weights(histories, table) > 0


def weigh(histories: Histories, table: Mapping[str, float]) -> tuple[Histories, np.ndarray | None]:
    """Keep the events whose type has a weight above 0.

    Args:
        histories: with EVENT_TYPE among their columns, else every event counts alike.
        table: EVENT_TYPE to weight; empty weighs all alike. A type that it does not name has none.

    Returns:
        The histories without the others, and the weight of every event kept; None where all weigh alike.
    """
    if not table or EVENT_TYPE not in histories.columns:
        return histories, None
    weights = _weights(histories, table)
    kept = weights > 0
    before = np.concatenate([[0], np.cumsum(kept)])
    return (
        Histories(
            user_ids=histories.user_ids,
            offsets=before[histories.offsets].astype(np.int64),
            items=histories.items[kept],
            times=histories.times[kept],
            columns={name: values[kept] for name, values in histories.columns.items()},
            unknown=histories.unknown,
            context=histories.context,
        ),
        weights[kept],
    )


def _weights(histories: Histories, table: Mapping[str, float]) -> np.ndarray:
    types = pd.Series(histories.columns[EVENT_TYPE], dtype=object)
    return types.map(dict(table)).astype(np.float64).fillna(0.0).to_numpy()
