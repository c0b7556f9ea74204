"""Live events as they are taken in and read back: fields, ids, sessions, undo, items and users."""

import sqlite3
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime

import pandas as pd
import pytest

from workbench.columns import ACTION_INTERACTIONS
from workbench.data import catalogue, events_group
from workbench.data.events import Limits, LiveEvents
from workbench.data.workspace import CATALOG, Workspace
from workbench.errors import EventError

NOW = int(time.time())


@pytest.fixture
def workspace(tmp_path):
    space = Workspace(tmp_path)
    space.create_group("shop")
    return space


@pytest.fixture
def live(workspace):
    opened = LiveEvents(workspace.path, "shop", durability="process")
    yield opened
    opened.close()


def click(item, at=0, **more):
    """A click, `at` seconds after a day before now."""
    return {"eventType": "click", "sentAt": NOW - 86_400 + at, "itemId": item} | more


def items_of(live, who, **more):
    return [event.item_id for event in live.user_events(who, **more)]


def test_an_event_comes_back_with_all_its_fields(live):
    given = click(
        "i1",
        eventId="e1",
        eventValue=4,
        properties='{"deviceType": "phone", "numberOfRatings": 3}',
        recommendationId="r1",
        impression=["i1", "i2"],
        metricAttribution={"eventAttributionSource": "mail"},
    )
    result = live.put_events("s1", [given], "u1")
    assert (result.stored, result.duplicates, result.event_ids, result.position) == (1, 0, ("e1",), 1)
    assert result.durability == "process"
    [event] = live.user_events("u1")
    assert (event.event_id, event.session_id, event.user_id, event.item_id) == ("e1", "s1", "u1", "i1")
    assert (event.time, event.event_type, event.event_value) == (NOW - 86_400, "click", 4.0)
    assert (event.recommendation_id, event.impression, event.source) == ("r1", ("i1", "i2"), "mail")
    assert event.properties == {"DEVICE_TYPE": "phone", "NUMBER_OF_RATINGS": 3}
    assert given["properties"] == '{"deviceType": "phone", "numberOfRatings": 3}'


def test_a_time_may_be_a_datetime_and_loses_its_fraction(live):
    live.put_events("s", [{"eventType": "x", "sentAt": datetime(2024, 1, 1, tzinfo=UTC)}], "u")
    live.put_events("s", [{"eventType": "x", "sentAt": 1_700_000_000.9}], "u")
    assert [event.time for event in live.user_events("u")] == [1_700_000_000, 1_704_067_200]


def test_events_are_ordered_by_time_then_by_arrival(live):
    live.put_events("s", [click("late", 9), click("first", 1), click("second", 1)], "u")
    assert items_of(live, "u") == ["first", "second", "late"]


def test_the_first_event_of_an_id_wins(live):
    first = live.put_events("s", [click("a", eventId="e"), click("b", eventId="e")], "u")
    again = live.put_events("s", [click("c", eventId="e"), click("d", eventId="f")], "u")
    assert (first.stored, first.duplicates) == (1, 1)
    assert (again.stored, again.duplicates, again.position) == (1, 1, 2)
    assert items_of(live, "u") == ["a", "d"]


def test_a_repeated_call_without_ids_stores_nothing_twice(live):
    events = [click("a"), click("b")]
    first, again = live.put_events("s", events, "u"), live.put_events("s", events, "u")
    assert (first.stored, again.stored, again.duplicates) == (2, 0, 2)
    assert first.event_ids == again.event_ids
    assert live.put_events("s", events, "someone else").stored == 2


def test_earlier_events_of_a_session_become_the_users_at_once(live):
    live.put_events("s", [click("a", 1), click("b", 2)])
    assert items_of(live, "s") == ["a", "b"]
    assert live.user_of("s") is None
    before = live.user_version("u")
    result = live.put_events("s", [click("c", 3)], "u")
    assert (result.claimed, before) == (2, 0)
    assert items_of(live, "u") == items_of(live, "s") == ["a", "b", "c"]
    assert live.user_of("s") == "u"
    assert live.user_version("u") == live.user_version("s") == 3
    assert live.changed_since(2).users == {"u"}


