"""Promoted items in a list: a share of its places or certain ones, several promotions at once, and what that costs.

A promotion of `percent` gets percent · k / 100 places, rounded to the nearest whole number (a half upwards), at least
one. Its items take places drawn at random among all, in sorted order among themselves; the other items keep their own
order. With too few candidates as many as there are get a place, and the rest of the list stays as it would be. An item
stands in a list once: what is promoted is not listed again by its relevance.

Where several promotions want the same item or the same place, the earlier one has it. Percent, random places and sorted
order are Personalize's rules; rounding, slots, precedence and caps are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.errors import ServingError
from workbench.serving.caps import ReadyCap, Tallies
from workbench.serving.relevance import Relevance, relevance


@dataclass(frozen=True, eq=False)
class ReadyPromotion:
    """A promotion whose filter has been applied.

    name: marks its items.
    percent: of the places, 1 to 100; None only with slots.
    candidates: item codes that may be promoted, best first. The filter of the request has no say here.
    slots: certain places, counted from 1; with a percent above their number the rest stand at random.
    cap: at most so many items.
    """

    name: str
    percent: int | None
    candidates: np.ndarray
    slots: tuple[int, ...] | None = None
    cap: int | None = None

    def __post_init__(self) -> None:
        """Refuse a share outside 1 to 100, and a promotion that names neither share nor places."""
        if self.percent is None and not self.slots:
            raise ServingError(f"Promotion {self.name!r} has neither a percent nor slots; give one of them.")
        if self.percent is not None and not 1 <= self.percent <= 100:
            raise ServingError(
                f"Promotion {self.name!r} wants {self.percent} percent of the places; "
                "it must be from 1 to 100. Leave the promotion out to have none."
            )
        if any(slot < 1 for slot in self.slots or ()):
            raise ServingError(
                f"Promotion {self.name!r} wants place {min(self.slots or ())}; the first place of a list is 1."
            )


@dataclass(frozen=True)
class PromotionEffect:
    """What became of a promotion.

    wanted, placed: items. text: the same for people, with why there are fewer.
    """

    name: str
    wanted: int
    placed: int
    text: str


@dataclass(frozen=True, eq=False)
class Promoted:
    """A list with promoted items in it.

    codes: (places,) item codes by position.
    names: (places,) object, the promotion that put the item there, None where its relevance did.
    effects: one a promotion, in the order given.
    moved: places that hold another item than the list without rules.
    relevance: of the list with and without promotions and caps; None without scores.
    """

    codes: np.ndarray
    names: np.ndarray
    effects: tuple[PromotionEffect, ...]
    moved: int
    relevance: Relevance | None


def promoted_places(percent: int, k: int) -> int:
    """How many of `k` places a share is: the nearest whole number, a half upwards, at least 1."""
    return min(k, max(1, (percent * k + 50) // 100))


def promote(
    order: np.ndarray,
    k: int,
    promotions: Sequence[ReadyPromotion],
    rng: np.random.Generator,
    *,
    caps: Sequence[ReadyCap] = (),
    scores: np.ndarray | None = None,
) -> Promoted:
    """Put promoted items into a list.

    Args:
        order: item codes that may be listed by relevance, best first; more than `k` where caps may leave some out.
        k: places.
        promotions: the earlier ones first in everything they want.
        rng: draws the places; the same state gives the same list. Untouched without promotions.
        caps: hold for the whole list; promoted items count, and are chosen first.
        scores: (n,) relevance by item code, to tell what is given up; NaN or -inf where there is none.

    Returns:
        The list; shorter than `k` only when there are too few items.
    """
    tallies = Tallies(caps)
    picked, effects, slots = _pick(k, promotions, tallies)
    chosen = {code for items in picked for code in items}
    room = k - len(chosen)
    if tallies:
        others = tallies.take(order, room, chosen)
    else:
        others = [code for code in order[:k].tolist() if code not in chosen][:room]
    codes, names = _lay_out(others, picked, slots, [each.name for each in promotions], rng)
    codes = codes.astype(order.dtype)
    before = order[:k]
    shared = min(len(before), len(codes))
    moved = int((before[:shared] != codes[:shared]).sum()) + abs(len(before) - len(codes))
    cost = None if scores is None else relevance(scores[before], scores[codes])
    return Promoted(codes, names, effects, moved, cost)


def _pick(
    k: int, promotions: Sequence[ReadyPromotion], tallies: Tallies
) -> tuple[list[list[int]], tuple[PromotionEffect, ...], list[list[int]]]:
    """Choose the items and certain places of every promotion, one promotion after the other.

    Returns:
        By promotion its item codes, best first; what became of it; its places, counted from 0.
    """
    picked: list[list[int]] = []
    places: list[list[int]] = []
    effects = []
    used: set[int] = set()
    gone: set[int] = set()
    for each in promotions:
        slots = sorted({slot - 1 for slot in each.slots or () if slot <= k} - gone)
        wanted = len(set(each.slots or ())) if each.percent is None else promoted_places(each.percent, k)
        allowed = len(slots) if each.percent is None else wanted
        allowed = min(allowed, k - len(used), wanted if each.cap is None else each.cap)
        if tallies:
            items = tallies.take(each.candidates, allowed, used)
        else:
            front = each.candidates[: allowed + len(used)].tolist()
            items = [code for code in dict.fromkeys(front) if code not in used][:allowed]
        used.update(items)
        gone.update(slots[: len(items)])
        picked.append(items)
        places.append(slots[: len(items)])
        effects.append(PromotionEffect(each.name, wanted, len(items), _said(each, k, wanted, allowed, items, slots)))
    return picked, tuple(effects), places


def _lay_out(
    others: list[int], picked: list[list[int]], slots: list[list[int]], names: Sequence[str], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Give every promoted item its place, in sorted order within its promotion, and the others what is left."""
    total = len(others) + sum(map(len, picked))
    codes = np.empty(total, dtype=np.int64)
    marks = np.full(total, None, dtype=object)
    fixed = [[place for place in each if place < total] for each in slots]  # a short list ends before some places
    free = np.ones(total, dtype=bool)
    free[[place for each in fixed for place in each]] = False
    waiting = sum(map(len, picked)) - sum(map(len, fixed))
    drawn = rng.choice(np.flatnonzero(free), waiting, replace=False).tolist() if waiting else []
    for name, items, own in zip(names, picked, fixed, strict=True):
        more = len(items) - len(own)
        where = sorted(own + drawn[:more])
        drawn = drawn[more:]
        codes[where] = items
        marks[where] = name
        free[where] = False
    codes[free] = others
    return codes, marks


def _said(
    promotion: ReadyPromotion, k: int, wanted: int, allowed: int, items: Sequence[int], slots: Sequence[int]
) -> str:
    """What became of a promotion, and why it has fewer items or places than it wanted."""
    why = []
    lost = sorted(set(promotion.slots or ()) - {place + 1 for place in slots})
    beyond = [str(place) for place in lost if place > k]
    taken = [str(place) for place in lost if place <= k]
    if taken:
        why.append(f"place {', '.join(taken)} belongs to an earlier promotion")
    if beyond:
        why.append(f"the list has {k} places, not {', '.join(beyond)}")
    if len(items) < allowed:
        left = "no item is" if not items else "only 1 item is" if len(items) == 1 else f"only {len(items)} items are"
        why.append(f"{left} left to promote")
    elif promotion.cap is not None and len(items) == promotion.cap < wanted:
        why.append(f"at most {promotion.cap} are to be")
    elif len(items) < wanted and not lost:
        why.append("earlier promotions fill the other places")
    return f"{promotion.name}: {len(items)} of {wanted} items{'; ' + ', '.join(why) if why else ''}"
