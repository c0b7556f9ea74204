"""Whether Amazon Personalize would take a filter, and every reason why not.

Its limits and elements: developer guide, filter expressions and quotas; where it is silent, it is said in `cautions`.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from workbench.columns import TIMESTAMP
from workbench.serving import filter_tree as tree
from workbench.serving.filter_errors import shortened
from workbench.serving.filter_kinds import BOOLEAN, ORDERED, PROSE, TABLES, Columns
from workbench.serving.filter_literals import CURRENT_ITEM
from workbench.serving.filter_rules import EVENTS
from workbench.serving.tables import EntityTable

MOST_CHARACTERS = 2_500
MOST_FIELDS = 5  # different ones in one filter
MOST_FILTERS = 10  # in a dataset group; can be raised on request
MOST_GROUP_FIELDS = 10  # different ones in all filters of a group
MOST_PARAMETERS = 25
LONGEST_PARAMETER = 50  # characters of its name
BRACKETS = re.compile(r"\((?=\s*(?:\(|not\b|\w+\s*\.\s*\w+\s*(?:[<>=!≤≥≠]|not\b|in\b|like\b|contains\b)))", re.I)
QUOTED = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'""", re.S)


@dataclass(frozen=True)
class Portability:
    """Whether Personalize would take a filter.

    Attributes:
        accepted: whether it would.
        reasons: why not; () when it would.
        cautions: what it would take but does not document, so that it may mean something else there.
        text: the spelling to give to Personalize: canonical, without what was only written differently.
    """

    accepted: bool
    reasons: tuple[str, ...]
    cautions: tuple[str, ...]
    text: str


def portable(
    filter: tree.Filter,
    others: Sequence[tree.Filter] = (),
    tables: Mapping[str, EntityTable | None] | None = None,
) -> Portability:
    """Say whether Amazon Personalize would take a filter as it is, and every reason why not.

    Args:
        filter: what `parse` gave.
        others: the other filters of the same dataset group, which share its limits.
        tables: "Items", "Users", "Actions" to their tables; with them, columns of long text and of true or false are
            found out.
    """
    every = all_conditions(filter)
    reasons = [*too_long(filter), *operators(every), *structure(filter), *parameters(every), *group(filter, others)]
    if tables is not None:
        reasons += columns(every, Columns(tables, ()))
    found = tuple(dict.fromkeys(reasons))
    return Portability(not found, found, tuple(dict.fromkeys(cautions(filter, every))), str(filter))


def all_conditions(filter: tree.Filter) -> list[tree.Condition]:
    """The conditions of all expressions, those after IF included."""
    return [each for part in filter.expressions for each in (*tree.conditions(part.where), *part.when)]


def too_long(filter: tree.Filter) -> list[str]:
    """The filter's length as it was written."""
    if len(filter.text) <= MOST_CHARACTERS:
        return []
    said = f"It has {len(filter.text):,} characters, and {MOST_CHARACTERS:,} are allowed."
    shortest = len(str(filter))
    return [said if shortest > MOST_CHARACTERS else f"{said} Spelled canonically it has {shortest:,}."]


def operators(every: list[tree.Condition]) -> list[str]:
    """Operators and values that only exist here."""
    return [f"{each}: {shortened(str(condition))}." for condition in every for each in extensions(condition)]


def extensions(condition: tree.Condition) -> list[str]:
    """What of one condition only exists here."""
    found = []
    if condition.operator == "!=":
        found.append("There is no !=; NOT IN is the nearest")
    if condition.operator in tree.TEXT_OPERATORS:
        found.append(f"There is no {condition.operator}")
    if any(isinstance(value, tree.Now) for value in condition.values):
        found.append("There is no NOW(); give the time as a parameter")
    if any(isinstance(value, tree.Boolean) for value in condition.values):
        found.append('There is no TRUE or FALSE without quotes; store "True" and "False" as text')
    if condition.field.dataset in EVENTS and condition.field.column == TIMESTAMP:
        found.append("Events are not filtered by their time")
    return found


def structure(filter: tree.Filter) -> list[str]:
    """NOT and brackets."""
    reasons = []
    for expression in filter.expressions:
        waiting, nots, groups = [expression.where], False, False
        while waiting:
            node = waiting.pop()
            if isinstance(node, tree.Not):
                nots, groups = True, groups or not isinstance(node.part, tree.Condition | tree.Not)
                waiting.append(node.part)
            elif not isinstance(node, tree.Condition):
                inner = (tree.And, tree.Or) if isinstance(node, tree.And) else (tree.Or,)
                groups = groups or any(isinstance(part, inner) for part in node.parts)
                waiting.extend(node.parts)
        if nots:
            reasons.append("There is no NOT before a condition; turn the operator round, or INCLUDE into EXCLUDE.")
        if groups:
            reasons.append("There are no brackets to group conditions.")
    if not reasons and BRACKETS.search(QUOTED.sub('""', filter.text)):
        reasons.append(f"There are no brackets to group conditions; without them it is {filter}.")
    return reasons


