"""user-personalization: closed form, transformer and graph filter, as many of them as data and budget allow."""

import time
from typing import Any, Self

import numpy as np
import pandas as pd

from workbench.recipes.arrays import under
from workbench.recipes.blend import as_logarithm, learn_weights
from workbench.recipes.cold_items import ColdItems
from workbench.recipes.contract import Histories, Recipe, TrainingData, encode_histories
from workbench.recipes.event_weights import check_types, weigh
from workbench.recipes.explaining import OF_ITEM, at_own_positions, attribute_table, leave_one_out
from workbench.recipes.held_events import hold, ndcg
from workbench.recipes.parts import CLOSED, GRAPH, choose_parts
from workbench.recipes.parts_making import check_parts, make_part
from workbench.recipes.popularity import encode


class UserPersonalization(Recipe):
    """One recipe out of up to three models.

    A log without order is left to the graph filter. Otherwise the closed form is fitted; when `budget_minutes` leaves
    time for it, the transformer follows, and the logarithms of both scores are added with the weights that do best on
    events neither was fitted on. Alone, a part scores as it does by itself. Items that only the items table knows score
    as the items most alike do. A history without any known event gets popularity.
    """

    family = "personalization"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}
        self.parts: dict[str, Recipe] = {}
        self.weights = np.ones(1)
        self.cold = ColdItems()
        make_part(CLOSED, hyperparameters)  # wrong settings are refused now, not in the middle of a fit

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Fit the parts that `choose_parts` names, then learn their weights."""
        clock = time.perf_counter()
        weights = self.hyperparameters["event_weights"]
        check_types(self.name or "user-personalization", weights, data.interactions)
        users, codes, met = encode(data.interactions)
        share = np.bincount(codes, minlength=len(met)) / len(codes)
        self.popularity = share.astype(np.float32)
        chosen, why = choose_parts(data.interactions, self.hyperparameters)
        check_parts(chosen, self.hyperparameters)
        self.parts, self.notes = {}, {"parts": chosen, "why": why}
        if weights and GRAPH in chosen:
            why.append(f"event_weights={dict(weights)} have no meaning in the graph filter: every event counts there.")
        for name in chosen:
            spent = (time.perf_counter() - clock) / 60
            part = make_part(name, self.hyperparameters, spent)
            part.name, part.checkpoints, part.watch = self.name, self.checkpoints, self.watch
            part.keep_held = len(chosen) > 1
            started = time.perf_counter()
            part.fit(data, seed=seed, progress=progress)
            self.parts[name] = part
            taken = {"seconds": round(time.perf_counter() - started, 1)}
            self.notes |= part.notes if len(chosen) == 1 else {name: part.notes | taken}
        self._learn_weights(data, met)
        self.cold = ColdItems.learn(data.items, met, users, codes, seed)
        self.item_ids = np.concatenate([met, self.cold.new_ids])
        self.notes |= self.cold.notes
        return self

    def update(self, data: TrainingData) -> dict[str, int]:
        """Take new items in by their attributes; new events of a user count as soon as they are in the history."""
        met = self.item_ids[: len(self.popularity)]
        counted = self.cold.add(data.items, met)
        self.item_ids = np.concatenate([met, self.cold.new_ids])
        return counted | {"new_events": 0, "events_left_aside": len(data.interactions)}

    def score(self, histories: Histories) -> np.ndarray:
        """Score items with events by the parts, new ones as the items most alike."""
        return self.cold.fill(self._known(histories))

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Parts that add up to the score where one linear model stands alone; else what each event's absence costs."""
        if len(self.parts) == 1 and item_code < len(self.popularity):
            found = next(iter(self.parts.values())).explain(self._met(history), item_code)
            return at_own_positions(found, history.items < len(self.popularity))
        return leave_one_out(self, history, item_code)

    def explain_attributes(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Attributes' parts in the parts' weighted scores; a new item's by what it shares with the items most alike.

        What a new item scores above the lowest item is split by the attributes it shares, in proportion; attributes
        of user and request count as they do for the items it resembles.
        """
        n = len(self.popularity)
        if item_code < n:
            return attribute_table(self._attributes_of(history, item_code))
        shared = self.cold.shared(item_code - n, self._known(history)[0])
        found = {(OF_ITEM, name): value for name, value in shared.items()}
        near = self.cold.near[[item_code - n]]
        for code, share in zip(near.indices, near.data, strict=True):
            for kind, name, value in self._attributes_of(history, int(code)):
                if kind != OF_ITEM:
                    found[kind, name] = found.get((kind, name), 0.0) + float(share) * value
        return attribute_table((kind, name, value) for (kind, name), value in found.items())

    def context_values(self) -> dict[str, list[str]]:
        """What the parts read of a request."""
        found: dict[str, list[str]] = {}
        for weight, part in zip(self.weights, self.parts.values(), strict=True):
            if weight > 0:
                found |= part.context_values()
        return found

    def similar(self, item_codes: np.ndarray) -> np.ndarray:
        """Score a history of just that item; a new item is related to what the items most alike are related to."""
        codes, n = np.asarray(item_codes, dtype=np.int64), len(self.popularity)
        found, new = super().similar(codes), np.flatnonzero(codes >= n)
        if not len(new):
            return found
        near = self.cold.near[codes[new] - n]
        used, placed = np.unique(near.indices), np.diff(near.indptr) > 0
        if placed.any():
            found[new[placed]] = (near[:, used] @ super().similar(used))[placed]
        return found

    def state(self) -> dict[str, np.ndarray]:
        """Give every part's state, their weights, and what is known of new items."""
        arrays = {f"part/{n}/{what}": each for n, part in self.parts.items() for what, each in part.state().items()}
        arrays |= {f"cold/{what}": each for what, each in self.cold.state().items()}
        return arrays | {
            "parts": np.array(list(self.parts), dtype=str),
            "weights": self.weights,
            "popularity": self.popularity,
        }

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.popularity, self.weights = item_ids, state["popularity"], state["weights"]
        self.cold, self.parts = ColdItems.restore(under(state, "cold/")), {}
        met = item_ids[: len(self.popularity)]
        for name in map(str, state["parts"]):
            part = make_part(name, self.hyperparameters)
            part.name = self.name
            self.parts[name] = part.restore(met, under(state, f"part/{name}/"))
            if part.notes:
                self.notes["after_loading"] = {name: part.notes}
        return self

    def _learn_weights(self, data: TrainingData, met: np.ndarray) -> None:
        """Weigh the parts by events held out of all of them; alone, or with too few such events, the first counts."""
        self.weights = np.ones(1)
        if len(self.parts) == 1:
            return
        histories, _ = weigh(encode_histories(data.interactions, met), self.hyperparameters["event_weights"])
        held = hold(histories, len(met))
        if held is None:
            self.weights = np.full(len(self.parts), 1 / len(self.parts))
            self.notes["why"].append("Too few users with three events to learn weights from; all parts weigh alike.")
            return
        scores = [self._logarithm(name, part.held_scores) for name, part in self.parts.items()]
        self.weights, tried = learn_weights(scores, held.targets, held.seen)
        alone = [round(ndcg(each, held.targets, held.seen), 5) for each in scores]
        self.notes["blend"] = {
            "weights": dict(zip(self.parts, self.weights.round(4).tolist(), strict=True)),
            "held_events": len(held),
            "alone": dict(zip(self.parts, alone, strict=True)),
            "tried": tried,
        }
        for part in self.parts.values():
            part.held_scores = None

    def _attributes_of(self, history: Histories, code: int) -> list[tuple[str, str, float]]:
        """Kind, attribute and contribution in the weighted scores of the parts, for an item with events."""
        warm, found = self._met(history), []
        for weight, part in zip(self.weights, self.parts.values(), strict=True):
            if weight > 0:
                frame = part.explain_attributes(warm, code)
                values = float(weight) * frame["CONTRIBUTION"].to_numpy(dtype=np.float64)
                found += zip(frame["KIND"], frame["ATTRIBUTE"], values.tolist(), strict=True)
        return found

    def _known(self, histories: Histories) -> np.ndarray:
        """Scores of the items with events."""
        warm = self._met(histories)
        if len(self.parts) == 1:
            return next(iter(self.parts.values())).score(warm)
        total = np.zeros((len(histories), len(self.popularity)), dtype=np.float32)
        for weight, (name, part) in zip(self.weights, self.parts.items(), strict=True):
            if weight > 0:
                total += np.float32(weight) * self._logarithm(name, part.score(warm))
        counted, _ = weigh(warm, self.hyperparameters["event_weights"])
        total[np.diff(counted.offsets) == 0] = np.log(self.popularity + 1e-9)
        return total

    def _logarithm(self, name: str, scores: np.ndarray) -> np.ndarray:
        return as_logarithm(scores) if name == CLOSED else scores

    def _met(self, histories: Histories) -> Histories:
        """The histories without events of items that were new at the fit; no part has a place for them."""
        kept = histories.items < len(self.popularity)
        if kept.all():
            return histories
        before = np.concatenate([[0], np.cumsum(kept)])
        return Histories(
            user_ids=histories.user_ids,
            offsets=before[histories.offsets].astype(np.int64),
            items=histories.items[kept],
            times=histories.times[kept],
            columns={name: values[kept] for name, values in histories.columns.items()},
            unknown=histories.unknown + int((~kept).sum()),
            context=histories.context,
        )
