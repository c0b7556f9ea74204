"""Filters and promotions in tables and sentences: what is removed and by what, who would take it, what it costs."""

from collections.abc import Mapping, Sequence

import pandas as pd

from workbench.serving.filter_bench import Attempt
from workbench.serving.filter_errors import printable
from workbench.serving.filter_explain import FilterExplanation, shown
from workbench.serving.filter_portable import Portability
from workbench.serving.filter_verdict import ConditionVerdict, Verdict
from workbench.serving.requests import RecommendRequest
from workbench.serving.responses import Response
from workbench.serving.tables import UserState
from workbench.show.recommendation_words import RULES
from workbench.show.tables import shorten

TAKEN = {True: "✓ yes", False: "✗ no", None: "–"}
HOLDS = {True: "✓ holds", False: "✗ does not", None: "– left out"}


def mask_table(explanation: FilterExplanation) -> pd.DataFrame:
    """What each part of a filter does: PART (conditions indented), APPLIES, MATCHES, NO VALUE, LEFT WITHOUT IT (items
    that could be listed if this part were left out) and CHANGE, that number against what is left now.
    """
    rows = []
    for row in explanation.records():
        part = f"\u2003{row['CONDITION']}" if row["CONDITION"] else row["EXPRESSION"]
        part = printable(shorten(part))
        without = row["LEFT_WITHOUT"]
        counts = (row["MATCHED"], row["MISSING"], without, f"{without - explanation.left:+,}")
        rows.append((part, "yes" if row["APPLIES"] else "no", *counts))
    columns = ["PART", "APPLIES", "MATCHES", "NO VALUE", "LEFT WITHOUT IT", "CHANGE"]
    return pd.DataFrame(rows, columns=columns)


def mask_sentence(explanation: FilterExplanation) -> str:
    """How many may be listed, for whom the filter does not apply, and a warning where that is too few."""
    kind = explanation.kind.lower()
    removed = explanation.total - explanation.left
    said = [f"{explanation.left:,} of {explanation.total:,} {kind} may be listed; {removed:,} are kept out."]
    unless = dict.fromkeys(words for each in explanation.expressions for words in each.unless)
    said += [f"Not for this user: {shorten(words)}." for words in unless]
    said += [f"⚠ {each}" for each in explanation.warnings]
    return printable(" ".join(said))


def portable_sentence(portability: Portability) -> str:
    """Whether Amazon Personalize would take a filter, why not, and what it does not document."""
    if portability.accepted:
        said = "✓ Amazon Personalize would take it."
    else:
        said = f"✗ Amazon Personalize would not take it: {' '.join(portability.reasons)}"
    return " ".join([said, *(f"Beware: {each}" for each in portability.cautions)])


def portable_table(attempts: Mapping[str, Attempt]) -> pd.DataFrame:
    """Several filters beside each other: NAME, FILTER, LEFT (items; missing where it cannot be used), PERSONALIZE
    (would take it; unknown of what cannot be used here), WHY (why not, or why it cannot be used here).
    """
    rows = []
    for name, each in attempts.items():
        taken = TAKEN[each.portability and each.portability.accepted]
        reasons = " ".join(each.portability.reasons) if each.portability else ""
        left = None if each.explanation is None else each.explanation.left
        why = each.error.splitlines()[0] if each.error else reasons
        rows.append((name, each.text, left, taken, why))
    table = pd.DataFrame(rows, columns=["NAME", "FILTER", "LEFT", "PERSONALIZE", "WHY"])
    return table.astype({"LEFT": "Int64"})


def verdict_table(verdict: Verdict) -> pd.DataFrame:
    """How each part comes out for one item: DEPTH, TEXT, HOLDS (a sign and words), HERE (the value there is)."""
    rows = []
    for each in verdict.expressions:
        rows.append((0, each.text, "matches" if each.matches else "matches not" if each.applies else "not applied", ""))
        rows += [
            (1, f"{'NOT ' * part.negated}{part.text}", _held(part), f" (here {part.value})") for part in each.conditions
        ]
    return pd.DataFrame(rows, columns=["DEPTH", "TEXT", "HOLDS", "HERE"])


def _held(part: ConditionVerdict) -> str:
    return HOLDS[None if part.held is None else part.held != part.negated]


