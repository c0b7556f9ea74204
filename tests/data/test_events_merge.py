"""Live events merged into history: what is added, once, in which columns, and after a kill."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, USERS
from workbench.data.events import LiveEvents
from workbench.data.events_merge import merge_into_history
from workbench.data.workspace import Workspace
from workbench.errors import EventError

T = int(time.time()) - 86_400
HISTORY = pd.DataFrame(
    {
        "USER_ID": ["007", "v", "v"],
        "ITEM_ID": ["a", "a", "b"],
        "TIMESTAMP": [T - 2, T - 1, T],
        "EVENT_TYPE": ["click", "click", "buy"],
        "DEVICE": ["tv", None, "phone"],
    }
)


@pytest.fixture
def space(tmp_path):
    made = Workspace(tmp_path)
    made.create_group("shop")
    return made


@pytest.fixture
def live(space):
    opened = LiveEvents(space, "shop", durability="process")
    yield opened
    opened.close()


def click(item, at=0, **more):
    return {"eventType": "click", "sentAt": T + at, "itemId": item} | more


def rows(version, *columns):
    frame = version.frame()[list(columns)]
    return frame.astype(object).where(frame.notna(), None).values.tolist()


def test_live_events_come_behind_the_history_in_time_order(space, live):
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={"source": "bulk"})
    live.put_events("s", [click("z", 5), click("y", 4, properties='{"device": "tv"}'), click("x", 0)], "u")
    merged = merge_into_history(space, "shop")[INTERACTIONS]
    assert (merged.added, merged.identical, merged.version.version, merged.position) == (3, 0, 2, 3)
    assert rows(merged.version, "USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE") == [
        ["007", "a", T - 2, "tv"],
        ["v", "a", T - 1, None],
        ["v", "b", T, "phone"],
        ["u", "x", T, None],
        ["u", "y", T + 4, "tv"],
        ["u", "z", T + 5, None],
    ]
    assert merged.version.columns == space.dataset("shop", INTERACTIONS, 1).columns
    origin = merged.version.origin
    assert (origin["base_version"], origin["live_events"]["position"]) == (1, 3)
    assert live.merged_position() == live.merged_position(origin=origin) == 3
    assert live.merged_position(origin={"source": "bulk"}) == 0
    assert str(merged) == "shop/interactions version 2: 3 added"


def test_merging_again_changes_nothing_and_goes_on_from_there(space, live):
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    live.put_events("s", [click("z", 5)], "u")
    assert merge_into_history(space, "shop")[INTERACTIONS].version.rows == 4
    again = merge_into_history(space, "shop")[INTERACTIONS]
    assert (again.version.version, again.added, again.position) == (2, 0, 1)
    live.put_events("s", [click("y", 6)], "u")
    third = merge_into_history(space, "shop")[INTERACTIONS]
    assert (third.version.version, third.added, third.version.rows) == (3, 1, 5)


def test_a_new_bulk_import_gets_all_live_events_again(space, live):
    live.put_events("s", [click("z", 5)], "u")
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    merge_into_history(space, "shop")
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    assert live.merged_position() == 0
    assert merge_into_history(space, "shop")[INTERACTIONS].added == 1


def test_identical_events_count_once(space, live):
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    same = {"eventType": "buy", "sentAt": T, "itemId": "b", "properties": '{"device": "phone"}'}
    live.put_events("s", [same, click("z", 5, eventId="1"), click("z", 5, eventId="2")], "v")
    merged = merge_into_history(space, "shop")[INTERACTIONS]
    assert (merged.added, merged.identical, merged.version.rows) == (1, 2, 4)


def test_columns_are_carried_or_counted(space, live):
    space.write_dataset("shop", INTERACTIONS, HISTORY.drop(columns=["EVENT_TYPE", "DEVICE"]), origin={})
    event = click("z", 5, eventValue=2.5, recommendationId="r", impression=["z", "y"])
    live.put_events("s", [event, click("y", 6, metricAttribution={"eventAttributionSource": "mail"})], "u")
    merged = merge_into_history(space, "shop")[INTERACTIONS]
    assert merged.left_out == {"EVENT_TYPE": 2}
    assert "2 values of EVENT_TYPE left out: no such column" in str(merged)
    names = ("ITEM_ID", "EVENT_VALUE", "RECOMMENDATION_ID", "IMPRESSION", "EVENT_ATTRIBUTION_SOURCE")
    assert rows(merged.version, *names)[-3:] == [
        ["b", None, None, None, None],
        ["z", 2.5, "r", "z|y", None],
        ["y", None, None, None, "mail"],
    ]


def test_events_of_nobody_wait_and_events_about_nothing_stay(space, live):
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    live.put_events("s", [click("early", 1)])
    live.put_events("t", [click("z", 2), {"eventType": "search", "sentAt": T + 3}], "u")
    first = merge_into_history(space, "shop")[INTERACTIONS]
    assert (first.added, first.anonymous, first.without_item) == (1, 1, 1)
    live.put_events("s", [click("late", 4)], "w")
    second = merge_into_history(space, "shop")[INTERACTIONS]
    assert (second.added, second.anonymous, second.version.rows) == (2, 0, 6)
    assert rows(second.version, "USER_ID", "ITEM_ID")[-3:] == [["w", "early"], ["u", "z"], ["w", "late"]]


def test_what_is_undone_after_a_merge_is_taken_out_by_the_next(space, live):
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    live.put_events("s", [click("x", 1, eventId="1"), click("y", 2, eventId="2"), click("z", 3, eventId="3")], "u")
    live.put_events("s", [click("z", 3, eventId="twin of 3")], "u")
    live.undo("1")
    assert merge_into_history(space, "shop")[INTERACTIONS].added == 2
    live.undo("2")
    live.undo("3")
    merged = merge_into_history(space, "shop")[INTERACTIONS]
    assert (merged.removed, merged.added) == (1, 0)
    assert rows(merged.version, "ITEM_ID") == [["a"], ["a"], ["b"], ["z"]]


def test_the_last_event_of_a_dataset_stays_although_undone(space, live):
    live.put_events("s", [click("x", 1, eventId="1")], "u")
    merge_into_history(space, "shop")
    live.undo("1")
    merged = merge_into_history(space, "shop")[INTERACTIONS]
    assert (merged.version.version, merged.kept, merged.removed) == (1, 1, 0)
    live.put_events("s", [click("y", 2)], "u")
    merged = merge_into_history(space, "shop")[INTERACTIONS]
    assert (merged.kept, merged.removed, rows(merged.version, "ITEM_ID")) == (0, 1, [["y"]])


def test_items_users_and_actions_replace_their_row_in_place(space, live):
    items = pd.DataFrame({"ITEM_ID": ["a", "007", "c"], "GENRES": ["x", "y", "z"], "PRICE": [1.0, 2.0, 3.0]})
    space.write_dataset("shop", ITEMS, items.assign(_ROW=[1, 2, 3]), origin={})
    live.put_items([{"itemId": "new", "properties": '{"price": 9}'}, {"itemId": "007", "properties": '{"price": 5}'}])
    live.put_users([{"userId": "u", "properties": '{"age": 30, "city": "Bonn"}'}])
    live.put_actions([{"actionId": "join", "properties": '{"value": 3, "type": "club"}'}])
    merged = merge_into_history(space, "shop")
    assert (merged[ITEMS].added, merged[ITEMS].replaced) == (1, 1)
    assert rows(merged[ITEMS].version, "ITEM_ID", "GENRES", "PRICE") == [
        ["a", "x", 1.0],
        ["007", None, 5.0],
        ["c", "z", 3.0],
        ["new", None, 9.0],
    ]
    assert rows(merged[USERS].version, "USER_ID", "AGE", "CITY") == [["u", 30, "Bonn"]]
    assert rows(merged[ACTIONS].version, "ACTION_ID", "VALUE", "TYPE") == [["join", 3, "club"]]


def test_a_group_without_datasets_gets_them(space, live):
    live.put_events("s", [click("z", 5, properties='{"mood": 3}'), click("y", 4, properties='{"mood": "ok"}')], "u")
    given = {"actionId": "join", "sessionId": "s", "timestamp": T, "eventType": "Not Taken"}
    live.put_action_interactions([given])
    merged = merge_into_history(space, "shop")
    assert rows(merged[INTERACTIONS].version, "ITEM_ID", "EVENT_TYPE", "MOOD") == [
        ["y", "click", "ok"],
        ["z", "click", "3"],
    ]
    assert rows(merged[ACTION_INTERACTIONS].version, "USER_ID", "EVENT_TYPE") == [["u", "NOT_TAKEN"]]
    assert set(merged) == {INTERACTIONS, ACTION_INTERACTIONS}


def test_a_group_without_anything_merges_to_nothing(space):
    assert merge_into_history(space, "shop") == {}
    with pytest.raises(EventError, match=r"no dataset group 'sho'"):
        merge_into_history(space, "sho")


KILLED = """
import os, signal, sys
from workbench.data import catalogue, workspace
from workbench.data.events_merge import merge_into_history
left = [int(sys.argv[2])]
space = workspace.Workspace(sys.argv[1])
def hook(event, args):
    if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"):
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
real = workspace.Workspace.write_dataset
def write(self, *args, **more):
    if sys.argv[3] == args[1]:
        sys.addaudithook(hook)
    version = real(self, *args, **more)
    if sys.argv[3] == "after " + args[1]:
        os.kill(os.getpid(), signal.SIGKILL)
    return version
workspace.Workspace.write_dataset = write
merge_into_history(space, "shop")
"""


@pytest.mark.parametrize(
    ("step", "where", "versions"),
    [(1, "interactions", (1, 0)), (6, "interactions", None), (1, "after interactions", (2, 0)), (3, "items", (2, 0))],
)
def test_a_killed_merge_doubles_nothing(space, live, step, where, versions):
    space.write_dataset("shop", INTERACTIONS, HISTORY, origin={})
    live.put_events("s", [click("z", 5), click("y", 6)], "u")
    live.put_items([{"itemId": "z", "properties": '{"price": 1}'}])
    done = subprocess.run([sys.executable, "-c", KILLED, str(space.path), str(step), where], capture_output=True)
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    after = Workspace(space.path)
    found = (after.dataset("shop", INTERACTIONS).version, len(after.versions("shop", ITEMS)))
    assert versions is None or found == versions
    merged = merge_into_history(after, "shop")
    assert merged[INTERACTIONS].version.rows == 5
    assert sorted(row[0] for row in rows(merged[INTERACTIONS].version, "ITEM_ID")) == ["a", "a", "b", "y", "z"]
    assert merged[ITEMS].version.rows == 1
    assert os.path.exists(live.store.path)
