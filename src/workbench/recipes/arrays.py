"""State of nested pieces as one flat table of arrays: names with a prefix, sparse tables as their parts."""

from collections.abc import Mapping

import numpy as np
from scipy import sparse


def under(state: Mapping[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Take the arrays whose names begin with a prefix, without it."""
    return {name.removeprefix(prefix): each for name, each in state.items() if name.startswith(prefix)}


def pack(table: sparse.csr_matrix) -> dict[str, np.ndarray]:
    """Lay a sparse table out as arrays."""
    return {
        "data": table.data.astype(np.float32),
        "indices": table.indices.astype(np.int64),
        "indptr": table.indptr.astype(np.int64),
        "shape": np.array(table.shape, dtype=np.int64),
    }


def unpack(state: Mapping[str, np.ndarray]) -> sparse.csr_matrix | None:
    """Take back what `pack` gave; None from an empty state."""
    if "shape" not in state:
        return None
    parts = (state["data"], state["indices"], state["indptr"])
    return sparse.csr_matrix(parts, shape=tuple(map(int, state["shape"])))
