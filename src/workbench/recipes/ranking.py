"""From scores to lists: the best `k` items of every history, in batches, with the same result on every machine."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from workbench.columns import ITEM_ID, RANK, SCORE, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import Histories, Recipe

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
    barred = _barred(allowed, n_items)
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


def best(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the `k` largest finite scores of every row, ties by the lower column.

    Args:
        scores: (n_rows, n_items), -inf where an item may not be listed.
        k: at least 1.

    Returns:
        Row, column and score of every listed entry, rows ascending and best first within a row.
    """
    n_rows, n_items = scores.shape
    if n_items > k:
        border = np.partition(scores, n_items - k, axis=1)[:, n_items - k, None]
        chosen = scores >= border
        crowded = np.flatnonzero(chosen.sum(axis=1) > k)  # more entries tie at the border than there are places
        if len(crowded):
            above = scores[crowded] > border[crowded]
            tied = chosen[crowded] & ~above
            places = k - above.sum(axis=1, keepdims=True)
            chosen[crowded] = above | (tied & (np.cumsum(tied, axis=1, dtype=np.int32) <= places))
        rows, columns = np.nonzero(chosen)
    else:
        rows, columns = np.divmod(np.arange(n_rows * n_items), max(1, n_items))
    values = scores[rows, columns]
    order = np.lexsort((-values, rows))  # stable, so columns stay ascending among equal scores
    order = order[values[order] > -np.inf]
    return rows[order], columns[order], values[order]


def _barred(allowed: np.ndarray | None, n_items: int) -> np.ndarray | None:
    if allowed is None:
        return None
    mask = np.asarray(allowed)
    if mask.shape != (n_items,) or mask.dtype != bool:
        raise RecipeError(
            f"allowed must be one true or false per item: {n_items} values, not {mask.dtype} of shape {mask.shape}."
        )
    return ~mask


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
            USER_ID: pd.array(histories.user_ids[rows], dtype="str"),
            ITEM_ID: pd.array(recipe.item_ids[codes], dtype="str"),
            RANK: np.arange(len(rows)) - first + 1,
            SCORE: values,
        }
    )
