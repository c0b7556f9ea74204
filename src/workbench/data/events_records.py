"""What live events look like once they are taken in, and what a call says about what it did."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.columns import INTERACTIONS

POWER = "power"
PROCESS = "process"
DURABILITY = {
    POWER: "on the disk before the call returns: survives a killed process and a power cut",
    PROCESS: "with the operating system before the call returns: survives a killed process, not a power cut",
}


@dataclass(frozen=True)
class Limits:
    """How much one call may bring. The defaults are Amazon Personalize's; every one can be raised.

    records: events, items, users or actions in one call.
    event_bytes: of one event, written as JSON in UTF-8.
    event_properties, item_properties, user_properties, action_properties, action_interaction_properties: characters
        of the JSON text of one record's properties.
    impression: item ids in one explicit impression.
    future: seconds that an event's time may lie ahead of this machine's clock.
    """

    records: int = 10
    event_bytes: int = 10_240
    event_properties: int = 1_024
    item_properties: int = 32_000
    user_properties: int = 24_000
    action_properties: int = 32_000
    action_interaction_properties: int = 1_024
    impression: int = 25
    future: int = 300

    def __post_init__(self):
        """Refuse limits that would take in nothing."""
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, int) or value < (name != "future"):
                raise ValueError(f"{name} must be a whole number of at least {int(name != 'future')}, not {value!r}")


@dataclass(frozen=True)
class PutResult:
    """What became of one call.

    stored: records that were new, or replaced one of the same id (items, users, actions).
    duplicates: events left out since their eventId was there before; the first one wins.
    undone: events left out since their eventId was undone before; an undone id never comes back.
    replaced: of those stored, how many replaced an earlier put of the same id.
    claimed: earlier anonymous events of the session that belong to the user now.
    event_ids: one for each event of the call, in its order; those without an eventId got one made of their content.
    position: sequence number of the newest thing that was stored, by this call or any other.
    durability: "power" or "process"; `DURABILITY` says what each means.
    """

    stored: int
    duplicates: int = 0
    undone: int = 0
    replaced: int = 0
    claimed: int = 0
    event_ids: tuple[str, ...] = ()
    position: int = 0
    durability: str = POWER


@dataclass(frozen=True, slots=True)
class LiveEvent:
    """One event as it was put.

    sequence: number of the event among everything that was ever put into the group, from 1.
    time: Unix epoch, whole seconds.
    user_id: None while nobody knows whose session it is.
    item_id: of an interaction; None where the event is about no item. Of an action interaction the action's id.
    properties: by column name.
    kind: "interactions" or "action_interactions".
    """

    sequence: int
    event_id: str
    session_id: str
    user_id: str | None
    item_id: str | None
    time: int
    event_type: str
    event_value: float | None = None
    recommendation_id: str | None = None
    impression: tuple[str, ...] = ()
    source: str | None = None
    properties: Mapping[str, str | float | bool | None] = field(default_factory=dict)
    kind: str = INTERACTIONS


@dataclass(frozen=True)
class Changes:
    """Who and what changed after a position.

    position: the newest sequence number; ask with it next time.
    users: whose events or attributes changed, by a put, an undo, or a session that became theirs.
    sessions: still anonymous ones with new or undone events.
    items, actions: ids that were put.
    """

    position: int
    users: frozenset[str] = frozenset()
    sessions: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()
    actions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Impressions:
    """How often items were shown and clicked.

    shown: item to the number of lists it stood in, clicked or ignored.
    clicked: item to the number of those lists in which somebody interacted with it; items without are left out.
    lists: how many lists that are.
    unknown: recommendationIds of events that no log knows, without an explicit impression: nothing counted for them.
    position: the newest sequence number counted; ask with it next time.
    undone: events up to the position asked from that were taken back since. Where there are any, earlier counts hold
        too much: count from 0 again.
    """

    shown: Mapping[str, int]
    clicked: Mapping[str, int]
    lists: int
    unknown: int
    position: int
    undone: int = 0
