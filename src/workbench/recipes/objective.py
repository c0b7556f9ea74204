"""An objective beside relevance: lists that trade what a user likes against what an item earns."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from workbench.columns import ITEM_ID, RANK, SCORE, USER_ID
from workbench.errors import RecipeError, meant, nearest

SENSITIVITIES = {"OFF": 0.0, "LOW": 0.25, "MEDIUM": 0.5, "HIGH": 0.75}  # weight of the reward
SPELLINGS = {"itemAttribute": "column", "objectiveSensitivity": "sensitivity"}  # Personalize's names
CANDIDATES = 4  # times the list's length: so many most relevant items are weighed against each other


@dataclass(frozen=True)
class Objective:
    """What else lists should be good for.

    column: a numeric column of the items table, such as PRICE or MARGIN; more is better.
    sensitivity: OFF, LOW, MEDIUM (relevance and reward count alike) or HIGH.
    """

    column: str
    sensitivity: str = "OFF"

    @property
    def weight(self) -> float:
        """Share of the reward in the blended score, 0 to 1."""
        return SENSITIVITIES[self.sensitivity]

    def settings(self) -> dict[str, Any]:
        """What a solution version keeps, for whoever makes lists from it."""
        return {
            "column": self.column,
            "sensitivity": self.sensitivity,
            "weight": self.weight,
            "candidates_per_place": CANDIDATES,
        }


def read_objective(given: Mapping[str, Any] | None) -> Objective | None:
    """Read an objective from settings.

    Args:
        given: {"column": "PRICE", "sensitivity": "MEDIUM"}, or Personalize's names itemAttribute and
            objectiveSensitivity; the sensitivity in any case. None, or nothing but empty text: no objective.

    Raises:
        RecipeError: an unknown name, no column, or an unknown sensitivity.
    """
    if given is None:
        return None
    if not isinstance(given, Mapping):
        raise RecipeError(f"objective must be a mapping such as {{'column': 'PRICE'}}, not {given!r}.")
    values: dict[str, Any] = {}
    for name, value in given.items():
        own = SPELLINGS.get(name, name)
        if own not in SPELLINGS.values():
            raise RecipeError(f"objective has no setting {name!r}.{nearest(name, SPELLINGS.values())}")
        if own in values:
            raise RecipeError(f"objective: {own} is given twice; {name!r} is another name of it. Give it once.")
        values[own] = value
    values = {name: value for name, value in values.items() if value not in (None, "")}
    if not values:
        return None
    column, sensitivity = values.get("column"), str(values.get("sensitivity", "OFF")).upper()
    if not isinstance(column, str) or not column:
        raise RecipeError(f"objective={dict(given)} names no column; add 'column': a numeric column of the items.")
    if sensitivity not in SENSITIVITIES:
        raise RecipeError(f"objective: there is no sensitivity {sensitivity!r}.{nearest(sensitivity, SENSITIVITIES)}")
    return Objective(column, sensitivity)


def item_rewards(items: pd.DataFrame | None, column: str) -> pd.Series:
    """Read what each item earns.

    Args:
        items: one row per ITEM_ID.
        column: numeric, complete, 0 or more, not the same for all.

    Returns:
        Float64 indexed by ITEM_ID; the first row of an id counts.

    Raises:
        RecipeError: says what is wrong with the column and what to do.

    Source: Amazon Personalize, `optimizationObjective`: a numeric column without nulls. That it must not be below 0
    is ours: the metric of rewards is a share of their sum.
    """
    if items is None:
        raise RecipeError(f"objective: {column!r} is to be a column of the items, and there are no items. Add them.")
    if column not in items.columns or column == ITEM_ID:
        numeric = [name for name in items.columns if pd.api.types.is_numeric_dtype(items[name])]
        close = meant(column, items.columns.drop(ITEM_ID, errors="ignore"))
        raise RecipeError(
            f"objective: the items have no column {column!r}.{close} Numeric ones: {', '.join(numeric) or 'none'}."
        )
    values = items[column]
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        example = f", such as {values.iloc[0]!r}" if len(values) else ""
        raise RecipeError(
            f"objective: {column} must be numeric; it is {values.dtype}{example}. Cast it in the flow (step cast)."
        )
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    _refuse_values(numbers, items[ITEM_ID], column)
    earned = pd.Series(numbers, index=pd.Index(items[ITEM_ID], name=ITEM_ID), name=column)
    return earned[~earned.index.duplicated()]


def apply_objective(scores: np.ndarray, rewards: np.ndarray, weight: float) -> np.ndarray:
    """Blend the relevance of candidates with what they earn.

    Both are turned into percentile ranks among a user's candidates, 0 for the least and 1 for the most, ties at their
    mean, so neither the scale of the model's scores nor that of the reward matters:

        blended = (1 - weight) * rank(score) + weight * rank(reward)

    Args:
        scores: (n_users, n_candidates) or (n_candidates,); -inf where there is no candidate, which stays so. Give only
            items worth showing: among the whole catalogue a high reward would lift items of no relevance.
        rewards: (n_candidates,) or like `scores`.
        weight: 0 to 1.

    Returns:
        Float64 like `scores`, 0 to 1; the scores themselves when weight is 0.

    Raises:
        RecipeError: the weight is outside 0 to 1, shapes differ, or a reward is no number.
    """
    if not 0 <= weight <= 1:
        raise RecipeError(f"objective: the weight of the reward must lie between 0 and 1, not {weight!r}.")
    scores = np.asarray(scores, dtype=np.float64)
    rewards = np.asarray(rewards, dtype=np.float64)
    if rewards.shape not in (scores.shape, scores.shape[-1:]):
        raise RecipeError(f"objective: {rewards.shape} rewards do not fit scores of shape {scores.shape}.")
    rewards = np.broadcast_to(rewards, scores.shape)
    barred = ~(scores > -np.inf)
    if not np.isfinite(rewards[~barred]).all():
        raise RecipeError("objective: a candidate's reward is no number; see item_rewards.")
    if weight == 0 or not scores.size:
        return scores.copy()
    blended = (1 - weight) * _percentiles(scores, barred) + weight * _percentiles(rewards, barred)
    return np.where(barred, -np.inf, blended)


def trade(candidates: pd.DataFrame, rewards: pd.Series, weight: float, k: int) -> tuple[pd.DataFrame, int]:
    """Re-order each user's most relevant items by relevance and reward, and keep the best.

    Args:
        candidates: USER_ID, ITEM_ID, RANK, SCORE as `ranking.top_k` gives them, longer than `k`.
        rewards: of `item_rewards`. An item without a row in it counts as earning the least that any item earns.
        weight: of the reward, 0 to 1.
        k: length of the new lists.

    Returns:
        USER_ID, ITEM_ID, RANK, SCORE (blended), and how many candidates had no reward of their own. Equal scores keep
        the order of relevance.
    """
    if candidates.empty:
        return candidates, 0
    users = pd.factorize(candidates[USER_ID])[0]
    places = candidates[RANK].to_numpy() - 1
    own = rewards.reindex(candidates[ITEM_ID]).to_numpy()
    missing = np.isnan(own)
    shape = (users.max() + 1, places.max() + 1)
    scores, earned = np.full(shape, -np.inf), np.zeros(shape)
    scores[users, places] = candidates[SCORE].to_numpy()
    earned[users, places] = np.where(missing, rewards.min(), own)
    blended = apply_objective(scores, earned, weight)[users, places]
    order = np.lexsort((places, -blended, users))
    first = np.searchsorted(users[order], users[order])
    lists = candidates.iloc[order].assign(**{RANK: np.arange(len(order)) - first + 1, SCORE: blended[order]})
    return lists[lists[RANK] <= k].reset_index(drop=True), int(missing.sum())


def _percentiles(values: np.ndarray, barred: np.ndarray) -> np.ndarray:
    """Rank each row's values that are not barred between 0 (least) and 1 (most), ties at their mean."""
    ranks = rankdata(np.where(barred, -np.inf, values), axis=-1) - barred.sum(axis=-1, keepdims=True) - 1
    counts = (~barred).sum(axis=-1, keepdims=True)
    return ranks / np.maximum(1, counts - 1)


def _refuse_values(numbers: np.ndarray, ids: pd.Series, column: str) -> None:
    """Refuse a reward that is missing, infinite, below 0, or the same for every item."""
    wrong = ~np.isfinite(numbers)
    if wrong.any():
        first = ids.iloc[int(np.flatnonzero(wrong)[0])]
        raise RecipeError(
            f"objective: {column} has no finite number in {int(wrong.sum()):,} of {len(numbers):,} rows, the first for "
            f"item {first!r}. Fill or drop them in the flow (step fill_missing or drop_missing)."
        )
    if (numbers < 0).any():
        first = int(np.flatnonzero(numbers < 0)[0])
        raise RecipeError(
            f"objective: {column} is below 0 in {int((numbers < 0).sum()):,} rows, the first {numbers[first]:g} for "
            f"item {ids.iloc[first]!r}; a reward is 0 or more. Clip it, or add a constant, in the flow."
        )
    if len(np.unique(numbers)) < 2:
        value = f"{numbers[0]:g} for every item" if len(numbers) else "empty"
        raise RecipeError(f"objective: {column} is {value}, so no item earns more than another. Choose another column.")
