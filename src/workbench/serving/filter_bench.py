"""A bench to try filters on: what was understood, what every condition removes, and the list that comes of it.

What a request would refuse is an answer here: the error stands beside everything that could still be found out.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from workbench.errors import FilterError, ServingError
from workbench.serving.filter_explain import FilterExplanation, explain, left_for
from workbench.serving.filter_masks import CompiledFilter
from workbench.serving.filter_print import Line, outline
from workbench.serving.filter_schema import use_of
from workbench.serving.filter_tree import ITEM_TARGET, Filter
from workbench.serving.filter_verdict import Verdict, verdict
from workbench.serving.filters import Portability, parse, portable
from workbench.serving.recommender import Recommender
from workbench.serving.responses import RECOMMEND, RELATED, Response
from workbench.serving.tables import ITEMS_TABLE, USERS_TABLE, UserState

if TYPE_CHECKING:
    import pandas as pd

_parsed = lru_cache(maxsize=16)(parse)  # one that is typed is read for its parts, its mask and its list
LOOK = 'They look like {"GENRES": ["Comedy", "Drama"], "SINCE": 1990}.'
NO_VALUES: Mapping[str, Any] = {}


def values_of(text: str) -> dict[str, Any]:
    """Read the values of parameters as they are typed: a JSON object, or nothing.

    Raises:
        FilterError: it is something else.
    """
    if not text.strip():
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise FilterError(f"The values are no JSON: {problem}. {LOOK}") from None
    if not isinstance(found, dict):
        raise FilterError(f"The values are {type(found).__name__}, and an object is needed. {LOOK}")
    return found


@dataclass(frozen=True)
class Attempt:
    """What came of a filter; each part is there as far as the filter could be used.

    given: what was typed, a name or an expression; text: the expression.
    filter, lines: once it could be read.
    portability: once it suits the data, since Personalize would refuse unknown columns too.
    notices: what was read otherwise than written, does not occur in the data, or is left out.
    explanation, response: once it has its parameters' values too; the response is the user's list.
    error: why it went no further; "" when it went all the way.
    """

    given: str
    text: str
    filter: Filter | None = None
    lines: tuple[Line, ...] = ()
    portability: Portability | None = None
    notices: tuple[str, ...] = ()
    explanation: FilterExplanation | None = None
    response: Response | None = None
    error: str = ""


@dataclass(frozen=True)
class FilterBench:
    """Tries filters on a campaign's items.

    recommender: of the campaign.
    num_results: places of a list.
    item: the current item of filters that compare with one; their list is of items related to it.
    timestamp: epoch seconds that count as now; None takes the newest stored event's time, so that windows of time mean
        the same whenever it is asked.
    asked: further fields of every request, such as `seed`.
    """

    recommender: Recommender
    num_results: int = 10
    item: str = ""
    timestamp: int | None = None
    asked: Mapping[str, Any] = field(default_factory=dict)

    @property
    def now(self) -> int:
        """Epoch seconds that count as now."""
        return self.recommender.deployment.newest_time if self.timestamp is None else self.timestamp

    def attempt(self, given: str, user_id: str, values: Mapping[str, Any] = NO_VALUES) -> Attempt:
        """Try a filter for a user.

        Args:
            given: the name of a filter or an expression; "" is no filter.
            user_id: whose events and attributes it asks about, and whose list is made.
            values: of its parameters.
        """
        found = Attempt(given, given)
        try:
            if not given.strip():
                return replace(found, response=self.made("", user_id))
            found = replace(found, text=self.recommender.resolve(given.strip())[1])
            filter = _parsed(found.text)
            found = replace(found, filter=filter, lines=outline(filter), notices=filter.notices)
            compiled, notices = self._compiled(found.text)
            found = replace(found, notices=notices, portability=portable(filter, tables=self._tables()))
            said = explain(compiled, self.state(user_id), values, **self._moment(filter), least=self.num_results)
            found = replace(found, explanation=said, notices=tuple(dict.fromkeys((*notices, *said.notices))))
            return replace(found, response=self.made(found.text, user_id, values))
        except ServingError as problem:
            return replace(found, error=str(problem))

    def made(self, given: str, user_id: str, values: Mapping[str, Any] = NO_VALUES, **further: Any) -> Response:
        """The list of a user under a filter: by relevance, without exploration unless `asked` says otherwise.

        Args:
            given: the name of a filter or an expression; "" is no filter.
            user_id, values: as in `attempt`.
            further: fields of this request, such as promotions.

        Raises:
            ServingError: the request is refused.
            FilterError: the filter cannot be used.
        """
        fields = {"num_results": self.num_results, "timestamp": self.now, "exploration_weight": 0.0}
        fields |= {**self.asked, **further, "user_id": user_id}
        if not given:
            return self.recommender.recommend(**fields)
        fields |= {"filter": given, "filter_values": values}
        if self._use(_parsed(self.recommender.resolve(given)[1])) == RELATED:
            return self.recommender.related(item_id=self.item, **fields)
        return self.recommender.recommend(**fields)

    def why(self, given: str, item_id: str, user_id: str, values: Mapping[str, Any] = NO_VALUES) -> Verdict:
        """Say why an item may be listed for a user, or not.

        Raises:
            FilterError: the filter cannot be used, or the item is unknown.
        """
        text = self.recommender.resolve(given)[1]
        compiled, _ = self._compiled(text)
        return verdict(compiled, item_id, self.state(user_id), values, **self._moment(compiled.filter))

    def left_for(self, given: str, user_ids: Sequence[str], values: Mapping[str, Any] = NO_VALUES) -> list[int]:
        """How many items may be listed for each of some users.

        Raises:
            FilterError: the filter cannot be used.
        """
        if not given:
            return [len(self.recommender.served().snapshot.items)] * len(user_ids)
        compiled, _ = self._compiled(self.recommender.resolve(given)[1])
        moment = self._moment(compiled.filter)
        if "current_item" in moment:
            masks = (compiled.mask(self.state(each), values, **moment) for each in user_ids)
            return [int(mask.sum()) for mask in masks]
        return left_for(compiled, map(self.state, user_ids), values, **moment).tolist()

    def for_whom(self, given: str, user_ids: Sequence[str], values: Mapping[str, Any] = NO_VALUES) -> "pd.DataFrame":
        """For whom the expressions of a filter apply: USER, APPLIES (any of them does), UNLESS (what of an IF does not
        hold, with the user's value), LEFT (items that may be listed).

        Raises:
            FilterError: the filter cannot be used.
        """
        import pandas as pd

        compiled, _ = self._compiled(self.recommender.resolve(given)[1])
        moment, rows = self._moment(compiled.filter), []
        for each in user_ids:
            said = explain(compiled, self.state(each), values, **moment)
            unless = dict.fromkeys(words for part in said.expressions for words in part.unless)
            rows.append((each, any(part.applies for part in said.expressions), "; ".join(unless), said.left))
        return pd.DataFrame(rows, columns=["USER", "APPLIES", "UNLESS", "LEFT"])

    def windows(self, template: str, days: Sequence[float], user_ids: Sequence[str]) -> "pd.DataFrame":
        """What a filter with a window of time keeps out, window by window; lists may hold what was had before.

        Args:
            template: an expression with `{days}` where the length of the window belongs.
            days: of each window; whole numbers, 0 or more.
            user_ids: at least one; the first one's list is made.

        Returns:
            DAYS; REMOVED, items kept from the first user; MEAN_REMOVED, items kept from a user on average; AGAIN, items
            of the first user's list that this user had before.

        Raises:
            ServingError: the template has no `{days}`, a window is no whole number, or a filter cannot be used.
        """
        import pandas as pd

        if "{days}" not in template:
            raise ServingError(f"{template!r} has no {{days}}; write it where the length of the window belongs.")
        items, rows = self.recommender.served().snapshot.items, []
        had = set(self.state(user_ids[0]).events.entities.tolist())
        free = replace(self, asked={**self.asked, "exclude_seen": False})
        for length in days:
            if isinstance(length, bool) or length != int(length) or length < 0:
                raise ServingError(f"A window is {length!r} days; give whole numbers, 0 or more.")
            text = template.replace("{days}", str(int(length)))
            left = free.left_for(text, user_ids)
            listed = free.made(text, user_ids[0]).item_ids
            again = sum(items.code_of(each) in had for each in listed)
            rows.append((int(length), len(items) - left[0], len(items) - sum(left) / len(left), again))
        return pd.DataFrame(rows, columns=["DAYS", "REMOVED", "MEAN_REMOVED", "AGAIN"])

    def state(self, user_id: str) -> UserState:
        """What is known of a user."""
        return self.recommender.served().snapshot.users.state(user_id)

    def _compiled(self, text: str) -> tuple[CompiledFilter, tuple[str, ...]]:
        return self.recommender.served().filter(text, self._use(_parsed(text)))

    def _use(self, filter: Filter) -> str:
        """Items like one are asked for where the filter compares with it and there is one."""
        asks = filter.expressions[0].target == ITEM_TARGET and use_of(filter) == RELATED
        return RELATED if asks and self.item else RECOMMEND

    def _moment(self, filter: Filter) -> dict[str, Any]:
        if self._use(filter) != RELATED:
            return {"now": self.now}
        return {"now": self.now, "current_item": self.recommender.served().snapshot.items.code_of(self.item)}

    def _tables(self) -> dict[str, Any]:
        snapshot = self.recommender.served().snapshot
        return {ITEMS_TABLE: snapshot.items, USERS_TABLE: snapshot.users.table}
