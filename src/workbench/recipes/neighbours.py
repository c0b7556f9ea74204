"""SIMS: items related by the users they share, and nothing else."""

from typing import Any, Self

import numpy as np
import pandas as pd
from scipy import sparse
from tqdm.auto import tqdm

from workbench.columns import ITEM_ID, TIMESTAMP
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData
from workbench.recipes.popularity import encode

MOST_PAIRS = 2_000_000_000  # pairs of items within histories, all users together: about half a minute of products
BLOCK_ENTRIES = 50_000_000  # entries of one block of the co-occurrence table before rare pairs are dropped


class Sims(Recipe):
    """Item-to-item similarity from co-interactions.

    Two items i and j that `c` users both chose, of `n` users in all, with `n_i` and `n_j` users each, get

        similarity(i -> j) = n_j ** (1 - d) * (c * n / (n_i * n_j)) ** d,   d = popularity_discount_factor

    when `c` reaches min_cointeraction_count, else none. So d = 0 orders the neighbours of an item by popularity
    alone, and d = 1 by lift alone: how many times more often the two meet than by chance.

    A history's score is the sum over its distinct items. Items without any relation follow, by popularity, with
    scores from -1 to 0; so an unknown user or item gets popular items.

    Source of the hyperparameters and their meaning: Amazon Personalize developer guide, SIMS recipe; the formula
    between its two described ends is ours, since the service does not publish one.
    """

    family = "neighbours"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}
        for kind in ("user_history_length", "item_interaction_count"):
            low, high = (hyperparameters[f"{end}_{kind}_percentile"] for end in ("min", "max"))
            if low > high:
                raise RecipeError(f"sims: min_{kind}_percentile={low} is above max_{kind}_percentile={high}.")

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Count co-interactions among the users and items inside the percentile borders.

        Notes say how many users and items fell outside, and how many events were too many to pair.
        """
        users, items, self.item_ids = encode(data.interactions)
        order = np.argsort(data.interactions[TIMESTAMP].to_numpy(dtype=np.int64), kind="stable")
        users, items = users[order], items[order]
        self.popularity = _distinct_users(users, items, len(self.item_ids))
        chooses = self._inside_borders(users, items)
        together = cointeractions(chooses, self.hyperparameters["min_cointeraction_count"], progress)
        self.similarity = self._similarity(together, np.diff(chooses.tocsc().indptr), chooses.shape[0])
        self.notes["related_pairs"] = int(self.similarity.nnz)
        self.notes["items_without_relation"] = int((np.diff(self.similarity.indptr) == 0).sum())
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Add up the similarities of a history's distinct items; the rest follows by popularity, below zero."""
        scores = (history_weights(histories, len(self.item_ids)) @ self.similarity).toarray()
        return np.where(scores > 0, scores, popularity_filler(self.popularity))

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """List the history's items that are related to the item; an item counts once, at its newest position."""
        weights = history_weights(history, len(self.item_ids))
        return past_items(history, self.item_ids, weights, self.similarity, item_code)

    def state(self) -> dict[str, np.ndarray]:
        """Give the similarity table in compressed rows, and the popularity."""
        return {
            "data": self.similarity.data,
            "indices": self.similarity.indices,
            "indptr": self.similarity.indptr,
            "popularity": self.popularity,
        }

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.popularity = item_ids, state["popularity"]
        parts = (state["data"], state["indices"], state["indptr"])
        self.similarity = sparse.csr_matrix(parts, shape=(len(item_ids), len(item_ids)))
        return self

    def _inside_borders(self, users: np.ndarray, items: np.ndarray) -> sparse.csr_matrix:
        """Build the users × items table of ones from the users and items inside the percentile borders."""
        events = pd.DataFrame({"user": users, "item": items})
        kept_users = self._within(np.bincount(users), "user_history_length")
        kept_items = self._within(np.bincount(items), "item_interaction_count")
        events = events[kept_users[users] & kept_items[items]]
        chooses, left_out = chosen_by(events, len(self.item_ids))
        self.notes = {
            "users_left_out": int((~kept_users).sum()),
            "items_left_out": int((~kept_items).sum()),
            "events_left_out": len(users) - len(events),
            "events_beyond_pair_limit": left_out,
        }
        return chooses

    def _within(self, counts: np.ndarray, kind: str) -> np.ndarray:
        """Say whose count lies between the two percentile borders, both included."""
        borders = [self.hyperparameters[f"{end}_{kind}_percentile"] for end in ("min", "max")]
        low, high = np.quantile(counts, borders)
        return (counts >= low) & (counts <= high)

    def _similarity(self, together: sparse.csr_matrix, chosen: np.ndarray, n_users: int) -> sparse.csr_matrix:
        """Turn counts of shared users into similarities by the formula of the class."""
        d = self.hyperparameters["popularity_discount_factor"]
        table = together.tocoo()
        own, other = chosen[table.row].astype(np.float64), chosen[table.col].astype(np.float64)
        values = other ** (1 - d) * (table.data * n_users / (own * other)) ** d
        return sparse.csr_matrix((values.astype(np.float32), (table.row, table.col)), shape=together.shape)


