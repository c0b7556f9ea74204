"""How to tune: metric, budget, split, ranges, processes and pruning, and the check of all that before any trial."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from workbench.errors import ParameterError, RecipeError, nearest
from workbench.evaluation.catalogue_metrics import item_features
from workbench.evaluation.metrics import KS, METRICS
from workbench.evaluation.splits import GIVEN, SPLITS, USERS_90_10

NDCG_10 = "normalized_discounted_cumulative_gain_at_10"
MEDIAN, HALVING, NO_PRUNER = "median", "successive-halving", "none"
PRUNERS = (MEDIAN, HALVING, NO_PRUNER)


@dataclass(frozen=True)
class TuningConfig:
    """How to tune.

    metric: a per-user metric, larger is better, such as "normalized_discounted_cumulative_gain_at_10"; any cut.
    trials: settings the study shall have tried in the end, finished or pruned, those of earlier runs included. A
        failed trial is not one of them; a run begins no more trials than were missing when it began.
    minutes: time for trials in this run; None for no limit. No trial starts that would probably not end in time, but
        a study always gets its first. The two fits that report come on top.
    split: how the users that choose are cut: "users-90-10", "global-time", "leave-last-out" or "each-user-80-20".
    held_out_share: share of users that report; for "users-90-10" also of the remaining users that choose. Of each
        such user the same share of events, the newest, is the truth.
    ranges: what to vary; empty for the catalogue's tunable hyperparameters. See `tuning_space.make_ranges`.
    fixed: hyperparameters held at another value than their default, in all trials and in the defaults.
    exclude_seen: leave items of a user's history out of the lists.
    seed: of the splits, the fits, the search and the intervals.
    processes: how many trials run at a time, each in a Python process of its own. With more than one, a suggestion
        depends on which trials have ended by then, so two runs need not try the same settings.
    pruner: what ends a trial early by the values its recipe reports while it trains: "median" (worse than the median
        of the finished trials at the same step), "successive-halving", or "none".
    """

    metric: str = NDCG_10
    trials: int = 20
    minutes: float | None = None
    split: str = USERS_90_10
    held_out_share: float = 0.2
    ranges: Mapping[str, Any] = field(default_factory=dict)
    fixed: Mapping[str, Any] = field(default_factory=dict)
    exclude_seen: bool = True
    seed: int = 0
    processes: int = 1
    pruner: str = MEDIAN

    @property
    def list_length(self) -> int:
        """Length of the lists that are judged: Personalize's longest, or the metric's own cut."""
        cut = int(self.metric.rpartition("_at_")[2])
        return max(KS) if cut in KS else cut


def check_config(config: TuningConfig, items: pd.DataFrame | None) -> None:
    """Refuse what can be known to be wrong before any trial.

    Args:
        config: what was asked for.
        items: the items table; decides whether lists can be judged by diversity.

    Raises:
        ParameterError: a budget, split, pruner or number of processes that makes no sense.
        RecipeError: there is no such metric; names the nearest.
    """
    if config.trials < 1:
        raise ParameterError(f"trials must be at least 1, not {config.trials}")
    if config.minutes is not None and not config.minutes > 0:
        raise ParameterError(f"minutes must be above 0 or None, not {config.minutes}")
    if config.split == GIVEN:
        raise ParameterError("split 'given' names one test table; tuning cuts its own. Use 'users-90-10'.")
    if config.processes < 1 or config.processes != int(config.processes):
        raise ParameterError(f"processes must be a whole number of at least 1, not {config.processes!r}")
    for what, value, known in (("split", config.split, SPLITS), ("pruner", config.pruner, PRUNERS)):
        if value not in known:
            raise ParameterError(f"There is no {what} {value!r}.{nearest(value, known)}")
    _check_metric(config.metric, items)


def _check_metric(metric: str, items: pd.DataFrame | None) -> None:
    diverse = items is not None and item_features(items) is not None
    names = [*METRICS, "novelty", "average_popularity", *(["diversity"] if diverse else [])]
    name, _, cut = metric.rpartition("_at_")
    if name not in names or not cut.isdecimal() or int(cut) < 1:
        near = nearest(metric, [f"{each}_at_{k}" for each in names for k in KS])
        cause = " Lists cannot be judged by diversity: the items table has no column of repeating texts."
        raise RecipeError(f"There is no metric {metric!r}.{near}{cause if name == 'diversity' and not diverse else ''}")
