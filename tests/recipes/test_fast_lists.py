"""Lists from factors: exact, ties by item code, whatever the blocks; one list the same as among many."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import fast_lists
from workbench.recipes.fast_lists import FactorIndex, top_factors
from workbench.recipes.selection import best, border, from_sort_keys, sort_keys


def brute_force(users, items, k, offsets, barred, allowed):
    """Every product by itself, a full stable sort."""
    lists = []
    for row, user in enumerate(users):
        scores = np.array([np.einsum("ij,ij->i", user[None], each[None])[0] for each in items], dtype=np.float32)
        scores[~allowed] = -np.inf
        scores[barred[offsets[row] : offsets[row + 1]]] = -np.inf
        order = np.argsort(-scores, kind="stable")[:k]
        lists.append([(int(code), float(scores[code])) for code in order if scores[code] > -np.inf])
    return lists


def as_lists(found, n_users):
    rows, codes, values = found
    assert (np.diff(rows) >= 0).all()
    return [list(zip(codes[rows == u].tolist(), values[rows == u].tolist(), strict=True)) for u in range(n_users)]


def drawn(seed, whole):
    """Factors with many equal items; whole numbers tie without end."""
    rng = np.random.default_rng(seed)
    n_users, n_items, width = rng.integers(1, 15), rng.integers(1, 300), rng.integers(1, 8)
    if whole:
        users = rng.integers(-2, 3, (n_users, width)).astype(np.float32)
        items = rng.integers(-1, 2, (n_items, width)).astype(np.float32)
    else:
        users = rng.standard_normal((n_users, width)).astype(np.float32)
        items = rng.standard_normal((n_items, width)).astype(np.float32)[rng.integers(0, n_items, n_items)]
    offsets = np.concatenate([[0], np.cumsum(rng.integers(0, 6, n_users))])
    return users, items, offsets, rng.integers(0, n_items, offsets[-1]), rng.random(n_items) < 0.8


@settings(deadline=None, max_examples=60)
@given(
    seed=st.integers(0, 10**6),
    whole=st.booleans(),
    k=st.integers(1, 12),
    first=st.integers(1, 60),
    growth=st.integers(2, 5),
    tile=st.integers(1, 900),
    segment=st.integers(1, 20),
)
def test_it_is_the_head_of_a_full_sort_whatever_the_blocks(seed, whole, k, first, growth, tile, segment):
    users, items, offsets, barred, allowed = drawn(seed, whole)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("FIRST", first), ("GROWTH", growth), ("TILE", tile), ("SEGMENT", segment)):
            patch.setattr(fast_lists, name, value)
        found = top_factors(users, items, k, (offsets, barred), allowed)
    assert as_lists(found, len(users)) == brute_force(users, items, k, offsets, barred, allowed)


def test_items_of_falling_length_stop_the_search_early(monkeypatch):
    rng = np.random.default_rng(0)
    items = rng.standard_normal((5000, 8)).astype(np.float32) / np.arange(1, 5001, dtype=np.float32)[:, None]
    users = rng.standard_normal((40, 8)).astype(np.float32)
    multiplied = []
    plain = fast_lists.nonzero
    monkeypatch.setattr(fast_lists, "nonzero", lambda chosen: multiplied.append(chosen.size) or plain(chosen))
    monkeypatch.setattr(fast_lists, "FIRST", 300)
    rows, codes, _ = top_factors(users, items, 5)
    assert sum(multiplied) < 40 * 5000 / 4
    expected = best(np.einsum("ij,kj->ik", users, items), 5)
    np.testing.assert_array_equal(rows, expected[0])
    np.testing.assert_array_equal(codes, expected[1])


def test_equal_items_tie_by_code_wherever_they_stand():
    rng = np.random.default_rng(1)
    items = np.tile(rng.standard_normal((1, 64)).astype(np.float32), (3001, 1))
    users = rng.standard_normal((5, 64)).astype(np.float32)
    rows, codes, _ = top_factors(users, items, 4, (np.array([0, 1, 1, 1, 1, 1]), np.array([2])))
    assert codes[rows == 0].tolist() == [0, 1, 3, 4]
    assert all(codes[rows == row].tolist() == [0, 1, 2, 3] for row in range(1, 5))


def test_a_vector_of_nothing_ties_all_items():
    users, items = np.zeros((2, 3), np.float32), np.arange(1200, dtype=np.float32).reshape(400, 3)
    allowed = np.arange(400) != 1
    rows, codes, values = top_factors(users, items, 3, (np.array([0, 0, 2]), np.array([0, 399])), allowed)
    assert (rows.tolist(), codes.tolist()) == ([0, 0, 0, 1, 1, 1], [0, 2, 3, 2, 3, 4])
    assert values.tolist() == [0.0] * 6


def test_very_short_vectors_are_still_ranked():
    users, items = np.full((1, 2), 1e-25, np.float32), np.arange(40, dtype=np.float32).reshape(20, 2)
    assert top_factors(users, items, 3)[1].tolist() == [19, 18, 17]
    assert FactorIndex(items).top(users[0], 3)[0].tolist() == [19, 18, 17]


def test_no_users_no_items_nothing_allowed():
    for users, items, allowed in ((0, 5, None), (3, 0, None), (3, 5, np.zeros(5, dtype=bool))):
        found = top_factors(np.ones((users, 2), np.float32), np.ones((items, 2), np.float32), 4, allowed=allowed)
        assert [len(each) for each in found] == [0, 0, 0]


def test_inputs_stay_as_they_were():
    users, items, offsets, barred, allowed = drawn(3, whole=False)
    before = [each.copy() for each in (users, items, offsets, barred, allowed)]
    top_factors(users, items, 5, (offsets, barred), allowed)
    for now, then in zip((users, items, offsets, barred, allowed), before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_wrong_input_is_named():
    users, items = np.ones((2, 3), np.float32), np.ones((4, 3), np.float32)
    with pytest.raises(ValueError, match="k must be at least 1, not 0"):
        top_factors(users, items, 0)
    with pytest.raises(RecipeError, match="User factors have width 2, item factors 3"):
        top_factors(users[:, :2], items, 1)
    with pytest.raises(RecipeError, match=r"allowed must be one true or false per item: 4 values, not bool"):
        top_factors(users, items, 1, allowed=np.ones(3, dtype=bool))
    broken = items.copy()
    broken[2, 1] = np.nan
    with pytest.raises(RecipeError, match="item factors hold NaN or numbers beyond 1e.18, first in row 2"):
        top_factors(users, broken, 1)
    with pytest.raises(RecipeError, match="user factors must be a table of users × width, not of shape"):
        top_factors(users[0], items, 1)


@settings(deadline=None)
@given(
    rows=st.integers(1, 4),
    columns=st.integers(1, 700),
    k=st.integers(1, 9),
    seed=st.integers(0, 99),
    most=st.integers(1, 5),
)
def test_scores_with_many_ties_are_cut_like_a_full_sort(rows, columns, k, seed, most):
    scores = np.random.default_rng(seed).integers(-1, most, (rows, columns)).astype(np.float32)
    scores[scores == -1] = -np.inf
    found_rows, found_columns, values = best(scores, k)
    for number, row in enumerate(scores):
        expected = [c for c in np.argsort(-row, kind="stable")[:k] if row[c] > -np.inf]
        assert found_columns[found_rows == number].tolist() == expected
        assert values[found_rows == number].tolist() == row[expected].tolist()


def test_the_border_lets_at_least_k_pass():
    scores = np.random.default_rng(2).standard_normal((3, 10_007)).astype(np.float32)
    passed = (scores >= border(scores, 20)[:, None]).sum(axis=1)
    assert (passed >= 20).all()
    assert (passed < 40).all()


def test_wider_numbers_are_sorted_too():
    assert [each.tolist() for each in best(np.array([[1.0, 3.0, 3.0 + 1e-12, -np.inf]]), 3)[:2]] == [
        [0, 0, 0],
        [2, 1, 0],
    ]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(allow_nan=False, allow_infinity=False, width=32), st.integers(0, 2**32 - 2)), min_size=1
    )
)
def test_keys_sort_by_falling_value_then_code(pairs):
    values, codes = np.array([p[0] for p in pairs], np.float32), np.array([p[1] for p in pairs], np.int64)
    back, back_codes = from_sort_keys(np.sort(sort_keys(values, codes)))
    order = np.lexsort((codes, -values))
    np.testing.assert_array_equal(back, values[order])
    np.testing.assert_array_equal(back_codes, codes[order])


def test_torch_stays_out():
    script = "import sys, workbench.recipes.fast_lists, workbench.recipes.ranking; print('torch' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "False"
