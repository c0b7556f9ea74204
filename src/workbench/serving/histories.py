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


def log_of(states: Sequence[UserState]) -> EventLog:
    """The events of many users, one user after the other, oldest first.

    Args:
        states: all with the same columns of events.

    Returns:
        One log; its `users` are positions in `states`.
    """
    logs = [state.events for state in states]
    full = [log for log in logs if len(log)] or [EventLog.empty()]
    return EventLog(
        np.concatenate([log.entities for log in full]),
        np.concatenate([log.times for log in full]),
        {name: np.concatenate([log.columns[name] for log in full]) for name in full[0].columns},
        np.repeat(np.arange(len(logs), dtype=np.int32), [len(log) for log in logs]),
    )


def histories_of(
    states: Sequence[UserState],
    log: EventLog,
    counts: Counts,
    contexts: Sequence[Mapping[str, Any]] | None = None,
) -> Histories:
    """Many users' histories, in their order; each row is what `history_of` gives.

    Args:
        states: the users.
        log: `log_of` them.
        counts: says which events count.
        contexts: one a user, all with the same columns; None where none came.
    """
    kept = counts(log) if len(log) else np.zeros(0, dtype=bool)
    lengths = np.bincount(log.users[kept], minlength=len(states))
    asked = {} if not contexts else {name: _objects([each[name] for each in contexts]) for name in contexts[0]}
    return Histories(
        user_ids=_objects([state.user_id for state in states]),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=log.entities[kept],
        times=log.times[kept],
        columns={name: values[kept] for name, values in log.columns.items()},
        unknown=int(len(log) - kept.sum()),
        context=asked,
    )


def _objects(values: Sequence[Any]) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array
