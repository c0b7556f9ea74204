"""Tune a recipe: an Optuna study that keeps every trial, and an honest word on whether tuning helped.

The users that choose the best setting and the users that report on it are different people: the best of many trials
looks better than it is on the users it was chosen by.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from workbench.columns import USER_ID
from workbench.errors import ParameterError, RecipeError, WorkbenchError, nearest
from workbench.evaluation.intervals import bootstrap, paired
from workbench.evaluation.splits import GIVEN, USERS_90_10, Split, make_split, users_90_10
from workbench.recipes.catalog import entry
from workbench.recipes.contract import TrainingData
from workbench.recipes.scoring import Evaluation, fit_and_score
from workbench.recipes.tuning_result import BEST, DEFAULTS, Tuning
from workbench.recipes.tuning_space import Range, make_ranges
from workbench.recipes.tuning_study import (
    DEFAULT,
    OWNER,
    REASON,
    fail_killed_trials,
    finished,
    hash_events,
    importance,
    open_study,
    owner,
    quiet,
    trial_table,
)

__all__ = ["NDCG_10", "Tuning", "TuningConfig", "tune"]

NDCG_10 = "normalized_discounted_cumulative_gain_at_10"


@dataclass(frozen=True)
class TuningConfig:
    """How to tune.

    metric: a per-user metric, larger is better, such as "normalized_discounted_cumulative_gain_at_10".
    trials: finished trials the study shall have in the end, those of earlier runs included.
    minutes: time for trials in this run; None for no limit. No trial starts that would probably not end in time, but
        a study always gets its first. The two fits that report come on top.
    split: how the users that choose are cut: "users-90-10", "global-time", "leave-last-out" or "each-user-80-20".
    held_out_share: share of users that report; for "users-90-10" also of the remaining users that choose. Of each
        such user the same share of events, the newest, is the truth.
    ranges: what to vary; empty for the catalogue's tunable hyperparameters. See `tuning_space.make_ranges`.
    fixed: hyperparameters held at another value than their default, in all trials and in the defaults.
    exclude_seen: leave items of a user's history out of the lists.
    seed: of the splits, the fits, the search and the intervals.
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


def tune(
    recipe_name: str,
    data: TrainingData,
    *,
    storage: str,
    study: str = "",
    config: TuningConfig | None = None,
    progress: bool = False,
) -> Tuning:
    """Try settings of a recipe until the budget is used up, then judge the best one on people it never saw.

    Args:
        recipe_name: of the catalogue.
        data: the events that count, and the group's other tables.
        storage: SQLAlchemy URL of the database that keeps the trials, usually `Workspace.catalog_url`.
        study: name; a study of this name is continued. Empty: a name made from recipe, data and settings, so that
            the same call continues and any other begins anew.
        config: None for the defaults.
        progress: show a bar of trials.

    Returns:
        The whole study, earlier runs included.

    Raises:
        RecipeError: an unknown recipe, range or metric; a study that was begun with other data or settings; or no
            trial that could finish.
        SplitError: too few users.
    """
    config = config or TuningConfig()
    _check(config)
    row = entry(recipe_name)
    ranges, notes = make_ranges(row.name, config.ranges, config.fixed)
    report_split = users_90_10(data.interactions, config.seed, share=config.held_out_share)
    others = _without(data.interactions, report_split)
    share = {"share": config.held_out_share} if config.split == USERS_90_10 else {}
    choosing = make_split(config.split, others, config.seed + 1, **share)
    facts = _facts(row.name, data, config, ranges)
    name = study or f"{row.name}-{hash_events(data.interactions)[:6]}-{_digest(facts)}"
    task = _Task(row.name, data, config, ranges, choosing)
    with quiet():
        opened = open_study(storage, name, facts)
        notes = {"widened_ranges": notes, "killed_trials": fail_killed_trials(opened)}
        notes |= _search(opened, task, progress)
        return _conclude(opened, name, task, report_split, facts["data"], notes)


@dataclass(frozen=True)
class _Task:
    """What every trial of a study has in common."""

    recipe: str
    data: TrainingData
    config: TuningConfig
    ranges: list[Range]
    split: Split

    def evaluate(self, hyperparameters: Mapping[str, Any], split: Split) -> Evaluation:
        return fit_and_score(
            self.recipe,
            {**self.config.fixed, **hyperparameters},
            split,
            self.data.items,
            self.data.users,
            seed=self.config.seed,
            exclude_seen=self.config.exclude_seen,
        )


