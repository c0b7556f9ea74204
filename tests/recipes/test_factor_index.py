"""One list from an index: exact by default, near enough when guessed first, whatever is masked or barred."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import factor_index, quantised_lists
from workbench.recipes.fast_lists import FactorIndex, top_factors
from workbench.recipes.quantised_lists import QuantisedItems


def listed(vector, items, k, allowed=None, barred=()):
    """Every product by itself, a full stable sort."""
    scores = np.array([np.einsum("ij,ij->i", vector[None], each[None])[0] for each in items], dtype=np.float32)
    if allowed is not None:
        scores[~allowed] = -np.inf
    scores[list(barred)] = -np.inf
    return [code for code in np.argsort(-scores, kind="stable")[:k].tolist() if scores[code] > -np.inf]


@settings(deadline=None, max_examples=80)
@given(
    seed=st.integers(0, 10**6),
    whole=st.booleans(),
    share=st.sampled_from([None, 0.0, 0.02, 0.3, 1.0]),
    k=st.integers(1, 12),
    first=st.integers(1, 90),
    exact=st.booleans(),
)
def test_it_is_the_head_of_a_full_sort_whatever_the_mask(seed, whole, share, k, first, exact):
    rng = np.random.default_rng(seed)
    items = rng.standard_normal((rng.integers(1, 500), rng.integers(1, 6))).astype(np.float32)
    items = np.rint(items) if whole else items * rng.random((len(items), 1), dtype=np.float32)
    vector = rng.standard_normal(items.shape[1]).astype(np.float32)
    allowed = None if share is None else rng.random(len(items)) < share
    barred = rng.integers(0, len(items), rng.integers(0, 9))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(factor_index, "FIRST", first)
        if not exact:
            patch.setattr(factor_index, "GUESSED", len(items))  # every item is guessed to be good
        codes, scores = FactorIndex(items).top(vector, k, allowed, barred, exact=exact)
    assert codes.tolist() == listed(vector, items, k, allowed, barred)
    assert (np.diff(scores) <= 0).all()


def test_one_list_has_the_very_scores_of_all_lists():
    rng = np.random.default_rng(4)
    items, users = (rng.standard_normal((n, 33)).astype(np.float32) for n in (20_000, 6))
    index = FactorIndex(items)
    rows, codes, scores = top_factors(users, items, 10)
    for row, user in enumerate(users):
        own_codes, own_scores = index.top(user, 10)
        np.testing.assert_array_equal(own_codes, codes[rows == row])
        np.testing.assert_array_equal(own_scores, scores[rows == row])


@pytest.mark.parametrize("width", [17, 64, 65, 100])
@pytest.mark.parametrize("share", [None, 0.4])
def test_guessing_first_finds_nearly_all(width, share):
    rng = np.random.default_rng(5)
    items, users = (rng.standard_normal((n, width)).astype(np.float32) for n in (60_000, 20))
    allowed = None if share is None else rng.random(len(items)) < share
    index = FactorIndex(items)
    kept = [
        np.isin(index.top(user, 25, allowed)[0], index.top(user, 25, allowed, exact=False)[0]).mean() for user in users
    ]
    assert np.mean(kept) >= 0.99


def test_guesses_rise_with_the_product():
    rng = np.random.default_rng(6)
    items = rng.standard_normal((5000, 64)).astype(np.float32) * rng.random((5000, 1), dtype=np.float32)
    vector = rng.standard_normal(64).astype(np.float32)
    index = FactorIndex(items)
    guesses = index.quantised.guess(vector, 5000)
    assert np.corrcoef(guesses, index.items.factors @ vector)[0, 1] > 0.9


def test_blocks_and_seeds_of_guesses(monkeypatch):
    rng = np.random.default_rng(7)
    items, vector = rng.standard_normal((1000, 20)).astype(np.float32), rng.standard_normal(20).astype(np.float32)
    lengths = np.linalg.norm(items, axis=1)
    whole = QuantisedItems(items, lengths, seed=1).guess(vector, 1000)
    monkeypatch.setattr(quantised_lists, "BLOCK", 77)
    np.testing.assert_array_equal(QuantisedItems(items, lengths, seed=1).guess(vector, 1000), whole)
    assert (QuantisedItems(items, lengths, seed=2).guess(vector, 1000) != whole).any()


def test_a_vector_that_the_guesses_do_not_see_is_answered_exactly():
    rng = np.random.default_rng(8)
    items = rng.standard_normal((40_000, 65)).astype(np.float32)
    items[:, 64] = np.linspace(0, 0.01, 40_000)  # all but flat, so the one axis that is dropped
    index = FactorIndex(items)
    vector = np.zeros(65, dtype=np.float32)
    vector[64] = 1
    assert not index.quantised.sees(vector)
    assert index.top(vector, 3, exact=False)[0].tolist() == [39_999, 39_998, 39_997]


def test_items_without_length_are_listed_last():
    items = np.zeros((300, 4), dtype=np.float32)
    items[7] = 1
    for exact in (True, False):
        codes, scores = FactorIndex(items).top(np.ones(4, np.float32), 3, exact=exact)
        assert (codes.tolist(), scores.tolist()) == ([7, 0, 1], [4.0, 0.0, 0.0])


def test_wrong_input_is_named():
    index = FactorIndex(np.ones((4, 3), np.float32))
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        index.top(np.ones(3), 0)
    with pytest.raises(RecipeError, match="The vector has width 2, item factors 3"):
        index.top(np.ones(2), 1)
    with pytest.raises(RecipeError, match="user factors hold NaN"):
        index.top(np.array([1, np.nan, 1]), 1)
    with pytest.raises(RecipeError, match="one true or false per item: 4 values"):
        index.top(np.ones(3), 1, allowed=np.ones(5, dtype=bool))


def read_only(size, codes):
    mask = np.zeros(size, dtype=bool)
    mask[codes] = True
    mask.flags.writeable = False
    return mask


@pytest.mark.parametrize(("codes", "laid"), [([3, 50, 400, 7], (True, True)), (range(0, 500, 2), (False, True))])
def test_what_a_mask_that_comes_again_allows_is_laid_out_once(codes, laid):
    rng = np.random.default_rng(0)
    items, vector = rng.standard_normal((500, 8), dtype=np.float32), rng.standard_normal(8, dtype=np.float32)
    index, kept = FactorIndex(items), read_only(500, list(codes))
    assert index.part(kept.copy()) is None  # somebody may still write into it
    found = [index.part(kept), index.part(kept)]
    assert tuple(each is not None for each in found) == laid
    assert index.part(kept) is found[1]
    for barred in (None, np.array([50]), np.array([3, 7, 50, 400]), np.array([499])):
        want = listed(vector, items, 3, kept, () if barred is None else barred)
        own = index.top(vector, 3, kept.copy(), barred)
        again = index.top(vector, 3, kept, barred)
        assert own[0].tolist() == again[0].tolist() == want
        assert own[1].tolist() == again[1].tolist()


def test_a_mask_that_allows_nearly_all_or_more_than_there_is_room_for_is_not_laid_out(monkeypatch):
    index = FactorIndex(np.ones((64, 4), dtype=np.float32))
    for codes, room in ((range(60), 10_000), (range(32), 100)):
        monkeypatch.setattr(factor_index, "MEMORY", room)
        mask = read_only(64, list(codes))
        assert [index.part(mask), index.part(mask)] == [None, None]
        assert index.top(np.ones(4), 2, mask)[0].tolist() == [0, 1]


def test_masks_that_came_long_ago_make_room(monkeypatch):
    monkeypatch.setattr(factor_index, "MEMORY", 100)
    index, kept = FactorIndex(np.ones((64, 4), dtype=np.float32)), []
    for item in range(10):
        mask = read_only(64, [item, 63])
        kept.append(index.part(mask))
    assert index.part(mask) is kept[-1]
    assert len(index._parts) == 3  # 32 bytes each


def test_questions_that_all_need_much_are_answered_in_one_product_with_the_same_lists(monkeypatch):
    monkeypatch.setattr(factor_index, "FIRST", 10)
    rng = np.random.default_rng(1)
    items, users = (rng.standard_normal((n, 8)).astype(np.float32) for n in (400, 30))
    items /= np.linalg.norm(items, axis=1, keepdims=True)  # equal lengths: nothing can be left out
    index = FactorIndex(items)
    for user in users:
        assert index.top(user, 5)[0].tolist() == listed(user, items, 5)
    assert index.needs == (400,) * factor_index.LATELY
    short = np.concatenate([100 * users[:1], items])  # one long item answers most of a question
    index = FactorIndex(short)
    for _ in range(12):
        assert index.top(users[0], 1)[0].tolist() == [0]
    assert max(index.needs) < 10
