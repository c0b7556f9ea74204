"""Semantic similarity: items related by what their texts mean, whether or not anybody ever chose them."""

from typing import Any, Self

import numpy as np
import pandas as pd

from workbench.columns import CREATION_TIMESTAMP, ITEM_ID, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData
from workbench.recipes.explaining import OF_ITEM, attribute_table
from workbench.recipes.features_columns import as_numbers
from workbench.recipes.neighbours import history_weights, past_items_from, popularity_filler
from workbench.recipes.semantic_models import text_model
from workbench.recipes.semantic_text import Columns, digests, find_columns, item_texts


class SemanticSimilarity(Recipe):
    """Relations from embedded texts, with an influence of popularity and of freshness.

    Each item's title and free text become a vector of length 1. For an item, or a history with the vector
    v = sum of its distinct items' vectors times history_decay per step back, scaled to length 1, another item j gets

        score = (s + popularity * P_j + freshness * F_j) / (1 + popularity + freshness),   s = (1 + v . v_j) / 2

    P_j is ln(1 + users of j) over the largest such value, and F_j the share of items that are not newer by
    CREATION_TIMESTAMP; so every part runs from 0 to 1. Items without text, and all items where nothing is known of
    the history, are ordered by popularity, from -1 to 0.

    Source of the two influences: Amazon Personalize, rankingInfluence POPULARITY and FRESHNESS of
    aws-semantic-similarity; the formula is ours, since the service does not publish one.
    """

    family = "semantic"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Embed the catalogue's texts; events count for popularity only and may be none.

        Raises:
            RecipeError: there is no items table, no title or text in it, or no CREATION_TIMESTAMP for freshness.
        """
        if data.items is None or data.items.empty:
            raise RecipeError(
                "semantic-similarity needs an items dataset with titles and texts; interactions say nothing about "
                "either. Add one, or use sims."
            )
        given = self.hyperparameters
        self.columns = find_columns(data.items, given["title_column"], given["text_columns"])
        if given["freshness"] > 0 and CREATION_TIMESTAMP not in data.items.columns:
            raise RecipeError(
                f"semantic-similarity: freshness={given['freshness']:g} needs the column {CREATION_TIMESTAMP} in the "
                "items dataset; add it, or set freshness to 0."
            )
        texts = item_texts(data.items, self.columns)
        self.item_ids = np.array(sorted({*data.interactions[ITEM_ID], *texts.index}), dtype=object)
        texts = texts.reindex(self.item_ids, fill_value="")
        self.users, self.created = _users(data.interactions, self.item_ids), self._created(data.items, self.item_ids)
        self.digests = digests(texts)
        different = texts[texts != ""].drop_duplicates()
        if different.empty:
            raise RecipeError(f"semantic-similarity: the columns {self._read()} of the items dataset are all empty.")
        self.model = text_model(given["model"]).fit(different.to_list(), seed)
        self._place(self._embedded(texts, different))
        self._note(texts, len(different))
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Compare histories with every item; what cannot be compared follows by popularity, below zero."""
        profile = self._weights(histories) @ self.vectors
        length = np.linalg.norm(profile, axis=1, keepdims=True)
        cosine = np.divide(profile, length, out=np.zeros_like(profile), where=length > 0) @ self.vectors.T
        likeness, bonus, whole = (1.0 + np.clip(cosine, -1.0, 1.0)) / 2.0, *self._influence()
        known = (length > 0) & self._has_text
        return np.where(known, (likeness + bonus) / whole, popularity_filler(self.users)).astype(np.float32)

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """List the history's items by their part in the likeness; popularity and freshness are nobody's part."""
        weights = self._weights(history)
        profile = weights @ self.vectors
        scale = 2.0 * max(float(np.linalg.norm(profile)), 1e-12) * self._influence()[1]
        codes = weights.indices
        parts = weights.data * (self.vectors[codes] @ self.vectors[item_code]) / scale
        return past_items_from(history, self.item_ids, codes, parts.astype(np.float32))

    def explain_attributes(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Part of the texts' likeness, under the columns that were read, and of freshness; exact.

        The rest of the score is popularity and half of the likeness's weight, which every item gets.
        """
        profile = (self._weights(history) @ self.vectors)[0]
        length, whole = float(np.linalg.norm(profile)), self._influence()[1]
        if length == 0 or not self._has_text[item_code]:
            return attribute_table([])
        cosine = float(np.clip(profile @ self.vectors[item_code] / length, -1.0, 1.0))
        parts = [(OF_ITEM, self._read(), cosine / 2.0 / whole)]
        if self.hyperparameters["freshness"] > 0:
            fresh = self.hyperparameters["freshness"] * float(_not_newer(self.created)[item_code])
            parts.append((OF_ITEM, CREATION_TIMESTAMP, fresh / whole))
        return attribute_table(parts)

    def update(self, data: TrainingData) -> dict[str, int]:
        """Take in new and changed items by their texts, and new events for popularity.

        Only texts that are new are embedded. New items come after the known ones in `item_ids`. A user counts once
        among the new events, but again if they chose the item before.

        Returns:
            "new_items", "changed_items" (known ones with another text), "texts_embedded", "new_events".
        """
        listed = pd.Series(dtype="object") if data.items is None else item_texts(data.items, self.columns)
        known = pd.Index(self.item_ids, dtype="object")
        new = sorted({*listed.index, *data.interactions[ITEM_ID]} - set(known))
        self.item_ids = np.concatenate([self.item_ids, np.array(new, dtype=object)])
        index = pd.Index(self.item_ids, dtype="object")
        grown = (0, len(new))
        vectors, self.digests = np.pad(self.vectors, (grown, (0, 0))), np.pad(self.digests, grown)
        self.users = np.pad(self.users, grown) + _users(data.interactions, self.item_ids)
        self.created = np.pad(self.created, grown, constant_values=np.nan)
        if data.items is not None:
            created = self._created(data.items, self.item_ids)
            self.created = np.where(np.isnan(created), self.created, created)
        at = index.get_indexer(listed.index)
        fresh = digests(listed)
        changed = fresh != self.digests[at]
        embedded = listed[changed].drop_duplicates()
        embedded = embedded[embedded != ""]
        vectors[at[changed]] = self._embedded(listed[changed], embedded)
        self._place(vectors)
        self.digests[at[changed]] = fresh[changed]
        return {
            "new_items": len(new),
            "changed_items": int((changed & (at < len(known))).sum()),
            "texts_embedded": len(embedded),
            "new_events": len(data.interactions),
        }

    def state(self) -> dict[str, np.ndarray]:
        """Give the vectors, what they were made from, popularity and times of creation, and the model."""
        arrays = {"vectors": self.vectors, "digests": self.digests, "users": self.users, "created": self.created}
        arrays |= {"title": np.array([self.columns.title]), "texts": np.array(self.columns.texts, dtype=str)}
        return arrays | {f"model.{name}": array for name, array in self.model.state().items()}

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave; the model itself is needed only for new texts."""
        self.item_ids = item_ids
        self._place(state["vectors"])
        self.digests = state["digests"]
        self.users, self.created = state["users"], state["created"]
        self.columns = Columns(str(state["title"][0]), tuple(state["texts"].tolist()))
        own = {name.removeprefix("model."): each for name, each in state.items() if name.startswith("model.")}
        self.model = text_model(self.hyperparameters["model"]).restore(own)
        return self

    def _weights(self, histories: Histories) -> Any:
        return history_weights(histories, len(self.item_ids), self.hyperparameters["history_decay"])

    def _place(self, vectors: np.ndarray) -> None:
        self.vectors = vectors
        self._has_text = np.abs(vectors).sum(axis=1) > 0

    def _influence(self) -> tuple[np.ndarray, float]:
        """What popularity and freshness add to every item, and the sum of all three weights."""
        popularity, freshness = self.hyperparameters["popularity"], self.hyperparameters["freshness"]
        users = np.log1p(self.users)
        bonus = popularity * users / max(float(users.max()), 1e-12)
        if freshness > 0:
            bonus = bonus + freshness * _not_newer(self.created)
        return bonus.astype(np.float32), 1.0 + popularity + freshness

    def _embedded(self, texts: pd.Series, different: pd.Series) -> np.ndarray:
        """Vectors of texts, each different one embedded once; zero for empty ones."""
        if different.empty:
            return np.zeros((len(texts), self.vectors.shape[1]), np.float32)
        vectors = self.model.embed(different.to_list())
        found = np.zeros((len(texts), vectors.shape[1]), np.float32)
        at = pd.Index(different, dtype="object").get_indexer(texts)
        found[at >= 0] = vectors[at[at >= 0]]
        return found

    def _created(self, items: pd.DataFrame, ids: np.ndarray) -> np.ndarray:
        """Epoch seconds of creation, NaN where unknown."""
        if CREATION_TIMESTAMP not in items.columns:
            return np.full(len(ids), np.nan)
        table = items[items[ITEM_ID].notna()].drop_duplicates(ITEM_ID, keep="last")
        times = pd.Series(as_numbers(table[CREATION_TIMESTAMP]), index=pd.Index(table[ITEM_ID], dtype="object"))
        return times.where(np.isfinite(times)).reindex(ids).to_numpy(dtype=np.float64)

    def _read(self) -> str:
        return ", ".join((self.columns.title, *self.columns.texts))

    def _note(self, texts: pd.Series, different: int) -> None:
        self.notes = {
            "columns_read": [self.columns.title, *self.columns.texts],
            "items_without_text": int((texts == "").sum()),
            "items_not_understood": int((~self._has_text & (texts != "").to_numpy()).sum()),
            "different_texts": different,
            "items_without_creation_time": int(np.isnan(self.created).sum()),
            "vector_length": int(self.vectors.shape[1]),
        }


def _users(interactions: pd.DataFrame, ids: np.ndarray) -> np.ndarray:
    """How many different users chose each item."""
    pairs = interactions[[USER_ID, ITEM_ID]].drop_duplicates()
    return np.bincount(pd.Index(ids, dtype="object").get_indexer(pairs[ITEM_ID]), minlength=len(ids)).astype(np.float32)


def _not_newer(created: np.ndarray) -> np.ndarray:
    """Share of the items with a time of creation that are not newer, 0 for items without one."""
    times = np.sort(created[~np.isnan(created)])
    share = np.searchsorted(times, created, side="right") / max(1, len(times))
    return np.where(np.isnan(created), 0.0, share)
