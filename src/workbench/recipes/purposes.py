"""Judge a recipe by what it is for, beyond the metrics of every list: rewards, trends foretold, given lists ordered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from workbench.columns import USER_ID
from workbench.evaluation.splits import Split
from workbench.recipes.catalog_entry import RANKING, Entry
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.objective import CANDIDATES, Objective
from workbench.recipes.objective_evaluation import candidates_of, objective_curve, with_objective
from workbench.recipes.ranking import top_k
from workbench.recipes.reranking import rerank
from workbench.recipes.scoring import Evaluation, metric_cuts
from workbench.recipes.trend_backtest import TRENDING, backtest

TREND_ACCURACY = "trend_prediction_accuracy"  # Personalize's key
CURVE, TRENDS, GIVEN_LISTS = "objective_curve", "trend_backtest", "given_lists"
POPULAR = "popularity-count"


@dataclass(frozen=True)
class Judged:
    """Evaluations by name, now with what the purpose asks for, and tables to show: name to table."""

    evaluations: dict[str, Evaluation]
    tables: dict[str, pd.DataFrame]


def judge_purpose(
    row: Entry,
    hyperparameters: Mapping[str, Any],
    evaluations: dict[str, Evaluation],
    split: Split,
    data: TrainingData,
    objective: Objective | None,
    *,
    k: int,
    seed: int,
    exclude_seen: bool,
) -> Judged:
    """Add what an objective, a trend recipe or a ranking recipe is judged by.

    Args:
        row, hyperparameters: of the trained recipe.
        evaluations: the trained recipe first, then the baselines.
        data: all events, for the trends of the past; the items, for rewards.
        objective: replaces the trained recipe's lists by traded ones; baselines stay as they are.
        k: list length.

    Returns:
        With an objective, every evaluation's `catalogue` gains average_rewards_at_k and a table "objective_curve" comes
        out; trending-now gains trend_prediction_accuracy, the mean over past windows, and "trend_backtest"; a ranking
        recipe "given_lists": the 4 k most popular items of every user in its order against the order by popularity.
    """
    found, tables = dict(evaluations), {}
    if row.use_case == RANKING and POPULAR in evaluations:
        tables[GIVEN_LISTS] = _given_lists(evaluations, row.name, split, k, seed, exclude_seen)
    if row.name == "trending-now":
        tables[TRENDS] = backtest(data.interactions, hyperparameters, k=k)
        accuracy = float(tables[TRENDS][TRENDING].mean()) if len(tables[TRENDS]) else float("nan")
        trained = found[row.name]
        found[row.name] = replace(trained, catalogue=trained.catalogue | {TREND_ACCURACY: accuracy})
    if objective:
        for name, each in found.items():
            candidates = candidates_of(each, split, k, exclude_seen)
            wanted = objective if name == row.name else Objective(objective.column)
            found[name] = with_objective(each, wanted, split, data.items, candidates, k=k, seed=seed)
            if name == row.name:
                tables[CURVE] = objective_curve(
                    each, split, data.items, objective.column, k=k, seed=seed, candidates=candidates
                )
    return Judged(found, tables)


def _given_lists(
    evaluations: dict[str, Evaluation], name: str, split: Split, k: int, seed: int, exclude_seen: bool
) -> pd.DataFrame:
    popular = evaluations[POPULAR].recipe
    histories = encode_histories(split.history, popular.item_ids, split.held_out[USER_ID].unique())
    given = top_k(popular, histories, CANDIDATES * k, exclude_seen=exclude_seen)
    return rerank(evaluations[name].recipe, given, split, ks=metric_cuts(k), seed=seed).differences
