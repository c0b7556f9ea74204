"""What re-ranking is worth: a given list in the recipe's order against the same list as it was given."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from workbench.columns import ITEM_ID, RANK, USER_ID
from workbench.errors import RecipeError
from workbench.evaluation.intervals import paired_summary
from workbench.evaluation.metrics import KS, per_user
from workbench.evaluation.splits import Split
from workbench.recipes.contract import Recipe, encode_histories
from workbench.recipes.ranking import rank_given


@dataclass(frozen=True)
class Reranking:
    """Lists of a fixed content in two orders, judged by what the users chose next.

    lists: USER_ID, ITEM_ID, RANK, SCORE in the recipe's order.
    given, ranked: per-user metrics before and after.
    differences: METRIC, GIVEN (mean as given), RANKED (mean in the recipe's order), DIFFERENCE, LOW, HIGH, USERS, P,
        READING ("higher": the recipe's order is better).
    unknown_items: places of the given lists whose item the recipe does not know.
    """

    lists: pd.DataFrame
    given: pd.DataFrame
    ranked: pd.DataFrame
    differences: pd.DataFrame
    unknown_items: int


def rerank(
    recipe: Recipe, given: pd.DataFrame, split: Split, *, ks: Sequence[int] = KS, seed: int = 0, progress: bool = False
) -> Reranking:
    """Judge a recipe that orders lists.

    The metrics are those of any list, but no recipe can add an item to it, so only the order is judged. Users without a
    given list have nothing to order and are left aside.

    Args:
        recipe: fitted on `split.train`.
        given: USER_ID, ITEM_ID, RANK: search results, impressions, or another recipe's lists.
        split: its history and its held-out events.
        ks: list cuts.
        seed: of the intervals.

    Raises:
        RecipeError: no held-out user has a given list, or a list holds an item twice.
    """
    truth = split.held_out[split.held_out[USER_ID].isin(given[USER_ID].unique())]
    if truth.empty:
        raise RecipeError(
            f"None of the {split.held_out[USER_ID].nunique():,} held-out users has a given list to order."
        )
    users = truth[USER_ID].unique()
    ordered = given[given[USER_ID].isin(users)].sort_values([USER_ID, RANK], kind="stable")
    by_user = ordered.groupby(USER_ID)[ITEM_ID].agg(list)
    histories = encode_histories(split.history, recipe.item_ids, users)
    lists = rank_given(recipe, histories, [by_user[user] for user in users], progress=progress)
    before, after = per_user(ordered, truth, ks), per_user(lists, truth, ks)
    gaps = paired_summary(after, before, seed)
    gaps.insert(1, "GIVEN", before.mean()[gaps["METRIC"]].to_numpy())
    gaps.insert(2, "RANKED", after.mean()[gaps["METRIC"]].to_numpy())
    return Reranking(lists, before, after, gaps, int(lists["SCORE"].isna().sum()))
