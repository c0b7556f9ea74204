"""Conditions on columns: which rows match, worked out once per different value and not once per row.

A text field matches a value when it equals it or when one of the parts that | joins in it does; prose has no parts.
A comparison with a missing value is false, `!=` too; NOT IN, NOT LIKE and NOT CONTAINS say the contrary of IN, LIKE and
CONTAINS, so they are true of a missing value. IN, = and LIKE tell upper from lower case, CONTAINS does not.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from workbench.columns import SEPARATOR
from workbench.errors import FilterError
from workbench.serving.filter_operands import Wanted
from workbench.serving.filter_text import text_test, texts_like
from workbench.serving.filter_tree import TEXT_OPERATORS, And, Condition, Node, Not, Or
from workbench.serving.filter_values import number_of
from workbench.serving.tables import AnyColumn, EntityTable, NumberColumn, TextColumn

ORDER = {"<": np.less, "<=": np.less_equal, ">": np.greater, ">=": np.greater_equal}
_ALWAYS = (-np.inf, np.inf)
_ASCENDING: "WeakKeyDictionary[NumberColumn, np.ndarray]" = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class IdColumn:
    """The ids of a table as a column of text without parts.

    codes: (n,) int32 positions in the table, -1 where unknown.
    table: whose ids they are.
    """

    codes: np.ndarray
    table: EntityTable


Column = AnyColumn | IdColumn


def evaluate(node: Node, test: Callable[[Condition], np.ndarray | None]) -> np.ndarray | None:
    """Join the conditions of a tree.

    Args:
        node: the tree.
        test: gives (n,) bool for a condition, None where it is to be ignored.

    Returns:
        (n,) bool; None when all conditions are ignored.
    """
    if isinstance(node, Condition):
        return test(node)
    if isinstance(node, Not):
        inner = evaluate(node.part, test)
        return None if inner is None else ~inner
    parts = [found for part in node.parts if (found := evaluate(part, test)) is not None]
    if not parts:
        return None
    joined = parts[0] if len(parts) == 1 else (parts[0] & parts[1] if isinstance(node, And) else parts[0] | parts[1])
    for each in parts[2:]:
        if isinstance(node, Or):
            joined |= each
        else:
            joined &= each
    return joined


def matches(
    column: Column, condition: Condition, asked: Wanted, *, folded: bool = False, lenient: bool = False
) -> np.ndarray:
    """Which rows of a column fulfil a condition.

    Args:
        column: n values.
        condition: its operator counts, and its spelling in messages.
        asked: the values of its operands.
        folded: upper and lower case are the same, as in event types.
        lenient: text that spells a number is compared as one, other text with < compares as false; for columns whose
            type was not checked beforehand. Otherwise < on text is an error.

    Returns:
        (n,) bool.

    Raises:
        FilterError: the operator or a value does not suit the column's type.
    """
    operator = condition.operator
    if asked.star:
        return np.full(_length(column), operator == "IN")
    if isinstance(column, NumberColumn):
        return _of_numbers(column, condition, asked)
    if operator in ORDER:
        if not lenient:
            raise FilterError(
                f"{condition}: {condition.field} holds text{_example(column)}, and {operator} compares numbers. "
                "Use = or IN, or store the column as numbers."
            )
        return _ordered_text(column, condition, asked)
    found = _found(column, operator.removeprefix("NOT "), asked.texts, folded)
    if operator.startswith("NOT "):
        found = ~found
    elif operator == "!=":
        found = ~found if asked.texts else np.zeros_like(found)
        found[-1] = False
    return found.take(column.codes, mode="wrap")


def holds_until(column: Column, asked: Wanted) -> tuple[float, float]:
    """How far the time asked for may move before a comparison with a column of numbers can change.

    Returns:
        The greatest value of the column below that time and the smallest above it; the comparison comes out the same
        for all times strictly between them. Both the time itself when a value equals it: then it holds just there.
    """
    if asked.moment is None or not isinstance(column, NumberColumn):
        return _ALWAYS
    values, time = _ascending(column), float(asked.moment)
    left, right = np.searchsorted(values, time, side="left"), np.searchsorted(values, time, side="right")
    if left < right:
        return time, time
    return float(values[left - 1]) if left else -np.inf, float(values[left]) if left < len(values) else np.inf


def _ascending(column: NumberColumn) -> np.ndarray:
    """A column's different values, ascending; sorted once, since times are asked for again and again."""
    if column not in _ASCENDING:
        _ASCENDING[column] = np.unique(column.values[~np.isnan(column.values)])
    return _ASCENDING[column]


