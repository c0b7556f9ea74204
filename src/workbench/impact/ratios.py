"""Ratios of sums over users, one per source: bootstrap and Wilson intervals, and every pair compared at once."""

from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

CELLS = 4_000_000  # weights held at a time, 32 MB
FEW = 5  # fewer successes (or failures) than this, and the bootstrap says too little
NO_CLEAR_DIFFERENCE = "no clear difference"


class Ratios:
    """One rate of several sources: (users, sources) counts above and below the line, and draws of users."""

    def __init__(self, above: np.ndarray, below: np.ndarray, seed: int, level: float, resamples: int):
        self.level = level
        self.count, self.of = above.sum(axis=0), below.sum(axis=0)
        self.value = self.count / self.of
        self.users = (below > 0).sum(axis=0)
        drawn_above, drawn_below = _drawn_sums(np.hstack([above, below]), above.shape[1], seed, resamples)
        # A draw may leave a source without anything to divide by; such a draw says nothing about it.
        drawn_below[drawn_below == 0] = np.nan
        self.draws = drawn_above / drawn_below
        proportion = self.count <= self.of
        self.sparse = (self.users < 2) | (proportion & (np.minimum(self.count, self.of - self.count) < FEW))

    def table(self) -> pd.DataFrame:
        """COUNT, OF, VALUE, LOW, HIGH, USERS, INTERVAL: one row per source, in column order."""
        tail = 100 * (1 - self.level) / 2
        z = NormalDist().inv_cdf(0.5 + self.level / 2)
        ends = [
            self._wilson(column, z)
            if self.sparse[column]
            else tuple(np.nanpercentile(self.draws[:, column], [tail, 100 - tail]))
            for column in range(len(self.value))
        ]
        return pd.DataFrame(
            {
                "COUNT": self.count.astype("int64"),
                "OF": self.of.astype("int64"),
                "VALUE": self.value,
                "LOW": [low for low, _ in ends],
                "HIGH": [high for _, high in ends],
                "USERS": self.users,
                "INTERVAL": np.where(self.sparse, "Wilson", "bootstrap"),
            }
        )

    def differences(self, names: list[str]) -> pd.DataFrame:
        """Every pair, the higher rate first, with intervals that hold for all pairs at once (max-t bootstrap)."""
        pairs = [
            pair if self.value[pair[0]] >= self.value[pair[1]] else pair[::-1]
            for pair in combinations(range(len(names)), 2)
        ]
        critical = self._critical(pairs)
        rows = []
        for first, second in pairs:
            gap = self.value[first] - self.value[second]
            if self.sparse[first] or self.sparse[second]:
                low, high = self._square_and_add(first, second, critical)
            else:
                half = critical * np.nanstd(self.draws[:, first] - self.draws[:, second], ddof=1)
                low, high = gap - half, gap + half
            rows.append((names[first], names[second], gap, low, high, _reading(low, high)))
        return pd.DataFrame(rows, columns=["FIRST", "SECOND", "DIFFERENCE", "LOW", "HIGH", "READING"])

    def _critical(self, pairs: list[tuple[int, int]]) -> float:
        """How many standard errors hold every pair's true difference at once, at `level`."""
        largest = np.zeros(len(self.draws))
        dense = [pair for pair in pairs if not (self.sparse[pair[0]] or self.sparse[pair[1]])]
        for first, second in dense:
            gaps = self.draws[:, first] - self.draws[:, second]
            error = np.nanstd(gaps, ddof=1)
            if error > 0:
                away = np.abs(gaps - (self.value[first] - self.value[second])) / error
                largest = np.fmax(largest, away)
        # A sparse pair adds no draws, so it is paid for as Bonferroni would.
        tail = (1 - self.level) / 2 / max(1, len(pairs))
        bonferroni = NormalDist().inv_cdf(1 - tail)
        if len(dense) < len(pairs):
            return bonferroni
        return max(float(np.quantile(largest, self.level)), NormalDist().inv_cdf(0.5 + self.level / 2))

    def _square_and_add(self, first: int, second: int, z: float) -> tuple[float, float]:
        """Newcombe's interval of a difference, from the two rates' own intervals (Newcombe 1998, method 10)."""
        (low1, high1), (low2, high2) = self._own(first, z), self._own(second, z)
        one, two = self.value[first], self.value[second]
        below = np.hypot(one - low1, high2 - two)
        above = np.hypot(high1 - one, two - low2)
        return one - two - below, one - two + above

    def _own(self, column: int, z: float) -> tuple[float, float]:
        if self.sparse[column]:
            return self._wilson(column, z)
        half = z * np.nanstd(self.draws[:, column], ddof=1)
        return self.value[column] - half, self.value[column] + half

    def _wilson(self, column: int, z: float) -> tuple[float, float]:
        """Wilson's interval with users for trials, which is wider than with events and safe when one user made many."""
        if self.value[column] > 1:
            return float("nan"), float("nan")
        return wilson(self.value[column] * self.users[column], self.users[column], z)


def wilson(successes: float, trials: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion, `z` standard deviations wide on either side.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


def _drawn_sums(counts: np.ndarray, columns: int, seed: int, resamples: int) -> tuple[np.ndarray, np.ndarray]:
    """Sums over `resamples` draws of as many users as there are, with replacement; in chunks of bounded size."""
    users, rng = len(counts), np.random.default_rng(seed)
    chunk, parts = max(1, CELLS // users), []
    for start in range(0, resamples, chunk):
        size = min(chunk, resamples - start)
        drawn = rng.integers(0, users, size=(size, users)) + (np.arange(size) * users)[:, None]
        weights = np.bincount(drawn.ravel(), minlength=size * users).reshape(size, users).astype(float)
        parts.append(weights @ counts)
    sums = np.concatenate(parts)
    return sums[:, :columns], sums[:, columns:].copy()


def _reading(low: float, high: float) -> str:
    if low > 0:
        return "higher"
    return "lower" if high < 0 else NO_CLEAR_DIFFERENCE
