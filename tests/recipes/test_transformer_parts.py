"""The transformer's pieces: windows, batches, inputs, negatives, loss, schedule and causality."""

import math

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.recipes.contract import encode_histories
from workbench.recipes.transformer_budget import in_batch_share, memory_gb
from workbench.recipes.transformer_distributed import World
from workbench.recipes.transformer_inputs import Reader, Vocabulary, context_codes, learn_vocabulary
from workbench.recipes.transformer_loss import Loss, Sampler
from workbench.recipes.transformer_network import Drop, Network, Shape, Steps
from workbench.recipes.transformer_training import SLOWEST, Plan, Trainer, rate
from workbench.recipes.transformer_windows import batches, cut, lay_out, newest


def small(items=6, **sizes):
    torch.manual_seed(0)
    return Network(Shape(items=items, width=8, layers=2, heads=2, window=5, **sizes), dropout=0.0)


def test_windows_by_hand():
    windows = cut(np.array([0, 6, 7, 9]), window=2)
    # Six events: targets 1..5 in windows of two from the newest end; one event foretells nothing; two give one target.
    assert list(zip(windows.starts, windows.stops, windows.rows, strict=True)) == [
        (3, 6, 0),
        (1, 4, 0),
        (0, 2, 0),
        (7, 9, 2),
    ]
    assert windows.steps.tolist() == [2, 2, 1, 1]


@given(st.lists(st.integers(0, 23), min_size=1, max_size=8), st.integers(1, 7))
def test_every_event_but_a_users_first_is_a_target_exactly_once(lengths, window):
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    windows = cut(offsets, window)
    found = [
        place for start, stop in zip(windows.starts, windows.stops, strict=True) for place in range(start + 1, stop)
    ]
    first = {int(start) for start, length in zip(offsets[:-1], lengths, strict=True) if length}
    assert sorted(found) == [place for place in range(offsets[-1]) if place not in first]
    assert (windows.steps <= window).all()


@settings(deadline=None)
@given(st.lists(st.integers(2, 30), min_size=1, max_size=40), st.integers(1, 200), st.integers(0, 9))
def test_batches_hold_every_window_once_and_about_as_many_events_as_asked(lengths, events, seed):
    windows = cut(np.concatenate([[0], np.cumsum(lengths)]), 10)
    groups = batches(windows, events, torch.Generator().manual_seed(seed))
    assert sorted(np.concatenate(groups).tolist()) == list(range(len(windows)))
    for group in groups:
        assert len(group) == 1 or len(group) * windows.steps[group].max() <= events


def test_rows_are_filled_up_behind():
    windows = cut(np.array([0, 3, 5]), window=4)
    assert lay_out(windows, np.array([0, 1]), np.array([7, 8, 9, 4, 5]), -1).tolist() == [[7, 8, 9], [4, 5, -1]]


def table():
    rows = [
        ("u", "a", 100, "view", "app"),
        ("u", "b", 101, "buy", "web"),
        ("u", "c", 165, "view", None),
        ("v", "a", 50, "view", "tv"),
    ]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "DEVICE"])


def test_inputs_by_hand():
    events = table()
    words, rare = learn_vocabulary(events)
    assert words == Vocabulary(["buy", "view"], {"DEVICE": ["app", "tv", "web"]}, timed=True)
    assert rare == {"DEVICE": 0}
    reader = Reader(encode_histories(events, np.array(["a", "b", "c"])), words, 3)
    assert reader.types.tolist() == [1, 0, 1, 1]
    # 1 second is 2 ** 1 - 1, 64 seconds reach 2 ** 6; the first event of a history has no gap.
    assert reader.gaps.tolist() == [0, 2, 7, 0]
    assert reader.contexts[:, 0].tolist() == [0, 2, 3, 1]
    steps, behind = reader.steps(cut(reader.offsets, 5), np.array([0]), torch.device("cpu"))
    assert steps.items.tolist() == [[0, 1]]
    assert behind.tolist() == [[1, 2]]
    assert steps.contexts[0, :, 0].tolist() == [2, 3], "the context belongs to the event that comes"


def test_scoring_reads_the_newest_events():
    reader = Reader(encode_histories(table(), np.array(["a", "b", "c"])), Vocabulary(), 3)
    windows = newest(encode_histories(table(), np.array(["a", "b", "c"])), window=2)
    steps, _ = reader.steps(windows, np.array([0, 1]), torch.device("cpu"), cut=0)
    assert steps.items.tolist() == [[1, 2], [0, 3]]
    assert steps.types is None


def test_what_is_known_only_after_a_list_was_shown_is_no_context():
    two = ["one", "two"]
    shown = {"IMPRESSION": two, "RECOMMENDATION_ID": two, "EVENT_ATTRIBUTION_SOURCE": two}
    events = pd.DataFrame({"USER_ID": two, "ITEM_ID": two, "TIMESTAMP": [1, 2], "DEVICE": two} | shown)
    assert learn_vocabulary(events)[0].contexts == {"DEVICE": two}


def test_unknown_context_has_the_last_code():
    words = Vocabulary([], {"DEVICE": ["app", "web"], "HOUR": ["1"]})
    codes = context_codes(words, {"DEVICE": np.array(["web", "fridge"]), "HOUR": np.array([1, 1])}, 2)
    assert codes.tolist() == [[1, 2], [3, 2]]


def test_a_position_sees_nothing_that_comes_later():
    network = small(gaps=4, types=3).eval()
    items = torch.tensor([[0, 1, 2, 3]])
    other = torch.tensor([[0, 1, 5, 4]])
    extra = {"gaps": torch.zeros_like(items), "types": torch.ones_like(items)}
    seen = network.hidden(Steps(items, **extra), network.vectors(None))
    changed = network.hidden(Steps(other, **extra), network.vectors(None))
    torch.testing.assert_close(seen[:, :2], changed[:, :2])
    assert not torch.allclose(seen[:, 2], changed[:, 2])


