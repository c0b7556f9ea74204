"""Trials side by side: the same trials as alone, nothing lost when a process is killed, nobody left behind."""

import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import pandas as pd
import psutil
import pytest

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.data.workspace import Workspace
from workbench.errors import ParameterError
from workbench.recipes.contract import TrainingData
from workbench.recipes.tuning import TuningConfig, tune
from workbench.recipes.tuning_crew import threads_each
from workbench.recipes.tuning_study import hash_events
from workbench.recipes.tuning_task import Task, read_task, write_task

RANGES = {"days": [1.0, 50.0]}
SCRIPT = """
import sys
import pandas as pd
from workbench.recipes.contract import TrainingData
from workbench.recipes.tuning import TuningConfig, tune
events = pd.read_parquet(sys.argv[1])
config = TuningConfig(trials=5000, ranges={"days": [1.0, 50.0]}, seed=2, processes=2)
tune("recent-popularity", TrainingData(events), storage=sys.argv[2], study="shared", config=config)
"""


@pytest.fixture(scope="module")
def events() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    rows = [
        (f"0{user}", f"i{(user % 3) * 10 + rng.integers(0, 10)}", 1_700_000_000 + 86_400 * day + user)
        for user in range(60)
        for day in range(10)
    ]
    return pd.DataFrame(rows, columns=[USER_ID, ITEM_ID, TIMESTAMP])


@pytest.fixture
def storage(tmp_path) -> str:
    return Workspace(tmp_path / "workspace").catalog_url


def run(events, storage, **settings):
    config = TuningConfig(**({"trials": 8, "seed": 2, "ranges": RANGES, "processes": 2} | settings))
    return tune("recent-popularity", TrainingData(events), storage=storage, study="shared", config=config)


def test_two_processes_run_each_trial_once_and_score_as_one_does(events, storage, tmp_path, capsys):
    items = pd.DataFrame({ITEM_ID: [f"i{n}" for n in range(30)], "GENRE": ["a|b", "c", None] * 10})
    config = TuningConfig(trials=8, seed=2, ranges=RANGES, processes=2)
    data = TrainingData(events, items)
    together = tune("recent-popularity", data, storage=storage, study="shared", config=config, progress=True)
    assert "8/8" in capsys.readouterr().err
    alone = tune(
        "recent-popularity",
        data,
        storage=Workspace(tmp_path / "other").catalog_url,
        config=TuningConfig(trials=4, seed=2, ranges=RANGES),
    )
    assert together.trials["TRIAL"].tolist() == list(range(8))
    assert together.trials["STATE"].tolist() == ["finished"] * 8
    assert together.trials["IS_DEFAULT"].sum() == 1
    assert together.trials["days"].nunique() == 8, "no setting ran twice"
    assert together.notes["trials_of_this_run"] == 8
    assert together.notes["processes"].startswith("2 at a time")
    assert together.notes["lost_processes"] == []
    # The first suggestions are seeded draws, whichever process makes them, and score the same to the last digit.
    first = together.trials.set_index("days")["VALUE"]
    assert first[alone.trials["days"][:3]].tolist() == alone.trials["VALUE"][:3].tolist()
    assert together.difference.n == alone.difference.n


def test_a_task_reads_back_as_it_was_written(events, tmp_path):
    from workbench.evaluation.splits import users_90_10
    from workbench.recipes.tuning_space import make_ranges

    given = {"decays": {"choices": [[0.5], [0.9, 0.99]]}, "ridge": [10.0, 1000.0]}
    ranges, _ = make_ranges("user-personalization", given, {"lags": 20})
    config = TuningConfig(fixed={"lags": 20}, ranges=given, metric="recall_at_20", minutes=2.5)
    task = Task("user-personalization", config, ranges, users_90_10(events, 3), events[[ITEM_ID]].drop_duplicates())
    write_task(task, tmp_path)
    other = read_task(tmp_path)
    assert (other.config, other.ranges, other.recipe, other.users) == (task.config, ranges, task.recipe, None)
    assert hash_events(other.split.train) == hash_events(task.split.train)
    assert other.split.notes == task.split.notes
    assert other.items[ITEM_ID].tolist() == task.items[ITEM_ID].tolist()
    assert sorted(path.suffix for path in tmp_path.iterdir()) == [".json", *[".parquet"] * 4]


