"""The best items of one user or of many: the same list alone and in a block, whatever the recipe."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.recipes.catalog import build
from workbench.recipes.contract import Histories, TrainingData, encode_histories
from workbench.recipes.objective import CANDIDATES
from workbench.serving.scored_lists import Scorer
from workbench.serving.snapshot import DeployedObjective

RECIPES = ["matrix-factorization", "popularity-count", "sims", "user-personalization"]
N_USERS, N_ITEMS = 40, 30


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(1)
    rows = []
    for user in range(N_USERS):
        odds = np.where(np.arange(N_ITEMS) % 3 == user % 3, 5.0, 1.0)
        for step, item in enumerate(rng.choice(N_ITEMS, 7, replace=False, p=odds / odds.sum())):
            rows.append((f"u{user}", f"i{item:02d}", 1_000 + 60 * step + user))
    return pd.DataFrame(rows, columns=[USER_ID, ITEM_ID, TIMESTAMP])


@pytest.fixture(scope="module")
def fitted(events):
    settings = {"matrix-factorization": {"width": 8, "iterations": 3, "alpha": 1.0, "ridge": 1.0}}
    return {name: build(name, settings.get(name)).fit(TrainingData(events)) for name in RECIPES}


def row(histories, place):
    return histories.rows(place, place + 1)


@pytest.mark.parametrize("name", RECIPES)
def test_a_list_holds_the_best_scores_without_what_is_barred(name, fitted, events):
    recipe = fitted[name]
    history = row(encode_histories(events, recipe.item_ids, ["u3"]), 0)
    allowed = np.arange(len(recipe.item_ids)) % 2 == 0
    found = Scorer(recipe).ask(history).top(4, allowed, history.items)
    scores = np.array(recipe.score(history))[0]
    scores[~allowed] = -np.inf
    scores[history.items] = -np.inf
    expected = np.lexsort((np.arange(len(scores)), -scores))[:4]
    assert found.codes.tolist() == expected.tolist()
    assert found.scores == pytest.approx(scores[expected], rel=1e-5)


@pytest.mark.parametrize("name", RECIPES)
def test_many_lists_at_once_are_the_lists_one_by_one(name, fitted, events):
    recipe = fitted[name]
    histories = encode_histories(events, recipe.item_ids)
    allowed = np.random.default_rng(0).random((len(histories), len(recipe.item_ids))) < 0.6
    scorer = Scorer(recipe)
    many = scorer.ask_many(histories).top(5, allowed, (histories.offsets, histories.items)).split(len(histories))
    for place, own in enumerate(many):
        history = row(histories, place)
        alone = scorer.ask(history).top(5, allowed[place], history.items)
        assert own.codes.tolist() == alone.codes.tolist()
        assert own.scores == pytest.approx(alone.scores, rel=1e-5)


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_lists_of_a_factor_model_are_the_same_to_the_last_bit_in_any_block(fitted, events, data):
    recipe = fitted["matrix-factorization"]
    histories = encode_histories(events, recipe.item_ids)
    start = data.draw(st.integers(0, N_USERS - 1))
    stop = data.draw(st.integers(start + 1, N_USERS))
    block = histories.rows(start, stop)
    scorer = Scorer(recipe)
    k = data.draw(st.integers(1, 12))
    many = scorer.ask_many(block).top(k, None, (block.offsets, block.items)).split(len(block))
    place = data.draw(st.integers(0, len(block) - 1))
    alone = scorer.ask(row(block, place)).top(k, None, row(block, place).items)
    assert np.array_equal(many[place].codes, alone.codes)
    assert np.array_equal(many[place].scores, alone.scores)


def test_given_items_score_in_a_block_as_they_do_alone(fitted, events):
    recipe = fitted["matrix-factorization"]
    histories = encode_histories(events, recipe.item_ids)
    scorer, codes = Scorer(recipe), np.array([3, 1, 2])
    block = scorer.ask_many(histories)
    assert block.question(4).of(codes).tolist() == scorer.ask(row(histories, 4)).of(codes).tolist()


@pytest.mark.parametrize("name", RECIPES)
def test_given_items_score_as_they_do_in_a_list(name, fitted, events):
    recipe = fitted[name]
    history = row(encode_histories(events, recipe.item_ids, ["u5"]), 0)
    asked = Scorer(recipe).ask(history)
    found = asked.top(6)
    assert asked.of(found.codes[::-1]).tolist() == found.scores[::-1].tolist()
    assert asked.of(np.empty(0, dtype=np.int64)).tolist() == []


def test_a_shorter_list_where_fewer_may_be_listed(fitted, events):
    recipe = fitted["matrix-factorization"]
    history = row(encode_histories(events, recipe.item_ids, ["u0"]), 0)
    allowed = np.zeros(len(recipe.item_ids), dtype=bool)
    assert len(Scorer(recipe).ask(history).top(3, allowed).codes) == 0
    allowed[[4, 7]] = True
    assert sorted(Scorer(recipe).ask(history).top(3, allowed).codes) == [4, 7]
    assert allowed.sum() == 2  # the mask is the caller's


def test_an_unknown_user_gets_what_is_popular(fitted, events):
    recipe = fitted["matrix-factorization"]
    nobody = encode_histories(events, recipe.item_ids, ["nobody"])
    chosen = events[ITEM_ID].value_counts()
    listed = recipe.item_ids[Scorer(recipe).ask(nobody).top(3).codes]
    assert chosen[listed].tolist() == chosen.sort_values(ascending=False).to_list()[:3]


class Fixed:
    """Scores of five items that need no fit."""

    name, item_ids, item_factors = "fixed", np.array(["a", "b", "c", "d", "e"], dtype=object), None

    def score(self, histories):
        return np.tile(np.array([[5.0, 4.0, 3.0, 2.0, 1.0]], dtype=np.float32), (len(histories), 1))


def margin(weight, rewards):
    return DeployedObjective("MARGIN", "HIGH", weight, CANDIDATES, rewards)


def nobody(rows=1):
    return Histories(
        np.array([""] * rows, dtype=object), np.zeros(rows + 1, np.int64), np.empty(0, np.int32), np.empty(0, np.int64)
    )


def test_an_objective_weighs_four_candidates_a_place():
    rewards = np.array([0.0, 0.0, 0.0, 9.0, 100.0])
    # candidates of one place: a, b, c, d; e is none, however much it earns. Ranks of scores 1, 2/3, 1/3, 0; of
    # rewards (three tie at the mean of 0, 1, 2): 1/3, 1/3, 1/3, 1. At weight 0.75: 0.5, 0.4167, 0.3333, 0.75
    found = Scorer(Fixed(), margin(0.75, rewards)).ask(nobody()).top(1)
    assert (found.codes.tolist(), found.traded) == ([3], 1)
    assert found.scores == pytest.approx([0.75])
    # at weight 0.5: 0.6667, 0.5, 0.3333, 0.5: the best stays
    found = Scorer(Fixed(), margin(0.5, rewards)).ask(nobody()).top(1)
    assert (found.codes.tolist(), found.traded) == ([0], 0)


def test_an_objective_of_no_weight_is_none():
    assert Scorer(Fixed(), margin(0.0, np.zeros(5))).ask(nobody()).top(2).scores.tolist() == [5.0, 4.0]


def test_an_objective_gives_many_the_lists_it_gives_each():
    scorer = Scorer(Fixed(), margin(0.75, np.array([0.0, 0.0, 0.0, 9.0, 100.0])))
    mask = np.array([[True] * 5, [True, True, True, False, True], [False] * 5])
    many = scorer.ask_many(nobody(3)).top(1, mask).split(3)
    alone = [scorer.ask(nobody()).top(1, each) for each in mask]
    assert [each.codes.tolist() for each in many] == [each.codes.tolist() for each in alone] == [[3], [4], []]


def test_no_place_is_refused():
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        Scorer(Fixed()).ask(nobody()).top(0)
