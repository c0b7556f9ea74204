"""Fit one recipe on one side of a split and judge its lists by the other."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, USER_ID
from workbench.errors import ParameterError
from workbench.evaluation.catalogue_metrics import catalogue, item_features, list_traits
from workbench.evaluation.intervals import summarise
from workbench.evaluation.metrics import KS, per_user
from workbench.evaluation.splits import Split
from workbench.recipes.catalog import build
from workbench.recipes.contract import Histories, Recipe, TrainingData, encode_histories
from workbench.recipes.memory import MemoryGrowth
from workbench.recipes.ranking import top_k


@dataclass(frozen=True)
class Evaluation:
    """A fitted recipe and what its lists are worth.

    recipe: fitted on the split's train part.
    hyperparameters: complete, with defaults.
    lists: USER_ID, ITEM_ID, RANK, SCORE for every held-out user.
    per_user: indexed by USER_ID, one column per metric, NaN where a metric is undefined for a user.
    summary: METRIC, MEAN, LOW, HIGH, USERS.
    catalogue: metrics of all lists together.
    timings: seconds of "fit" and "score" (all lists).
    notes: what fit and scoring counted: fallback users, truth that no list can hit, the recipe's own notes.
    memory: GB by which this process grew at most while fitting and making lists; see `memory.MemoryGrowth`.
    """

    name: str
    hyperparameters: dict[str, Any]
    recipe: Recipe
    lists: pd.DataFrame
    per_user: pd.DataFrame
    summary: pd.DataFrame
    catalogue: dict[str, float]
    timings: dict[str, float]
    notes: dict[str, Any]
    memory: float = float("nan")


def fit_and_score(
    recipe_name: str,
    hyperparameters: Mapping[str, Any] | None,
    split: Split,
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    *,
    k: int = 25,
    seed: int = 0,
    exclude_seen: bool = True,
    watch: Callable[[int, float], None] | None = None,
    progress: bool = False,
    checkpoints: Path | None = None,
) -> Evaluation:
    """Fit a recipe on a split's train part, make lists for its held-out users, and score them.

    Args:
        recipe_name, hyperparameters, split: see `catalog.build` and `evaluation.splits`.
        items, users: the group's other tables; None when there are none.
        k: list length; metrics are cut at 5, 10 and 25 as far as `k` allows, and at `k` itself.
        seed: of the fit and of the bootstrap.
        exclude_seen: leave items of a user's history out of the list. Held-out repeats can then not be hit; the notes
            count them.
        watch: told the values that the recipe reports while it trains, see `contract.Recipe`; may raise to end the fit.
        progress: show bars.
        checkpoints: folder where a long fit leaves its state and goes on from; None leaves none.

    Returns:
        The evaluation. A held-out user whose history holds no item the recipe knows gets the recipe's fallback list;
        `notes["fallback_users"]` and `["fallback_share"]` count them.

    Raises:
        RecipeError: an unknown recipe or a wrong hyperparameter, or the recipe cannot work with the data.
        ValueError: `k` is below 1.
    """
    cuts = metric_cuts(k)
    recipe = build(recipe_name, hyperparameters)
    recipe.watch, recipe.checkpoints = watch, checkpoints
    asked = split.held_out[USER_ID].unique()
    clock = time.perf_counter()
    with MemoryGrowth() as growth:
        recipe.fit(TrainingData(split.train, items, users), seed=seed, progress=progress)
        fitted = time.perf_counter()
        histories = encode_histories(split.history, recipe.item_ids, asked)
        lists = top_k(recipe, histories, k, exclude_seen=exclude_seen, progress=progress)
    scored = time.perf_counter()
    scores = score_lists(lists, split, items, cuts)
    return Evaluation(
        name=recipe.name,
        hyperparameters=recipe.hyperparameters,
        recipe=recipe,
        lists=lists,
        per_user=scores,
        summary=summarise(scores, seed),
        catalogue=catalogue(lists, split.train, items=items, history=split.history, users=asked, k=k),
        timings={"fit": fitted - clock, "score": scored - fitted},
        notes=_notes(recipe, histories, split, items, exclude_seen),
        memory=growth.gb,
    )


def metric_cuts(k: int) -> list[int]:
    """List cuts that lists of length k allow: those of Personalize up to k, and k itself."""
    if k < 1:
        raise ParameterError(f"top_k must be at least 1, not {k}: a list without places cannot be judged.")
    return sorted({each for each in KS if each <= k} | {k})


def score_lists(lists: pd.DataFrame, split: Split, items: pd.DataFrame | None, cuts: list[int]) -> pd.DataFrame:
    """Ranking metrics of every held-out user, then novelty, popularity and diversity of the lists."""
    ranked = per_user(lists, split.held_out, cuts)
    return ranked.join(list_traits(lists, split.train, items, cuts, users=ranked.index))


def _notes(
    recipe: Recipe, histories: Histories, split: Split, items: pd.DataFrame | None, exclude_seen: bool
) -> dict[str, Any]:
    empty = int((np.diff(histories.offsets) == 0).sum())
    features = None if items is None else item_features(items)
    notes = {
        "items": len(recipe.item_ids),
        "fallback_users": empty,
        "fallback_share": empty / max(1, len(histories)),
        "history_events_of_unknown_items": histories.unknown,
        "exclude_seen": exclude_seen,
        "held_out_events_out_of_reach": _out_of_reach(recipe, split, exclude_seen),
        "diversity_from": [] if features is None else features[2],
    }
    return notes | {"recipe": dict(recipe.notes)}


def _out_of_reach(recipe: Recipe, split: Split, exclude_seen: bool) -> int:
    """Held-out events that no list can hit: items the recipe does not know, or ones left out as seen."""
    unknown = ~split.held_out[ITEM_ID].isin(recipe.item_ids)
    if exclude_seen:
        return int(unknown.sum()) + split.notes["held_out_events_repeating_the_history"]
    return int(unknown.sum())