def test_fill_behind_a_history_changes_no_score():
    network = small().eval()
    short = network.hidden(Steps(torch.tensor([[2, 4]])), network.vectors(None))
    filled = network.hidden(Steps(torch.tensor([[2, 4, 6, 6]])), network.vectors(None))
    torch.testing.assert_close(short, filled[:, :2])


def test_with_every_item_drawn_the_loss_is_the_full_softmax():
    network = small()
    steps, came = Steps(torch.tensor([[0, 1, 2]])), torch.tensor([[1, 2, 3]])
    weights = torch.tensor([[1.0, 3.0, 0.0]])
    negatives, expected = torch.arange(6), torch.zeros(6)  # each is there exactly once
    found = Loss(network)(steps, came, weights, negatives, expected, None, None)
    logits = network.hidden(steps, network.item.weight)[0] @ network.item.weight[:6].T + network.bias[:6]
    each = torch.nn.functional.cross_entropy(logits[:2], came[0, :2], reduction="none")
    torch.testing.assert_close(found, (each[0] + 3 * each[1]) / 4)


def test_negatives_and_how_often_they_were_to_be_expected():
    share = torch.tensor([0.5, 0.25, 0.25, 0.0])
    codes, expected = Sampler(share, 2, 0.0).draw(torch.tensor([0, 1]), torch.Generator().manual_seed(0))
    assert len(set(codes.tolist())) == 2
    torch.testing.assert_close(expected, torch.full((2,), math.log(2 / 4)))
    codes, expected = Sampler(share, 2, 1.0).draw(torch.tensor([0, 0]), torch.Generator().manual_seed(0))
    assert codes.tolist() == [0, 0]
    torch.testing.assert_close(expected, torch.full((2,), math.log(2 * 0.5)))
    many, _ = Sampler(torch.full((5_000,), 1 / 5_000), 300, 0.0).draw(torch.tensor([1]), torch.Generator())
    assert len(set(many.tolist())) == 300


def test_attributes_alone_place_an_item_whose_own_vector_is_left_out():
    network = small(items=2, attributes=2)
    features = torch.eye(2).to_sparse()
    features = torch.sparse_coo_tensor(features.indices(), features.values(), (3, 2), check_invariants=True).coalesce()
    with torch.no_grad():
        network.attributes_table.copy_(torch.arange(16.0).view(2, 8))
    left_out = torch.tensor([True, False, False])
    vectors = network.vectors(features, left_out)
    torch.testing.assert_close(vectors[0], torch.arange(8.0))
    torch.testing.assert_close(vectors[1], network.item.weight[1] + torch.arange(8.0, 16.0))
    assert not vectors[2].any()


def test_dropout_keeps_the_mean_and_rests_when_scoring():
    drop = Drop(0.25)
    drop.prepare(torch.Generator().manual_seed(0), torch.device("cpu"))
    ones = torch.ones(400, 500)
    drop.train()
    dropped = drop(ones, drop.places(1)[0])
    assert dropped.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert not torch.equal(dropped, drop(ones, drop.places(1)[0]))
    drop.eval()
    assert drop.places(1) is None
    assert torch.equal(drop(ones, None), ones)


def test_the_learning_rate_rises_and_falls():
    assert rate(0, 100) == pytest.approx(1 / 5)
    assert rate(4, 100) == pytest.approx(SLOWEST + (1 - SLOWEST) * 0.5 * (1 + math.cos(math.pi * 0.04)))
    assert rate(100, 100) == pytest.approx(SLOWEST)


def trainer(users=40, events=9):
    """Forty users of nine events, windows of 5 and 3 targets, 20 targets a step: 17 steps an epoch."""
    rows = [(f"u{u:02d}", f"i{(u + s) % 6}", s) for u in range(users) for s in range(events)]
    table = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    histories = encode_histories(table, np.array([f"i{n}" for n in range(6)]))
    plan = Plan(
        epochs=3,
        learning_rate=0.01,
        weight_decay=0.0,
        negatives=5,
        in_batch=0.5,
        batch_events=20,
        leave_out=0.0,
        patience=9,
    )
    windows, reader = cut(histories.offsets, 5), Reader(histories, Vocabulary(), 6)
    return Trainer(small(), reader, windows, np.ones(len(reader.items)), plan, None, 0, torch.device("cpu"))


@pytest.mark.parametrize(("processes", "steps"), [(1, 17), (2, 8), (3, 5), (100, 1)])
def test_the_learning_rate_ends_at_the_last_step_of_each_process(processes, steps):
    one = trainer()
    one.world = World(rank=0, size=processes)
    assert one.epoch_steps() == steps
    one.run(None, every=3)
    reached = one.optimiser.param_groups[0]["lr"]
    assert reached == pytest.approx(0.01 * rate(3 * steps - 1, 3 * steps))


def test_a_large_catalogue_takes_its_negatives_from_the_batch():
    assert [in_batch_share(n) for n in (100, 10_000, 20_000, 100_000)] == [0.5, 0.5, 0.75, 0.9]


def test_memory_grows_with_the_catalogue():
    small_shape, large = (Shape(items=n, width=96, layers=2, heads=2, window=100) for n in (1_000, 1_000_000))
    # A million items of 96 numbers, each with gradient and two moments: 1.5 GB more.
    assert memory_gb(large, 6_400, 384) - memory_gb(small_shape, 6_400, 384) == pytest.approx(1.53, abs=0.02)
