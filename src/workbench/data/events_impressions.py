"""How often items were shown and clicked, from explicit impressions and from lists that events refer to.

A recommendationId is one showing, whatever the number of events that carry it; an event with an explicit impression and
no recommendationId is one showing too. What was shown is the first explicit impression of the showing, else the list
that the log knows under the id. An item is clicked when any event of the showing is about it; the others were ignored.
A list that no event ever refers to does not count: nobody knows whether it was seen.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from workbench.data.events_recommendations import RecommendationLog
from workbench.data.events_records import Impressions
from workbench.data.events_store import EventStore

NEW = """
SELECT event_id, recommendation_id, impression, entity FROM event
WHERE seq > ? AND kind = 0 AND undone = 0 AND (recommendation_id IS NOT NULL OR impression IS NOT NULL) ORDER BY seq
"""
EARLIER = """
SELECT impression, entity FROM event
WHERE recommendation_id = ? AND seq <= ? AND kind = 0 AND undone = 0 ORDER BY seq
"""
UNDONE = """
SELECT count(DISTINCT event.seq) FROM amendment JOIN event ON event.seq = amendment.event
WHERE amendment.seq > ?1 AND event.seq <= ?1 AND kind = 0 AND undone = 1
    AND (recommendation_id IS NOT NULL OR impression IS NOT NULL)
"""


@dataclass
class Showing:
    """Events of one showing, before and after the position asked for: (impression, item) each."""

    before: list[tuple[str | None, str | None]] = field(default_factory=list)
    after: list[tuple[str | None, str | None]] = field(default_factory=list)


def count_impressions(store: EventStore, log: RecommendationLog, after: int) -> Impressions:
    """Count the showings and clicks that came after a position.

    Counts add up: those after 0 are those up to a position plus those after it, as long as nothing is undone;
    `Impressions.undone` says when something was.
    """
    named: dict[str, Showing] = {}
    unnamed: list[Showing] = []
    with store.reading() as connection:
        position = connection.execute("SELECT n FROM sequence").fetchone()[0]
        undone = connection.execute(UNDONE, (after,)).fetchone()[0] if after else 0
        for _, recommendation_id, impression, item in connection.execute(NEW, (after,)):
            if recommendation_id is None:
                unnamed.append(Showing(after=[(impression, item)]))
            else:
                named.setdefault(recommendation_id, Showing()).after.append((impression, item))
        for id_, showing in named.items() if after else ():
            showing.before = connection.execute(EARLIER, (id_, after)).fetchall()
    lists = {id_: each.items for id_, each in log.get_many(named).items()}
    return replace(_count(named, unnamed, lists, position), undone=undone)


def _count(
    named: Mapping[str, Showing], unnamed: Sequence[Showing], lists: Mapping[str, tuple[str, ...]], position: int
) -> Impressions:
    shown: Counter[str] = Counter()
    clicked: Counter[str] = Counter()
    count = unknown = 0
    for logged, showing in [*((lists.get(id_, ()), each) for id_, each in named.items()), *(((), x) for x in unnamed)]:
        items = set(_explicit([*showing.before, *showing.after]) or logged)
        counted = bool(showing.before) and bool(_explicit(showing.before) or logged)
        if not items:
            unknown += not showing.before
        elif not counted:
            count += 1
            shown.update(items)
        old = {item for _, item in showing.before} if counted else set()
        every = {item for _, item in [*showing.before, *showing.after]}
        clicked.update((every & items) - old)
    return Impressions(dict(shown), dict(clicked), count, unknown, position)


def _explicit(events: Sequence[tuple[str | None, str | None]]) -> list[str]:
    """The items of the first explicit impression."""
    return next((impression.split("|") for impression, _ in events if impression), [])
