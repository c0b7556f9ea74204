"""Metrics of single purposes: rewards of an objective, trends found, users found for segments."""

import math

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, RANK, USER_ID
from workbench.evaluation.metrics import find_hits


def rewards_per_user(lists: pd.DataFrame, held_out: pd.DataFrame, rewards: pd.Series, k: int = 25) -> pd.Series:
    """Share of the reward a user made with recommended items that came from the k best paying recommendations.

    Args:
        lists: USER_ID, ITEM_ID, RANK; longer than k, else every share is 1.
        held_out: USER_ID, ITEM_ID of what the users did; repeats count once.
        rewards: what an interaction with an item earns, >= 0, indexed by ITEM_ID; a listed item must be in it.
        k: how many of the best paying recommendations count; equal rewards keep their rank order.

    Returns:
        Floats in [0, 1] indexed by USER_ID; users who made no reward with any recommended item are absent.

    Raises:
        ValueError: a negative or missing reward.

    Source: Amazon Personalize developer guide, "average_rewards_at_k".
    """
    value = rewards.reindex(lists[ITEM_ID]).to_numpy(dtype=float)
    if np.isnan(value).any() or (value < 0).any():
        worst = lists[ITEM_ID].to_numpy()[np.isnan(value) | (value < 0)][0]
        raise ValueError(f"item {worst!r} needs a reward of 0 or more; got {rewards.get(worst)}")
    table = lists[[USER_ID, ITEM_ID, RANK]].assign(REWARD=value)
    truth = held_out[[USER_ID, ITEM_ID]].drop_duplicates()
    table = table.merge(truth.assign(HIT=1.0), how="left", on=[USER_ID, ITEM_ID]).fillna({"HIT": 0.0})
    table = table.sort_values([USER_ID, "REWARD", RANK], ascending=[True, False, True], kind="stable")
    table["EARNED"] = table["REWARD"] * table["HIT"]
    table["BEST"] = table["EARNED"].where(table.groupby(USER_ID).cumcount() < k, 0.0)
    sums = table.groupby(USER_ID)[["BEST", "EARNED"]].sum().query("EARNED > 0")
    return (sums["BEST"] / sums["EARNED"]).rename("rewards_at_k")


def average_rewards_at_k(lists: pd.DataFrame, held_out: pd.DataFrame, rewards: pd.Series, k: int = 25) -> float:
    """Mean of `rewards_per_user`; 0.0 when nobody made a reward with a recommended item."""
    found = rewards_per_user(lists, held_out, rewards, k)
    return float(found.mean()) if len(found) else 0.0


def trend_prediction_accuracy(recommended: pd.Series, before: pd.DataFrame, after: pd.DataFrame, k: int = 25) -> float:
    """How much of the rise of the items that rose most was recommended in advance.

    Args:
        recommended: ITEM_ID of the one list shown to everybody, best first.
        before: ITEM_ID of the events of the window before the forecast.
        after: ITEM_ID of the events of the equally long window after it (the test data).
        k: how many recommended and how many truly rising items count.

    Returns:
        Summed rise (events after minus before, falls counting 0) of the first k recommended items, divided by that of
        the k items that rose most: 0 to 1, and 0.0 when nothing rose.

    Source: Amazon Personalize developer guide, "trend_prediction_accuracy".
    """
    rise = after[ITEM_ID].value_counts().sub(before[ITEM_ID].value_counts(), fill_value=0).clip(lower=0)
    best = rise.nlargest(k).sum()
    named = pd.unique(recommended)[:k]
    return float(rise.reindex(named).fillna(0.0).sum() / best) if best else 0.0


def segment_metrics(segments: pd.DataFrame, held_out: pd.DataFrame, n_users: int, share: float = 0.01) -> pd.DataFrame:
    """Judge user segments: who of the true users stands among the first K users of an item's segment.

    Args:
        segments: ITEM_ID, USER_ID, RANK counted from 1.
        held_out: ITEM_ID, USER_ID of the interactions that followed; repeats count once.
        n_users: number of all users; K = `share` of them, rounded up.
        share: 0.01, the top 1 % of users, unless told.

    Returns:
        Indexed by ITEM_ID, one row per item of `held_out`: `hit`, how many true users are among the first K, and
        `recall`, their share of all true users of the item. The metric is the mean of a column.

    Raises:
        ValueError: n_users below 1.

    Source: Amazon Personalize developer guide, "hit (hit at K)" and "recall (recall at K)".
    """
    if n_users < 1:
        raise ValueError(f"n_users must be at least 1, not {n_users}")
    swap = {USER_ID: ITEM_ID, ITEM_ID: USER_ID}
    hits = find_hits(segments.rename(columns=swap), held_out.rename(columns=swap), math.ceil(n_users * share))
    found = hits.matrix.sum(axis=1)
    return pd.DataFrame({"hit": found, "recall": found / hits.relevant}, index=pd.Index(hits.users, name=ITEM_ID))
