"""Many users' lists at once: states, masks and scores of a block together, each list the one that real time gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.recipes.contract import Histories
from workbench.serving.admission import Admitted
from workbench.serving.histories import histories_of, log_of
from workbench.serving.list_making import Alone
from workbench.serving.plans import NOTHING, Plan, ReadyFilter
from workbench.serving.scored_lists import Block, Scored
from workbench.serving.served import Served
from workbench.serving.tables import UserState

CELLS = 16_000_000  # users times items of one block: 16 MB a mask

Values = Sequence[Mapping[str, Any]]


def users_at_once(served: Served) -> int:
    """How many users a block holds."""
    return max(1, min(served.scorer.rows_at_once, CELLS // max(1, len(served.snapshot.items))))


class UserBlock:
    """Some users who are asked the same thing."""

    def __init__(
        self,
        served: Served,
        plan: Plan,
        states: Sequence[UserState],
        contexts: Sequence[Mapping[str, Any]] | None = None,
        values: Values | None = None,
    ):
        """Read the users' events and work out who may get what.

        Args:
            served, plan: what answers, and what is asked of every user.
            states: of the users.
            contexts: one a user; None where none came.
            values: of the filter's parameters, one mapping a user; None takes the plan's for all.
        """
        self.served, self.plan, self.states = served, plan, states
        self.log = log_of(states)
        self.histories = histories_of(states, self.log, served.snapshot.counts_as_interest, contexts)
        self.seen = self._seen() if plan.exclude_seen else None
        self.masks = self._masks(plan.filter, values)
        self.promoted = [self._masks(own, None) for _, own in plan.promotions]

    @cached_property
    def scored(self) -> Block:
        """The users' scores."""
        return self.served.scorer.ask_many(self.histories)

    @cached_property
    def order(self) -> Scored:
        """All users' best items."""
        return self.scored.top(self.plan.k, self._allowed(self.masks))

    @cached_property
    def orders(self) -> list[Scored]:
        """Each user's best items."""
        return self.order.split(len(self.states))

    def whole_order(self) -> Scored | None:
        """All users' best items, None where a list is short and items without a score could fill it up."""
        snapshot = self.served.snapshot
        full = len(self.order.codes) == self.plan.k * len(self.states)
        return self.order if full or snapshot.n_scored == len(snapshot.items) else None

    @cached_property
    def promotables(self) -> list[list[Scored]]:
        """Each promotion's best items of every user."""
        return [self.scored.top(self.plan.k, self._allowed(each)).split(len(self.states)) for each in self.promoted]

    def history(self, row: int) -> Histories:
        """One user's history."""
        return self.histories.rows(row, row + 1)

    def admitted(self, row: int) -> Admitted:
        """Which items may be listed for one user."""
        seen = NOTHING if self.seen is None else np.flatnonzero(self.seen[row])
        snapshot = self.served.snapshot
        return Admitted(_row(self.masks, row), len(snapshot.items), snapshot.n_scored, seen)

    def promoted_of(self, row: int, admitted: Admitted) -> tuple[Admitted, ...]:
        """Which items each promotion may take for one user."""
        return tuple(admitted.under(_row(each, row)) for each in self.promoted)

    def relevant(self, row: int, admitted: Admitted, promoted: tuple[Admitted, ...]) -> "InBlock":
        """Where one user's relevance comes from."""
        return InBlock(self, row, admitted, promoted)

    def _seen(self) -> np.ndarray:
        """(n_users, n) bool, which items each user has seen."""
        snapshot = self.served.snapshot
        seen = np.zeros((len(self.states), len(snapshot.items)), dtype=bool)
        seen[np.repeat(np.arange(len(seen)), np.diff(self.histories.offsets)), self.histories.items] = True
        if snapshot.n_scored < len(snapshot.items):
            new = self.log.entities >= snapshot.n_scored
            seen[self.log.users[new], self.log.entities[new]] = True
        return seen

    def _masks(self, ready: ReadyFilter | None, values: Values | None) -> np.ndarray | None:
        """What a filter lets through: (n,) bool for all users alike, (n_users, n), or None for everything."""
        if ready is None:
            return None
        if values is None:
            shared = ready.compiled.shared(ready.values, now=self.plan.now)
            if shared is not None and not any(rule.expression.when for rule in shared.rules):
                if not shared.rules:
                    return shared.allowed
                masks = np.repeat(shared.allowed[None], len(self.states), axis=0)
                masks[shared.removed_pairs(self.log)] = False
                return masks
        given = values if values is not None else [ready.values] * len(self.states)
        masks = np.empty((len(self.states), len(self.served.snapshot.items)), dtype=bool)
        for row, (state, each) in enumerate(zip(self.states, given, strict=True)):
            masks[row] = ready.compiled.mask(state, each, now=self.plan.now)
        return masks

    def _allowed(self, masks: np.ndarray | None) -> np.ndarray | None:
        """Masks over the items that the recipe scores, without what was seen."""
        n = self.served.snapshot.n_scored
        if self.seen is None:
            return None if masks is None else masks[..., :n]
        return ~self.seen[:, :n] if masks is None else masks[..., :n] & ~self.seen[:, :n]


@dataclass(frozen=True, eq=False)
class InBlock:
    """Relevance of one user of a block; more than was worked out for the block is asked for alone."""

    block: UserBlock
    row: int
    admitted: Admitted
    promoted: tuple[Admitted, ...]

    def order(self, k: int) -> Scored:
        """The best `k` items that may be listed."""
        return self.block.orders[self.row] if k == self.block.plan.k else self.alone.order(k)

    def promotable(self, number: int, k: int) -> np.ndarray:
        """Codes of the best `k` items of a promotion."""
        if k != self.block.plan.k:
            return self.alone.promotable(number, k)
        return self.block.promotables[number][self.row].codes

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Scores of given items that the recipe knows."""
        return self.block.scored.question(self.row).of(codes)

    @property
    def alone(self) -> Alone:
        """The same user, scored alone."""
        question = self.block.served.scorer.ask(self.block.history(self.row))
        return Alone(question, self.admitted, self.promoted)


def _row(masks: np.ndarray | None, row: int) -> np.ndarray | None:
    return masks if masks is None or masks.ndim == 1 else masks[row]
