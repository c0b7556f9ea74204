"""Events held back from a group, put live again one after the other, and the lists that follow."""

import time

import numpy as np
import pandas as pd
import pytest

from workbench.data.events import LiveEvents
from workbench.data.events_merge import merge_into_history
from workbench.data.workspace import Workspace
from workbench.errors import ServingError, WorkspaceError
from workbench.serving.examples import ensure_campaign
from workbench.serving.replay import Replay
from workbench.serving.replay_data import hold_back
from workbench.serving.replay_rows import event_of, like
from workbench.serving.replay_steps import EVENT, UNDO
from workbench.serving.replay_watch import ITEMS, Watcher

HELD = {"people": 2, "events": 3, "seed": 1}
T = 1_000_000_000


@pytest.fixture
def space(tmp_path) -> Workspace:
    """40 people who choose even or odd items, 5 each."""
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    rows = [
        (f"{u:02d}", f"i{2 * ((u // 2 + s) % 6) + u % 2}", T + 1_000 * s + u, "buy", 2.0)
        for u in range(40)
        for s in range(6)
    ]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"])
    place.write_dataset("own", "interactions", events, origin={"source": "test"})
    items = pd.DataFrame({"ITEM_ID": [f"i{n}" for n in range(12)], "TITLE": [f"Item {n}" for n in range(12)]})
    place.write_dataset("own", "items", items.assign(YEAR=range(1990, 2002)), origin={"source": "test"})
    return place


def opened(space, held):
    return ensure_campaign(space, held.group, "c", "graph-filter", train_anyway=True, log=False)


def test_the_newest_events_of_a_few_are_held_back_and_nothing_else(space):
    held = hold_back(space, "own", **HELD)
    own, left = space.dataset("own", "interactions").frame(), space.dataset(held.group, "interactions").frame()
    assert (len(own), len(left), held.rows, len(held.events)) == (240, 234, 234, 6)
    both = pd.concat([left, held.events]).sort_values(["USER_ID", "TIMESTAMP"]).reset_index(drop=True)
    pd.testing.assert_frame_equal(both, own.sort_values(["USER_ID", "TIMESTAMP"]).reset_index(drop=True))
    for user in held.people:
        assert held.events.loc[held.events["USER_ID"] == user, "TIMESTAMP"].tolist() == [
            T + 1_000 * s + int(user) for s in (3, 4, 5)
        ]
    assert held.events["TIMESTAMP"].is_monotonic_increasing
    assert held.group.startswith("own-replay-2x3-1-")
    assert space.dataset(held.group, "items").rows == 12
    assert hold_back(space, "own", **HELD | {"seed": 2}).group != held.group


def test_a_second_time_clears_what_was_put_and_merged(space):
    held = hold_back(space, "own", **HELD)
    LiveEvents(space.path, held.group).put_events("s", [{"eventType": "buy", "sentAt": T, "itemId": "i1"}], "00")
    assert merge_into_history(space, held.group)["interactions"].added == 1
    again = hold_back(space, "own", **HELD)
    assert again.group == held.group
    pd.testing.assert_frame_equal(again.events, held.events)
    assert LiveEvents(space.path, held.group).position() == 0
    assert space.dataset(held.group, "interactions").rows == 234
    assert space.dataset(held.group, "interactions").version == 3
    hold_back(space, "own", **HELD)
    assert space.dataset(held.group, "interactions").version == 3


def test_what_cannot_be_held_back_says_why(space):
    with pytest.raises(ServingError, match="0 of the 40 people have the 8 events that holding back 4 needs, and 2 are"):
        hold_back(space, "own", people=2, events=4)
    with pytest.raises(ServingError, match="people must be at least 1, got 0"):
        hold_back(space, "own", people=0)
    with pytest.raises(WorkspaceError, match="There is no dataset group 'owm'. Did you mean 'own'"):
        hold_back(space, "owm")


def test_a_group_that_is_something_else_is_not_cleared(space):
    group = hold_back(space, "own", **HELD).group
    place = Workspace(space.path.parent / "other")
    place.create_group("own")
    for kind in ("items", "interactions"):
        place.write_dataset("own", kind, space.dataset("own", kind).frame(), origin={"source": "test"})
    place.create_group(group)
    place.write_dataset(group, "interactions", space.dataset("own", "interactions").frame(), origin={"source": "mine"})
    LiveEvents(place.path, group).put_events("s", [{"eventType": "buy", "sentAt": T}])
    with pytest.raises(ServingError, match="is there and is no practice group: its interactions come from 'mine'"):
        hold_back(place, "own", **HELD)
    assert LiveEvents(place.path, group).position() == 1


