"""Which list an id stood for, and how often items were shown, clicked and ignored."""

import subprocess
import sys
import time

import pytest

from workbench.data.events import LiveEvents, RecommendationLog
from workbench.data.events_recommendations import DELAY
from workbench.data.workspace import Workspace
from workbench.errors import EventError

T = int(time.time()) - 3_600


@pytest.fixture
def path(tmp_path):
    space = Workspace(tmp_path)
    space.create_group("shop")
    space.close()
    return tmp_path


@pytest.fixture
def live(path):
    return LiveEvents(path, "shop", durability="process")


@pytest.fixture
def log(path):
    opened = RecommendationLog(path, "shop")
    yield opened
    opened.close()


def event(item=None, **more):
    """An event told apart from every other by its time."""
    event.count = getattr(event, "count", 0) + 1
    given = {"eventType": "click", "sentAt": T + event.count} | more
    return given | {"itemId": item} if item else given


def counts(live, after=0):
    found = live.impressions(after)
    return found.shown, found.clicked, found.lists, found.unknown


def test_a_list_is_found_at_once_and_by_others_soon(path, log):
    before = time.time()
    log.add("r1", "front", "u", ["b", "a"], [True, False])
    log.add("r2", "front", None, ("c",))
    found = log.get("r1")
    assert (found.campaign, found.user_id, found.items, found.explored) == ("front", "u", ("b", "a"), (True, False))
    assert before <= found.time <= time.time()
    assert log.get("r2").explored == (False,)
    assert log.get("r3") is None
    other = RecommendationLog(path, "shop")
    for _ in range(100):
        if other.get("r1"):
            break
        time.sleep(DELAY / 4)
    assert other.get("r1") == found
    assert set(log.get_many(["r1", "r2", "r3"])) == {"r1", "r2"}


def test_lists_are_written_when_the_process_ends(path):
    script = f"""
from workbench.data.events import RecommendationLog
RecommendationLog({str(path)!r}, "shop").add("r", "front", "u", ["a"])
"""
    subprocess.run([sys.executable, "-c", script], check=True)
    assert RecommendationLog(path, "shop").get("r").items == ("a",)


def test_lists_that_cannot_be_written_are_counted(log):
    connection = log._store.connection()
    connection.execute(f"PRAGMA max_page_count = {connection.execute('PRAGMA page_count').fetchone()[0]}")
    log.add("r", "front", "u", ["x" * 250] * 500)
    with pytest.raises(EventError, match="full"):
        log.flush()
    assert (log.lost, log.get("r")) == (1, None)


def test_old_lists_can_be_forgotten(log):
    log.add("r", "front", "u", ["a"])
    assert log.forget(time.time() - 60) == 0
    assert log.forget(time.time() + 60) == 1
    assert log.get("r") is None


def test_a_log_of_no_group_is_refused(path):
    with pytest.raises(EventError, match=r"no dataset group 'shap'.*Did you mean 'shop'"):
        RecommendationLog(path, "shap")


def test_items_of_a_list_that_was_clicked_are_shown_and_the_others_ignored(live, log):
    log.add("r1", "front", "u", ["a", "b", "c"])
    log.add("never clicked", "front", "u", ["d"])
    log.flush()
    live.put_events("s", [event("b", recommendationId="r1")], "u")
    assert counts(live) == ({"a": 1, "b": 1, "c": 1}, {"b": 1}, 1, 0)


def test_a_list_counts_once_however_many_events_carry_its_id(live, log):
    log.add("r1", "front", "u", ["a", "b"])
    log.flush()
    clicks = [event(item, recommendationId="r1") for item in ("a", "a", "b", "elsewhere")]
    live.put_events("s", clicks, "u")
    assert counts(live) == ({"a": 1, "b": 1}, {"a": 1, "b": 1}, 1, 0)


def test_an_explicit_impression_goes_before_the_logged_list(live, log):
    log.add("r1", "front", "u", ["a", "b", "c"])
    log.flush()
    live.put_events("s", [event("a", recommendationId="r1", impression=["a", "b"])], "u")
    live.put_events("s", [event(None, impression=["a", "b"]), event(None, impression=["b"])], "u")
    assert counts(live) == ({"a": 2, "b": 3}, {"a": 1}, 3, 0)


def test_ids_that_nobody_logged_are_counted_as_unknown(live):
    live.put_events("s", [event("a", recommendationId="x"), event("b", recommendationId="x"), event("c")], "u")
    assert counts(live) == ({}, {}, 0, 1)


def test_undone_events_count_for_nothing(live, log):
    log.add("r1", "front", "u", ["a"])
    log.flush()
    live.put_events("s", [event("a", recommendationId="r1", eventId="e")], "u")
    live.undo("e")
    assert counts(live) == ({}, {}, 0, 0)


def test_counts_after_a_position_add_up_to_the_whole(live, log):
    log.add("r1", "front", "u", ["a", "b"])
    log.add("r2", "front", "u", ["b", "c"])
    log.flush()
    live.put_events("s", [event("a", recommendationId="r1")], "u")
    position = live.impressions().position
    second = [event("a", recommendationId="r1"), event("b", recommendationId="r1"), event("c", recommendationId="r2")]
    live.put_events("s", second, "u")
    assert counts(live, position) == ({"b": 1, "c": 1}, {"b": 1, "c": 1}, 1, 0)
    assert counts(live) == ({"a": 1, "b": 2, "c": 1}, {"a": 1, "b": 1, "c": 1}, 2, 0)
    assert counts(live, live.position()) == ({}, {}, 0, 0)
