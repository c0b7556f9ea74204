"""One user's list: relevance first, then exploration, then promotions and caps, and what each of them did."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from workbench.serving.admission import Admitted
from workbench.serving.exploration import explore
from workbench.serving.plans import Plan
from workbench.serving.promotions import ReadyPromotion, promote
from workbench.serving.relevance import Relevance, relevance
from workbench.serving.responses import RuleEffect
from workbench.serving.scored_lists import Question, Scored, Scorer
from workbench.serving.served import Served

LONGER = 4  # times as many candidates are looked at when caps leave places empty


class Relevant(Protocol):
    """Where a user's relevance comes from: asked for alone, or worked out for a block of users beforehand."""

    def order(self, k: int) -> Scored:
        """The best `k` items that may be listed."""

    def promotable(self, number: int, k: int) -> np.ndarray:
        """Codes of the best `k` items of a promotion."""

    def of(self, codes: np.ndarray) -> np.ndarray:
        """Scores of given items that the recipe knows."""


class Alone:
    """Relevance of a user who is asked for alone."""

    def __init__(self, question: Question, admitted: Admitted, promoted: tuple[Admitted, ...]):
        """Take the user's scores, who may be listed, and who may be promoted by every promotion."""
        self.question, self.admitted, self.promoted = question, admitted, promoted
        self.of = question.of

    def order(self, k: int) -> Scored:
        """See `Relevant`."""
        return self.question.top(k, self.admitted.allowed, self.admitted.barred_scored)

    def promotable(self, number: int, k: int) -> np.ndarray:
        """See `Relevant`."""
        whose = self.promoted[number]
        return self.question.top(k, whose.allowed, whose.barred_scored).codes


@dataclass(frozen=True, eq=False)
class Made:
    """A list of item codes with what put every item there.

    codes: (places,) by position.
    scores: (places,) float32 of the recipe, NaN for items that it does not know.
    explored: (places,) bool. promoted: (places,) object, the promotion's name or None; None where there was none.
    rules: what each rule did. relevance: what they cost; None where nothing changed the list.
    """

    codes: np.ndarray
    scores: np.ndarray
    explored: np.ndarray
    promoted: np.ndarray | None
    rules: tuple[RuleEffect, ...]
    relevance: Relevance | None
    notices: tuple[str, ...] = field(default=())

    @property
    def share(self) -> float:
        """Explored places ÷ places."""
        return float(self.explored.mean()) if len(self.explored) else 0.0


def make_list(
    served: Served,
    plan: Plan,
    relevant: Relevant,
    admitted: Admitted,
    promoted: tuple[Admitted, ...],
    draws: Callable[[], np.random.Generator],
) -> Made:
    """Make one user's list.

    Args:
        served, plan: what answers, and what is asked.
        relevant: the user's relevance.
        admitted: which items may be listed.
        promoted: which may be promoted, by promotion.
        draws: gives the generator that exploration and promotions draw from; called only when they do.
    """
    k, drawn = plan.k, _Once(draws)
    ready = _ready(served, plan, relevant, promoted)  # before the whole catalogue goes through the processor's cache
    best = relevant.order(k)
    codes, filled = _filled(served, admitted, best.codes, k)
    listed, explored = codes, np.zeros(len(codes), dtype=bool)
    rules = _kept_out(plan, admitted)
    if best.traded:
        weight = served.snapshot.objective.weight
        said = f"{served.snapshot.objective.column} counts {weight:.0%} beside relevance"
        rules.append(RuleEffect("objective", served.snapshot.objective.column, moved=best.traded, text=said))
    if plan.weight > 0:
        listed, explored = _explored(served, plan, admitted, codes, drawn, rules)
    marks = None
    if plan.promotions or plan.caps:
        listed, explored, marks = _promoted(served, plan, relevant, admitted, ready, (listed, explored), drawn, rules)
    if listed is codes and served.scorer.objective is None:
        scores = np.concatenate([best.scores, np.full(filled, np.nan, dtype=np.float32)]) if filled else best.scores
        return Made(codes, scores, explored, marks, tuple(rules), None, _short(plan, admitted, len(codes), filled))
    scores = _scores(served.scorer, relevant, listed)
    changed = not np.array_equal(listed, codes)
    cost = relevance(_scores(served.scorer, relevant, codes), scores) if changed else None
    return Made(listed, scores, explored, marks, tuple(rules), cost, _short(plan, admitted, len(listed), filled))


class _Once:
    """A generator that is made when first drawn from."""

    def __init__(self, make: Callable[[], np.random.Generator]):
        self._make, self._made = make, None

    def __call__(self) -> np.random.Generator:
        if self._made is None:
            self._made = self._make()
        return self._made


def _filled(served: Served, admitted: Admitted, codes: np.ndarray, k: int) -> tuple[np.ndarray, int]:
    """Put items that the recipe does not know behind a list that is too short; also how many."""
    if len(codes) >= k or admitted.n_scored == admitted.n_items:
        return codes, 0
    more = served.unscored(admitted.mask)
    more = more[~np.isin(more, admitted.barred)][: k - len(codes)]
    return np.concatenate([codes, more]), len(more)


