"""Given lists put in order and items like one, in tables and sentences."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.columns import CREATION_TIMESTAMP
from workbench.serving.requests import RankRequest
from workbench.serving.responses import POPULAR, Response
from workbench.serving.snapshot import Snapshot
from workbench.serving.tables import EntityTable
from workbench.show.lists import details_of, title_of

ALIKE = "likeness alone"


def given_table(request: RankRequest, items: EntityTable) -> pd.DataFrame:
    """A list as it was given: PLACE, ITEM_ID, ITEM, SAID (given twice, unknown); every mention of an item a row."""
    rows, seen = [], {}
    for place, item in enumerate(request.input_list, start=1):
        said = f"again; first at place {seen[item]}" if item in seen else ""
        said = said or ("no item of this id is known" if items.code_of(item) < 0 else "")
        rows.append((place, item, title_of(items, item), said))
        seen.setdefault(item, place)
    return pd.DataFrame(rows, columns=["PLACE", "ITEM_ID", "ITEM", "SAID"])


def item_table(snapshot: Snapshot, item_id: str, columns: Sequence[str] = ()) -> pd.DataFrame:
    """One item in one row: ITEM_ID, ITEM, ABOUT (its attributes), EVENTS (stored ones that count)."""
    items, code = snapshot.items, snapshot.items.code_of(item_id)
    events = int(snapshot.popularity[code]) if code >= 0 else 0
    row = (item_id, title_of(items, item_id), details_of(items, item_id, columns), events)
    return pd.DataFrame([row], columns=["ITEM_ID", "ITEM", "ABOUT", "EVENTS"])


def pairs_turned(given: Sequence[str], ordered: Sequence[str]) -> float:
    """Share of the pairs of items that stand the other way round than they were given; 0 where there is no pair."""
    places = {item: place for place, item in enumerate(given)}
    after = np.array([places[item] for item in ordered])
    turned = sum(int((after[first + 1 :] < after[first]).sum()) for first in range(len(after)))
    pairs = len(after) * (len(after) - 1) // 2
    return turned / pairs if pairs else 0.0


def agreement_table(responses: Mapping[str, Response], items: EntityTable) -> pd.DataFrame:
    """Which list holds which item where: ITEM, a column of places for every list (missing: not listed), LISTS.

    Items of most lists come first, then by their best place.
    """
    places = {name: {each.item_id: each.position for each in one.items} for name, one in responses.items()}
    ids = dict.fromkeys(each for one in responses.values() for each in one.item_ids)
    table = pd.DataFrame({"ITEM": [title_of(items, each) for each in ids]})
    for name, found in places.items():
        table[name] = pd.array([found.get(each) for each in ids], dtype="Int64")
    lists, best = table[list(places)].notna().sum(axis=1), table[list(places)].min(axis=1)
    return (
        table.assign(LISTS=lists, BEST=best)
        .sort_values(["LISTS", "BEST"], ascending=[False, True], kind="stable", ignore_index=True)
        .drop(columns="BEST")
    )


def influences(snapshot: Snapshot, popularity: float, freshness: float) -> dict[str, dict[str, float]]:
    """Ranking influences to put beside each other, by a few words; those that are 0 or that the data lack left out.

    Args:
        snapshot: of a campaign; freshness needs CREATION_TIMESTAMP in its items.
        popularity, freshness: 0 to 1.

    Returns:
        A few words to CampaignSettings.ranking_influence, the list without any influence first.
    """
    found: dict[str, dict[str, float]] = {ALIKE: {"POPULARITY": 0.0, "FRESHNESS": 0.0}}
    if popularity:
        found[f"popularity {popularity:g}"] = {"POPULARITY": float(popularity), "FRESHNESS": 0.0}
    if freshness and CREATION_TIMESTAMP in snapshot.items.columns:
        found[f"freshness {freshness:g}"] = {"POPULARITY": 0.0, "FRESHNESS": float(freshness)}
    return found


def influence_table(responses: Mapping[str, Response], snapshot: Snapshot) -> pd.DataFrame:
    """What an influence did to a list: LIST, KEPT (items shared with the first list), medians of EVENTS and of AGE."""
    first = next(iter(responses.values()), None)
    rows = []
    for name, response in responses.items():
        codes = snapshot.items.codes_of(response.item_ids)
        kept = len(set(first.item_ids) & set(response.item_ids))
        events, ages = snapshot.popularity[codes], snapshot.ages()[codes]
        rows.append(
            (name, kept, float(np.median(events)), round(float(np.median(ages)), 1))
            if len(codes)
            else (name, 0, None, None)
        )
    return pd.DataFrame(rows, columns=["LIST", "KEPT", "MEDIAN EVENTS", "MEDIAN AGE, DAYS"])


def answers_by_relation(response: Response) -> bool:
    """Whether the list is of related items, and not the popular ones that stand in for them."""
    return bool(response.items) and all(POPULAR not in each.reason for each in response.items)


def reading(
    given: Sequence[str],
    ordered: Response,
    likes: Mapping[str, Response],
    cold: Mapping[str, Response],
    effects: pd.DataFrame,
) -> str:
    """Three sentences: how far a list was turned, how far recipes agree, and who knows an item that nobody chose.

    Args:
        given: distinct item ids as they were given.
        ordered: the answer.
        likes, cold: recipe to related items, of an item that many chose and of one that few or none did.
        effects: of `influence_table`.
    """
    turned = pairs_turned(given, ordered.item_ids)
    first = f"The user's order turns {turned:.0%} of the pairs of the {len(ordered.items):,} given items round."
    sets = [set(each.item_ids) for each in likes.values()]
    common, every = set.intersection(*sets), set.union(*sets)
    second = (
        f"Asked for items like one, {len(likes):,} recipes name {len(every):,} different items and agree on "
        f"{len(common):,}: being chosen together, being alike and being described alike are different questions."
    )
    able = sorted(name for name, each in cold.items() if answers_by_relation(each))
    unable = sorted(set(cold) - set(able))
    third = f"For the item that fewest people chose, {_and(able)} {'finds' if len(able) == 1 else 'find'} relations"
    third += f"; {_and(unable)} can only offer popular items." if unable else "."
    moved = [f"{row['LIST']} keeps {row['KEPT']} of the list" for row in effects.iloc[1:].to_dict("records")]
    return f"{first} {second} {third}" + (f" Of the influences, {_and(moved)}." if moved else "")


def headline(given: Sequence[str], ordered: Response, likes: Mapping[str, Response]) -> list[dict]:
    """The numbers for a report's index page: pairs turned round, and items that all recipes name."""
    common = set.intersection(*(set(each.item_ids) for each in likes.values()))
    return [
        {"name": "pairs of the given list turned round", "value": pairs_turned(given, ordered.item_ids)},
        {"name": "related items that all recipes name", "value": len(common)},
    ]


def _and(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "none"
