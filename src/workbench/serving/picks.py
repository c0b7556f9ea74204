"""A session that somebody plays: every pick is a live event, every undo takes one back, and lists are asked for anew.

Nothing is simulated: picks go the way of any application's events, and the lists are those that any request gets.
"""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.columns import EVENT_TYPE, EVENT_VALUE
from workbench.data.events import LiveEvents
from workbench.errors import ServingError
from workbench.serving.deployment import Deployment
from workbench.serving.recommender import Recommender
from workbench.serving.responses import Response

START, PICK, UNDO, CLEAR = "start", "pick", "undo", "clear"
NEW, UP, DOWN, SAME, GONE, PICKED = "new", "up", "down", "same", "gone", "picked"
STEP = 60  # seconds between two picks, by the events' times
USUAL = "view"  # the event type where the stored events have none


@dataclass(frozen=True)
class Move:
    """What became of one item of a list since the turn before.

    how: "new", "up", "down", "same"; "gone" or "picked" for one that left.
    place, before: counted from 1; None where it is not, or was not, in the list.
    """

    item_id: str
    how: str
    place: int | None = None
    before: int | None = None


@dataclass(frozen=True)
class Turn:
    """The lists after a step of the game.

    what: "start", "pick", "undo" or "clear"; item_id: of what was picked or taken back, None where it is not one.
    picks: ids in the order they were picked, those that stand.
    lists: name of a recommender to its answer; moves: the same to what changed, by place, those that left last.
    put_seconds: until the event or its undo was stored; list_seconds: until each list was there, its reasons included.
    """

    what: str
    item_id: str | None
    picks: tuple[str, ...]
    lists: Mapping[str, Response]
    moves: Mapping[str, tuple[Move, ...]]
    put_seconds: float
    list_seconds: Mapping[str, float]

    @property
    def seconds(self) -> float:
        """From the pick to the last of its lists."""
        return self.put_seconds + sum(self.list_seconds.values())


class PickGame:
    """One person's game: an anonymous session of its own, so that the games of two people never mix.

    Attributes:
        session_id: drawn at the start; nobody else has it.
        turns: all so far, the start first.
    """

    def __init__(self, recommenders: Mapping[str, Recommender], places: int = 10, event_type: str = ""):
        """Begin, with the lists of somebody of whom nothing is known.

        Args:
            recommenders: name to recommender, at least one, all of one dataset group and opened with live events.
            places: of every list.
            event_type: of a pick; "" takes one that counts for the first recommender, and there the usual one.

        Raises:
            ServingError: there is no recommender, they are of several groups, or have no live events.
        """
        self.recommenders, self.places = dict(recommenders), places
        self.live = _live_of(self.recommenders)
        self._like = _like(self.deployment, event_type)
        self._start = self.deployment.newest_time
        self.session_id = f"game/{secrets.token_hex(12)}"
        self._made = 0  # picks ever made, those taken back included
        self._picks: dict[str, str] = {}  # item to event id
        self.turns: list[Turn] = []
        self._turn(START, None, 0.0)

    @property
    def deployment(self) -> Deployment:
        """The first recommender's; its catalogue is the one that can be picked from."""
        return next(iter(self.recommenders.values())).deployment

    @property
    def now(self) -> Turn:
        """The newest turn."""
        return self.turns[-1]

    @property
    def picks(self) -> tuple[str, ...]:
        """Ids of what is picked, oldest first."""
        return tuple(self._picks)

    def pick(self, item_id: str) -> Turn:
        """Pick an item: a live event is stored, and all lists are made anew.

        Raises:
            ServingError: the item is not in the catalogue, or is picked already. A list cannot be made: then the pick
                is taken back.
        """
        if self.deployment.items.code_of(item_id) < 0:
            raise ServingError(f"There is no item {item_id!r} in the catalogue; pick one by its id.")
        if item_id in self._picks:
            raise ServingError(f"Item {item_id!r} is picked already; pick another, or undo it first.")
        self._made += 1
        at = min(self._start + STEP * self._made, int(time.time()))
        event = self._like | {"itemId": item_id, "sentAt": at, "eventId": f"{self.session_id}/{self._made}"}
        clock = time.perf_counter()
        self.live.put_events(self.session_id, [event])
        self._picks[item_id] = event["eventId"]
        try:
            return self._turn(PICK, item_id, time.perf_counter() - clock)
        except Exception:
            self.live.undo(self._picks.pop(item_id))
            raise

    def undo(self, item_id: str | None = None) -> Turn:
        """Take a pick back, the newest one if none is named; its event never counts again.

        Raises:
            ServingError: there is nothing to take back, or this item was not picked.
        """
        if not self._picks:
            raise ServingError("There is no pick to take back; pick something first.")
        item = self.picks[-1] if item_id is None else item_id
        if item not in self._picks:
            raise ServingError(f"Item {item!r} is not picked; picked are {', '.join(map(repr, self._picks))}.")
        clock = time.perf_counter()
        self.live.undo(self._picks.pop(item))
        return self._turn(UNDO, item, time.perf_counter() - clock)

    def clear(self) -> Turn:
        """Take all picks back in one turn: no event of the game counts any more, so the lists are the first ones."""
        clock = time.perf_counter()
        while self._picks:
            self.live.undo(self._picks.popitem()[1])
        return self._turn(CLEAR, None, time.perf_counter() - clock)

    def _turn(self, what: str, item_id: str | None, put_seconds: float) -> Turn:
        lists, seconds = {}, {}
        for name, recommender in self.recommenders.items():
            clock = time.perf_counter()
            lists[name] = recommender.recommend(
                user_id=self.session_id,
                num_results=self.places,
                explain=True,
                exclude_seen=True,
                exploration_weight=0.0,
            )
            seconds[name] = time.perf_counter() - clock
        before = self.turns[-1].lists if self.turns else lists
        moves = {name: changes(before[name].item_ids, each.item_ids, self.picks) for name, each in lists.items()}
        self.turns.append(Turn(what, item_id, self.picks, lists, moves, put_seconds, seconds))
        return self.now


