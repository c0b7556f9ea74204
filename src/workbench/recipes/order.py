"""Whether a log carries order at all: without it, what came next cannot be learned."""

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID

LEAST_SHARE = 0.1  # of the users with two events or more, whose events must lie at different times
MOST_SORTED = 0.9  # of the users with four events or more, whose events may lie in the order of their item ids
LEAST_LENGTH = 4


def is_ordered(events: pd.DataFrame) -> tuple[bool, str]:
    """Tell whether the order of a user's events means anything.

    Args:
        events: USER_ID, ITEM_ID, TIMESTAMP.

    Returns:
        True or False, and the reason as a sentence. A log is without order where nearly all users' events carry the
        same time, or where they lie in the order of their item ids, as in files that list a user's items sorted.
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
    return True, f"{share:.1%} of the users with two events or more have events at different times."


def _ranks(ids: np.ndarray) -> np.ndarray:
    """Places of ids in their own order: as numbers where all are whole numbers, else as text."""
    distinct, codes = np.unique(ids.astype(str), return_inverse=True)
    try:
        numbers = distinct.astype(np.int64)
    except (ValueError, OverflowError):
        return codes
    return numbers[codes]
