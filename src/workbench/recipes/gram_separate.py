"""Normal equations of rare items, each solved by itself, for catalogues too large to solve together."""

import numpy as np
from scipy import sparse

from workbench.recipes.gram import Later, blocks_of_targets, earlier, reach
from workbench.recipes.gram_sequences import Sequences


def separate_equations(
    events: Sequences, decays: list[float], lags: int, columns: np.ndarray, n_items: int
) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Sum up the normal equations as if the features of an item met no other item.

    Args:
        events, decays, lags, n_items: as in `gram.normal_equations`.
        columns: (n_items,) position of an item among the m rare ones, or -1.

    Returns:
        (m, k, k), each item's own block of G, meetings with earlier events of the same item included; and R as a
        sparse (k * m, n_items) table of float32.
    """
    m, k = int(columns.max(initial=-1)) + 1, len(decays)
    features = columns[events.items]
    own = np.zeros((m, k, k))
    order = np.argsort(events.items, kind="stable")
    order = order[events.last[order] > events.first[order]]
    tables = []
    for a, decay in enumerate(decays):
        later, steps, found = Later(events, decay, decays, lags), reach(decay, lags), []
        own[:, a, :] += np.stack(later.own_products(features, m), axis=1)
        for late in blocks_of_targets(events, order, steps, 1):
            early, apart, _ = earlier(events, late, steps)
            used = features[early] >= 0
            early, apart = early[used], apart[used]
            _add_repeats(own, events, features, later, a, early, apart)
            found.append(_sums(events, features, decay, early, apart, (m, n_items)))
        rows, items, values = ([block[part] for block in found] for part in range(3))
        cells = (np.concatenate([np.empty(0, int), *rows]), np.concatenate([np.empty(0, int), *items]))
        table = sparse.coo_matrix((np.concatenate([np.empty(0, np.float32), *values]), cells), shape=(m, n_items))
        tables.append(table.tocsr())
    return own, sparse.vstack(tables, format="csr")


def solve_separately(own: np.ndarray, cross: sparse.csr_matrix, ridge: float) -> sparse.csr_matrix:
    """Solve every item's own k equations for all targets at once.

    Args:
        own, cross: from `separate_equations`.
        ridge: added to the diagonal.

    Returns:
        (k * m, n_items) weights, laid out as `cross`.
    """
    m, k, _ = own.shape
    inverse = np.linalg.inv(own + ridge * np.eye(k))
    rows = [sparse.hstack([sparse.diags_array(inverse[:, a, b]) for b in range(k)], format="csr") for a in range(k)]
    return (sparse.vstack(rows, format="csr") @ cross).astype(np.float32) if m else cross


def _add_repeats(
    own: np.ndarray, events: Sequences, features: np.ndarray, later: Later, a: int, early: np.ndarray, apart: np.ndarray
) -> None:
    """Add what pairs of events of the same item contribute to its block."""
    same = features[early] == features[early + apart]
    early, apart = early[same], apart[same]
    for b in range(own.shape[1]):
        sums = np.bincount(features[early], later.meetings(events, early, apart, b), minlength=len(own))
        own[:, a, b] += sums
        own[:, b, a] += sums


def _sums(
    events: Sequences,
    features: np.ndarray,
    decay: float,
    early: np.ndarray,
    apart: np.ndarray,
    shape: tuple[int, int],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum the part of R for one decay over pairs of events: rows, items and values."""
    weights = decay ** (apart - 1.0) * events.inputs[early] * events.targets[early + apart]
    if events.clock is not None:
        weights *= events.fade(early, early + apart - 1)
    cells = (features[early], events.items[early + apart])
    table = sparse.coo_matrix((weights.astype(np.float32), cells), shape=shape)
    table.sum_duplicates()
    return table.row, table.col, table.data