def _search(study: Any, task: _Task, progress: bool) -> dict[str, Any]:
    """Run trials until the budget is used up; says how many and why it stopped."""
    import optuna

    config, began, lengths = task.config, time.monotonic(), []
    _enqueue_default(study, task)
    missing = max(0, config.trials - len(finished(study)))
    stopped = "the study has all its trials"
    bar = tqdm(total=missing, desc=f"tuning {task.recipe}", unit="trial", disable=not progress)
    with bar:
        while len(lengths) < missing:
            spent, usual = time.monotonic() - began, sum(lengths) / max(1, len(lengths))
            if config.minutes is not None and finished(study) and spent + usual > 60 * config.minutes:
                stopped = f"the next trial would probably not end within {config.minutes:g} minutes"
                break
            # Seeded by how many trials are done, so a continued study draws what an unbroken one would have drawn.
            startup = max(3, min(10, config.trials // 3))
            study.sampler = optuna.samplers.TPESampler(
                seed=1_000 * config.seed + len(finished(study)), n_startup_trials=startup
            )
            clock = time.monotonic()
            _run_trial(study, task)
            lengths.append(time.monotonic() - clock)
            bar.update()
    return {"trials_of_this_run": len(lengths), "seconds": round(time.monotonic() - began, 2), "stopped": stopped}


def _enqueue_default(study: Any, task: _Task) -> None:
    """Put the catalogue's defaults first, unless a trial of them is done, under way or waiting, or none can be."""
    there = [trial for trial in study.get_trials(deepcopy=False) if trial.user_attrs.get(DEFAULT)]
    if any(trial.state.name in ("COMPLETE", "RUNNING", "WAITING") for trial in there):
        return
    if any(each.default is None for each in task.ranges):
        return  # the recipe chooses such a value itself, which no trial of fixed values can stand for
    values = {each.name: each.stored(each.default) for each in task.ranges if each.default is not None}
    study.enqueue_trial(values, user_attrs={DEFAULT: True, OWNER: owner()})


def _run_trial(study: Any, task: _Task) -> None:
    """Fit and judge one setting; a setting that the recipe refuses is kept as failed, with the reason."""
    import optuna

    if not study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.WAITING,)):
        # Queued first, so that the trial has an owner from its first moment, whenever the process may be killed.
        study.enqueue_trial({}, user_attrs={OWNER: owner()})
    trial = study.ask()
    trial.set_user_attr(OWNER, owner())
    trial.set_user_attr("started", datetime.now(UTC).isoformat(timespec="seconds"))
    values = {each.name: each.suggest(trial) for each in task.ranges}
    try:
        evaluation = task.evaluate(values, task.split)
        if task.config.metric not in evaluation.per_user:
            known = evaluation.per_user.columns
            raise RecipeError(f"There is no metric {task.config.metric!r}.{nearest(task.config.metric, known)}")
        interval = bootstrap(evaluation.per_user[task.config.metric], task.config.seed)
    except (WorkbenchError, MemoryError) as error:
        trial.set_user_attr(REASON, f"{type(error).__name__}: {error}")
        study.tell(trial, state=optuna.trial.TrialState.FAIL)
        return
    seconds = {f"{name}_seconds": round(value, 3) for name, value in evaluation.timings.items()}
    for name, value in {"low": interval.low, "high": interval.high, "users": interval.n, **seconds}.items():
        trial.set_user_attr(name, value)
    study.tell(trial, interval.mean)


def _conclude(study: Any, name: str, task: _Task, report_split: Split, data_hash: str, notes: dict[str, Any]) -> Tuning:
    """Judge the best setting and the defaults on the users that had no say."""
    done = finished(study)
    if not done:
        reasons = [trial.user_attrs.get(REASON, "") for trial in study.get_trials(deepcopy=False)]
        raise RecipeError(
            f"No trial of the study {name!r} could finish. The last reason: {next(filter(None, reasons[::-1]), 'none')}"
        )
    best = max(done, key=lambda trial: (trial.value, -trial.number))
    values = {each.name: each.from_stored(best.params[each.name]) for each in task.ranges if each.name in best.params}
    is_default = bool(best.user_attrs.get(DEFAULT))
    defaults = task.evaluate({}, report_split)
    chosen = defaults if is_default else task.evaluate(values, report_split)
    metric = task.config.metric
    tables = [each.summary.assign(SETTING=label) for label, each in ((BEST, chosen), (DEFAULTS, defaults))]
    report = pd.concat(tables, ignore_index=True)
    return Tuning(
        study=name,
        recipe=task.recipe,
        metric=metric,
        trials=trial_table(study, task.ranges),
        varied=[each.name for each in task.ranges],
        log_scaled=[each.name for each in task.ranges if each.log],
        best=chosen.hyperparameters,
        best_trial=best.number,
        importance=importance(study, task.config.seed),
        report=report[["SETTING", *(column for column in report if column != "SETTING")]],
        difference=paired(chosen.per_user[metric], defaults.per_user[metric], task.config.seed),
        data_hash=data_hash,
        notes=notes
        | {
            "best_is_default": is_default,
            "users_that_choose": int(task.split.held_out[USER_ID].nunique()),
            "users_that_report": int(report_split.held_out[USER_ID].nunique()),
        },
    )


def _without(events: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Leave out every event of the users that report, so that nothing of theirs helps to choose."""
    theirs = events[USER_ID].isin(split.held_out[USER_ID].unique())
    return events[~theirs].reset_index(drop=True)


def _facts(recipe: str, data: TrainingData, config: TuningConfig, ranges: list[Range]) -> dict[str, Any]:
    """Say what trials of one study must have in common to be comparable."""
    return {
        "recipe": recipe,
        "metric": config.metric,
        "data": hash_events(data.interactions),
        "split": config.split,
        "held_out_share": config.held_out_share,
        "exclude_seen": config.exclude_seen,
        "seed": config.seed,
        "fixed": dict(config.fixed),
        "ranges": {each.name: each.facts() for each in ranges},
    }


def _digest(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:6]


def _check(config: TuningConfig) -> None:
    if config.trials < 1:
        raise ParameterError(f"trials must be at least 1, not {config.trials}")
    if config.minutes is not None and config.minutes <= 0:
        raise ParameterError(f"minutes must be above 0 or None, not {config.minutes}")
    if config.split == GIVEN:
        raise ParameterError("split 'given' names one test table; tuning cuts its own. Use 'users-90-10'.")
