"""Normal equations of rare items, each solved by itself, for catalogues too large to solve together."""

import numpy as np
from scipy import sparse

from workbench.recipes.gram import Later, Sequences, blocks_of_targets, earlier, reach


def separate_equations(
    events: Sequences, decays: list[float], lags: int, columns: np.ndarray, n_items: int
) -> tuple[np.ndarray, sparse.csr_matrix]:
    """Sum up the normal equations as if the features of an item met no other item.

    Args:
        events, decays, lags, n_items: as in `gram.normal_equations`.
        columns: (n_items,) position of an item among the m rare ones, or -1.

    Returns:
        (m, k, k), each item's own block of G; and R as a sparse (k * m, n_items) table of float32.
    """
    m, k = int(columns.max(initial=-1)) + 1, len(decays)
    features = columns[events.items]
    own = np.zeros((m, k, k))
    order = np.argsort(events.items, kind="stable")
    order = order[events.last[order] > events.first[order]]
    tables = []
    for a, decay in enumerate(decays):
        own[:, a, :] = np.stack(Later(events, decay, decays, lags).own_products(features, m), axis=1)
        steps = reach(decay, lags)
        blocks = blocks_of_targets(events, order, steps, 1)
        found = [_sums(events, features, late, decay, steps, (m, n_items)) for late in blocks]
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


def _sums(
    events: Sequences, features: np.ndarray, late: np.ndarray, decay: float, steps: int, shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum the part of R for one decay over all pairs whose later event is one of `late`: rows, items and values."""
    early, apart, _ = earlier(events, late, steps)
    used = features[early] >= 0
    early, apart = early[used], apart[used]
    weights = decay ** (apart - 1.0) * events.inputs[early] * events.targets[early + apart]
    cells = (features[early], events.items[early + apart])
    table = sparse.coo_matrix((weights.astype(np.float32), cells), shape=shape)
    table.sum_duplicates()
    return table.row, table.col, table.data
