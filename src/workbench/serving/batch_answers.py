"""Answers a block of a batch job's lines: the lists that real time gives, as arrays of item codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from workbench.errors import FilterError
from workbench.serving.admission import admit
from workbench.serving.batch_formats import RANKINGS, RELATED, USERS, Asked, LineError
from workbench.serving.histories import history_of
from workbench.serving.list_making import make_list
from workbench.serving.many_answers import codes_for
from workbench.serving.plans import Plan, draws_of
from workbench.serving.ranked import rank_list
from workbench.serving.recommender import ANYBODY, Recommender
from workbench.serving.related import RelatedTo
from workbench.serving.requests import RankRequest, RecommendRequest, RelatedRequest
from workbench.serving.responses import RANK, RECOMMEND
from workbench.serving.responses import RELATED as RELATED_ITEMS
from workbench.serving.served import Served
from workbench.serving.tables import UserState

NO_CODES = np.empty(0, dtype=np.int64)
NO_SCORES = np.empty(0, dtype=np.float32)


@dataclass(eq=False)
class Answered:
    """Lists of a block's lines, one behind the other.

    asked: (lists,) the lines that have one. lengths: (lists,) items in each.
    codes: of all items, -1 for unknown ones, whose ids are in `unknown_ids` by place. scores: float32, NaN without.
    unknown: how many lines are about somebody of whom nothing is known.
    """

    asked: Sequence[Asked]
    lengths: np.ndarray
    codes: np.ndarray
    scores: np.ndarray
    unknown: int = 0
    unknown_ids: dict[int, str] = field(default_factory=dict)

    @classmethod
    def joined(cls, parts: Sequence["Answered"]) -> "Answered":
        """Several, in their order."""
        if len(parts) == 1:
            return parts[0]
        starts = np.cumsum([0, *(len(each.codes) for each in parts)]).tolist()
        return cls(
            [line for each in parts for line in each.asked],
            np.concatenate([NO_CODES, *(each.lengths for each in parts)]),
            np.concatenate([NO_CODES, *(each.codes for each in parts)]),
            np.concatenate([NO_SCORES, *(each.scores for each in parts)]),
            sum(each.unknown for each in parts),
            {
                start + place: item
                for start, each in zip(starts, parts, strict=False)
                for place, item in each.unknown_ids.items()
            },
        )


class Answers:
    """Answers lines of one kind with the campaign as it was when they began."""

    def __init__(self, recommender: Recommender, served: Served, kind: str, fields: Mapping[str, Any]):
        """Make the job's request ready, once.

        Args:
            recommender: of the campaign.
            served: what it answers with now.
            kind: "users", "rankings" or "related".
            fields: of the request, without whom or what it is about.

        Raises:
            ServingError, FilterError: the request cannot be answered, whatever the lines say.
        """
        self.kind, self.served = kind, served
        if kind == USERS:
            self.request, name = RecommendRequest(**fields), RECOMMEND
        elif kind == RELATED:
            self.request, name = RelatedRequest(item_id="-", **fields), RELATED_ITEMS
        else:
            own = {name: fields[name] for name in ("filter", "filter_values", "timestamp")}
            self.request, name = RankRequest(user_id="-", input_list=("-",), **own), RANK
        self.plan = recommender.plan(self.served, self.request, name)
        self._checked: dict[str, str] = {}
        self._counts = self.served.snapshot.users.counts

    @property
    def has_filter(self) -> bool:
        """Whether the job has a filter."""
        return self.plan.filter is not None

    def answer(self, asked: Sequence[Asked]) -> tuple[Answered, list[tuple[Asked, str]]]:
        """Answer lines.

        Returns:
            Their lists, and those that have none with the reason.
        """
        failed: list[tuple[Asked, str]] = []
        kept = [each for each in asked if self._values_fit(each, failed)]
        make = self._users if self.kind == USERS else self._each
        parts = self._divided(kept, make, failed) if kept else []
        return Answered.joined(parts or [Answered((), NO_CODES, NO_CODES, NO_SCORES)]), failed

    def _divided(self, asked: Sequence[Asked], make: Any, failed: list[tuple[Asked, str]]) -> list[Answered]:
        """Answer lines together; where one spoils that, halves of them, down to the one."""
        try:
            return [make(asked)]
        except (FilterError, LineError) as error:
            if len(asked) == 1:
                failed.append((asked[0], str(error)))
                return []
        half = len(asked) // 2
        return [*self._divided(asked[:half], make, failed), *self._divided(asked[half:], make, failed)]

    def _values_fit(self, asked: Asked, failed: list[tuple[Asked, str]]) -> bool:
        """Whether the filter's parameters are given as it needs them; each set of values is looked at once."""
        if self.plan.filter is None:
            return True
        key = "" if not asked.values else repr(asked.values)
        if key not in self._checked:
            if len(self._checked) > 1_000:
                self._checked.clear()
            try:
                self.plan.filter.compiled.moment(self._values(asked), self.plan.now, None)
                self._checked[key] = ""
            except FilterError as error:
                self._checked[key] = str(error)
        if self._checked[key]:
            failed.append((asked, self._checked[key]))
        return not self._checked[key]

    def _values(self, asked: Asked) -> Mapping[str, Any]:
        """The job's values, with the line's own put in their place."""
        usual = self.plan.filter.values
        return {**usual, **asked.values} if asked.values else usual

    def _plan(self, asked: Asked) -> Plan:
        if not asked.values:
            return self.plan
        return replace(self.plan, filter=replace(self.plan.filter, values=self._values(asked)))

    def _users(self, asked: Sequence[Asked]) -> Answered:
        own = [self._values(each) for each in asked] if any(each.values for each in asked) else None
        lists = codes_for(self.served, self.plan, self.request, [each.id for each in asked], filter_values=own)
        lengths = np.bincount(lists.rows, minlength=len(asked))
        unknown = sum(self._is_unknown(each.id) for each in asked) if self.served.personal else 0
        return Answered(asked, lengths, lists.codes, lists.scores, unknown)

    def _is_unknown(self, user_id: str) -> bool:
        """Whether no event is stored of a user, neither in the history nor live."""
        users = self.served.snapshot.users
        code = users.code_of(user_id)
        return not (code >= 0 and self._counts[code]) and not users.state(user_id).known

    def _each(self, asked: Sequence[Asked]) -> Answered:
        return Answered.joined([(self._ranking if self.kind == RANKINGS else self._related)(each) for each in asked])

    def _ranking(self, asked: Asked) -> Answered:
        served, plan = self.served, self._plan(asked)
        state = served.snapshot.users.state(asked.id)
        context = served.context.ready({}, plan.now)
        history = history_of(state, served.snapshot.counts_as_interest, context.values)
        admitted = admit(served.snapshot, plan, state, history)
        found = rank_list(served, plan, asked.items, served.scorer.ask(history), admitted)
        unknown_ids = {place: found.ids[place] for place in np.flatnonzero(found.codes < 0).tolist()}
        unknown = int(served.personal and not state.known)
        return Answered([asked], np.array([len(found.codes)]), found.codes, found.scores, unknown, unknown_ids)

    def _related(self, asked: Asked) -> Answered:
        served, plan = self.served, self._plan(asked)
        code = served.snapshot.items.code_of(asked.id)
        if code < 0:
            raise LineError(
                f"Item {asked.id!r} is unknown; related items need one that the interactions or the items hold. "
                "Leave the line out, or put the item first."
            )
        state = UserState(ANYBODY)
        admitted = admit(served.snapshot, plan, state, history_of(state, served.snapshot.counts_as_interest), code)
        relevant = RelatedTo(served, code, admitted, ())
        made = make_list(served, plan, relevant, admitted, (), draws_of(self.request.seed, ANYBODY, asked.id))
        return Answered([asked], np.array([len(made.codes)]), made.codes, made.scores, int(not relevant.known))
