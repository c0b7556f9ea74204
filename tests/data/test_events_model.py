"""Any order of puts and undos, compared with a plain model of the rules; and merges in between, with one at the end."""

import tempfile
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.columns import INTERACTIONS
from workbench.data.events import LiveEvents
from workbench.data.events_merge import merge_into_history
from workbench.data.workspace import Workspace

T = int(time.time()) - 86_400
PUT = st.tuples(st.sampled_from(["s", "t"]), st.sampled_from([None, None, "ann", "bob"]), st.integers(0, 9))
STEPS = st.lists(PUT | st.integers(0, 9), max_size=25)  # a number undoes the event of that id


class Model:
    """The rules without a database: events by id, whose each is, and whose each session is."""

    def __init__(self):
        self.events, self.sessions, self.undone = {}, {}, set()

    def put(self, session, user, id_):
        if id_ in self.events:
            return "undone" if id_ in self.undone else "duplicates"
        self.events[id_] = [session, user or self.sessions.get(session)]
        if user is not None:
            self.sessions[session] = user
            for event in self.events.values():
                if event == [session, None]:
                    event[1] = user
        return "stored"

    def of(self, who):
        """Ids of a user's events, or of a session that has named nobody."""
        return {
            id_ for id_, (session, user) in self.events.items() if id_ not in self.undone and who == (user or session)
        }


def play(live, model, step):
    if isinstance(step, int):
        if step in model.events:
            assert live.undo(str(step)) is (step not in model.undone)
            model.undone.add(step)
        return
    session, user, id_ = step
    event = {"eventType": "click", "sentAt": T + id_, "itemId": f"i{id_}", "eventId": str(id_)}
    result = live.put_events(session, [event], user)
    assert {"stored": result.stored, "duplicates": result.duplicates, "undone": result.undone}[
        model.put(session, user, id_)
    ] == 1


@pytest.fixture(scope="module")
def groups():
    """A workspace that gives a new group each time: making a workspace takes longer than the test."""
    with tempfile.TemporaryDirectory() as folder:
        space = Workspace(Path(folder))
        count = iter(range(10**6))

        def new():
            name = f"g{next(count)}"
            space.create_group(name)
            return space, name

        yield new


@given(STEPS)
@settings(max_examples=60, deadline=None)
def test_any_order_of_puts_and_undos_follows_the_rules(groups, steps):
    space, group = groups()
    live, model = LiveEvents(space, group, durability="process"), Model()
    versions = dict.fromkeys(["ann", "bob"], 0)
    for step in steps:
        before = {who: model.of(who) for who in versions}
        position = live.position()
        play(live, model, step)
        changed = live.changed_since(position)
        for who, known in before.items():
            assert {int(event.event_id) for event in live.user_events(who)} == model.of(who)
            grown = live.user_version(who) > versions[who]
            assert grown >= (model.of(who) != known)
            assert (who in changed.users) == grown
            versions[who] = live.user_version(who)
    for session in ("s", "t"):
        assert live.user_of(session) == model.sessions.get(session)
        if session not in model.sessions:
            assert {int(event.event_id) for event in live.user_events(session)} == model.of(session)
    live.close()


@given(STEPS, st.sets(st.integers(0, 24), max_size=3))
@settings(max_examples=60, deadline=None)
def test_merging_now_and_then_ends_like_merging_once(groups, steps, merges):
    space, group = groups()
    live, model = LiveEvents(space, group, durability="process"), Model()
    for at, step in enumerate(steps):
        play(live, model, step)
        if at in merges:
            merge_into_history(space, group)
    merged = merge_into_history(space, group)
    if INTERACTIONS in merged and merged[INTERACTIONS].kept:
        assert not model.of("ann") | model.of("bob")
        return
    wanted = sorted((user, f"i{id_}") for user in ("ann", "bob") for id_ in model.of(user))
    if INTERACTIONS in merged:
        frame = merged[INTERACTIONS].version.frame()
        assert sorted(zip(frame["USER_ID"], frame["ITEM_ID"], strict=True)) == wanted
    else:
        assert wanted == []
    live.close()
