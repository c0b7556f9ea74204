"""The transformer recipe: it learns order, context and attributes, stops in time, and goes on after a kill."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecipeError
from workbench.recipes.catalog import build
from workbench.recipes.contract import Histories, TrainingData, encode_histories
from workbench.recipes.transformer_checkpoint import FILE
from workbench.recipes.transformer_training import SLOWEST, rate

TINY = {"width": 16, "layers": 1, "window": 8, "batch_events": 64, "dropout": 0.0, "epochs": 8, "learning_rate": 0.01}


def circle(users=60, items=10, steps=9, seed=0):
    """Users walk around a circle of items, each from another place."""
    rng = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        place = int(rng.integers(items))
        rows += [(f"u{user:02d}", f"i{(place + s) % items}", 60 * s) for s in range(steps)]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def fitted(events, items=None, users=None, seed=0, **hyperparameters):
    return build("transformer", TINY | hyperparameters).fit(TrainingData(events, items, users), seed=seed)


def best(recipe, histories):
    return recipe.item_ids[recipe.score(histories).argmax(axis=1)].tolist()


def test_it_learns_what_follows_what():
    recipe = fitted(circle())
    asked = pd.DataFrame({"USER_ID": list("abc"), "ITEM_ID": ["i3", "i9", "i0"], "TIMESTAMP": 0})
    assert best(recipe, encode_histories(asked, recipe.item_ids)) == ["i4", "i0", "i1"]
    assert recipe.notes["curve"][-1]["value"] > 0.95
    assert recipe.notes["held_events"] == 60


def test_scores_are_logarithms_of_chances():
    recipe = fitted(circle(), epochs=1)
    scores = recipe.score(encode_histories(circle(), recipe.item_ids, ["u00", "nobody"]))
    np.testing.assert_allclose(np.exp(scores).sum(axis=1), 1.0, rtol=1e-4)


def test_a_longer_history_counts_by_its_newest_window():
    recipe = fitted(circle(), epochs=1)
    codes = np.arange(100_000) % 10
    long = Histories(
        np.array(["x"], dtype=object), np.array([0, 100_000]), codes.astype(np.int32), 60 * np.arange(100_000)
    )
    short = Histories(np.array(["x"], dtype=object), np.array([0, 8]), codes[-8:].astype(np.int32), 60 * np.arange(8))
    # The gap before the first event of the window is known in one and not in the other, and nothing else differs.
    assert np.abs(recipe.score(long) - recipe.score(short)).max() < 0.5


def test_early_stopping_keeps_the_best_epoch():
    seen = []
    recipe = build("transformer", TINY | {"epochs": 40, "patience": 1})
    recipe.watch = lambda step, value: seen.append((step, value))
    recipe.fit(TrainingData(circle()), seed=0)
    notes = recipe.notes
    assert [(row["epoch"], round(row["value"], 6)) for row in notes["curve"]] == [(s, round(v, 6)) for s, v in seen]
    assert notes["stopped_early"]
    highest = max(row["value"] for row in notes["curve"])
    assert notes["best_epoch"] == [row["epoch"] for row in notes["curve"] if row["value"] == highest][-1]


def test_context_of_the_request_counts_and_an_absent_one_does_not_hurt():
    rng = np.random.default_rng(1)
    rows = []
    for user in range(80):
        for s in range(10):
            device = ["tv", "phone"][int(rng.integers(2))]
            rows.append((f"u{user}", ("long" if device == "tv" else "short") + str(rng.integers(3)), s, device))
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE"])
    recipe = fitted(events)
    one = encode_histories(events, recipe.item_ids, ["u0"])
    asked = {
        device: Histories(
            one.user_ids, one.offsets, one.items, one.times, one.columns, context={"DEVICE": np.array([device])}
        )
        for device in ("tv", "phone", "fridge")
    }
    assert best(recipe, asked["tv"])[0].startswith("long")
    assert best(recipe, asked["phone"])[0].startswith("short")
    np.testing.assert_array_equal(recipe.score(asked["fridge"]), recipe.score(one))


def test_a_new_item_is_placed_by_its_attributes():
    events = circle(items=10)
    ids = [f"i{n}" for n in range(10)] + ["like i4", "like i7"]
    items = pd.DataFrame({"ITEM_ID": ids, "SHELF": [f"shelf{n}" for n in range(10)] + ["shelf4", "shelf7"]})
    recipe = fitted(events, items, epochs=20, leave_out=0.5)
    assert recipe.notes["cold_items"] == 2
    asked = pd.DataFrame({"USER_ID": ["a", "b"], "ITEM_ID": ["i3", "i6"], "TIMESTAMP": 0})
    scores = recipe.score(encode_histories(asked, recipe.item_ids))[
        :, [recipe.item_ids.tolist().index(n) for n in ids[10:]]
    ]
    assert scores[0].argmax() == 0
    assert scores[1].argmax() == 1


def test_user_attributes_count_for_new_users_too():
    rows = [(f"u{n:02d}", f"{'left' if n % 2 else 'right'}{(n + s) % 3}", s) for n in range(60) for s in range(6)]
    shared = [(f"u{n:02d}", "start", -1) for n in range(60)]
    events = pd.DataFrame(shared + rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]).sort_values(
        "TIMESTAMP", kind="stable"
    )
    names = [f"u{n:02d}" for n in range(62)]
    users = pd.DataFrame({"USER_ID": names, "SIDE": ["left" if n % 2 else "right" for n in range(62)]})
    recipe = fitted(events.reset_index(drop=True), users=users, epochs=15)
    asked = pd.DataFrame({"USER_ID": ["u60", "u61"], "ITEM_ID": "start", "TIMESTAMP": 0})
    first, second = best(recipe, encode_histories(asked, recipe.item_ids))
    assert first.startswith("right")
    assert second.startswith("left")


def test_events_without_weight_are_neither_read_nor_foretold():
    events = circle()
    noise = events.assign(ITEM_ID="noise", TIMESTAMP=events["TIMESTAMP"] + 1, EVENT_TYPE="view")
    both = pd.concat([events.assign(EVENT_TYPE="buy"), noise]).sort_values(
        "TIMESTAMP", kind="stable", ignore_index=True
    )
    recipe = fitted(both, event_weights={"buy": 1.0})
    scores = recipe.score(encode_histories(both, recipe.item_ids, ["u00"]))
    assert recipe.item_ids[scores.argmax()] != "noise"
    with pytest.raises(RecipeError, match="event_weights names 'bye', which no event has. Did you mean 'buy'"):
        fitted(both, event_weights={"bye": 1.0})


def test_a_budget_becomes_epochs():
    recipe = fitted(circle(), epochs=None, budget_minutes=0.1)
    assert 1 <= recipe.notes["epochs"] <= 100
    assert recipe.notes["budget_minutes"] == 0.1
    assert recipe.notes["seconds_an_epoch_foreseen"] * recipe.notes["epochs"] <= 6


def test_a_fit_that_was_ended_goes_on_and_ends_with_the_same_scores(tmp_path):
    events, settings = circle(), TINY | {"dropout": 0.2, "patience": 50}
    straight = build("transformer", settings).fit(TrainingData(events), seed=4)
    histories = encode_histories(events, straight.item_ids)

    class Enough(Exception):
        pass

    def end(step, value):
        if step == 5:
            raise Enough

    broken = build("transformer", settings)
    broken.checkpoints, broken.watch = tmp_path, end
    with pytest.raises(Enough):
        broken.fit(TrainingData(events), seed=4)
    assert (tmp_path / FILE).is_file()
    again, epochs = build("transformer", settings), []
    again.checkpoints, again.watch = tmp_path, lambda step, value: epochs.append(step)
    again.fit(TrainingData(events), seed=4)
    assert epochs == [5, 6, 7, 8], "four epochs were done"
    np.testing.assert_array_equal(again.score(histories), straight.score(histories))
    assert again.notes["curve"] == straight.notes["curve"]
    assert not (tmp_path / FILE).exists()


@pytest.mark.parametrize("damage", ["truncated", "other seed"])
def test_a_state_that_does_not_belong_here_is_not_taken_up(tmp_path, damage):
    broken = build("transformer", TINY)
    broken.checkpoints = tmp_path

    def end(step, value):
        if step == 3:
            raise KeyboardInterrupt

    broken.watch = end
    with pytest.raises(KeyboardInterrupt):
        broken.fit(TrainingData(circle()), seed=0)
    path = tmp_path / FILE
    if damage == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    again, epochs = build("transformer", TINY), []
    again.checkpoints, again.watch = tmp_path, lambda step, value: epochs.append(step)
    again.fit(TrainingData(circle()), seed=0 if damage == "truncated" else 1)
    assert epochs[0] == 1


KILLED = """
import sys
sys.path.insert(0, {folder!r})
from pathlib import Path
from test_transformer import TINY, circle
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData
recipe = build("transformer", TINY | {{"epochs": 200, "patience": 500}})
recipe.checkpoints = Path({checkpoints!r})
recipe.fit(TrainingData(circle()), seed=2)
"""


def test_kill_9_leaves_a_state_to_go_on_from(tmp_path):
    code = KILLED.format(folder=os.path.dirname(__file__), checkpoints=str(tmp_path))
    process = subprocess.Popen([sys.executable, "-c", code])
    waited = time.monotonic() + 120
    while not (tmp_path / FILE).exists() and time.monotonic() < waited:
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.wait()
    again, epochs = build("transformer", TINY | {"epochs": 200, "patience": 500}), []
    again.checkpoints = tmp_path

    def look(step, value):
        epochs.append(step)
        raise KeyboardInterrupt

    again.watch = look
    with pytest.raises(KeyboardInterrupt):
        again.fit(TrainingData(circle()), seed=2)
    assert epochs[0] > 1


def test_weight_decay_fits_the_number_of_steps():
    notes = fitted(circle(), epochs=10).notes
    # 0.25 / (half the learning rate of 0.01 times 10 epochs of so many steps), at most 0.3.
    assert notes["weight_decay"] == pytest.approx(min(0.3, 0.25 / (0.005 * 10 * notes["steps_an_epoch"])), abs=1e-5)
    assert fitted(circle(), weight_decay=0.5).notes["weight_decay"] == 0.5


def test_with_too_few_users_to_hold_events_out_the_last_epoch_is_kept():
    recipe = fitted(circle(users=8))
    assert recipe.notes["held_events"] == 0
    assert recipe.notes["best_epoch"] == 8
    assert set(recipe.notes["curve"][0]) == {"epoch", "loss"}
    assert fitted(circle(users=8), epochs=None, budget_minutes=0.1).notes["epochs"] >= 1


def test_too_much_memory_is_foreseen_and_says_what_to_lower():
    with pytest.raises(RecipeError, match=r"need [\d,.]+ GB and [\d.]+ GB are free. Lower width, batch_events"):
        fitted(circle(), batch_events=1_000_000, negatives=100_000, width=1024, layers=24)


def test_what_cannot_be_is_refused():
    with pytest.raises(RecipeError, match="width=10 cannot be shared by heads=4"):
        build("transformer", {"width": 10, "heads": 4})
    alone = pd.DataFrame({"USER_ID": ["a", "b"], "ITEM_ID": ["x", "y"], "TIMESTAMP": [1, 2]})
    with pytest.raises(RecipeError, match="no user has two events"):
        fitted(alone)


SHARED = """
import os
import sys
import numpy as np
sys.path.insert(0, {folder!r})
from test_transformer import TINY, circle
from workbench.recipes import transformer
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories

