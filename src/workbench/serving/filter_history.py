"""Conditions on events: which of a log's events match, and so which items, actions or users."""

from collections.abc import Callable

import numpy as np

from workbench.columns import ACTION_ID, EVENT_TYPE, ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import FilterError
from workbench.serving.filter_columns import Column, IdColumn, evaluate, matches
from workbench.serving.filter_operands import Moment, wanted
from workbench.serving.filter_tree import Condition, Node
from workbench.serving.tables import EntityTable, EventLog, NumberColumn, TextColumn, text_array


def matching_events(
    where: Node, log: EventLog, moment: Moment, entities: EntityTable | None, users: EntityTable | None = None
) -> np.ndarray | None:
    """Which events fulfil all of an expression's conditions, each event by itself.

    Args:
        where: conditions on Interactions or Action_Interactions.
        log: m events.
        moment: parameter values and time of the request.
        entities: the table whose codes are the log's entities.
        users: the table whose codes are the log's users, for logs of many users.

    Returns:
        (m,) bool; None when all conditions are ignored.
    """
    return evaluate(where, event_test(log, moment, entities, users))


def event_test(
    log: EventLog, moment: Moment, entities: EntityTable | None, users: EntityTable | None = None
) -> Callable[[Condition], np.ndarray | None]:
    """A function that gives (m,) bool for one condition on the events of a log."""
    columns: dict[str, Column] = {}

    def test(condition: Condition) -> np.ndarray | None:
        asked = wanted(condition, moment)
        if asked is None:
            return None
        if asked.star:
            return np.full(len(log), condition.operator == "IN")
        name = condition.field.column
        if name not in columns:
            columns[name] = event_column(log, name, entities, users)
        return matches(columns[name], condition, asked, folded=name == EVENT_TYPE, lenient=True)

    return test


def event_column(log: EventLog, name: str, entities: EntityTable | None, users: EntityTable | None = None) -> Column:
    """A column of a log; one that it does not have is missing in every event."""
    if name in log.columns:
        return _typed(log.columns[name])
    if name == TIMESTAMP:
        return NumberColumn(log.times.astype(np.float64))
    if name in (ITEM_ID, ACTION_ID):
        if entities is None:
            raise FilterError(f"A condition on {name} of many users' events needs the table of items; give items=.")
        return IdColumn(log.entities, entities)
    if name == USER_ID and users is not None and log.users is not None:
        return IdColumn(log.users, users)
    return TextColumn(np.full(len(log), -1, dtype=np.int32), text_array([]))


def known_codes(codes: np.ndarray) -> np.ndarray:
    """Codes without those of unknown entities."""
    return codes[codes >= 0]


def _typed(values: np.ndarray | Column) -> Column:
    """An array of a log as a column: texts once each, in a vocabulary."""
    if not isinstance(values, np.ndarray):
        return values
    if values.dtype != object:
        return NumberColumn(values.astype(np.float64), boolean=values.dtype == bool)
    listed = values.tolist()
    different = dict.fromkeys(listed)
    texts = text_array(dict.fromkeys(str(each) for each in different if not _missing(each)))
    position = {text: code for code, text in enumerate(texts.tolist())}
    code_of = {each: -1 if _missing(each) else position[str(each)] for each in different}
    codes = np.fromiter(map(code_of.__getitem__, listed), dtype=np.int32, count=len(listed))
    return TextColumn(codes, texts)


def _missing(value: object) -> bool:
    return value is None or value != value
