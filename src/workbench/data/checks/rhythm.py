"""How fast popularity moves: how long a model stays good, and how much history still helps.

Both curves compare the shares of items between periods by their total variation distance, half the sum of absolute
differences: 0 when the two periods want the same items equally, 1 when they share no item. The idea is that of the
Personalize samples' diagnose.py; the distance and the borders are ours.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from ibis import Table
from scipy.sparse import csr_matrix, diags_array

from workbench.columns import DAY, HOUR

PERIODS = {"hour": HOUR, "day": DAY, "week": 7 * DAY, "30 days": 30 * DAY}
LEAST_EVENTS = 1_000  # events a typical period needs before its popularity means anything
LEAST_PERIODS, MOST_PERIODS = 4, 200
LAGS = (1, 2, 3, 4, 6, 8, 12, 16, 24)


@dataclass(frozen=True)
class Rhythm:
    """Both curves, or empty ones when the log is too short.

    period: "hour", "day", "week" or "30 days"; empty when no period fits.
    drift: LAG (periods between training and use), LOSS (distance to the true popularity), NOISE (the distance two
        draws of the same size from the true popularity would have anyway).
    cutoff: PERIODS (how many latest periods popularity is learned from), LOSS.
    """

    period: str
    drift: pd.DataFrame
    cutoff: pd.DataFrame


def measure_rhythm(log: Table, days: pd.DataFrame, seed: int = 0) -> Rhythm:
    """Choose a period length and measure both curves.

    Args:
        log: I (item), T (epoch seconds).
        days: DAY, EVENTS of the same log.
        seed: of the draws behind NOISE.
    """
    name = choose_period(days)
    if not name:
        empty = pd.DataFrame({"LAG": [], "LOSS": [], "NOISE": []}, dtype=float)
        return Rhythm("", empty, pd.DataFrame({"PERIODS": [], "LOSS": []}, dtype=float))
    counted = log.group_by("I", PERIOD=log["T"] // PERIODS[name]).aggregate(EVENTS=log.count()).to_pandas()
    # Sorted, so that the draws meet the items in the same order every time.
    counted = counted.sort_values(["PERIOD", "I"])
    periods, items = counted["PERIOD"] - counted["PERIOD"].min(), np.unique(counted["I"], return_inverse=True)[1]
    matrix = csr_matrix((counted["EVENTS"].astype(float), (periods, items)))
    return Rhythm(name, drift_curve(matrix, seed), cutoff_curve(matrix))


def choose_period(days: pd.DataFrame) -> str:
    """The shortest period of which a typical one holds LEAST_EVENTS and the log holds between 4 and 200."""
    if days.empty:
        return ""
    length = (int(days["DAY"].iloc[-1]) - int(days["DAY"].iloc[0]) + 1) * DAY
    for name, width in PERIODS.items():
        if width < DAY:
            typical = days["EVENTS"].median() / (DAY / width)
        else:
            typical = days.groupby(days["DAY"] // (width // DAY))["EVENTS"].sum().median()
        if LEAST_PERIODS <= length // width <= MOST_PERIODS and typical >= LEAST_EVENTS:
            return name
    return ""


def drift_curve(matrix: csr_matrix, seed: int = 0) -> pd.DataFrame:
    """Distance between a period's popularity and that of `lag` periods before, beside the noise of counting.

    Args:
        matrix: periods × items, event counts; empty periods are left out of the means.
        seed: of the draws.

    Returns:
        LAG, LOSS, NOISE for the lags that the log is long enough for.
    """
    shares, totals = _shares(matrix)
    random = np.random.default_rng(seed)
    rows = []
    for lag in [each for each in LAGS if each < matrix.shape[0]]:
        kept = np.flatnonzero((totals[lag:] > 0) & (totals[:-lag] > 0)) + lag
        if not len(kept):
            continue
        losses = _distances(shares[kept], shares[kept - lag])
        noise = [_noise(matrix, row, row - lag, random) for row in kept[:: max(1, len(kept) // 10)]]
        rows.append((lag, losses.mean(), float(np.mean(noise))))
    return pd.DataFrame(rows, columns=["LAG", "LOSS", "NOISE"])


def cutoff_curve(matrix: csr_matrix) -> pd.DataFrame:
    """Distance between a period's popularity and that of the X periods before it, for several X.

    Every X is judged on the same periods, the later half of the log, so the curve compares like with like.

    Returns:
        PERIODS (X), LOSS; the largest X is the whole history each period has.
    """
    shares, totals = _shares(matrix)
    judged = np.flatnonzero(totals > 0)
    judged = judged[judged >= max(1, matrix.shape[0] // 2)]
    if not len(judged):
        return pd.DataFrame({"PERIODS": [], "LOSS": []}, dtype=float)
    summed = (
        np.vstack([np.zeros((1, matrix.shape[1])), np.cumsum(matrix.toarray(), axis=0)]) if _small(matrix) else None
    )
    widths = sorted({each for each in LAGS if each < matrix.shape[0]} | {matrix.shape[0] - 1})
    losses = []
    for width in widths:
        each = []
        for row in judged:
            start = max(0, row - width)
            past = (
                summed[row] - summed[start] if summed is not None else np.asarray(matrix[start:row].sum(axis=0)).ravel()
            )
            if past.sum() > 0:
                each.append(0.5 * np.abs(past / past.sum() - shares[[row]].toarray().ravel()).sum())
        losses.append(float(np.mean(each)) if each else np.nan)
    return pd.DataFrame({"PERIODS": widths, "LOSS": losses}).dropna()


def _shares(matrix: csr_matrix) -> tuple[csr_matrix, np.ndarray]:
    totals = np.asarray(matrix.sum(axis=1)).ravel()
    scale = np.divide(1.0, totals, out=np.zeros_like(totals), where=totals > 0)
    return csr_matrix(diags_array(scale) @ matrix), totals


def _distances(left: csr_matrix, right: csr_matrix) -> np.ndarray:
    return 0.5 * np.asarray(abs(left - right).sum(axis=1)).ravel()


def _noise(matrix: csr_matrix, now: int, before: int, random: np.random.Generator) -> float:
    """Distance between two draws from this period's popularity, as large as this period and the earlier one."""
    counts = matrix[[now]].data
    true = counts / counts.sum()
    first = random.multinomial(int(counts.sum()), true) / counts.sum()
    earlier = int(matrix[[before]].sum())
    return float(0.5 * np.abs(first - random.multinomial(earlier, true) / earlier).sum())


def _small(matrix: csr_matrix) -> bool:
    return matrix.shape[0] * matrix.shape[1] <= 20_000_000  # 160 MB as a dense array
