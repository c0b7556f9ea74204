"""A given list in one user's order: GetPersonalizedRanking."""

from dataclasses import dataclass

import numpy as np

from workbench.errors import ServingError
from workbench.serving.admission import Admitted
from workbench.serving.filter_tree import INCLUDE
from workbench.serving.plans import Plan
from workbench.serving.responses import RuleEffect
from workbench.serving.scored_lists import Question
from workbench.serving.served import Served

NAMED = 3  # removed or unknown ids that a text names


@dataclass(frozen=True, eq=False)
class Ranked:
    """A given list in order.

    ids: what is left of it, best first; codes: (places,) -1 where unknown; scores: (places,) float32, NaN without.
    """

    ids: list[str]
    codes: np.ndarray
    scores: np.ndarray
    rules: tuple[RuleEffect, ...]
    notices: tuple[str, ...]


def refuse_twice(ids: tuple[str, ...]) -> None:
    """Refuse a list that holds an item twice.

    Raises:
        ServingError: names the item and both places.
    """
    if len(set(ids)) == len(ids):
        return
    places: dict[str, int] = {}
    for place, item in enumerate(ids, start=1):
        if item in places:
            raise ServingError(
                f"input_list holds item {item!r} at place {places[item]} and again at place {place}; "
                "each item may stand once. Send it once."
            )
        places[item] = place


def rank_list(served: Served, plan: Plan, ids: tuple[str, ...], question: Question, admitted: Admitted) -> Ranked:
    """Put a list into a user's order.

    Items that the model scores come first, equal scores in the given order; then those it does not score but the
    datasets know, then unknown ids, both in the given order and without a score. Items that the filter keeps out are
    removed; an unknown id has no attributes, so an INCLUDE removes it and an EXCLUDE does not.

    Args:
        served, plan: what answers, and what is asked.
        ids: at least one, each once.
        question: the user's scores.
        admitted: which items the filter lets through.

    Source: Amazon Personalize, GetPersonalizedRanking: unknown items are appended at the end; filters apply.
    """
    codes = served.snapshot.items.codes_of(ids).astype(np.int64)
    kept = np.ones(len(codes), dtype=bool)
    if admitted.mask is not None:
        known = codes >= 0
        kept[known] = admitted.lets_through(codes[known])
        kept[~known] = not any(each.action == INCLUDE for each in plan.filter.compiled.filter.expressions)
    scores = np.full(len(codes), np.nan, dtype=np.float32)
    scored = kept & (codes >= 0) & (codes < served.scorer.n_items)
    scores[scored] = question.of(codes[scored])
    group = np.where(codes < 0, 2, np.where(codes < served.scorer.n_items, 0, 1))
    order = np.lexsort((-np.where(np.isnan(scores), 0, scores), group))
    order = order[kept[order]]
    return Ranked(
        [ids[place] for place in order.tolist()],
        codes[order],
        scores[order],
        _removed(plan, [ids[place] for place in np.flatnonzero(~kept).tolist()], len(ids)),
        _unscored(
            [ids[place] for place in np.flatnonzero(kept & (group == 2)).tolist()], int((kept & (group == 1)).sum())
        ),
    )


def _removed(plan: Plan, out: list[str], given: int) -> tuple[RuleEffect, ...]:
    if plan.filter is None:
        return ()
    said = f"removed {len(out):,} of {given:,} given items{_named(out)}"
    return (RuleEffect("filter", plan.filter.name, removed=len(out), text=said),)


def _unscored(unknown: list[str], unscored: int) -> tuple[str, ...]:
    notices = []
    if unscored:
        they = (
            "1 item is new to the model; it stands"
            if unscored == 1
            else f"{unscored:,} items are new to the model; they stand"
        )
        notices.append(f"{they} behind the scored ones, without a score.")
    if unknown:
        they = "1 unknown item stands" if len(unknown) == 1 else f"{len(unknown):,} unknown items stand"
        notices.append(f"{they} at the end, without a score{_named(unknown)}.")
    return tuple(notices)


def _named(ids: list[str]) -> str:
    if not ids:
        return ""
    more = f" and {len(ids) - NAMED:,} more" if len(ids) > NAMED else ""
    return f": {', '.join(map(repr, ids[:NAMED]))}{more}"
