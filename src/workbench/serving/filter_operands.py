"""What a condition's operands stand for in one request: parameters, the time and the current item filled in."""

from collections.abc import Iterable
from dataclasses import dataclass

from workbench.columns import EVENT_TYPE, SEPARATOR
from workbench.errors import FilterError
from workbench.serving.filter_tree import (
    COMPARISONS,
    EXCLUDE,
    IN_OPERATORS,
    Boolean,
    Condition,
    CurrentItem,
    Expression,
    Now,
    Number,
    Placeholder,
    Star,
    Text,
    conditions,
)
from workbench.serving.filter_values import Given
from workbench.serving.tables import EntityTable, TextColumn

ANY = "*"
_SPELLINGS = {True: ("True", "true", "TRUE"), False: ("False", "false", "FALSE")}


@dataclass(frozen=True)
class Wanted:
    """The values that a condition asks for.

    texts: as text columns hold them; empty when the current item has no value.
    star: any value at all.
    moment: the time asked for, epoch seconds, when the operand is NOW() with or without an offset.
    """

    texts: tuple[str, ...] = ()
    star: bool = False
    moment: int | None = None


@dataclass(frozen=True)
class Moment:
    """What a request brings: parameter values, its time (epoch s), and the current item's code, if any."""

    given: Given
    now: int
    current_item: int | None = None
    items: EntityTable | None = None


def wanted(condition: Condition, moment: Moment) -> Wanted | None:
    """Resolve a condition's operands.

    Returns:
        The values asked for; None when the parameter is not given.

    Raises:
        FilterError: a comparison is given several values, or there is no current item.
    """
    first = condition.values[0]
    if isinstance(first, Placeholder):
        return _given(condition, first.name, moment.given)
    if first == Text(ANY) and any_event_type(condition):
        return Wanted(star=True)
    if isinstance(first, Star):
        return Wanted(star=True)
    if isinstance(first, CurrentItem):
        return Wanted(_current(condition, first.column, moment))
    if isinstance(first, Now) and len(condition.values) == 1:
        return Wanted((str(moment.now + first.offset),), moment=moment.now + first.offset)
    return Wanted(tuple(text for operand in condition.values for text in _texts(operand, moment)))


def placeholders(parts: Iterable[Condition]) -> tuple[str, ...]:
    """The parameters that conditions name, each once, in order."""
    names = (value.name for part in parts for value in part.values if isinstance(value, Placeholder))
    return tuple(dict.fromkeys(names))


def parameters(expression: Expression) -> tuple[str, ...]:
    """The parameters of a whole expression, its IF included."""
    return placeholders((*conditions(expression.where), *expression.when))


def require_given(expressions: Iterable[Expression], given: Given) -> None:
    """Refuse a request that leaves a parameter of an INCLUDE out.

    Raises:
        FilterError: names the parameters and the expression.
    """
    for expression in expressions:
        lacking = [name for name in parameters(expression) if name not in given]
        if lacking and expression.action != EXCLUDE:
            named = ", ".join(f"${name}" for name in lacking)
            raise FilterError(
                f"{named} {'is' if len(lacking) == 1 else 'are'} not given, and INCLUDE needs every parameter: "
                f"{expression}. Give it as a filter value, such as {{{lacking[0]!r}: '\"value\"'}}."
            )


def ignored(expressions: Iterable[Expression], given: Given) -> tuple[str, ...]:
    """Say what a request without some parameters of its EXCLUDEs leaves out."""
    said = []
    for expression in expressions:
        if expression.action != EXCLUDE:
            continue
        for condition in expression.when:
            for name in placeholders([condition]):
                if name not in given:
                    said.append(f"${name} is not given, so this expression is ignored: {expression}")
        for condition in conditions(expression.where):
            for name in placeholders([condition]):
                if name not in given:
                    said.append(f"${name} is not given, so this condition is ignored: {condition}")
    return tuple(dict.fromkeys(said))


def _given(condition: Condition, name: str, given: Given) -> Wanted | None:
    texts = given.get(name)
    if texts is None:
        return None
    if condition.operator in COMPARISONS and len(texts) != 1:
        raise FilterError(
            f"${name} is given {len(texts)} values ({', '.join(texts)[:60]}), and {condition} compares with one. "
            f"Give one value, or write {condition.field} IN (${name})."
        )
    if texts == (ANY,) and any_event_type(condition):
        return Wanted(star=True)
    return Wanted(texts)


def any_event_type(condition: Condition) -> bool:
    """Whether "*" as a value of this condition means any event type, as Star does."""
    return condition.operator in IN_OPERATORS and condition.field.column == EVENT_TYPE


def _texts(operand: object, moment: Moment) -> tuple[str, ...]:
    if isinstance(operand, Number):
        return (operand.text,)
    if isinstance(operand, Text):
        return (operand.value,)
    if isinstance(operand, Boolean):
        return _SPELLINGS[operand.value]
    if isinstance(operand, Now):
        return (str(moment.now + operand.offset),)
    raise FilterError(f"{operand} stands alone in a condition, not among several values.")


def _current(condition: Condition, column: str, moment: Moment) -> tuple[str, ...]:
    """The current item's value; after IN each of its parts, since several are joined with |."""
    if moment.current_item is None or moment.items is None:
        raise FilterError(
            f"{condition} needs the current item, which only a request for related items has. "
            "Ask for related items, or use another filter."
        )
    held = moment.items.columns.get(column)
    value = None if held is None or moment.current_item < 0 else held.value(moment.current_item)
    if value is None:
        return ()
    if not isinstance(value, str):
        return _SPELLINGS[value] if isinstance(value, bool) else (repr(float(value)),)
    prose = isinstance(held, TextColumn) and held.textual
    if prose or condition.operator in COMPARISONS:
        return (value,)
    return tuple(part for part in value.split(SEPARATOR) if part) or (value,)
