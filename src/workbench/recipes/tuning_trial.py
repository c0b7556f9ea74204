"""One trial of a study: drawn, fitted, watched while it trains, judged, and told to the database."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np

from workbench.evaluation.intervals import bootstrap
from workbench.recipes.tuning_config import HALVING, MEDIAN, NO_PRUNER, TuningConfig
from workbench.recipes.tuning_study import DEFAULT, DRAW, KILLED, OWNER, REASON, RESULT, owner
from workbench.recipes.tuning_task import Task

FINISHED, PRUNED, FAILED = "finished", "pruned", "failed"
FIRST_TRIALS = 4  # finished trials before any other is pruned
FIRST_REPORTS = 3  # reports of a trial before it may be pruned: early values say little
COMPARED = 3  # finished trials that must have reported at a step to compare with
LONGEST_REASON = 1_000  # characters


@dataclass(frozen=True)
class Ticket:
    """Leave to begin a trial: `draw` seeds its suggestion; `is_default` tries the defaults instead of a suggestion."""

    draw: int
    is_default: bool = False


@dataclass
class Watcher:
    """What a recipe tells its values to while it trains: keeps them with the trial and ends one that falls behind.

    A step counts once, with its first value. The defaults are never pruned: everything is compared with them.
    """

    trial: Any
    prune: bool
    seen: set[int] = field(default_factory=set)
    pruned: str = ""

    def __call__(self, step: int, value: float) -> None:
        """Keep a value; larger is better.

        Raises:
            optuna.TrialPruned: the trial has fallen behind.
        """
        import optuna

        if step in self.seen:
            return
        self.seen.add(step)
        self.trial.report(float(value), int(step))
        if not self.prune or len(self.seen) <= FIRST_REPORTS:
            return
        if not np.isfinite(value):
            self.pruned = f"reported {value} at step {step}"
        elif self.trial.should_prune():
            self.pruned = f"fell behind the other trials at step {step} with {value:.4g}"
        if self.pruned:
            raise optuna.TrialPruned(self.pruned)


def run_trial(study: Any, task: Task, ticket: Ticket) -> str:
    """Fit and judge one setting, and keep what came of it.

    Whatever a recipe raises fails the trial with that reason, and the study goes on: a bad combination of settings
    or too little memory says nothing about the next setting.

    Args:
        study: an Optuna study.
        task: what its trials have in common.
        ticket: which one this is.

    Returns:
        "finished", "pruned" or "failed".
    """
    import optuna

    states = optuna.trial.TrialState
    study.sampler, study.pruner = _sampler(task.config, ticket.draw), _pruner(task.config.pruner)
    trial = _begin(study, task, ticket)
    began = time.perf_counter()
    watcher = Watcher(trial, task.config.pruner != NO_PRUNER and not ticket.is_default)
    try:
        # The defaults' own values are only written down: a recipe that got them as given might choose otherwise.
        drawn = [each for each in task.ranges if not ticket.is_default or each.default is not None]
        values = {each.name: each.suggest(trial) for each in drawn}
        found, value = _judge(task, {} if ticket.is_default else values, watcher)
    except Exception as error:
        if watcher.pruned:
            trial.set_user_attr(RESULT, {"fit_seconds": round(time.perf_counter() - began, 3)})
        trial.set_user_attr(REASON, watcher.pruned or f"{type(error).__name__}: {error}"[:LONGEST_REASON])
        study.tell(trial, state=states.PRUNED if watcher.pruned else states.FAIL)
        return PRUNED if watcher.pruned else FAILED
    except BaseException:
        trial.set_user_attr(REASON, "interrupted")
        trial.set_user_attr(KILLED, True)
        study.tell(trial, state=states.FAIL)
        raise
    trial.set_user_attr(RESULT, found)
    study.tell(trial, value)
    return FINISHED


def _judge(task: Task, values: dict[str, Any], watcher: Watcher) -> tuple[dict[str, Any], float]:
    evaluation = task.evaluate(values, watch=watcher)
    scores = evaluation.per_user[task.config.metric]
    if not np.isfinite(scores.dropna()).any():
        raise ValueError(f"{task.config.metric} is undefined for every user that chooses")
    interval = bootstrap(scores, task.config.seed)
    seconds = {f"{name}_seconds": round(each, 3) for name, each in evaluation.timings.items()}
    return {"low": interval.low, "high": interval.high, "users": interval.n, **seconds}, interval.mean


def _begin(study: Any, task: Task, ticket: Ticket) -> Any:
    """Open a trial that has its owner, its draw and its start from its first moment, whenever a process is killed."""
    import optuna

    attributes = {OWNER: owner(), DRAW: ticket.draw, "started": datetime.now(UTC).isoformat(timespec="seconds")}
    fixed = {}
    if ticket.is_default:
        attributes[DEFAULT] = True
        values = {each.name: each.stored(each.default) for each in task.ranges if each.default is not None}
        fixed = {"fixed_params": values}  # as Study.enqueue_trial writes it
    template = optuna.trial.create_trial(
        state=optuna.trial.TrialState.RUNNING, user_attrs=attributes, system_attrs=fixed
    )
    # Study.ask would take a trial that another process has put in line; this one belongs to nobody else.
    return optuna.trial.Trial(study, study._storage.create_new_trial(study._study_id, template_trial=template))


def _sampler(config: TuningConfig, draw: int) -> Any:
    """Seeded by the draw, so a continued study draws what an unbroken one would have drawn."""
    import optuna

    startup = max(3, min(10, config.trials // 3))
    return optuna.samplers.TPESampler(seed=1_000 * config.seed + draw, n_startup_trials=startup)


def _pruner(name: str) -> Any:
    import optuna

    if name == MEDIAN:
        return optuna.pruners.MedianPruner(n_startup_trials=FIRST_TRIALS, n_min_trials=COMPARED)
    return optuna.pruners.SuccessiveHalvingPruner() if name == HALVING else optuna.pruners.NopPruner()
