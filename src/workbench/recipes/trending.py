"""trending-now: the items whose events grow from one window of time to the next, and not by chance."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, SCORE
from workbench.recipes.durations import seconds
from workbench.recipes.recent_events import RecentEvents
from workbench.recipes.recent_popularity import FromRecentEvents

TIE = 0.01  # of the score, by all-time popularity: orders what is otherwise alike
LIKELY = 1.96  # standard deviations to either side of a 95 % interval


def surely_grown(now: np.ndarray, before: np.ndarray, shared: np.ndarray, shrink: float, caution: float) -> np.ndarray:
    """Lower bound of the logarithm of how many times more often items are chosen than one window before.

    With n events now, m before, c of them in both windows (which overlap when they are longer than their distance) and
    s events of shrinkage,

        growth = log((n + s) / (m + s))
        sd ** 2 = (n - c + s) / (n + s) ** 2 + (m - c + s) / (m + s) ** 2 + c * (1 / (n + s) - 1 / (m + s)) ** 2
        bound = growth - caution * sd

    It is the delta method on two Poisson counts, each with a Gamma(s) prior of the same mean: without overlap
    sd ** 2 = 1 / (n + s) + 1 / (m + s). More traffic overall multiplies all rates alike and leaves the order as it is.
    With s = 1 and caution = 1.64 (a one-sided 95 % bound) 3 events after none give -0.45, no trend; 20 after none 1.37;
    60 after 30 0.32; 1,000 after 1,000 -0.07; none after none -2.32.

    Args:
        now, before, shared: (n_items,) counts.
        shrink: s, above 0.
        caution: how many standard deviations are taken off; 0 ranks by the growth itself.

    Returns:
        (n_items,) float64; above 0 where an item grows beyond chance.
    """
    growth = np.log((now + shrink) / (before + shrink))
    return growth - caution * growth_spread(now, before, shared, shrink)


def growth_spread(now: np.ndarray, before: np.ndarray, shared: np.ndarray, shrink: float) -> np.ndarray:
    """Standard deviation of the logarithm of the growth, (n_items,) float64; see `surely_grown`."""
    upper, lower = now + shrink, before + shrink
    variance = (
        (now - shared + shrink) / upper**2
        + (before - shared + shrink) / lower**2
        + shared * (1 / upper - 1 / lower) ** 2
    )
    return np.sqrt(variance)


@dataclass(frozen=True)
class Trend:
    """Counts of both windows and scores, each (n_items,), and how many items grow beyond chance."""

    now: np.ndarray
    before: np.ndarray
    scores: np.ndarray
    growing: int


class TrendingNow(FromRecentEvents):
    """Rank items by how surely their events grew from the window before to the newest.

    The newest window is the last `window` of time up to the newest event; the window before ends `frequency` earlier.
    Both leave their older border out. `window` of None is as long as `frequency`, so the two lie side by side.

    The score is `surely_grown` plus up to 0.01 by all-time popularity, which only orders items that are otherwise
    alike. Where the window before holds no event (all times are equal, the log is too short, or nothing happened then),
    there is no growth to see: the score is the count of the newest window, and the notes say so.

    Source: Amazon Personalize developer guide, Trending-Now: growth between consecutive windows, "Trend discovery
    frequency". The formula is ours, since the service publishes none.
    """

    def __init__(self, **hyperparameters: Any):
        super().__init__(**hyperparameters)
        self.frequency = seconds(hyperparameters["frequency"], "trending-now: frequency")
        window = hyperparameters["window"]
        self.window = self.frequency if window is None else seconds(window, "trending-now: window")

    @property
    def horizon(self) -> float:
        """Seconds from the newest event to the older border of the window before."""
        return self.frequency + self.window

    def trends(self) -> pd.DataFrame:
        """Say of every item what its rank rests on.

        Returns:
            ITEM_ID, EVENTS_NOW, EVENTS_BEFORE, GROWTH (times, shrunk; 1 is as before), LOW and HIGH (its 95 %
            interval), SCORE; best first, ties by item code.
        """
        shrink, end = self.hyperparameters["shrink"], self.recent.newest
        in_now = self.recent.between(end - self.window, end)
        in_before = self.recent.between(end - self.horizon, end - self.frequency)
        spread = growth_spread(self.now, self.before, self.recent.count(in_now & in_before), shrink)
        growth = (self.now + shrink) / (self.before + shrink)
        table = pd.DataFrame(
            {
                ITEM_ID: pd.array(self.item_ids, dtype="str"),
                "EVENTS_NOW": self.now,
                "EVENTS_BEFORE": self.before,
                "GROWTH": growth,
                "LOW": growth * np.exp(-LIKELY * spread),
                "HIGH": growth * np.exp(LIKELY * spread),
                SCORE: self.scores,
            }
        )
        return table.sort_values(SCORE, ascending=False, kind="stable", ignore_index=True)

    def reason(self, item_code: int) -> str:
        """Say the counts of both windows."""
        now, before = int(self.now[item_code]), int(self.before[item_code])
        if "fallback" in self.notes:
            return f"{now:,} events in the newest window"
        return f"{now:,} events, {before:,} in the window before"

    def _rank(self) -> None:
        recent = self.recent
        found = self.at(recent, recent.newest, recent.totals)
        self.now, self.before, self.scores = found.now, found.before, found.scores
        self.notes = {
            "windows": int((recent.newest - recent.oldest) // self.frequency) + 1,
            "window_seconds": self.window,
            "newest_window_starts_after": int(recent.newest - self.window),
            "events_in_newest_window": int(self.now.sum()),
            "events_in_window_before": int(self.before.sum()),
            "items_growing": found.growing,
        }
        if not self.before.any():
            self.notes["fallback"] = f"recent popularity: {self._why_no_growth()}"

    def at(self, recent: RecentEvents, end: float, totals: np.ndarray) -> Trend:
        """Score the items as of a moment.

        Args:
            recent: the events, kept for as long as the windows need.
            end: the newest window ends here, inclusive.
            totals: (n_items,) events of all time up to `end`, not all 0.
        """
        in_now = recent.between(end - self.window, end)
        in_before = recent.between(end - self.horizon, end - self.frequency)
        now, before = recent.count(in_now), recent.count(in_before)
        tie = TIE * totals / totals.max()
        if not before.any():
            return Trend(now, before, (now + tie).astype(np.float32), 0)
        shrink, caution = self.hyperparameters["shrink"], self.hyperparameters["caution"]
        bound = surely_grown(now, before, recent.count(in_now & in_before), shrink, caution)
        return Trend(now, before, (bound + tie).astype(np.float32), int((bound > 0).sum()))

    def _why_no_growth(self) -> str:
        if self.recent.oldest == self.recent.newest:
            return "all events have the same time, so nothing can grow"
        return (
            f"no event in the window before the newest; the log spans {self.recent.newest - self.recent.oldest:,} "
            "seconds. Choose a frequency that fits it"
        )