def _length(column: Column) -> int:
    return len(column.codes) if isinstance(column, IdColumn) else len(column)


def _of_numbers(column: NumberColumn, condition: Condition, asked: Wanted) -> np.ndarray:
    operator, values = condition.operator, column.values
    numbers = numbers_of(column, condition, asked)
    if operator in TEXT_OPERATORS:
        return np.full(len(values), operator.startswith("NOT "))
    if operator in ("IN", "NOT IN", "="):
        found = np.zeros(len(values), dtype=bool)
        if len(numbers) > 16:
            found = np.isin(values, numbers)
        else:
            for number in numbers:
                found |= values == number
        return ~found if operator == "NOT IN" else found
    if not len(numbers):
        return np.zeros(len(values), dtype=bool)
    if operator == "!=":
        return (values < numbers[0]) | (values > numbers[0])
    return ORDER[operator](values, numbers[0])


def numbers_of(column: NumberColumn, condition: Condition, asked: Wanted) -> list[float]:
    """The numbers that a condition on numbers asks for.

    Raises:
        FilterError: the operator is for text, or a value is no number. A column without any value takes everything.
    """
    if condition.operator in TEXT_OPERATORS and not np.isnan(column.values).all():
        raise FilterError(
            f"{condition}: {condition.field} holds numbers, and {condition.operator} looks into text. "
            "Compare with =, !=, <, <=, >, >= or IN."
        )
    numbers = []
    for text in asked.texts:
        number = number_of(text, column.boolean)
        if number is None and not np.isnan(column.values).all():
            kind = "true or false" if column.boolean else "numbers"
            raise FilterError(
                f"{condition} asks for {text[:60]!r}, and {condition.field} holds {kind}. "
                f"Give {'True, False, 1 or 0' if column.boolean else 'a number'}."
            )
        if number is not None:
            numbers.append(number)
    return list(dict.fromkeys(numbers))


def _found(column: TextColumn | IdColumn, operator: str, texts: Sequence[str], folded: bool) -> np.ndarray:
    """Which vocabulary entries match any of the texts, (v + 1,) bool; the last stands for a missing value."""
    vocabulary = column.table.ids if isinstance(column, IdColumn) else column.vocabulary
    found = np.zeros(len(vocabulary) + 1, dtype=bool)
    if operator in ("IN", "=", "!=") and not folded:
        for text in texts:
            found[_codes(column, vocabulary, text)] = True
        return found
    if isinstance(column, TextColumn) and not folded:
        found[:-1] = texts_like(column, operator, texts)
        return found
    test = text_test(operator, texts, isinstance(column, IdColumn) or column.textual, folded)
    found[:-1] = np.fromiter(map(test, vocabulary.tolist()), dtype=bool, count=len(vocabulary))
    return found


def _codes(column: TextColumn | IdColumn, vocabulary: np.ndarray, text: str) -> np.ndarray | list[int]:
    """The vocabulary entries that are this text, or have it as a part."""
    if isinstance(column, IdColumn):
        code = column.table.code_of(text)
        return [] if code < 0 else [code]
    parts = column.parts.get(text, [])
    if SEPARATOR not in text or column.textual:
        return parts
    return np.concatenate([np.asarray(parts, dtype=np.int64), np.flatnonzero(vocabulary == text)])


def _ordered_text(column: TextColumn | IdColumn, condition: Condition, asked: Wanted) -> np.ndarray:
    vocabulary = column.table.ids if isinstance(column, IdColumn) else column.vocabulary
    spelled = [number_of(str(text)) for text in vocabulary.tolist()]
    values = np.array([np.nan if each is None else each for each in [*spelled, None]], dtype=np.float64)
    return _of_numbers(NumberColumn(values), condition, asked)[column.codes]


def _example(column: TextColumn | IdColumn) -> str:
    vocabulary = column.table.ids if isinstance(column, IdColumn) else column.vocabulary
    return f" such as {vocabulary[0][:40]!r}" if len(vocabulary) else ""
