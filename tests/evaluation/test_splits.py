"""Who is held out, which events count as past, and that nothing is lost on the way."""

import pandas as pd
import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from workbench.errors import SplitError
from workbench.evaluation.splits import (
    each_user_80_20,
    given,
    global_time,
    leave_last_out,
    make_split,
    users_90_10,
)

COLUMNS = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"]


def log(*rows):
    return pd.DataFrame([(u, i, t, "view") for u, i, t in rows], columns=COLUMNS)


def pairs(frame):
    return list(zip(frame["USER_ID"], frame["ITEM_ID"], strict=True))


@pytest.fixture
def twenty_users():
    """User 0..19, ten events each at times 0..9, items named after the time; file order is newest first."""
    return log(*[(f"{u:02d}", f"i{t}", t) for t in reversed(range(10)) for u in range(20)])


@pytest.fixture
def three_users():
    """Ana has four events, Ben two at the same moment, Cy one."""
    return log(("Ana", "a", 1), ("Ben", "b", 5), ("Ana", "b", 2), ("Ben", "a", 5), ("Cy", "c", 3), ("Ana", "a", 3),
               ("Ana", "d", 4))  # fmt: skip


def test_users_90_10_holds_out_whole_users_and_the_newest_tenth_of_theirs(twenty_users):
    split = users_90_10(twenty_users, seed=1)
    held = set(split.held_out["USER_ID"])
    assert len(held) == 2
    assert held.isdisjoint(split.train["USER_ID"])
    assert set(split.history["USER_ID"]) == held
    assert set(split.held_out["ITEM_ID"]) == {"i9"}
    assert split.history["TIMESTAMP"].max() == 8
    assert len(split.train) == 180
    assert list(split.train.columns) == COLUMNS


@pytest.mark.parametrize(("events", "newest"), [(2, 1), (9, 1), (10, 1), (19, 1), (20, 2), (35, 3)])
def test_newest_tenth_is_rounded_down_but_at_least_one(events, newest):
    table = log(*[("held", f"i{t}", t) for t in range(events)], ("other", "x", 0))
    split = users_90_10(table, seed=0)
    assert len(split.held_out) == newest
    assert len(split.history) == events - newest


def test_users_90_10_draws_by_seed_and_not_by_row_order(twenty_users):
    shuffled = twenty_users.sample(frac=1, random_state=3)
    same = set(users_90_10(shuffled, seed=5).held_out["USER_ID"])
    assert set(users_90_10(twenty_users, seed=5).held_out["USER_ID"]) == same
    assert any(set(users_90_10(twenty_users, seed=s).held_out["USER_ID"]) != same for s in range(6))


def test_users_with_one_event_train_and_are_counted():
    table = log(("one", "a", 0), ("two", "a", 1), ("two", "b", 2))
    split = users_90_10(table, seed=0)
    assert split.notes["users_with_one_event"] == 1
    assert pairs(split.train) == [("one", "a")]
    assert split.notes["held_out_events_of_items_unseen_in_training"] == 1


def test_leave_last_out_keeps_table_order_among_equal_times(three_users):
    split = leave_last_out(three_users)
    assert pairs(split.held_out) == [("Ana", "d"), ("Ben", "a")]
    assert pairs(split.history) == [("Ana", "a"), ("Ana", "b"), ("Ana", "a"), ("Ben", "b")]
    assert pairs(split.train) == [("Ana", "a"), ("Ana", "b"), ("Cy", "c"), ("Ana", "a"), ("Ben", "b")]
    assert split.notes == {
        "train_events": 5,
        "train_users": 3,
        "held_out_users": 2,
        "history_events": 4,
        "held_out_events": 2,
        "held_out_users_without_history": 0,
        "held_out_events_of_items_unseen_in_training": 1,
        "held_out_events_repeating_the_history": 0,
        "users_with_one_event": 1,
    }


def test_repeats_of_the_history_are_counted():
    split = leave_last_out(log(("u", "a", 1), ("u", "a", 2), ("v", "b", 1), ("v", "a", 2)))
    assert split.notes["held_out_events_repeating_the_history"] == 1


def test_each_user_80_20():
    split = each_user_80_20(log(*[("u", f"i{t}", t) for t in range(10)], ("v", "a", 1), ("v", "b", 2)))
    assert pairs(split.held_out) == [("v", "b"), ("u", "i8"), ("u", "i9")]


