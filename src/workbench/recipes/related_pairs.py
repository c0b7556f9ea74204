"""The table of related items: for every item its strongest others, with the two kinds of evidence for each."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from scipy import sparse

from workbench.recipes.selection import best

BLOCK = 8_000_000  # pairs of items looked at together


@dataclass
class Pairs:
    """Kept pairs in compressed rows, each row by column.

    indptr: (n_items + 1,) int64. columns: int32. shared: users of both, float32.
    foreseen: co-interaction foreseen from attributes, float32.
    """

    indptr: np.ndarray
    columns: np.ndarray
    shared: np.ndarray
    foreseen: np.ndarray

    @property
    def rows(self) -> np.ndarray:
        """Row of every pair."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int64), np.diff(self.indptr))

    def related(self, chosen: np.ndarray, shrinkage: float, discount: float) -> sparse.csr_matrix:
        """Strength of every kept pair, as a table of items by items."""
        values = strength(
            self.shared, self.foreseen, chosen[self.rows], chosen[self.columns], shrinkage=shrinkage, discount=discount
        )
        n_items = len(self.indptr) - 1
        return sparse.csr_matrix((values.astype(np.float32), self.columns, self.indptr), shape=(n_items, n_items))

    def state(self) -> dict[str, np.ndarray]:
        """The four arrays."""
        return {name: getattr(self, name) for name in ("indptr", "columns", "shared", "foreseen")}

    @classmethod
    def restore(cls, state: Mapping[str, np.ndarray]) -> "Pairs":
        """Take back what `state` gave."""
        return cls(*(state[name] for name in ("indptr", "columns", "shared", "foreseen")))


def strength(
    shared: np.ndarray,
    foreseen: np.ndarray,
    own: np.ndarray,
    other: np.ndarray,
    *,
    shrinkage: float,
    discount: float,
) -> np.ndarray:
    """Join both kinds of evidence: (c + m * p) / (n_i ** (1 - d) * n_j ** d + m).

    With many events of both items it is their co-interaction c / (n_i ** (1 - d) * n_j ** d); with none of one of
    them it is p, what attributes foretell. In between, attributes count as m users.

    Args:
        shared: c, users who chose both.
        foreseen: p, co-interaction foreseen from attributes.
        own, other: n_i and n_j, users of the item asked for and of the related one.
        shrinkage: m, above 0.
        discount: d, from 0 to 1.
    """
    most = own.astype(np.float32) ** np.float32(1.0 - discount) * other.astype(np.float32) ** np.float32(discount)
    m = np.float32(shrinkage)
    return (shared + m * foreseen) / (most + m)


def strongest(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of the `most` largest positive entries of every row, columns ascending; ties by lower column."""
    rows, columns, found = best(values, most)
    rows, columns = rows[found > 0], columns[found > 0]
    order = np.lexsort((columns, rows))
    return rows[order], columns[order]


def trimmed(
    rows: np.ndarray,
    columns: np.ndarray,
    shared: np.ndarray,
    foreseen: np.ndarray,
    values: np.ndarray,
    most: int,
    n: int,
) -> Pairs:
    """Keep the `most` strongest pairs of every row of a list of pairs, ties by the lower column."""
    order = np.lexsort((columns, -values, rows))
    counts = np.bincount(rows, minlength=n)
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    order = order[(place < most) & (values[order] > 0)]
    order = order[np.lexsort((columns[order], rows[order]))]
    return in_rows(rows[order], columns[order], shared[order], foreseen[order], n)


def in_rows(rows: np.ndarray, columns: np.ndarray, shared: np.ndarray, foreseen: np.ndarray, n: int) -> Pairs:
    """Compress a list of pairs that is sorted by row and column."""
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(np.int64)
    parts = (columns.astype(np.int32), shared.astype(np.float32), foreseen.astype(np.float32))
    return Pairs(indptr, *parts)


def row_blocks(n_items: int, n_rows: int) -> Iterator[np.ndarray]:
    """Rows to be looked at together, each against all items."""
    size = max(1, BLOCK // max(1, n_items))
    for start in range(0, n_rows, size):
        yield np.arange(start, min(start + size, n_rows))
