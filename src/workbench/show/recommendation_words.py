"""Answers to requests in tables and sentences: what kept items out, what moved a score, what should be known."""

from collections.abc import Collection, Mapping, Sequence

import pandas as pd

from workbench.serving.reasons import PAST_ITEM
from workbench.serving.responses import Response
from workbench.serving.tables import EntityTable, UserState
from workbench.show.lists import details_of, title_of

RULES = {
    "filter": "filter",
    "seen": "seen before",
    "promotion": "promotion",
    "exploration": "exploration",
    "cap": "cap",
    "objective": "objective",
}


def history_table(state: UserState, items: EntityTable, columns: Sequence[str] = (), most: int = 10) -> pd.DataFrame:
    """The newest events of a user: WHEN (UTC date), ITEM, ABOUT (its attributes), WHERE ("live" or "stored")."""
    log, shown = state.events, range(len(state.events) - 1, max(-1, len(state.events) - 1 - most), -1)
    when = pd.to_datetime([int(log.times[row]) for row in shown], unit="s").strftime("%Y-%m-%d").tolist()
    ids = [str(items.ids[log.entities[row]]) if log.entities[row] >= 0 else "an unknown item" for row in shown]
    table = {"WHEN": when, "ITEM": [title_of(items, each) for each in ids]}
    table["ABOUT"] = [details_of(items, each, columns) for each in ids]
    return pd.DataFrame(table)


def rules_table(responses: Mapping[str, Response]) -> pd.DataFrame:
    """What each rule did to each list: LIST, RULE, KEPT OUT (items), MOVED (places), IN WORDS."""
    rows = [
        (name, RULES.get(each.rule, each.rule), each.removed, each.moved, each.text)
        for name, response in responses.items()
        for each in response.rules
    ]
    return pd.DataFrame(rows, columns=["LIST", "RULE", "KEPT OUT", "MOVED", "IN WORDS"])


def notices_table(responses: Mapping[str, Response]) -> pd.DataFrame:
    """What should be known of the lists: LISTS (those that say it), NOTICE; one row that says so where nothing is."""
    found: dict[str, list[str]] = {}
    for name, response in responses.items():
        for each in response.notices:
            found.setdefault(each, []).append(name)
    rows = [("all" if len(names) == len(responses) else ", ".join(names), said) for said, names in found.items()]
    return pd.DataFrame(rows or [("all", "nothing to be known")], columns=["LISTS", "NOTICE"])


def influences_table(response: Response, items: EntityTable, place: int = 1) -> pd.DataFrame:
    """What moved the score of one place of an explained list, largest first: WHAT, KIND, SHARE, SPOKE (for, against).

    Args:
        response: with explanations.
        items: for titles.
        place: counted from 1.
    """
    told = response.items[place - 1].explanation if len(response.items) >= place else None
    rows = [
        (title_of(items, each.name) if each.kind == PAST_ITEM else each.name, each.kind, each.share)
        for each in (told.influences if told else ())
    ]
    table = pd.DataFrame(rows, columns=["WHAT", "KIND", "SHARE"])
    return table.assign(SPOKE=["for" if share > 0 else "against" for share in table["SHARE"]])


def shared(first: Response, second: Response) -> int:
    """How many items stand in both lists."""
    return len(set(first.item_ids) & set(second.item_ids))


def situations(learned: Mapping[str, Sequence[str]], given: Mapping[str, str], most: int = 3) -> dict[str, dict]:
    """Requests' contexts to put beside each other: nothing said, what is given, and single values that were learned.

    Args:
        learned: column to the values that the model knows; see `ContextRules.learned`.
        given: a context; may be empty.
        most: values of the first learned column, in order of the alphabet.

    Returns:
        A few words to the context; equal ones stand once.
    """
    found: dict[str, dict] = {"nothing said": {}}
    column = next(iter(sorted(learned)), None)
    single = [] if column is None else [{column: value} for value in sorted(learned[column])[:most]]
    for context in ([dict(given)] if given else []) + single:
        if context not in found.values():
            found[", ".join(f"{name} = {value}" for name, value in context.items())] = context
    return found


def context_sentence(columns: Sequence[str], learned: Collection[str]) -> str:
    """Say which columns of the interactions a request may give as context, and which of them the recipe learned from.

    Returns:
        Markdown; column names stand as code, so that nothing in them is read as markup.
    """
    there = ", ".join(_code(each) for each in columns) or "none"
    known = ", ".join(_code(each) for each in sorted(learned)) or "none"
    return f"Context columns of the interactions: {there}. The recipe learned from: {known}."


def headline(dial: pd.DataFrame, known: Response) -> list[dict]:
    """The numbers for a report's index page: what the highest weight explores and costs, and what was kept out."""
    high = dial.loc[dial["WEIGHT"].idxmax()]
    kept = sum(each.removed for each in known.rules)
    return [
        {"name": f"places that explore at weight {high['WEIGHT']:g}", "value": high["SHARE"]},
        {"name": f"relevance given up at weight {high['WEIGHT']:g}", "value": high["GIVEN_UP"]},
        {"name": "items kept out of one user's list", "value": kept},
    ]


def reading(known: Response, anonymous: Response, stranger: Response, dial: pd.DataFrame) -> str:
    """Three sentences: what was kept out of a list, what exploration gives and takes, what strangers get.

    Args:
        known, anonymous, stranger: lists of a user with a history, of a session and of somebody without any event.
        dial: of `serving.exploration_dial.dial`.
    """
    kept = sum(each.removed for each in known.rules)
    first = (
        f"The user's list holds {len(known.items):,} items; {kept:,} others were kept out because they were had "
        "before, and each place says why its item stands there."
    )
    low, high = dial.iloc[0], dial.iloc[-1]
    second = (
        f"Turning exploration from weight {low['WEIGHT']:g} to {high['WEIGHT']:g} takes the share of explored places "
        f"from {low['SHARE']:.1%} to {high['SHARE']:.1%} over {int(high['LISTS']):,} lists, gets "
        f"{int(high['NEW_SHOWN']):,} different new items shown instead of {int(low['NEW_SHOWN']):,}, and gives up "
        f"{high['GIVEN_UP']:.1%} of the relevance instead of {low['GIVEN_UP']:.1%}."
    )
    same = shared(anonymous, stranger)
    third = (
        f"The anonymous visitor's list shares {same:,} of {len(stranger.items):,} items with the list of somebody of "
        "whom nothing is known"
        + (": what a session did counts from its first event." if same < len(stranger.items) else ".")
    )
    return f"{first} {second} {third}"


def _code(name: str) -> str:
    return f"`{name.replace('`', chr(39))}`"
