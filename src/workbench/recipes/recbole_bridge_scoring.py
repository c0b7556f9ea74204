"""Scores for any history out of a fitted RecBole model, also for people it never saw.

Each class is one way a model can serve somebody new. All of them keep what they need as plain arrays.
"""

from collections.abc import Callable
from typing import Any, ClassVar, Protocol, Self

import numpy as np
import scipy.sparse as sp

from workbench.recipes.contract import Histories
from workbench.recipes.recbole_bridge_rows import Rows

BLOCK = 512  # histories scored at once, fewer where there are many items
CELLS = 8_000_000  # scores held at once
NEW_USERS = {
    "item-similarity": "scored by their history, like everybody",
    "factors": "given a vector foretold from their items' vectors",
    "sequences": "scored by their history, like everybody",
    "autoencoder": "scored by their history, like everybody",
    "users": "given the scores of the known users who share most items with them",
    "attributes": "given the scores of the known users who share most items with them; without any event, scored by "
    "their attributes from the users table",
}


class Scorer(Protocol):
    """Scores histories whose users may be known (code >= 0) or new (-1)."""

    kind: ClassVar[str]

    def score(self, histories: Histories, users: np.ndarray) -> np.ndarray:
        """Give (len(histories), n_items) float32."""

    def state(self) -> dict[str, np.ndarray]:
        """Give what `from_state` needs."""


def history_matrix(histories: Histories, n_items: int) -> sp.csr_matrix:
    """Count each history's items: (len(histories), n_items) float32. The histories stay as they are."""
    ones = np.ones(len(histories.items), dtype=np.float32)
    parts = (ones, histories.items, histories.offsets)
    matrix = sp.csr_matrix(parts, shape=(len(histories), n_items), copy=True)  # summing up sorts in place
    matrix.sum_duplicates()
    return matrix


def known_users(rows: Rows) -> sp.csr_matrix:
    """Count what every user of the training rows had: (n_users, n_items)."""
    sizes = np.bincount(rows.users, minlength=rows.n_users)
    ends = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    everybody = Histories(np.arange(rows.n_users), ends, rows.items.astype(np.int32), np.zeros_like(rows.items))
    return history_matrix(everybody, rows.n_items)