def chosen_by(events: pd.DataFrame, n_items: int) -> tuple[sparse.csr_matrix, int]:
    """Turn events into a table of who chose what.

    Args:
        events: "user" and "item" codes, oldest first; repeats count once.
        n_items: of the catalogue.

    Returns:
        (n_users, n_items) of ones, users in order of first appearance, and how many events were left out because
        the longest histories would make more than MOST_PAIRS pairs: the oldest of those.
    """
    pairs = events.drop_duplicates(["user", "item"], keep="last")
    limited = _newest(pairs)
    rows = pd.factorize(limited["user"])[0]
    ones = np.ones(len(limited), dtype=np.float32)
    shape = (int(rows.max(initial=-1)) + 1, n_items)
    return sparse.csr_matrix((ones, (rows, limited["item"])), shape=shape), len(pairs) - len(limited)


def history_weights(histories: Histories, n_items: int, decay: float = 1.0) -> sparse.csr_matrix:
    """Weigh the items of histories: 1 for the newest, times `decay` per event since; of repeats the newest counts.

    Returns:
        (len(histories), n_items).
    """
    lengths = np.diff(histories.offsets)
    rows = np.repeat(np.arange(len(histories)), lengths)
    back = np.repeat(histories.offsets[1:], lengths) - 1 - np.arange(len(rows))
    keys = rows * np.int64(n_items) + histories.items
    kept = len(keys) - 1 - np.unique(keys[::-1], return_index=True)[1]  # the newest of each
    weights = np.float32(decay) ** back[kept].astype(np.float32)
    shape = (len(histories), n_items)
    return sparse.csr_matrix((weights.astype(np.float32), (rows[kept], histories.items[kept])), shape=shape)


def popularity_filler(users: np.ndarray) -> np.ndarray:
    """Scores that order unrelated items by their users, from -1 to just below 0."""
    return (users / (users.max() + 1) - 1).astype(np.float32)


def past_items(
    history: Histories, item_ids: np.ndarray, weights: sparse.csr_matrix, related: sparse.csr_matrix, item_code: int
) -> pd.DataFrame:
    """List what the items of one history add to one item's score.

    Args:
        history: one row.
        item_ids: of the recipe.
        weights: `history_weights` of the history.
        related: items by items.
        item_code: the recommended item.

    Returns:
        As `past_items_from`.
    """
    codes = weights.indices
    parts = weights.data * np.asarray(related[codes, [item_code] * len(codes)]).ravel() if len(codes) else weights.data
    return past_items_from(history, item_ids, codes, parts)


def past_items_from(history: Histories, item_ids: np.ndarray, codes: np.ndarray, parts: np.ndarray) -> pd.DataFrame:
    """List the parts of different items of one history; an item counts once, at its newest position.

    Returns:
        ITEM_ID, POSITION (1 = newest event), CONTRIBUTION above 0, largest first.
    """
    newest = pd.Series(np.arange(1, len(history.items) + 1), index=history.items[::-1])
    newest = newest[~newest.index.duplicated()]
    frame = pd.DataFrame(
        {ITEM_ID: item_ids[codes], "POSITION": newest.reindex(codes).to_numpy(np.int64), "CONTRIBUTION": parts}
    )
    frame = frame[frame["CONTRIBUTION"] > 0]
    return frame.sort_values(["CONTRIBUTION", "POSITION"], ascending=[False, True], ignore_index=True)


def cointeractions(chooses: sparse.csr_matrix, least: int, progress: bool = False) -> sparse.csr_matrix:
    """Count for every pair of different items the users who chose both.

    Args:
        chooses: (n_users, n_items) of ones.
        least: pairs with fewer shared users are dropped; pairs without any are never kept.
        progress: whether to show a progress bar.

    Returns:
        (n_items, n_items) counts as float32, symmetric, with an empty diagonal.
    """
    n_items = chooses.shape[1]
    by_item = chooses.T.tocsr()
    size = max(1, BLOCK_ENTRIES // max(1, n_items))
    blocks = []
    for start in tqdm(range(0, n_items, size), disable=not progress, desc="co-interactions", unit="block"):
        block = (by_item[start : start + size] @ chooses).tocoo()
        kept = (block.data >= least) & (block.row + start != block.col)
        parts = (block.data[kept], (block.row[kept], block.col[kept]))
        blocks.append(sparse.csr_matrix(parts, shape=block.shape))
    return sparse.vstack(blocks, format="csr")


def _newest(pairs: pd.DataFrame) -> pd.DataFrame:
    """Keep the newest items of the longest histories, as many as MOST_PAIRS allows in all.

    A history of n items makes n * n pairs, so one of 100,000 would cost more than a million short ones.
    """
    lengths = np.bincount(pairs["user"]).astype(np.float64)
    longest = lengths.max(initial=1)
    low, high = 1, int(longest)
    while low < high:
        middle = (low + high + 1) // 2
        if np.square(np.minimum(lengths, middle)).sum() <= MOST_PAIRS:
            low = middle
        else:
            high = middle - 1
    if low >= longest:
        return pairs
    return pairs.groupby("user", sort=False).tail(low)


def _distinct_users(users: np.ndarray, items: np.ndarray, n_items: int) -> np.ndarray:
    pairs = np.unique(users * np.int64(n_items) + items)
    return np.bincount(pairs % n_items, minlength=n_items).astype(np.float32)