def test_two_users_in_one_session_each_keep_what_came_since_they_were_named(live):
    live.put_events("s", [click("before", 1)])
    live.put_events("s", [click("ann", 2)], "ann")
    live.put_events("s", [click("ann's too", 3)])
    live.put_events("s", [click("bob", 4)], "bob")
    live.put_events("s", [click("bob's too", 5)])
    live.put_events("s", [click("ann again", 6)], "ann")
    assert items_of(live, "ann") == ["before", "ann", "ann's too", "ann again"]
    assert items_of(live, "bob") == ["bob", "bob's too"]
    assert live.user_of("s") == "ann"


def test_a_repeated_event_does_not_change_whose_session_it_is(live):
    live.put_events("s", [click("a", eventId="1")], "ann")
    live.put_events("s", [click("b", eventId="2")], "bob")
    live.put_events("s", [click("a", eventId="1")], "ann")
    assert live.user_of("s") == "bob"


def test_sessions_do_not_mix(live):
    live.put_events("s1", [click("a")])
    live.put_events("s2", [click("b")], "u")
    assert items_of(live, "u") == ["b"]
    assert items_of(live, "s1") == ["a"]


def test_an_undone_event_is_gone_and_its_id_never_comes_back(live):
    live.put_events("s", [click("a", eventId="1"), click("b", eventId="2")], "u")
    assert live.undo("1") is True
    assert items_of(live, "u") == ["b"]
    assert live.user_version("u") == 3
    assert live.changed_since(2).users == {"u"}
    assert live.undo("1") is False
    again = live.put_events("s", [click("c", eventId="1"), click("d", eventId="3")], "u")
    assert (again.stored, again.undone, again.duplicates) == (1, 1, 0)
    assert items_of(live, "u") == ["b", "d"]


def test_undoing_what_is_not_there_says_where_ids_come_from(live):
    with pytest.raises(EventError, match=r"no live event 'nope' among the interactions.*PutResult.event_ids"):
        live.undo("nope")
    with pytest.raises(EventError, match=r"no kind of live events 'interaction'. Did you mean 'interactions'"):
        live.undo("nope", kind="interaction")


def test_events_after_a_position(live):
    position = live.put_events("s", [click("a", 5)], "u").position
    live.put_events("t", [click("b", 1)], "u")
    assert items_of(live, "u", after=position) == ["b"]
    assert live.position() == 2
    changes = live.changed_since(position)
    assert (changes.position, changes.users, changes.items) == (2, {"u"}, frozenset())
    assert live.changed_since(2).users == frozenset()


def test_the_latest_item_wins_whole(live):
    live.put_items([{"itemId": "i1", "properties": '{"price": 9.5, "genres": "Action|Crime"}'}, {"itemId": "i2"}])
    result = live.put_items([{"itemId": "i1", "properties": {"price": 8}}])
    assert (result.stored, result.replaced, result.position) == (1, 1, 3)
    assert live.new_items() == {"i2": {}, "i1": {"PRICE": 8}}
    assert live.new_items(after=2) == {"i1": {"PRICE": 8}}
    assert live.changed_since(1).items == {"i1", "i2"}


def test_users_and_actions_are_kept_apart_from_items(live):
    live.put_users([{"userId": "x", "properties": '{"age": 30}'}])
    live.put_actions([{"actionId": "x", "properties": '{"value": 3, "creationTimestamp": 1700000000}'}])
    assert live.new_users() == {"x": {"AGE": 30}}
    assert live.new_actions() == {"x": {"VALUE": 3, "CREATION_TIMESTAMP": 1_700_000_000}}
    assert live.new_items() == {}
    assert live.user_version("x") == 1
    assert live.changed_since(0).actions == {"x"}


def test_action_interactions_are_spelled_as_the_dataset_spells_them(live):
    given = {"actionId": "a", "sessionId": "s", "timestamp": NOW - 10, "eventType": "Not Taken"}
    live.put_action_interactions([given])
    live.put_action_interactions([given | {"eventType": "VIEWED", "userId": "u", "timestamp": NOW - 9}])
    found = live.user_events("u", kind=ACTION_INTERACTIONS)
    assert [(each.item_id, each.event_type, each.kind) for each in found] == [
        ("a", "NOT_TAKEN", ACTION_INTERACTIONS),
        ("a", "VIEWED", ACTION_INTERACTIONS),
    ]
    assert live.user_events("u") == []


