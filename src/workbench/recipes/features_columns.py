"""How one column of categories or numbers becomes sparse features, and what it has to remember for that."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import SEPARATOR

KNOTS = 101  # quantiles kept of a column of numbers: one per cent steps


@dataclass(frozen=True)
class Category:
    """A text column of few values, several joined with |: one feature per value, 1 where the row has it.

    values: most frequent first, ties by value.
    bundled: whether a last feature counts the values of a row that are not among `values`.
    """

    kind: ClassVar[str] = "category"
    column: str
    values: np.ndarray
    bundled: bool

    @property
    def names(self) -> list[str]:
        """Feature names such as GENRES=Comedy."""
        named = [f"{self.column}={value}" for value in self.values]
        return [*named, f"{self.column}=(other)"] if self.bundled else named

    def encode(self, column: pd.Series) -> sparse.csr_matrix:
        """Set ones; a value given twice in a row counts once, the bundled feature is 1 for any number of them."""
        rows, pieces = split_values(column)
        codes = pd.Index(self.values, dtype="object").get_indexer(pieces)
        if self.bundled:
            codes = np.where(codes < 0, len(self.values), codes)
        kept = codes >= 0
        cells = np.unique(np.column_stack([rows[kept], codes[kept]]), axis=0)
        return _matrix(np.ones(len(cells)), cells[:, 0], cells[:, 1], len(column), len(self.names))

    def state(self) -> dict[str, np.ndarray]:
        """What it has to remember."""
        return {"values": self.values.astype(str), "bundled": np.array([self.bundled])}

    @classmethod
    def restore(cls, column: str, state: dict[str, np.ndarray]) -> "Category":
        """Take back what `state` gave."""
        return cls(column, state["values"], bool(state["bundled"][0]))


@dataclass(frozen=True)
class Number:
    """A column of numbers, truth values or times: its place among the values seen, from -1 (lowest) to 1.

    Places instead of values make prices and times comparable and leave no outlier. Rows without a finite number get
    no place, and 1 in a second feature where there were such rows when the features were learned. A place of exactly
    0 is stored, so that it differs from none.

    values, places: the quantiles that places are read off, straight lines between them.
    """

    kind: ClassVar[str] = "number"
    column: str
    values: np.ndarray
    places: np.ndarray
    gaps: bool

    @property
    def names(self) -> list[str]:
        """The column's name, and that of its gaps."""
        return [self.column, f"{self.column} is missing"] if self.gaps else [self.column]

    def encode(self, column: pd.Series) -> sparse.csr_matrix:
        """Read off places; values beyond the ends get the place of the end."""
        numbers = as_numbers(column)
        there = np.flatnonzero(np.isfinite(numbers))
        places = np.interp(numbers[there], self.values, self.places)
        missing = np.flatnonzero(~np.isfinite(numbers)) if self.gaps else np.empty(0, np.int64)
        values = np.concatenate([places, np.ones(len(missing))])
        rows = np.concatenate([there, missing])
        columns = np.concatenate([np.zeros(len(there), np.int64), np.ones(len(missing), np.int64)])
        return _matrix(values, rows, columns, len(column), len(self.names))

    def state(self) -> dict[str, np.ndarray]:
        """What it has to remember."""
        return {"values": self.values, "places": self.places, "gaps": np.array([self.gaps])}

    @classmethod
    def restore(cls, column: str, state: dict[str, np.ndarray]) -> "Number":
        """Take back what `state` gave."""
        return cls(column, state["values"], state["places"], bool(state["gaps"][0]))


def learn_category(column: pd.Series, most: int) -> tuple[Category | None, dict[str, int | str]]:
    """Find a column's most frequent values.

    Args:
        column: text, several values joined with |.
        most: values that get a feature of their own; the others share one.

    Returns:
        The encoder, or None where every row is alike, and what was counted.
    """
    rows, pieces = split_values(column)
    counts = pd.Series(pieces, dtype="object").value_counts()
    order = np.lexsort((counts.index.to_numpy(dtype=str), -counts.to_numpy()))
    values = counts.index.to_numpy(dtype=object)[order]
    missing = len(column) - len(np.unique(rows))
    noted: dict[str, int | str] = {"kind": Category.kind, "values": len(values), "missing": missing}
    if len(values) == 0 or (counts.to_numpy() >= len(column)).all():
        return None, noted
    if len(values) > most:
        noted |= {"values_bundled": len(values) - most}
    return Category(str(column.name), values[:most].astype(str), len(values) > most), noted


def learn_number(column: pd.Series) -> tuple[Number | None, dict[str, int | str]]:
    """Find the quantiles of a column's finite numbers; None where they are all the same."""
    numbers = as_numbers(column)
    finite = np.sort(numbers[np.isfinite(numbers)])
    infinite = int(np.isinf(numbers).sum())
    noted: dict[str, int | str] = {"kind": Number.kind, "missing": int(np.isnan(numbers).sum())}
    if infinite:
        noted |= {"infinite_as_missing": infinite}
    if len(finite) == 0 or finite[0] == finite[-1]:
        return None, noted
    shares = np.linspace(0.0, 1.0, KNOTS)
    knots = finite[np.round(shares * (len(finite) - 1)).astype(np.int64)]
    values, group = np.unique(knots, return_inverse=True)
    places = np.bincount(group, 2.0 * shares - 1.0) / np.bincount(group)  # equal values share the mean of their places
    return Number(str(column.name), values, places, len(finite) < len(numbers)), noted


def as_numbers(column: pd.Series) -> np.ndarray:
    """A column of numbers, truth values or times as float64, times in epoch seconds, NaN where there is none."""
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return ((column - pd.Timestamp(0)) / pd.Timedelta(seconds=1)).to_numpy(dtype=np.float64)
    return pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def split_values(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Split a column at |: the row and the text of every value, blanks around it and empty values left out."""
    texts = column.reset_index(drop=True).dropna().astype(str)
    pieces = texts.str.split(SEPARATOR, regex=False).explode().str.strip()
    pieces = pieces[pieces != ""]
    return pieces.index.to_numpy(dtype=np.int64), pieces.to_numpy(dtype=object)


def _matrix(values: np.ndarray, rows: np.ndarray, columns: np.ndarray, height: int, width: int) -> sparse.csr_matrix:
    """A csr matrix that keeps stored zeros."""
    cells = (values.astype(np.float32), (rows.astype(np.int64), columns.astype(np.int64)))
    return sparse.csr_matrix(cells, shape=(height, width), dtype=np.float32)
