"""How well trending-now foretold the past: the list of every moment against what rose right after it."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID
from workbench.evaluation.purpose_metrics import trend_prediction_accuracy
from workbench.recipes.catalog import build
from workbench.recipes.recent_events import RecentEvents
from workbench.recipes.trending import TrendingNow

TRENDING, MOST_CHOSEN, ALL_TIME = "TRENDING_NOW", "MOST_CHOSEN_BEFORE", "MOST_CHOSEN_EVER"


def backtest(
    events: pd.DataFrame, hyperparameters: Mapping[str, Any] | None = None, *, k: int = 25, windows: int = 10
) -> pd.DataFrame:
    """Go back window by window, make the list of that moment, and see whether its items rose in the window after.

    Args:
        events: ITEM_ID, TIMESTAMP, USER_ID.
        hyperparameters: of trending-now.
        k: how many listed and how many truly rising items count.
        windows: how many of the newest windows to foretell, at most.

    Returns:
        One row a window, oldest first: STARTS_AFTER (epoch seconds), EVENTS_BEFORE, EVENTS, and the trend prediction
        accuracy of three lists made from what was known then: TRENDING_NOW, MOST_CHOSEN_BEFORE (events of the window
        before alone), MOST_CHOSEN_EVER. Windows without an event, or with none before, are left out; no row when the
        log is too short.
    """
    recipe: TrendingNow = build("trending-now", hyperparameters)
    recent = RecentEvents.of(events, windows * recipe.window + recipe.horizon)
    rows = []
    for number in range(windows, 0, -1):
        border = recent.newest - number * recipe.window
        before = recent.between(border - recipe.window, border)
        after = recent.between(border, border + recipe.window)
        if before.any() and after.any():
            rows.append((int(border), *_judge(recipe, recent, before, after, border, k)))
    return pd.DataFrame(rows, columns=["STARTS_AFTER", "EVENTS_BEFORE", "EVENTS", TRENDING, MOST_CHOSEN, ALL_TIME])


def _judge(
    recipe: TrendingNow, recent: RecentEvents, before: np.ndarray, after: np.ndarray, border: float, k: int
) -> tuple:
    totals = recent.totals - recent.count(recent.times > border)
    trend = recipe.at(recent, recent.times[before].max(), totals)  # the recipe's clock is the newest event it knows
    known = np.flatnonzero(totals)
    tables = [pd.DataFrame({ITEM_ID: recent.items[part]}) for part in (before, after)]
    found = []
    for scores in (trend.scores, recent.count(before), totals):
        listed = known[np.argsort(-scores[known], kind="stable")]
        found.append(trend_prediction_accuracy(pd.Series(listed[:k]), *tables, k=k))
    return (int(before.sum()), int(after.sum()), *found)
