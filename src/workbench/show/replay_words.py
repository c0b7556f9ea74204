"""A replay of live events in words and tables: who did what when, how the lists followed, and how soon."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

from workbench.data.events_records import DURABILITY
from workbench.serving.picks import DOWN, GONE, NEW, PICKED, UP
from workbench.serving.replay_steps import UNDO, NewItem, Step
from workbench.serving.tables import EntityTable
from workbench.show.lists import title_of
from workbench.show.tables import shorten

LONG = 60  # characters of a title
STORED, HERE, ELSEWHERE = "event stored", "new list, same process", "new list, another process"
UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def clock(at: int) -> str:
    """A time of the events' clock, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def span(seconds: int) -> str:
    """Such as "3 days", "1 minute": the largest unit that fits, rounded down."""
    size, name = next((each for each in UNITS if abs(seconds) >= each[0]), UNITS[-1])
    count = seconds // size
    return f"{count:,} {name}{'' if count == 1 else 's'}"


def who(step: Step) -> str:
    """Whose list it is: a user, or somebody of whom only the session is known."""
    if step.asked_for != step.user_id:
        return f"somebody unknown, session {shorten(step.asked_for, LONG)}"
    return f"user {shorten(step.user_id, LONG)}"


def step_sentence(step: Step, items: EntityTable) -> str:
    """What happened, when, how the list changed and how long that took."""
    title = shorten(title_of(items, step.item_id), LONG)
    did = f"{who(step)} takes {title} back"
    told = did if step.what == UNDO else f"{clock(step.at)} UTC, {who(step)}: {title}"
    if step.signed_in:
        told += f"; the session signs in, and {step.claimed} earlier event(s) are the user's at once"
    elsewhere = "" if step.elsewhere_seconds is None else f", {1000 * step.elsewhere_seconds:.1f} ms in another process"
    return f"Step {step.number}. {told}. {_changed(step)}. New list after {1000 * step.list_seconds:.1f} ms{elsewhere}."


def steps_table(steps: Sequence[Step], items: EntityTable) -> pd.DataFrame:
    """A row for every step: STEP, CLOCK_UTC, SINCE, WHO, WHAT; NEW, UP, DOWN, LEFT in items; milliseconds."""
    rows = []
    for step in steps:
        how = [each.how for each in step.moves]
        counts = {"NEW": how.count(NEW), "UP": how.count(UP), "DOWN": how.count(DOWN)}
        rows.append(
            {
                "STEP": step.number,
                "CLOCK_UTC": clock(step.at),
                "SINCE": span(step.gap),
                "WHO": who(step) + (", signs in" if step.signed_in else ""),
                "WHAT": f"{'takes back ' * (step.what == UNDO)}{shorten(title_of(items, step.item_id), LONG)}",
                **counts,
                "LEFT": how.count(GONE) + how.count(PICKED),
                "LIST_MS": round(1000 * step.list_seconds, 1),
            }
        )
    return pd.DataFrame(rows)


def latencies(steps: Sequence[Step]) -> dict[str, list[float]]:
    """Milliseconds from the put by what was waited for; another process only where one looked on."""
    found = {
        STORED: [1000 * each.stored_seconds for each in steps],
        HERE: [1000 * each.list_seconds for each in steps],
        ELSEWHERE: [1000 * each.elsewhere_seconds for each in steps if each.elsewhere_seconds is not None],
    }
    return {name: values for name, values in found.items() if values}


def latency_table(steps: Sequence[Step]) -> pd.DataFrame:
    """UNTIL, EVENTS, and MEDIAN_MS, P95_MS, LONGEST_MS of the milliseconds from the put."""
    rows = [
        (name, len(values), *(round(float(each), 2) for each in (*np.quantile(values, [0.5, 0.95]), max(values))))
        for name, values in latencies(steps).items()
    ]
    return pd.DataFrame(rows, columns=["UNTIL", "EVENTS", "MEDIAN_MS", "P95_MS", "LONGEST_MS"])


def places_table(steps: Sequence[Step], items: EntityTable) -> pd.DataFrame:
    """Every place of one person's list, before the first of the steps and after each: as `charts.picks` draws it."""
    turns = [("before", steps[0].before)]
    turns += [(_turn(each, items), each.after) for each in steps]
    rows = [
        (number, name, each.item_id, title_of(items, each.item_id), each.position)
        for number, (name, response) in enumerate(turns)
        for each in response.items
    ]
    return pd.DataFrame(rows, columns=["TURN", "TURN_NAME", "ITEM_ID", "FILM", "PLACE"])


def new_item_sentence(new: NewItem, items: EntityTable) -> str:
    """When a new item could be recommended, and where it stands."""
    place = f"place {new.place:,} by relevance" if new.place else "beyond the places looked through by relevance"
    explored = new.item_id in new.explored.item_ids
    at = f"place {new.explored.item_ids.index(new.item_id) + 1}" if explored else "not"
    elsewhere = "" if new.elsewhere_seconds is None else f", after {1000 * new.elsewhere_seconds:.0f} ms in another one"
    title = shorten(title_of(items, new.item_id), LONG)
    return (
        f"{title} could be recommended {1000 * new.ready_seconds:.0f} ms after the put{elsewhere}. "
        f"For user {new.asked_for} it stands at {place}, and {at} in the list that explores."
    )


def durability_sentence(durability: str) -> str:
    """What an acknowledged event survives."""
    return f'Durability "{durability}": {DURABILITY[durability]}.'


def headline(steps: Sequence[Step]) -> list[dict[str, Any]]:
    """The numbers for the report's first page."""
    table = latency_table(steps).set_index("UNTIL")
    until = ELSEWHERE if ELSEWHERE in table.index else HERE
    found = [
        {"name": f"event put until {name}, median", "value": float(table.loc[name, "MEDIAN_MS"]), "unit": "ms"}
        for name in dict.fromkeys([HERE, until])
    ]
    changed = float(np.mean([any(move.how != "same" for move in each.moves) for each in steps]))
    return [*found, {"name": "events that changed the list", "value": changed, "note": f"of {len(steps)}"}]


def reading(steps: Sequence[Step], new: NewItem) -> str:
    """Three sentences about the replay."""
    table = latency_table(steps).set_index("UNTIL")
    changed = sum(any(move.how != "same" for move in each.moves) for each in steps)
    arrived = np.mean([sum(move.how == NEW for move in each.moves) for each in steps])
    longest = table["LONGEST_MS"].max()
    said = f"{changed} of {len(steps)} steps changed the list that followed, by {arrived:.1f} new items on average. "
    said += f"The slowest new list was there {longest:.0f} ms after its put; lists need no training to follow people. "
    return said + f"A new item could be recommended after {1000 * new.ready_seconds:.0f} ms."


def _turn(step: Step, items: EntityTable) -> str:
    what = "takes back" if step.what == UNDO else "signs in:" if step.signed_in else "+"
    return f"{what} {shorten(title_of(items, step.item_id), 22)}"


def _changed(step: Step) -> str:
    how = [each.how for each in step.moves]
    left = how.count(GONE) + how.count(PICKED)
    if not any(each != "same" for each in how):
        return "The list stays as it is"
    return f"{how.count(NEW)} new, {how.count(UP)} up, {how.count(DOWN)} down, {left} left"
