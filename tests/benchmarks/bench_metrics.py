"""How long scoring takes: 100,000 users with 25 recommendations each, over 20,000 items.

Run with `python tests/benchmarks/bench_metrics.py`; the figure to stay under is 5 s on two cores for the metrics of
every user. A plain loop over users, the peer, is timed on a hundredth of them and scaled up.
"""

import math
import time

import numpy as np
import pandas as pd

from workbench.evaluation.catalogue_metrics import catalogue, list_traits
from workbench.evaluation.intervals import paired_summary, summarise
from workbench.evaluation.metrics import per_user
from workbench.evaluation.splits import make_split

USERS, ITEMS, LENGTH, TRUE, EVENTS = 100_000, 20_000, 25, 3, 1_500_000


def timed(name, call):
    start = time.perf_counter()
    result = call()
    seconds = time.perf_counter() - start
    print(f"{name:<55}{seconds:8.2f} s")
    return result, seconds


def plain_loop(lists, truth):
    """NDCG@25 the way it is often written: one user at a time."""
    wanted = truth.groupby("USER_ID")["ITEM_ID"].agg(set)
    total = 0.0
    for user, items in lists.groupby("USER_ID")["ITEM_ID"]:
        relevant = wanted.get(user, set())
        gain = sum(1 / math.log2(rank + 1) for rank, item in enumerate(items, start=1) if item in relevant)
        total += gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(len(relevant), LENGTH) + 1))
    return total


def main():
    rng = np.random.default_rng(0)
    users = np.array([f"user-{n}" for n in range(USERS)], dtype=object)
    items = np.array([f"item-{n}" for n in range(ITEMS)], dtype=object)
    starts = rng.integers(0, ITEMS, USERS)[:, None]
    listed = (starts + rng.integers(1, 700, USERS)[:, None] * np.arange(LENGTH)) % ITEMS
    lists = pd.DataFrame(
        {
            "USER_ID": np.repeat(users, LENGTH),
            "ITEM_ID": items[listed.ravel()],
            "RANK": np.tile(np.arange(1, LENGTH + 1), USERS),
        }
    ).drop_duplicates(["USER_ID", "ITEM_ID"])
    picks = listed[np.arange(USERS)[:, None], rng.integers(0, 3 * LENGTH, (USERS, TRUE)) % LENGTH]
    truth = pd.DataFrame({"USER_ID": np.repeat(users, TRUE), "ITEM_ID": items[picks.ravel()]})
    events = pd.DataFrame(
        {
            "USER_ID": users[rng.integers(0, USERS, EVENTS)],
            "ITEM_ID": items[rng.integers(0, ITEMS, EVENTS)],
            "TIMESTAMP": rng.integers(0, 10**8, EVENTS),
        }
    )
    scores, seconds = timed("18 metrics of every user", lambda: per_user(lists, truth))
    part = lists.head(USERS // 100 * LENGTH)
    _, slow = timed("  a plain loop, one metric, 1 % of the users", lambda: plain_loop(part, truth))
    print(f"  the plain loop over everybody would take {slow * 100 / seconds:.0f} times as long for one metric")
    timed("intervals of 18 metrics, 1,000 resamples", lambda: summarise(scores, seed=0))
    timed("paired comparison of 18 metrics", lambda: paired_summary(scores, scores, seed=0))
    timed("novelty and popularity of every list", lambda: list_traits(lists, events))
    timed("coverage and the rest of the catalogue's", lambda: catalogue(lists, events))
    for name in ("users-90-10", "global-time", "leave-last-out"):
        timed(f"split {name} of {EVENTS:,} events", lambda name=name: make_split(name, events, 0))


if __name__ == "__main__":
    main()