class Kept(transformer.Trainer):
    def run(self, *given):
        Kept.rate = self.optimiser.param_groups[0]  # a training's own, changed in its place
        return super().run(*given)

transformer.Trainer = Kept
recipe = build("transformer", TINY | {given!r}).fit(TrainingData(circle()), seed=2)
scores = recipe.score(encode_histories(circle(), recipe.item_ids))
notes = recipe.notes
np.savez({out!r} + os.environ["RANK"], scores=scores, value=notes["curve"][-1]["value"], epochs=notes["epochs"],
         steps=notes["steps_an_epoch"], ended=notes["stopped_early"], rate=Kept.rate["lr"])
"""


def in_two_processes(tmp_path, **given):
    """What each of two processes found that trained one network."""
    script = tmp_path / "train.py"
    script.write_text(SHARED.format(folder=os.path.dirname(__file__), out=str(tmp_path / "rank"), given=given))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    first, second = (dict(np.load(tmp_path / f"rank{n}.npz")) for n in range(2))
    np.testing.assert_array_equal(first["scores"], second["scores"])
    return first, second


@pytest.mark.slow
def test_two_processes_train_one_network_to_the_end_of_its_schedule(tmp_path):
    first, second = in_two_processes(tmp_path, epochs=6, patience=100)
    alone = fitted(circle(), seed=2, epochs=1).notes["steps_an_epoch"]
    assert float(first["value"]) > 0.9
    assert int(first["steps"]) == alone // 2
    steps = 6 * int(first["steps"])
    for each in (first, second):
        assert float(each["rate"]) == pytest.approx(TINY["learning_rate"] * rate(steps - 1, steps), rel=0.05)
    assert float(first["rate"]) < 2 * SLOWEST * TINY["learning_rate"]


@pytest.mark.slow
def test_two_processes_agree_on_the_epochs_of_a_budget(tmp_path):
    first, second = in_two_processes(tmp_path, epochs=None, budget_minutes=0.1, patience=2)
    assert int(first["epochs"]) == int(second["epochs"])
