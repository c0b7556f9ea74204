"""Answers for many users, block after block: responses, or only the lists as arrays."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.columns import ITEM_ID, RANK, SCORE, USER_ID
from workbench.errors import ServingError
from workbench.serving.answers import respond
from workbench.serving.context import ReadyContext
from workbench.serving.list_making import Made, make_list
from workbench.serving.plans import Plan, draws_of
from workbench.serving.requests import RecommendRequest
from workbench.serving.responses import Response, campaign_key, new_recommendation_id
from workbench.serving.served import Served
from workbench.serving.user_blocks import UserBlock, users_at_once

if TYPE_CHECKING:
    import pandas as pd

NO_ROWS = np.empty(0, dtype=np.int64)


def answers_for(
    served: Served,
    plan: Plan,
    request: RecommendRequest,
    user_ids: Iterable[str],
    contexts: Iterable[Mapping[str, Any]] | None = None,
    filter_values: Iterable[Mapping[str, Any]] | None = None,
) -> Iterator[Response]:
    """Answer the same request for many users.

    Args:
        served, plan: what answers, and the request made ready.
        request: without a user.
        user_ids: in the order of the responses.
        contexts: one a user, instead of the request's; filter_values: the same for the filter's parameters.

    Raises:
        ServingError: there are fewer contexts or values than users, or values and no filter.
    """
    key = campaign_key(served.snapshot.group, served.snapshot.campaign)
    for block, ready in _blocks(served, plan, request, user_ids, contexts, filter_values):
        for row, (state, context) in enumerate(zip(block.states, ready, strict=True)):
            id_ = new_recommendation_id(key)
            made = _made(block, row, request.seed, id_)
            yield respond(served, plan, state, block.history(row), made, id_, context.notices)


@dataclass(frozen=True, eq=False)
class CodeLists:
    """Many users' lists as arrays, one place a row: what a table or a file needs, without reasons.

    user_ids: of all users asked for. rows: (m,) which of them, ascending. codes: (m,) items, best first.
    scores: (m,) float32, NaN for items that the recipe does not know. explored: (m,) bool.
    item_ids: (n,) by code.
    """

    user_ids: Sequence[str]
    rows: np.ndarray
    codes: np.ndarray
    scores: np.ndarray
    explored: np.ndarray
    item_ids: np.ndarray

    def frame(self) -> "pd.DataFrame":
        """USER_ID, ITEM_ID, RANK (from 1), SCORE."""
        import pandas as pd

        first = np.searchsorted(self.rows, self.rows)
        return pd.DataFrame(
            {
                USER_ID: pd.array(self.user_ids, dtype="str").take(self.rows),
                ITEM_ID: pd.array(self.item_ids, dtype="str").take(self.codes),
                RANK: np.arange(len(self.rows)) - first + 1,
                SCORE: self.scores,
            }
        )


def codes_for(
    served: Served,
    plan: Plan,
    request: RecommendRequest,
    user_ids: Iterable[str],
    contexts: Iterable[Mapping[str, Any]] | None = None,
    filter_values: Iterable[Mapping[str, Any]] | None = None,
) -> CodeLists:
    """Make the lists of `answers_for` without writing responses; arguments and errors as there.

    A list without a seed draws from an id of its own, which nobody learns.
    """
    users: list[str] = []
    parts = [(NO_ROWS, NO_ROWS, np.empty(0, np.float32), np.empty(0, bool))]
    key = campaign_key(served.snapshot.group, served.snapshot.campaign)
    for block, _ in _blocks(served, plan, request, user_ids, contexts, filter_values):
        if plan.by_relevance and served.scorer.objective is None and (order := block.whole_order()) is not None:
            parts.append((order.rows + len(users), order.codes, order.scores, np.zeros(len(order.codes), dtype=bool)))
        else:
            for row in range(len(block.states)):
                made = _made(block, row, request.seed, new_recommendation_id(key))
                rows = np.full(len(made.codes), row + len(users))
                parts.append((rows, made.codes, made.scores, made.explored))
        users += [state.user_id for state in block.states]
    return CodeLists(users, *(np.concatenate(each) for each in zip(*parts, strict=True)), served.snapshot.items.ids)


def _blocks(
    served: Served,
    plan: Plan,
    request: RecommendRequest,
    user_ids: Iterable[str],
    contexts: Iterable[Mapping[str, Any]] | None,
    filter_values: Iterable[Mapping[str, Any]] | None,
) -> Iterator[tuple[UserBlock, list[ReadyContext]]]:
    """Cut the users into blocks, each with its users' contexts."""
    if filter_values is not None and plan.filter is None:
        raise ServingError("filter_values are given for every user, and the request names no filter. Name one.")
    users = iter(user_ids)
    asked = None if contexts is None else iter(contexts)
    values = None if filter_values is None else iter(filter_values)
    size, usual = users_at_once(served), served.context.ready(request.context, plan.now)
    while some := list(islice(users, size)):
        ready = [usual] * len(some)
        if asked is not None:
            ready = [served.context.ready(each, plan.now) for each in _as_many("contexts", asked, len(some))]
        own = None if values is None else _as_many("filter_values", values, len(some))
        states = served.snapshot.users.states(some)
        yield UserBlock(served, plan, states, [each.values for each in ready], own), ready


def _made(block: UserBlock, row: int, seed: int | None, id_: str) -> Made:
    admitted = block.admitted(row)
    promoted = block.promoted_of(row, admitted)
    draws = draws_of(seed, id_, block.states[row].user_id)
    return make_list(block.served, block.plan, block.relevant(row, admitted, promoted), admitted, promoted, draws)


def _as_many(name: str, given: Iterator[Any], wanted: int) -> list[Any]:
    found = list(islice(given, wanted))
    if len(found) < wanted:
        raise ServingError(f"{name} ends {wanted - len(found):,} before the users do; give one a user.")
    return found
