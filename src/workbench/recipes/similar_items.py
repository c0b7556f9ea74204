"""Similar items: related by the users they share and by what they are, so that new items have relations too."""

from typing import Any, Self

import numpy as np
import pandas as pd
import psutil
from scipy import sparse
from tqdm.auto import tqdm

from workbench.columns import ITEM_ID, TIMESTAMP
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe, TrainingData
from workbench.recipes.explaining import OF_ITEM, attribute_table
from workbench.recipes.neighbours import chosen_by, history_weights, past_items, popularity_filler
from workbench.recipes.popularity import encode
from workbench.recipes.related_choice import choose, held_out_steps
from workbench.recipes.related_content import Content, learn_weights, read_content
from workbench.recipes.related_pairs import BLOCK, Pairs, in_rows, row_blocks, strength, strongest
from workbench.recipes.related_update import Settings, take_in

COLD = 5  # Personalize calls an item with fewer events cold
BYTES_A_NEIGHBOUR = 60  # of one kept pair, with what sorting needs
BYTES_AN_ITEM = 4_000  # of vectors and ids
BYTES_A_LOOK = 40  # of one pair while a block is looked at


class SimilarItems(Recipe):
    """Item-to-item relations from co-interactions and from the attributes and texts of the items table.

    With c users who chose both items, n_i and n_j users of each, d = popularity_discount_factor, and p the
    co-interaction that items alike in their attributes have (see `related_content`),

        related(i -> j) = (c + m * p) / (n_i ** (1 - d) * n_j ** d + m),   m = shrinkage

    So attributes count as m further users: they decide alone for an item without events, weigh more than half while
    items have fewer than about m, and fade as events come in. p and m are learned from the training data; m may be
    given.

    A history's score is the sum over its distinct items, each times history_decay per step back. Items without any
    relation follow by popularity, from -1 to 0, so an unknown item or user gets popular items.
    """

    family = "neighbours"

    def __init__(self, **hyperparameters: Any):
        self.hyperparameters = dict(hyperparameters)
        self.notes: dict[str, Any] = {}

    def fit(self, data: TrainingData, *, seed: int = 0, progress: bool = False) -> Self:
        """Count co-interactions, learn what attributes foretell, and keep every item's strongest relations.

        Raises:
            RecipeError: there are no events, or it would need more memory than is free; says which setting helps.
        """
        users, codes, event_ids = encode(data.interactions)
        self.item_ids = _all_ids(event_ids, data.items)
        self._check_memory()
        codes = pd.Index(self.item_ids, dtype="object").get_indexer(event_ids)[codes]
        order = np.argsort(data.interactions[TIMESTAMP].to_numpy(dtype=np.int64), kind="stable")
        events = pd.DataFrame({"user": users[order], "item": codes[order]})
        self.content = read_content(data.items, self.item_ids, seed)
        self._note_items(codes, data.items)
        self._learn(events, data.items, seed)
        chooses, left_out = chosen_by(events, len(self.item_ids))
        self.notes["events_beyond_pair_limit"] = left_out
        self.chosen = np.diff(chooses.tocsc().indptr).astype(np.float32)
        self._build(chooses, progress)
        self._relate()
        return self

    def score(self, histories: Histories) -> np.ndarray:
        """Add up the relations of a history's distinct items; the rest follows by popularity, below zero."""
        weights = history_weights(histories, len(self.item_ids), self.hyperparameters["history_decay"])
        scores = (weights @ self.related).toarray()
        return np.where(scores > 0, scores, popularity_filler(self.chosen))

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        """List the history's items that are related to the item; `reasons` says why two items are related."""
        weights = history_weights(history, len(self.item_ids), self.hyperparameters["history_decay"])
        return past_items(history, self.item_ids, weights, self.related, item_code)

    def explain_attributes(self, history: Histories, item_code: int) -> pd.DataFrame:
        """Split what attributes add to the relations of the history's items with the item; exact.

        The rest of the score is due to users who chose both.
        """
        if self.content is None:
            return attribute_table([])
        weights = history_weights(history, len(self.item_ids), self.hyperparameters["history_decay"])
        codes = weights.indices
        kept = np.asarray(self.related[codes, [item_code] * len(codes)]).ravel() > 0 if len(codes) else codes > 0
        codes = codes[kept]
        times = strength(
            np.zeros(len(codes)),
            np.ones(len(codes)),
            self.chosen[codes],
            self.chosen[item_code],
            shrinkage=self.shrinkage,
            discount=self.hyperparameters["popularity_discount_factor"],
        )
        found = self.content.split(self.content.vectors[[item_code]], codes, weights.data[kept] * times)
        return attribute_table((OF_ITEM, name, value) for name, value in found.items())

    def reasons(self, item_code: int, related_code: int) -> pd.DataFrame:
        """Say why one item is related to another: the users they share, and the attributes they have in common.

        Returns:
            REASON ("users who chose both", a feature such as "GENRES=Comedy", the column of a number, or "attributes"
            in a very large catalogue), SHARE (part of the relation's strength; all rows together 1), largest first.
            Empty where the two are not related.
        """
        row = slice(*self.pairs.indptr[item_code : item_code + 2])
        place = np.flatnonzero(self.pairs.columns[row] == related_code)
        parts: dict[str, float] = {}
        if len(place):
            parts["users who chose both"] = float(self.pairs.shared[row][place[0]])
            if self.content is not None:
                common = self.content.in_common(item_code, related_code)
                parts |= {name: self.shrinkage * part for name, part in common.items()}
        frame = pd.DataFrame({"REASON": list(parts), "SHARE": np.array(list(parts.values()), dtype=np.float64)})
        frame = frame[frame["SHARE"] > 0]
        frame = frame.assign(SHARE=frame["SHARE"] / frame["SHARE"].sum())
        return frame.sort_values("SHARE", ascending=False, kind="stable", ignore_index=True)

    def update(self, data: TrainingData) -> dict[str, int]:
        """Take in new items by their attributes, and the co-interactions among the new events.

        New items come after the known ones in `item_ids`. A user's earlier events are not in the model, so only pairs
        within the new events count; another fit counts all.

        Returns:
            "new_items", "changed_items" (known ones with a new row of attributes), "new_events", "events_repeated",
            "new_items_without_relation".
        """
        before = len(self.item_ids)
        taken = take_in(self.item_ids, self.chosen, self.pairs, self.content, data, self._settings())
        self.item_ids, self.chosen, self.pairs = taken.item_ids, taken.chosen, taken.pairs
        self._relate()
        alone = int((np.diff(self.related.indptr)[before:] == 0).sum())
        return taken.counted | {"new_items_without_relation": alone}

    def state(self) -> dict[str, np.ndarray]:
        """Give the pairs, the users of every item, the shrinkage, and what is known of attributes."""
        arrays = {"chosen": self.chosen, "shrinkage": np.array([self.shrinkage])}
        arrays |= {f"pairs.{name}": array for name, array in self.pairs.state().items()}
        if self.content is not None:
            arrays |= {f"content.{name}": array for name, array in self.content.state().items()}
        return arrays

    def restore(self, item_ids: np.ndarray, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.item_ids, self.chosen, self.shrinkage = item_ids, state["chosen"], float(state["shrinkage"][0])
        self.pairs = Pairs.restore(_under(state, "pairs."))
        content = _under(state, "content.")
        self.content = Content.restore(content) if content else None
        self._relate()
        return self

    def _settings(self) -> Settings:
        given = self.hyperparameters
        return Settings(self.shrinkage, given["popularity_discount_factor"], given["neighbours"])

    def _check_memory(self) -> None:
        """Refuse what would not fit, before it is begun."""
        n, most = len(self.item_ids), self.hyperparameters["neighbours"]
        needed = n * (min(most, n) * BYTES_A_NEIGHBOUR + BYTES_AN_ITEM) + max(BLOCK, n) * BYTES_A_LOOK
        free = psutil.virtual_memory().available
        self.notes = {"predicted_memory_gb": round(needed / 1e9, 2)}
        if needed > free:
            raise RecipeError(
                f"similar-items would need about {needed / 1e9:.1f} GB for {most:,} neighbours of each of {n:,} items; "
                f"{free / 1e9:.1f} GB are free. Lower neighbours, or leave items out of the items table."
            )

    def _note_items(self, codes: np.ndarray, items: pd.DataFrame | None) -> None:
        counts = np.bincount(codes, minlength=len(self.item_ids))
        self.notes |= {
            "items_without_events": int((counts == 0).sum()),
            "cold_items": int((counts < COLD).sum()),
            "attributes": "no items table" if items is None else [] if self.content is None else self.content.columns,
        }
        if self.content is not None:
            self.notes["features"] = dict(self.content.space.notes)

    def _learn(self, events: pd.DataFrame, items: pd.DataFrame | None, seed: int) -> None:
        """Settle the shrinkage and the columns' weights: without held-out events first, then with all of them."""
        given = self.hyperparameters
        d, blocks = given["popularity_discount_factor"], []
        steps = held_out_steps(events, len(self.item_ids), seed)
        early = chosen_by(events.drop(index=steps.rows), len(self.item_ids))[0]
        if self.content is not None:
            blocks = self.content.blocks(items, self.item_ids)
            learn_weights(self.content, blocks, early.T.tocsr(), d, seed)
            self.content.place(items, self.item_ids, seed)
        found = choose(
            early,
            self.content,
            steps,
            shrinkage=given["shrinkage"],
            attribute_weight=given["attribute_weight"],
            discount=d,
        )
        self.shrinkage = float(found["shrinkage"])
        self.notes |= found
        if self.content is not None:
            chooses = chosen_by(events, len(self.item_ids))[0]
            self.notes |= learn_weights(self.content, blocks, chooses.T.tocsr(), d, seed)
            self.content.weights = self.content.weights * found["attribute_weight"]
            self.content.place(items, self.item_ids, seed)
            self.notes["vectors_shortened"] = self.content.shorten is not None

    def _build(self, chooses: sparse.csr_matrix, progress: bool) -> None:
        """Look at every pair of items, block by block, and keep the strongest of every item."""
        how, n = self._settings(), len(self.item_ids)
        by_item = chooses.T.tocsr()
        blocks = []
        for rows in tqdm(list(row_blocks(n, n)), disable=not progress, desc="related items", unit="block"):
            shared = (by_item[rows] @ chooses).toarray()
            foreseen = np.zeros_like(shared) if self.content is None else self.content.against_all(rows)
            values = strength(
                shared, foreseen, self.chosen[rows, None], self.chosen, shrinkage=how.shrinkage, discount=how.discount
            )
            values[np.arange(len(rows)), rows] = 0.0
            at = strongest(values, how.neighbours)
            blocks.append((rows[at[0]].astype(np.int32), at[1].astype(np.int32), shared[at], foreseen[at]))
        self.pairs = in_rows(*(np.concatenate(each) for each in zip(*blocks, strict=True)), n)

    def _relate(self) -> None:
        self.related = self.pairs.related(
            self.chosen, self.shrinkage, self.hyperparameters["popularity_discount_factor"]
        )
        self.notes["related_pairs"] = int(self.related.nnz)
        self.notes["items_without_relation"] = int((np.diff(self.related.indptr) == 0).sum())


def _all_ids(event_ids: np.ndarray, items: pd.DataFrame | None) -> np.ndarray:
    """Ids of events and of the items table, sorted as text."""
    if items is None:
        return event_ids
    listed = items[ITEM_ID].dropna().to_numpy(dtype=object)
    return np.array(sorted({*event_ids, *listed}), dtype=object)


def _under(state: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
