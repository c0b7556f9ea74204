"""graph-filter: unordered choices, smoothed over the graph of users and items by a filter of its spectrum."""

from concurrent.futures import ThreadPoolExecutor
from os import cpu_count
from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import ITEM_ID
from workbench.recipes.contract import Histories, Recipe, TrainingData
from workbench.recipes.graph_filter_choice import Setting, choose
from workbench.recipes.graph_spectrum import THREADS, Graph, build_graph, filtered, side_by_side
from workbench.recipes.popularity import encode

DEFAULTS = {
    "shape": None,
    "spectral_ridge": None,
    "plateau": None,
    "low_pass": None,
    "item_exponent": None,
    "user_exponent": None,
    "rank": 512,
    "order": 8,
}


class GraphFilter(Recipe):
    """Linear item-to-item model from the spectrum of the graph of choices; order and repeats do not count.

    A history x of zeros and ones gets the scores

        D^b [F(P) + low_pass * V V'] D^-b x

    with the items' degrees D, b = item_exponent, P as in `graph_spectrum`, F a ridge or a plateau over its
    eigenvalues, and V its leading `rank` eigenvectors. Where one side of the table is small the whole spectrum is
    known, F(P) is exact, and V is all of it. Otherwise F is a Chebyshev series of `order` products with the sparse
    table, and nothing of the size items x items is ever held. A history without any known item gets popularity.

    Settings of None are chosen by events that are hidden for the purpose; see `graph_filter_choice`. Nothing belongs
    to a user, so a new user's history scores at once.

    Sources: Shen and others, How Powerful is Graph Convolution for Recommendation, 2021 (linear plus ideal low-pass
    filter); Kim, Sung, Han and Lee, Graph Spectral Filtering with Chebyshev Interpolation for Recommendation, 2025
    (series, plateau, exponent); the ridge over the normalised spectrum is ours.
    """

    family = "graph"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = DEFAULTS | hyperparameters
        self.notes: dict[str, Any] = {}

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Choose what is left open, then normalise the whole table and work out its spectrum."""
        users, items, self.item_ids = encode(data.interactions)
        pairs = sparse.csr_matrix(
            (np.ones(len(items), dtype=np.float32), (users, items)), shape=(users.max() + 1, len(self.item_ids))
        )
        pairs.sum_duplicates()
        pairs.data[:] = 1.0
        choice = choose(pairs, self.hyperparameters, seed)
        rank = self.hyperparameters["rank"] if choice.setting.low_pass else 1
        start = None if choice.start is None else choice.start[:, :rank]
        self.graph = build_graph(pairs, choice.setting.user_exponent, rank, seed, start)
        counts = np.bincount(pairs.indices, minlength=len(self.item_ids))
        self._set_filter(choice.setting, (counts / counts.sum()).astype(np.float32))
        self.notes = {
            "repeats_counted_once": len(items) - pairs.nnz,
            "whole_spectrum": self.graph.exact,
            "eigenvectors": len(self.gains),
            "chosen_by_users": choice.users,
            **choice.setting.as_row(),
            "tried": choice.tried,
        }
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Filter every history, a few side by side on every core."""
        lengths = np.diff(histories.offsets)
        rows = np.repeat(np.arange(len(histories)), lengths)
        size = side_by_side(len(self.item_ids))
        scores = np.empty((len(histories), len(self.item_ids)), dtype=np.float32)

        def fill(start: int) -> None:
            part = slice(histories.offsets[start], histories.offsets[min(start + size, len(histories))])
            columns = np.zeros((len(self.item_ids), min(size, len(histories) - start)), dtype=np.float32)
            columns[histories.items[part], rows[part] - start] = 1.0
            scores[start : start + size] = self._filtered(columns).T

        with ThreadPoolExecutor(max_workers=min(THREADS, cpu_count() or 1)) as pool:
            list(pool.map(fill, range(0, len(histories), size)))
        scores[lengths == 0] = self.popularity
        return scores

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Split the item's score into the parts of the history's distinct items; the parts add up to the score.

        An item counts once, at its newest position.
        """
        codes, first = np.unique(history.items[::-1], return_index=True)
        column = np.zeros((len(self.item_ids), 1), dtype=np.float32)
        column[item_code] = self.scale[item_code] ** 2  # the filter is symmetric, so its row is its column
        parts = self._filtered(column)[codes, 0] / self.scale[codes] ** 2
        frame = pd.DataFrame({ITEM_ID: self.item_ids[codes], "POSITION": first + 1, "CONTRIBUTION": parts})
        return frame.sort_values(["CONTRIBUTION", "POSITION"], ascending=[False, True], ignore_index=True)

    def state(self) -> dict[str, np.ndarray]:
        """Give the normalised table where the filter needs it, the eigenvectors, and the filter."""
        table = self.graph.table if len(self.weights) else self.graph.table[:0]
        return {
            "table_data": table.data,
            "table_indices": table.indices,
            "table_indptr": table.indptr,
            "vectors": np.ascontiguousarray(self.graph.vectors[:, : len(self.gains)]),
            "degrees": self.graph.degrees,
            "scale": self.scale,
            "weights": self.weights,
            "gains": self.gains,
            "popularity": self.popularity,
        }

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.popularity = item_ids, state["popularity"]
        self.scale, self.weights, self.gains = state["scale"], state["weights"], state["gains"]
        parts = (state["table_data"], state["table_indices"], state["table_indptr"])
        table = sparse.csr_matrix(parts, shape=(len(parts[2]) - 1, len(item_ids)))
        exact = not len(self.weights)
        self.graph = Graph(table, table.T.tocsr(), state["degrees"], state["vectors"], self.gains, exact)
        return self

    def _set_filter(self, setting: Setting, popularity: np.ndarray) -> None:
        self.weights, self.gains = setting.parts(self.graph, self.hyperparameters["order"])
        self.scale = self.graph.degrees ** np.float32(setting.item_exponent)
        self.popularity = popularity

    def _filtered(self, columns: np.ndarray) -> np.ndarray:
        """Filter columns (n_items, n) with the items' scale taken off before and put on after."""
        return filtered(self.graph, columns / self.scale[:, None], self.weights, self.gains) * self.scale[:, None]
