"""How long a fresh process waits until a campaign with 100,000 items can answer, and what the time goes into.

Each figure is the median of several fresh processes. Beside it stands what the same machine needs in the same minutes
for the least that any of this can do without: a bare Python, and importing pandas.

Run: python tests/benchmarks/bench_open.py [items] [events]
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from workbench.data.workspace import Workspace
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData
from workbench.recipes.storage import save
from workbench.serving.campaigns import create_campaign

RUNS = 9
MODELS = {
    "factors": ("matrix-factorization", {"iterations": 2, "alpha": 10.0, "ridge": 0.1}),
    "closed-form": ("user-personalization", {"parts": "closed-form"}),
}
OPEN = """
import json, sys, time
begun = time.perf_counter()
from workbench.serving.deployment import open_campaign
imported = time.perf_counter()
served = open_campaign(sys.argv[1], "shop", sys.argv[2])
opened = time.perf_counter()
served.users.state("u17")
first = time.perf_counter()
for number in range(1000):
    served.users.state(f"u{number}")
many = time.perf_counter()
heavy = [name for name in ("torch", "ibis", "duckdb", "sqlalchemy") if name in sys.modules]
print(json.dumps({"imports": imported - begun, "reading": opened - imported, "first state": first - opened,
                  "a state": (many - first) / 1000, "heavy": heavy}))
"""


def tables(items: int, events: int) -> dict[str, pd.DataFrame]:
    """Sessions of neighbouring items, every item in one of them at least."""
    rng = np.random.default_rng(0)
    starts = np.concatenate([np.arange(0, items, 4), rng.integers(0, items - 4, max(0, events - items) // 4)])
    codes = (starts[:, None] + np.arange(4)).ravel() % items
    users = np.repeat(np.arange(len(starts)), 4)
    log = pd.DataFrame(
        {
            "USER_ID": np.char.add("u", (users // 5).astype(str)),
            "ITEM_ID": np.char.add("i", codes.astype(str)),
            "TIMESTAMP": 1_600_000_000 + np.arange(len(codes)),
            "EVENT_TYPE": rng.choice(["View", "Purchase"], len(codes)),
        }
    )
    catalogue = pd.DataFrame(
        {
            "ITEM_ID": [f"i{code}" for code in range(items)],
            "TITLE": [f"Item number {code} of many" for code in range(items)],
            "CATEGORY": rng.choice(["a|b", "a", "c", "b|c"], items),
            "PRICE": rng.random(items),
        }
    )
    people = pd.DataFrame({"USER_ID": log["USER_ID"].unique()})
    people["AGE"] = rng.integers(18, 80, len(people))
    return {"interactions": log, "items": catalogue, "users": people}


def prepare(folder: Path, items: int, events: int) -> Workspace:
    """A workspace with one campaign a model, trained on the first session of every item."""
    workspace = Workspace(folder)
    workspace.create_group("shop")
    data = tables(items, events)
    for kind, frame in data.items():
        workspace.write_dataset("shop", kind, frame, origin={}, check=False)
    for name, (recipe, values) in MODELS.items():
        with workspace.new_solution_version("shop", name, {"recipe": recipe, "hyperparameters": values}) as draft:
            save(build(recipe, values).fit(TrainingData(data["interactions"].iloc[: 2 * items])), draft.path)
        begun = time.perf_counter()
        create_campaign(workspace, "shop", name, name)
        size = sum(path.stat().st_size for path in draft.path.glob("*.safetensors")) / 1e6
        print(f"{name}: model of {size:,.0f} MB, deployed in {time.perf_counter() - begun:.1f} s", flush=True)
    return workspace


def seconds(arguments: list[str]) -> tuple[float, str]:
    begun = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], check=True, capture_output=True, text=True)
    return time.perf_counter() - begun, done.stdout


def main() -> None:
    items, events = (int(each) for each in [*sys.argv[1:], "100000", "1000000"][:2])
    with tempfile.TemporaryDirectory() as folder:
        workspace = prepare(Path(folder), items, events)
        cases = {"bare python": ["-c", "pass"], "import pandas": ["-c", "import pandas"]}
        cases |= {name: ["-c", OPEN, str(workspace.path), name] for name in MODELS}
        found: dict[str, list[tuple[float, str]]] = {name: [] for name in cases}
        for _ in range(RUNS):
            for name, arguments in cases.items():
                found[name].append(seconds(arguments))
    columns = ("imports", "reading", "first state", "a state")
    print(f"{'what':16}{'whole s':>10}" + "".join(f"{name:>14}" for name in columns) + "  imported")
    for name, runs in found.items():
        line = f"{name:16}{statistics.median(each for each, _ in runs):10.3f}"
        parts = [json.loads(words) for _, words in runs if words]
        if parts:
            line += "".join(f"{statistics.median(part[each] for part in parts):14.5f}" for each in columns)
            line += f"  {', '.join(parts[0]['heavy']) or 'nothing heavy'}"
        print(line)


if __name__ == "__main__":
    main()
