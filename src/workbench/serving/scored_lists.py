"""The most relevant items of one user or of many under a mask, through whichever path of the recipe is quick.

Where every score is a product of factors, one user's list comes from an index of the items and many users' lists from
blocks of products; all are multiplied again in one fixed order, so a list is the same to the last bit alone or among
others. Other recipes score all items of a history. Their last digits may depend on who stands beside a history in a
block, so a list whose order could hang on them is scored alone: the order never depends on the block.
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe
from workbench.recipes.factor_index import FactorIndex
from workbench.recipes.factor_order import products
from workbench.recipes.fast_lists import top_factors
from workbench.recipes.selection import best

BLOCK_SCORES = 8_000_000  # scores of one block: 32 MB
CERTAIN = 1e-4  # of the range of a list's scores; closer ones could change places with another block
PER_PLACE = 4  # candidates a place that an objective weighs against each other


@dataclass(frozen=True, eq=False)
class Reward:
    """What an objective adds to relevance.

    column: of the items, such as PRICE.
    weight: of the reward, 0 to 1.
    values: (n_items,) float64, finite.
    """

    column: str
    weight: float
    values: np.ndarray


@dataclass(frozen=True, eq=False)
class Scored:
    """Lists of one or many histories, best first, equal scores by item code.

    rows: (m,) which history, ascending.
    codes: (m,) item codes.
    scores: (m,) float32; blended ones from 0 to 1 where an objective took part.
    traded: places that hold another item because of the objective.
    """

    rows: np.ndarray
    codes: np.ndarray
    scores: np.ndarray
    traded: int = 0

    def split(self, n_rows: int) -> list["Scored"]:
        """One list a history, without copying; what was traded is known of all together alone."""
        cuts = np.searchsorted(self.rows, np.arange(n_rows + 1))
        return [Scored(self.rows[a:b], self.codes[a:b], self.scores[a:b]) for a, b in pairwise(cuts)]


class Scorer:
    """A fitted recipe, laid out to be asked again and again."""

    def __init__(self, recipe: Recipe, reward: Reward | None = None):
        """Lay the item factors out, where the recipe has them.

        Args:
            recipe: fitted.
            reward: what the solution's objective adds; None lists by relevance alone.
        """
        self.recipe, self.n_items = recipe, len(recipe.item_ids)
        self.reward = reward if reward is not None and reward.weight > 0 else None
        self.by_factors = getattr(recipe, "item_factors", None) is not None
        if self.by_factors:
            self.index  # noqa: B018  laid out now, not while the first request waits

    @cached_property
    def index(self) -> FactorIndex:
        """The items by the length of their factors."""
        return FactorIndex(self.recipe.item_factors)

    def ask(self, history: Histories) -> "Question":
        """Score one user, for lists under any masks and for single items.

        Args:
            history: exactly one row.

        Raises:
            RecipeError: the recipe gave NaN.
        """
        return Question(self, self.recipe.factors(history) if self.by_factors else self.scores(history))

    def top_many(
        self,
        histories: Histories,
        k: int,
        allowed: np.ndarray | None = None,
        barred: tuple[np.ndarray, np.ndarray] | None = None,
    ) -> Scored:
        """List many users' best items; each list is the one that `ask(history).top` gives.

        Args:
            histories: any number of rows.
            k: places, at least 1.
            allowed: (n_items,) bool for all users alike, or (n_users, n_items).
            barred: offsets (n_users + 1) and item codes that each user may not get.
        """
        wanted = self.wanted(k)
        if allowed is not None and allowed.ndim == 2:
            allowed, barred = _as_barred(allowed, barred)
        if self.by_factors:
            found = Scored(
                *top_factors(self.recipe.factors(histories), self.recipe.item_factors, wanted, barred, allowed)
            )
        else:
            found = self._blocks(histories, wanted, allowed, barred)
        return self.traded(found, k)

    def wanted(self, k: int) -> int:
        """How many candidates a list of `k` places is chosen from."""
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        return k if self.reward is None else PER_PLACE * k

    def scores(self, histories: Histories) -> np.ndarray:
        """Score all items into an array of our own."""
        scores = np.array(self.recipe.score(histories), dtype=np.float32)
        if np.isnan(scores.sum()) and np.isnan(scores).any():
            row = int(np.flatnonzero(np.isnan(scores).any(axis=1))[0])
            name = self.recipe.name or type(self.recipe).__name__
            raise RecipeError(f"{name} gave NaN for user {histories.user_ids[row]!r}. Train it again.")
        return scores

    def _blocks(
        self,
        histories: Histories,
        k: int,
        allowed: np.ndarray | None,
        barred: tuple[np.ndarray, np.ndarray] | None,
    ) -> Scored:
        size, parts = max(1, BLOCK_SCORES // max(1, self.n_items)), []
        offsets, codes = (np.zeros(len(histories) + 1, np.int64), np.empty(0, np.int64)) if barred is None else barred
        for start in range(0, len(histories), size):
            stop = min(start + size, len(histories))
            block = histories.rows(start, stop)
            scores = barred_out(self.scores(block), allowed)
            own = slice(offsets[start], offsets[stop])
            owner = np.repeat(np.arange(stop - start), np.diff(offsets[start : stop + 1]))
            scores[owner, codes[own]] = -np.inf
            for row in self._uncertain(scores, k):
                bars = codes[offsets[start + row] : offsets[start + row + 1]]
                scores[row] = barred_out(self.scores(block.rows(row, row + 1)), allowed, bars)[0]
            rows, listed, values = best(scores, k)
            parts.append((rows + start, listed, values))
        empty = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
        return Scored(*(np.concatenate(each) for each in zip(empty, *parts, strict=True)))

    def _uncertain(self, scores: np.ndarray, k: int) -> np.ndarray:
        """Find the rows in which two of the best k + 1 scores are so close that rounding could change the order."""
        if len(scores) == 1:
            return np.empty(0, dtype=np.int64)  # it is alone already
        n = min(k + 1, scores.shape[1])
        top = -np.sort(-np.partition(scores, scores.shape[1] - n, axis=1)[:, scores.shape[1] - n :], axis=1)
        top = np.where(np.isfinite(top), top, np.nan).astype(np.float64)
        size = np.nanmax(np.abs(top), axis=1, initial=0.0)
        with np.errstate(invalid="ignore"):
            return np.flatnonzero((-np.diff(top, axis=1) <= CERTAIN * size[:, None]).any(axis=1))

    def traded(self, found: Scored, k: int) -> Scored:
        """Order each list's candidates by relevance and reward and keep the best k."""
        if self.reward is None or not len(found.codes):
            return found
        from workbench.recipes.objective import apply_objective  # scipy.stats is slow to import

        starts = np.searchsorted(found.rows, found.rows)
        places = np.arange(len(found.rows)) - starts
        shape = (found.rows[-1] + 1, places.max() + 1)
        scores, earned = np.full(shape, -np.inf), np.zeros(shape)
        scores[found.rows, places] = found.scores
        earned[found.rows, places] = self.reward.values[found.codes]
        blended = apply_objective(scores, earned, self.reward.weight)[found.rows, places]
        order = np.lexsort((places, -blended, found.rows))
        kept = order[places < k]  # places count from 0 within every row, before and after
        moved = int((found.codes[order] != found.codes)[places < k].sum())
        return Scored(found.rows[kept], found.codes[kept], blended[kept].astype(np.float32), moved)


