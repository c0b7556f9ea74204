"""Popularity recipes: the same list for everyone, and the baselines that others have to beat."""

from typing import Any, Self

import numpy as np
import pandas as pd

from workbench.columns import DAY, ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData


class _SameForAll(Recipe):
    """A recipe that gives everyone the same scores: one number per item in `scores`."""

    family = "popularity"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}

    def score(self, histories: Histories) -> np.ndarray:
        """Give every history the items' popularity."""
        return np.tile(self.scores, (len(histories), 1))

    def similar(self, item_codes: np.ndarray) -> np.ndarray:
        """Give every item the same popular items; this recipe knows no relations."""
        return np.tile(self.scores, (len(item_codes), 1))

    def state(self) -> dict[str, np.ndarray]:
        """Give the scores as an array."""
        return {"scores": self.scores}

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.scores = item_ids, state["scores"]
        return self


class PopularityCount(_SameForAll):
    """Rank items by how many different users chose them.

    Source: Amazon Personalize developer guide, Popularity-Count recipe.
    """

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Count the unique users of every item; repeats by one user count once."""
        users, items, self.item_ids = encode(data.interactions)
        pairs = np.unique(users * np.int64(len(self.item_ids)) + items)
        counts = np.bincount(pairs % len(self.item_ids), minlength=len(self.item_ids))
        self.scores = counts.astype(np.float32)
        self.notes = {"repeats_counted_once": len(items) - len(pairs)}
        return self


class RecentPopularity(_SameForAll):
    """Rank items by their events in the last `days` days of the data.

    The score is events in the window plus `shrink` events spread as over all time, so with the default of one event
    equal windows are ordered by all-time popularity.
    """

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Count events with TIMESTAMP above newest minus `days` days; notes say how many fell into the window."""
        _, items, self.item_ids = encode(data.interactions)
        times = data.interactions[TIMESTAMP].to_numpy(dtype=np.int64)
        border = times.max() - self.hyperparameters["days"] * DAY
        total = np.bincount(items, minlength=len(self.item_ids))
        recent = np.bincount(items[times > border], minlength=len(self.item_ids))
        self.scores = (recent + self.hyperparameters["shrink"] * total / total.sum()).astype(np.float32)
        self.notes = {"window_starts_after": int(border), "events_in_window": int(recent.sum())}
        return self


def encode(interactions: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn the ids of an interactions table into codes.

    Args:
        interactions: USER_ID and ITEM_ID as text.

    Returns:
        User codes in order of first appearance, item codes (both int64, one per row), and the item ids sorted as
        text, whose positions are the item codes: they depend on the ids alone, not on the order of rows.

    Raises:
        RecipeError: there are no rows.
    """
    if interactions.empty:
        raise RecipeError("There are 0 interactions to learn from; at least 1 is needed. Check the split or the flow.")
    users = pd.factorize(interactions[USER_ID])[0]
    items, item_ids = pd.factorize(interactions[ITEM_ID].to_numpy(dtype=object), sort=True)
    return users.astype(np.int64), items.astype(np.int64), np.asarray(item_ids, dtype=object)
