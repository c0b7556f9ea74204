"""Weights of models, learned on events that neither saw."""

import numpy as np
from scipy import sparse

from workbench.recipes.blend import FLOOR, as_logarithm, learn_weights


def test_a_part_that_knows_gets_the_weight_and_one_that_guesses_gets_none():
    rng = np.random.default_rng(0)
    targets = rng.integers(30, size=200)
    knows = rng.random((200, 30))
    knows[np.arange(200), targets] += 2.0
    guesses = 50 * rng.random((200, 30))
    nothing = sparse.csr_matrix((200, 30), dtype=bool)
    weights, tried = learn_weights([knows, guesses], targets, nothing)
    assert weights.tolist() == [1.0, 0.0]
    assert [row["weights"] for row in tried][:2] == [[1.0, 0.0], [0.95, 0.05]]
    assert learn_weights([guesses, knows], targets, nothing)[0].tolist() == [0.0, 1.0]


def test_two_that_know_half_each_share_the_weight():
    rng = np.random.default_rng(1)
    targets = rng.integers(40, size=400)
    parts = [rng.normal(size=(400, 40)) for _ in range(2)]
    for part in parts:
        part[np.arange(400), targets] += 1.5
    weights, tried = learn_weights(parts, targets, sparse.csr_matrix((400, 40), dtype=bool))
    assert 0.25 <= weights[1] <= 0.75
    assert weights.sum() == 1.0
    best = max(tried, key=lambda row: row["score"])["score"]
    assert best > max(tried[0]["score"], tried[-1]["score"])


def test_a_third_part_shares_with_the_mix_of_the_others():
    rng = np.random.default_rng(2)
    targets = rng.integers(40, size=400)
    parts = [rng.normal(size=(400, 40)) for _ in range(3)]
    for part in parts:
        part[np.arange(400), targets] += 1.5
    weights, _ = learn_weights(parts, targets, sparse.csr_matrix((400, 40), dtype=bool))
    assert len(weights) == 3
    assert (weights > 0.1).all()
    np.testing.assert_allclose(weights.sum(), 1.0)


def test_scores_of_nothing_and_less_have_a_logarithm():
    np.testing.assert_allclose(as_logarithm(np.array([1.0, 0.0, -3.0])), [0.0, np.log(FLOOR), np.log(FLOOR)], rtol=1e-6)
