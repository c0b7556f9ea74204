"""What a recipe must do: fit on tables, score any history, say why, and travel through files without pickle.

A recipe knows items by their code, the position in `item_ids`. Whoever calls it turns ids into codes once, with
`encode_histories`, so scoring a hundred thousand users costs no string work.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError, UnfittedError
from workbench.recipes.contract_checks import check_context, check_table


@dataclass(frozen=True)
class TrainingData:
    """The tables a recipe may learn from.

    interactions: USER_ID and ITEM_ID as text, TIMESTAMP in epoch seconds; any further column of the dataset kind.
        Row order is the order of events among equal timestamps.
    items, users: one row per id, or None when the dataset group has none.
    """

    interactions: pd.DataFrame
    items: pd.DataFrame | None = None
    users: pd.DataFrame | None = None

    def __post_init__(self) -> None:
        """Refuse rows without an id or a time, and ids or times of the wrong type; says in which rows they are."""
        check_table("interactions", self.interactions, (USER_ID, ITEM_ID), TIMESTAMP)
        if self.items is not None:
            check_table("items", self.items, (ITEM_ID,))
        if self.users is not None:
            check_table("users", self.users, (USER_ID,))


@dataclass(frozen=True)
class Histories:
    """Ragged histories: row `r` holds `items[offsets[r]:offsets[r + 1]]`, oldest first.

    user_ids: (n_rows,) text; a recipe with user vectors looks its users up here.
    offsets: (n_rows + 1,) int64.
    items: (n_events,) int32 item codes; events of items the recipe has never seen are left out.
    times: (n_events,) int64 epoch seconds.
    columns: further per-event columns of the interactions, each of length n_events (EVENT_TYPE, EVENT_VALUE …).
    unknown: how many events were left out because their item is unknown.
    context: what comes with the request itself, each of length n_rows (DEVICE …); empty when nothing is known.
    """

    user_ids: np.ndarray
    offsets: np.ndarray
    items: np.ndarray
    times: np.ndarray
    columns: dict[str, np.ndarray] = field(default_factory=dict)
    unknown: int = 0
    context: dict[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a context that is not one value a history."""
        if self.context:
            check_context(self.context, len(self.user_ids))

    def __len__(self) -> int:
        return len(self.user_ids)

    def rows(self, start: int, stop: int) -> "Histories":
        """Cut out the histories `start` to `stop` (exclusive) without copying events."""
        first, last = self.offsets[start], self.offsets[stop]
        return Histories(
            user_ids=self.user_ids[start:stop],
            offsets=self.offsets[start : stop + 1] - first,
            items=self.items[first:last],
            times=self.times[first:last],
            columns={name: values[first:last] for name, values in self.columns.items()},
            context={name: values[start:stop] for name, values in self.context.items()},
        )


def encode_histories(events: pd.DataFrame, item_ids: np.ndarray, users: Sequence[str] | None = None) -> Histories:
    """Turn an event table into ragged histories of item codes.

    Args:
        events: USER_ID, ITEM_ID, TIMESTAMP (epoch seconds) and any further columns; sorted here by time, ties in
            table order.
        item_ids: (n_items,) text; an item's position is its code.
        users: which users to return, in this order; a user without events gets an empty history.
            None: every user of `events`, in order of first appearance.

    Returns:
        One row per user.
    """
    order = np.argsort(events[TIMESTAMP].to_numpy(), kind="stable")
    user_index = pd.Index(events[USER_ID].unique() if users is None else users)
    user_codes = user_index.get_indexer(events[USER_ID])[order]
    item_codes = pd.Index(item_ids).get_indexer(events[ITEM_ID])[order]
    wanted = user_codes >= 0
    kept = wanted & (item_codes >= 0)
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(user_codes[rows], kind="stable")]
    counts = np.bincount(user_codes[rows], minlength=len(user_index))
    source_rows = order[rows]
    extra = [name for name in events.columns if name not in (USER_ID, ITEM_ID, TIMESTAMP)]
    return Histories(
        user_ids=np.asarray(user_index, dtype=object),
        offsets=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        items=item_codes[rows].astype(np.int32),
        times=events[TIMESTAMP].to_numpy(dtype=np.int64)[source_rows],
        columns={name: events[name].to_numpy()[source_rows] for name in extra},
        unknown=int((wanted & (item_codes < 0)).sum()),
    )


