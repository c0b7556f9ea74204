"""Reasons in words: one part an item, verbs of event types, and other words where nobody did anything."""

import numpy as np
import pandas as pd
import pytest

from workbench.recipes.contract import Histories
from workbench.serving.reasons import Explainer
from workbench.serving.tables import EntityTable, TextColumn, text_array

TITLES = TextColumn(np.array([0, 1, -1]), text_array(["Alien", "Heat"]))
ITEMS = EntityTable("Items", text_array(["a", "b", "c"]), {"TITLE": TITLES})


class Told:
    """A recipe that gives the contributions it is told."""

    item_ids = ITEMS.ids

    def __init__(self, *parts: tuple[str, float]):
        self.parts = parts

    def explain(self, history: Histories, item_code: int) -> pd.DataFrame:
        return pd.DataFrame(self.parts, columns=["ITEM_ID", "CONTRIBUTION"]).assign(POSITION=1)

    def explain_attributes(self, history: Histories, item_code: int) -> pd.DataFrame:
        return pd.DataFrame({"KIND": ["item"], "ATTRIBUTE": ["GENRES=Crime"], "CONTRIBUTION": [1.0]})

    def reason(self, item_code: int) -> str:
        return ""


def history(*events: tuple[int, str]) -> Histories:
    codes = np.array([code for code, _ in events], dtype=np.int32)
    kinds = np.array([kind for _, kind in events], dtype=object)
    ids, offsets = np.array(["u"], dtype=object), np.array([0, len(codes)])
    return Histories(ids, offsets, codes, np.zeros(len(codes), dtype=np.int64), {"EVENT_TYPE": kinds})


def test_events_of_one_item_are_one_part():
    explained = Explainer(
        Told(("a", 2.0), ("b", 1.0), ("a", 1.0), ("b", -1.0)), ITEMS, history((0, "watch"), (1, "watch"))
    )
    assert [(each.name, each.share) for each in explained.influences(2)] == [
        ("a", 0.75),
        ("GENRES=Crime", 0.25),
        ("b", 0.0),
    ]
    assert explained.explanation(2).text == "because you watched Alien, and for GENRES=Crime"


@pytest.mark.parametrize(
    ("kind", "did"),
    [("AddToCart", "put into the cart"), ("add_to_cart", "put into the cart"), ("VIEW", "viewed"), ("Ödd", "chose")],
)
def test_event_types_have_verbs(kind: str, did: str):
    text = Explainer(Told(("b", 3.0)), ITEMS, history((1, kind))).explanation(0).text
    assert text == f"because you {did} Heat, and for GENRES=Crime"


def test_nobody_did_anything_with_the_item_that_others_are_related_to():
    text = Explainer(Told(("b", 3.0)), ITEMS, history((1, "view")), related=True).explanation(0).text
    assert text == "goes with Heat, and for GENRES=Crime"
    nothing = Told(("b", -1.0))
    nothing.explain_attributes = lambda *_: pd.DataFrame({"KIND": [], "ATTRIBUTE": [], "CONTRIBUTION": []})
    told = [Explainer(nothing, ITEMS, history((1, "view")), related=each).explanation(0).text for each in (True, False)]
    assert told == ["nothing that it shares with Heat stands out", "its score says so; no part stands out"]
