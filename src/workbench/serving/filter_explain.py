"""What a filter does: how many each condition matches, what would be listed without it, why something is not listed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.serving.filter_columns import evaluate
from workbench.serving.filter_errors import shortened
from workbench.serving.filter_expressions import ReadyExpression, attribute_column, holds
from workbench.serving.filter_masks import NO_VALUES, CompiledFilter
from workbench.serving.filter_operands import Moment
from workbench.serving.filter_tree import Condition, conditions
from workbench.serving.tables import EntityTable, EventLog, NumberColumn, TextColumn, UserState

KEPT = 2**26  # bytes of conditions' masks that are kept while a filter is explained
LEAST = 25  # results of a list that asks for no other number


@dataclass(frozen=True)
class ConditionCount:
    """What one condition does.

    text: the condition.
    matched: how many entities it matches; of a condition on events, those with such an event.
    missing: how many have no value in its column; 0 for conditions on events.
    left_without: how many would be listed if it were left out.
    ignored: whether it is left out already, since its parameter is not given.
    """

    text: str
    matched: int
    missing: int
    left_without: int
    ignored: bool


@dataclass(frozen=True)
class ExpressionCount:
    """What one expression does.

    text: the expression.
    applies: whether its IF holds; always when it has none.
    unless: the conditions of the IF that do not hold, each with the user's value.
    matched: how many entities it matches: what an INCLUDE keeps, what an EXCLUDE takes away.
    left_without: how many would be listed if it were left out.
    conditions: in the order of the text.
    """

    text: str
    applies: bool
    unless: tuple[str, ...]
    matched: int
    left_without: int
    conditions: tuple[ConditionCount, ...]


@dataclass(frozen=True)
class FilterExplanation:
    """What a filter does for one user, or to all users when it filters users.

    kind: "Items", "Users" or "Actions".
    total, left: how many there are, and how many may be listed.
    expressions: in the order of the text.
    notices: what is left out because its parameter is not given.
    warnings: nothing, or too little, may be listed.
    """

    kind: str
    total: int
    left: int
    expressions: tuple[ExpressionCount, ...]
    notices: tuple[str, ...]
    warnings: tuple[str, ...]

    def records(self) -> list[dict[str, Any]]:
        """A row for each expression and each of its conditions, for a table: EXPRESSION, CONDITION ("" in the row of
        the expression), APPLIES, MATCHED, MISSING, LEFT_WITHOUT.
        """
        rows = []
        for each in self.expressions:
            head = {"EXPRESSION": each.text, "APPLIES": each.applies}
            counts = {"MATCHED": each.matched, "MISSING": 0, "LEFT_WITHOUT": each.left_without}
            rows.append({**head, "CONDITION": "", **counts})
            for part in each.conditions:
                counts = {"MATCHED": part.matched, "MISSING": part.missing, "LEFT_WITHOUT": part.left_without}
                rows.append({**head, "APPLIES": each.applies and not part.ignored, "CONDITION": part.text, **counts})
        return rows


class Evaluation:
    """A filter worked out for one request, condition by condition; what conditions match is kept up to a limit.

    Attributes:
        compiled: the filter.
        moment: values and time of the request.
        log: the events that it asks for.
        active: positions of the expressions that apply.
    """

    def __init__(
        self, compiled: CompiledFilter, subject: UserState | EventLog | None, moment: Moment, items: EntityTable | None
    ):
        """Take a user, or the events of all users for a filter of users; see `explain`."""
        user = None if compiled.of_users else subject
        log = subject if compiled.of_users else user and user.events
        self.compiled, self.moment, self.user = compiled, moment, user
        self.log = log or EventLog.empty()
        self.active = compiled.active(user, moment)
        self.on_event = compiled.event_test(self.log, moment, items)
        self._kept: dict[int, np.ndarray | None] = {}  # by the condition's identity: hashing long lists takes longer
        self._bytes = 0

    def matched(self, rule: ReadyExpression, without: Condition | None = None) -> np.ndarray | None:
        """What an expression matches, (n,) bool, when one of its conditions is left out; None when all of it is."""

        def test(condition: Condition) -> np.ndarray | None:
            return None if condition is without else self.condition(rule, condition)

        found = evaluate(rule.expression.where, test)
        return None if found is None else self.entities(rule, found)

    def condition(self, rule: ReadyExpression, condition: Condition) -> np.ndarray | None:
        """Which events, or which entities, a condition matches; None when it is ignored."""
        if id(condition) in self._kept:
            return self._kept[id(condition)]
        found = self.on_event(condition) if rule.on_events else self.compiled.condition_mask(condition, self.moment)
        size = 0 if found is None else found.nbytes
        if self._bytes + size <= KEPT:
            self._kept[id(condition)] = found
            self._bytes += size
        return found

    def entities(self, rule: ReadyExpression, found: np.ndarray) -> np.ndarray:
        """What matches turned into (n,) bool of entities."""
        if not rule.on_events:
            return found
        mask = np.zeros(len(self.compiled.table), dtype=bool)
        mask[self.compiled.codes_in(self.log, found)] = True
        return mask

    def listed(self, matched: Mapping[int, np.ndarray | None]) -> np.ndarray:
        """What may be listed when the expressions at these positions match this."""
        rules = self.compiled.rules
        includes = [mask for number, mask in matched.items() if rules[number].include and mask is not None]
        listed = np.logical_or.reduce(includes) if includes else np.ones(len(self.compiled.table), dtype=bool)
        for number, mask in matched.items():
            if not rules[number].include and mask is not None:
                listed &= ~mask
        return listed


def explain(
    compiled: CompiledFilter,
    subject: UserState | EventLog | None,
    values: Mapping[str, Any] = NO_VALUES,
    *,
    now: int,
    current_item: int | None = None,
    items: EntityTable | None = None,
    least: int = LEAST,
) -> FilterExplanation:
    """Count what a filter does.

    Args:
        compiled: the filter.
        subject: the user who asks; the events of all users for a filter of users.
        values, now, current_item: as in `CompiledFilter.mask`.
        items: as in `CompiledFilter.mask_users`.
        least: how many a list needs; fewer that may be listed are warned of.

    Raises:
        FilterError: as `CompiledFilter.mask`.
    """
    work = Evaluation(compiled, subject, compiled.moment(values, now, current_item), items)
    matched = {number: work.matched(compiled.rules[number]) for number in work.active}
    left = int(work.listed(matched).sum())
    counts = tuple(_expression(work, matched, number) for number in range(len(compiled.rules)))
    warnings = _warnings(compiled.table, left, least, counts)
    return FilterExplanation(compiled.table.kind, len(compiled.table), left, counts, compiled.notices(values), warnings)


def left_for(
    compiled: CompiledFilter, users: Iterable[UserState], values: Mapping[str, Any] = NO_VALUES, *, now: int
) -> np.ndarray:
    """How many items, or actions, may be listed for each of many users, (u,) int64, in their order.

    Raises:
        FilterError: as `CompiledFilter.mask`.
    """
    shared = compiled.shared(values, now=now)
    if shared is None:
        return np.array([compiled.mask(user, values, now=now).sum() for user in users], dtype=np.int64)
    total = int(shared.allowed.sum())
    return np.array([total - shared.allowed[np.unique(shared.removed(user))].sum() for user in users], dtype=np.int64)


def _expression(work: Evaluation, matched: dict[int, np.ndarray | None], number: int) -> ExpressionCount:
    rule = work.compiled.rules[number]
    own = matched[number] if number in matched else work.matched(rule)
    others = {other: mask for other, mask in matched.items() if other != number}
    unless = tuple(
        f"{condition} (here {shown(work.user and work.user.attributes.get(condition.field.column))})"
        for condition in rule.expression.when
        if not holds(condition, work.user, work.moment)
    )
    parts = tuple(_condition(work, matched, number, part) for part in conditions(rule.expression.where))
    without = int(work.listed(others).sum())
    return ExpressionCount(str(rule.expression), number in matched, unless, _count(own), without, parts)


def _condition(
    work: Evaluation, matched: dict[int, np.ndarray | None], number: int, condition: Condition
) -> ConditionCount:
    rule = work.compiled.rules[number]
    found = work.condition(rule, condition)
    missing = 0 if rule.on_events else missing_in(work.compiled.table, condition.field.column)
    changed = {**matched, number: work.matched(rule, condition)} if number in matched else matched
    left = int(work.listed(changed).sum())
    entities = None if found is None else work.entities(rule, found)
    return ConditionCount(str(condition), _count(entities), missing, left, found is None)


def missing_in(table: EntityTable, name: str) -> int:
    """How many entities have no value in a column."""
    column = attribute_column(table, name)
    if isinstance(column, NumberColumn):
        return int(np.isnan(column.values).sum())
    return int((column.codes < 0).sum()) if isinstance(column, TextColumn) else 0


def shown(value: object) -> str:
    """A value as a message shows it."""
    if value is None:
        return "no value"
    text = repr(value) if isinstance(value, str) else f"{value:g}" if isinstance(value, float) else str(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _warnings(table: EntityTable, left: int, least: int, counts: tuple[ExpressionCount, ...]) -> tuple[str, ...]:
    if left >= least:
        return ()
    kind = table.kind.lower()
    said = (
        f"Nothing is left of {len(table):,} {kind}" if not left else f"Only {left:,} of {len(table):,} {kind} are left"
    )
    said += "." if not left else f", fewer than the {least:,} that a list needs."
    parts = [(part.left_without, part.text) for each in counts if each.applies for part in each.conditions]
    wholes = [(each.left_without, each.text) for each in counts if each.applies]
    best = max(parts, default=(0, ""), key=_gain)
    best = best if best[0] > left else max(wholes, default=(0, ""), key=_gain)
    return (said + (f" Without {shortened(best[1])} there would be {best[0]:,}." if best[0] > left else ""),)


def _gain(option: tuple[int, str]) -> int:
    return option[0]


def _count(mask: np.ndarray | None) -> int:
    return 0 if mask is None else int(mask.sum())