class Recipe(ABC):
    """One fitted or unfitted recommendation recipe.

    Subclasses take their hyperparameters as keyword arguments and keep them, complete with defaults, in
    `hyperparameters`; the catalogue has already checked names, types and ranges.
    """

    family: ClassVar[str]
    name: str = ""  # the catalogue's name, set by catalog.build; storage needs it to find the recipe again
    hyperparameters: dict[str, Any]
    item_ids: np.ndarray  # (n_items,) text, set by fit; position = item code
    notes: dict[str, Any]  # what fit counted, capped or fell back to; goes into results
    checkpoints: Path | None = None  # folder where a long fit leaves its state, to go on from there; None leaves none
    item_factors: np.ndarray  # (n_items, width) float32; set only where every score is a product with `factors`
    watch: Callable[[int, float], None] | None = None  # told (step, validation value); may raise

    def __getattr__(self, name: str) -> Any:
        """Say of anything that only a fit gives that there was none; Python asks here for what is nowhere else."""
        if "item_ids" not in vars(self):
            raise UnfittedError(f"{self.name or type(self).__name__} is not fitted; call fit(data).")
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @abstractmethod
    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Learn from the tables; the same seed gives the same scores. Returns itself."""

    def update(self, data: TrainingData) -> dict[str, int]:
        """Take in new events and new items without another fit, where the model allows it.

        Args:
            data: only what is new. Items that were unknown may come with attributes alone, without any event.

        Returns:
            What was taken in: "new_items", "new_events", and what the model left aside.

        Raises:
            RecipeError: this model has to be fitted again.
        """
        raise RecipeError(
            f"{self.name or type(self).__name__} cannot take in new events or items; train it again on all data. "
            "New events of a user count at once when they are part of the history that is scored."
        )

    @abstractmethod
    def score(self, histories: Histories) -> np.ndarray:
        """Score every item for every history.

        Returns:
            (len(histories), n_items) float32, larger is better. An empty or unknown history gets the recipe's own
            fallback (popularity), never NaN.
        """

    def factors(self, histories: Histories) -> np.ndarray:
        """Give the vector whose products with `item_factors` are the scores, so that lists need no table of scores.

        Returns:
            (len(histories), width) float32.

        Raises:
            RecipeError: this recipe has no item factors.
        """
        raise RecipeError(f"{self.name or type(self).__name__} has no item factors; ask for its scores.")

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """Everything learned, as arrays (no object dtype): what `storage` writes."""

    @abstractmethod
    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave; scores are identical afterwards. Returns itself."""

    def similar(self, item_codes: np.ndarray) -> np.ndarray:
        """Score every item as related to each given item.

        Returns:
            (len(item_codes), n_items) float32. The default scores a history of just that item.
        """
        codes = np.asarray(item_codes, dtype=np.int32)
        return self.score(
            Histories(
                user_ids=np.full(len(codes), "", dtype=object),
                offsets=np.arange(len(codes) + 1, dtype=np.int64),
                items=codes,
                times=np.zeros(len(codes), dtype=np.int64),
            )
        )

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Say which past items moved the score of one item for one history.

        Args:
            history: exactly one row.
            item_code: the recommended item.

        Returns:
            ITEM_ID, POSITION (1 = newest event), CONTRIBUTION (score units), largest first; empty when the recipe
            ranks everybody alike.
        """
        return pd.DataFrame({ITEM_ID: [], "POSITION": [], "CONTRIBUTION": []})

    def explain_attributes(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Say which attributes of the item, of the user and of the request moved the score of one item.

        Args:
            history: exactly one row.
            item_code: the recommended item.

        Returns:
            KIND ("item", "user" or "context"), ATTRIBUTE (such as "GENRES=Comedy", "PRICE", "DESCRIPTION~wizard"),
            CONTRIBUTION (score units), largest first; empty when no attribute took part. What past items add is told
            by `explain`.
        """
        names = pd.Series(dtype="str")
        return pd.DataFrame({"KIND": names, "ATTRIBUTE": names, "CONTRIBUTION": np.empty(0)})

    def context_values(self) -> dict[str, list[str]]:
        """Columns of the interactions whose value at a request moves the scores, and the values known, as text."""
        return {}

    def reason(self, item_code: int) -> str:
        """Say in a few words why everybody is recommended this item; "" where it depends on the history."""
        return ""
