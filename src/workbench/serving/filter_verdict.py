"""Why one item, action or user is listed or not: a dry run of a filter that names the condition and the value."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import numpy as np

from workbench.columns import TIMESTAMP
from workbench.errors import FilterError, nearest
from workbench.serving.filter_columns import IdColumn
from workbench.serving.filter_explain import Evaluation, shown
from workbench.serving.filter_expressions import ReadyExpression, attribute_column
from workbench.serving.filter_history import event_column
from workbench.serving.filter_masks import NO_VALUES, CompiledFilter
from workbench.serving.filter_tree import Condition, Node, Not, conditions
from workbench.serving.tables import EntityTable, EventLog, UserState

FEW = 5  # different values of events that are shown
SEARCHED = 2_000  # ids among which the nearest is looked for


@dataclass(frozen=True)
class ConditionVerdict:
    """How one condition comes out.

    text: the condition.
    held: whether it holds; of a condition on events, whether it does for one of them. None when it is ignored.
    value: what it is compared with, as it is shown.
    negated: whether it stands under a NOT, so that it matters when it does not hold.
    """

    text: str
    held: bool | None
    value: str
    negated: bool = False


@dataclass(frozen=True)
class ExpressionVerdict:
    """How one expression comes out.

    text: the expression.
    applies: whether its IF holds and not all of it is ignored.
    matches: whether it matches this one, which INCLUDE keeps and EXCLUDE takes away.
    conditions: in the order of the text.
    """

    text: str
    applies: bool
    matches: bool
    conditions: tuple[ConditionVerdict, ...]


@dataclass(frozen=True)
class Verdict:
    """Whether one may be listed, and why.

    id: the item, action or user.
    listed: whether the filter lets it through.
    reasons: a sentence for each expression that decided it.
    expressions: in the order of the text.
    """

    id: str
    listed: bool
    reasons: tuple[str, ...]
    expressions: tuple[ExpressionVerdict, ...]


def verdict(
    compiled: CompiledFilter,
    id: str,
    subject: UserState | EventLog | None,
    values: Mapping[str, Any] = NO_VALUES,
    *,
    now: int,
    current_item: int | None = None,
    items: EntityTable | None = None,
) -> Verdict:
    """Say why one item (action, user) may be listed or not.

    Args:
        compiled: the filter.
        id: of what is asked about.
        subject, values, now, current_item, items: as in `filter_explain.explain`.

    Raises:
        FilterError: the id is unknown; else as `CompiledFilter.mask`.
    """
    code = compiled.table.code_of(id)
    if code < 0:
        known = compiled.table.ids.tolist()
        hint = nearest(id, known) if len(known) <= SEARCHED else f" There are {len(known):,} others."
        raise FilterError(f"{compiled.table.kind} has no {id!r}.{hint}")
    work = Evaluation(compiled, subject, compiled.moment(values, now, current_item), items)
    said = tuple(_expression(work, number, code, items) for number in range(len(compiled.rules)))
    includes = [each for rule, each in zip(compiled.rules, said, strict=True) if rule.include and each.applies]
    excludes = [each for rule, each in zip(compiled.rules, said, strict=True) if not rule.include and each.applies]
    kept = not includes or any(each.matches for each in includes)
    taken = [each for each in excludes if each.matches]
    return Verdict(id, kept and not taken, _reasons(includes, kept, taken), said)


def _expression(work: Evaluation, number: int, code: int, items: EntityTable | None) -> ExpressionVerdict:
    rule = work.compiled.rules[number]
    matched = work.matched(rule)
    applies = number in work.active and matched is not None
    where = rule.expression.where
    parts = tuple(
        replace(_condition(work, rule, part, code, items), negated=negated)
        for part, negated in zip(conditions(where), _negations(where), strict=True)
    )
    return ExpressionVerdict(str(rule.expression), applies, matched is not None and bool(matched[code]), parts)


def _condition(
    work: Evaluation, rule: ReadyExpression, condition: Condition, code: int, items: EntityTable | None
) -> ConditionVerdict:
    found = work.condition(rule, condition)
    held = None if found is None else bool(work.entities(rule, found)[code])
    name = condition.field.column
    if not rule.on_events:
        column = attribute_column(work.compiled.table, name)
        value = work.compiled.table.ids[code] if isinstance(column, IdColumn) else column.value(code)
        return ConditionVerdict(str(condition), held, shown(value))
    return ConditionVerdict(str(condition), held, _of_events(work, name, code, items))


def _of_events(work: Evaluation, name: str, code: int, items: EntityTable | None) -> str:
    """The values that the events with one item, or of one user, have in a column, the newest first."""
    compiled, log = work.compiled, work.log
    codes = log.users if compiled.of_users and log.users is not None else log.entities
    rows = np.flatnonzero(codes == code)[::-1]
    if not len(rows):
        return "no events"
    tables = (items, compiled.table) if compiled.of_users else (compiled.table, None)
    column = event_column(log, name, *tables)
    if isinstance(column, IdColumn):
        values = [column.table.ids[each] if each >= 0 else None for each in column.codes[rows].tolist()]
    else:
        values = [column.value(row) for row in rows.tolist()]
    texts = list(dict.fromkeys(_time(value) if name == TIMESTAMP else shown(value) for value in values))
    more = f" and {len(texts) - FEW:,} more" if len(texts) > FEW else ""
    count = f"{len(rows):,} event{'s' if len(rows) > 1 else ''}"
    return f"{', '.join(texts[:FEW])}{more} in {count}"


def _negations(node: Node) -> list[bool]:
    """Whether each condition of a tree, from left to right, stands under an odd number of NOTs."""
    found, waiting = [], [(node, False)]
    while waiting:
        part, negated = waiting.pop()
        if isinstance(part, Condition):
            found.append(negated)
        elif isinstance(part, Not):
            waiting.append((part.part, not negated))
        else:
            waiting.extend((each, negated) for each in reversed(part.parts))
    return found


def _time(value: float) -> str:
    return f"{value:.0f} ({datetime.fromtimestamp(value, UTC):%Y-%m-%d %H:%M} UTC)"


def _reasons(includes: list[ExpressionVerdict], kept: bool, taken: list[ExpressionVerdict]) -> tuple[str, ...]:
    said = [f"Taken away by {each.text}: {_named(each, True)}." for each in taken]
    if not kept:
        said += [f"Not kept by {each.text}: {_named(each, False)}." for each in includes]
    if kept and includes:
        said += [f"Kept by {each.text}: {_named(each, True)}." for each in includes if each.matches]
    return tuple(said)


def _named(expression: ExpressionVerdict, matches: bool) -> str:
    """The conditions that decided, each with the value there is; all of them when it takes more than one to say."""
    given = [each for each in expression.conditions if each.held is not None]
    decided = [each for each in given if (each.held != each.negated) is matches] or given
    return "; ".join(f"{'NOT ' * each.negated}{each.text} (here {each.value})" for each in decided)
