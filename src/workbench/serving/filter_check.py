"""Hold a filter against the columns there are: unknown ones, values of another kind, what a request cannot know."""

import re
from collections.abc import Collection, Iterable, Mapping

from workbench.columns import EVENT_TYPE
from workbench.errors import meant
from workbench.serving import filter_tree as tree
from workbench.serving.filter_errors import FilterTextError, quoted
from workbench.serving.filter_kinds import (
    BOOLEAN,
    CATEGORY,
    ID,
    NUMBER,
    TABLES,
    Columns,
    Fault,
    clash,
    operator_fault,
    value_fault,
)
from workbench.serving.filter_literals import CURRENT_ITEM
from workbench.serving.filter_rules import EVENTS, at, require_rules
from workbench.serving.tables import EntityTable, TextColumn

USES = {  # what a request asks for, and the target of filters for it
    "recommend": tree.ITEM_TARGET,
    "rank": tree.ITEM_TARGET,
    "related": tree.ITEM_TARGET,
    "users": tree.USER_TARGET,
    "actions": tree.ACTION_TARGET,
}
NAMED = 3  # unknown values that a notice names
SEARCHED = 2_000  # values among which the nearest is looked for
BEFORE_COLUMN = re.compile(r"\w+\s*\.\s*")
FIELD = re.compile(r"\w+\s*\.\s*\w+")


def check(
    filter: tree.Filter,
    tables: Mapping[str, EntityTable | None],
    event_columns: Collection[str],
    use: str,
    *,
    event_types: Iterable[str] | None = None,
) -> tuple[str, ...]:
    """Refuse a filter that cannot work with this data or this kind of request.

    Args:
        filter: what `parse` gave, or a tree made by hand.
        tables: "Items", "Users", "Actions" to their tables; None or absent where there is no such dataset.
        event_columns: columns of the events with items, or with actions for `use="actions"`; a mapping may say what
            each holds: "number", "boolean", "category" or "prose".
        use: "recommend", "rank", "related", "users" or "actions".
        event_types: the types there are events of; None leaves them unchecked.

    Returns:
        Notices: values and event types that do not occur, texts that are read as numbers.

    Raises:
        FilterError: an unknown dataset or column, a value of another kind, two datasets in one expression, a filter of
            another target, CurrentItem where there is none; the message shows the place.
        ValueError: `use` is none of the five.
    """
    if use not in USES:
        raise ValueError(f"use is {', '.join(USES)}, not {use!r}.{meant(use, USES)}")
    require_rules(filter)
    columns = Columns(tables, event_columns)
    known_types = None if event_types is None else sorted(set(event_types))
    notices = []
    for expression in filter.expressions:
        require_use(filter, expression, use)
        for condition in (*tree.conditions(expression.where), *expression.when):
            notices += checked(filter, condition, columns, use)
            if known_types is not None and condition.field.column == EVENT_TYPE and condition.field.dataset in EVENTS:
                notices += unknown_types(condition, known_types)
    return tuple(dict.fromkeys(notices))


def require_use(filter: tree.Filter, expression: tree.Expression, use: str) -> None:
    """A filter lists what the request asks for, and users that are listed are not asking."""
    first = tree.conditions(expression.where)[0]
    if expression.target != USES[use]:
        advice = f"Write {expression.action} {USES[use]} with conditions on that dataset."
        raise at(
            filter, first, f"{use!r} needs a filter of {USES[use]}, and this one is of {expression.target}.", advice
        )
    if use == "users" and expression.when:
        advice = "Test Users before IF, as in WHERE Users.AGE >= 18."
        raise at(filter, expression.when[0], "among many users there is no current user.", advice)


