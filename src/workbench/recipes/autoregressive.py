"""autoregressive: the next item from exponentially decayed histories, by ridge regression in closed form."""

from typing import Any, Self

import numpy as np
import pandas as pd
import psutil
from scipy import linalg, sparse

from workbench.columns import ITEM_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData, encode_histories
from workbench.recipes.event_weights import check_types, counting, weigh
from workbench.recipes.explaining import at_own_positions
from workbench.recipes.gram import has_window, normal_equations
from workbench.recipes.gram_separate import separate_equations, solve_separately
from workbench.recipes.gram_sequences import Sequences, fade, half_lives, sequences
from workbench.recipes.held_events import Held, hold
from workbench.recipes.popularity import encode
from workbench.recipes.ridge_choice import RIDGES, START, Choice, Probe, choose, discount_factors

MOST_WEIGHTS = 300_000_000  # numbers in the table of learned weights: 1.2 GB of float32
MOST_RARE_PAIRS = 30_000_000  # pairs of a rare item and a later one: about 1 GB while they are added up


class Autoregressive(Recipe):
    """Linear autoregressive model with exponential memory.

    Every position of every ordered history is a row. Its features are the events before it, each with weight
    decay ** (events in between), once for each of `decays`, over the last `lags` events; its target is the item that
    came. With `half_life_days` a weight also halves with every so many days between the event and the newest before the
    row. The weights are the ridge regression of targets on features, from its normal equations and one Cholesky
    factorisation. A score is linear in the history, so every past event's part in it is known.

    Events of equal time keep their order in the table. When items times decays exceed `dense_features`, the most
    frequent items are solved together and every rarer one by itself, as if it met no other; notes say how many.
    A history without any known event gets popularity. A ridge or popularity_discount of None is chosen by how well the
    newest row of each user is foretold when it is left out; see `ridge_choice`.
    """

    family = "autoregressive"
    keep_held = False  # whether fit keeps `held_scores`: those of each newest event, by the regression without its row
    held_scores: np.ndarray | None = None

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}
        self.decays: list[float] = list(hyperparameters["decays"])
        self.lags: int = hyperparameters["lags"]
        if not self.decays or len(set(self.decays)) < len(self.decays):
            raise RecipeError(f"decays={self.decays} must be at least one, none of them twice.")

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Solve the normal equations; nothing is random, so `seed` changes nothing."""
        _, items, self.item_ids = encode(data.interactions)
        check_types(self.name or "autoregressive", self.hyperparameters["event_weights"], data.interactions)
        histories = encode_histories(data.interactions, self.item_ids)
        counted, weights, clock = self._events(histories)
        share = np.bincount(items, minlength=len(self.item_ids)) / len(items)
        self.popularity = share.astype(np.float32)
        self.notes = {
            "events_without_weight": len(histories.items) - len(counted.items),
            "rows": int(len(counted.items) - np.count_nonzero(np.diff(counted.offsets))),
        }
        if weights is not None:
            weights = weights / weights.mean()  # only ratios count, whatever the ridge
        events = sequences(counted.items, counted.offsets, weights, weights, clock)
        self._choose_columns(np.bincount(counted.items, minlength=len(self.item_ids)))
        self._solve(events, hold(counted, len(self.item_ids)), progress)
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Multiply the decayed histories with the learned weights."""
        codes, offsets, values = self._faded_events(histories)
        lengths = np.diff(offsets)
        rows = np.repeat(np.arange(len(histories)), lengths)
        age = np.repeat(offsets[1:], lengths) - 1 - np.arange(len(codes))
        scores = self._features(rows, codes, age, values, self.columns, len(histories)) @ self.weights
        if self.rare_weights.nnz:
            rare = self._features(rows, codes, age, values, self.rare_columns, len(histories))
            scores += (rare @ self.rare_weights).toarray()
        scores[lengths == 0] = self.popularity
        return scores

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Split the item's score into the part of every event of the history; the parts add up to the score."""
        codes, _, values = self._faded_events(history)
        age = np.arange(len(codes))[::-1]
        each = np.arange(len(codes))
        parts = self._features(each, codes, age, values, self.columns, len(codes)) @ self.weights[:, item_code]
        if self.rare_weights.nnz:
            rare = self._features(each, codes, age, values, self.rare_columns, len(codes))
            parts = parts + (rare @ self.rare_weights[:, [item_code]]).toarray().ravel()
        frame = pd.DataFrame({ITEM_ID: self.item_ids[codes], "POSITION": age + 1, "CONTRIBUTION": parts})
        frame = frame[age < self.lags]
        frame = frame.sort_values(["CONTRIBUTION", "POSITION"], ascending=[False, True], ignore_index=True)
        return at_own_positions(frame, counting(history, self.hyperparameters["event_weights"]))

    def state(self) -> dict[str, np.ndarray]:
        """Give the weights of frequent and of rare items, and the popularity."""
        return {
            "weights": self.weights,
            "columns": self.columns,
            "rare_data": self.rare_weights.data,
            "rare_indices": self.rare_weights.indices,
            "rare_indptr": self.rare_weights.indptr,
            "popularity": self.popularity,
        }

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.popularity = item_ids, state["popularity"]
        self.weights, self.columns = state["weights"], state["columns"]
        self.rare_columns = _others(self.columns)
        rare = (state["rare_data"], state["rare_indices"], state["rare_indptr"])
        self.rare_weights = sparse.csr_matrix(rare, shape=(len(rare[2]) - 1, len(item_ids)))
        return self

    def _events(self, histories: Histories) -> tuple[Histories, np.ndarray | None, np.ndarray | None]:
        """Give the events whose type has a weight, their weights and their clock (see `Sequences`)."""
        counted, weights = weigh(histories, self.hyperparameters["event_weights"])
        return counted, weights, half_lives(counted.times, counted.offsets, self.hyperparameters["half_life_days"])

    def _faded_events(self, histories: Histories) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give items, offsets, and what is left of every event's weight at the time of its history's newest."""
        counted, weights, clock = self._events(histories)
        codes, offsets = counted.items, counted.offsets
        values = np.ones(len(codes)) if weights is None else weights
        if clock is not None:
            values = values * fade(clock[np.repeat(offsets[1:] - 1, np.diff(offsets))] - clock)
        return codes, offsets, values

    def _choose_columns(self, counts: np.ndarray) -> None:
        """Decide which items are solved together: all of them, or the most frequent that fit."""
        n_items, k = len(counts), len(self.decays)
        most = min(self.hyperparameters["dense_features"], max(k, MOST_WEIGHTS // n_items))
        m = min(n_items, max(1, most // k))
        frequent = np.sort(np.lexsort((np.arange(n_items), -counts))[:m])
        self.columns = np.full(n_items, -1, dtype=np.int64)
        self.columns[frequent] = np.arange(m)
        self.rare_columns = _others(self.columns)
        self.notes["items_solved_together"] = m
        self.notes["items_solved_by_themselves"] = n_items - m
        needed = (k * m) ** 2 * 16 + n_items * k * m * 8
        self.notes["predicted_memory_gb"] = round(needed / 1e9, 2)
        free = psutil.virtual_memory().available
        if needed > free:
            most = int(k * m * (free / needed) ** 0.5)
            raise RecipeError(
                f"{self.name or 'autoregressive'}: {m:,} items × {k} decays need {needed / 1e9:.1f} GB and "
                f"{free / 1e9:.1f} GB are free. Set dense_features below {most:,}, or use fewer decays."
            )

    def _solve(self, events: Sequences, held: Held | None, progress: bool) -> None:
        """Solve for frequent items together and for rare ones each by itself.

        The factorisation runs in float64, where rounding could make it fail; the solutions need only float32.
        """
        n_items = len(self.item_ids)
        gram, cross = normal_equations(
            events, self.decays, self.lags, self.columns, n_items, cross_dtype=np.float32, progress=progress
        )
        own, rare_cross = self._rare_equations(events)
        choice = self._choose_ridge(events, held, gram, cross, own, rare_cross)
        factors = discount_factors(self.popularity, choice.discount)
        gram.flat[:: len(gram) + 1] += choice.ridge
        # Transposes of symmetric or finished tables are what LAPACK can overwrite without a copy.
        factor = linalg.cholesky(gram.T, lower=True, overwrite_a=True, check_finite=False).astype(np.float32)
        del gram
        solved = linalg.cho_solve((factor, True), cross.T, overwrite_b=True, check_finite=False)
        self.weights = np.multiply(solved, factors, order="C")
        rare = solve_separately(own, rare_cross, choice.ridge)
        self.rare_weights = sparse.csr_matrix(rare.multiply(factors[None, :]), dtype=np.float32)

    def _rare_equations(self, events: Sequences) -> tuple[np.ndarray, sparse.csr_matrix]:
        """Sum up the equations of rare items, with fewer lags where their pairs would not fit into memory."""
        n_items, lags = len(self.item_ids), self.lags
        if self.rare_columns.max(initial=-1) < 0:
            return np.zeros((0, len(self.decays), len(self.decays))), sparse.csr_matrix((0, n_items), dtype=np.float32)
        after = (events.last - np.arange(len(events.items)))[self.rare_columns[events.items] >= 0]
        while lags > 1 and np.minimum(after, lags).sum() > MOST_RARE_PAIRS:
            lags = max(1, lags * 3 // 4)
        self.notes["lags_of_rare_items"] = lags
        return separate_equations(events, self.decays, lags, self.rare_columns, n_items)

    def _choose_ridge(
        self,
        events: Sequences,
        held: Held | None,
        gram: np.ndarray,
        cross: np.ndarray,
        own: np.ndarray,
        rare_cross: sparse.csr_matrix,
    ) -> Choice:
        """Take ridge and discount as given; choose those that are None, and note what was tried."""
        ridge, discount = self.hyperparameters["ridge"], self.hyperparameters["popularity_discount"]
        if held is None or (ridge is not None and discount is not None and not self.keep_held):
            choice = Choice(RIDGES[START] if ridge is None else ridge, discount or 0.0, [])
        else:
            choice = choose(gram, cross, own, rare_cross, self._probe(events, held), self.popularity, ridge, discount)
            self.held_scores = choice.scores if self.keep_held else None
        self.notes |= {"ridge": choice.ridge, "popularity_discount": choice.discount}
        self.notes |= {"chosen_by_rows": len(held) if choice.tried else 0, "tried": choice.tried}
        return choice

    def _probe(self, events: Sequences, held: Held) -> Probe:
        """Lay out the rows that foretell the held events."""
        rows = np.repeat(np.arange(len(held)), np.diff(held.histories.offsets))
        before = held.events[rows] - 1
        values = events.inputs[held.past] * events.fade(held.past, before)
        laid = (rows, held.histories.items, before - held.past, values)
        return Probe(
            features=self._features(*laid, self.columns, len(held)),
            rare=self._features(*laid, self.rare_columns, len(held)),
            targets=held.targets,
            weights=events.targets[held.events].astype(np.float32),
            seen=held.seen,
        )

    def _features(
        self, rows: np.ndarray, codes: np.ndarray, age: np.ndarray, values: np.ndarray, columns: np.ndarray, n: int
    ) -> sparse.csr_matrix:
        """Lay events out as decayed features, (n, k * m) float32; decay a of item i is at a * m + columns[i]."""
        m = int(columns.max(initial=-1)) + 1
        used = columns[codes] >= 0
        rows, places, age, values = rows[used], columns[codes[used]], age[used], values[used]
        parts = []
        for decay in self.decays:
            inside = age < self.lags if has_window(decay, self.lags) else age < np.inf
            weights = (values[inside] * decay ** age[inside].astype(np.float64)).astype(np.float32)
            parts.append(sparse.csr_matrix((weights, (rows[inside], places[inside])), shape=(n, m)))
        return sparse.hstack(parts, format="csr")


def _others(columns: np.ndarray) -> np.ndarray:
    """Number the items that have no column, ascending; -1 for those that have one."""
    missing = columns < 0
    return np.where(missing, np.cumsum(missing) - 1, -1)