def test_global_time_holds_out_everything_from_the_border_on():
    table = log(("a", "x", 1), ("a", "y", 2), ("b", "x", 3), ("c", "x", 3), ("a", "z", 9))
    split = global_time(table, share=0.4)  # the second newest event is at 3: both events of that time are held out
    assert pairs(split.train) == [("a", "x"), ("a", "y")]
    assert pairs(split.history) == [("a", "x"), ("a", "y")]
    assert pairs(split.held_out) == [("b", "x"), ("c", "x"), ("a", "z")]
    assert split.notes["held_out_users_without_history"] == 2
    assert split.notes["border"] == 3


def test_global_time_by_days_counts_back_from_the_newest_event():
    day = 86_400
    table = log(*[("u", f"i{d}", d * day) for d in range(5)])
    assert pairs(global_time(table, days=1).held_out) == [("u", "i3"), ("u", "i4")]


def test_given_takes_the_tables_as_they_are():
    train = log(("u", "b", 2), ("u", "a", 1), ("v", "a", 3))
    test = pd.DataFrame({"USER_ID": ["u", "new"], "ITEM_ID": ["c", "a"]})
    split = given(train, test)
    assert pairs(split.train) == [("u", "a"), ("u", "b"), ("v", "a")]
    assert pairs(split.history) == [("u", "a"), ("u", "b")]
    assert pairs(split.held_out) == [("u", "c"), ("new", "a")]
    assert list(split.held_out.columns) == ["USER_ID", "ITEM_ID"]
    assert split.train["TIMESTAMP"].dtype == "int64"
    assert split.notes["held_out_users_without_history"] == 1


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: users_90_10(log(("u", "a", 1), ("u", "b", 2))), "1 user"),
        (lambda: users_90_10(log(("u", "a", 1), ("v", "b", 2))), "0 of them with 2 events"),
        (lambda: leave_last_out(log(("u", "a", 1), ("v", "b", 2))), "none with 2 events"),
        (lambda: global_time(log(("u", "a", 7), ("v", "b", 7))), "leaves no training events.* oldest event 7"),
        (lambda: global_time(log()), "no events at all"),
        (lambda: leave_last_out(log(("u", "a", 1))[["USER_ID"]]), r"lacks column\(s\) \['ITEM_ID', 'TIMESTAMP'\]"),
        (lambda: leave_last_out(log(("u", None, 1))), "1 row.* without ITEM_ID"),
        (lambda: make_split("leave-last-ou", log(("u", "a", 1))), "Did you mean 'leave-last-out'"),
        (lambda: make_split("given", log(("u", "a", 1))), "got no test table"),
        (lambda: make_split("global-time", log(("u", "a", 1)), test=log(("u", "a", 1))), "got a test table"),
    ],
)
def test_impossible_splits_say_what_is_needed(call, words):
    with pytest.raises(SplitError, match=words):
        call()


def test_a_share_outside_0_to_1_is_refused(three_users):
    with pytest.raises(ValueError, match=r"between 0 and 1, not 1\.5"):
        global_time(three_users, share=1.5)


events = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("xyz"), st.integers(0, 5)), min_size=1)


@settings(max_examples=40, deadline=None)
@for_all(events, st.sampled_from(["users-90-10", "global-time", "leave-last-out", "each-user-80-20"]))
def test_no_event_is_lost_or_used_twice_and_the_input_is_unchanged(rows, name):
    table = log(*rows)
    table["EVENT_TYPE"] = [str(n) for n in range(len(table))]  # a name for each event
    before = table.copy()
    try:
        split = make_split(name, table, seed=1)
    except SplitError:
        return
    pd.testing.assert_frame_equal(table, before)
    parts = [split.train, split.held_out, *([split.history] if name == "users-90-10" else [])]
    assert sorted(int(n) for part in parts for n in part["EVENT_TYPE"]) == list(range(len(table)))
    assert set(split.history["USER_ID"]) <= set(split.held_out["USER_ID"])
    newest_past = split.history.groupby("USER_ID")["TIMESTAMP"].max()
    oldest_truth = split.held_out.groupby("USER_ID")["TIMESTAMP"].min().reindex(newest_past.index)
    assert (newest_past <= oldest_truth).all()
