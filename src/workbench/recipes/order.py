"""Whether a log carries order at all: without it, what came next cannot be learned."""

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID

LEAST_SHARE = 0.1  # of the users with two events or more, whose events must lie at different times
MOST_SORTED = 0.9  # of the users with four events or more, whose events may lie in the order of their item ids
LEAST_LENGTH = 4
LEAST_REPEATS = 30  # followers met before, to tell more than chance from chance
SHUFFLES = 3
ABOVE_CHANCE = 1.1  # times the most regular of the shuffled histories, before order is believed


def is_ordered(events: pd.DataFrame) -> tuple[bool, str]:
    """Tell whether the order of a user's events means anything.

    Args:
        events: USER_ID, ITEM_ID, TIMESTAMP.

    Returns:
        True or False, and the reason as a sentence. A log is without order where nearly all users' events carry the
        same time; where they lie in the order of their item ids, as in files that list a user's items sorted; or where
        items follow each other no more regularly than when every history is shuffled, as with made-up times.
    """
    order = np.lexsort((np.arange(len(events)), events[TIMESTAMP].to_numpy()))
    users = pd.factorize(events[USER_ID].to_numpy()[order])[0]
    by_user = np.argsort(users, kind="stable")
    users, times = users[by_user], events[TIMESTAMP].to_numpy()[order][by_user]
    same_user = users[1:] == users[:-1]
    pairs = np.bincount(users[1:][same_user], minlength=users.max(initial=-1) + 1)
    several = pairs > 0
    if not several.any():
        return False, "No user has two events, so nothing follows anything."
    apart = np.bincount(users[1:][same_user & (times[1:] > times[:-1])], minlength=len(pairs)) > 0
    share = float((apart & several).sum() / several.sum())
    if share < LEAST_SHARE:
        return False, f"Only {share:.1%} of the users with two events or more have events at different times."
    ids = events[ITEM_ID].to_numpy()[order][by_user]
    rises = _ranks(ids)
    falls = np.bincount(users[1:][same_user & (rises[1:] < rises[:-1])], minlength=len(pairs))
    long = pairs + 1 >= LEAST_LENGTH
    if long.any():
        sorted_share = float((falls[long] == 0).mean())
        if sorted_share > MOST_SORTED:
            return False, f"The events of {sorted_share:.1%} of the users lie in the order of their item ids."
    codes = pd.factorize(ids)[0]
    rng = np.random.default_rng(0)
    found, repeats = _followers(users, codes)
    chance = max(_followers(users, codes[np.lexsort((rng.random(len(users)), users))])[0] for _ in range(SHUFFLES))
    if repeats >= LEAST_REPEATS and found <= ABOVE_CHANCE * chance:
        return False, (
            f"Items follow each other no more regularly ({found:.3g}) than in shuffled histories ({chance:.3g}): "
            "the times order nothing."
        )
    return True, f"{share:.1%} of the users with two events or more have events at different times."


def _followers(users: np.ndarray, codes: np.ndarray) -> tuple[float, int]:
    """How regularly items follow each other, and how many followers were met before.

    With n_ij times that j follows i, the regularity is the sum of n_ij (n_ij - 1) / (n_i n_j): repeated followers,
    each against how often the two items occur at all.
    """
    inside = users[1:] == users[:-1]
    before, after = codes[:-1][inside], codes[1:][inside]
    pairs, counts = np.unique(before * (int(codes.max(initial=0)) + 1) + after, return_counts=True)
    first, second = np.divmod(pairs, int(codes.max(initial=0)) + 1)
    n_before, n_after = np.bincount(before), np.bincount(after)
    regular = counts * (counts - 1.0) / (n_before[first] * n_after[second].astype(np.float64))
    return float(regular.sum()), int((counts - 1).sum())


def _ranks(ids: np.ndarray) -> np.ndarray:
    """Places of ids in their own order: as numbers where all are whole numbers, else as text."""
    codes, distinct = pd.factorize(np.asarray(ids, dtype=object), sort=True)
    try:
        numbers = distinct.astype(np.int64)
    except (ValueError, OverflowError):
        return codes
    return numbers[codes]