def _explored(
    served: Served, plan: Plan, admitted: Admitted, codes: np.ndarray, drawn: _Once, rules: list[RuleEffect]
) -> tuple[np.ndarray, np.ndarray]:
    """Give some places to new items; the list and which places are explored."""
    eligible, counts = admitted.of(served.new_items, served.new_places), served.impressions
    if not len(eligible):
        rules.append(RuleEffect("exploration", text="no item is new enough to be explored"))
        return codes, np.zeros(len(codes), dtype=bool)
    found = explore(
        codes,
        eligible,
        counts.shown[eligible],
        counts.clicked[eligible],
        plan.weight,
        plan.k,
        drawn(),
        served.snapshot.settings.exploration_policy,
        counts.rate,
    )
    number = int(found.explored.sum())
    said = f"{number} of {len(found.codes)} places explore {len(eligible):,} new items at weight {plan.weight:g}"
    rules.append(RuleEffect("exploration", moved=number, text=said))
    return (found.codes, found.explored) if number else (codes, found.explored)


def _ready(
    served: Served, plan: Plan, relevant: Relevant, promoted: tuple[Admitted, ...]
) -> tuple[ReadyPromotion, ...]:
    """The promotions with the best items that each may take."""
    return tuple(
        ReadyPromotion(
            each.name,
            each.percent_promoted_items,
            _filled(served, whose, relevant.promotable(number, plan.k), plan.k)[0],
            each.slots,
            each.cap,
        )
        for number, ((each, _), whose) in enumerate(zip(plan.promotions, promoted, strict=True))
    )


def _promoted(
    served: Served,
    plan: Plan,
    relevant: Relevant,
    admitted: Admitted,
    ready: tuple[ReadyPromotion, ...],
    before: tuple[np.ndarray, np.ndarray],
    drawn: _Once,
    rules: list[RuleEffect],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Put promoted items in and keep to the caps; the list, which places are explored, which promoted by what."""
    listed, explored = before
    rng, order, wanted = drawn() if ready else None, listed, plan.k
    state = rng.bit_generator.state if ready and plan.caps else None
    while True:
        found = promote(order, plan.k, ready, rng, caps=plan.caps)
        if not plan.caps or len(found.codes) >= plan.k or len(order) < wanted:
            break
        wanted *= LONGER
        more = _filled(served, admitted, relevant.order(wanted).codes, wanted)[0]
        order = np.concatenate([listed, more[~np.isin(more, listed)]])
        if state is not None:
            rng.bit_generator.state = state  # a longer look must not draw other places
    rules += [RuleEffect("promotion", each.name, moved=each.placed, text=each.text) for each in found.effects]
    if plan.caps:
        placed = sum(effect.placed for effect in found.effects)
        out = max(0, int((~np.isin(listed, found.codes)).sum()) - placed)
        names = ", ".join(f"{each.name} at most {each.at_most}" for each in plan.caps)
        rules.append(RuleEffect("cap", names, removed=out, text=f"{out} items gave way: {names}"))
    new = set(listed[explored].tolist())
    flags = [code in new and mark is None for code, mark in zip(found.codes.tolist(), found.names, strict=True)]
    return found.codes, np.array(flags, dtype=bool), found.names


def _scores(scorer: Scorer, relevant: Relevant, codes: np.ndarray) -> np.ndarray:
    """The recipe's scores, NaN for items that it does not know."""
    known = codes < scorer.n_items
    if known.all():
        return relevant.of(codes)
    scores = np.full(len(codes), np.nan, dtype=np.float32)
    scores[known] = relevant.of(codes[known])
    return scores


def _kept_out(plan: Plan, admitted: Admitted) -> list[RuleEffect]:
    """What filter and history keep out of the list."""
    rules, n = [], admitted.n_items
    if plan.filter is not None:
        out = admitted.filtered()
        rules.append(RuleEffect("filter", plan.filter.name, removed=out, text=f"keeps out {out:,} of {n:,} items"))
    if admitted.seen:
        out = admitted.barred_besides()
        rules.append(RuleEffect("seen", removed=out, text=f"{out:,} items of the user's history are left out"))
    return rules


def _short(plan: Plan, admitted: Admitted, places: int, filled: int) -> tuple[str, ...]:
    """Say why a list is shorter than asked for, and what stands in it to fill it up."""
    notices = []
    if places < plan.k:
        why = [f"the filter keeps out {admitted.filtered():,}"] if plan.filter is not None else []
        why += [f"{admitted.barred_besides():,} were seen before"] if admitted.seen else []
        why += [f"the caps ({', '.join(each.name for each in plan.caps)}) allow no more"] if plan.caps else []
        said = (
            f": of {admitted.n_items:,} items {' and '.join(why)}" if why else f": there are {admitted.n_items:,} items"
        )
        notices.append(f"{places:,} of {plan.k:,} items asked for{said}.")
    if filled:
        notices.append(
            f"{filled:,} items without a score fill the list up; the model has never seen an event of theirs."
        )
    return tuple(notices)
