"""A game of picks in words and tables: why a film is there, how it moved, how two recipes differ."""

from collections.abc import Iterable, Iterator, Sequence
from math import nan
from statistics import median

import pandas as pd

from workbench.serving.films import Films
from workbench.serving.picks import CLEAR, DOWN, GONE, NEW, PICK, PICKED, SAME, START, UNDO, UP, Move, PickGame, Turn
from workbench.serving.reasons import LEAST_TOLD, PAST_ITEM, TOLD
from workbench.serving.responses import RecommendedItem

BECAUSE = "because you picked "


def why(item: RecommendedItem, films: Films) -> str:
    """Such as "because you picked Alien (1979) and Heat (1995)"; without a pick that spoke for it, what else did."""
    labels = [films.film(each).label for each in _named(item)]
    if labels:
        return BECAUSE + " and ".join(labels)
    if item.explanation is not None:
        return item.explanation.text
    return "; ".join(item.reason)


def moved(move: Move) -> str:
    """Such as "▲ up 3, was 7": a sign, a word and the place before."""
    return {
        NEW: "+ new",
        UP: f"▲ up {(move.before or 0) - (move.place or 0)}, was {move.before}",
        DOWN: f"▼ down {(move.place or 0) - (move.before or 0)}, was {move.before}",
        SAME: "= stays",
        GONE: f"− gone, was {move.before}",
        PICKED: f"✓ picked, was {move.before}",
    }[move.how]


def turn_name(turn: Turn, films: Films) -> str:
    """Such as "picked Alien (1979)"."""
    label = "" if turn.item_id is None else films.film(turn.item_id).label
    return {START: "the start", PICK: f"picked {label}", UNDO: f"took back {label}", CLEAR: "took all picks back"}[
        turn.what
    ]


def turn_sentence(turn: Turn, films: Films) -> str:
    """What was done and how long it took until the new lists were there."""
    name = turn_name(turn, films)
    if turn.what == START:
        return "The start: nothing is picked yet, so everybody sees the same."
    told = [f"{name}: {_changed(moves)}" for name, moves in turn.moves.items()]
    return (
        f"You {name}. {'; '.join(told)}. {1000 * turn.seconds:.0f} ms until all lists were new, "
        f"{1000 * turn.put_seconds:.1f} ms of them to store the event."
    )


def moves_table(game: PickGame, films: Films) -> pd.DataFrame:
    """How each turn moved each list: TURN, LIST; NEW, UP, DOWN, STAYED, LEFT in films; MILLISECONDS until it stood."""
    rows = []
    for turn in game.turns[1:]:
        for name, moves in turn.moves.items():
            how = [each.how for each in moves]
            counts = (
                how.count(NEW),
                how.count(UP),
                how.count(DOWN),
                how.count(SAME),
                how.count(GONE) + how.count(PICKED),
            )
            took = 1000 * (turn.put_seconds + turn.list_seconds[name])
            rows.append((turn_name(turn, films), name, *counts, round(took, 1)))
    return pd.DataFrame(rows, columns=["TURN", "LIST", "NEW", "UP", "DOWN", "STAYED", "LEFT", "MILLISECONDS"])


def places_table(game: PickGame, films: Films, name: str) -> pd.DataFrame:
    """Every place of one list in every turn: TURN (from 0), TURN_NAME, ITEM_ID, FILM, PLACE."""
    rows = [
        (number, turn_name(turn, films), each.item_id, films.film(each.item_id).label, each.position)
        for number, turn in enumerate(game.turns)
        for each in turn.lists[name].items
    ]
    return pd.DataFrame(rows, columns=["TURN", "TURN_NAME", "ITEM_ID", "FILM", "PLACE"])


