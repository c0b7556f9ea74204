"""A training step that torch turns into machine code first: when it does, and that nothing else changes."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch

from workbench.recipes import storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.transformer_checkpoint import FILE
from workbench.recipes.transformer_compile import AUTO_MINUTES, pick_compiled
from workbench.recipes.transformer_loss import Loss
from workbench.recipes.transformer_network import Shape, Steps, make_network

SMALL = {"width": 16, "layers": 1, "window": 8, "batch_events": 64, "dropout": 0.2, "epochs": 6, "learning_rate": 0.01}
CPU = torch.device("cpu")


def tables(users=60, items=10, steps=9):
    """Users walk around a circle of items; with types, context, and attributes on both sides."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(users):
        place, length = int(rng.integers(items)), int(rng.integers(2, steps + 1))
        kinds, devices = rng.choice(["view", "buy"], length), rng.choice(["app", "web"], length)
        rows += [(f"u{user:02d}", f"i{(place + s) % items}", 60 * s, kinds[s], devices[s]) for s in range(length)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "DEVICE"])
    catalogue = pd.DataFrame({"ITEM_ID": [f"i{n}" for n in range(items + 1)], "GENRES": ["odd", "even"] * 5 + ["odd"]})
    people = pd.DataFrame({"USER_ID": [f"u{n:02d}" for n in range(users)], "REGION": ["north", "south"] * (users // 2)})
    return TrainingData(events, catalogue, people)


def test_auto_compiles_on_a_cpu_with_time_enough():
    assert pick_compiled("never", 10 * AUTO_MINUTES, CPU) == (False, None)
    assert pick_compiled("auto", None, CPU) == (False, None)
    assert pick_compiled("auto", AUTO_MINUTES - 0.1, CPU) == (False, None)
    assert pick_compiled("auto", 10 * AUTO_MINUTES, torch.device("cuda")) == (False, None)


def test_a_batch_of_one_row_or_one_step_is_not_compiled():
    network = make_network(Shape(items=6, width=8, layers=1, heads=2, window=5), 0.0)
    torch._dynamo.utils.counters.clear()
    for rows, steps in ((1, 3), (3, 1)):
        items = torch.arange(rows * steps).view(rows, steps)
        given = (Steps(items), items + 1, torch.ones(rows, steps), torch.arange(6), torch.zeros(6), None, None)
        torch.testing.assert_close(Loss(network, compiled=True)(*given), Loss(network)(*given), rtol=0, atol=0)
    assert not torch._dynamo.utils.counters["frames"]


@pytest.mark.slow
def test_a_compiled_training_gives_the_same_scores_and_the_same_files(tmp_path):
    data = tables()
    never = build("transformer", SMALL | {"compile": "never"}).fit(data, seed=1)
    torch._dynamo.utils.counters.clear()
    always = build("transformer", SMALL | {"compile": "always"}).fit(data, seed=1)
    assert (never.notes["compiled"], always.notes["compiled"]) == (False, True)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 2, "the trial, and one graph for all batches"
    assert not torch._dynamo.utils.counters["graph_break"]
    histories = encode_histories(data.interactions, never.item_ids)
    np.testing.assert_allclose(always.score(histories), never.score(histories), atol=2e-3)
    assert list(always.state()) == list(never.state())
    loaded = storage.load(storage.save(always, tmp_path / "model"))
    np.testing.assert_array_equal(loaded.score(histories), always.score(histories))


@pytest.mark.slow
def test_a_training_that_was_ended_goes_on_compiled(tmp_path):
    class EndedError(Exception):
        pass

    def end(epoch, value):
        if epoch == 3:
            raise EndedError

    data = tables()
    ended = build("transformer", SMALL | {"compile": "never"})
    ended.checkpoints, ended.watch = tmp_path, end
    with pytest.raises(EndedError):
        ended.fit(data, seed=1)
    assert (tmp_path / FILE).exists()
    again = build("transformer", SMALL | {"compile": "always"})
    again.checkpoints = tmp_path
    again.fit(data, seed=1)
    assert again.notes["taken_up"]
    whole = build("transformer", SMALL).fit(data, seed=1)
    histories = encode_histories(data.interactions, whole.item_ids)
    np.testing.assert_allclose(again.score(histories), whole.score(histories), atol=2e-3)


WITHOUT = """
import torch
from workbench.errors import RecipeError
from workbench.recipes.transformer_compile import pick_compiled
print(pick_compiled("auto", 60.0, torch.device("cpu")))
try:
    pick_compiled("always", None, torch.device("cpu"))
except RecipeError as error:
    print(error)
"""


@pytest.mark.slow
def test_without_a_compiler_auto_says_why_not_and_always_is_refused(tmp_path):
    bare = {"CXX": str(tmp_path / "no-such-compiler"), "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=False, env=os.environ | bare, timeout=300
    )
    assert done.returncode == 0, done.stderr
    auto, always = done.stdout.splitlines()
    assert auto.startswith("(False, 'it needs a C++ compiler such as g++, and said ")
    assert "compile='always' cannot be kept" in always
    assert "no-such-compiler" in always
    assert "take compile='never'" in always
