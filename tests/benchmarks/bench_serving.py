"""How fast a campaign answers: one list against a bare product and argpartition, many lists, opening, the cache.

Run with `python tests/benchmarks/bench_serving.py`, or with some of "one", "million", "many", "open" behind it. Both
sides of a ratio run by turns in one process on the same arrays, and the medians count, so that a busy or throttled
machine slows both.

To reach on two cores: one list out of 100,000 items of width 64 with a filter on items and history, a promotion,
exploration and reasons in at most 1.5 times the bare time, the same out of 1,000,000; a filter adds at most 20 %;
10,000 users/s for 6,040 users and 3,400 items, 25 places each, with a filter; a campaign open in 1.5 s.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.columns import INTERACTIONS, ITEMS, USERS
from workbench.data.workspace import Workspace
from workbench.recipes.catalog import build
from workbench.recipes.factor_training import Weights
from workbench.recipes.storage import save
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender

WIDTH, K, ASKED, HISTORY = 64, 25, 60, 50
START = 1_700_000_000
DAY = 86_400
FILTER = (
    'INCLUDE ItemID WHERE Items.GENRES IN ("g1", "g2", "g3", "g4") AND Items.PRICE < 80 '
    '| EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("buy")'
)
PROMOTION = {"name": "own brand", "percentPromotedItems": 20, "filter": 'INCLUDE ItemID WHERE Items.BRAND IN ("own")'}
OPENING = """
import sys, time
started = time.perf_counter()
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender
recommender = Recommender(open_campaign(sys.argv[1], "shop", "front"))
opened = time.perf_counter() - started
recommender.recommend(user_id="u1")
heavy = [name for name in ("torch", "ibis", "duckdb", "plotly") if name in sys.modules]
listed = time.perf_counter() - started
print(f"open {opened:.2f} s, first list after {listed:.2f} s, imported {heavy or 'nothing heavy'}")
"""


def written(folder, n_items, n_users, events_each):
    """A workspace with a factor model: lengths fall like popularity, as trained factors do."""
    rng = np.random.default_rng(0)
    workspace = Workspace(folder)
    workspace.create_group("shop")
    odds = 1 / (np.arange(n_items) + 10) ** 0.8
    popularity = (odds / odds.sum()).astype(np.float32)
    ids = np.array([f"i{item:07d}" for item in range(n_items)], dtype=object)
    n_events = n_users * events_each
    items = rng.choice(n_items, n_events, p=odds / odds.sum())
    times = START + rng.integers(0, 100 * DAY, n_events)
    events = pd.DataFrame(
        {
            "USER_ID": np.repeat([f"u{user}" for user in range(n_users)], events_each),
            "ITEM_ID": ids[items],
            "TIMESTAMP": times,
            "EVENT_TYPE": np.where(rng.random(n_events) < 0.2, "buy", "view"),
        }
    )
    table = pd.DataFrame(
        {
            "ITEM_ID": ids,
            "GENRES": [f"g{one}|g{two}" for one, two in rng.integers(0, 8, (n_items, 2))],
            "BRAND": np.where(rng.random(n_items) < 0.05, "own", "other"),
            "PRICE": rng.gamma(2.0, 20.0, n_items).round(2),
            "CREATION_TIMESTAMP": START - rng.integers(-100 * DAY, 1_000 * DAY, n_items),
        }
    )
    users = pd.DataFrame({"USER_ID": [f"u{user}" for user in range(n_users)], "AGE": rng.integers(18, 80, n_users)})
    for kind, frame in ((INTERACTIONS, events), (ITEMS, table), (USERS, users)):
        workspace.write_dataset("shop", kind, frame, origin={"source": "benchmark"}, check=False)
    with workspace.new_solution_version("shop", "factors", {"recipe": "matrix-factorization"}) as draft:
        save(_model(rng, ids, popularity, n_users), draft.path)
    create_campaign(workspace, "shop", "front", "factors", settings=CampaignSettings(exploration_weight=0.3))
    return workspace


def _model(rng, ids, popularity, n_users):
    width = WIDTH - 1  # the last column is popularity
    model = build("matrix-factorization", {"width": width, "alpha": 0.1, "ridge": 1.0})
    lengths = np.sqrt(popularity / popularity.max())[:, None].astype(np.float32)
    factors = rng.standard_normal((len(ids), width), dtype=np.float32) * (0.05 + lengths) / width**0.5
    table = (np.eye(width) * n_users / 100).astype(np.float32)
    state = {
        "item_factors": np.column_stack([factors, popularity]),
        "users_gram": table,
        "sizes": np.array([n_users, len(ids)]),
        "scales": np.ones(2),
        "weights": np.array([0.1, 1.0, 1.0]),
    }
    assert Weights(*state["weights"]).alpha == 0.1
    return model.restore(ids, state)


def bare(factors, vector):
    scores = factors @ vector
    return np.argpartition(scores, len(scores) - K)[-K:]


def timed(call):
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def one(workspace, n_items):
    deployment = open_campaign(workspace.path, "shop", "front")
    recommender = Recommender(deployment, log=True)
    recipe = deployment.recipe
    factors, vector = recipe.item_factors, np.random.default_rng(1).standard_normal(WIDTH, dtype=np.float32)
    kinds = {
        "plain": {"exploration_weight": 0.0},
        "filter": {"exploration_weight": 0.0, "filter": FILTER},
        "filter, promotion, exploration": {"filter": FILTER, "promotions": [PROMOTION]},
    }
    times = {name: [] for name in ("bare", *kinds)}
    for turn in range(ASKED + 3):
        took = {"bare": timed(lambda: bare(factors, vector))}
        for name, fields in kinds.items():
            user = f"u{turn}"
            took[name] = timed(lambda fields=fields, user=user: recommender.recommend(user_id=user, **fields))
        if turn >= 3:  # the first ones lay filters out
            for name, seconds in took.items():
                times[name].append(seconds)
    base = np.median(times["bare"])
    print(f"one list of {K} out of {n_items:,} x {WIDTH}: bare {base * 1e3:.2f} ms")
    for name in kinds:
        ratio = np.median(np.array(times[name]) / np.array(times["bare"]))
        print(f"  {name:<32} {np.median(times[name]) * 1e3:6.2f} ms   {ratio:5.2f} x bare", flush=True)
    recommender.close()


def many(workspace, n_items, n_users):
    recommender = Recommender(open_campaign(workspace.path, "shop", "front", live=False))
    users = [f"u{user}" for user in range(n_users)]
    kinds = {
        "plain": {"exploration_weight": 0.0},
        "filter": {"exploration_weight": 0.0, "filter": FILTER},
        "filter, promotion, exploration": {"filter": FILTER, "promotions": [PROMOTION]},
    }
    print(f"{n_users:,} users, {n_items:,} items, {K} places")
    for name, fields in kinds.items():
        whole = [timed(lambda fields=fields: len(list(recommender.recommend_many(users, **fields)))) for _ in range(3)]
        codes = [timed(lambda fields=fields: len(recommender.codes_many(users, **fields).codes)) for _ in range(3)]
        print(
            f"  {name:<32} responses {n_users / np.median(whole):8,.0f} users/s   "
            f"codes and scores {n_users / np.median(codes):8,.0f} users/s",
            flush=True,
        )


def opening(workspace):
    for _ in range(3):
        done = subprocess.run(
            [sys.executable, "-c", OPENING, workspace.path], capture_output=True, text=True, check=True
        )
        print("  fresh process:", done.stdout.strip(), flush=True)


def main(what):
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as folder:
        if {"one", "open"} & what:
            workspace = written(Path(folder) / "one", 100_000, 2_000, HISTORY)
            if "one" in what:
                one(workspace, 100_000)
            if "open" in what:
                opening(workspace)
        if "many" in what:
            many(written(Path(folder) / "many", 3_400, 6_040, 165), 3_400, 6_040)
        if "million" in what:
            one(written(Path(folder) / "million", 1_000_000, 2_000, HISTORY), 1_000_000)


if __name__ == "__main__":
    main(set(sys.argv[1:]) or {"one", "million", "many", "open"})
