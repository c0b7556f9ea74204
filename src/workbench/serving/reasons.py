"""Why an item stands in a list: its reasons, the columns asked for, and what moved its score, in words and shares."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from workbench.columns import EVENT_TYPE
from workbench.errors import ServingError, nearest
from workbench.recipes.contract import Histories, Recipe
from workbench.serving.responses import Explanation, Influence
from workbench.serving.tables import EntityTable

PAST_ITEM = "past item"
TITLES = ("TITLE", "NAME", "ITEM_NAME", "ITEM_TITLE", "PRODUCT_NAME")  # what people know an item by, first one found
MOST_INFLUENCES = 10  # of one item, the largest
TOLD = 2  # past items, and attributes, that the sentence names
LEAST_TOLD = 0.05  # share from which on the sentence names an influence
DID = {  # event type in small letters alone to what the user did
    "watch": "watched",
    "view": "viewed",
    "click": "clicked",
    "purchase": "bought",
    "buy": "bought",
    "order": "ordered",
    "rating": "rated",
    "rate": "rated",
    "listen": "listened to",
    "play": "played",
    "read": "read",
    "like": "liked",
    "favorite": "liked",
    "wishlist": "wished for",
    "cart": "put into the cart",
    "addtocart": "put into the cart",
    "startcheckout": "began to buy",
}
CHOSE, GOES = "chose", "goes with"
OF_KIND = {"item": "for {}", "user": "as you are {}", "context": "now, with {}"}


class Explainer:
    """Explains the items of one user's list, or of the items related to one."""

    def __init__(self, recipe: Recipe, items: EntityTable, history: Histories, *, related: bool = False):
        """Take what all items of the list share.

        Args:
            recipe: fitted.
            items: of the campaign; the recipe's come first.
            history: exactly one row, with the request's context.
            related: the history is the item that related ones are asked for; nobody has done anything with it.
        """
        self.recipe, self.items, self.history, self.related = recipe, items, history, related
        self.title = next((name for name in TITLES if name in items.columns), None)

    def explanation(self, code: int, rules: Sequence[str] = (), instead: str = "") -> Explanation:
        """Say what moved one item's score.

        Args:
            code: of the item; one that the recipe does not score has no influences.
            rules: what moved its place besides, in words.
            instead: what the sentence says where a rule and not the score put the item there.

        Returns:
            The sentence, the largest influences with their share of all absolute contributions, and the rules.
        """
        influences = self.influences(code) if code < len(self.recipe.item_ids) else ()
        text = instead or self._sentence(influences) or self._for_all(code)
        return Explanation(text, influences, tuple(rules))

    def influences(self, code: int) -> tuple[Influence, ...]:
        """The past items and attributes that moved a score, largest part first, ties as the recipe gives them.

        An item that the history holds several times is one part, the sum of its events.
        """
        past = self.recipe.explain(self.history, code)
        events: dict[str, float] = {}
        for name, value in zip(past["ITEM_ID"], past["CONTRIBUTION"].tolist(), strict=True):
            events[name] = events.get(name, 0.0) + value
        parts = [(PAST_ITEM, name, value) for name, value in events.items()]
        told = self.recipe.explain_attributes(self.history, code)
        parts += zip(told["KIND"], told["ATTRIBUTE"], told["CONTRIBUTION"].tolist(), strict=True)
        whole = sum(abs(value) for *_, value in parts)
        if not whole > 0 or not np.isfinite(whole):
            return ()
        parts.sort(key=lambda part: -abs(part[2]))
        return tuple(Influence(str(kind), str(name), value / whole) for kind, name, value in parts[:MOST_INFLUENCES])

    def _sentence(self, influences: Iterable[Influence]) -> str:
        """Such as "because you watched Alien and Heat, and for GENRES=Crime"; empty where nothing spoke for it.

        Of related items: "goes with Alien, and for GENRES=Crime".
        """
        told = [each for each in influences if each.share >= LEAST_TOLD]
        past = [each for each in told if each.kind == PAST_ITEM][:TOLD]
        groups: dict[str, list[str]] = {}
        for each in past:
            groups.setdefault(self._did(each.name), []).append(self._called(each.name))
        verb = "{}" if self.related else "because you {}"
        said = [f"{verb.format(did)} {' and '.join(names)}" for did, names in groups.items()]
        for kind, words in OF_KIND.items():
            names = [each.name for each in told if each.kind == kind][:TOLD]
            if names:
                said.append(words.format(" and ".join(names)))
        return ", and ".join(said)

    def _for_all(self, code: int) -> str:
        known = code < len(self.recipe.item_ids)
        words = self.recipe.reason(code) if known else ""
        if words:
            return words
        if not known:
            return "new: nobody has chosen it yet"
        if not len(self.history.items):
            return "popular with everybody"
        if self.related:
            asked = self._called(str(self.items.ids[self.history.items[0]]))
            return f"nothing that it shares with {asked} stands out"
        return "its score says so; no part stands out"

    def _called(self, item_id: str) -> str:
        title = None if self.title is None else self.items.value(self.items.code_of(item_id), self.title)
        return item_id if title is None else str(title)

    def _did(self, item_id: str) -> str:
        """What the user did last with an item."""
        if self.related:
            return GOES
        kinds = self.history.columns.get(EVENT_TYPE)
        if kinds is None:
            return CHOSE
        events = np.flatnonzero(self.history.items == self.items.code_of(item_id))
        kind = kinds[events[-1]] if len(events) else None
        return DID.get(_letters(kind), CHOSE) if isinstance(kind, str) else CHOSE


def _letters(kind: str) -> str:
    """An event type without case, blanks and dashes: AddToCart and add_to_cart are one."""
    return "".join(each for each in kind.lower() if each.isalnum())


def check_columns(items: EntityTable, columns: Iterable[str]) -> None:
    """Refuse metadata columns that the items do not have.

    Raises:
        ServingError: names the column and the nearest one.
    """
    for name in columns:
        if name not in items.columns:
            raise ServingError(f"metadata_columns: the items have no column {name!r}.{nearest(name, items.columns)}")


def metadata_of(items: EntityTable, code: int, columns: Sequence[str]) -> Mapping[str, Any] | None:
    """The columns asked for of one item, None when none are asked for; a missing value is None."""
    return {name: items.value(code, name) for name in columns} if columns else None
