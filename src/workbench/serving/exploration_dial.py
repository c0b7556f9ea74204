"""The exploration dial: the lists of the same users at several weights, and what each weight gives and takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from workbench.errors import ServingError
from workbench.serving.recommender import Recommender
from workbench.serving.responses import EXPLORATION

if TYPE_CHECKING:
    import pandas as pd


def dial(
    recommender: Recommender, user_ids: Sequence[str], weights: Sequence[float], *, num_results: int = 10, seed: int = 0
) -> "pd.DataFrame":
    """Ask for the lists of some users at every weight.

    Args:
        recommender: of a campaign.
        user_ids: at least one.
        weights: of exploration, 0 to 1 each.
        num_results: places of every list.
        seed: of exploration; the same seed gives the same table as long as the campaign stays the same.

    Returns:
        One row a weight, in the order given: WEIGHT; LISTS; SHARE of all places that explore; NEW_SHOWN, different
        items that stand in an explored place; ITEMS, different items in all lists; GIVEN_UP, the mean over the lists
        of the share of relevance that exploration cost (see `relevance`).

    Raises:
        ServingError: there are no users or weights, or a weight is outside 0 to 1.
    """
    import pandas as pd

    if not len(user_ids) or not len(weights):
        raise ServingError(
            f"The dial was given {len(user_ids):,} users and {len(weights):,} weights; give at least one of each."
        )
    rows = [_at(recommender, user_ids, float(weight), num_results, seed) for weight in weights]
    return pd.DataFrame(rows)


def _at(recommender: Recommender, user_ids: Sequence[str], weight: float, places: int, seed: int) -> dict[str, float]:
    filled = explored = lists = 0
    given_up, new, listed = 0.0, set(), set()
    for response in recommender.recommend_many(user_ids, exploration_weight=weight, num_results=places, seed=seed):
        found = [each.item_id for each in response.items if EXPLORATION in each.reason]
        lists, filled, explored = lists + 1, filled + len(response.items), explored + len(found)
        given_up += response.relevance.given_up if response.relevance is not None else 0.0
        new.update(found)
        listed.update(response.item_ids)
    return {
        "WEIGHT": weight,
        "LISTS": lists,
        "SHARE": explored / filled if filled else 0.0,
        "NEW_SHOWN": len(new),
        "ITEMS": len(listed),
        "GIVEN_UP": given_up / lists,
    }
