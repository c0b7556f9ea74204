"""Users' states as the histories that a recipe scores: the events that count, of items that it knows."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.recipes.contract import Histories
from workbench.serving.tables import EventLog, UserState

Counts = Callable[
    [EventLog], np.ndarray
]  # which events of a log count as interest, such as `Snapshot.counts_as_interest`


def history_of(state: UserState, counts: Counts, context: Mapping[str, Any] | None = None) -> Histories:
    """One user's history.

    Args:
        state: with events oldest first.
        counts: says which of them count.
        context: column of the interactions to its value now, for one that comes with the request.

    Returns:
        Exactly one row.
    """
    events = state.events
    kept = counts(events)
    items, times, columns = events.entities, events.times, events.columns
    if not kept.all():
        items, times = items[kept], times[kept]
        columns = {name: values[kept] for name, values in columns.items()}
    return Histories(
        user_ids=_objects([state.user_id]),
        offsets=np.array([0, len(items)], dtype=np.int64),
        items=items,
        times=times,
        columns=dict(columns),
        unknown=len(events) - len(items),
        context={name: _objects([value]) for name, value in (context or {}).items()},
    )


def histories_of(
    states: Sequence[UserState], counts: Counts, contexts: Sequence[Mapping[str, Any]] | None = None
) -> Histories:
    """Many users' histories, in their order; each row is what `history_of` gives.

    Args:
        states: at least one, all with the same columns of events.
        counts: says which events count.
        contexts: one a user, all with the same columns; None where none came.
    """
    logs = [state.events for state in states]
    lengths = np.array([len(log) for log in logs], dtype=np.int64)
    names = next((tuple(log.columns) for log in logs if len(log)), ())
    full = [log for log in logs if len(log)] or [EventLog.empty()]
    together = EventLog(
        np.concatenate([log.entities for log in full]),
        np.concatenate([log.times for log in full]),
        {name: np.concatenate([log.columns[name] for log in full]) for name in names},
    )
    kept = counts(together) if len(together) else np.zeros(0, dtype=bool)
    before = np.concatenate([[0], np.cumsum(kept)])
    ends = np.cumsum(lengths)
    asked = {} if contexts is None else {name: _objects([each[name] for each in contexts]) for name in contexts[0]}
    return Histories(
        user_ids=_objects([state.user_id for state in states]),
        offsets=np.concatenate([[0], before[ends]]).astype(np.int64),
        items=together.entities[kept],
        times=together.times[kept],
        columns={name: values[kept] for name, values in together.columns.items()},
        unknown=int(len(kept) - before[-1]),
        context=asked,
    )


def _objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
