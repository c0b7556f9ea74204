"""One unchanging state of a deployment: a request takes it once and is answered by it, whatever comes meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.columns import (
    CREATION_TIMESTAMP,
    DAY,
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    EVENT_VALUE,
    IMPRESSION,
    RECOMMENDATION_ID,
)
from workbench.errors import ServingError
from workbench.recipes.contract import Recipe
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.tables import EntityTable, EventLog, NumberColumn
from workbench.serving.user_states import UserStates

NO_CONTEXT = (EVENT_TYPE, EVENT_VALUE, IMPRESSION, RECOMMENDATION_ID, EVENT_ATTRIBUTION_SOURCE)


@dataclass(frozen=True, eq=False)
class DeployedObjective:
    """What lists trade relevance against; see `recipes.objective`.

    column: numeric column of the items.
    weight: share of the reward in the blended score, 0 to 1.
    candidates: times the list's length, so many most relevant items are weighed against each other.
    rewards: (n,) float64 by item code; an item without a number earns the least that any item earns.
    """

    column: str
    sensitivity: str
    weight: float
    candidates: int
    rewards: np.ndarray


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What requests are answered with.

    campaign, group, solution, version, revision, settings: what is deployed; see `CampaignRevision`.
    recipe: the model; it scores the item codes below `n_scored`.
    items: every item by code; codes of items that the recipe scores never change while it is deployed.
    users: the users with their stored and live events.
    creation_times: (n,) int64 epoch seconds, inferred where CREATION_TIMESTAMP is missing.
    popularity: (n,) int64, stored events that count as interest.
    objective: None for relevance alone.
    exclude_seen: the campaign's setting or else the solution's.
    event_types, event_value_threshold: which events count as interest, as at training.
    newest_time: epoch seconds of the newest stored event; ages of items are measured from it.
    context_columns: columns of the interactions that a request may give a value for.
    live_position: sequence number of the newest live item or user that is taken in.
    """

    campaign: str
    group: str
    solution: str
    version: int
    revision: int
    settings: CampaignSettings
    recipe: Recipe
    items: EntityTable
    users: UserStates
    creation_times: np.ndarray
    popularity: np.ndarray
    objective: DeployedObjective | None
    exclude_seen: bool
    event_types: tuple[str, ...]
    event_value_threshold: float | None
    newest_time: int
    context_columns: tuple[str, ...]
    live_position: int = 0

    @property
    def n_scored(self) -> int:
        """How many items the recipe scores; the codes from here on are items that it does not know."""
        return len(self.recipe.item_ids)

    def counts_as_interest(self, events: EventLog) -> np.ndarray:
        """Which events the recipe reads: of items that it scores, of the types and values it was trained on.

        Returns:
            (m,) bool.
        """
        counts = (events.entities >= 0) & (events.entities < self.n_scored)
        if self.event_types:
            counts &= np.isin(events.columns[EVENT_TYPE], np.array(self.event_types, dtype=object))
        if self.event_value_threshold is not None:
            counts &= events.columns[EVENT_VALUE] >= self.event_value_threshold
        return counts

    def ages(self) -> np.ndarray:
        """Days from each item's creation to the newest stored event, (n,) float64; 0 for later ones."""
        return np.maximum(0, self.newest_time - self.creation_times) / DAY


def context_columns(event_columns: Mapping[str, str]) -> tuple[str, ...]:
    """The columns of the interactions that say in which situation an event was."""
    return tuple(name for name in event_columns if name not in NO_CONTEXT)


def deployed_objective(settings: Mapping[str, Any] | None, items: EntityTable) -> DeployedObjective | None:
    """A solution's objective with what each item earns now.

    Raises:
        ServingError: the items have no such column, or it is not numeric.
    """
    if not settings:
        return None
    column = items.column(settings["column"])
    if not isinstance(column, NumberColumn):
        raise ServingError(
            f"The objective's column {settings['column']} is text; deploy with items where it is numeric."
        )
    known = ~np.isnan(column.values)
    least = float(column.values[known].min()) if known.any() else 0.0
    rewards = np.where(known, column.values, least)
    return DeployedObjective(
        settings["column"],
        settings["sensitivity"],
        float(settings["weight"]),
        int(settings["candidates_per_place"]),
        rewards,
    )


def creation_times(
    stored: np.ndarray, order: np.ndarray, items: EntityTable, put: list[int], newest: int
) -> np.ndarray:
    """Creation times after items were put live.

    Args:
        stored: (old n,) int64.
        order: (n,) the old code of each item, -1 for a new one.
        items: the new table.
        put: codes of items that were put.
        newest: when an item without events and without CREATION_TIMESTAMP counts as created.

    Returns:
        (n,) int64.
    """
    times = np.where(order >= 0, stored[np.maximum(order, 0)], newest) if len(stored) else np.full(len(order), newest)
    if CREATION_TIMESTAMP in items.columns and put:
        given = items.columns[CREATION_TIMESTAMP].values[put]
        known = ~np.isnan(given)
        times[np.array(put)[known]] = given[known].astype(np.int64)
    return times.astype(np.int64)