def test_properties_take_the_names_of_the_datasets_columns(workspace, live):
    frame = pd.DataFrame({"ITEM_ID": ["i"], "Category_L1": ["a"], "PRICE": [1.5], "STOCK": [3]})
    workspace.write_dataset("shop", "items", frame, origin={})
    live.put_items([{"itemId": "j", "properties": '{"categoryL1": "b", "price": 2, "stock": 4.0}'}])
    assert live.new_items() == {"j": {"Category_L1": "b", "PRICE": 2, "STOCK": 4}}


def test_hostile_ids_come_back_as_they_were(live):
    ids = ["007", " x ", "a|b", "a\x00b", "'; DROP TABLE event; --", "😀" * 256]
    live.put_events("s", [click(each, at) for at, each in enumerate(ids)], ids[3])
    assert items_of(live, ids[3]) == ids


def test_limits_can_be_raised(workspace):
    live = LiveEvents(workspace, "shop", durability="process", limits=Limits(records=10_000, event_properties=20_000))
    result = live.put_events("s", [click(f"i{each}", each) for each in range(10_000)], "u")
    assert (result.stored, len(live.user_events("u"))) == (10_000, 10_000)
    assert live.put_events("s", [click("a", properties={"note": "x" * 9_000})], "u").stored == 1
    with pytest.raises(ValueError, match="records must be a whole number of at least 1, not 0"):
        Limits(records=0)


def test_threads_share_one_object(live):
    def put(name):
        for at in range(20):
            live.put_events(name, [click(f"i{at}", at)], name)

    threads = [threading.Thread(target=put, args=(f"u{each}",)) for each in range(4)]
    [each.start() for each in threads]
    [each.join() for each in threads]
    assert [len(live.user_events(f"u{each}")) for each in range(4)] == [20] * 4
    assert live.position() == 80


def test_what_is_read_of_the_catalogue_is_called_what_the_catalogue_calls_it():
    assert (events_group.CATALOG, events_group.GROUP, events_group.DATASET) == (
        CATALOG,
        catalogue.GROUP,
        catalogue.DATASET,
    )


def test_nothing_is_made_for_a_group_or_workspace_that_is_not_there(workspace, tmp_path):
    with pytest.raises(EventError, match=r"no dataset group 'shp'.*Did you mean 'shop'\? Known: shop"):
        LiveEvents(workspace, "shp")
    assert not (workspace.path / "shp").exists()
    with pytest.raises(EventError, match=r"no workspace in .*nowhere: it holds no catalog.db"):
        LiveEvents(tmp_path / "nowhere", "shop")
    assert not (tmp_path / "nowhere").exists()
    (tmp_path / "other").mkdir()
    sqlite3.connect(tmp_path / "other" / "catalog.db").executescript("CREATE TABLE x(y)")
    with pytest.raises(EventError, match="cannot be read as a catalogue"):
        LiveEvents(tmp_path / "other", "shop")


def test_closed_events_say_so(live):
    live.close()
    with pytest.raises(EventError, match="were closed. Open them again"):
        live.position()


def test_opening_loads_nothing_heavy(workspace, live):
    script = (
        "import sys; from workbench.data.events import LiveEvents; "
        f"LiveEvents({str(workspace.path)!r}, 'shop').position(); "
        "print([m for m in ('ibis', 'pandas', 'numpy', 'sqlalchemy', 'duckdb') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"


def test_opening_a_workspace_leaves_live_events_alone(workspace, live):
    live.put_events("s", [click("a")], "u")
    (workspace.path / ".staging").mkdir(exist_ok=True)
    (workspace.path / ".staging" / "dead.lock").write_text('{"pid": 1, "target": "/nowhere"}')
    Workspace(workspace.path)
    assert items_of(live, "u") == ["a"]
    assert live.put_events("s", [click("b")], "u").stored == 1
