"""Rates per source, such as clicks per list shown, with intervals, and which sources really differ.

Personalize's metric attribution has no ratios. Here every rate is a ratio of two counts, and users are what is drawn:
somebody who clicks on everything makes many events and is still one person, so intervals over events would be too
narrow. All sources share the draws, which keeps comparisons right when the same people saw several of them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import NormalDist

import numpy as np
import pandas as pd

from workbench.columns import EVENT_ATTRIBUTION_SOURCE, EVENT_TYPE, USER_ID
from workbench.errors import AttributionError, nearest

SHOWN = "shown"  # the denominator that stands for lists of recommendations shown, clicked or not
RATE = "RATE"
RESAMPLES = 1_000
CELLS = 4_000_000  # weights held at a time, 32 MB
FEW = 5  # fewer successes (or failures) than this, and the bootstrap says too little
NO_CLEAR_DIFFERENCE = "no clear difference"


@dataclass(frozen=True)
class Rates:
    """Measured rates.

    table: RATE, EVENT_ATTRIBUTION_SOURCE, COUNT, OF, VALUE (COUNT / OF), LOW, HIGH, USERS (with any OF), INTERVAL
        ("bootstrap" over users, or "Wilson" over users where there are too few events to draw from).
    differences: RATE, FIRST, SECOND, DIFFERENCE (VALUE of FIRST minus SECOND), LOW, HIGH, READING ("higher", "lower"
        or "no clear difference"). The intervals of one rate hold all at once at `level`, so the more sources, the
        wider.
    left_out: RATE, EVENT_ATTRIBUTION_SOURCE, COUNT, WHY: sources without a rate.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    left_out: pd.DataFrame
    level: float


def rates(
    events: pd.DataFrame,
    sources: pd.Series,
    definitions: Mapping[str, Sequence[str]],
    seed: int,
    *,
    shown: pd.DataFrame | None = None,
    level: float = 0.95,
    resamples: int = RESAMPLES,
) -> Rates:
    """Measure rates per source and compare every two sources.

    Args:
        events: USER_ID, EVENT_TYPE.
        sources: the source of every event, in the order of `events`, as `Attribution.sources`.
        definitions: rate name to [event type counted, event type it is counted of]; "shown" as the second stands for
            the lists in `shown`.
        seed: of the draws.
        shown: one row per list of recommendations shown: USER_ID, EVENT_ATTRIBUTION_SOURCE.
        level: of all intervals.
        resamples: how many draws of users.

    Raises:
        AttributionError: a definition that is not a pair, an unknown event type, or lists needed and not given.
        ValueError: level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level!r}")
    counts = _Counts(events, sources, shown)
    tables, differences, left = [], [], []
    for name, pair in definitions.items():
        above, below = counts.pair(name, pair)
        usable = below.columns[below.sum().gt(0)]
        for source in above.columns.union(below.columns).difference(usable):
            left.append(
                (name, source, int(above.get(source, pd.Series([0])).sum()), f"nothing to divide by ({pair[1]})")
            )
        if not len(usable):
            continue
        above = above.reindex(columns=usable, index=below.index.union(above.index), fill_value=0)
        below = below.reindex(columns=usable, index=above.index, fill_value=0)
        one = _OneRate(above.to_numpy(float), below.to_numpy(float), seed, level, resamples)
        tables.append(one.table().assign(**{RATE: name, EVENT_ATTRIBUTION_SOURCE: list(usable)}))
        differences.append(one.differences(list(usable)).assign(**{RATE: name}))
    table = _joined(
        tables, [RATE, EVENT_ATTRIBUTION_SOURCE, "COUNT", "OF", "VALUE", "LOW", "HIGH", "USERS", "INTERVAL"]
    )
    apart = _joined(differences, [RATE, "FIRST", "SECOND", "DIFFERENCE", "LOW", "HIGH", "READING"])
    return Rates(table, apart, pd.DataFrame(left, columns=[RATE, EVENT_ATTRIBUTION_SOURCE, "COUNT", "WHY"]), level)


def wilson(successes: float, trials: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a proportion, `z` standard deviations wide on either side.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.
    """
    share, spread = successes / trials, z * z / trials
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / trials + spread / (4 * trials))
    return float(max(0.0, centre - half)), float(min(1.0, centre + half))


class _Counts:
    """Events and lists per user and source."""

    def __init__(self, events: pd.DataFrame, sources: pd.Series, shown: pd.DataFrame | None):
        for column in (USER_ID, EVENT_TYPE):
            if column not in events.columns:
                raise AttributionError(f"The events have no column {column!r}.{nearest(column, events.columns)}")
        if len(sources) != len(events):
            raise AttributionError(f"There are {len(events):,} events and {len(sources):,} sources; give one for each.")
        self.events = pd.DataFrame(
            {
                USER_ID: events[USER_ID].to_numpy(),
                EVENT_TYPE: events[EVENT_TYPE].to_numpy(),
                EVENT_ATTRIBUTION_SOURCE: sources.to_numpy(),
            }
        )
        self.types = sorted(self.events[EVENT_TYPE].dropna().unique())
        self.shown = shown

    def pair(self, name: str, pair: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
        if isinstance(pair, str) or len(pair) != 2:
            raise AttributionError(f"Rate {name!r} must be [event type, of which event type], got {pair!r}.")
        return self._of(name, pair[0]), self._of(name, pair[1])

    def _of(self, name: str, what: str) -> pd.DataFrame:
        if what == SHOWN and SHOWN not in self.types:
            if self.shown is None:
                raise AttributionError(
                    f"Rate {name!r} is counted per list shown, and no table of lists shown was given."
                )
            for column in (USER_ID, EVENT_ATTRIBUTION_SOURCE):
                if column not in self.shown.columns:
                    raise AttributionError(f"The lists have no column {column!r}.{nearest(column, self.shown.columns)}")
            return _table(self.shown)
        if what not in self.types:
            raise AttributionError(f"Rate {name!r}: there is no event type {what!r}.{nearest(what, self.types)}")
        return _table(self.events[self.events[EVENT_TYPE] == what])


class _OneRate:
    """One rate of several sources: (users, sources) counts above and below the line, and draws of users."""

    def __init__(self, above: np.ndarray, below: np.ndarray, seed: int, level: float, resamples: int):
        self.above, self.below, self.level = above, below, level
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


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    """Count rows: one row per user, one column per source."""
    return frame.groupby([USER_ID, EVENT_ATTRIBUTION_SOURCE]).size().unstack(fill_value=0)


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


def _joined(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    return pd.concat(filled, ignore_index=True)[columns] if filled else pd.DataFrame(columns=columns)


def _reading(low: float, high: float) -> str:
    if low > 0:
        return "higher"
    return "lower" if high < 0 else NO_CLEAR_DIFFERENCE
