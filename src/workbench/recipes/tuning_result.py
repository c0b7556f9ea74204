"""What a study found, and the sentence that says so."""

from dataclasses import dataclass
from typing import Any

import pandas as pd

from workbench.columns import METRIC
from workbench.evaluation.intervals import PairedDifference

BEST, DEFAULTS = "best", "defaults"


@dataclass(frozen=True)
class Tuning:
    """What a study has found so far.

    trials: every trial, see `tuning_study.trial_table`; reports: what recipes reported while they trained, see
        `tuning_study.report_table`.
    varied: the hyperparameters that were varied; log_scaled: those of them varied on a logarithmic scale.
    best: the complete hyperparameters of the best trial; best_trial: its number.
    importance: PARAMETER, IMPORTANCE; empty when too few trials finished.
    report: SETTING ("best", "defaults"), METRIC, MEAN, LOW, HIGH, USERS on users held out from the tuning itself.
    difference: best minus defaults over those users, in the study's metric.
    notes: counts of users on either side, trials of this run, pruned, failed and killed ones, why the run stopped,
        widened ranges.
    """

    study: str
    recipe: str
    metric: str
    trials: pd.DataFrame
    reports: pd.DataFrame
    varied: list[str]
    log_scaled: list[str]
    best: dict[str, Any]
    best_trial: int
    importance: pd.DataFrame
    report: pd.DataFrame
    difference: PairedDifference
    data_hash: str
    notes: dict[str, Any]

    def sentence(self, metric_words: str = "") -> str:
        """Say in words what the study found, true whatever it found; `metric_words` is what readers call the metric."""
        metric = metric_words or self.metric
        row = self.report[(self.report["SETTING"] == BEST) & (self.report[METRIC] == self.metric)].iloc[0]
        counts = self.trials["STATE"].value_counts()
        others = ", ".join(f"{counts[state]:,} {state}" for state in ("pruned", "failed") if state in counts)
        finished = int(counts["finished"])
        done = f"{finished:,} finished trial{'s' if finished > 1 else ''}{f' ({others})' if others else ''}"
        setting = ", ".join(f"{name}={_short(self.best[name])}" for name in self.varied if name in self.best)
        value = f"{row['MEAN']:.4f} (95 % interval {row['LOW']:.4f} to {row['HIGH']:.4f})"
        users = f"{self.difference.n:,} users held out from the tuning itself"
        if self.notes["best_is_default"]:
            return (
                f"None of {done} beat the defaults ({setting}) on the users that choose; "
                f"on {users} their {metric} is {value}: no clear gain over the defaults."
            )
        gap = self.difference
        verdict = {"higher": "a clear gain over the defaults", "lower": "clearly worse than the defaults"}
        return (
            f"The best of {done} is trial {self.best_trial} with {setting}; on {users} its "
            f"{metric} is {value}, which is {gap.mean:+.4f} ({gap.low:+.4f} to {gap.high:+.4f}) beside the "
            f"defaults: {verdict.get(gap.reading, 'no clear gain over the defaults')}."
        )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
