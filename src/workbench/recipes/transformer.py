"""transformer: what comes next, foretold at every position of every history by causal self-attention."""

from dataclasses import asdict, replace
from typing import Any, Self

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from workbench.columns import ITEM_ID, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.arrays import pack, under, unpack
from workbench.recipes.contract import Histories, Recipe, TrainingData, encode_histories
from workbench.recipes.event_weights import check_types, weigh
from workbench.recipes.explaining import attribute_table, leave_one_out
from workbench.recipes.features import FeatureSpace, fit_features
from workbench.recipes.held_events import Held, hold, worth
from workbench.recipes.popularity import encode
from workbench.recipes.transformer_budget import batch_size, check_memory, fit_into, in_batch_share
from workbench.recipes.transformer_checkpoint import Checkpoint, key
from workbench.recipes.transformer_compile import pick_compiled
from workbench.recipes.transformer_distributed import pick_device
from workbench.recipes.transformer_inputs import (
    GAPS,
    Reader,
    Vocabulary,
    attribute_tensor,
    learn_vocabulary,
    not_context,
    with_cold,
)
from workbench.recipes.transformer_network import Shape, make_network
from workbench.recipes.transformer_reasons import context_parts, item_parts, repeat, user_parts
from workbench.recipes.transformer_scoring import Scoring
from workbench.recipes.transformer_training import Plan, Trainer, describe
from workbench.recipes.transformer_windows import cut


