"""From a list of codes to the response: ids, scores, reasons, metadata and explanations."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.recipes.contract import Histories
from workbench.serving.list_making import Made
from workbench.serving.plans import Plan
from workbench.serving.ranked import Ranked
from workbench.serving.reasons import Explainer, metadata_of
from workbench.serving.related import RelatedTo
from workbench.serving.requests import RelatedRequest
from workbench.serving.responses import (
    EXPLORATION,
    POPULAR,
    PROMOTED,
    RANK,
    RECOMMEND,
    RELATED,
    Explanation,
    RecommendedItem,
    Response,
)
from workbench.serving.served import Served
from workbench.serving.tables import UserState

NEW = "New item"  # the model does not know it
UNKNOWN = "Unknown item"  # nobody knows it
NO_REASON: tuple[str, ...] = ()
REASONS = {PROMOTED: (PROMOTED,), EXPLORATION: (EXPLORATION,), POPULAR: (POPULAR,), NEW: (NEW,), UNKNOWN: (UNKNOWN,)}


def respond(
    served: Served, plan: Plan, state: UserState, history: Histories, made: Made, id_: str, said: Sequence[str] = ()
) -> Response:
    """Answer a request for a user's list.

    Args:
        served, plan: what answers, and what is asked.
        state, history: of the user; the history is what the recipe read.
        made: the list.
        id_: the recommendation's.
        said: notices besides, such as a missing context.
    """
    popular = served.personal and not len(history.items)
    explainer = Explainer(served.snapshot.recipe, served.snapshot.items, history) if plan.explain else None
    notices = (*_about_user(served, state, history), *said, *plan.notices, *made.notices)
    return Response(
        recommendation_id=id_,
        items=items_of(served, plan, made, popular, explainer),
        kind=RECOMMEND,
        user_id=state.user_id or None,
        exploration_share=made.share,
        rules=made.rules,
        notices=notices,
        user_version=state.version,
        relevance=made.relevance,
        details=details_of(served),
    )


def respond_related(
    served: Served,
    plan: Plan,
    request: RelatedRequest,
    state: UserState,
    relevant: RelatedTo,
    made: Made,
    id_: str,
) -> Response:
    """Answer a request for related items; the explanation is what a history of just that item would get."""
    recipe, history = served.related_recipe, relevant.history()
    explainer = Explainer(recipe, served.snapshot.items, history, related=True) if plan.explain else None
    return Response(
        recommendation_id=id_,
        items=items_of(served, plan, made, not relevant.known, explainer),
        kind=RELATED,
        user_id=state.user_id or None,
        rules=made.rules,
        notices=(*relevant.notices(request.item_id), *plan.notices, *made.notices),
        user_version=state.version,
        relevance=made.relevance,
        details=details_of(served) | {"item_id": request.item_id},
    )


def respond_ranked(
    served: Served, plan: Plan, state: UserState, history: Histories, found: Ranked, id_: str, said: Sequence[str] = ()
) -> Response:
    """Answer a request to put a list in order; arguments as `respond`."""
    snapshot = served.snapshot
    popular = served.personal and not len(history.items)
    explainer = Explainer(snapshot.recipe, snapshot.items, history) if plan.explain else None
    items = []
    for place, (item, code, score) in enumerate(
        zip(found.ids, found.codes.tolist(), found.scores.tolist(), strict=True), start=1
    ):
        scored = score == score
        why = REASONS[POPULAR] if popular and scored else NO_REASON if scored else REASONS[UNKNOWN if code < 0 else NEW]
        told = None if explainer is None or code < 0 else explained(served, explainer, code, why, None)
        columns = metadata_of(snapshot.items, code, plan.columns)
        items.append(RecommendedItem(item, place, score if scored else None, why, metadata=columns, explanation=told))
    return Response(
        recommendation_id=id_,
        items=tuple(items),
        kind=RANK,
        user_id=state.user_id or None,
        rules=found.rules,
        notices=(*_about_user(served, state, history), *said, *plan.notices, *found.notices),
        user_version=state.version,
        details=details_of(served),
    )


def details_of(served: Served) -> dict[str, Any]:
    """What answered: campaign, revision, solution, version, recipe."""
    snapshot = served.snapshot
    return {
        "campaign": snapshot.campaign,
        "revision": snapshot.revision,
        "solution": snapshot.solution,
        "version": snapshot.version,
        "recipe": snapshot.recipe.name,
    }


def _about_user(served: Served, state: UserState, history: Histories) -> tuple[str, ...]:
    """Say where the recipe had nothing of the user to go by."""
    if not served.personal or len(history.items):
        return ()
    if not state.user_id:
        return ("No user is given: the order is the one for everybody, by popularity.",)
    if not state.known:
        return (f"Nothing is known of user {state.user_id!r}: no event is stored. The order is by popularity.",)
    return (
        f"None of the {len(state.events):,} events of user {state.user_id!r} counts for this model: they are about "
        "items it does not know, or of types it was not trained on. The order is by popularity.",
    )


def items_of(
    served: Served, plan: Plan, made: Made, popular: bool, explainer: Explainer | None
) -> tuple[RecommendedItem, ...]:
    """Write a list's places.

    Args:
        served, plan: what answers, and what is asked.
        made: the list.
        popular: whether it is the recipe's fallback for somebody of whom nothing is known.
        explainer: None explains nothing.
    """
    ids = served.snapshot.items.ids[made.codes].tolist()
    reasons = _reasons(served, made, popular)
    if explainer is None and not plan.columns and made.promoted is None:
        rows = zip(ids, range(1, len(ids) + 1), _scores(made.scores), reasons, strict=True)
        return tuple(RecommendedItem(*row) for row in rows)
    names = [None] * len(ids) if made.promoted is None else made.promoted.tolist()
    codes = made.codes.tolist()
    return tuple(
        RecommendedItem(
            item,
            place + 1,
            score,
            why,
            names[place],
            metadata_of(served.snapshot.items, codes[place], plan.columns),
            None if explainer is None else explained(served, explainer, codes[place], why, names[place]),
        )
        for place, (item, score, why) in enumerate(zip(ids, _scores(made.scores), reasons, strict=True))
    )


def explained(
    served: Served, explainer: Explainer, code: int, why: Sequence[str], promotion: str | None
) -> Explanation:
    """Say why an item stands where it does, rules included."""
    rules, instead = [], ""
    if PROMOTED in why:
        instead = f"promoted by {promotion}"
        rules.append(f"promotion {promotion} put it here")
    elif EXPLORATION in why:
        instead = "new: shown to learn who likes it"
        rules.append("exploration put it here")
    elif POPULAR in why:
        instead = "popular with everybody"
    objective = served.snapshot.objective
    if objective is not None and objective.weight > 0 and not rules:
        rules.append(f"objective {objective.column} counts {objective.weight:.0%} beside relevance")
    return explainer.explanation(code, rules, instead)


def _reasons(served: Served, made: Made, popular: bool) -> list[tuple[str, ...]]:
    """Why every place holds its item; empty where its score for this user does it."""
    codes, recipe = made.codes.tolist(), served.snapshot.recipe
    if popular:
        reasons = [REASONS[POPULAR]] * len(codes)
    elif served.personal:
        reasons = [NO_REASON] * len(codes)
    else:
        reasons = [(text,) if code < served.scorer.n_items and (text := recipe.reason(code)) else () for code in codes]
    if len(codes) and made.codes.max() >= served.scorer.n_items:
        reasons = [
            REASONS[NEW] if code >= served.scorer.n_items else why for code, why in zip(codes, reasons, strict=True)
        ]
    if made.explored.any():
        for place in np.flatnonzero(made.explored).tolist():
            reasons[place] = REASONS[EXPLORATION]
    if made.promoted is not None:
        reasons = [REASONS[PROMOTED] if name else why for name, why in zip(made.promoted, reasons, strict=True)]
    return reasons


def _scores(scores: np.ndarray) -> list[float | None]:
    found = scores.tolist()
    return found if not np.isnan(scores).any() else [None if score != score else score for score in found]