class Question:
    """One user's scores, computed once and asked several times: for the list, for promotions, for given items."""

    def __init__(self, scorer: Scorer, scored: np.ndarray):
        """Take a user's vector (1, width), or all scores (1, n_items)."""
        self.scorer, self.scored = scorer, scored

    def top(self, k: int, allowed: np.ndarray | None = None, barred: np.ndarray | None = None) -> Scored:
        """List the best items.

        Args:
            k: places, at least 1.
            allowed: (n_items,) bool, items that may be listed; None allows all. Not written into.
            barred: item codes that may not be listed, such as those of the history.
        """
        wanted = self.scorer.wanted(k)
        if self.scorer.by_factors:
            codes, scores = self.scorer.index.top(self.scored[0], wanted, allowed, barred)
        else:
            _, codes, scores = best(barred_out(self.scored.copy(), allowed, barred), wanted)
        return self.scorer.traded(Scored(np.zeros(len(codes), dtype=np.int64), codes, scores), k)

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Score given items: (len(codes),) float32, the same as in a list by relevance alone."""
        if not self.scorer.by_factors:
            return self.scored[0, codes]
        vector = np.ascontiguousarray(self.scored, dtype=np.float32)
        codes = np.asarray(codes, dtype=np.int64)
        return products(vector, np.zeros(len(codes), dtype=np.int64), self.scorer.recipe.item_factors, codes)


def barred_out(scores: np.ndarray, allowed: np.ndarray | None, barred: np.ndarray | None = None) -> np.ndarray:
    """Set the scores of items that may not be listed to -inf, in place, for all rows alike."""
    if allowed is not None:
        np.copyto(scores, -np.inf, where=~allowed)
    if barred is not None:
        scores[:, barred] = -np.inf
    return scores


def _as_barred(
    allowed: np.ndarray, barred: tuple[np.ndarray, np.ndarray] | None
) -> tuple[np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Turn a mask a user into one mask for all and what each user may not get besides."""
    common = allowed.any(axis=0)
    own = common & ~allowed
    if barred is not None:
        offsets, codes = barred
        own[np.repeat(np.arange(len(allowed)), np.diff(offsets)), codes] = True
    rows, codes = np.nonzero(own)
    return common, (np.searchsorted(rows, np.arange(len(allowed) + 1)), codes)
