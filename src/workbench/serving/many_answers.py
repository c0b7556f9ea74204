"""Responses for many users, block after block."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

from workbench.errors import ServingError
from workbench.serving.answers import respond
from workbench.serving.context import ReadyContext
from workbench.serving.list_making import make_list
from workbench.serving.plans import Plan, draws_of
from workbench.serving.requests import RecommendRequest
from workbench.serving.responses import Response, campaign_key, new_recommendation_id
from workbench.serving.served import Served
from workbench.serving.user_blocks import UserBlock, users_at_once


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
    if filter_values is not None and plan.filter is None:
        raise ServingError("filter_values are given for every user, and the request names no filter. Name one.")
    users = iter(user_ids)
    asked = None if contexts is None else iter(contexts)
    values = None if filter_values is None else iter(filter_values)
    key = campaign_key(served.snapshot.group, served.snapshot.campaign)
    size, usual = users_at_once(served), served.context.ready(request.context, plan.now)
    while some := list(islice(users, size)):
        ready = [usual] * len(some)
        if asked is not None:
            ready = [served.context.ready(each, plan.now) for each in _as_many("contexts", asked, len(some))]
        own = None if values is None else _as_many("filter_values", values, len(some))
        states = served.snapshot.users.states(some)
        block = UserBlock(served, plan, states, [each.values for each in ready], own)
        for row in range(len(some)):
            yield _answer(block, row, request, ready[row], new_recommendation_id(key))


def _answer(block: UserBlock, row: int, request: RecommendRequest, context: ReadyContext, id_: str) -> Response:
    served, plan, state = block.served, block.plan, block.states[row]
    admitted = block.admitted(row)
    promoted = block.promoted_of(row, admitted)
    draws = draws_of(request.seed, id_, state.user_id)
    made = make_list(served, plan, block.relevant(row, admitted, promoted), admitted, promoted, draws)
    return respond(served, plan, state, block.history(row), made, id_, context.notices)


def _as_many(name: str, given: Iterator[Any], wanted: int) -> list[Any]:
    found = list(islice(given, wanted))
    if len(found) < wanted:
        raise ServingError(f"{name} ends {wanted - len(found):,} before the users do; give one a user.")
    return found