def checked(filter: tree.Filter, condition: tree.Condition, columns: Columns, use: str) -> list[str]:
    """The notices on one condition, an error when it cannot hold."""
    field = condition.field
    require_column(filter, condition, columns, field.dataset, field.column)
    kind = columns.kind(field.dataset, field.column)
    raise_fault(filter, condition, operator_fault(condition, kind))
    for value in condition.values:
        raise_fault(filter, condition, value_fault(condition, kind, value), value)
        if isinstance(value, tree.CurrentItem):
            if use != "related":
                advice = "Only requests for related items have one; compare with a value or a parameter ($NAME)."
                raise at(filter, condition, f"{use!r} has no current item.", advice)
            require_column(filter, condition, columns, CURRENT_ITEM, value.column)
            raise_fault(filter, condition, clash(field, kind, value, columns.kind(CURRENT_ITEM, value.column)))
    texts = [value.value for value in condition.values if isinstance(value, tree.Text)]
    if texts and kind in (NUMBER, BOOLEAN):
        return [
            f"{condition.field} holds {'numbers' if kind == NUMBER else 'true or false'}: {texts[0]!r} is read as one."
        ]
    if condition.operator in ("IN", "NOT IN", "=", "!=") and kind in (CATEGORY, ID):
        return unknown_values(condition, columns, texts)
    return []


def require_column(filter: tree.Filter, condition: tree.Condition, columns: Columns, dataset: str, column: str) -> None:
    """The dataset and the column are there."""
    source = TABLES.get(dataset, dataset)
    names = columns.names(dataset)
    if names is None:
        advice = f"Import a dataset of {source.lower()}, or leave the condition out."
        raise at(filter, condition, f"there is no dataset of {source.lower()}, so {dataset} has no columns.", advice)
    if column in names:
        return
    start, end = condition.span
    if dataset == CURRENT_ITEM:
        start = filter.text.lower().find(CURRENT_ITEM.lower(), start, end)
    before = BEFORE_COLUMN.match(filter.text, start) if end > start >= 0 else None
    advice = f"{meant(column[:60], names)} There are {', '.join(names[:30])}{' and others' if len(names) > 30 else ''}."
    problem = f"{dataset} has no column {quoted(column)}."
    if before is None:
        raise at(filter, condition, problem, advice.strip())
    raise FilterTextError(problem, filter.text, before.end(), before.end() + len(column), advice.strip())


def raise_fault(
    filter: tree.Filter, condition: tree.Condition, fault: Fault, value: tree.Operand | None = None
) -> None:
    """Raise what is wrong, under the value when it can be found in the text as it is spelled canonically."""
    if fault is None:
        return
    start, end = condition.span
    field = FIELD.match(filter.text, start, end) if value is not None else None
    whole = re.compile(rf"(?<!\w){re.escape(str(value))}(?!\w)")
    place = whole.search(filter.text, field.end(), end) if field else None
    if place is None:
        raise at(filter, condition, *fault)
    raise FilterTextError(fault[0], filter.text, *place.span(), fault[1])


def unknown_values(condition: tree.Condition, columns: Columns, texts: list[str]) -> list[str]:
    """Say which values no row holds: a slip, or one that is still to come."""
    field = condition.field
    table = columns.tables.get(TABLES.get(field.dataset, field.dataset))
    if table is None or not texts:
        return []
    column = columns.column(field.dataset, field.column)
    known = column.parts if isinstance(column, TextColumn) else table.positions
    whole = set() if column is None else set(column.vocabulary.tolist())
    absent = [text for text in dict.fromkeys(texts) if text not in known and text not in whole]
    return [not_held(f"No {field} is", text, known) for text in absent[:NAMED]] + and_others(absent, field)


def unknown_types(condition: tree.Condition, known: list[str]) -> list[str]:
    """Say which event types have no event; upper and lower case are the same."""
    folded = {each.casefold() for each in known}
    texts = [value.value for value in condition.values if isinstance(value, tree.Text)]
    absent = [text for text in dict.fromkeys(texts) if text.casefold() not in folded]
    said = [f"{not_held('No event is of type', text, known)} There are {', '.join(known)}." for text in absent[:NAMED]]
    return said + and_others(absent, condition.field)


def not_held(beginning: str, text: str, known: Collection[str]) -> str:
    """One value that does not occur, and the nearest that does."""
    return f"{beginning} {quoted(text)}.{meant(text[:60], known) if len(known) <= SEARCHED else ''}"


def and_others(absent: list[str], field: tree.Field) -> list[str]:
    """Count the values that are not named."""
    return [f"{len(absent) - NAMED:,} more values of {field} do not occur."] if len(absent) > NAMED else []
