"""What attributes alone say about two items: the co-interaction that items alike in that way usually have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import ITEM_ID
from workbench.recipes.features import FeatureSpace, fit_features

BANDS = 10  # bands that the places of a number are cut into; items a band apart still resemble a little
MOST_PRODUCTS = 5e9  # multiplications of features with features, all pairs of items; above, vectors are shortened
SHORT = 128  # length of shortened vectors
SAMPLE_ITEMS, SAMPLE_PAIRS = 500, 30  # that the columns' weights are learned from
LEAST_ITEMS = 20  # with events, to learn from
LEAST_SHARE = 0.01  # of the whole weight that every column keeps, so that new items are ordered by all they have
LEAST_WEIGHT = 0.001  # of all columns together, for the same reason
PAIRS_AT_ONCE = 100_000


@dataclass
class Content:
    """Item vectors whose inner product is the co-interaction foreseen for two items from their attributes.

    Per column of the items table two items have a similarity from 0 to 1: the cosine of their values weighted by how
    rare they are, of their words by TF-IDF, or of the bands their numbers lie in. What is foreseen is the sum of
    these, each times the column's weight.

    space: the features. rarity: (space.width,) weight of each feature within its column.
    columns, weights: the columns and their weights.
    shorten: (features, SHORT) where there would be too many products, else None; then inner products are those of the
        leading directions (truncated singular value decomposition), an approximation.
    vectors: (n_items, …) sparse, or dense when shortened.
    """

    space: FeatureSpace
    rarity: np.ndarray
    weights: np.ndarray
    shorten: np.ndarray | None = None
    vectors: sparse.csr_matrix | np.ndarray = field(default_factory=lambda: sparse.csr_matrix((0, 0)))

    @property
    def columns(self) -> list[str]:
        """The columns of the items table that say something."""
        return [each.column for each in self.space.encoders]

    def blocks(self, items: pd.DataFrame | None, ids: np.ndarray) -> list[sparse.csr_matrix]:
        """Unit vectors of every column, in the order of `columns`; zero where an item has no value."""
        raw = self.space.transform(items, ids)
        found, start = [], 0
        for encoder in self.space.encoders:
            stop = start + len(encoder.names)
            part = raw[:, start:stop]
            if encoder.kind == "number":
                found.append(_bands(part[:, 0]))
            else:
                found.append(_unit(part @ sparse.diags(self.rarity[start:stop], format="csr")))
            start = stop
        return found

    def vectors_of(self, items: pd.DataFrame | None, ids: np.ndarray) -> sparse.csr_matrix | np.ndarray:
        """Weighted vectors of any items, shortened like the others."""
        weighted = [
            block * np.float32(np.sqrt(w)) for block, w in zip(self.blocks(items, ids), self.weights, strict=True)
        ]
        full = sparse.hstack(weighted, format="csr", dtype=np.float32)
        return full if self.shorten is None else np.asarray(full @ self.shorten, dtype=np.float32)

    def place(self, items: pd.DataFrame, ids: np.ndarray, seed: int) -> None:
        """Set `vectors` for all items, shortening them first where all pairs would be too much work."""
        self.shorten = None
        full = self.vectors_of(items, ids)
        uses = np.bincount(full.indices, minlength=full.shape[1]).astype(np.float64)
        if np.square(uses).sum() > MOST_PRODUCTS and full.shape[1] > SHORT:
            from sklearn.decomposition import TruncatedSVD

            self.shorten = TruncatedSVD(SHORT, random_state=seed).fit(full).components_.T.astype(np.float32)
            full = np.asarray(full @ self.shorten, dtype=np.float32)
        self.vectors = full

    def against_all(self, rows: np.ndarray) -> np.ndarray:
        """Foreseen co-interaction of some items with every item: (len(rows), n_items) float32, never below 0."""
        product = self.vectors[rows] @ self.vectors.T
        dense = product.toarray() if sparse.issparse(product) else product
        return np.maximum(dense, np.float32(0.0))

    def of_pairs(self, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
        """Foreseen co-interaction of pairs of items."""
        found = np.empty(len(rows), dtype=np.float32)
        for start in range(0, len(rows), PAIRS_AT_ONCE):
            part = slice(start, start + PAIRS_AT_ONCE)
            found[part] = row_products(self.vectors, rows[part], columns[part])
        return np.maximum(found, np.float32(0.0))

    def in_common(self, item: int, other: int) -> dict[str, float]:
        """What is foreseen for two items, split by what they have in common.

        Returns:
            Feature name such as "GENRES=Comedy", or a number's column, to its part; one part named "attributes" for
            shortened vectors, which no longer know features.
        """
        return self.split(self.vectors[[item]], np.array([other]), np.ones(1))

    def split(
        self, vector: sparse.csr_matrix | np.ndarray, others: np.ndarray, weights: np.ndarray
    ) -> dict[str, float]:
        """Split a weighted sum of what is foreseen for one item with several others.

        Args:
            vector: (1, …) of `vectors_of`.
            others: codes of items.
            weights: of the others.

        Returns:
            As `in_common`.
        """
        vectors = self.vectors[others]
        if self.shorten is not None:
            foreseen = np.maximum(vectors.astype(np.float64) @ vector[0], 0.0)
            return {"attributes": float(weights @ foreseen)}
        profile = sparse.csr_matrix(np.asarray(weights, dtype=np.float64)[None, :]) @ vectors
        both = sparse.csr_matrix(profile).multiply(vector).tocoo()
        named = [
            name
            for encoder in self.space.encoders
            for name in ([encoder.column] * BANDS if encoder.kind == "number" else encoder.names)
        ]
        parts: dict[str, float] = {}
        for column, value in zip(both.col, both.data, strict=True):
            parts[named[column]] = parts.get(named[column], 0.0) + float(value)
        return parts

    def state(self) -> dict[str, np.ndarray]:
        """Everything learned and the vectors, as arrays."""
        arrays = {f"space.{name}": array for name, array in self.space.state().items()}
        arrays |= {"rarity": self.rarity, "weights": self.weights}
        if self.shorten is not None:
            return arrays | {"shorten": self.shorten, "dense": self.vectors}
        parts = {"data": self.vectors.data, "indices": self.vectors.indices, "indptr": self.vectors.indptr}
        return arrays | parts | {"width": np.array([self.vectors.shape[1]])}

    @classmethod
    def restore(cls, state: Mapping[str, np.ndarray]) -> "Content":
        """Take back what `state` gave."""
        space = FeatureSpace.restore(
            {name.removeprefix("space."): array for name, array in state.items() if name.startswith("space.")}
        )
        content = cls(space, state["rarity"], state["weights"], state.get("shorten"))
        if "dense" in state:
            content.vectors = state["dense"]
        else:
            parts = (state["data"], state["indices"], state["indptr"])
            content.vectors = sparse.csr_matrix(parts, shape=(len(parts[2]) - 1, int(state["width"][0])))
        return content


def read_content(items: pd.DataFrame | None, ids: np.ndarray, seed: int) -> Content | None:
    """Read the attributes of the catalogue; None without a table, or with no column that tells items apart."""
    if items is None or items.empty:
        return None
    space = fit_features(items, ITEM_ID, seed=seed)
    if space.width == 0:
        return None
    used = np.diff(space.transform(items, ids).tocsc().indptr)
    rarity = np.log((1.0 + len(ids)) / (1.0 + used)).astype(np.float32) + np.float32(0.1)
    rarity[space.kinds == "text"] = 1.0  # words carry their rarity already
    return Content(space, rarity, np.full(len(space.encoders), 1.0 / len(space.encoders)))


def learn_weights(
    content: Content, blocks: list[sparse.csr_matrix], by_item: sparse.csr_matrix, discount: float, seed: int
) -> dict[str, Any]:
    """Learn how much co-interaction a similarity in each column foretells, and set the weights.

    Pairs of items with events are drawn, half at random and half alike in all columns together, so by attributes
    only. The weights are the non-negative least squares of co-interaction on similarities, with a constant that is
    then left out: what any two items share is no relation.

    Args:
        content: its weights are set.
        blocks: `content.blocks` of all items.
        by_item: (n_items, n_users) of ones.
        discount: popularity_discount_factor.
        seed: draws the pairs.

    Returns:
        For the notes: the weights, and the pairs they were learned from (0: too few items with events).
    """
    from scipy.optimize import nnls

    rng = np.random.default_rng(seed)
    chosen = np.diff(by_item.indptr)
    warm = np.flatnonzero(chosen >= 5)
    if len(warm) >= LEAST_ITEMS:
        rows, columns = _drawn_pairs(blocks, warm, rng)
        shared = row_products(by_item, rows, columns)
        together = shared / (chosen[rows] ** (1.0 - discount) * chosen[columns] ** discount)
        alike = np.column_stack([row_products(block, rows, columns) for block in blocks] + [np.ones(len(rows))])
        found = nnls(alike.astype(np.float64), together.astype(np.float64))[0][:-1]
    else:
        rows, found = np.empty(0), np.full(len(blocks), 0.1 / len(blocks))
    least = max(LEAST_WEIGHT / len(blocks), LEAST_SHARE * found.sum())
    content.weights = np.maximum(found, least)
    weights = {name: round(float(each), 5) for name, each in zip(content.columns, content.weights, strict=True)}
    return {"column_weights": weights, "column_weights_from_pairs": len(rows)}


def row_products(table: sparse.csr_matrix | np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Inner products of pairs of rows."""
    if sparse.issparse(table):
        return np.asarray(table[rows].multiply(table[columns]).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", table[rows], table[columns])


def _drawn_pairs(blocks: list[sparse.csr_matrix], warm: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    asked = rng.choice(warm, min(SAMPLE_ITEMS, len(warm)), replace=False)
    each = min(SAMPLE_PAIRS, len(warm) - 1)
    pool = np.sort(rng.choice(warm, min(20_000, len(warm)), replace=False))
    alike = sum((block[asked] @ block[pool].T).toarray() for block in blocks)
    nearest = pool[np.argsort(-alike, axis=1, kind="stable")[:, : each + 1]]
    random = rng.choice(warm, (len(asked), each))
    rows = np.repeat(asked, nearest.shape[1] + each)
    columns = np.concatenate([nearest, random], axis=1).ravel()
    return rows[rows != columns], columns[rows != columns]


def _bands(places: sparse.csr_matrix) -> sparse.csr_matrix:
    """Places from -1 to 1 as unit vectors over bands, each between its two nearest bands."""
    rows = np.repeat(np.arange(places.shape[0]), np.diff(places.indptr))
    at = (places.data.astype(np.float64) + 1.0) / 2.0 * (BANDS - 1)
    lower = np.minimum(at.astype(np.int64), BANDS - 2)
    upper = np.clip(at - lower, 0.0, 1.0)
    values = np.concatenate([np.sqrt(1.0 - upper), np.sqrt(upper)]).astype(np.float32)
    cells = (values, (np.concatenate([rows, rows]), np.concatenate([lower, lower + 1])))
    return sparse.csr_matrix(cells, shape=(places.shape[0], BANDS))


def _unit(table: sparse.csr_matrix) -> sparse.csr_matrix:
    length = np.sqrt(np.asarray(table.multiply(table).sum(axis=1)).ravel())
    scale = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return sparse.csr_matrix(sparse.diags(scale.astype(np.float32)) @ table, dtype=np.float32)
