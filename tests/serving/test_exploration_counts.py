import time

import numpy as np
import pytest

from workbench.data.events import LiveEvents, RecommendationLog
from workbench.data.workspace import Workspace
from workbench.errors import ServingError
from workbench.serving.exploration_counts import ExplorationCounts
from workbench.serving.tables import EntityTable

T = int(time.time()) - 3_600


def table(*ids):
    return EntityTable("Items", np.array(ids, dtype=object))


@pytest.fixture
def path(tmp_path):
    space = Workspace(tmp_path)
    space.create_group("shop")
    space.close()
    return tmp_path


@pytest.fixture
def live(path):
    opened = LiveEvents(path, "shop", durability="process")
    yield opened
    opened.close()


def put(live, number, item, **more):
    event = {"eventType": "click", "sentAt": T + number, "eventId": f"e{number}"} | more
    live.put_events("s", [event | ({"itemId": item} if item else {})], "u")


def test_explicit_lists_are_counted_as_they_come(live):
    counts = ExplorationCounts(table("a", "b", "c"), live)
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.position) == ([0, 0, 0], [0, 0, 0], 0)
    put(live, 1, "a", impression=["a", "b"])
    assert counts.refresh() is True
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.lists) == ([1, 1, 0], [1, 0, 0], 1)
    put(live, 2, "c", impression=["b", "c"])
    put(live, 3, None, impression=["b"])
    assert counts.refresh() is True
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.lists) == ([1, 3, 1], [1, 0, 1], 3)
    assert counts.refresh() is False
    shown, clicked = counts.of(np.array([1, 2]))
    assert (shown.tolist(), clicked.tolist()) == ([3, 1], [0, 1])


def test_implicit_lists_come_from_the_log(path, live):
    log = RecommendationLog(path, "shop")
    log.add("r1", "front", "u", ["c", "b"])
    log.close()
    put(live, 1, "b", recommendationId="r1")
    put(live, 2, "b", recommendationId="unheard-of")
    counts = ExplorationCounts(table("a", "b", "c"), live)
    assert (counts.shown.tolist(), counts.clicked.tolist()) == ([0, 1, 1], [0, 1, 0])
    assert (counts.lists, counts.unknown) == (1, 1)


def test_a_list_that_reaches_the_log_after_the_reaction_is_counted_all_the_same(path, live):
    counts = ExplorationCounts(table("a", "b"), live)
    put(live, 1, "b", recommendationId="r1")
    assert counts.refresh() is False
    log = RecommendationLog(path, "shop")
    log.add("r1", "front", "u", ["a", "b"])
    log.close()
    assert counts.refresh() is True
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.unknown) == ([1, 1], [0, 1], 0)


def test_a_list_that_nobody_knows_is_waited_for_once(live):
    counts = ExplorationCounts(table("a", "b"), live)
    put(live, 1, "b", recommendationId="r1")
    put(live, 2, "a", impression=["a", "b"])
    assert [counts.refresh(), counts.refresh(), counts.refresh()] == [False, True, False]
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.unknown) == ([1, 1], [1, 0], 1)
    put(live, 3, "b", recommendationId="r2")
    assert [counts.refresh(), counts.refresh()] == [False, False]
    assert (counts.unknown, counts.position) == (2, live.position())


def test_another_process_catches_up_to_the_same_counts(live):
    early = ExplorationCounts(table("a", "b"), live)
    for number, item in enumerate(["a", "b", "b", None]):
        put(live, number, item, impression=["a", "b"])
        early.refresh()
    late = ExplorationCounts(table("a", "b"), live)
    assert late.shown.tolist() == early.shown.tolist() == [4, 4]
    assert late.clicked.tolist() == early.clicked.tolist() == [1, 2]
    assert late.position == early.position


def test_items_that_come_later_are_counted_once_they_are_there(live):
    put(live, 1, "new", impression=["a", "new"])
    counts = ExplorationCounts(table("a"), live)
    assert counts.strangers == {"new": (1, 1)}
    put(live, 2, "a", impression=["a", "new"])
    counts.refresh()
    assert counts.strangers == {"new": (2, 1)}
    assert counts.refresh(table("a", "new")) is True
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.strangers) == ([2, 2], [1, 1], {})


def test_arrays_of_a_request_under_way_stay_as_they_are(live):
    counts = ExplorationCounts(table("a"), live)
    before = counts.shown
    put(live, 1, "a", impression=["a"])
    counts.refresh()
    assert (before.tolist(), counts.shown.tolist()) == ([0], [1])


def test_an_undone_event_is_gone_after_a_recount(live):
    put(live, 1, "a", impression=["a", "b"])
    put(live, 2, "b", impression=["a", "b"])
    counts = ExplorationCounts(table("a", "b"), live)
    live.undo("e2")
    counts.recount()
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.lists) == ([1, 1], [1, 0], 1)


def test_an_undo_is_seen_and_everything_is_counted_anew(live):
    put(live, 1, "a", impression=["a", "b"])
    put(live, 2, "b", impression=["a", "b"])
    counts = ExplorationCounts(table("a", "b"), live)
    live.undo("e2")
    put(live, 3, "b", impression=["b"])
    assert counts.refresh()
    assert (counts.shown.tolist(), counts.clicked.tolist(), counts.lists) == ([1, 2], [1, 1], 2)
    assert not counts.refresh()


def test_an_undone_event_that_was_never_counted_is_no_reason_to_count_anew(live):
    counts = ExplorationCounts(table("a", "b"), live)
    put(live, 1, "a", impression=["a", "b"])
    put(live, 2, "b")
    live.undo("e1")
    live.undo("e2")
    assert live.impressions(counts.position).undone == 0
    assert not counts.refresh()
    assert counts.shown.tolist() == [0, 0]


def test_the_rate_begins_at_what_is_expected_and_follows_the_clicks(live):
    counts = ExplorationCounts(table("a", "b"), live)
    assert counts.rate == pytest.approx(0.05)
    for number in range(10):
        put(live, number, "a", impression=["a", "b"])
    counts.refresh()
    assert counts.rate == pytest.approx((1 + 10) / (20 + 20))
    for number in range(10, 60):
        put(live, number, "a", impression=["a"])
    counts.refresh()
    assert counts.rate == 0.5  # and not (1 + 60) / (20 + 70)


def test_counts_go_on_while_the_items_only_become_more(live):
    put(live, 1, "a", impression=["a", "b"])
    first = ExplorationCounts.after(None, table("a", "b"), live)
    assert first.shown.tolist() == [1, 1]
    assert ExplorationCounts.after(first, table("a", "b", "c"), live) is first
    assert first.shown.tolist() == [1, 1, 0]
    other = ExplorationCounts.after(first, table("b", "c", "a"), live)
    assert other is not first
    assert other.shown.tolist() == [1, 0, 1]


def test_without_live_events_nothing_is_counted():
    counts = ExplorationCounts(table("a", "b"))
    assert counts.refresh() is False
    assert counts.refresh(table("a", "b", "c")) is False
    assert counts.shown.tolist() == [0, 0, 0]


def test_another_order_of_items_is_refused(live):
    counts = ExplorationCounts(table("a", "b"), live)
    with pytest.raises(ServingError, match=r"know 2 items and got 3 whose first 2 are not the same"):
        counts.refresh(table("b", "a", "c"))
    with pytest.raises(ServingError, match=r"know 2 items and got 1"):
        counts.refresh(table("a"))
