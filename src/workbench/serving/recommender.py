"""Answers requests of a deployed campaign: lists, orders of given lists, related items."""

import dataclasses
import json
import threading
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Any

from workbench.data.catalogue import CATALOG
from workbench.data.names import NAME
from workbench.errors import ServingError
from workbench.serving.admission import Admitted, admit
from workbench.serving.answers import respond, respond_ranked, respond_related
from workbench.serving.deployment import Deployment
from workbench.serving.histories import history_of
from workbench.serving.list_cache import CacheReport, ListCache
from workbench.serving.list_making import Alone, make_list
from workbench.serving.many_answers import CodeLists, answers_for, codes_for
from workbench.serving.plans import Plan, Request, draws_of, plan_of
from workbench.serving.ranked import rank_list, refuse_twice
from workbench.serving.related import RelatedTo
from workbench.serving.request_limits import Limits
from workbench.serving.requests import RankRequest, RecommendRequest, RelatedRequest
from workbench.serving.responses import (
    EXPLORATION,
    RANK,
    RECOMMEND,
    RELATED,
    Response,
    campaign_key,
    new_recommendation_id,
)
from workbench.serving.served import Served
from workbench.serving.tables import UserState

REFRESH = 0.5  # seconds between looks for a newer revision, live items and impressions
LONGEST = 10.0  # seconds after which to look thoroughly even where no file seems to have changed
ANYBODY = ""  # a list without a user is the one for everybody