def changes(before: Sequence[str], after: Sequence[str], picked: Sequence[str] = ()) -> tuple[Move, ...]:
    """What became of every item of two lists.

    Args:
        before, after: ids by place.
        picked: what leaves a list because it is picked.

    Returns:
        The items of `after` by place, then those that left, by the place that they had.
    """
    old = {item: place for place, item in enumerate(before, start=1)}
    new = {item: place for place, item in enumerate(after, start=1)}
    moves = [Move(item, _how(place, old.get(item)), place, old.get(item)) for item, place in new.items()]
    left = [
        Move(item, PICKED if item in picked else GONE, None, place) for item, place in old.items() if item not in new
    ]
    return (*moves, *left)


def _how(place: int, before: int | None) -> str:
    if before is None:
        return NEW
    return UP if place < before else DOWN if place > before else SAME


def _live_of(recommenders: Mapping[str, Recommender]) -> LiveEvents:
    if not recommenders:
        raise ServingError("A game needs at least one recommender; got none.")
    groups = {name: each.deployment.group for name, each in recommenders.items()}
    if len(set(groups.values())) > 1:
        told = ", ".join(f"{name} of {group}" for name, group in groups.items())
        raise ServingError(f"The recommenders are of several groups ({told}); a pick counts in one group alone.")
    for name, each in recommenders.items():
        if each.deployment.live is None:
            raise ServingError(f"{name} was opened without live events; open its campaign with live=True.")
    return next(iter(recommenders.values())).deployment.live


def _like(deployment: Deployment, event_type: str) -> dict[str, Any]:
    """Type and value of a pick's event, such that it counts as the stored ones do: the usual of both."""
    snapshot = deployment.snapshot
    columns = snapshot.users.log.columns
    types = columns.get(EVENT_TYPE, np.array([], dtype=object))
    if not event_type:
        counted = [
            each for each in types if each is not None and (each in snapshot.event_types or not snapshot.event_types)
        ]
        kinds, counts = np.unique(counted, return_counts=True)
        event_type = str(kinds[counts.argmax()]) if len(kinds) else next(iter(snapshot.event_types), USUAL)
    values = columns.get(EVENT_VALUE, np.array([]))
    known = values[np.isfinite(values)]
    if snapshot.event_value_threshold is not None:
        known = known[known >= snapshot.event_value_threshold]
    found = {"eventType": event_type}
    return found | {"eventValue": float(np.median(known))} if len(known) else found
