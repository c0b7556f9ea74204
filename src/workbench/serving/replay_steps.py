"""What a replay of live events leaves behind: its steps with the lists before and after, and items put meanwhile."""

from dataclasses import dataclass

from workbench.serving.picks import Move
from workbench.serving.responses import Response

EVENT, UNDO = "event", "undo"


@dataclass(frozen=True)
class Step:
    """One event that was put or undone, and the list of whom it concerns, before and after.

    number: from 1. what: "event" or "undo". item_id: of the event. at: its time, epoch s.
    gap: seconds on the events' clock since the event before, 0 for the first and for an undo.
    user_id: of whom the event is; asked_for: whose list it is, a session's while nobody knows the user.
    signed_in: the session named its user with this event; claimed: so many earlier events became the user's with it.
    before, after: the lists. moves: what became of every item of both.
    stored_seconds: until the event was stored; list_seconds: until the new list was there, both from the put and
        without the reasons, which are written afterwards.
    elsewhere_seconds: the same for the list that another process made; same_elsewhere: whether it has the same items.
        Both None where no other process looks on.
    """

    number: int
    what: str
    item_id: str
    at: int
    gap: int
    user_id: str
    asked_for: str
    signed_in: bool
    claimed: int
    before: Response
    after: Response
    moves: tuple[Move, ...]
    stored_seconds: float
    list_seconds: float
    elsewhere_seconds: float | None = None
    same_elsewhere: bool | None = None


@dataclass(frozen=True)
class NewItem:
    """An item that was put live.

    place: by relevance for somebody, None beyond place 500; score: None where the recipe gives none.
    before: whether the catalogue had it before the put.
    ready_seconds: from the put until requests of this process can list it; elsewhere_seconds: of another process.
    explored: the list of the same person with as much exploration as there can be.
    """

    item_id: str
    asked_for: str
    place: int | None
    score: float | None
    before: bool
    ready_seconds: float
    elsewhere_seconds: float | None
    explored: Response
