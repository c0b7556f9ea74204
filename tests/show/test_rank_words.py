"""Given lists and items like one, in tables and sentences."""

import numpy as np
import pandas as pd
import pytest

from workbench.serving.requests import RankRequest
from workbench.serving.responses import RecommendedItem, Response
from workbench.serving.tables import EntityTable, TextColumn, text_array
from workbench.show import rank_words as words
from workbench.show.charts import lists as charts

ITEMS = EntityTable(
    "Items", text_array(["a", "b"]), {"TITLE": TextColumn(np.array([0, 1]), text_array(["<b>Alien", "Heat"]))}
)


def answer(*ids: str, reason: tuple[str, ...] = ()) -> Response:
    return Response("key-1", tuple(RecommendedItem(each, place, reason=reason) for place, each in enumerate(ids, 1)))


def test_a_given_list_says_what_is_unknown_or_repeated():
    table = words.given_table(RankRequest(user_id="u", input_list=["a", "x", "a"]), ITEMS)
    assert table["SAID"].tolist() == ["", "no item of this id is known", "again; first at place 1"]
    assert table["ITEM"].tolist() == ["<b>Alien", "x", "<b>Alien"]


@pytest.mark.parametrize(
    ("ordered", "share"),
    [(["a", "b", "c"], 0.0), (["c", "b", "a"], 1.0), (["b", "a", "c"], 1 / 3), (["b"], 0.0), ([], 0.0)],
)
def test_pairs_that_were_turned_are_counted(ordered: list[str], share: float):
    assert words.pairs_turned(["a", "b", "c"], ordered) == share


def test_lists_agree_on_what_both_hold():
    table = words.agreement_table({"one": answer("a", "b"), "two": answer("b", "c")}, ITEMS)
    assert table["ITEM"].tolist() == ["Heat", "<b>Alien", "c"]
    assert table["LISTS"].tolist() == [2, 1, 1]
    assert table["one"].tolist() == [2, 1, pd.NA]
    figure = charts.agreement_dots(table, "who lists <what>")
    assert [trace.text for trace in figure.data] == [("2", "1"), ("1", "2")]
    assert len({trace.marker.symbol for trace in figure.data}) == 2
    assert "&lt;what>" in figure.layout.title.text
    assert not any("<b>" in str(each) for trace in figure.data for each in trace.y)


def test_sentences_say_what_the_numbers_say():
    likes = {"one": answer("a", "b"), "two": answer("b", "c")}
    cold = {"one": answer("a"), "two": answer("b", reason=("Popular item",))}
    effects = pd.DataFrame({"LIST": ["likeness alone", "popularity 0.5"], "KEPT": [2, 1]})
    said = words.reading(["a", "b"], answer("b", "a"), likes, cold, effects)
    assert "turns 100% of the pairs of the 2 given items round" in said
    assert "2 recipes name 3 different items and agree on 1" in said
    assert "one finds relations; two can only offer popular items." in said
    assert said.endswith("Of the influences, popularity 0.5 keeps 1 of the list.")
    assert "Of the influences" not in words.reading(["a"], answer("a"), likes, cold, effects.head(1))
    assert [row["value"] for row in words.headline(["a", "b"], answer("b", "a"), likes)] == [1.0, 1]