class Transformer(Recipe):
    """Causal transformer with a loss at every position of every window, and an item tower.

    A history is cut into windows of `window` events; no prefix becomes a row of its own, so an epoch reads every event
    once. Item vectors are an embedding each plus the sum of their attributes' vectors. Negatives are shared by a batch
    and corrected for how often they are drawn. Each of up to 2,000 users' newest event is left out of the training and
    decides when to stop.
    """

    family = "transformer"
    keep_held = False  # whether fit keeps `held_scores`: those of each held event's history
    held_scores: np.ndarray | None = None

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}
        width, heads = hyperparameters["width"], hyperparameters["heads"]
        if width % heads:
            raise RecipeError(f"transformer: width={width} cannot be shared by heads={heads}; take a multiple of it.")
        self.space = self.user_space = None

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Train to the epochs given, or to as many as fit into `budget_minutes`."""
        _, codes, met = encode(data.interactions)
        self.device = pick_device(self.hyperparameters["device"])
        check_types("transformer", self.hyperparameters["event_weights"], data.interactions)
        self.item_ids = with_cold(met, data.items) if self.hyperparameters["cold"] else met
        histories = encode_histories(data.interactions, self.item_ids)
        histories, weights = weigh(histories, self.hyperparameters["event_weights"])
        share = np.bincount(codes, minlength=len(self.item_ids)) / len(codes)
        self.popularity = share.astype(np.float32)
        self._learn_features(data, seed)
        self.words, rare = learn_vocabulary(data.interactions)
        self.notes |= {"cold_items": len(self.item_ids) - len(met), "context_values_unknown": rare}
        self.notes["no_context"] = not_context(data.interactions)
        held = hold(histories, len(self.item_ids))
        self._build(len(met), len(histories.items), seed)
        self._train(histories, held, weights, seed, progress)
        self.held_scores = self._scores(held.histories) if held is not None and self.keep_held else None
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Logarithms of the chance that each item comes next; popularity's for a history without a known event."""
        table = self.hyperparameters["event_weights"]
        counted, _ = weigh(histories, table)
        scores = self._scores(counted)
        scores[np.diff(counted.offsets) == 0] = np.log(self.popularity + 1e-9)
        return scores

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """How much the item's score falls when each one of the newest events is taken away."""
        return leave_one_out(self, history, item_code)

    def context_values(self) -> dict[str, list[str]]:
        """The columns of the interactions that came with the events, and their values frequent enough for a vector."""
        return {name: list(values) for name, values in self.words.contexts.items()}

    def explain_attributes(self, history: Histories, item_code: int) -> pd.DataFrame:
        """The item's attributes by their exact parts of its logit; the user's and the request's by leaving each out.

        A score is the logit minus a number that all items share, so a part of the logit is a part of the score.
        """
        counted, _ = weigh(history, self.hyperparameters["event_weights"])
        parts = []
        if not len(counted.items):
            return attribute_table(parts)
        if self.attributes is not None:
            hidden, table = self._scoring.hidden(counted, self._features_of(counted)), self.network.attributes_table
            parts += item_parts(self.attributes[[item_code]], self.space.names, hidden, table)
        if self.user_features is not None:
            parts += user_parts(
                self._features_of(counted),
                self.user_space.names,
                lambda users: self._scores(repeat(counted, users.shape[0]), users)[:, item_code],
            )
        parts += context_parts(
            counted.context, self.words, lambda rest: self._scores(replace(counted, context=rest))[0, item_code]
        )
        return attribute_table(parts)

    def state(self) -> dict[str, np.ndarray]:
        """Give the network's parameters and what its inputs mean."""
        arrays = {f"network/{name}": each.cpu().numpy() for name, each in self.network.state_dict().items()}
        arrays["shape"] = np.array(list(asdict(self.network.shape).values()), dtype=np.int64)
        arrays["popularity"] = self.popularity
        arrays["words/types"] = np.array(self.words.types, dtype=np.dtypes.StringDType())
        arrays["words/timed"] = np.array([self.words.timed])
        for name, values in self.words.contexts.items():
            arrays[f"words/context/{name}"] = np.array(values, dtype=np.dtypes.StringDType())
        for name, space in (("items", self.space), ("users", self.user_space)):
            if space is not None:
                arrays |= {f"space/{name}/{what}": each for what, each in space.state().items()}
        if self.attributes is not None:
            arrays |= {f"attributes/{name}": each for name, each in pack(self.attributes).items()}
        if self.user_features is not None:
            arrays |= {f"user_features/{name}": each for name, each in pack(self.user_features).items()}
            arrays["user_ids"] = np.array(self.user_ids, dtype=np.dtypes.StringDType())
        return arrays

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.popularity = item_ids, state["popularity"]
        given = under(state, "words/context/")
        contexts = {name: list(map(str, given[name])) for name in sorted(given)}
        self.words = Vocabulary(list(map(str, state["words/types"])), contexts, bool(state["words/timed"][0]))
        spaces = {name: under(state, f"space/{name}/") for name in ("items", "users")}
        self.space, self.user_space = (FeatureSpace.restore(each) if each else None for each in spaces.values())
        self.attributes = unpack(under(state, "attributes/"))
        self.user_features, self.user_ids = unpack(under(state, "user_features/")), state.get("user_ids")
        try:
            self.device = pick_device(self.hyperparameters["device"])
        except RecipeError as error:
            self.device = torch.device("cpu")
            self.notes["device"] = f"{error} Until then the CPU scores."
        self.network = make_network(Shape(*map(int, state["shape"])), self.hyperparameters["dropout"])
        parameters = {name: torch.from_numpy(each) for name, each in under(state, "network/").items()}
        self.network.load_state_dict(parameters)
        self.network.to(self.device).eval()
        return self

    def _learn_features(self, data: TrainingData, seed: int) -> None:
        self.attributes = self.user_features = self.user_ids = self.space = self.user_space = None
        if data.items is not None and self.hyperparameters["attributes"]:
            self.space = fit_features(data.items, ITEM_ID, seed=seed)
            self.attributes = self.space.transform(data.items, self.item_ids) if self.space.width else None
            self.notes["item_features"] = {"width": self.space.width} | self.space.notes
        if data.users is not None and self.hyperparameters["attributes"]:
            self.user_space = fit_features(data.users, USER_ID, text=False, seed=seed)
            self.user_ids = np.asarray(data.users[USER_ID].unique(), dtype=object)
            found = self.user_space.transform(data.users, self.user_ids)
            self.user_features = found if self.user_space.width else None
            self.notes["user_features"] = {"width": self.user_space.width} | self.user_space.notes

    def _build(self, n_met: int, n_events: int, seed: int) -> None:
        """Make the network; biases begin at the logarithm of popularity, which it would have to learn first."""
        given = self.hyperparameters
        shape = Shape(
            items=len(self.item_ids),
            width=given["width"],
            layers=given["layers"],
            heads=given["heads"],
            window=given["window"],
            attributes=0 if self.attributes is None else self.attributes.shape[1],
            users=0 if self.user_features is None else self.user_features.shape[1],
            contexts=self.words.n_contexts,
            types=self.words.n_types,
            gaps=GAPS if self.words.timed else 0,
        )
        events = given["batch_events"] or batch_size(n_events, self.device.type)
        self.notes["predicted_memory_gb"] = check_memory(shape, events, given["negatives"])
        self.network = make_network(shape, given["dropout"], seed)
        with torch.no_grad():
            self.network.bias[: shape.items] = torch.from_numpy(np.log(self.popularity + 0.5 / len(self.item_ids)))
            self.network.item.weight[n_met:] = 0
        self.network.to(self.device)

    def _train(
        self, histories: Histories, held: Held | None, weights: np.ndarray | None, seed: int, progress: bool
    ) -> None:
        given = self.hyperparameters
        counts = np.ones(len(histories.items)) if weights is None else weights / weights.mean()
        if held is not None:
            counts[held.events] = 0.0
        windows = cut(histories.offsets, given["window"])
        if not len(windows):
            raise RecipeError("transformer: no user has two events, so nothing follows anything. Use popularity-count.")
        reader = Reader(histories, self.words, len(self.item_ids), self._features_of(histories))
        tensor = attribute_tensor(self.attributes, self.device)
        compiled, hindered = pick_compiled(given["compile"], given["budget_minutes"], self.device)
        self.notes |= {"compiled": compiled} | ({"not_compiled": hindered} if hindered else {})
        plan = Plan.of(
            given,
            epochs=given["epochs"] or 0,
            in_batch=in_batch_share(len(self.item_ids)) if given["in_batch"] is None else given["in_batch"],
            batch_events=given["batch_events"] or batch_size(len(counts), self.device.type),
            leave_out=given["leave_out"] if tensor is not None else 0.0,
            compiled=compiled,
        )
        trainer = Trainer(self.network, reader, windows, counts, plan, tensor, seed, self.device)
        checkpoint = None
        if self.checkpoints is not None:
            lasting = {name: value for name, value in given.items() if name not in ("budget_minutes", "compile")}
            lasting |= {"seed": seed, "shape": asdict(self.network.shape)}
            events = (reader.items, reader.offsets, reader.gaps, reader.types, reader.contexts, counts, self.popularity)
            checkpoint = Checkpoint(self.checkpoints, key(lasting, *events, self.attributes, reader.users))
            replaced = checkpoint.prepare()
            self.notes |= {"state_not_taken_up": replaced} if replaced else {}
        validate = None if held is None else lambda: worth(self._scores, held)
        planned = None if checkpoint is None else checkpoint.planned_epochs()
        trainer.plan, every, timing = fit_into(trainer, given["budget_minutes"], planned, validate)
        self.notes |= timing
        found = trainer.run(validate, every, checkpoint, self.watch, progress)
        self.notes |= describe(found, trainer.plan) | {"held_events": 0 if held is None else len(held)}
        if checkpoint is not None and trainer.world.first:
            checkpoint.drop()

    def _scores(self, histories: Histories, users: sparse.csr_matrix | None = None) -> np.ndarray:
        """Scores of all items; `users` stand in for the features that the users table gives."""
        return self._scoring.scores(histories, self._features_of(histories) if users is None else users)

    @property
    def _scoring(self) -> Scoring:
        return Scoring(self.network, self.words, self.attributes, self.device)

    def _features_of(self, histories: Histories) -> sparse.csr_matrix | None:
        """Features of each history's user; nothing for users that the users table does not know."""
        if self.user_features is None:
            return None
        rows = pd.Index(self.user_ids).get_indexer(histories.user_ids)
        table = self.user_features[np.maximum(rows, 0)]
        return sparse.csr_matrix(table.multiply((rows >= 0)[:, None]), dtype=np.float32)
