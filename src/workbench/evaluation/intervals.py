"""How sure a mean over users is: bootstrap percentile intervals, alone and for paired differences.

Users are drawn with replacement; all metrics of a table share the draws. Percentile intervals need no assumption
about the shape of the values (Efron and Tibshirani 1993, chapter 13).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import METRIC

RESAMPLES = 1_000
CELLS = 4_000_000  # weights held at a time, 32 MB
NOISE = 1e-12  # what summing floats leaves of a difference that is none
NO_DIFFERENCE = "no clear difference"


@dataclass(frozen=True)
class Interval:
    """A mean over n users and the range that holds it at `level`; low and high are NaN when n < 2."""

    mean: float
    low: float
    high: float
    n: int
    level: float = 0.95


@dataclass(frozen=True)
class PairedDifference:
    """Mean of first minus second over the same n users, its range, and a two-sided p-value."""

    mean: float
    low: float
    high: float
    p: float
    n: int
    level: float = 0.95

    @property
    def reading(self) -> str:
        """Say "higher", "lower" or "no clear difference"; clear means that the range leaves out 0."""
        return _reading(self.low, self.high)


def bootstrap(values: Iterable[float], seed: int, *, level: float = 0.95, resamples: int = RESAMPLES) -> Interval:
    """Interval of a mean.

    Args:
        values: one number per user; NaN (undefined for this user) is left out and not counted in n.
        seed: of the draws.
        level: share of resampled means inside the range, between 0 and 1.
        resamples: how many draws; 1,000 puts the ends of a 95 % range on the 25th value from either side.

    Raises:
        ValueError: no value at all.
    """
    numbers = _column(values)
    means = _resampled_means(numbers, seed, resamples)[:, 0]
    low, high = _ends(means, level)
    known = numbers[~np.isnan(numbers)]
    if len(known) < 2:
        low = high = float("nan")
    return Interval(float(known.mean()), float(low), float(high), len(known), level)


def paired(
    a: pd.Series | Iterable[float],
    b: pd.Series | Iterable[float],
    seed: int,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> PairedDifference:
    """Compare two recipes on the same users.

    Args:
        a, b: one number per user. Series are matched by their index, which must hold the same users; anything else
            by position.
        seed, level, resamples: as in `bootstrap`.

    Returns:
        The mean of a - b. The p-value is twice the smaller share of resampled differences on either side of 0,
        counting one more draw than made, so it is never 0; it is 1 when no user differs.

    Raises:
        ValueError: different users or lengths.
    """
    if isinstance(a, pd.Series) and isinstance(b, pd.Series):
        if not a.index.sort_values().equals(b.index.sort_values()):
            raise ValueError(f"paired needs the same users on both sides; got {len(a):,} and {len(b):,} users")
        b = b.reindex(a.index)
    first, second, sizes = _column(a), _column(b), {"level": level, "resamples": resamples}
    if len(first) != len(second):
        raise ValueError(f"paired needs as many values on both sides; got {len(first):,} and {len(second):,}")
    table = paired_summary(pd.DataFrame({"gap": first}), pd.DataFrame({"gap": second}), seed, **sizes)
    found = table.iloc[0]
    return PairedDifference(
        *(float(found[name]) for name in ("DIFFERENCE", "LOW", "HIGH", "P")), int(found["USERS"]), level
    )


def summarise(
    scores: pd.DataFrame, seed: int, *, level: float = 0.95, resamples: int = RESAMPLES, **labels: str
) -> pd.DataFrame:
    """Mean and interval of every metric.

    Args:
        scores: one row per user, one column per metric; NaN where a metric is undefined for a user.
        seed, level, resamples: as in `bootstrap`.
        labels: constant columns to put in front, such as RECIPE="sims".

    Returns:
        METRIC, MEAN, LOW, HIGH, USERS (those with a value); one row per metric, in column order.
    """
    means = _resampled_means(scores.to_numpy(dtype=float), seed, resamples)
    return _frame(scores, means, level, "MEAN", labels)


def paired_summary(
    first: pd.DataFrame,
    second: pd.DataFrame,
    seed: int,
    *,
    level: float = 0.95,
    resamples: int = RESAMPLES,
    **labels: str,
) -> pd.DataFrame:
    """Difference first - second of every metric that both have, over the same users.

    Args:
        first, second: as `scores` in `summarise`; the same users in any order.
        seed, level, resamples, labels: as in `summarise`.

    Returns:
        METRIC, DIFFERENCE, LOW, HIGH, USERS, P (two-sided, see `paired`), READING ("higher", "lower" or
        "no clear difference": what `first` is beside `second`).

    Raises:
        ValueError: different users.
    """
    if not first.index.sort_values().equals(second.index.sort_values()):
        raise ValueError(f"paired needs the same users on both sides; got {len(first):,} and {len(second):,} users")
    shared = [name for name in first.columns if name in second.columns]
    gaps = first[shared] - second[shared].reindex(first.index)
    gaps = gaps.mask(gaps.abs() < NOISE, 0.0)
    means = _resampled_means(gaps.to_numpy(dtype=float), seed, resamples)
    table = _frame(gaps, means, level, "DIFFERENCE", labels)
    means[np.abs(means) < NOISE] = 0.0
    beside = np.minimum((means <= 0).sum(axis=0), (means >= 0).sum(axis=0))
    table["P"] = np.where(table["USERS"] > 1, np.minimum(1.0, 2.0 * (beside + 1) / (resamples + 1)), np.nan)
    table["READING"] = [_reading(low, high) for low, high in zip(table["LOW"], table["HIGH"], strict=True)]
    return table


def _frame(scores: pd.DataFrame, means: np.ndarray, level: float, name: str, labels: dict[str, str]) -> pd.DataFrame:
    low, high = _ends(means, level)
    users = scores.notna().sum().to_numpy()
    averages = scores.mean().to_numpy(dtype=float, copy=True)
    averages[np.abs(averages) < NOISE] = 0.0
    table = pd.DataFrame(
        {
            METRIC: list(scores.columns),
            name: averages,
            "LOW": np.where(users > 1, low, np.nan),
            "HIGH": np.where(users > 1, high, np.nan),
            "USERS": users,
        }
    )
    for position, (label, value) in enumerate(labels.items()):
        table.insert(position, label, value)
    return table


def _resampled_means(values: np.ndarray, seed: int, resamples: int) -> np.ndarray:
    """Means of `resamples` draws of n users: (resamples, columns). Weights are made in chunks of bounded size."""
    if not len(values):
        raise ValueError("there are no users to average over; check the split and the event filter")
    table = values.reshape(len(values), -1)
    known = ~np.isnan(table)
    complete = known.all()
    filled = np.where(known, table, 0.0)
    n, rng = len(table), np.random.default_rng(seed)
    chunk = max(1, CELLS // n)
    parts = []
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn = rng.integers(0, n, size=(size, n)) + (np.arange(size) * n)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)
        with np.errstate(invalid="ignore", divide="ignore"):
            parts.append(weights @ filled / (n if complete else weights @ known))
    return np.concatenate(parts)


def _ends(means: np.ndarray, level: float) -> np.ndarray:
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level!r}")
    tail = 100 * (1 - level) / 2
    return np.stack([_percentile(means, tail), _percentile(means, 100 - tail)])


def _percentile(means: np.ndarray, percent: float) -> np.ndarray:
    if np.isnan(means).any():  # a draw may hold none of the few users who have a value
        known = np.where(np.isnan(means).all(axis=0), 0.0, means)
        return np.nanpercentile(known, percent, axis=0)
    return np.percentile(means, percent, axis=0)


def _column(values: Iterable[float]) -> np.ndarray:
    numbers = np.asarray(values if isinstance(values, np.ndarray | pd.Series) else list(values), dtype=float).ravel()
    if np.isnan(numbers).all():
        raise ValueError("there is no value to average; check that there are held-out users")
    return numbers


def _reading(low: float, high: float) -> str:
    if low > 0:
        return "higher"
    return "lower" if high < 0 else NO_DIFFERENCE
