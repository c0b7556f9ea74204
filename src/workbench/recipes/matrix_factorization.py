"""matrix-factorization: implicit alternating least squares, with a user's vector solved when it is asked for."""

from typing import Any, Self

import numpy as np
import pandas as pd
import psutil

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.alternating_squares import Ragged, solve
from workbench.recipes.contract import Histories, Recipe, TrainingData, encode_histories
from workbench.recipes.factor_training import Weights, alternate, choose
from workbench.recipes.popularity import encode

MOST_STEPS, TOLERANCE = 50, 1e-5  # for a vector that is asked for
FIRST_SPREAD = 0.1  # times 1 / sqrt(width): standard deviation of the first item factors


class MatrixFactorization(Recipe):
    """Implicit alternating least squares (iALS).

    Minimises, over user vectors x and item vectors y,

        Σ chosen w (1 - x·y)² + 1/alpha Σ all (x·y)² + Σ users r_u |x|² + Σ items r_i |y|²

    with w = (number of events of the pair) ** repeat_power and r = ridge * m * (d / mean d) ** ridge_power, where d is
    the weight of all a row's errors, chosen ones and 1/alpha for each of the other side, and m the mean weight of its
    chosen ones; so ridge means the same for few and for many items. An alpha or ridge of None is chosen by the newest
    items of some users, held back from short trainings; see `factor_training`.

    Only item vectors are kept: a user's vector is solved from the history that is scored, so new users and new events
    count at once. A history without any known item gets popularity: it stands in one more column of the item factors,
    which only such a history multiplies.

    Source: Hu, Koren and Volinsky, ICDM 2008; the ridge: Rendle, Krichene, Zhang and Koren, Revisiting the performance
    of iALS on item recommendation benchmarks, RecSys 2022.
    """

    family = "factors"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Solve users and items in turn, from small random item vectors."""
        users, items, self.item_ids = encode(data.interactions)
        self.n_users, self.n_items_fitted = int(users.max()) + 1, len(self.item_ids)
        self._foresee_memory()
        self.popularity = (np.bincount(items, minlength=len(self.item_ids)) / len(items)).astype(np.float32)
        by_user = Ragged.of(users, items, self.n_users, self.hyperparameters["repeat_power"])
        self.notes |= {"pairs": len(by_user.codes), "events_repeating_a_pair": len(items) - len(by_user.codes)}
        self._choose(by_user, _newest(users, items, data.interactions[TIMESTAMP].to_numpy()), seed, progress)
        by_item = by_user.turned(len(self.item_ids))
        self.user_scale = self.weights.scale(by_user, len(self.item_ids))
        self.item_scale = self.weights.scale(by_item, self.n_users)
        width, rounds = self.hyperparameters["width"], self.hyperparameters["iterations"]
        rng = np.random.default_rng(seed)
        items, users = alternate(by_user, by_item, width, self.weights, rounds, rng, progress)
        self.users_gram = users.T @ users
        self.item_factors = np.column_stack([items, self.popularity])
        self._weigh()
        return self

    def update(self, data: TrainingData) -> dict[str, int]:
        """Add new items, each solved from the vectors of the users who chose it.

        A user's vector comes from what the new events say about known items; a user of new items alone has none.
        Events of known items change nothing here: they count as soon as they are in the history that is scored.
        """
        interactions = data.interactions
        if interactions.empty:
            interactions = pd.DataFrame({USER_ID: [], ITEM_ID: [], TIMESTAMP: []}, dtype=object)
        known = interactions[ITEM_ID].isin(self.item_ids).to_numpy()
        new_ids = np.array(sorted(interactions[ITEM_ID][~known].unique()), dtype=object)
        taken = {
            "new_items": len(new_ids),
            "new_events": int((~known).sum()),
            "events_of_known_items": int(known.sum()),
            "new_items_without_a_known_user": 0,
        }
        if not len(new_ids):
            return taken
        users = encode_histories(interactions[known], self.item_ids)
        vectors = self._vectors(users)
        fresh = encode_histories(interactions[~known], new_ids, list(users.user_ids))
        rows = np.repeat(np.arange(len(fresh)), np.diff(fresh.offsets))
        by_item = Ragged.of(fresh.items.astype(np.int64), rows, len(new_ids), self.hyperparameters["repeat_power"])
        added = self._solve_items(by_item, vectors)
        taken["new_items_without_a_known_user"] = int((np.diff(by_item.offsets) == 0).sum())
        self._append(new_ids, added)
        return taken

    def factors(self, histories: Histories) -> np.ndarray:
        """Solve a vector for every history; one without items multiplies the popularity alone."""
        vectors = np.zeros((len(histories), self.item_factors.shape[1]), dtype=np.float32)
        vectors[:, :-1] = self._vectors(histories)
        vectors[np.diff(histories.offsets) == 0, -1] = 1
        return vectors

    def score(self, histories: Histories) -> np.ndarray:
        """Multiply the histories' vectors with the item factors."""
        return self.factors(histories) @ self.item_factors.T

    def similar(self, item_codes: np.ndarray) -> np.ndarray:
        """Score items by the cosine of their factors; an item that nobody chose is like none."""
        factors = self.item_factors[:, :-1]
        size = np.sqrt(np.einsum("ij,ij->i", factors, factors))[:, None]
        plain = np.divide(factors, size, out=np.zeros_like(factors), where=size > 0)
        return plain[np.asarray(item_codes)] @ plain.T

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Split the score into the parts of the past items, each at its newest position; the parts add up to it.

        Source: Hu, Koren and Volinsky, section 5.
        """
        own = self._ragged(history)
        if not len(own.codes):
            return super().explain(history, item_code)
        factors = self.item_factors[:, :-1].astype(np.float64)
        chosen = factors[own.codes]
        table = (chosen * own.weights[:, None]).T @ chosen
        table.flat[:: len(table) + 1] += self.weights.all_pairs(self.diagonal) + self._user_ridge(own)[0]
        parts = own.weights * (chosen @ np.linalg.solve(table, factors[item_code]))
        newest = len(history.items) - pd.Series(np.arange(len(history.items))).groupby(history.items).max()
        frame = pd.DataFrame(
            {
                ITEM_ID: self.item_ids[own.codes],
                "POSITION": newest.loc[own.codes].to_numpy(dtype=np.int64),
                "CONTRIBUTION": parts,
            }
        )
        return frame.sort_values(["CONTRIBUTION", "POSITION"], ascending=[False, True], ignore_index=True)

    def state(self) -> dict[str, np.ndarray]:
        """Give the item factors with the popularity, what all users together weigh, and the sizes of the fit."""
        return {
            "item_factors": self.item_factors,
            "users_gram": self.users_gram,
            "sizes": np.array([self.n_users, self.n_items_fitted], dtype=np.int64),
            "scales": np.array([self.user_scale, self.item_scale]),
            "weights": np.array([self.weights.alpha, self.weights.ridge, self.weights.ridge_power]),
        }

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.item_factors = item_ids, state["item_factors"]
        self.users_gram = state["users_gram"]
        self.n_users, self.n_items_fitted = state["sizes"].tolist()
        self.user_scale, self.item_scale = state["scales"].tolist()
        self.weights = Weights(*state["weights"].tolist())
        self._weigh()
        return self

    def _choose(self, by_user: Ragged, newest: np.ndarray, seed: int, progress: bool) -> None:
        """Take alpha and ridge as given; choose those that are None, and note what was tried."""
        given = tuple(self.hyperparameters[name] for name in ("alpha", "ridge", "ridge_power"))
        self.weights, tried = Weights(*given) if None not in given else None, []
        if self.weights is None:
            self.weights, tried = choose(by_user, newest, len(self.item_ids), given, seed, progress)
        self.notes |= {"alpha": self.weights.alpha, "ridge": self.weights.ridge, "tried": tried}

    def _weigh(self) -> None:
        """Sum up what the items of the fit weigh along each axis; later ones change no user's vector."""
        factors = self.item_factors[: self.n_items_fitted, :-1]
        self.diagonal = np.einsum("ij,ij->j", factors, factors)
        self.popularity = self.item_factors[:, -1]

    def _ragged(self, histories: Histories) -> Ragged:
        rows = np.repeat(np.arange(len(histories)), np.diff(histories.offsets))
        return Ragged.of(rows, histories.items.astype(np.int64), len(histories), self.hyperparameters["repeat_power"])

    def _vectors(self, histories: Histories) -> np.ndarray:
        own = self._ragged(histories)
        factors = self.item_factors[:, :-1]
        if len(own.codes) < len(factors) // 4:  # one user needs few items of a large catalogue
            used, places = np.unique(own.codes, return_inverse=True)
            own, factors = Ragged(own.offsets, places, own.weights), factors[used]
        return solve(
            own,
            np.ascontiguousarray(factors),
            self.weights.all_pairs(self.diagonal),
            self._user_ridge(own),
            steps=MOST_STEPS,
            tolerance=TOLERANCE,
        )

    def _solve_items(self, by_item: Ragged, users: np.ndarray) -> np.ndarray:
        """Solve new items along the axes of all users, and turn them back."""
        weight, axes = np.linalg.eigh(self.users_gram.astype(np.float64))
        axes = axes.astype(np.float32)
        ridge = self.weights.ridges(by_item, self.n_users, self.item_scale)
        diagonal = self.weights.all_pairs(weight)
        return solve(by_item, users @ axes, diagonal, ridge, steps=MOST_STEPS, tolerance=TOLERANCE) @ axes.T

    def _append(self, new_ids: np.ndarray, added: np.ndarray) -> None:
        nothing = np.zeros((len(added), 1), dtype=np.float32)
        self.item_ids = np.concatenate([self.item_ids, new_ids])
        self.item_factors = np.concatenate([self.item_factors, np.hstack([added, nothing])])
        self.popularity = self.item_factors[:, -1]

    def _user_ridge(self, own: Ragged) -> np.ndarray:
        return self.weights.ridges(own, self.n_items_fitted, self.user_scale)

    def _foresee_memory(self) -> None:
        width = self.hyperparameters["width"]
        needed = (len(self.item_ids) + self.n_users) * width * 16
        self.notes["predicted_memory_gb"] = round(needed / 1e9, 2)
        free = psutil.virtual_memory().available
        if needed > free:
            raise RecipeError(
                f"matrix-factorization: {len(self.item_ids):,} items and {self.n_users:,} users of width {width} need "
                f"{needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free. "
                f"Set width below {max(1, int(width * free / needed)):,}."
            )


def _newest(users: np.ndarray, items: np.ndarray, times: np.ndarray) -> np.ndarray:
    """Give every user's newest item; of events of equal time the one that stands last."""
    order = np.argsort(times, kind="stable")
    newest = np.empty(int(users.max()) + 1, dtype=np.int64)
    newest[users[order]] = items[order]  # the last assignment stays
    return newest
