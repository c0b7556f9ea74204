"""Time cut into windows of equal length, counted from the epoch."""

from datetime import UTC, datetime

import numpy as np
import pandas as pd

from workbench.columns import MINUTE, TIMESTAMP
from workbench.errors import ParameterError

QUARTER_HOUR = 15 * MINUTE  # Personalize's window


def window_start(times: pd.Series | np.ndarray, seconds: int = QUARTER_HOUR) -> np.ndarray:
    """The first second of the window each time falls into; a window holds its start and not its end.

    Args:
        times: epoch seconds.
        seconds: length of a window, at least 1.

    Raises:
        ValueError: a length below one second.
    """
    require_length(seconds)
    return np.floor_divide(np.asarray(times, dtype="int64"), seconds) * seconds


def require_length(seconds: int) -> None:
    """Raise a ValueError unless a window's length is a whole number of seconds above zero."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | np.integer) or seconds < 1:
        raise ParameterError(f"a window is a whole number of seconds, at least 1, not {seconds!r}")


def rewindow(table: pd.DataFrame, seconds: int) -> pd.DataFrame:
    """Add up windows into longer ones, and put a zero where a source had nothing.

    Args:
        table: TIMESTAMP (window starts), VALUE, and any other columns, which tell the series apart. The new length
            should be a multiple of the old one, or windows are put where they start.
        seconds: length of the new windows.

    Returns:
        The same columns and every series in every window from the first to the last, ordered by series and time.
    """
    require_length(seconds)
    keys = [name for name in table.columns if name not in (TIMESTAMP, "VALUE")]
    if table.empty:
        return table.copy()
    moved = table.assign(**{TIMESTAMP: window_start(table[TIMESTAMP], seconds)})
    summed = moved.groupby([*keys, TIMESTAMP], sort=False)["VALUE"].sum()
    series = moved[keys].drop_duplicates()
    first, last = moved[TIMESTAMP].min(), moved[TIMESTAMP].max()
    grid = series.merge(pd.DataFrame({TIMESTAMP: np.arange(first, last + 1, seconds)}), how="cross")
    return grid.join(summed, on=[*keys, TIMESTAMP]).fillna({"VALUE": 0.0})[list(table.columns)]


def utc(seconds: int) -> str:
    """A time for a reader, such as "2025-05-01 06:15 UTC"."""
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M UTC")