def test_a_killed_process_is_replaced_and_no_finished_trial_is_lost(events, storage):
    results: list = []
    thread = threading.Thread(target=lambda: results.append(run(events, storage, trials=40)))
    before = set(_workers(os.getpid()))
    thread.start()
    done = _wait_for(storage, 3)
    victim = next(iter(set(_workers(os.getpid())) - before))
    os.kill(victim, signal.SIGKILL)
    thread.join(400)
    (found,) = results
    kept = found.trials[found.trials["TRIAL"].isin(done)]
    assert kept["STATE"].tolist() == ["finished"] * len(done)
    assert kept["VALUE"].tolist() == list(done.values())
    assert (found.trials["STATE"] == "finished").sum() == 40
    assert "running" not in set(found.trials["STATE"])
    failed = found.trials[found.trials["STATE"] == "failed"]
    assert len(found.notes["lost_processes"]) == 1
    assert f"its process {victim} was ended by SIGKILL" in found.notes["lost_processes"][0]
    assert all(f"process {victim} was ended by SIGKILL" in reason for reason in failed["REASON"])
    assert found.notes["failed_trials"] == []
    assert set(_workers(os.getpid())) <= before


@pytest.mark.parametrize(("sent", "reason"), [("SIGINT", "stopped together with the run"), ("SIGKILL", "ended before")])
def test_an_ended_run_leaves_no_process_behind(events, storage, tmp_path, sent, reason):
    events.to_parquet(tmp_path / "events.parquet")
    folder = tmp_path / "temporary"
    folder.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "events.parquet"), storage],
        env=os.environ | {"TMPDIR": str(folder)},
        stderr=subprocess.PIPE,
    )
    try:
        done = _wait_for(storage, 3)
        workers = [psutil.Process(pid) for pid in _workers(process.pid)]
        assert len(workers) == 2
        process.send_signal(getattr(signal, sent))
        process.communicate(timeout=120)
    finally:
        process.kill()
    _wait_until_gone(workers)
    assert process.returncode != 0
    assert list(folder.iterdir()) == [], "the tables handed to the processes are gone"
    states = {trial.number: trial for trial in _trials(storage)}
    assert all(states[number].value == value for number, value in done.items())
    more = sum(trial.state.name == "COMPLETE" for trial in states.values()) + 1
    found = run(events, storage, trials=more, processes=1)
    assert "running" not in set(found.trials["STATE"])
    assert (found.trials["STATE"] == "finished").sum() == more
    cut_off = found.trials[found.trials["STATE"] == "failed"]
    assert all(reason in each for each in cut_off["REASON"])


def test_a_process_that_cannot_begin_says_why(events, storage, monkeypatch):
    from workbench.errors import RecipeError

    monkeypatch.setattr("workbench.recipes.tuning_crew.MODULE", "workbench.recipes.no_such_module")
    with pytest.raises(RecipeError, match=r"No trial .* could finish. .* ended with code 1: .*no_such_module"):
        run(events, storage)


def test_cores_are_shared_out(monkeypatch):
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [threads_each(1), threads_each(10_000)] == [cores, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert threads_each(1) == 1


@pytest.mark.parametrize("wrong", [0, -1, 1.5])
def test_a_number_of_processes_that_makes_no_sense_is_refused(events, storage, wrong):
    with pytest.raises(ParameterError, match="processes must be a whole number of at least 1"):
        run(events, storage, processes=wrong)


@pytest.mark.skipif("WORKBENCH_TEST_POSTGRES" not in os.environ, reason="WORKBENCH_TEST_POSTGRES names no server")
def test_postgresql_keeps_a_study_too(events):
    pytest.importorskip("psycopg", reason="pip install 'recommendation-workbench[postgres]'")
    import optuna

    storage = os.environ["WORKBENCH_TEST_POSTGRES"]  # such as postgresql://me@localhost/postgres
    try:
        found = run(events, storage)
        assert found.trials["STATE"].tolist() == ["finished"] * 8
        assert run(events, storage, trials=9, processes=1).notes["trials_of_this_run"] == 1
    finally:
        optuna.delete_study(study_name="shared", storage=storage)


def _trials(storage: str) -> list:
    import optuna
    from sqlalchemy.exc import OperationalError

    try:
        return optuna.load_study(study_name="shared", storage=storage).get_trials(deepcopy=False)
    except (KeyError, OperationalError):  # no study yet, or the run is making the tables at this very moment
        return []


def _wait_for(storage: str, count: int, seconds: float = 240) -> dict[int, float]:
    """Wait until so many trials have finished; gives their values by number."""
    end = time.monotonic() + seconds
    while True:
        done = {trial.number: trial.value for trial in _trials(storage) if trial.state.name == "COMPLETE"}
        if len(done) >= count:
            return done
        assert time.monotonic() < end, "the study never got going"
        time.sleep(0.2)


def _wait_until_gone(workers: list[psutil.Process], seconds: float = 60) -> None:
    """A process that nobody has collected yet, as in a container without init, is gone all the same."""
    end = time.monotonic() + seconds
    while any(map(_lives, workers)):
        assert time.monotonic() < end, f"still there: {workers}"
        time.sleep(0.1)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _workers(parent: int) -> list[int]:
    found = []
    for child in psutil.Process(parent).children(recursive=True):
        try:
            if "workbench.recipes.tuning_worker" in child.cmdline():
                found.append(child.pid)
        except psutil.Error:
            continue
    return found