class Recommender:
    """Answers requests of one campaign. Threads may share it.

    Attributes:
        deployment: the campaign; refreshed here every half second that there are requests.
        cache: kept answers, None without.
    """

    def __init__(
        self,
        deployment: Deployment,
        *,
        limits: Limits | None = None,
        cache: ListCache | None = None,
        cache_exploration: bool = False,
        log: bool = True,
        timezone: str = "UTC",
        southern: bool = False,
        clock: Callable[[], float] = time.time,
    ):
        """Lay the campaign out for requests.

        Args:
            deployment: as `open_campaign` gives it.
            limits: how much a request may ask for; None: Personalize's, with the campaign's `max_results`.
            cache: answers equal requests again; None makes every answer anew.
            cache_exploration: keep lists with exploration too, which freezes what they explore.
            log: remember which list every id stood for, so that events that carry it count as impressions.
            timezone, southern: of context that is read from the request's time, such as the hour and the season.
            clock: epoch seconds; what NOW() means where a request names no time.
        """
        self.deployment, self.cache, self._explored_too = deployment, cache, cache_exploration
        self._limits, self._clock, self._lock = limits, clock, threading.Lock()
        self._wall = {"timezone": timezone, "southern": southern}
        self._served = Served(deployment.snapshot, deployment.live, clock=self._wall)
        self._served.impressions.refresh()
        self._looked, self._seen = 0.0, ()
        self._log = _log_of(deployment) if log else None
        self._filters: Any = None  # a FilterStore, opened when a named filter is first asked for

    def recommend(self, request: RecommendRequest | None = None, **fields: Any) -> Response:
        """Make a list for a user, a session, or everybody.

        Args:
            request: the request; or give its fields as keyword arguments.

        Raises:
            ServingError: the request is beyond the limits, or asks for columns or filters that there are not.
            FilterError: a filter cannot be used as asked.
        """
        asked = request if request is not None else RecommendRequest.of(**fields)
        return self._answer(asked, RECOMMEND, self._recommend)

    def recommend_many(
        self,
        user_ids: Iterable[str],
        request: RecommendRequest | None = None,
        *,
        contexts: Iterable[Mapping[str, Any]] | None = None,
        filter_values: Iterable[Mapping[str, Any]] | None = None,
        **fields: Any,
    ) -> Iterator[Response]:
        """Make the lists of many users, each the one that `recommend` makes for the same state, request and seed.

        Users are read and answered in blocks, so any number of them needs the memory of one block. All lists are of
        the campaign as it was when the first one was asked for.

        Args:
            user_ids: any iterable.
            request: what is asked of every list, without a user; or give its fields as keyword arguments.
            contexts: one a user, instead of the request's.
            filter_values: one a user, instead of the request's.

        Returns:
            Responses in the order of the users. They are not logged: nobody was shown them yet.

        Raises:
            ServingError: the request is beyond the limits, names a user, or there are fewer contexts or values than
                users.
        """
        return answers_for(*self._for_many(request, fields), user_ids, contexts, filter_values)

    def codes_many(
        self,
        user_ids: Iterable[str],
        request: RecommendRequest | None = None,
        *,
        contexts: Iterable[Mapping[str, Any]] | None = None,
        filter_values: Iterable[Mapping[str, Any]] | None = None,
        **fields: Any,
    ) -> CodeLists:
        """Make the lists of `recommend_many` as arrays, all in memory and without reasons; twice as quick."""
        return codes_for(*self._for_many(request, fields), user_ids, contexts, filter_values)

    def related(self, request: RelatedRequest | None = None, **fields: Any) -> Response:
        """List items related to one; of an unknown one, popular items and a notice. Errors as `recommend`."""
        asked = request if request is not None else RelatedRequest.of(**fields)
        return self._answer(asked, RELATED, self._related)

    def rank(self, request: RankRequest | None = None, **fields: Any) -> Response:
        """Put given items into a user's order.

        Raises:
            ServingError: as `recommend`; or the list is empty or holds an item twice.
        """
        asked = request if request is not None else RankRequest.of(**fields)
        return self._answer(asked, RANK, self._rank)

    def refresh(self) -> bool:
        """Pick up a newer revision, live items and impressions now; returns whether the campaign changed."""
        with self._lock:
            self._looked, self._seen = time.monotonic(), self._traces()
            self.deployment.refresh()
            snapshot, before = self.deployment.snapshot, self._served
            changed = snapshot is not before.snapshot
            if changed:
                self._served = Served(snapshot, self.deployment.live, before, self._wall)
            self._served.impressions.refresh()
            return changed

    def close(self) -> None:
        """Write what is still to be remembered of lists, and let go of the campaign's files."""
        if self._log is not None:
            self._log.close()
        self.deployment.close()

    def cache_report(self) -> CacheReport:
        """Hits, misses and milliseconds saved; all 0 without a cache."""
        return CacheReport() if self.cache is None else self.cache.report()

    def served(self) -> Served:
        """What requests are answered with now, after a look for something newer where that is due."""
        if time.monotonic() - self._looked > REFRESH and not self._lock.locked():
            self._looked = time.monotonic()
            if self._traces() != self._seen:
                self.refresh()
        return self._served

    def plan(self, served: Served, request: Request, kind: str) -> Plan:
        """Check a request and make it ready."""
        limits = self._limits or Limits(results=served.snapshot.settings.max_results)
        request.check(limits)
        return plan_of(served, request, kind, int(self._clock()), self.resolve)

    def resolve(self, given: str) -> tuple[str, str]:
        """A filter's name or text to its name ("" for a text) and its text.

        Raises:
            FilterError: it is a name, and there is no such filter; the message names the nearest.
        """
        if not NAME.fullmatch(given):
            return "", given
        if self._filters is None:
            from workbench.serving.filter_store import FilterStore  # not needed to open a campaign

            self._filters = FilterStore(self.deployment.path, self.deployment.group)
        return self._filters.resolve(given)

    def _traces(self) -> tuple[int, ...]:
        """What changes when the catalogue or the live events do, read without asking either."""
        files = (self.deployment.path / name for name in (CATALOG, f"{CATALOG}-wal"))
        times = [path.stat().st_mtime_ns if path.exists() else 0 for path in files]
        live = self.deployment.live
        return (*times, 0 if live is None else live.position(), int(time.monotonic() / LONGEST))

    def _for_many(
        self, request: RecommendRequest | None, fields: Mapping[str, Any]
    ) -> tuple[Served, Plan, RecommendRequest]:
        asked = request if request is not None else RecommendRequest.of(**fields)
        if asked.user_id is not None:
            raise ServingError(f"The request is for user {asked.user_id!r}; give users as user_ids, and none in it.")
        self.refresh()
        return self._served, self.plan(self._served, asked, RECOMMEND), asked

    def _answer(
        self, request: Request, kind: str, make: Callable[[Served, Plan, Request, UserState, str], Response]
    ) -> Response:
        """Answer from the cache or anew, and remember the list under its id."""
        served = self.served()
        plan = self.plan(served, request, kind)
        snapshot = served.snapshot
        user_id = request.user_id if request.user_id is not None else ANYBODY
        state = snapshot.users.state(user_id) if user_id else UserState(ANYBODY)
        id_ = new_recommendation_id(campaign_key(snapshot.group, snapshot.campaign))
        if self.cache is None:
            response = make(served, plan, request, state, id_)
        else:
            key = self._key(served, plan, request, state)
            response, found = self.cache.answer(key, lambda: make(served, plan, request, state, id_), time.perf_counter)
            if found:
                response = dataclasses.replace(response, recommendation_id=id_, cached=True)
        if self._log is not None:
            explored = [EXPLORATION in each.reason for each in response.items]
            self._log.add(id_, snapshot.campaign, request.user_id, response.item_ids, explored)
        return response

    def _key(self, served: Served, plan: Plan, request: Request, state: UserState) -> Hashable | None:
        """All that an answer depends on; None where it must be made anew."""
        if (plan.weight > 0 and not self._explored_too) or plan.uses_now:
            return None
        snapshot = served.snapshot
        asked = json.dumps(request.to_json(), sort_keys=True, default=str)
        context = tuple(served.context.ready(request.context, plan.now).values.items())  # the hour, where it is read
        campaign = (snapshot.group, snapshot.campaign, snapshot.revision, snapshot.live_position)
        return (campaign, plan.kind, state.version, asked, plan.texts, context)

    def _recommend(self, served: Served, plan: Plan, request: RecommendRequest, state: UserState, id_: str) -> Response:
        context = served.context.ready(request.context, plan.now)
        history = history_of(state, served.snapshot.counts_as_interest, context.values)
        admitted = admit(served.snapshot, plan, state, history)
        promoted = self._promoted(plan, state, admitted)
        relevant = Alone(served.scorer.ask(history), admitted, promoted)
        made = make_list(served, plan, relevant, admitted, promoted, draws_of(request.seed, id_, request.user_id))
        return respond(served, plan, state, history, made, id_, context.notices)

    def _related(self, served: Served, plan: Plan, request: RelatedRequest, state: UserState, id_: str) -> Response:
        snapshot = served.snapshot
        code = snapshot.items.code_of(request.item_id)
        history = history_of(state, snapshot.counts_as_interest)
        admitted = admit(snapshot, plan, state, history, code)
        promoted = self._promoted(plan, state, admitted, code)
        relevant = RelatedTo(served, code, admitted, promoted)
        made = make_list(served, plan, relevant, admitted, promoted, draws_of(request.seed, id_, request.item_id))
        return respond_related(served, plan, request, state, relevant, made, id_)

    def _rank(self, served: Served, plan: Plan, request: RankRequest, state: UserState, id_: str) -> Response:
        refuse_twice(request.input_list)
        context = served.context.ready(request.context, plan.now)
        history = history_of(state, served.snapshot.counts_as_interest, context.values)
        admitted = admit(served.snapshot, plan, state, history)
        found = rank_list(served, plan, request.input_list, served.scorer.ask(history), admitted)
        return respond_ranked(served, plan, state, history, found, id_, context.notices)

    @staticmethod
    def _promoted(
        plan: Plan, state: UserState, admitted: Admitted, current_item: int | None = None
    ) -> tuple[Admitted, ...]:
        """Which items each promotion may take: its own filter counts, the request's does not; nothing seen before."""
        return tuple(
            admitted.under(*((None,) if own is None else own.masked(state, plan.now, current_item)))
            for _, own in plan.promotions
        )


def _log_of(deployment: Deployment) -> Any:
    if deployment.live is None:
        return None
    from workbench.data.events import RecommendationLog

    return RecommendationLog(deployment.path, deployment.group)