def verdict_sentence(verdict: Verdict) -> str:
    """Whether an item may be listed, and what decided it."""
    head = f"Item {shorten(repr(verdict.id), 60)} {'may' if verdict.listed else 'may not'} be listed."
    return " ".join([f"{'✓' if verdict.listed else '✗'} {head}", *(shorten(each, 400) for each in verdict.reasons)])


def user_sentence(state: UserState) -> str:
    """Who a list is for: the id, how many events there are, the attributes that filters can ask about."""
    about = ", ".join(f"{name} {shown(value)}" for name, value in state.attributes.items() if value is not None)
    return f"{shorten(state.user_id, 60)}: {len(state.events):,} events; {about or 'nothing else is known'}"


def kept_out(without: Response, within: Response) -> list[str]:
    """Ids that stand in a list without a filter and not in the one with it, best first."""
    return [each for each in without.item_ids if each not in within.item_ids]


def effects_table(responses: Mapping[str, Response]) -> pd.DataFrame:
    """What the rules did to each list and what they cost: LIST, RULE, MOVED (places), IN WORDS, RELEVANCE GIVEN UP."""
    rows = []
    for name, response in responses.items():
        cost = None if response.relevance is None else response.relevance.given_up
        rows += [
            (name, RULES.get(each.rule, each.rule), each.moved, each.text, None if cost is None else f"{cost:.1%}")
            for each in response.rules
            if each.rule in ("promotion", "cap")
        ]
    return pd.DataFrame(rows, columns=["LIST", "RULE", "MOVED", "IN WORDS", "RELEVANCE GIVEN UP"])


def request_sentence(request: RecommendRequest) -> str:
    """What of a request Amazon Personalize would not take."""
    found = request.beyond_personalize()
    if not found:
        return "Amazon Personalize would take this request as it is."
    return f"Amazon Personalize would not take this request: {'; '.join(found)}."


def headline(attempt: Attempt, cost: pd.DataFrame, several: Response) -> list[dict]:
    """The numbers for a report's index page: what the filter leaves, and what promotions cost."""
    high = cost.loc[cost["PERCENT"].idxmax()]
    left = attempt.explanation.left if attempt.explanation is not None else 0
    given = several.relevance.given_up if several.relevance is not None else 0.0
    return [
        {"name": "items that the filter leaves", "value": left},
        {"name": "relevance given up by all rules in one list", "value": given},
        {"name": f"relevance given up at {high['PERCENT']:.0f} % promoted", "value": high["GIVEN_UP"]},
    ]


def reading(attempt: Attempt, left: Sequence[int], cost: pd.DataFrame) -> str:
    """Three sentences: what the filter leaves and why, how that differs between people, what promotions cost.

    Args:
        attempt: of the filter.
        left: items that it leaves to each of some users; at least one where it could be used.
        cost: of `serving.promotion_cost.promotion_cost`.
    """
    third = _cost_sentence(cost)
    if attempt.error:
        return f"The filter cannot be used: {_code(attempt.error.splitlines()[0])} Lists are made without it. {third}"
    said = attempt.explanation
    if said is None:
        return f"There is no filter, so that everything may be listed. {third}"
    parts = [part for each in said.expressions if each.applies for part in each.conditions]
    most = max(parts, key=lambda part: part.left_without, default=None)
    first = f"The filter leaves {said.left:,} of {said.total:,} items"
    if most is not None and most.left_without > said.left:
        first += f"; leaving out {_code(most.text)} would bring back {most.left_without - said.left:,} more"
    second = f"Over {len(left):,} users it leaves between {min(left):,} and {max(left):,} items, as it asks about them"
    if min(left) == max(left):
        second = f"It leaves as many to each of {len(left):,} users"
    return f"{first}. {second}. {third}"


def _cost_sentence(cost: pd.DataFrame) -> str:
    low, high = cost.loc[cost["PERCENT"].idxmin()], cost.loc[cost["PERCENT"].idxmax()]
    return (
        f"Promoting {high['PERCENT']:.0f} % of the places instead of {low['PERCENT']:.0f} % fills "
        f"{high['PLACED']:.0%} of them and gives up {high['GIVEN_UP']:.1%} of the relevance instead of "
        f"{low['GIVEN_UP']:.1%}, on average over {int(high['LISTS']):,} lists."
    )


def _code(words: str) -> str:
    return f"`{shorten(words, 120).replace('`', chr(39))}`"