def comparison_table(turn: Turn, films: Films) -> pd.DataFrame:
    """All films of all lists: FILM, the place in each list (NaN where it is not), and WHY, the best places first."""
    found: dict[str, dict[str, RecommendedItem]] = {}
    for name, response in turn.lists.items():
        for each in response.items:
            found.setdefault(each.item_id, {})[name] = each
    order = sorted(found, key=lambda id_: (min(each.position for each in found[id_].values()), -len(found[id_])))
    rows = []
    for id_ in order:
        at = found[id_]
        row = {"FILM": films.film(id_).label}
        row |= {f"PLACE, {name}": float(at[name].position) if name in at else nan for name in turn.lists}
        row["WHY"] = _reasons({name: why(each, films) for name, each in at.items()}, at.values())
        rows.append(row)
    return pd.DataFrame(rows, columns=["FILM", *(f"PLACE, {name}" for name in turn.lists), "WHY"])


def reasons_share(turn: Turn) -> dict[str, float]:
    """The share of every list's places whose reason names a pick; 0 for an empty list."""
    return {
        name: sum(bool(_named(each)) for each in response.items) / max(1, len(response.items))
        for name, response in turn.lists.items()
    }


def shared(turn: Turn) -> int:
    """How many films stand in all lists of a turn."""
    return len(set.intersection(*(set(each.item_ids) for each in turn.lists.values())))


def headline(game: PickGame, played: Turn) -> list[dict]:
    """The numbers for a report's index page: how quick the lists were, how many places changed, what recipes share."""
    found = [
        {"name": "from a pick to all new lists, median", "value": 1000 * _median_seconds(game), "unit": "ms"},
        {"name": "films that all recipes recommend after the last pick", "value": shared(played)},
    ]
    told = reasons_share(played).items()
    return found + [{"name": f"places whose reason names a pick, {name}", "value": share} for name, share in told]


def reading(game: PickGame, played: Turn, films: Films) -> str:
    """Three sentences: how far the lists went, how far the recipes agree, what it cost in time and what an undo does.

    Args:
        game: as it was played, with all its turns.
        played: the turn after the last pick.
        films: of the campaign.
    """
    start = game.turns[0]
    left = {name: set(each.item_ids) - set(start.lists[name].item_ids) for name, each in played.lists.items()}
    length = {name: len(each.items) for name, each in played.lists.items()}
    count = len(played.picks)
    far = _all(f"{len(left[name])} of {length[name]} films of {name}" for name in length)
    first = f"After {count} {'pick' if count == 1 else 'picks'}, {far} are not in the list that everybody begins with."
    named = {name: round(share * length[name]) for name, share in reasons_share(played).items()}
    why_not = _all(f"{named[name]} of {length[name]} in the list of {name}" for name in length)
    agreed = f"The recipes have {shared(played)} films in common; " if len(length) > 1 else ""
    second = f"{agreed}a pick is named as the reason for {why_not}."
    undone = [each for each in game.turns if each.what == UNDO]
    back = f", and {1000 * undone[0].seconds:.0f} ms after {_back(undone[0], films)}" if undone else ""
    third = f"The new lists were there {1000 * _median_seconds(game):.0f} ms (median) after a pick{back}."
    return " ".join((first, second, third))


def _all(parts: Iterable[str]) -> str:
    return " and ".join(parts)


def _back(turn: Turn, films: Films) -> str:
    return f"{films.film(turn.item_id or '').label} was taken back"


def _named(item: RecommendedItem) -> list[str]:
    """The picks that spoke most for an item."""
    told = item.explanation.influences if item.explanation is not None else ()
    return [each.name for each in told if each.kind == PAST_ITEM and each.share >= LEAST_TOLD][:TOLD]


def _reasons(told: dict[str, str], items: Iterable[RecommendedItem]) -> str:
    """Why a film is in several lists; said once where the same picks speak for it everywhere."""
    same = len({frozenset(_named(each)) or why for each, why in zip(items, told.values(), strict=True)}) == 1
    return next(iter(told.values())) if same else "; ".join(f"{name}: {words}" for name, words in told.items())


def _changed(moves: Sequence[Move]) -> str:
    return ", ".join(_counted(moves)) or "nothing changed"


def _counted(moves: Sequence[Move]) -> Iterator[str]:
    for how, words in ((NEW, "new"), (UP, "up"), (DOWN, "down")):
        count = sum(each.how == how for each in moves)
        if count:
            yield f"{count} {words}"


def _median_seconds(game: PickGame) -> float:
    return median([turn.seconds for turn in game.turns if turn.what == PICK] or [0.0])
