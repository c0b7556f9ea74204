"""What promotions cost: the lists of the same users with more and more of their places promoted."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.errors import ServingError
from workbench.serving.recommender import Recommender
from workbench.serving.requests import Promotion
from workbench.serving.responses import PROMOTED

if TYPE_CHECKING:
    import pandas as pd

MIDDLE = (10, 90)  # percentiles of the lists between which most of them lie


def promotion_cost(
    recommender: Recommender,
    user_ids: Sequence[str],
    promoted: str | None,
    percents: Sequence[int],
    *,
    values: Mapping[str, Any] | None = None,
    num_results: int = 10,
    seed: int = 0,
    **fields: Any,
) -> "pd.DataFrame":
    """Ask for the lists of some users at every percent promoted, without exploration.

    Args:
        recommender: of a campaign.
        user_ids: at least one.
        promoted: filter of the items to promote, a name or an expression; None for any item.
        percents: of the places, 0 to 100 each; 0 promotes nothing.
        values: of the parameters of `promoted`.
        num_results: places of every list.
        seed: of the places; the same seed gives the same table as long as the campaign stays the same.
        fields: further ones of the request, such as its own filter.

    Returns:
        One row a percent, in the order given: PERCENT; LISTS; PLACED, share of all places that hold a promoted item;
        GIVEN_UP, the mean over the lists of the share of relevance that promotions and caps cost (see `relevance`);
        LOW and HIGH, its 10th and 90th percentile.

    Raises:
        ServingError: there are no users or percents, a percent is outside 0 to 100, or the request is refused.
        FilterError: the filter cannot be used.
    """
    import pandas as pd

    if not len(user_ids) or not len(percents):
        raise ServingError(
            f"The cost was asked for {len(user_ids):,} users and {len(percents):,} percents; give at least one of each."
        )
    wrong = [each for each in percents if isinstance(each, bool) or each != int(each) or not 0 <= each <= 100]
    if wrong:
        raise ServingError(f"A percent is {wrong[0]!r}; give whole numbers from 0 to 100.")
    rows = []
    for percent in map(int, percents):
        one = {"name": "promoted", "percent_promoted_items": percent, "filter": promoted, "filter_values": values or {}}
        asked = {"promotions": [Promotion(**one)] if percent else [], "num_results": num_results, "seed": seed}
        rows.append({"PERCENT": percent, **_at(recommender, user_ids, fields | asked)})
    return pd.DataFrame(rows)


def _at(recommender: Recommender, user_ids: Sequence[str], asked: Mapping[str, Any]) -> dict[str, float]:
    filled = placed = 0
    costs = []
    for response in recommender.recommend_many(user_ids, exploration_weight=0.0, **asked):
        filled += len(response.items)
        placed += sum(PROMOTED in each.reason for each in response.items)
        costs.append(response.relevance.given_up if response.relevance is not None else 0.0)
    low, high = np.percentile(costs, MIDDLE)
    return {
        "LISTS": len(costs),
        "PLACED": placed / filled if filled else 0.0,
        "GIVEN_UP": float(np.mean(costs)),
        "LOW": float(low),
        "HIGH": float(high),
    }
