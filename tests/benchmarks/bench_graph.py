"""What graph-filter costs on a log of Gowalla's shape: 29,858 users, 40,981 items, 0.8 million choices.

Run with `python tests/benchmarks/bench_graph.py`; to stay under are ten minutes for the fit and the lists of all
users on two cores, and 12 GB. The choices are made up: long-tailed users, and items in clusters with a long tail.
"""

import resource
import sys
import time

import numpy as np
import pandas as pd

from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k

USERS, ITEMS, CHOICES, CLUSTERS, OWN_TASTE = 29_858, 40_981, 900_000, 300, 0.65


def made_up_log(seed=0):
    """Every user has two clusters and a wish for what all choose; every item is chosen by somebody."""
    rng = np.random.default_rng(seed)
    lengths = np.clip(rng.lognormal(2.85, 0.85, USERS), 8, 811)
    lengths = np.maximum(8, lengths * CHOICES / lengths.sum()).astype(int)
    users = np.repeat(np.arange(USERS), lengths)
    popular = (np.arange(ITEMS) + 10.0) ** -0.75
    ranks = np.searchsorted(np.cumsum(popular) / popular.sum(), rng.random(len(users)))
    cluster = rng.integers(0, CLUSTERS, (USERS, 2))[users, rng.integers(0, 2, len(users))]
    own = rng.random(len(users)) < OWN_TASTE
    ranks[own] = np.minimum(ranks[own] // CLUSTERS * CLUSTERS + cluster[own], ITEMS - 1)
    users = np.concatenate([users, rng.integers(0, USERS, ITEMS)])
    items = np.concatenate([ranks, np.arange(ITEMS)])
    table = pd.DataFrame({"USER_ID": users.astype(str), "ITEM_ID": items.astype(str), "TIMESTAMP": 0})
    return table.drop_duplicates(ignore_index=True)


def timed(name, call):
    wall, used = time.perf_counter(), time.process_time()
    result = call()
    wall, used = time.perf_counter() - wall, time.process_time() - used
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{name:<40}{wall:9.1f} s{used:9.1f} s of processor{peak:8.2f} GB at most", flush=True)
    return result


def main():
    events = made_up_log()
    counts = [f"{events[name].nunique():,}" for name in ("USER_ID", "ITEM_ID")]
    print(f"{len(events):,} choices, {counts[0]} users, {counts[1]} items")
    recipe = timed("fit", lambda: build("graph-filter").fit(TrainingData(events), seed=0))
    print({key: value for key, value in recipe.notes.items() if key != "tried"}, len(recipe.notes["tried"]), "tried")
    histories = encode_histories(events, recipe.item_ids)
    listed = int(sys.argv[1]) if len(sys.argv) > 1 else len(histories)
    timed(f"20 items for {listed:,} users", lambda: top_k(recipe, histories.rows(0, listed), 20))
    timed("100 users one by one", lambda: [recipe.score(histories.rows(n, n + 1)) for n in range(100)])


if __name__ == "__main__":
    main()
