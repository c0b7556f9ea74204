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
from workbench.serving.snapshot import DeployedObjective

BLOCK_SCORES = 8_000_000  # scores of one block: 32 MB
BLOCK_USERS = 8_192  # where no scores are held
CERTAIN = 1e-4  # of a list's largest score; closer ones could change places in another block

Barred = tuple[np.ndarray, np.ndarray]  # offsets (n_users + 1) and item codes


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

    def __init__(self, recipe: Recipe, objective: DeployedObjective | None = None):
        """Lay the item factors out, where the recipe has them.

        Args:
            recipe: fitted.
            objective: of the solution; None lists by relevance alone.
        """
        self.recipe, self.n_items = recipe, len(recipe.item_ids)
        self.objective = objective if objective is not None and objective.weight > 0 else None
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

    def ask_many(self, histories: Histories) -> "Block":
        """Score a block of users; for recipes without factors all scores of the block are held at once.

        Args:
            histories: any number of rows; `rows_at_once` says how many are good to ask for.

        Raises:
            RecipeError: the recipe gave NaN.
        """
        return Block(self, histories, self.recipe.factors(histories) if self.by_factors else self.scores(histories))

    @property
    def rows_at_once(self) -> int:
        """How many users to score in a block."""
        return BLOCK_USERS if self.by_factors else max(1, BLOCK_SCORES // max(1, self.n_items))

    def wanted(self, k: int) -> int:
        """How many candidates a list of `k` places is chosen from."""
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        return k if self.objective is None else self.objective.candidates * k

    def scores(self, histories: Histories) -> np.ndarray:
        """Score all items into an array of our own."""
        scores = np.array(self.recipe.score(histories), dtype=np.float32)
        if np.isnan(scores.sum()) and np.isnan(scores).any():
            row = int(np.flatnonzero(np.isnan(scores).any(axis=1))[0])
            name = self.recipe.name or type(self.recipe).__name__
            raise RecipeError(f"{name} gave NaN for user {histories.user_ids[row]!r}. Train it again.")
        return scores

    def traded(self, found: Scored, k: int) -> Scored:
        """Order each list's candidates by relevance and reward and keep the best k."""
        if self.objective is None or not len(found.codes):
            return found
        from workbench.recipes.objective import apply_objective  # scipy.stats is slow to import

        starts = np.searchsorted(found.rows, found.rows)
        places = np.arange(len(found.rows)) - starts
        shape = (found.rows[-1] + 1, places.max() + 1)
        scores, earned = np.full(shape, -np.inf), np.zeros(shape)
        scores[found.rows, places] = found.scores
        earned[found.rows, places] = self.objective.rewards[found.codes]
        blended = apply_objective(scores, earned, self.objective.weight)[found.rows, places]
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


class Block:
    """Many users' scores, asked several times; every list is the one that the user's `Question` gives."""

    def __init__(self, scorer: Scorer, histories: Histories, scored: np.ndarray):
        """Take the users' vectors (n_users, width), or all their scores (n_users, n_items)."""
        self.scorer, self.histories, self.scored = scorer, histories, scored

    def question(self, row: int) -> Question:
        """One user's scores, to ask for given items."""
        return Question(self.scorer, self.scored[row : row + 1])

    def top(self, k: int, allowed: np.ndarray | None = None, barred: Barred | None = None) -> Scored:
        """List many users' best items.

        Args:
            k: places, at least 1.
            allowed: (n_items,) bool for all users alike, or (n_users, n_items).
            barred: offsets (n_users + 1) and item codes that each user may not get.
        """
        wanted = self.scorer.wanted(k)
        if allowed is not None and allowed.ndim == 2:
            allowed, barred = _as_barred(allowed, barred)
        if self.scorer.by_factors:
            factors = self.scorer.recipe.item_factors
            return self.scorer.traded(Scored(*top_factors(self.scored, factors, wanted, barred, allowed)), k)
        offsets, codes = barred if barred is not None else (np.zeros(len(self.scored) + 1, np.int64), [])
        scores = barred_out(self.scored.copy(), allowed)
        scores[np.repeat(np.arange(len(scores)), np.diff(offsets)), codes] = -np.inf
        for row in self._uncertain(scores, wanted):
            self.scored[row] = self.scorer.scores(self.histories.rows(row, row + 1))[0]
            own = codes[offsets[row] : offsets[row + 1]]
            scores[row] = barred_out(self.scored[row : row + 1].copy(), allowed, own)[0]
        return self.scorer.traded(Scored(*best(scores, wanted)), k)

    @staticmethod
    def _uncertain(scores: np.ndarray, k: int) -> np.ndarray:
        """Find the rows in which two of the best k + 1 scores are so close that rounding could change the order."""
        if len(scores) == 1:
            return np.empty(0, dtype=np.int64)  # it is alone already
        n = min(k + 1, scores.shape[1])
        top = np.sort(np.partition(scores, scores.shape[1] - n, axis=1)[:, scores.shape[1] - n :], axis=1)
        top = np.where(np.isfinite(top), top, np.nan).astype(np.float64)
        size = np.nanmax(np.abs(top), axis=1, initial=0.0)
        return np.flatnonzero((np.diff(top, axis=1) <= CERTAIN * size[:, None]).any(axis=1))


def barred_out(scores: np.ndarray, allowed: np.ndarray | None, barred: np.ndarray | None = None) -> np.ndarray:
    """Set the scores of items that may not be listed to -inf, in place, for all rows alike."""
    if allowed is not None:
        np.copyto(scores, -np.inf, where=~allowed)
    if barred is not None:
        scores[:, barred] = -np.inf
    return scores


def _as_barred(allowed: np.ndarray, barred: Barred | None) -> tuple[np.ndarray, Barred]:
    """Turn a mask a user into one mask for all and what each user may not get besides."""
    common = allowed.any(axis=0)
    own = common & ~allowed
    if barred is not None:
        offsets, codes = barred
        own[np.repeat(np.arange(len(allowed)), np.diff(offsets)), codes] = True
    rows, codes = np.nonzero(own)
    return common, (np.searchsorted(rows, np.arange(len(allowed) + 1)), codes)
