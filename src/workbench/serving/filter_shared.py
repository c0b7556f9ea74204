"""One mask for many users: what attributes allow is the same for all, and each user's events only take items away."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from workbench.serving.filter_columns import evaluate, matches
from workbench.serving.filter_expressions import ReadyExpression, holds, user_column
from workbench.serving.filter_history import event_test
from workbench.serving.filter_operands import Moment, wanted
from workbench.serving.tables import EntityTable, EventLog, UserState

if TYPE_CHECKING:
    from workbench.serving.filter_masks import CompiledFilter


@dataclass(frozen=True, eq=False)
class SharedMask:
    """What a filter allows everybody, and how to find what it takes from one.

    allowed: (n,) bool, the same for all users and not to be written into.
    filter: the filter that it comes from.
    rules: its expressions that take away what users' events match.
    moment: the values and the time that it holds for.
    """

    allowed: np.ndarray
    filter: "CompiledFilter"
    rules: tuple[ReadyExpression, ...]
    moment: Moment

    def removed(self, user: UserState | None) -> np.ndarray:
        """Codes that this user is not to get besides, (r,) int32; a code may stand there twice."""
        nothing = np.zeros(0, dtype=np.int32)
        if user is None or not self.rules or not len(user.events):
            return nothing
        test = event_test(user.events, self.moment, self.filter.table)
        codes = [
            self.filter.event_codes(rule, user.events, test) for rule in self.rules if rule.applies(user, self.moment)
        ]
        return np.concatenate([nothing, *codes])

    def removed_pairs(self, log: EventLog, users: EntityTable | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What many users are not to get besides, in one go.

        Args:
            log: events of many users; its `users` are codes in `users`, or any numbers of them when no IF is asked.
            users: their attributes, for expressions with IF; None when nothing is known of anybody.

        Returns:
            Users (r,) and item codes (r,), both int32, a pair for each event that takes an item away.
        """
        takers, items = [np.zeros(0, dtype=np.int32)], [np.zeros(0, dtype=np.int32)]
        test = event_test(log, self.moment, self.filter.table, users)
        for rule in self.rules:
            found = evaluate(rule.expression.where, test)
            if found is not None:
                found = found & (log.entities >= 0)
                if rule.expression.when:
                    found &= self._applies(rule, log.users, users)
                takers.append(log.users[found])
                items.append(log.entities[found])
        return np.concatenate(takers), np.concatenate(items)

    def _applies(self, rule: ReadyExpression, asked: np.ndarray, users: EntityTable | None) -> np.ndarray:
        """For which of the users asked about an IF holds; of unknown ones nothing is known."""
        if users is None:
            return np.full(len(asked), rule.applies(None, self.moment))
        applies = np.ones(len(users) + 1, dtype=bool)
        for condition in rule.expression.when:
            values = wanted(condition, self.moment)
            if values is None:
                applies[:] = False
                break
            column = user_column(users, condition.field.column)
            applies[:-1] &= matches(column, condition, values, lenient=True)
            applies[-1] &= holds(condition, None, self.moment)
        return applies[asked]
