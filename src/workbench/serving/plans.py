"""A request made ready for a snapshot, once: filters compiled, columns checked, rules laid out; users come after."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.serving.caps import ReadyCap
from workbench.serving.filter_masks import CompiledFilter
from workbench.serving.filter_tree import Now, conditions
from workbench.serving.reasons import check_columns
from workbench.serving.requests import Promotion, RankRequest, RecommendRequest, RelatedRequest
from workbench.serving.responses import RECOMMEND
from workbench.serving.served import Served
from workbench.serving.tables import UserState

NOTHING = np.empty(0, dtype=np.int64)
Request = RecommendRequest | RelatedRequest | RankRequest
Resolve = Callable[[str], tuple[str, str]]  # a filter's name or text to its name ("" for a text) and its text


@dataclass(frozen=True, eq=False)
class ReadyFilter:
    """A filter with the values of its parameters.

    name: of a named filter, else its text.
    """

    name: str
    compiled: CompiledFilter
    values: Mapping[str, Any]
    notices: tuple[str, ...]

    @property
    def uses_now(self) -> bool:
        """Whether it asks for the time."""
        expressions = self.compiled.filter.expressions
        found = [condition for each in expressions for condition in (*conditions(each.where), *each.when)]
        return any(isinstance(value, Now) for condition in found for value in condition.values)

    def masked(self, state: UserState, now: int, current_item: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """What may be listed, in two parts, so that what is the same for all users is the same array every time.

        Returns:
            (n,) bool over all items, not to be written into, and different sorted codes that are taken from it besides.
        """
        shared = self.compiled.shared(self.values, now=now)
        if shared is None:
            return self.compiled.mask(state, self.values, now=now, current_item=current_item), NOTHING
        taken = shared.removed(state)
        return shared.allowed, np.unique(taken[shared.allowed[taken]]) if len(taken) else NOTHING


@dataclass(frozen=True, eq=False)
class Plan:
    """What one request, or a batch of equal ones, asks of every user's list.

    k: places.
    weight: of exploration.
    exclude_seen: whether items of the history are left out.
    filter: None lets every item through.
    promotions: with their filters; None for a promotion of any item.
    columns: of the items, that come with the list.
    now: epoch seconds.
    notices: what holds for every user.
    """

    kind: str
    k: int
    weight: float
    exclude_seen: bool
    filter: ReadyFilter | None
    promotions: tuple[tuple[Promotion, ReadyFilter | None], ...]
    caps: tuple[ReadyCap, ...]
    columns: tuple[str, ...]
    explain: bool
    now: int
    notices: tuple[str, ...]

    @property
    def by_relevance(self) -> bool:
        """Whether nothing but filters, history and scores makes the list."""
        return not (self.weight > 0 or self.promotions or self.caps)

    @property
    def texts(self) -> tuple[str, ...]:
        """The expressions behind the request's filters, which change when a named filter is replaced."""
        filters = [self.filter, *(own for _, own in self.promotions)]
        return tuple(each.compiled.filter.text if each is not None else "" for each in filters)

    @property
    def uses_now(self) -> bool:
        """Whether a filter asks for the time, so that the same request may have another answer later."""
        filters = [self.filter, *(own for _, own in self.promotions)]
        return any(each is not None and each.uses_now for each in filters)


def plan_of(served: Served, request: Request, kind: str, now: int, resolve: Resolve) -> Plan:
    """Make a request ready.

    Args:
        served: what answers it.
        request: checked against the limits.
        kind: "recommend", "rank" or "related".
        now: epoch seconds, where the request names no time.
        resolve: finds named filters.

    Raises:
        FilterError: a filter is unknown, cannot be read, or does not suit the data.
        ServingError: a column is unknown.
    """
    settings = served.snapshot.settings
    listed = not isinstance(request, RankRequest)
    explore = listed and kind == RECOMMEND
    given = request.exploration_weight if listed else 0.0
    seen = request.exclude_seen if listed else False
    usual = served.snapshot.exclude_seen and kind == RECOMMEND
    columns = request.metadata_columns or settings.metadata_columns
    check_columns(served.snapshot.items, columns)
    main = _filter(served, request.filter, request.filter_values, kind, resolve)
    promotions = tuple(
        (each, _filter(served, each.filter, each.filter_values, kind, resolve))
        for each in (request.promotions if listed else ())
    )
    ready = [each for each in (main, *(each for _, each in promotions)) if each is not None]
    return Plan(
        kind=kind,
        k=request.num_results if listed else len(request.input_list),
        weight=(settings.exploration_weight if given is None else given) if explore else 0.0,
        exclude_seen=usual if seen is None else seen,
        filter=main,
        promotions=promotions,
        caps=tuple(served.cap(each.column, each.at_most) for each in (request.caps if listed else ())),
        columns=tuple(columns),
        explain=request.explain,
        now=now if request.timestamp is None else request.timestamp,
        notices=tuple(dict.fromkeys(notice for each in ready for notice in each.notices)),
    )


def draws_of(seed: int | None, recommendation_id: str, user_id: str | None) -> Callable[[], np.random.Generator]:
    """Where a list's chance comes from: of its seed and user, or of its id, made only when something is drawn.

    The same seed and user give the same draws in real time and in a batch.
    """
    words = f"{seed}\0{user_id or ''}" if seed is not None else recommendation_id

    def make() -> np.random.Generator:
        return np.random.default_rng(int.from_bytes(hashlib.blake2b(words.encode(), digest_size=16).digest()))

    return make


def _filter(
    served: Served, given: str | None, values: Mapping[str, Any], kind: str, resolve: Resolve
) -> ReadyFilter | None:
    if given is None:
        return None
    name, text = resolve(given)
    compiled, notices = served.filter(text, kind)
    ignored = compiled.notices(values)
    return ReadyFilter(name or text, compiled, values, (*notices, *ignored))
