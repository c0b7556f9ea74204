"""The search of a study: who may begin the next trial, until the budget is used up, here or in several processes."""

import time
from typing import Any

from tqdm.auto import tqdm

from workbench.recipes.tuning_config import TuningConfig
from workbench.recipes.tuning_crew import Crew, Worker, threads_each
from workbench.recipes.tuning_study import DEFAULT, DRAW, KILLED, fail_killed_trials, finished, tried
from workbench.recipes.tuning_task import Task
from workbench.recipes.tuning_trial import FAILED, PRUNED, Ticket, run_trial

SPARE = 3  # lost processes that are replaced, beside one for each process


class Budget:
    """Hands out leave to begin trials until a run has used its budget; `stopped` says why it ended."""

    def __init__(self, study: Any, config: TuningConfig):
        self.study, self.config = study, config
        self.began = time.monotonic()
        self.missing = max(0, config.trials - tried(study))
        self.out: set[Ticket] = set()
        self.lengths: list[float] = []
        self.refused_defaults = 0
        self.stopped = "the study has all its trials"

    @property
    def seconds(self) -> float:
        """How long this run has taken so far."""
        return time.monotonic() - self.began

    def next(self) -> Ticket | None:
        """Give leave to begin one more trial, or None when the budget holds no more."""
        if tried(self.study) + len(self.out) >= self.config.trials:
            return None
        if len(self.lengths) + len(self.out) >= self.missing:
            self.stopped = "this run has begun all missing trials, but some failed; run again to make up for them"
            return None
        limit, usual = self.config.minutes, sum(self.lengths) / max(1, len(self.lengths))
        first = not self.out and not finished(self.study) and not self.lengths
        if limit is not None and not first and self.seconds + usual > 60 * limit:
            self.stopped = f"the next trial would probably not end within {limit:g} minutes"
            return None
        ticket = self._ticket()
        self.out.add(ticket)
        return ticket

    def ended(self, ticket: Ticket, state: str, seconds: float) -> None:
        """Take note of a trial that ended by itself."""
        self.out.discard(ticket)
        self.lengths.append(seconds)
        self.refused_defaults += ticket.is_default and state == FAILED

    def lost(self, ticket: Ticket) -> None:
        """Take note of a trial that was cut off: another one may begin in its place."""
        self.out.discard(ticket)

    def _ticket(self) -> Ticket:
        trials = self.study.get_trials(deepcopy=False)
        kept = [trial for trial in trials if not trial.user_attrs.get(KILLED)]
        taken = {trial.user_attrs.get(DRAW, trial.number) for trial in kept} | {each.draw for each in self.out}
        draw = next(number for number in range(len(taken) + 1) if number not in taken)
        tried_already = any(trial.user_attrs.get(DEFAULT) and trial.state.name != "FAIL" for trial in kept)
        under_way = any(each.is_default for each in self.out)
        return Ticket(draw, not (tried_already or under_way or self.refused_defaults))


def search(study: Any, name: str, storage: str, task: Task, progress: bool) -> dict[str, Any]:
    """Run trials until the budget is used up.

    Returns:
        trials_of_this_run, seconds, stopped (why), and with several processes: processes, lost_processes.
    """
    budget = Budget(study, task.config)
    processes = min(int(task.config.processes), budget.missing)
    bar = tqdm(total=budget.missing, desc=f"tuning {task.recipe}", unit="trial", disable=not progress)
    notes: dict[str, Any] = {}
    with bar:
        if processes > 1:
            notes = _search_together(study, name, storage, task, budget, processes, bar)
        else:
            _search_here(study, task, budget, bar)
    done = {"trials_of_this_run": len(budget.lengths), "seconds": round(budget.seconds, 2), "stopped": budget.stopped}
    return done | notes


def _search_here(study: Any, task: Task, budget: Budget, bar: Any) -> None:
    while (ticket := budget.next()) is not None:
        clock = time.monotonic()
        state = run_trial(study, task, ticket)
        _count(study, budget, ticket, state, time.monotonic() - clock, bar)


def _search_together(
    study: Any, name: str, storage: str, task: Task, budget: Budget, processes: int, bar: Any
) -> dict[str, Any]:
    lost: list[str] = []
    try:
        with Crew(task, storage, name, processes) as crew:
            while True:
                for worker in crew.free():
                    if (ticket := budget.next()) is None:
                        break
                    crew.give(worker, ticket)
                if not crew.busy() and (not crew.workers or not crew.starting()):
                    break
                worker, ended = crew.wait()
                if ended is None:
                    lost.append(_lose(study, crew, worker, budget))
                    if len(lost) <= processes + SPARE:
                        crew.start()
                    elif not crew.workers:
                        budget.stopped = f"{len(lost)} processes were lost one after the other; {lost[-1]}"
                elif (ticket := ended.ticket) is not None:
                    _count(study, budget, ticket, ended.state, ended.seconds, bar)
    finally:
        fail_killed_trials(study, "its process was stopped together with the run")
    words = f"{processes} at a time, {threads_each(processes)} thread(s) each"
    return {"processes": words, "lost_processes": lost}


def _lose(study: Any, crew: Crew, worker: Worker, budget: Budget) -> str:
    """Clear up after a process that ended by itself or was killed; says how it ended."""
    how = crew.bury(worker)
    fail_killed_trials(study, how)
    if worker.ticket is not None:
        budget.lost(worker.ticket)
    return how


def _count(study: Any, budget: Budget, ticket: Ticket, state: str, seconds: float, bar: Any) -> None:
    budget.ended(ticket, state, seconds)
    bar.update()
    values = [trial.value for trial in finished(study)]
    if values and not bar.disable:
        bar.set_postfix_str(f"best {max(values):.4f}" + (f", last {state}" if state in (FAILED, PRUNED) else ""))
