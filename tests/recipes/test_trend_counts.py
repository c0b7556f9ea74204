"""Events of items in the last windows of time."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from workbench.recipes.trend_counts import window_counts

ROWS = [("a", 0), ("b", 5), ("a", 10), ("a", 11), ("b", 20), ("c", 20)]
EVENTS = pd.DataFrame(ROWS, columns=["ITEM_ID", "TIMESTAMP"])


def test_windows_go_back_from_the_newest_event_and_leave_their_older_border_out():
    table = window_counts(EVENTS, ["b", "a"], frequency=10, window=10, windows=5)
    assert table.to_numpy().tolist() == [[0, 10, "b", 1], [0, 10, "a", 1], [10, 20, "b", 1], [10, 20, "a", 1]]


def test_windows_may_overlap_and_the_newest_one_may_be_longer_than_the_log():
    table = window_counts(EVENTS, ["a"], frequency=5, window=15, windows=2)
    assert table.to_numpy().tolist() == [[0, 15, "a", 2], [5, 20, "a", 2]]
    assert window_counts(EVENTS, ["a"], frequency=5, window=99, windows=3)["EVENTS"].tolist() == [3]
    assert window_counts(EVENTS.head(0), ["a"], frequency=5, window=5, windows=3)["EVENTS"].tolist() == [0]


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 1_000)), min_size=1, max_size=30), st.integers(1, 400))
def test_windows_side_by_side_count_every_event_since_the_oldest_of_them_once(rows: list, length: int):
    events = pd.DataFrame(rows, columns=["ITEM_ID", "TIMESTAMP"])
    table = window_counts(events, ["a", "b"], frequency=length, window=length, windows=50)
    assert table["EVENTS"].sum() == (events["TIMESTAMP"] > table["STARTS_AFTER"].min()).sum()
