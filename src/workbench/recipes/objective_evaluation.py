"""What an objective costs and brings: relevance against reward, on the same users."""

import dataclasses
from collections.abc import Sequence

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, METRIC, USER_ID
from workbench.evaluation.catalogue_metrics import catalogue
from workbench.evaluation.intervals import summarise
from workbench.evaluation.metrics import per_user
from workbench.evaluation.purpose_metrics import rewards_per_user
from workbench.evaluation.splits import Split
from workbench.recipes.contract import encode_histories
from workbench.recipes.objective import CANDIDATES, SENSITIVITIES, Objective, item_rewards, trade
from workbench.recipes.ranking import top_k
from workbench.recipes.scoring import Evaluation, metric_cuts, score_lists

AVERAGE_REWARDS = "average_rewards_at_k"  # Personalize's key
JUDGED = 2  # times k: the longer lists whose k best paying places average_rewards_at_k looks at
GRID = tuple(sorted({*SENSITIVITIES.values(), *(step / 10 for step in range(11))}))
MEASURES = ("NDCG", "AVERAGE_REWARDS", "MEAN_REWARD", "EARNED")


def candidates_of(evaluation: Evaluation, split: Split, k: int, exclude_seen: bool = True) -> pd.DataFrame:
    """List the most relevant items of every held-out user, four times k: what an objective may choose from."""
    recipe = evaluation.recipe
    histories = encode_histories(split.history, recipe.item_ids, split.held_out[USER_ID].unique())
    return top_k(recipe, histories, CANDIDATES * k, exclude_seen=exclude_seen)


def with_objective(
    evaluation: Evaluation,
    objective: Objective,
    split: Split,
    items: pd.DataFrame,
    candidates: pd.DataFrame,
    *,
    k: int = 25,
    seed: int = 0,
) -> Evaluation:
    """Judge the lists that an objective makes of a recipe's candidates.

    Args:
        evaluation: of the recipe on `split`, without an objective.
        candidates: of `candidates_of`.

    Returns:
        The evaluation with the traded lists and their metrics; `catalogue` gains average_rewards_at_k, and `notes` the
        listed items without a reward of their own.
    """
    rewards = item_rewards(items, objective.column)
    lists, missing = trade(candidates, rewards, objective.weight, k)
    scores = score_lists(lists, split, items, metric_cuts(k))
    described = catalogue(
        lists, split.train, items=items, history=split.history, users=split.held_out[USER_ID].unique(), k=k
    )
    found = _measure(candidates, rewards, objective.weight, split, k)["AVERAGE_REWARDS"]
    return dataclasses.replace(
        evaluation,
        lists=lists,
        per_user=scores,
        summary=summarise(scores, seed),
        catalogue=described | {AVERAGE_REWARDS: float(found.mean()) if found.notna().any() else 0.0},
        notes=evaluation.notes | {"candidates_without_reward": missing},
    )


def objective_curve(
    evaluation: Evaluation,
    split: Split,
    items: pd.DataFrame | None,
    column: str,
    *,
    weights: Sequence[float] = GRID,
    k: int = 25,
    seed: int = 0,
    exclude_seen: bool = True,
    candidates: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Trade relevance for reward, step by step.

    Args:
        evaluation: of the recipe on `split`; only its recipe is used.
        items, column: see `objective.item_rewards`.
        weights: of the reward, each 0 to 1.
        k: list length. The lists are made from the 4 k most relevant items.
        seed: of the intervals.
        candidates: of `candidates_of`, where they are there already.

    Returns:
        One row a weight: WEIGHT, SENSITIVITY (OFF, LOW, MEDIUM, HIGH or ""), K, USERS, and with _LOW and _HIGH each:
        NDCG (at 10, or at k when smaller), AVERAGE_REWARDS (average_rewards_at_k on lists of 2 k places, over users who
        made a reward), MEAN_REWARD (of the k listed items), EARNED (reward of the hits among the k places, a user).

    Raises:
        RecipeError: the column cannot be a reward.
    """
    rewards = item_rewards(items, column)
    if candidates is None:
        candidates = candidates_of(evaluation, split, k, exclude_seen)
    names = {weight: name for name, weight in SENSITIVITIES.items()}
    rows = []
    for weight in weights:
        found = _measure(candidates, rewards, weight, split, k)
        summary = summarise(found, seed).set_index(METRIC)
        row = {"WEIGHT": float(weight), "SENSITIVITY": names.get(weight, ""), "K": k, "USERS": len(found)}
        for name in MEASURES:
            ends = summary.loc[name, ["MEAN", "LOW", "HIGH"]].tolist()
            row |= dict(zip((name, f"{name}_LOW", f"{name}_HIGH"), ends, strict=True))
        rows.append(row)
    return pd.DataFrame(rows)


def _measure(candidates: pd.DataFrame, rewards: pd.Series, weight: float, split: Split, k: int) -> pd.DataFrame:
    """Relevance and reward of every held-out user's list at one weight, indexed by USER_ID; NaN where undefined."""
    longer, _ = trade(candidates, rewards, weight, JUDGED * k)
    listed = longer[ITEM_ID].unique()
    known = rewards.reindex(rewards.index.union(listed)).fillna(rewards.min())
    short = longer[longer["RANK"] <= k]
    cut = min(10, k)
    ndcg = per_user(short, split.held_out, [cut])[f"normalized_discounted_cumulative_gain_at_{cut}"]
    truth = split.held_out[[USER_ID, ITEM_ID]].drop_duplicates()
    hits = short.merge(truth, on=[USER_ID, ITEM_ID])
    by_user = {
        "AVERAGE_REWARDS": rewards_per_user(longer, split.held_out, known, k),
        "MEAN_REWARD": _of_items(short, known).groupby(short[USER_ID]).mean(),
        "EARNED": _of_items(hits, known).groupby(hits[USER_ID]).sum().reindex(ndcg.index, fill_value=0.0),
    }
    return pd.DataFrame({"NDCG": ndcg} | {name: values.reindex(ndcg.index) for name, values in by_user.items()})


def _of_items(lists: pd.DataFrame, rewards: pd.Series) -> pd.Series:
    return pd.Series(rewards.reindex(lists[ITEM_ID]).to_numpy(dtype=np.float64), index=lists.index)
