"""Some places of a list for new items that nobody can know yet: how many, which, where. Codes in, codes out.

The weight is the chance of every single place to be opened for exploration, independently. So weight · k places are
opened in the mean, and that is the share of explored items while there are enough eligible items that were never
shown. With fewer it is lower: an eligible item that was shown keeps its chance only while its clicks leave it one (see
`exploration_policies`), and an open place that no item takes goes to the relevance list. Weight 0 leaves that list as
it is.

Personalize names the weight, the age cut-off and the counting of impressions; how it chooses is not published. This
rule is ours.
"""

from dataclasses import dataclass

import numpy as np

from workbench.columns import DAY
from workbench.errors import ServingError
from workbench.serving.exploration_policies import PRIOR_RATE, policy

AGE_CUT_OFF = 30.0  # days, Personalize's default
WEIGHT = 0.3  # Personalize's default


@dataclass(frozen=True, eq=False)
class Explored:
    """A list with explored items in it.

    codes: (places,) item codes by position; as many as asked for, fewer when there are no more items.
    explored: (places,) bool, which of them stand there to be explored.
    share: explored places ÷ places; 0 for an empty list.
    opened: how many places were opened; more than explored where too few items had a chance.
    """

    codes: np.ndarray
    explored: np.ndarray
    share: float
    opened: int


def eligible_items(
    creation_times: np.ndarray, latest: int, cut_off_days: float = AGE_CUT_OFF, allowed: np.ndarray | None = None
) -> np.ndarray:
    """Find the items that are new enough to be explored.

    Args:
        creation_times: (n,) int64 epoch seconds by item code.
        latest: epoch seconds of the latest interaction, from which age counts.
        cut_off_days: largest age; an item of exactly this age is still new. Items created later than `latest` are new.
        allowed: (n,) bool, False where an item may not be listed; None allows all.

    Returns:
        (m,) item codes, newest first, ties by code.

    Raises:
        ServingError: the cut-off is no number of days.
    """
    if isinstance(cut_off_days, bool) or not isinstance(cut_off_days, int | float) or not cut_off_days >= 0:
        raise ServingError(
            f"The age cut-off of exploration is {cut_off_days!r}; it must be a number of days, 0 or more. "
            "Set the exploration weight to 0 to explore nothing."
        )
    new = creation_times >= latest - cut_off_days * DAY
    codes = np.flatnonzero(new if allowed is None else new & allowed)
    return codes[np.argsort(-creation_times[codes], kind="stable")]


def explore(
    order: np.ndarray,
    eligible: np.ndarray,
    shown: np.ndarray,
    clicked: np.ndarray,
    weight: float,
    k: int,
    rng: np.random.Generator,
    policy_name: str = "thompson",
    prior_rate: float = PRIOR_RATE,
) -> Explored:
    """Open places of a list and give them to eligible items.

    The other places keep the relevance list in its order. An item that keeps a place by its relevance is not explored
    as well; no item is listed twice. Which places are opened is drawn at random, and the policy's best choice takes the
    first of them.

    Args:
        order: item codes, best first; may hold more than `k`.
        eligible: (m,) item codes that may be listed, newest first, as `eligible_items` gives them.
        shown: (m,) how often each eligible item was shown.
        clicked: (m,) how often it was clicked.
        weight: chance of every place to be opened, 0 to 1.
        k: places.
        rng: the same state gives the same list; untouched at weight 0.
        policy_name: "thompson", "ucb" or "uniform".
        prior_rate: clicks an impression expected of an item nobody has seen, such as the mean of all items.

    Raises:
        ServingError: a weight or rate out of range, counts that do not fit the items, or an unknown policy.
    """
    _check(eligible, shown, clicked, weight, prior_rate)
    choose = policy(policy_name)
    opened = int(rng.binomial(k, weight)) if weight > 0 and k > 0 else 0
    if opened == 0 or len(eligible) == 0:
        codes = order[:k]
        return Explored(codes, np.zeros(len(codes), dtype=bool), 0.0, opened)
    # Some of the best choices may keep a place by relevance anyway, at most as many as are left closed.
    choices = eligible[choose(shown, clicked, opened + k, rng, prior_rate)]
    picks = _not_kept(choices.tolist(), order, k, opened)
    taken = set(picks)
    others = [code for code in order[: k + len(picks)].tolist() if code not in taken]
    places = min(k, len(others) + len(picks))
    explored = np.zeros(places, dtype=bool)
    explored[rng.choice(places, len(picks), replace=False)] = True
    codes = np.empty(places, dtype=order.dtype)
    codes[explored] = picks
    codes[~explored] = others[: places - len(picks)]
    return Explored(codes, explored, len(picks) / places if places else 0.0, opened)


def _not_kept(choices: list[int], order: np.ndarray, k: int, opened: int) -> list[int]:
    """As many choices as there are open places, without items that keep their place in the relevance list.

    Where too few are left, places are closed again, and more items keep theirs.
    """
    front = order[:k].tolist()
    while True:
        kept = set(front[: k - opened])
        picks = [code for code in choices if code not in kept][:opened]
        if len(picks) == opened:
            return picks
        opened = len(picks)


def _check(eligible: np.ndarray, shown: np.ndarray, clicked: np.ndarray, weight: float, prior_rate: float) -> None:
    for name, value, good in (
        ("weight", weight, 0 <= weight <= 1),
        ("prior rate", prior_rate, 0 < prior_rate < 1),
    ):
        if not good:
            raise ServingError(
                f"The exploration {name} is {value!r}; it must be a share from 0 to 1. Give for example 0.3."
            )
    for name, counts in (("shown", shown), ("clicked", clicked)):
        if len(counts) != len(eligible):
            raise ServingError(
                f"{name} holds {len(counts):,} counts for {len(eligible):,} eligible items; "
                "give one count an item, in the same order."
            )