def parameters(every: list[tree.Condition]) -> list[str]:
    """Number and length of the parameters' names."""
    names = sorted({value.name for each in every for value in each.values if isinstance(value, tree.Placeholder)})
    reasons = [
        f"The parameter ${name} has {len(name)} characters, and {LONGEST_PARAMETER} are allowed."
        for name in names
        if len(name) > LONGEST_PARAMETER
    ]
    if len(names) > MOST_PARAMETERS:
        reasons.append(f"It has {len(names)} parameters, and a request gives {MOST_PARAMETERS} values.")
    return reasons


def fields(filter: tree.Filter) -> set[str]:
    """The different fields; those of the current user and item count as columns of Users and Items."""
    found = set()
    for condition in all_conditions(filter):
        field = condition.field
        found.add(f"{TABLES.get(field.dataset, field.dataset)}.{field.column}")
        found |= {f"{tree.ITEMS}.{each.column}" for each in condition.values if isinstance(each, tree.CurrentItem)}
    return found


def group(filter: tree.Filter, others: Sequence[tree.Filter]) -> list[str]:
    """Limits on fields and on the filters of a group."""
    own = fields(filter)
    reasons = []
    if len(own) > MOST_FIELDS:
        reasons.append(f"It asks about {len(own)} different fields ({listed(own)}), and {MOST_FIELDS} are allowed.")
    if len(others) + 1 > MOST_FILTERS:
        reasons.append(f"It is filter number {len(others) + 1} of the group, and {MOST_FILTERS} are allowed.")
    together = own.union(*map(fields, others))
    if others and len(together) > MOST_GROUP_FIELDS:
        reasons.append(
            f"With it the filters of the group ask about {len(together)} different fields ({listed(together)}), and "
            f"{MOST_GROUP_FIELDS} are allowed."
        )
    return reasons


def listed(names: set[str], most: int = 20) -> str:
    """Names in order, cut when there are many."""
    return ", ".join(sorted(names)[:most]) + (", …" if len(names) > most else "")


def columns(every: list[tree.Condition], known: Columns) -> list[str]:
    """Columns that Personalize does not filter by."""
    reasons = []
    for condition in every:
        asked = [(condition.field.dataset, condition.field.column)]
        asked += [(CURRENT_ITEM, each.column) for each in condition.values if isinstance(each, tree.CurrentItem)]
        for dataset, column in asked:
            kind = known.kind(dataset, column) if known.column(dataset, column) is not None else ""
            if kind == PROSE:
                reasons.append(f"{dataset}.{column} is a textual column, which is not filtered by.")
            if kind == BOOLEAN:
                reasons.append(f'{dataset}.{column} is boolean; store "True" and "False" as text, or 1 and 0.')
    return reasons


def cautions(filter: tree.Filter, every: list[tree.Condition]) -> list[str]:
    """What Personalize takes without saying how it reads it."""
    found = []
    for expression in filter.expressions:
        node = expression.where
        if isinstance(node, tree.Or) and any(isinstance(part, tree.And) for part in node.parts):
            found.append("Whether AND or OR is taken first is not documented; split it into expressions joined with |.")
    for condition in every:
        if any(isinstance(each, tree.CurrentItem) for each in condition.values):
            found.append("CurrentItem works only with recipes and use cases for related items.")
        if any(isinstance(each, tree.Text) and ('"' in each.value or "\\" in each.value) for each in condition.values):
            found.append(
                f"How quotes and backslashes in a text are written is not documented: {shortened(str(condition))}."
            )
        if condition.operator in ORDERED and any(isinstance(each, tree.Text) for each in condition.values):
            found.append(
                f"{condition.operator} is documented for numbers only, not for text: {shortened(str(condition))}."
            )
        if condition.operator == "NOT IN" and condition.field.dataset not in EVENTS:
            found.append(
                "What NOT IN means for a field with several values joined by | is not documented; here none of them is "
                "in the list."
            )
    if any(each.field.dataset in EVENTS for each in every):
        found.append("Only the latest 100 events of a user and type count there, all of them here.")
    return found
