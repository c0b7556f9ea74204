"""Real events put live one after the other, on their own clock, with the lists before and after each.

The clock is that of the events; what is measured is wall time, from the put to the list that knows of it.
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from workbench.columns import TIMESTAMP, USER_ID
from workbench.data.events_records import PutResult
from workbench.errors import ServingError
from workbench.serving.picks import changes
from workbench.serving.recommender import Recommender
from workbench.serving.replay_rows import event_of, require_unknown
from workbench.serving.replay_steps import EVENT, UNDO, NewItem, Step
from workbench.serving.replay_watch import ITEMS, Watcher, asked
from workbench.serving.responses import Response

LONGEST = 0.5  # seconds of wall time that the clock waits between two events at most
MOST = 500  # places looked through for a new item


class Replay:
    """Puts events of a few people in the order in which they happened.

    Attributes:
        steps: all so far. left: events that are still to come.
        newcomer: whose first events come without a user id, None where nobody's do.
    """

    def __init__(
        self,
        recommender: Recommender,
        events: pd.DataFrame,
        *,
        places: int = 8,
        anonymous: int = 0,
        watcher: Watcher | None = None,
    ):
        """Be ready; nothing is put yet.

        Args:
            recommender: of a campaign that knows nothing of the events, opened with live events.
            events: rows with USER_ID, ITEM_ID, TIMESTAMP and whatever else interactions have, as `HeldBack.events`.
            places: of every list.
            anonymous: so many events of the last person to begin come from a session that names no user.
            watcher: another process of the same campaign, for lists of as many places.

        Raises:
            ServingError: no live events, nothing to replay, or the campaign knows one of the events already.
        """
        self.recommender, self.places, self._watcher = recommender, places, watcher
        self.live = recommender.deployment.live
        if self.live is None:
            raise ServingError("The campaign was opened without live events; open it with live=True.")
        if events.empty:
            raise ServingError("There is no event to replay; hold at least one back.")
        ordered = events.sort_values(TIMESTAMP, kind="stable")
        self._rows: list[dict[str, Any]] = ordered.to_dict("records")
        require_unknown(recommender, self._rows)
        people = list(dict.fromkeys(str(row[USER_ID]) for row in self._rows))
        self.newcomer = people[-1] if anonymous > 0 else None
        self._anonymous, self._done = anonymous, dict.fromkeys(people, 0)
        self.steps: list[Step] = []
        self._undone: set[int] = set()

    @property
    def left(self) -> int:
        """How many events are still to come."""
        return len(self._rows) - sum(self._done.values())

    @property
    def people(self) -> tuple[str, ...]:
        """Whose events these are, in the order of their first."""
        return tuple(self._done)

    def play(self, speed: float = 0.0) -> list[Step]:
        """Put all events that are left.

        Args:
            speed: seconds of the events' clock that go by in one second; 0 does not wait between events. The wait
                between two is half a second at most, since people sleep and come back after weeks.

        Raises:
            ServingError: the speed is below 0.
        """
        if not speed >= 0:
            raise ServingError(f"speed must be 0 (no waiting) or above, got {speed}.")
        first = len(self.steps)
        while self.left:
            if speed and self.steps:
                time.sleep(min(self._gap() / speed, LONGEST))
            self.step()
        return self.steps[first:]

    def step(self) -> Step:
        """Put the next event and ask for the list anew.

        Raises:
            ServingError: no event is left, or the other process did not see it.
            EventError: the event breaks a rule of live events.
        """
        if not self.left:
            raise ServingError("All events are replayed; make another Replay of other events.")
        row, gap = self._row(), self._gap()
        user = str(row[USER_ID])
        secret = user == self.newcomer and self._done[user] < self._anonymous
        signs_in = user == self.newcomer and self._done[user] == self._anonymous
        session = f"replay/{user}"
        event = event_of(row) | {"eventId": self._event_id(user, self._done[user] + 1)}
        before = self._list(session if secret or signs_in else user)
        clock = time.perf_counter()
        result = self.live.put_events(session, [event], None if secret else user)
        self._done[user] += 1
        head = (EVENT, event["itemId"], event["sentAt"], gap, user, session if secret else user, signs_in)
        return self._after(head, before, result, clock)

    def undo(self, number: int | None = None) -> Step:
        """Take the event of a step back, the newest one that stands if none is named.

        Raises:
            ServingError: no event of such a step stands.
        """
        standing = [each for each in self.steps if each.what == EVENT and each.number not in self._undone]
        found = [each for each in standing if number is None or each.number == number]
        if not found:
            named = ", ".join(str(each.number) for each in standing) or "none"
            raise ServingError(f"There is no event to take back at step {number}; those that stand: {named}.")
        step = found[-1]
        own = [each for each in self.steps[: step.number] if each.what == EVENT and each.user_id == step.user_id]
        who = self.live.user_of(step.asked_for) or step.asked_for
        before = self._list(who)
        clock = time.perf_counter()
        self.live.undo(self._event_id(step.user_id, len(own)))
        self._undone.add(step.number)
        result = PutResult(0, position=self.live.position())
        return self._after((UNDO, step.item_id, step.at, 0, step.user_id, who, False), before, result, clock)

    def put_item(self, item_id: str, properties: Mapping[str, Any], user_id: str, seed: int = 0) -> NewItem:
        """Put an item and ask for it at once.

        Args:
            item_id: one that is not there yet, or replaces one.
            properties: its attributes, by column name.
            user_id: whose lists are asked for.
            seed: of the exploring list.
        """
        deployment = self.recommender.deployment
        known = deployment.items.code_of(item_id) >= 0
        clock = time.perf_counter()
        result = self.live.put_items([{"itemId": item_id, "properties": dict(properties)}])
        self.recommender.refresh()
        ready = time.perf_counter() - clock
        sight = None if self._watcher is None else self._watcher.see(ITEMS, result.position)
        fields = asked(min(MOST, len(deployment.items)))
        found = {each.item_id: each for each in self.recommender.recommend(user_id=user_id, **fields).items}
        fields = asked(self.places) | {"exploration_weight": 1.0, "seed": seed, "explain": True}
        return NewItem(
            item_id,
            user_id,
            place=found[item_id].position if item_id in found else None,
            score=found[item_id].score if item_id in found else None,
            before=known,
            ready_seconds=ready,
            elsewhere_seconds=None if sight is None else sight.at - clock,
            explored=self.recommender.recommend(user_id=user_id, **fields),
        )

    def _row(self) -> dict[str, Any]:
        return self._rows[sum(self._done.values())]

    def _gap(self) -> int:
        """Seconds on the events' clock from the event before to the next one."""
        place = sum(self._done.values())
        return int(self._rows[place][TIMESTAMP] - self._rows[place - 1][TIMESTAMP]) if place else 0

    @staticmethod
    def _event_id(user: str, number: int) -> str:
        return f"replay/{user}/{number}"

    def _list(self, who: str) -> Response:
        return self.recommender.recommend(user_id=who, explain=True, **asked(self.places))

    def _after(self, head: Sequence[Any], before: Response, result: PutResult, clock: float) -> Step:
        """Ask for the new list, here and elsewhere, and remember the step."""
        stored = time.perf_counter() - clock
        who = head[5]
        self.recommender.recommend(user_id=who, **asked(self.places))
        listed = time.perf_counter() - clock
        sight = None if self._watcher is None else self._watcher.see(who, result.position)
        after = self._list(who)  # once more with its reasons, which nobody waited for above
        picked = [head[1]] if head[0] == EVENT else []
        self.steps.append(
            Step(
                len(self.steps) + 1,
                *head,
                claimed=result.claimed,
                before=before,
                after=after,
                moves=changes(before.item_ids, after.item_ids, picked),
                stored_seconds=stored,
                list_seconds=listed,
                elsewhere_seconds=None if sight is None else sight.at - clock,
                same_elsewhere=None if sight is None else sight.items == tuple(after.item_ids),
            )
        )
        return self.steps[-1]
