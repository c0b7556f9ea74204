"""Item factors by falling length, which says how many of them could ever reach a score; and exact products of pairs."""

from concurrent.futures import Executor
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from workbench.errors import RecipeError

PAIRS = 8192  # pairs multiplied at once
MOST = 1e18  # longest vector whose products stay within float32
ROUNDING = 2.0**-22  # times width and both lengths: more than two float32 products of the same vectors can differ by


@dataclass(frozen=True)
class ItemsByLength:
    """Item factors by falling length.

    factors: (n, width) float32.
    lengths: (n,) float64, falling.
    codes: (n,) item code of each place.
    places: (n_items,) place of each item code, -1 where the item was left out.
    """

    factors: np.ndarray
    lengths: np.ndarray
    codes: np.ndarray
    places: np.ndarray

    @classmethod
    def lay(cls, item_factors: np.ndarray, allowed: np.ndarray | None = None) -> "ItemsByLength":
        """Sort the items, equal lengths by code; only allowed ones are kept."""
        factors = checked_factors(item_factors, "item")
        lengths = lengths_of(factors)
        codes = np.argsort(-lengths, kind="stable")
        if allowed is not None:
            codes = codes[allowed_mask(allowed, len(factors))[codes]]
        places = np.full(len(factors), -1, dtype=np.int64)
        places[codes] = np.arange(len(codes))
        return cls(factors[codes], lengths[codes], codes, places)

    @cached_property
    def rising(self) -> np.ndarray:
        """Give the negative lengths, which rise, so that they can be searched."""
        return -self.lengths

    def reach(self, least: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Count, per vector of such a length, the first items whose score could be `least` or more."""
        with np.errstate(divide="ignore", invalid="ignore"):
            wanted = np.where(least > 0, least / lengths * (1 - 1e-6), 0.0)
        return np.searchsorted(self.rising, -wanted, side="right")


def allowed_mask(allowed: np.ndarray, n_items: int) -> np.ndarray:
    """Check that a mask holds one true or false per item.

    Raises:
        RecipeError: another length or type.
    """
    mask = np.asarray(allowed)
    if mask.shape != (n_items,) or mask.dtype != bool:
        raise RecipeError(
            f"allowed must be one true or false per item: {n_items} values, not {mask.dtype} of shape {mask.shape}."
        )
    return mask


def checked_factors(given: np.ndarray, whose: str) -> np.ndarray:
    """Give factors as contiguous float32.

    Raises:
        RecipeError: not a table, or a row that holds NaN or is too long for products in float32.
    """
    factors = np.ascontiguousarray(given, dtype=np.float32)
    if factors.ndim != 2:
        raise RecipeError(f"{whose} factors must be a table of {whose}s × width, not of shape {factors.shape}.")
    good = lengths_of(factors) <= MOST
    if not good.all():
        row = int(np.flatnonzero(~good)[0])
        raise RecipeError(f"{whose} factors hold NaN or numbers beyond {MOST:g}, first in row {row}.")
    return factors


def lengths_of(factors: np.ndarray) -> np.ndarray:
    """Give the Euclidean length of every row, in float64, where no square is lost."""
    return np.sqrt(np.einsum("ij,ij->i", factors, factors, dtype=np.float64))


def products(
    users: np.ndarray, rows: np.ndarray, items: np.ndarray, places: np.ndarray, pool: Executor | None = None
) -> np.ndarray:
    """Multiply pairs of vectors, each in the same order of additions wherever it stands."""

    def some(start: int) -> np.ndarray:
        stop = start + PAIRS
        return np.einsum("ij,ij->i", users[rows[start:stop]], items[places[start:stop]])

    cuts = range(0, len(rows), PAIRS)
    return np.concatenate([np.empty(0, np.float32), *(pool.map(some, cuts) if pool else map(some, cuts))])
