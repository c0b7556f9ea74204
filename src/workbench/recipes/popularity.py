"""The most popular items of all time: the same list for everyone, and the baseline that others have to beat."""

from typing import Any, Self

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData


class SameForAll(Recipe):
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


class PopularityCount(SameForAll):
    """Rank items by how many different users chose them.

    Who chose what is kept, as one number an item and user, so that new events can be added without a fit.
    Source: Amazon Personalize developer guide, Popularity-Count recipe.
    """

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Count the unique users of every item; repeats by one user count once."""
        users, items, self.item_ids = encode(data.interactions)
        self.user_ids = np.asarray(data.interactions[USER_ID].unique(), dtype=object)
        self._count(users, items, len(users))
        return self

    def update(self, data: TrainingData) -> dict[str, int]:
        """Add new events: the same scores as a fit on all events. Item codes may change with new items."""
        if data.interactions.empty:
            return left_aside(data, self.item_ids, 0)
        users, items, new_ids = encode(data.interactions)
        known = len(self.item_ids)
        item_ids, mine, theirs = union(self.item_ids, new_ids)
        theirs_by_name = np.asarray(data.interactions[USER_ID].unique(), dtype=object)
        everybody = pd.Index(self.user_ids).append(pd.Index(theirs_by_name)).unique()
        rows = everybody.get_indexer(theirs_by_name)
        old = np.divmod(self.pairs, known)
        events = len(self.pairs) + self.notes["repeats_counted_once"] + len(users)
        self.item_ids, self.user_ids = item_ids, np.asarray(everybody, dtype=object)
        self._count(np.concatenate([old[0], rows[users]]), np.concatenate([mine[old[1]], theirs[items]]), events)
        return left_aside(data, self.item_ids, len(item_ids) - known)

    def state(self) -> dict[str, np.ndarray]:
        """Give who chose what: the users, and the pairs as user code times number of items plus item code."""
        return {"users": np.array(self.user_ids, dtype=np.dtypes.StringDType()), "pairs": self.pairs}

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.pairs = item_ids, state["pairs"]
        self.user_ids = np.asarray(state["users"], dtype=object)
        self.scores = self._users_of_items()
        return self

    def _count(self, users: np.ndarray, items: np.ndarray, events: int) -> None:
        self.pairs = np.unique(users * np.int64(len(self.item_ids)) + items)
        self.scores = self._users_of_items()
        self.notes = {"repeats_counted_once": events - len(self.pairs)}

    def _users_of_items(self) -> np.ndarray:
        return np.bincount(self.pairs % len(self.item_ids), minlength=len(self.item_ids)).astype(np.float32)


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


def union(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Join two sorted arrays of ids.

    Returns:
        The ids of either, sorted as text; where each of the first, and each of the second, stands among them.
    """
    joined = pd.Index(first).append(pd.Index(second)).unique().sort_values()
    return np.asarray(joined, dtype=object), joined.get_indexer(first), joined.get_indexer(second)


def left_aside(data: TrainingData, item_ids: np.ndarray, new_items: int) -> dict[str, int]:
    """Say what an update took in, and how many items of its items table have no event and so no rank."""
    listed = [] if data.items is None else data.items[ITEM_ID].unique()
    idle = int((~pd.Index(listed).isin(item_ids)).sum()) if len(listed) else 0
    return {"new_items": new_items, "new_events": len(data.interactions), "items_without_events_left_aside": idle}
