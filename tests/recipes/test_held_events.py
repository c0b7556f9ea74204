"""Events kept out of a fit, and what lists are worth by them."""

import math

import numpy as np
import pytest
from scipy import sparse

from workbench.recipes.contract import Histories
from workbench.recipes.held_events import LEAST_ROWS, gains, hold, ndcg, newest_events


def histories(lengths, items):
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    events = offsets[-1]
    return Histories(
        user_ids=np.array([f"u{n}" for n in range(len(lengths))], dtype=object),
        offsets=offsets,
        items=np.asarray(items, dtype=np.int32),
        times=np.arange(events, dtype=np.int64),
        columns={"EVENT_TYPE": np.array([f"e{n}" for n in range(events)], dtype=object)},
    )


def test_newest_events_of_long_enough_histories():
    offsets = np.concatenate([[0], np.cumsum([2, *[3] * LEAST_ROWS, 1])])
    assert newest_events(offsets).tolist() == [4 + 3 * n for n in range(LEAST_ROWS)]
    assert not len(newest_events(np.arange(0, 3 * LEAST_ROWS, 3))), "one user too few"


def test_what_came_before_is_cut_off_at_the_event():
    held = hold(histories([3] * 20 + [1], [0, 1, 2] * 20 + [3]), n_items=4)
    assert len(held) == 20
    assert held.events[:2].tolist() == [2, 5]
    assert held.targets.tolist() == [2] * 20
    assert held.past[:4].tolist() == [0, 1, 3, 4]
    assert held.histories.items[:4].tolist() == [0, 1, 0, 1]
    assert held.histories.columns["EVENT_TYPE"][2] == "e3"
    assert held.seen[0].toarray().tolist() == [[True, True, False, False]]


def test_a_repeated_target_is_not_seen():
    held = hold(histories([3] * 20, [2, 2, 2] * 20), n_items=3)
    assert not held.seen.nnz


def test_gains_by_hand():
    scores = np.array([[0.9, 0.5, 0.4, 0.1], [0.9, 0.5, 0.4, 0.1], [0.5, 0.5, 0.5, 0.1], [0.9, 0.5, 0.4, 0.1]])
    targets = np.array([0, 1, 1, 3])
    seen = sparse.csr_matrix(([True], ([1], [0])), shape=(4, 4))
    # First; first as well, as the better one is seen; one of three alike, in the middle: second; fourth, below the cut.
    assert gains(scores, targets, seen, cut=3).tolist() == pytest.approx([1.0, 1.0, 1 / math.log2(3), 0.0])
    assert ndcg(scores, targets, seen, cut=3) == pytest.approx((2 + 1 / math.log2(3)) / 4)


def test_a_seen_item_that_ties_takes_no_place():
    seen = sparse.csr_matrix(([True], ([0], [1])), shape=(1, 2))
    assert gains(np.array([[0.5, 0.5]]), np.array([0]), seen).tolist() == [1.0]
