"""Single users to look at: what they did, what they are recommended, what they did next, and why the item came up."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, RANK, SCORE, TIMESTAMP, USER_ID
from workbench.errors import RecipeError, nearest
from workbench.evaluation.splits import Split
from workbench.recipes.contract import Histories, Recipe, encode_histories
from workbench.recipes.explaining import OF_ITEM
from workbench.recipes.scoring import Evaluation

TITLE_NAMES = ("TITLE", "NAME", "ITEM_NAME", "PRODUCT_NAME", "ITEM_TITLE", "MOVIE_TITLE", "PRODUCT_TITLE")
HIT = "✓ chosen next"
NAMED = 5  # items chosen next that a sentence names
CAUSES = 2  # past items, and attributes, named as the reason of a recommendation


@dataclass(frozen=True)
class UserCard:
    """One held-out user.

    past: WHEN (UTC date), ITEM, newest first; only the newest ones.
    listed: RANK, ITEM, HIT ("✓ chosen next" or ""), SCORE, and BECAUSE OF (past items) and ATTRIBUTES where the recipe
        can tell.
    chosen: titles of what the user chose next, without repeats.
    past_events, hits: how many past events there are in all, and recommendations shown that were chosen.
    """

    user: str
    past: pd.DataFrame
    listed: pd.DataFrame
    chosen: tuple[str, ...]
    past_events: int
    hits: int

    @property
    def sentence(self) -> str:
        """Say in one line what the card shows and what the user chose next."""
        named = "; ".join(self.chosen[:NAMED]) + (" …" if len(self.chosen) > NAMED else "")
        return (
            f"User {self.user}: {self.hits} of {len(self.listed)} recommended items shown were chosen next. "
            f"Chosen next, {len(self.chosen):,} in all: {named}"
        )


def item_titles(items: pd.DataFrame | None) -> pd.Series:
    """What to call each item.

    Args:
        items: the items table or None. Its title column is the first of TITLE, NAME, ITEM_NAME … that it has.

    Returns:
        Titles indexed by ITEM_ID; empty where there is no title column, so that ids are shown instead.
    """
    if items is not None:
        by_name = {name.upper(): name for name in items.columns}
        for name in TITLE_NAMES:
            if name in by_name:
                return items.drop_duplicates(ITEM_ID).set_index(ITEM_ID)[by_name[name]].dropna()
    return pd.Series(dtype="str")


def pick_users(split: Split, count: int = 5, seed: int = 0) -> list[str]:
    """Draw held-out users to look at, in the order of the draw; all of them when there are not more than `count`."""
    users = np.sort(split.held_out[USER_ID].unique().astype(str))
    return [str(each) for each in np.random.default_rng(seed).permutation(users)[:count]]


def user_card(
    evaluation: Evaluation,
    split: Split,
    items: pd.DataFrame | None,
    user: str,
    *,
    past: int = 10,
    recommendations: int = 10,
) -> UserCard:
    """Put together what a person wants to see of one user.

    Args:
        evaluation: of `scoring.fit_and_score` on `split`.
        split: for the user's past and truth.
        items: for titles; None shows ids.
        user: a held-out user's id.
        past, recommendations: how many events and list places to show.

    Raises:
        RecipeError: the user is not held out.
    """
    truth = split.held_out[split.held_out[USER_ID] == user]
    if truth.empty:
        users = split.held_out[USER_ID].unique()
        raise RecipeError(f"User {user!r} is not among the {len(users):,} held-out users.{nearest(user, users[:20])}")
    titles = item_titles(items)
    history = split.history[split.history[USER_ID] == user]
    listed = evaluation.lists[evaluation.lists[USER_ID] == user].head(recommendations)
    hit = listed[ITEM_ID].isin(truth[ITEM_ID])
    table = pd.DataFrame(
        {
            RANK: listed[RANK].to_numpy(),
            "ITEM": called(listed[ITEM_ID], titles),
            "HIT": np.where(hit, HIT, ""),
            SCORE: listed[SCORE].to_numpy(dtype=float),
        }
    )
    reasons = because_of(evaluation.recipe, history, user, listed[ITEM_ID], titles)
    if any(reasons):
        table["BECAUSE OF"] = reasons
    attributes = by_attributes(evaluation.recipe, history, user, listed[ITEM_ID])
    if any(attributes):
        table["ATTRIBUTES"] = attributes
    chosen = tuple(called(truth[ITEM_ID].drop_duplicates(), titles))
    return UserCard(user, _past(history.tail(past), titles), table, chosen, len(history), int(hit.sum()))


def because_of(recipe: Recipe, history: pd.DataFrame, user: str, items: pd.Series, titles: pd.Series) -> list[str]:
    """Name the past items that moved each recommended item most, or what moves it for all; "" where neither is known.

    Args:
        recipe: fitted.
        history: the user's interactions.
        user: the user's id.
        items: recommended ITEM_IDs.
        titles: of `item_titles`.
    """
    row: Histories = encode_histories(history, recipe.item_ids, [user])
    codes = pd.Index(recipe.item_ids).get_indexer(items)
    reasons = []
    for code in codes:
        causes = recipe.explain(row, int(code)).head(CAUSES)
        causes = causes[causes["CONTRIBUTION"] > 0]
        reasons.append("; ".join(called(causes[ITEM_ID], titles)) or recipe.reason(int(code)))
    return reasons


def by_attributes(recipe: Recipe, history: pd.DataFrame, user: str, items: pd.Series) -> list[str]:
    """Name the attributes that raised each recommended item most; "" where none did.

    Args:
        recipe, history, user, items: as of `because_of`.

    Returns:
        Such as "GENRES=Comedy; AGE=25 (user)": without a word behind it, an attribute is the item's.
    """
    row: Histories = encode_histories(history, recipe.item_ids, [user])
    reasons = []
    for code in pd.Index(recipe.item_ids).get_indexer(items):
        causes = recipe.explain_attributes(row, int(code)).head(CAUSES)
        causes = causes[causes["CONTRIBUTION"] > 0]
        named = [
            name if kind == OF_ITEM else f"{name} ({kind})"
            for kind, name in zip(causes["KIND"], causes["ATTRIBUTE"], strict=True)
        ]
        reasons.append("; ".join(named))
    return reasons


def called(ids: pd.Series, titles: pd.Series) -> list[str]:
    """Titles of items, the id itself where there is none."""
    return [str(titles.get(each, each)) for each in ids]


def _past(history: pd.DataFrame, titles: pd.Series) -> pd.DataFrame:
    newest = history.iloc[::-1]
    when = pd.to_datetime(newest[TIMESTAMP], unit="s", errors="coerce").dt.strftime("%Y-%m-%d").to_list()
    return pd.DataFrame({"WHEN": when, "ITEM": called(newest[ITEM_ID], titles)})
