"""What is known of users: stored events and attributes, and live ones on top."""

import time
from collections.abc import Callable

import numpy as np
import pytest

from workbench.data.events import LiveEvents
from workbench.data.events_merge import merge_into_history
from workbench.data.workspace import Workspace
from workbench.serving.campaigns import create_campaign, redeploy
from workbench.serving.deployment import Deployment, open_campaign


@pytest.fixture
def served(small_workspace: Workspace, train_small: Callable) -> Deployment:
    """The small group deployed."""
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    return open_campaign(small_workspace.path, "g", "c")


@pytest.fixture
def live(served: Deployment) -> LiveEvents:
    """The same group's live events, as another process would open them."""
    return LiveEvents(served.path, "g")


def _event(item: str | None, sent: int, kind: str = "watch", **more: object) -> dict:
    return {"eventType": kind, "sentAt": sent, **({} if item is None else {"itemId": item}), **more}


def test_a_stored_user_has_events_in_order_and_attributes(served: Deployment):
    state = served.users.state("ann")
    assert (state.user_id, state.known, state.live, state.version) == ("ann", True, 0, 0)
    assert served.items.ids[state.events.entities].tolist() == ["a", "b", "c"]
    assert state.events.times.tolist() == [100, 120, 150]
    assert state.events.columns["EVENT_TYPE"].tolist() == ["watch", "click", "watch"]
    assert np.array_equal(state.events.columns["EVENT_VALUE"], [5.0, np.nan, 2.0], equal_nan=True)
    assert state.attributes == {"AGE": 31.0, "CITY": "Ulm"}
    assert served.users.state("bob").events.columns["DEVICE"].tolist() == ["phone", None]


def test_users_with_attributes_or_events_alone_and_strangers(served: Deployment):
    zoe, cem, nobody = served.users.states(["zoe", "cem", "nobody"])
    assert (zoe.known, len(zoe.events), zoe.attributes) == (False, 0, {"AGE": 44.0, "CITY": None})
    assert (cem.known, len(cem.events), cem.attributes) == (True, 2, {})
    assert (nobody.known, len(nobody.events), nobody.attributes) == (False, 0, {})
    assert set(nobody.events.columns) == {"EVENT_TYPE", "EVENT_VALUE", "DEVICE"}


def test_live_events_join_the_stored_ones_in_time_order(served: Deployment, live: LiveEvents):
    live.put_events("s1", [_event("b", 200, "watch", eventValue=1.5), _event("a", 110)], user_id="ann")
    state = served.users.state("ann")
    assert state.events.times.tolist() == [100, 110, 120, 150, 200]
    assert served.items.ids[state.events.entities].tolist() == ["a", "a", "b", "c", "b"]
    assert state.events.columns["EVENT_VALUE"][-1] == 1.5
    assert (state.live, state.known) == (2, True)
    assert state.version == live.user_version("ann") > 0
    assert served.users.state("bob").live == 0
    assert served.users.states(["bob", "ann"])[1].events.times.tolist() == [100, 110, 120, 150, 200]


def test_an_undone_event_is_gone_and_the_version_moves(served: Deployment, live: LiveEvents):
    live.put_events("s1", [_event("b", 200, eventId="e1")], user_id="ann")
    before = served.users.state("ann")
    live.undo("e1")
    after = served.users.state("ann")
    assert (before.live, after.live) == (1, 0)
    assert after.version > before.version


def test_a_session_becomes_its_users(served: Deployment, live: LiveEvents):
    live.put_events("s9", [_event("c", 300)])
    assert served.users.state("s9").events.times.tolist() == [300]
    assert served.users.state("bob").events.times.tolist() == [110, 130]
    live.put_events("s9", [_event("a", 310)], user_id="bob")
    assert served.users.state("bob").events.times.tolist() == [110, 130, 300, 310]
    assert served.users.state("s9").events.times.tolist() == [110, 130, 300, 310]
    assert served.users.states(["s9"])[0].events.times.tolist() == [110, 130, 300, 310]


