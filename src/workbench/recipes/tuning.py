"""Tune a recipe: an Optuna study that keeps every trial, and an honest word on whether tuning helped.

The users that choose the best setting and the users that report on it are different people: the best of many trials
looks better than it is on the users it was chosen by.
"""

from typing import Any

import pandas as pd

from workbench.columns import USER_ID
from workbench.errors import RecipeError
from workbench.evaluation.intervals import paired
from workbench.evaluation.splits import USERS_90_10, Split, make_split, users_90_10
from workbench.recipes.catalog import entry
from workbench.recipes.contract import TrainingData
from workbench.recipes.scoring import Evaluation
from workbench.recipes.tuning_config import NDCG_10, PRUNERS, TuningConfig, check_config
from workbench.recipes.tuning_result import BEST, DEFAULTS, Tuning
from workbench.recipes.tuning_search import search
from workbench.recipes.tuning_space import make_ranges
from workbench.recipes.tuning_study import (
    DEFAULT,
    REASON,
    fail_killed_trials,
    failures,
    finished,
    hash_events,
    importance,
    open_study,
    quiet,
    report_table,
    trial_table,
)
from workbench.recipes.tuning_task import Task, digest

__all__ = ["NDCG_10", "PRUNERS", "Tuning", "TuningConfig", "tune"]


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
    check_config(config, data.items)
    row = entry(recipe_name)
    ranges, widened = make_ranges(row.name, config.ranges, config.fixed)
    report_split = users_90_10(data.interactions, config.seed, share=config.held_out_share)
    others = _without(data.interactions, report_split)
    share = {"share": config.held_out_share} if config.split == USERS_90_10 else {}
    choosing = make_split(config.split, others, config.seed + 1, **share)
    task = Task(row.name, config, ranges, choosing, data.items, data.users)
    data_hash = hash_events(data.interactions)
    facts = task.facts(data_hash)
    name = study or f"{row.name}-{data_hash[:6]}-{digest(facts)}"
    with quiet():
        opened = open_study(storage, name, facts)
        notes: dict[str, Any] = {"widened_ranges": widened, "killed_trials": fail_killed_trials(opened)}
        notes |= search(opened, name, storage, task, progress)
        return _conclude(opened, name, task, report_split, data_hash, notes)


def _conclude(study: Any, name: str, task: Task, report_split: Split, data_hash: str, notes: dict[str, Any]) -> Tuning:
    """Judge the best setting and the defaults on the users that had no say."""
    done = finished(study)
    if not done:
        reasons = [trial.user_attrs.get(REASON, "") for trial in study.get_trials(deepcopy=False)]
        last = next(filter(None, [*notes.get("lost_processes", []), *reasons][::-1]), "none")
        raise RecipeError(f"No trial of the study {name!r} could finish. The last reason: {last}")
    best = max(done, key=lambda trial: (trial.value, -trial.number))
    values = {each.name: each.from_stored(best.params[each.name]) for each in task.ranges if each.name in best.params}
    is_default = bool(best.user_attrs.get(DEFAULT))
    defaults = _report(name, task, {}, report_split, "the defaults")
    chosen = defaults if is_default else _report(name, task, values, report_split, f"the best trial, {best.number},")
    metric = task.config.metric
    tables = [each.summary.assign(SETTING=label) for label, each in ((BEST, chosen), (DEFAULTS, defaults))]
    report = pd.concat(tables, ignore_index=True)
    trials = trial_table(study, task.ranges)
    return Tuning(
        study=name,
        recipe=task.recipe,
        metric=metric,
        trials=trials,
        reports=report_table(study),
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
            "pruned_trials": int((trials["STATE"] == "pruned").sum()),
            "failed_trials": failures(study),
            "best_is_default": is_default,
            "users_that_choose": int(task.split.held_out[USER_ID].nunique()),
            "users_that_report": int(report_split.held_out[USER_ID].nunique()),
        },
    )


def _report(name: str, task: Task, values: dict[str, Any], split: Split, what: str) -> Evaluation:
    """Fit a setting once more; it learns from more users than a trial, so what was enough for that may not do here."""
    try:
        return task.evaluate(values, split)
    except (RecipeError, MemoryError) as error:
        raise RecipeError(
            f"All trials of the study {name!r} are kept, but {what} could not be trained once more for the users that "
            f"report: {type(error).__name__}: {error}"
        ) from error


def _without(events: pd.DataFrame, split: Split) -> pd.DataFrame:
    """Leave out every event of the users that report, so that nothing of theirs helps to choose."""
    theirs = events[USER_ID].isin(split.held_out[USER_ID].unique())
    return events[~theirs].reset_index(drop=True)
