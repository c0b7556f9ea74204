"""Any of RecBole's general, sequential and context-aware models as a recipe: fitted from our tables, scoring anybody.

RecBole 1.2.1 itself stays behind `recbole_bridge_repairs.tamed`; what is learned leaves as plain arrays. Items are the
ones of the training interactions. Time only orders events: RecBole would round seconds to float32.
"""

import json
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData, encode_histories
from workbench.recipes.recbole_bridge_features import Features, learn_features, pack, unpack
from workbench.recipes.recbole_bridge_memory import check_memory
from workbench.recipes.recbole_bridge_models import (
    GENERAL,
    ITEM_ATTRIBUTES,
    PREFIX,
    complete_parameters,
    find_model,
    uses_attributes,
)
from workbench.recipes.recbole_bridge_repairs import tamed
from workbench.recipes.recbole_bridge_rows import Rows, choose_rows, make_rows
from workbench.recipes.recbole_bridge_scoring import NEW_USERS, Factors, ItemSimilarity, Network, Scorer, known_users
from workbench.recipes.recbole_bridge_watch import Teller

# What RecBole's models raise when data or sizes do not suit them; they check little themselves.
FAILURES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    ImportError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
EXPLAINED = 50  # newest events that `explain` weighs


class RecBoleRecipe(Recipe):
    """One RecBole model.

    Args:
        model: a name such as "BPR" or "recbole:BPR"; see `recbole_bridge_models.offered`.
        parameters: the bridge's (epochs, stopping_step, refit, budget_minutes, max_rows, max_history, device …) and
            the model's own, as typed Python values. budget_minutes 0 means no limit; a fit that a limit cut short
            differs from run to run.

    Raises:
        RecipeError: an unknown model, one that cannot run here, an unknown parameter or one of a wrong type.
    """

    family: ClassVar[str] = "recbole"

    def __init__(self, model: str, **parameters: Any):
        self.kind = find_model(model)
        self.model = model.removeprefix(PREFIX)
        self.hyperparameters = complete_parameters(self.model, parameters)
        self.notes: dict[str, Any] = {}
        self._threads = int(self.hyperparameters.get("threads", 0))

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Learn from the interactions: every row counts as positive, repeats stay.

        Context-aware models and those of item attributes also learn from the items and the users table.
        """
        self.item_ids = data.interactions[ITEM_ID].unique().astype(object)
        if not len(self.item_ids):
            raise RecipeError(f"{PREFIX}{self.model}: the interactions are empty; it needs at least one event.")
        histories = encode_histories(data.interactions[[USER_ID, ITEM_ID, TIMESTAMP]], self.item_ids)
        features, notes = self._features(data, histories.user_ids)
        everything = make_rows(histories, len(self.item_ids), features)
        rows, chosen = choose_rows(everything, self.model, self.kind, self.hyperparameters, seed)
        notes |= chosen | {"predicted_memory_gb": check_memory(self.model, self.kind, rows, self.hyperparameters)}
        self.seed, tell = seed, Teller(self.watch)
        with tamed(seed, self._threads) as folder:
            from workbench.recipes import recbole_bridge_training as training

            job = training.Job(self.model, self.kind, self.hyperparameters, seed, folder, progress, tell)
            try:
                trained = training.train(job, rows)
                self._take_over(trained, histories)
            except FAILURES as error:
                if error is tell.raised:
                    raise
                raise RecipeError(
                    f"{PREFIX}{self.model} failed inside RecBole on {len(everything.users):,} events of "
                    f"{everything.n_users:,} users and {everything.n_items:,} items: {type(error).__name__}: {error}. "
                    "Very small data and sizes that do not divide are the usual reasons."
                ) from error
        self._remember(histories.user_ids, everything, trained.rows)
        self.notes = {"model": self.model, "events": len(everything.users)} | notes | trained.notes | self.notes
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Score by user where the model has one, else by the history; popularity where there is neither.

        A known user's own vector wins over the history in models of user vectors (BPR, LightGCN …).
        """
        places = self._user_index.get_indexer(histories.user_ids)
        return self._score(histories, np.append(self._user_codes, -1)[places])

    def similar(self, item_codes: np.ndarray) -> np.ndarray:
        """Rank items as related: by the cosine of their vectors, or as what follows a history of just that item."""
        codes = np.asarray(item_codes, dtype=np.int32)
        if isinstance(self._scorer, Factors):
            vectors = self._scorer.items / (np.linalg.norm(self._scorer.items, axis=1, keepdims=True) + 1e-12)
            return vectors[codes] @ vectors.T
        alone = Histories(
            user_ids=np.full(len(codes), "", dtype=object),
            offsets=np.arange(len(codes) + 1, dtype=np.int64),
            items=codes,
            times=np.zeros(len(codes), dtype=np.int64),
        )
        return self._score(alone, np.full(len(codes), -1, dtype=np.int64))

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Say how much the score falls when one past event is left out, the user taken as new.

        Weighs the 50 newest events. Contributions of item-similarity models add up to the score; others need not.
        """
        size = min(len(history.items), EXPLAINED)
        items = history.items[len(history.items) - size :]
        lists = [items, *(np.delete(items, place) for place in range(size))]
        sizes = np.array([len(each) for each in lists])
        variants = Histories(
            user_ids=np.full(len(lists), "", dtype=object),
            offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
            items=np.concatenate(lists).astype(np.int32),
            times=np.zeros(int(sizes.sum()), dtype=np.int64),
        )
        scores = self._score(variants, np.full(len(lists), -1, dtype=np.int64), fallback=False)[:, item_code]
        frame = pd.DataFrame(
            {ITEM_ID: self.item_ids[items], "POSITION": np.arange(size, 0, -1), "CONTRIBUTION": scores[0] - scores[1:]}
        )
        return frame.sort_values("CONTRIBUTION", ascending=False, kind="stable", ignore_index=True)

    def state(self) -> dict[str, np.ndarray]:
        """Give vectors, weights or rows as arrays, and user ids and facts as UTF-8 bytes."""
        user_bytes, user_ends = pack(self._user_index)
        facts = {"scorer": self._scorer.kind, "way": self._way, "seed": self.seed}
        return {
            "facts": np.frombuffer(json.dumps(facts).encode(), dtype=np.uint8),
            "popularity": self._popularity,
            "user_bytes": user_bytes,
            "user_ends": user_ends,
            "user_codes": self._user_codes,
            **{f"scorer/{name}": value for name, value in self._scorer.state().items()},
        }

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave; a live model is built anew and gets its weights back."""
        facts = json.loads(state["facts"].tobytes())
        self.item_ids, self._popularity = np.asarray(item_ids, dtype=object), state["popularity"]
        self.seed, self._way = facts["seed"], facts["way"]
        users = unpack(state["user_bytes"], state["user_ends"])
        self._user_index, self._user_codes = pd.Index(users, dtype=object), state["user_codes"]
        own = {name.removeprefix("scorer/"): value for name, value in state.items() if name.startswith("scorer/")}
        if facts["scorer"] == Network.kind:
            self._scorer: Scorer = self._network(own)
        else:
            self._scorer = (ItemSimilarity if facts["scorer"] == ItemSimilarity.kind else Factors).from_state(own)
        return self

    def _features(self, data: TrainingData, user_ids: np.ndarray) -> tuple[Features | None, dict[str, Any]]:
        if not uses_attributes(self.model):
            return None, {}
        most = self.hyperparameters["most_values"]
        features, notes = learn_features(data.items, data.users, self.item_ids, user_ids, most)
        if self.model in ITEM_ATTRIBUTES and not features.items.columns:
            why = (
                "there is no items table" if data.items is None else f"left out: {notes['item_attributes']['left_out']}"
            )
            raise RecipeError(
                f"{PREFIX}{self.model} learns from attributes of items and finds none: {why}. Add an items table with "
                f"a category or a number column, or take {PREFIX}SASRec or {PREFIX}GRU4Rec."
            )
        return features, notes

    def _take_over(self, trained: Any, histories: Histories) -> None:
        """Turn the trained model into a scorer; called inside `tamed`."""
        from workbench.recipes import recbole_bridge_networks as networks

        self.notes, self._way = {}, ""
        similarity = networks.as_item_similarity(trained.model) if self.kind == GENERAL else None
        factors = networks.as_factors(trained.model, histories) if self.kind == GENERAL and not similarity else None
        if similarity:
            self._scorer, self._way = similarity, similarity.kind
        elif factors:
            self._scorer, explained = factors
            self._way = self._scorer.kind
            self.notes["new_user_vectors_r2"] = round(explained, 4)
        else:
            self._way = networks.scoring_way(trained.model, self.kind)
            # Rebuilt exactly as `restore` will rebuild it, so that scores agree to the last bit.
            self._scorer = self._network(networks.weights_of(trained))
        self.notes["new_users"] = NEW_USERS[self._way]

    def _network(self, arrays: dict[str, np.ndarray]) -> Network:
        rows = Rows(
            **{
                name: arrays[f"rows/{name}"].astype(np.int64) for name in ("users", "items", "starts", "train", "valid")
            },
            n_users=int(arrays["rows/users"].max()) + 1,
            n_items=len(self.item_ids),
            features=Features.restore(arrays),
        )
        parameters = self.hyperparameters | {"device": "cpu"}
        with tamed(self.seed, self._threads) as folder:
            from workbench.recipes import recbole_bridge_networks as networks
            from workbench.recipes.recbole_bridge_training import Job, build

            built = build(Job(self.model, self.kind, parameters, self.seed, folder), rows)
            model = networks.load_weights(built, arrays)
        call = networks.caller(model, self._way, parameters, rows, known_users(rows))

        def call_tamed(histories: Histories, users: np.ndarray) -> np.ndarray:
            with tamed(self.seed, self._threads):
                return call(histories, users)

        self._rows_of_users = rows.features.rows_of if rows.features else None
        return Network(call_tamed, arrays, max(rows.n_items, rows.n_users))

    def _remember(self, user_ids: np.ndarray, everything: Rows, trained: Rows) -> None:
        """Keep the counts for the fallback and the ids of the users the model learned from."""
        counts = np.bincount(everything.items, minlength=everything.n_items).astype(np.float32)
        self._popularity = counts / counts.max()
        seen = np.zeros(len(user_ids), dtype=bool)
        seen[trained.users[np.concatenate([trained.train, trained.valid])]] = True
        self._user_index, self._user_codes = pd.Index(user_ids[seen], dtype=object), np.flatnonzero(seen)

    def _score(self, histories: Histories, users: np.ndarray, *, fallback: bool = True) -> np.ndarray:
        scores = self._scorer.score(histories, users) if len(histories) else np.zeros((0, len(self.item_ids)))
        empty = np.diff(histories.offsets) == 0
        if self._way in ("factors", "users", "attributes"):
            empty &= users < 0
        if self._way == "attributes" and empty.any():
            empty[empty] = self._rows_of_users(histories.user_ids[empty]) == 0
        if fallback and empty.any():
            scores[empty] = self._popularity
        return np.ascontiguousarray(scores, dtype=np.float32)