def test_events_of_unknown_items_or_none_keep_their_place(served: Deployment, live: LiveEvents):
    live.put_events("s1", [_event("never-seen", 400), _event(None, 410, "search")], user_id="cem")
    events = served.users.state("cem").events
    assert events.entities.tolist() == [2, 0, -1, -1]
    assert events.columns["EVENT_TYPE"].tolist() == ["watch", "click", "watch", "search"]


def test_merged_events_count_once_and_anonymous_ones_wait(
    served: Deployment, live: LiveEvents, small_workspace: Workspace
):
    live.put_events("s1", [_event("b", 200), _event(None, 205, "search")], user_id="ann")
    live.put_events("anonymous", [_event("c", 210)])
    live.put_items([{"itemId": "e", "properties": {"genres": "Drama"}}])
    live.put_users([{"userId": "ann", "properties": {"age": 50}}])
    merge_into_history(small_workspace, "g")
    live.put_events("s1", [_event("a", 220)], user_id="ann")
    redeploy(small_workspace, "g", "c")
    assert served.users.state("ann").events.times.tolist() == [100, 120, 150, 200, 205, 220]
    served.refresh()
    ann = served.users.state("ann")
    assert ann.events.times.tolist() == [100, 120, 150, 200, 220]  # no dataset holds an event about no item
    assert (ann.live, ann.attributes["AGE"]) == (1, 50.0)
    assert served.items.ids.tolist() == ["a", "b", "c", "d", "e"]
    assert served.users.state("anonymous").events.times.tolist() == [210]
    live.put_events("anonymous", [_event("b", 230)], user_id="ann")
    assert served.users.state("ann").events.times.tolist() == [100, 120, 150, 200, 210, 220, 230]


def test_without_live_events_the_stored_ones_stand_alone(served: Deployment, live: LiveEvents):
    live.put_events("s1", [_event("b", 200)], user_id="ann")
    alone = open_campaign(served.path, "g", "c", live=False)
    assert alone.users.state("ann").live == 0
    assert not alone.refresh()


def test_the_log_of_everybody_and_the_table_of_users(served: Deployment):
    log, table = served.users.log, served.users.table
    assert table.ids[log.users].tolist() == ["ann", "ann", "ann", "bob", "bob", "cem", "cem"]
    assert log.times.tolist() == [100, 120, 150, 110, 130, 140, 160]
    assert log.columns["DEVICE"].tolist() == ["tv", "phone", "tv", "phone", None, "tv", "tv"]
    assert table.row(table.code_of("zoe")) == {"AGE": 44.0, "CITY": None}
    assert served.users.frame["USER_ID"].tolist() == ["ann", "bob", "cem", "zoe"]


def test_users_put_live_are_in_the_table_with_their_newest_attributes(served: Deployment, live: LiveEvents):
    live.put_users([{"userId": "ann", "properties": {"AGE": 32}}, {"userId": "new", "properties": {"CITY": "Bonn"}}])
    served.refresh()
    users = served.users
    table = users.table
    assert table.ids.tolist() == ["ann", "bob", "cem", "zoe", "new"]
    assert table.row(0) == {"AGE": 32.0, "CITY": None} == users.attributes("ann")
    assert table.row(4) == {"AGE": None, "CITY": "Bonn"} == users.attributes("new")
    assert table.row(table.code_of("zoe")) == {"AGE": 44.0, "CITY": None}
    assert table.ids[users.log.users].tolist() == ["ann", "ann", "ann", "bob", "bob", "cem", "cem"]


def test_which_events_count_as_interest_is_as_at_training(small_workspace: Workspace, train_small: Callable):
    train_small(event_types=["watch"], event_value_threshold=3.0)
    create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    counts = served.snapshot.counts_as_interest(served.users.state("ann").events)
    assert counts.tolist() == [True, False, False]
    assert served.popularity.tolist() == [2, 1, 0, 0]


def test_a_usual_state_is_there_in_less_than_a_third_of_a_millisecond(served: Deployment, live: LiveEvents):
    live.put_events("s1", [_event("b", 200 + number) for number in range(5)], user_id="ann")
    served.users.state("ann")
    rounds = []
    for _ in range(20):
        begun = time.perf_counter()
        for _ in range(20):
            served.users.state("ann")
        rounds.append((time.perf_counter() - begun) / 20)
    assert min(rounds) < 0.3e-3
