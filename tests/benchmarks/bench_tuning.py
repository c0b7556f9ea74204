"""How many trials a minute one process runs, and how many several do, on the same generated log.

    python tests/benchmarks/bench_tuning.py [--processes 2] [--trials 16] [--users 3000] [--recipe user-personalization]

Every run begins a study of its own with the same seed. Prints wall time, trials a minute (the start of the processes
counts, the two fits that report do not) and the load of the machine before each run: on a busy one they say little.
"""

import argparse
import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.data.workspace import Workspace
from workbench.recipes.contract import TrainingData
from workbench.recipes.tuning import Tuning, TuningConfig, tune
from workbench.recipes.tuning_crew import threads_each

EVENTS_EACH = 20


def generated_log(users: int, seed: int = 0) -> pd.DataFrame:
    """Users who walk through neighbouring items of a skewed catalogue, so that order can be learned."""
    rng = np.random.default_rng(seed)
    items = max(50, users // 3)
    starts = (items * rng.random(users) ** 2).astype(int)
    steps = rng.integers(1, 6, (users, EVENTS_EACH)).cumsum(axis=1)
    chosen = (starts[:, None] + steps) % items
    times = 1_700_000_000 + rng.integers(0, 3_600, (users, EVENTS_EACH)).cumsum(axis=1)
    return pd.DataFrame(
        {
            USER_ID: np.repeat([f"u{n}" for n in range(users)], EVENTS_EACH),
            ITEM_ID: [f"i{n}" for n in chosen.ravel()],
            TIMESTAMP: times.ravel(),
        }
    )


def run(recipe: str, data: TrainingData, trials: int, processes: int) -> Tuning:
    """Tune in a fresh workspace."""
    with tempfile.TemporaryDirectory() as folder:
        storage = Workspace(Path(folder) / "workspace").catalog_url
        config = TuningConfig(trials=trials, processes=processes, pruner="none", seed=1)
        return tune(recipe, data, storage=storage, config=config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--trials", type=int, default=16)
    parser.add_argument("--users", type=int, default=3_000)
    parser.add_argument("--recipe", default="user-personalization")
    given = parser.parse_args()
    data = TrainingData(generated_log(given.users))
    print(f"{given.recipe}, {len(data.interactions):,} events, {given.trials} trials, {os.cpu_count()} cores")
    print(f"{'processes':>9} {'threads':>8} {'load':>6} {'seconds':>8} {'trials/min':>11} {'s a trial':>10}")
    for processes in dict.fromkeys((1, given.processes)):
        load, clock = os.getloadavg()[0], time.perf_counter()
        found = run(given.recipe, data, given.trials, processes)
        seconds, searched = time.perf_counter() - clock, found.notes["seconds"]
        each = (found.trials["FIT_SECONDS"] + found.trials["SCORE_SECONDS"]).mean()
        print(
            f"{processes:>9} {threads_each(processes):>8} {load:>6.1f} {seconds:>8.1f} "
            f"{60 * given.trials / searched:>11.1f} {each:>10.2f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
