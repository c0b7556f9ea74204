"""Weighted least squares of one side of a factor model while the other stands still, for all rows at once.

Each row solves (D + Σ w y yᵀ) x = Σ w y over its own few vectors y, where D is diagonal because the other side is kept
along the axes of its own table of products. Conjugate gradients need no matrix per row; rows of like length are padded
to one, so that every step is one sum over a block.

Source: Hu, Koren and Volinsky, Collaborative filtering for implicit feedback datasets, ICDM 2008; the conjugate
gradients: Takács, Pilászy and Tikk, RecSys 2011.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

BLOCK = 12_288  # vectors in one padded block: 3 MB at width 64, read again from the cache in every step
TINY = 1e-12  # smaller numbers count as 0: a strong ridge would leave ever smaller ones, which processors add slowly
LOOSE = 1.15  # a block's longest row may be so many times as long as its shortest


@dataclass(frozen=True)
class Ragged:
    """Rows of weighted codes: row r holds codes[offsets[r]:offsets[r + 1]], none twice."""

    offsets: np.ndarray
    codes: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, rows: np.ndarray, codes: np.ndarray, n_rows: int, repeat_power: float) -> "Ragged":
        """Gather pairs into rows; a pair that comes `c` times weighs c ** repeat_power."""
        width = np.int64(codes.max(initial=0)) + 1
        pairs, counts = np.unique(rows * width + codes, return_counts=True)
        lengths = np.bincount(pairs // width, minlength=n_rows)
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        return cls(offsets, pairs % width, (counts**repeat_power).astype(np.float32))

    def sums(self) -> np.ndarray:
        """Add up every row's weights."""
        return np.diff(np.concatenate([[0.0], np.cumsum(self.weights, dtype=np.float64)])[self.offsets])

    def turned(self, n_codes: int) -> "Ragged":
        """Give the same pairs by code."""
        rows = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        order = np.argsort(self.codes, kind="stable")
        lengths = np.bincount(self.codes, minlength=n_codes)
        return Ragged(np.concatenate([[0], np.cumsum(lengths)]), rows[order], self.weights[order])


def along_own_axes(factors: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Turn both sides so that the first one's table of products is diagonal; their products stay.

    Returns:
        The first side, the other one, and the diagonal, largest first.
    """
    gram = (factors.T @ factors).astype(np.float64)
    axes = np.linalg.eigh(gram)[1][:, ::-1].astype(np.float32)
    factors = factors @ axes
    return factors, other @ axes, np.einsum("ij,ij->j", factors, factors)


def solve(
    rows: Ragged,
    others: np.ndarray,
    diagonal: np.ndarray,
    ridge: np.ndarray,
    start: np.ndarray | None = None,
    *,
    steps: int,
    tolerance: float = 0.0,
) -> np.ndarray:
    """Minimise, per row, Σ w (1 - x·y)² + Σ diagonal x² + ridge |x|² over x.

    Args:
        rows: per row, which of `others` and with what weight.
        others: (n, width) float32.
        diagonal: (width,) weight of every axis, from all of `others`.
        ridge: (n_rows,).
        start: (n_rows, width) to go on from; None starts from nothing.
        steps: most steps of conjugate gradients.
        tolerance: a block is done when no row's residual is longer than so much of its right side.

    Returns:
        (n_rows, width) float32; zeros for a row without any code. What a row gets does not depend on the others.
    """
    n_rows = len(rows.offsets) - 1
    solved = np.zeros((n_rows, others.shape[1]), dtype=np.float32)
    ridge = ridge.astype(np.float32)

    def one(block: np.ndarray) -> None:
        lengths = rows.offsets[block + 1] - rows.offsets[block]
        slot = np.arange(lengths.max())
        inside = slot < lengths[:, None]
        at = np.where(inside, rows.offsets[block][:, None] + slot, 0)
        weights = np.where(inside, rows.weights[at], np.float32(0))
        base = diagonal + ridge[block][:, None]
        first = None if start is None else start[block]
        found = _conjugate_gradients(others[rows.codes[at]], weights, base, first, steps, tolerance)
        solved[block] = np.where(np.abs(found) < TINY, 0, found)

    blocks = list(_blocks(np.diff(rows.offsets)))
    if len(blocks) == 1:
        one(blocks[0])  # starting threads would take longer than one user's vector
        return solved
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        for _ in pool.map(one, blocks):
            pass
    return solved


def _blocks(lengths: np.ndarray) -> Iterator[np.ndarray]:
    """Group the rows that are not empty by like length."""
    order = np.argsort(lengths, kind="stable")
    order = order[np.searchsorted(lengths[order], 1) :]
    start = 0
    while start < len(order):
        shortest = lengths[order[start]]
        loose = np.searchsorted(lengths[order], int(shortest * LOOSE), side="right")
        stop = min(loose, start + max(1, BLOCK // int(shortest * LOOSE)))
        yield order[start:stop]
        start = stop


def _conjugate_gradients(
    vectors: np.ndarray, weights: np.ndarray, base: np.ndarray, start: np.ndarray | None, steps: int, tolerance: float
) -> np.ndarray:
    """Solve one block: vectors (rows, length, width), weights (rows, length), base (rows, width).

    Preconditioned by the diagonal. Sums run in one order, whatever stands beside a row.
    """

    def applied(x: np.ndarray) -> np.ndarray:
        return base * x + np.einsum("bl,bld->bd", weights * np.einsum("bld,bd->bl", vectors, x), vectors)

    right = np.einsum("bl,bld->bd", weights, vectors)
    scale = 1 / (base + np.einsum("bl,bld->bd", weights, vectors * vectors))
    x = np.zeros_like(right) if start is None else start.copy()
    residual = right if start is None else right - applied(x)
    direction = scale * residual
    now = np.einsum("bd,bd->b", residual, direction)
    enough = tolerance**2 * np.einsum("bd,bd->b", right, right)
    open_ = np.ones(len(right), dtype=bool)
    for _ in range(steps):
        moved = applied(direction)
        along = np.einsum("bd,bd->b", direction, moved)
        step = np.divide(now, along, out=np.zeros_like(now), where=along > 0)[:, None]
        open_ &= np.einsum("bd,bd->b", residual, residual) > enough  # a row that is done stays as it is
        x += np.where(open_[:, None], step * direction, 0)
        residual = residual - step * moved
        scaled = scale * residual
        new = np.einsum("bd,bd->b", residual, scaled)
        direction = scaled + np.divide(new, now, out=np.zeros_like(new), where=now > 0)[:, None] * direction
        now = new
        if not open_.any():
            break
    return x
