"""Items related to one: GetRecommendations with an itemId."""

import numpy as np

from workbench.recipes.contract import Histories
from workbench.recipes.selection import best
from workbench.serving.admission import Admitted
from workbench.serving.scored_lists import Scored, barred_out
from workbench.serving.served import Served


class RelatedTo:
    """Relevance by relation to one item; of an item that the model does not know, by popularity."""

    def __init__(self, served: Served, code: int, admitted: Admitted, promoted: tuple[Admitted, ...]):
        """Ask the recipe once.

        Args:
            served: what answers.
            code: of the item, as the recipe numbers it; below 0 or beyond its items: popular ones.
            admitted, promoted: which items may be listed, and promoted.
        """
        self.admitted, self.promoted, self.code = admitted, promoted, code
        self.known = 0 <= code < served.scorer.n_items
        if self.known:
            self.scores = np.array(served.related_recipe.similar(np.array([code])), dtype=np.float32)
        else:
            self.scores = served.snapshot.popularity[: served.scorer.n_items].astype(np.float32)[None]

    def history(self) -> Histories:
        """A history of just that item, empty when the recipe does not know it."""
        items = np.array([self.code] if self.known else [], dtype=np.int32)
        ids = np.empty(1, dtype=object)
        ids[0] = ""
        return Histories(ids, np.array([0, len(items)], dtype=np.int64), items, np.zeros(len(items), dtype=np.int64))

    def notices(self, item_id: str) -> tuple[str, ...]:
        """Say where there is nothing that items could be related by."""
        if self.known:
            return ()
        what = "is unknown" if self.code < 0 else "is new to the model"
        return (f"Item {item_id!r} {what}, so nothing is related to it; the order is by popularity.",)

    def order(self, k: int) -> Scored:
        """The best `k` items that may be listed, equal ones by code."""
        rows, codes, _ = best(barred_out(self.scores.copy(), self.admitted.allowed, self.admitted.barred_scored), k)
        return Scored(rows, codes, self.of(codes))

    def promotable(self, number: int, k: int) -> np.ndarray:
        """Codes of the best `k` items of a promotion."""
        whose = self.promoted[number]
        return best(barred_out(self.scores.copy(), whose.allowed, whose.barred_scored), k)[1]

    def of(self, codes: np.ndarray) -> np.ndarray:
        """The strength of the relation to given items; NaN where popularity alone makes the order."""
        return self.scores[0, codes] if self.known else np.full(len(codes), np.nan, dtype=np.float32)
