"""From scores to lists: the best `k` items of every history, in batches, with the same result on every machine."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from workbench.columns import ITEM_ID, RANK, SCORE, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe
from workbench.recipes.factor_order import allowed_mask
from workbench.recipes.fast_lists import top_factors
from workbench.recipes.selection import best

BATCH_SCORES = 8_000_000  # scores held at once: 32 MB of float32, small enough to stay quick


def top_k(
    recipe: Recipe,
    histories: Histories,
    k: int = 25,
    *,
    exclude_seen: bool = True,
    allowed: np.ndarray | None = None,
    progress: bool = False,
) -> pd.DataFrame:
    """Rank the catalogue for every history and keep the best `k` items.

    Args:
        recipe: fitted.
        histories: encoded with the recipe's `item_ids`.
        k: list length, at least 1.
        exclude_seen: whether items of the history are left out of its list.
        allowed: (n_items,) bool, items that may be listed; None allows all.
        progress: whether to show a progress bar.

    Returns:
        USER_ID, ITEM_ID, RANK (from 1), SCORE: rows in the order of the histories, best first. Equal scores are
        ordered by item code. A list is shorter than `k` where fewer items may be listed; a score of -inf is never
        listed.

    Raises:
        ValueError: `k` is below 1.
        RecipeError: `allowed` has the wrong length, or the recipe gave NaN.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, not {k}")
    n_items = len(recipe.item_ids)
    if hasattr(recipe, "item_factors"):
        seen = (histories.offsets, histories.items) if exclude_seen else None
        found = top_factors(recipe.factors(histories), recipe.item_factors, k, seen, allowed, progress)
        return _lists(recipe, histories, *found)
    barred = None if allowed is None else ~allowed_mask(allowed, n_items)
    size = max(1, BATCH_SCORES // max(1, n_items))
    rows, codes, values = [np.empty(0, np.int64)], [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for start in tqdm(range(0, len(histories), size), disable=not progress, desc="ranking", unit="batch"):
        batch = histories.rows(start, min(start + size, len(histories)))
        scores = _scores(recipe, batch)
        if barred is not None:
            scores[:, barred] = -np.inf
        if exclude_seen:
            scores[np.repeat(np.arange(len(batch)), np.diff(batch.offsets)), batch.items] = -np.inf
        found = best(scores, k)
        rows.append(found[0] + start)
        codes.append(found[1])
        values.append(found[2])
    return _lists(recipe, histories, np.concatenate(rows), np.concatenate(codes), np.concatenate(values))


def rank_given(
    recipe: Recipe, histories: Histories, candidates: Sequence[Sequence[str]], *, progress: bool = False
) -> pd.DataFrame:
    """Put the items that are given for each history into that history's order.

    Args:
        recipe: fitted.
        histories: encoded with the recipe's `item_ids`.
        candidates: one sequence of item ids a history, each item once; may be empty. Items of the history stay in.
        progress: whether to show a progress bar.

    Returns:
        USER_ID, ITEM_ID, RANK (from 1), SCORE: rows in the order of the histories, best first; equal scores keep the
        given order. Items the recipe does not know stand last, in the given order, with a SCORE of NaN, so that
        `lists["SCORE"].isna().sum()` counts them.

    Raises:
        RecipeError: not one sequence a history, an item is given twice, or the recipe gave NaN.

    Source: Amazon Personalize, GetPersonalizedRanking: unknown items are appended at the end.
    """
    if len(candidates) != len(histories):
        raise RecipeError(f"candidates must hold one list a user: {len(histories):,}, not {len(candidates):,}.")
    _refuse_twice(histories.user_ids, candidates)
    lengths = np.array([len(each) for each in candidates], dtype=np.int64)
    items = np.array([str(item) for each in candidates for item in each], dtype=object)
    rows, codes = np.repeat(np.arange(len(histories)), lengths), pd.Index(recipe.item_ids).get_indexer(items)
    values = np.full(len(items), np.nan, dtype=np.float32)
    size = max(1, BATCH_SCORES // max(1, len(recipe.item_ids)))
    for start in tqdm(range(0, len(histories), size), disable=not progress, desc="ranking", unit="batch"):
        stop = min(start + size, len(histories))
        first, last = np.searchsorted(rows, [start, stop])
        known = first + np.flatnonzero(codes[first:last] >= 0)
        if len(known):
            values[known] = _scores(recipe, histories.rows(start, stop))[rows[known] - start, codes[known]]
    order = np.lexsort((-values, rows))  # stable, and NaN stands behind every number
    first_of = np.concatenate([[0], np.cumsum(lengths)])[rows]
    return pd.DataFrame(
        {
            USER_ID: pd.array(histories.user_ids[rows], dtype="str"),
            ITEM_ID: pd.array(items[order], dtype="str"),
            RANK: np.arange(len(rows)) - first_of + 1,
            SCORE: values[order],
        }
    )


def _refuse_twice(user_ids: np.ndarray, candidates: Sequence[Sequence[str]]) -> None:
    for user, items in zip(user_ids, candidates, strict=True):
        if len(set(items)) == len(items):
            continue
        places: dict[str, int] = {}
        for place, item in enumerate(items, start=1):
            if item in places:
                raise RecipeError(
                    f"the list of user {user!r} holds item {item!r} at place {places[item]} and again at place "
                    f"{place}; each item may stand once."
                )
            places[item] = place


def _scores(recipe: Recipe, batch: Histories) -> np.ndarray:
    """Score a batch into an array that may be changed here."""
    scores = np.array(recipe.score(batch), dtype=np.float32)
    if np.isnan(scores.sum()) and np.isnan(scores).any():
        row = int(np.flatnonzero(np.isnan(scores).any(axis=1))[0])
        raise RecipeError(f"{recipe.name or type(recipe).__name__} gave NaN for user {batch.user_ids[row]!r}.")
    return scores


def _lists(
    recipe: Recipe, histories: Histories, rows: np.ndarray, codes: np.ndarray, values: np.ndarray
) -> pd.DataFrame:
    first = np.searchsorted(rows, rows)  # where each row's list starts
    return pd.DataFrame(
        {
            USER_ID: pd.array(histories.user_ids, dtype="str").take(rows),
            ITEM_ID: pd.array(recipe.item_ids, dtype="str").take(codes),
            RANK: np.arange(len(rows)) - first + 1,
            SCORE: values,
        }
    )
