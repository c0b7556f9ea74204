"""What metrics are called where people read them; files and tables keep Personalize's keys."""

from collections.abc import Iterable

import pandas as pd

from workbench.columns import METRIC

SHORT = {
    "mean_reciprocal_rank": "MRR",
    "normalized_discounted_cumulative_gain": "NDCG",
    "precision": "precision",
    "recall": "recall",
    "hit_rate": "hit rate",
    "mean_average_precision": "MAP",
    "novelty": "novelty, bits",
    "average_popularity": "popularity of items",
    "diversity": "diversity in the list",
    "difference_between_users": "difference between users",
    "concentration": "concentration on few items",
    "popularity_bias": "popularity bias",
    "coverage": "coverage of items",
    "coverage_of_users": "coverage of users",
    "average_rewards": "average rewards",
    "trend_prediction_accuracy": "trend prediction accuracy",
}
MEANING = {
    "mean_reciprocal_rank": "1 / place of the first hit",
    "normalized_discounted_cumulative_gain": "hits, worth more near the top; 1 is the best possible list",
    "precision": "share of the list that was chosen next",
    "recall": "share of what was chosen next that the list holds",
    "hit_rate": "share of users with a hit in the list",
    "mean_average_precision": "precision at every hit, averaged",
    "novelty": "bits of surprise: an item that half of the users had gives 1, a quarter 2",
    "average_popularity": "share of users who had the listed items",
    "diversity": "1 minus the likeness of two items of a list",
    "difference_between_users": "share of the list that another user does not get",
    "concentration": "0: all items listed alike, 1: always the same",
    "popularity_bias": "0: as popular as what users chose themselves, 1: twice as popular",
    "coverage": "share of the catalogue in at least one list",
    "coverage_of_users": "share of users who got a full list",
    "average_rewards": "share of the reward of all hits that the best paying k places made",
    "trend_prediction_accuracy": "share of the rise after the list that its items made",
}


def short(key: str) -> str:
    """Call a metric by its short name: "normalized_discounted_cumulative_gain_at_10" is "NDCG at 10"."""
    name, _, cut = key.partition("_at_")
    return f"{SHORT.get(name, name.replace('_', ' '))} at {cut}" if cut else SHORT.get(name, name.replace("_", " "))


def meaning(key: str) -> str:
    """Say in a few words what a metric measures; "" for an unknown one."""
    return MEANING.get(key.partition("_at_")[0], "")


def pick(summary: pd.DataFrame, metrics: Iterable[str]) -> pd.DataFrame:
    """Keep the rows of some metrics, in the order asked for; those the table lacks are left out."""
    order = {name: position for position, name in enumerate(metrics)}
    kept = summary[summary[METRIC].isin(order)]
    return kept.sort_values(METRIC, key=lambda names: names.map(order), kind="stable").reset_index(drop=True)