def test_lists_follow_every_event_here_and_in_another_process(space):
    held = hold_back(space, "own", **HELD)
    recommender = opened(space, held)
    with Watcher(recommender, 4) as watcher:
        replay = Replay(recommender, held.events, places=4, anonymous=2, watcher=watcher)
        assert (replay.left, replay.people, replay.newcomer) == (6, held.people, held.people[-1])
        steps = replay.play()
        assert (replay.left, len(steps)) == (0, 6)
        for step, row in zip(steps, held.events.to_dict("records"), strict=True):
            assert (step.what, step.user_id, step.item_id) == (EVENT, row["USER_ID"], row["ITEM_ID"])
            assert step.at == row["TIMESTAMP"]
            assert step.item_id not in step.after.item_ids
            assert step.same_elsewhere
            assert 0 < step.stored_seconds < step.list_seconds
            assert step.elsewhere_seconds > 0
        assert [step.gap for step in steps] == [0, *np.diff(held.events["TIMESTAMP"]).tolist()]
        last = [step for step in steps if step.user_id == replay.newcomer]
        assert [step.asked_for for step in last] == [f"replay/{replay.newcomer}"] * 2 + [replay.newcomer]
        assert [(step.signed_in, step.claimed) for step in last] == [(False, 0), (False, 0), (True, 2)]

        undone = replay.undo(steps[0].number)
        assert (undone.what, undone.number, undone.item_id) == (UNDO, 7, steps[0].item_id)
        assert undone.same_elsewhere
        assert len(replay.live.user_events(steps[0].user_id)) == 2
        with pytest.raises(ServingError, match="no event to take back at step 1; those that stand: 2, 3, 4, 5, 6"):
            replay.undo(1)
        with pytest.raises(ServingError, match="All events are replayed"):
            replay.step()

        new = replay.put_item("new", like(recommender, "i3", "Hat"), replay.people[0])
        assert (new.before, new.elsewhere_seconds > 0) == (False, True)
        assert new.place == 8  # behind the 7 of 12 items that stand unchosen, one of them since its event was undone
        assert watcher.see(ITEMS, 0).items == ("new",)
        code = recommender.deployment.items.code_of("new")
        assert recommender.deployment.items.row(code) == {"TITLE": "Hat", "YEAR": 1993.0}
    with pytest.raises(ServingError, match="The other process has ended"):
        watcher.see("nobody", 10**9)
    merged = merge_into_history(space, held.group)
    assert (merged["interactions"].added, merged["items"].added) == (5, 1)


def test_undoing_the_newest_event_brings_the_list_before_it_back(space):
    held = hold_back(space, "own", **HELD)
    replay = Replay(opened(space, held), held.events, places=4)
    steps = replay.play()
    assert replay.undo().after.item_ids == steps[-1].before.item_ids
    assert replay.undo().item_id == steps[-2].item_id
    assert steps[-1].same_elsewhere is None


def test_the_clock_waits_as_long_as_asked(space):
    held = hold_back(space, "own", **HELD)
    replay = Replay(opened(space, held), held.events, places=4)
    waits = np.minimum(np.diff(held.events["TIMESTAMP"]) / 5_000, 0.5).sum()
    begun = time.perf_counter()
    replay.play(speed=5_000)
    assert time.perf_counter() - begun >= waits > 0.3
    with pytest.raises(ServingError, match="speed must be 0"):
        replay.play(speed=-1)


def test_a_campaign_that_knows_the_events_is_refused(space):
    held = hold_back(space, "own", **HELD)
    recommender = opened(space, held)
    Replay(recommender, held.events).play()
    with pytest.raises(ServingError, match=r"Campaign 'c' knows the event of user '\d\d' and item 'i\d+' at 10"):
        Replay(recommender, held.events)
    with pytest.raises(ServingError, match="no event to replay"):
        Replay(recommender, held.events.head(0))
    plain = ensure_campaign(space, held.group, "c", "graph-filter", live=False)
    with pytest.raises(ServingError, match="without live events"):
        Replay(plain, held.events)


def test_a_row_becomes_the_event_that_it_was():
    row = {"USER_ID": "u", "ITEM_ID": 7, "TIMESTAMP": np.int64(5), "EVENT_TYPE": None, "EVENT_VALUE": np.float64("nan")}
    assert event_of(row) == {"eventType": "view", "sentAt": 5, "itemId": "7"}
    more = {"EVENT_TYPE": "buy", "EVENT_VALUE": 2.5, "DEVICE": "tv", "PAGES": np.float64(3), "IMPRESSION": "a|b"}
    assert event_of(row | more) == {
        "eventType": "buy",
        "sentAt": 5,
        "itemId": "7",
        "eventValue": 2.5,
        "properties": {"DEVICE": "tv", "PAGES": 3},
    }


def test_an_item_like_one_that_is_not_there_is_refused(space):
    held = hold_back(space, "own", **HELD)
    with pytest.raises(ServingError, match="no item 'i99'"):
        like(opened(space, held), "i99", "x")


def test_another_process_that_cannot_open_the_campaign_is_said(space):
    held = hold_back(space, "own", **HELD)
    recommender = opened(space, held)
    recommender.deployment.path = space.path / "elsewhere"
    with pytest.raises(ServingError, match="Another process could not open"):
        Watcher(recommender, 4)
