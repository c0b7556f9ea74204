"""An expression of a filter made ready: what it reads, whether it suits a table, and whether it applies to a user."""

from dataclasses import dataclass

import numpy as np

from workbench.columns import ACTION_ID, ITEM_ID, USER_ID
from workbench.errors import FilterError, nearest
from workbench.serving.filter_columns import ORDER, Column, IdColumn, matches, numbers_of
from workbench.serving.filter_operands import Moment, Wanted, parameters, wanted
from workbench.serving.filter_tree import (
    ACTION_INTERACTIONS,
    ACTION_TARGET,
    ACTIONS,
    INCLUDE,
    INTERACTIONS,
    ITEM_TARGET,
    ITEMS,
    USER_TARGET,
    USERS,
    Condition,
    CurrentItem,
    Expression,
    Filter,
    Now,
    Placeholder,
    Star,
    conditions,
)
from workbench.serving.tables import EntityTable, NumberColumn, TextColumn, UserState, Value, text_array

ATTRIBUTES = {ITEM_TARGET: ITEMS, USER_TARGET: USERS, ACTION_TARGET: ACTIONS}
EVENTS = {ITEM_TARGET: INTERACTIONS, USER_TARGET: INTERACTIONS, ACTION_TARGET: ACTION_INTERACTIONS}
IDS = {ITEMS: ITEM_ID, USERS: USER_ID, ACTIONS: ACTION_ID}


@dataclass(frozen=True)
class ReadyExpression:
    """One expression of a filter.

    expression: the expression itself.
    include: whether it is an INCLUDE.
    on_events: whether its conditions are on events, not on attributes.
    parameters: its parameters, those of its IF included.
    of_item: whether its conditions ask for the current item.
    """

    expression: Expression
    include: bool
    on_events: bool
    parameters: tuple[str, ...]
    of_item: bool

    def applies(self, user: UserState | None, moment: Moment) -> bool:
        """Whether the IF holds for a user; nothing is known of None. A parameter not given in an IF: it does not."""
        return all(holds(condition, user, moment) for condition in self.expression.when)


def holds(condition: Condition, user: UserState | None, moment: Moment) -> bool:
    """Whether a condition of an IF holds for a user."""
    asked = wanted(condition, moment)
    if asked is None:
        return False
    return bool(matches(attribute(user, condition.field.column), condition, asked, lenient=True)[0])


def ready_expressions(filter: Filter, table: EntityTable) -> tuple[ReadyExpression, ...]:
    """Make a filter's expressions ready for a table.

    Raises:
        FilterError: a target, dataset, column or value does not suit the table.
    """
    return tuple(_ready(expression, table) for expression in filter.expressions)


def attribute(user: UserState | None, name: str) -> Column:
    """What is known of a user, as a column of one row."""
    value: Value = None if user is None else user.user_id if name == USER_ID else user.attributes.get(name)
    if isinstance(value, str):
        return TextColumn(np.zeros(1, dtype=np.int32), text_array([value]))
    number = np.nan if value is None else float(value)
    return NumberColumn(np.array([number]), boolean=isinstance(value, bool | np.bool_))


def user_column(users: EntityTable, name: str) -> Column:
    """What is known of all users in one column; missing in all of them when the table does not have it."""
    if name in (*users.columns, USER_ID):
        return attribute_column(users, name)
    return NumberColumn(np.full(len(users), np.nan))


def attribute_column(table: EntityTable, name: str) -> Column:
    """A column of a table; its ids count as one.

    Raises:
        FilterError: there is none of this name.
    """
    if name in table.columns:
        return table.columns[name]
    if name == IDS[table.kind]:
        return IdColumn(np.arange(len(table), dtype=np.int32), table)
    known = (*table.columns, IDS[table.kind])
    raise FilterError(f"{table.kind} has no column {name!r}.{nearest(name, known)}")


def _ready(expression: Expression, table: EntityTable) -> ReadyExpression:
    target = expression.target
    if ATTRIBUTES.get(target) != table.kind:
        raise FilterError(f"{expression} filters {target}, and the table holds {table.kind}; use a filter of its kind.")
    if target == USER_TARGET and expression.when:
        raise FilterError(f"{expression}: IF asks about the current user, and there is none when users are listed.")
    parts = conditions(expression.where)
    datasets = {part.field.dataset for part in parts}
    allowed = (ATTRIBUTES[target], EVENTS[target])
    if len(datasets) != 1 or not datasets <= set(allowed):
        raise FilterError(
            f"{expression} reads {' and '.join(sorted(datasets))}; conditions after {target} WHERE are all on "
            f"{allowed[0]} or all on {allowed[1]}. Join expressions on different datasets with |."
        )
    for part in parts:
        _require_columns(part, table)
    asks = any(isinstance(value, CurrentItem) for part in parts for value in part.values)
    on_events = datasets == {EVENTS[target]}
    return ReadyExpression(expression, expression.action == INCLUDE, on_events, parameters(expression), asks)


def _require_columns(condition: Condition, table: EntityTable) -> None:
    """Refuse columns that are not there, and operators and values that do not suit their type."""
    for value in condition.values:
        if isinstance(value, CurrentItem):
            attribute_column(table, value.column)
    if condition.field.dataset != table.kind:
        return
    column = attribute_column(table, condition.field.column)
    literal = not any(isinstance(value, Placeholder | CurrentItem | Star | Now) for value in condition.values)
    asked = wanted(condition, Moment({}, 0)) if literal else Wanted()
    if isinstance(column, NumberColumn):
        numbers_of(column, condition, asked or Wanted())
    elif condition.operator in ORDER:
        matches(column, condition, Wanted())  # says what is wrong
