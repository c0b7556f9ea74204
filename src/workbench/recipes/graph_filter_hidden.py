"""Items hidden from some users at random, and what scores are worth by them.

A log without order has no newest event to foretell, so a graph filter is chosen by items taken out of the middle.
"""

import numpy as np
from scipy import sparse

MOST_USERS = 1_500  # users to choose by; more cost time and change little
LEAST_ITEMS = 5  # of a user to choose by
HIDDEN = 0.2  # share of a user's items that is hidden
MOST_HIDDEN = 20  # of one user
CUT = 20
DISCOUNTS = np.cumsum(1 / np.log2(np.arange(CUT) + 2))  # the most that so many hidden items can gain


def hide(pairs: sparse.csr_matrix, seed: int) -> tuple[np.ndarray, sparse.csr_matrix, sparse.csr_matrix]:
    """Hide a share of the items of some users at random.

    Args:
        pairs: (n_users, n_items) of ones.
        seed: of the users and of their hidden items.

    Returns:
        The users, ascending; the table without the hidden items, all users in it; and the hidden items, one row per
        such user.
    """
    rng = np.random.default_rng(seed)
    counts = np.diff(pairs.indptr)
    users = np.sort(rng.permutation(np.flatnonzero(counts >= LEAST_ITEMS))[:MOST_USERS])
    sizes = np.clip((HIDDEN * counts[users]).astype(int), 1, MOST_HIDDEN)
    places = [
        pairs.indptr[user] + rng.permutation(counts[user])[:size] for user, size in zip(users, sizes, strict=True)
    ]
    gone = np.zeros(pairs.nnz, dtype=bool)
    gone[np.concatenate([np.empty(0, np.int64), *places])] = True
    rows = np.repeat(np.arange(pairs.shape[0]), counts)
    tables = [
        sparse.csr_matrix((pairs.data[part], (rows[part], pairs.indices[part])), shape=pairs.shape)
        for part in (~gone, gone)
    ]
    return users, tables[0], tables[1][users]


def discounted(scores: np.ndarray, hidden: sparse.csr_matrix) -> float:
    """Sum the NDCG at CUT of every row; an item that ties takes the middle of the tied places.

    Args:
        scores: (n, n_items), -inf where an item was seen.
        hidden: (n, n_items), at least one item a row.
    """
    total = 0.0
    for row, line in enumerate(scores):
        reached = line[hidden.indices[hidden.indptr[row] : hidden.indptr[row + 1]]]
        places = (line > reached[:, None]).sum(axis=1)
        reached, places = reached[places < CUT], places[places < CUT]
        middle = places + ((line == reached[:, None]).sum(axis=1) - 1) / 2
        gains = (1 / np.log2(middle[middle < CUT] + 2)).sum()
        total += gains / DISCOUNTS[min(hidden.indptr[row + 1] - hidden.indptr[row], CUT) - 1]
    return float(total)
