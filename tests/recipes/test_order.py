"""Whether a log carries order: different times, and not merely the order of the ids."""

import numpy as np
import pandas as pd

from workbench.recipes.order import is_ordered


def log(rows):
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def test_times_that_differ_are_order():
    ordered, why = is_ordered(log([("a", "9", 1), ("a", "3", 2), ("b", "5", 1), ("b", "4", 7)]))
    assert ordered
    assert why.startswith("100.0% of the users")


def test_one_time_for_all_is_no_order():
    ordered, why = is_ordered(log([("a", "9", 5), ("a", "3", 5), ("b", "5", 6), ("b", "4", 6)]))
    assert not ordered
    assert "Only 0.0% of the users" in why


def test_the_order_of_ids_is_no_order_as_numbers_and_as_text():
    numbers = [(f"u{u}", str(n), n) for u in range(3) for n in (2, 9, 10, 100)]
    texts = [(f"u{u}", f"i{n}", n) for u in range(3) for n in range(5)]
    for rows in (numbers, texts):
        ordered, why = is_ordered(log(rows))
        assert not ordered
        assert "100.0% of the users lie in the order of their item ids" in why


def test_single_events_are_no_order():
    assert is_ordered(log([("a", "1", 1), ("b", "2", 2)])) == (
        False,
        "No user has two events, so nothing follows anything.",
    )


def test_rows_need_not_be_sorted_and_stay_as_they_were():
    rng = np.random.default_rng(0)
    table = log([(f"u{u}", f"i{(5 * t + u) % 50}", int(t)) for u in range(20) for t in rng.permutation(9)])
    before = table.copy(deep=True)
    assert is_ordered(table)[0]
    pd.testing.assert_frame_equal(table, before)


def test_made_up_times_order_nothing_and_real_ones_do():
    rng = np.random.default_rng(1)
    walks = [(f"u{u}", f"i{(u + 3 * t) % 20}", t) for u in range(100) for t in range(8)]
    assert is_ordered(log(walks))[0]
    shuffled = [(user, item, int(rng.integers(1_000_000))) for user, item, _ in walks]
    ordered, why = is_ordered(log(shuffled))
    assert not ordered
    assert why.endswith("in shuffled histories (1.77): the times order nothing.")