class ItemSimilarity:
    """Item-to-item weights: the scores of a history are its items' rows added up, so new users need nothing special."""

    kind: ClassVar[str] = "item-similarity"

    def __init__(self, weights: np.ndarray | sp.csr_matrix, offset: np.ndarray):
        self.weights, self.offset = weights, offset

    def score(self, histories: Histories, users: np.ndarray) -> np.ndarray:
        """Multiply the whole history with the weights; who the user is does not matter."""
        product = history_matrix(histories, len(self.offset)) @ self.weights
        dense = product.toarray() if sp.issparse(product) else np.asarray(product)
        return (dense + self.offset).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """Give the weights, dense or as the three arrays of a sparse matrix."""
        if sp.issparse(self.weights):
            parts = {name: np.ascontiguousarray(getattr(self.weights, name)) for name in ("data", "indices", "indptr")}
            return {f"weights_{name}": value for name, value in parts.items()} | {"offset": self.offset}
        return {"weights": np.ascontiguousarray(self.weights), "offset": self.offset}

    @classmethod
    def from_state(cls, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        size = len(state["offset"])
        if "weights" in state:
            return cls(state["weights"], state["offset"])
        parts = tuple(state[f"weights_{name}"] for name in ("data", "indices", "indptr"))
        return cls(sp.csr_matrix(parts, shape=(size, size)), state["offset"])


class Factors:
    """A vector per user and item; a new user's vector is foretold from the mean of the history's item vectors."""

    kind: ClassVar[str] = "factors"

    def __init__(self, users: np.ndarray, items: np.ndarray, fold_in: np.ndarray):
        self.users, self.items, self.fold_in = users, items, fold_in

    @classmethod
    def learn(cls, users: np.ndarray, items: np.ndarray, histories: Histories) -> tuple[Self, float]:
        """Learn the way from a history to a user vector on the users that the model knows.

        Args:
            users: (n_users, width); row r belongs to history r.
            items: (n_items, width).
            histories: what the known users had.

        Returns:
            The scorer, and the share of the user vectors' variance that their histories explain (R²).
        """
        features = _mean_vectors(histories, items)
        gram = features.T @ features
        ridge = 1e-2 * np.trace(gram) / len(gram) + 1e-12
        weights = np.linalg.solve(gram + ridge * np.eye(len(gram)), features.T @ users.astype(np.float64))
        left = ((users - features @ weights) ** 2).sum()
        spread = ((users - users.mean(axis=0)) ** 2).sum()
        return cls(users, items, weights.astype(np.float32)), float(1 - left / spread) if spread else 0.0

    def score(self, histories: Histories, users: np.ndarray) -> np.ndarray:
        """Take the known users' vectors and foretell the others'."""
        vectors = (_mean_vectors(histories, self.items) @ self.fold_in).astype(np.float32)
        known = users >= 0
        vectors[known] = self.users[users[known]]
        return vectors @ self.items.T

    def state(self) -> dict[str, np.ndarray]:
        """Give the vectors and the fold-in weights."""
        return {"users": self.users, "items": self.items, "fold_in": self.fold_in}

    @classmethod
    def from_state(cls, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        return cls(state["users"], state["items"], state["fold_in"])


def _mean_vectors(histories: Histories, items: np.ndarray) -> np.ndarray:
    """Average the item vectors of each history and put a constant behind: (rows, width + 1) float64."""
    matrix = history_matrix(histories, len(items))
    sizes = np.maximum(np.diff(histories.offsets), 1)[:, None]
    means = np.asarray(matrix @ items.astype(np.float64)) / sizes
    return np.hstack([means, np.ones((len(means), 1))])


class Network:
    """A live RecBole model.

    call: runs it on a block of histories. arrays: what it is rebuilt from. width: numbers it holds per history at
    least, which decides how many histories make a block.
    """

    kind: ClassVar[str] = "network"

    def __init__(self, call: Callable[[Histories, np.ndarray], np.ndarray], arrays: dict[str, np.ndarray], width: int):
        self.call, self.arrays = call, arrays
        self.block = max(1, min(BLOCK, CELLS // width))

    def score(self, histories: Histories, users: np.ndarray) -> np.ndarray:
        """Score block by block; a block holds the same histories whatever else is asked for."""
        size = self.block
        blocks = [
            self.call(histories.rows(start, min(start + size, len(histories))), users[start : start + size])
            for start in range(0, len(histories), size)
        ]
        return np.vstack(blocks).astype(np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """Give the weights and the rows the model is rebuilt from."""
        return self.arrays


def nearest_users(histories: Histories, known: sp.csr_matrix, most: int = 20) -> sp.csr_matrix:
    """Weigh the known users that share most with each history, by the cosine of their item sets.

    Args:
        histories: new users' histories.
        known: (n_users, n_items) counts of the users the model knows.
        most: how many of them at most.

    Returns:
        (len(histories), n_users); rows add up to 1, or are empty where nothing is shared.
    """
    mine, theirs = history_matrix(histories, known.shape[1]), known.copy()
    mine.data[:], theirs.data[:] = 1.0, 1.0
    lengths = np.sqrt(np.maximum(np.asarray(theirs.sum(axis=1)).ravel(), 1.0))
    cosine = np.asarray((mine @ theirs.T).todense()) / lengths
    if cosine.shape[1] > most:
        cut = np.partition(cosine, -most, axis=1)[:, [-most]]
        cosine = np.where(cosine >= cut, cosine, 0.0)
    total = cosine.sum(axis=1, keepdims=True)
    return sp.csr_matrix(np.divide(cosine, total, out=np.zeros_like(cosine), where=total > 0))


def dense(value: Any) -> np.ndarray:
    """Turn a matrix, sparse or not, into a float32 array."""
    return np.asarray(value.todense() if sp.issparse(value) else value, dtype=np.float32)
