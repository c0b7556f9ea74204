"""Scores of items that nobody has met yet: those of the items most alike by attributes and text."""

from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import ITEM_ID
from workbench.recipes.arrays import pack, under, unpack
from workbench.recipes.neighbours import chosen_by
from workbench.recipes.related_content import Content, learn_weights, read_content

NEAREST = 10  # items with events that a new one takes its score from
PRODUCTS_AT_ONCE = 20_000_000  # pairs of a new item and one with events compared at a time
DISCOUNT = 0.5  # co-interaction that attributes foretell is the cosine


@dataclass
class ColdItems:
    """New items, and for each the items with events that it resembles.

    content: vectors of the items with events; None without an items table that tells items apart.
    new_ids: (c,) items without events.
    near: (c, n) shares of the NEAREST items with events, each row adding up to 1; an empty row resembles nothing.
    vectors: (c, …) of the new items, as those of `content`; None without it.
    """

    content: Content | None = None
    new_ids: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=object))
    near: sparse.csr_matrix | None = None
    vectors: sparse.csr_matrix | np.ndarray | None = None
    notes: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def learn(
        cls, items: pd.DataFrame | None, met: np.ndarray, users: np.ndarray, codes: np.ndarray, seed: int
    ) -> Self:
        """Learn what attributes say about items with events, then place those without.

        Args:
            items: the items table, or None.
            met: (n,) items with events.
            users, codes: of every event.
            seed: draws the pairs that the columns' weights are learned from.
        """
        content = read_content(items, met, seed)
        if content is None:
            left = 0 if items is None else int((~pd.Index(items[ITEM_ID].unique()).isin(met)).sum())
            return cls(notes={"new_items": 0, "new_items_nothing_tells_apart": left})
        by_item = sparse.csr_matrix(chosen_by(pd.DataFrame({"user": users, "item": codes}), len(met))[0].T)
        found = learn_weights(content, content.blocks(items, met), by_item, DISCOUNT, seed)
        content.place(items, met, seed)
        cold = cls(content, notes=found)
        cold.add(items, met)
        return cold

    def add(self, items: pd.DataFrame | None, met: np.ndarray) -> dict[str, int]:
        """Place the items of a table that have no events and are not placed yet.

        Returns:
            "new_items" placed, and "new_items_like_no_other", whose attributes nothing shares: they score lowest.
        """
        if items is None:
            return {"new_items": 0, "new_items_like_no_other": 0}
        ids = pd.Index(items[ITEM_ID].unique())
        ids = np.asarray(ids[~ids.isin(pd.Index(met)) & ~ids.isin(pd.Index(self.new_ids))], dtype=object)
        near = sparse.csr_matrix((len(ids), len(met)), dtype=np.float32)
        if self.content is not None and len(ids):
            vectors = self.content.vectors_of(items, ids)
            near = self._nearest(vectors, len(met))
            self.vectors = vectors if self.vectors is None else _below(self.vectors, vectors)
        alone = int((np.diff(near.indptr) == 0).sum())
        self.near = near if self.near is None else sparse.vstack([self.near, near], format="csr")
        self.new_ids = np.concatenate([self.new_ids, ids])
        counted = {"new_items": len(ids), "new_items_like_no_other": alone}
        self.notes |= counted
        return counted

    def fill(self, scores: np.ndarray) -> np.ndarray:
        """Put the scores of new items behind those of items with events: (rows, n) to (rows, n + c)."""
        if self.near is None or not len(self.new_ids):
            return scores
        new = np.asarray(self.near @ scores.T, dtype=np.float32).T
        alone = np.diff(self.near.indptr) == 0
        new[:, alone] = scores.min(axis=1, keepdims=True)
        return np.concatenate([scores, new], axis=1)

    def shared(self, place: int, scores: np.ndarray) -> dict[str, float]:
        """Split what a new item scores above the lowest item by the attributes it shares with the items most alike.

        The lowest score is what an item that shares nothing gets. Each resembling item hands on what it scores above
        that, in proportion to what the two have in common, so the parts add up to the difference.

        Args:
            place: of the new item among the new ones.
            scores: (n,) of the items with events, for one history.

        Returns:
            Feature such as "GENRES=Comedy", or the column of a number, to its part; one part named "attributes" in a
            catalogue whose vectors are shortened. Empty for an item that resembles nothing.
        """
        near = self.near[[place]]
        if not near.nnz:
            return {}
        own, others = self.vectors[[place]], near.indices
        whole = sum(self.content.split(own, others, np.ones(len(others))).values())
        above = scores[others].astype(np.float64) - float(scores.min())
        return self.content.split(own, others, above / whole)

    def state(self) -> dict[str, np.ndarray]:
        """Give the vectors and the resemblances."""
        if self.near is None:
            return {}
        arrays = {f"near/{name}": each for name, each in pack(self.near).items()}
        arrays["new_ids"] = np.array(self.new_ids, dtype=np.dtypes.StringDType())
        if self.content is not None:
            arrays |= {f"content/{name}": each for name, each in self.content.state().items()}
        if sparse.issparse(self.vectors):
            arrays |= {f"vectors/{name}": each for name, each in pack(self.vectors).items()}
        elif self.vectors is not None:
            arrays["dense"] = self.vectors
        return arrays

    @classmethod
    def restore(cls, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        if not state:
            return cls()
        content = under(state, "content/")
        ids = np.asarray(state["new_ids"], dtype=object)
        near = unpack(under(state, "near/"))
        vectors = state["dense"] if "dense" in state else unpack(under(state, "vectors/"))
        if vectors is None and near.nnz:
            raise LookupError("the vectors of new items are not there")
        return cls(Content.restore(content) if content else None, ids, near, vectors)

    def _nearest(self, vectors: sparse.csr_matrix | np.ndarray, n: int) -> sparse.csr_matrix:
        """Shares of the most alike items with events, in proportion to the co-interaction that is foreseen."""
        parts = []
        size = max(1, PRODUCTS_AT_ONCE // max(1, n))
        for start in range(0, vectors.shape[0], size):
            product = vectors[start : start + size] @ self.content.vectors.T
            alike = np.maximum(product.toarray() if sparse.issparse(product) else product, 0.0)
            k = min(NEAREST, n)
            columns = np.argpartition(-alike, k - 1, axis=1)[:, :k]
            columns.sort(axis=1)
            values = np.take_along_axis(alike, columns, axis=1)
            rows = np.repeat(np.arange(len(alike)), k)
            table = sparse.csr_matrix((values.ravel(), (rows, columns.ravel())), shape=alike.shape)
            table.eliminate_zeros()
            parts.append(table)
        table = sparse.vstack(parts, format="csr")
        sums = np.asarray(table.sum(axis=1)).ravel()
        shares = sparse.diags_array(1.0 / np.where(sums > 0, sums, 1.0)) @ table
        return sparse.csr_matrix(shares, dtype=np.float32)


def _below(
    table: sparse.csr_matrix | np.ndarray, more: sparse.csr_matrix | np.ndarray
) -> sparse.csr_matrix | np.ndarray:
    return sparse.vstack([table, more], format="csr") if sparse.issparse(table) else np.concatenate([table, more])
