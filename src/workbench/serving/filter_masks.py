"""Filters as masks: which items, actions or users may be listed, worked out by column and kept by value.

What depends on attributes alone is kept by the values asked for; what depends on a user's events is put on top by
index, so a request costs one copy of a mask. What is listed is the union of the INCLUDEs that apply, everything when
none does, without the union of the EXCLUDEs that apply.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any

import numpy as np

from workbench.errors import FilterError
from workbench.serving.filter_cache import MEMORY, Kept, MaskCache
from workbench.serving.filter_columns import evaluate, holds_until, matches
from workbench.serving.filter_expressions import ReadyExpression, attribute_column, ready_expressions
from workbench.serving.filter_history import event_test, known_codes
from workbench.serving.filter_operands import Moment, ignored, require_given, wanted
from workbench.serving.filter_shared import SharedMask
from workbench.serving.filter_tree import USER_TARGET, Condition, CurrentItem, Filter
from workbench.serving.filter_values import parse_values, require_known
from workbench.serving.tables import EntityTable, EventLog, UserState

NO_VALUES: Mapping[str, Any] = {}


def compile_filter(filter: Filter, table: EntityTable, *, memory: int = MEMORY) -> "CompiledFilter":
    """Make a filter ready for a table.

    Args:
        filter: as `filters.parse` gives it.
        table: the items, actions or users that its target names; compile anew when there is a new table.
        memory: bytes of finished masks to keep.

    Raises:
        FilterError: a target, dataset, column or value does not suit the table.
    """
    return CompiledFilter(filter, table, MaskCache(memory))


class CompiledFilter:
    """A filter ready for one table. Threads may share it.

    Attributes:
        filter: what it was compiled from.
        table: the n entities that it masks.
        rules: its expressions.
        parameters: names of its parameters, without $.
        cache: the masks kept.
    """

    def __init__(self, filter: Filter, table: EntityTable, cache: MaskCache):
        """See `compile_filter`."""
        self.filter, self.table, self.cache = filter, table, cache
        self.rules = ready_expressions(filter, table)
        self.parameters = tuple(dict.fromkeys(name for rule in self.rules for name in rule.parameters))
        self.of_users = any(rule.expression.target == USER_TARGET for rule in self.rules)
        self._everything, self._nothing = np.ones(len(table), dtype=bool), np.zeros(len(table), dtype=bool)
        self._everything.flags.writeable = self._nothing.flags.writeable = False

    def mask(
        self,
        user: UserState | None,
        values: Mapping[str, Any] = NO_VALUES,
        *,
        now: int,
        current_item: int | None = None,
    ) -> np.ndarray:
        """Which items, or actions, may be listed for a user.

        Args:
            user: with the events that the filter asks for (those with actions for a filter of actions); None when
                nothing is known.
            values: the parameters' values, as `parse_values` takes them.
            now: time of the request, epoch seconds.
            current_item: code of the item asked about, in requests for related items; -1 when it is unknown.

        Returns:
            (n,) bool, True for what may be listed. It may be the kept mask itself, so it is not to be written into.

        Raises:
            FilterError: a parameter of an INCLUDE is missing, a value does not suit, a name is unknown.
        """
        if self.of_users:
            raise FilterError(f"{self.filter} filters users; ask for mask_users with a log of events.")
        moment = self.moment(values, now, current_item)
        return self.joined(self.active(user, moment), EventLog.empty() if user is None else user.events, moment)

    def mask_users(
        self, log: EventLog, values: Mapping[str, Any] = NO_VALUES, *, now: int, items: EntityTable | None = None
    ) -> np.ndarray:
        """Which users may be listed, for a filter of users.

        Args:
            log: events of all users, with their codes in the filter's table.
            values, now: as in `mask`.
            items: the table that the log's entities are codes of, for conditions on ITEM_ID.

        Returns:
            (n,) bool by user code.
        """
        if not self.of_users:
            raise FilterError(f"{self.filter} filters {self.table.kind}, not users; ask for mask.")
        moment = self.moment(values, now, None)
        return self.joined(tuple(range(len(self.rules))), log, moment, items)

    def shared(self, values: Mapping[str, Any] = NO_VALUES, *, now: int) -> SharedMask | None:
        """One mask for many users, where only events differ between them and only take items away.

        Returns:
            The mask and what finds each user's own removals; None when attributes are filtered after an IF or by the
            current item, or when events include items. Then ask `mask` for each user.
        """
        moment = self.moment(values, now, None)
        own = [rule for rule in self.rules if rule.on_events]
        if self.of_users or any(rule.include for rule in own):
            return None
        same = [number for number, rule in enumerate(self.rules) if not rule.on_events]
        if any(self.rules[number].of_item or self.rules[number].expression.when for number in same):
            return None
        allowed = self._by_attributes(tuple(same), False, moment).masks[0]
        return SharedMask(allowed, self, tuple(own), moment)

    def notices(self, values: Mapping[str, Any] = NO_VALUES) -> tuple[str, ...]:
        """What a request with these values leaves out, because parameters of EXCLUDEs are not given."""
        return ignored((rule.expression for rule in self.rules), parse_values(values))

    def moment(self, values: Mapping[str, Any], now: int, current_item: int | None) -> Moment:
        """What a request brings, checked."""
        given = parse_values(values) if values else {}
        if given:
            require_known(given, self.parameters)
        if len(given) < len(self.parameters):
            require_given((rule.expression for rule in self.rules), given)
        return Moment(given, now, current_item, self.table)

    def active(self, user: UserState | None, moment: Moment) -> tuple[int, ...]:
        """The positions of the rules whose IF holds for a user."""
        return tuple(
            number for number, rule in enumerate(self.rules) if not rule.expression.when or rule.applies(user, moment)
        )

    def joined(
        self, active: tuple[int, ...], log: EventLog, moment: Moment, items: EntityTable | None = None
    ) -> np.ndarray:
        """The mask that rules give together."""
        rules = [self.rules[number] for number in active]
        on_events = [rule for rule in rules if rule.on_events]
        included = any(rule.include for rule in on_events)
        of_attributes = tuple(number for number in active if not self.rules[number].on_events)
        allowed, excluded = self._by_attributes(of_attributes, included, moment).masks
        if not on_events or not len(log):
            return allowed
        mask = allowed.copy()
        test = self.event_test(log, moment, items)
        for rule in sorted(on_events, key=lambda rule: not rule.include):
            codes = self.event_codes(rule, log, test)
            mask[codes] = ~excluded[codes] if rule.include else False
        return mask

    def event_codes(
        self, rule: ReadyExpression, log: EventLog, test: Callable[[Condition], np.ndarray | None]
    ) -> np.ndarray:
        """The codes that an expression on events matches, in the order of the events; none when it is ignored."""
        found = evaluate(rule.expression.where, test)
        return self.codes_in(log, np.zeros(len(log), dtype=bool) if found is None else found)

    def codes_in(self, log: EventLog, found: np.ndarray) -> np.ndarray:
        """The codes of what the found events are with, or of their users in a filter of users."""
        codes = log.users if self.of_users and log.users is not None else log.entities
        return known_codes(codes[found])

    def event_test(
        self, log: EventLog, moment: Moment, items: EntityTable | None = None
    ) -> Callable[[Condition], np.ndarray | None]:
        """A function that gives (m,) bool for a condition on the events of a log, None for one that is ignored."""
        return event_test(log, moment, items, self.table) if self.of_users else event_test(log, moment, self.table)

    def condition_mask(self, condition: Condition, moment: Moment) -> np.ndarray | None:
        """What one condition on attributes matches, (n,) bool and not to be written into; None when it is ignored."""
        kept = self._condition(condition, moment)
        return kept.masks[0] if kept else None

    def _attributes(self, rule: ReadyExpression, moment: Moment) -> Kept | None:
        """What an expression on attributes matches, (n,) bool, and how long; None when all of it is ignored."""
        bounds = []

        def test(condition: Condition) -> np.ndarray | None:
            kept = self._condition(condition, moment)
            bounds.append(kept)
            return kept.masks[0] if kept else None

        found = evaluate(rule.expression.where, test)
        return None if found is None else _between(bounds, (found,))

    def _by_attributes(self, active: tuple[int, ...], included: bool, moment: Moment) -> Kept:
        """What expressions on attributes allow and exclude, kept by the values that they ask for."""
        if not active:
            return Kept((self._nothing if included else self._everything, self._nothing))
        rules = [self.rules[number] for number in active]
        given = tuple(moment.given.get(name) for rule in rules for name in rule.parameters)
        item = moment.current_item if any(rule.of_item for rule in rules) else None
        key = (active, included, given, item)
        kept = self.cache.get(key, moment.now)
        return kept or self.cache.put(key, self._join_attributes(rules, included, moment))

    def _join_attributes(self, rules: Iterable[ReadyExpression], included: bool, moment: Moment) -> Kept:
        found = [(rule.include, kept) for rule in rules if (kept := self._attributes(rule, moment))]
        excludes = [kept.masks[0] for include, kept in found if not include]
        includes = [kept.masks[0] for include, kept in found if include]
        excluded = reduce(np.logical_or, excludes, self._nothing)
        included_here = reduce(np.logical_or, includes, self._nothing if includes or included else self._everything)
        allowed = included_here & ~excluded
        return _between([kept for _, kept in found], (allowed, excluded))

    def _condition(self, condition: Condition, moment: Moment) -> Kept | None:
        """What one condition on attributes matches; kept unless it asks for the current item."""
        asked = wanted(condition, moment)
        if asked is None:
            return None
        key = (condition, None if asked.moment is not None else asked.texts)
        kept = self.cache.get(key, moment.now)
        if kept:
            return kept
        column = attribute_column(self.table, condition.field.column)
        after, before = holds_until(column, asked)
        offset = asked.moment - moment.now if asked.moment is not None else 0
        kept = Kept((matches(column, condition, asked),), after - offset, before - offset)
        if any(isinstance(value, CurrentItem) for value in condition.values):
            return kept
        return self.cache.put(key, kept)


def _between(parts: Iterable[Kept | None], masks: tuple[np.ndarray, ...]) -> Kept:
    """Masks made of others hold while all of those do."""
    held = [part for part in parts if part is not None]
    after = max((part.after for part in held), default=-np.inf)
    before = min((part.before for part in held), default=np.inf)
    return Kept(masks, after, before)
