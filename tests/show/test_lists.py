"""Lists beside each other: marks in words, moves against another list, every text escaped; and their charts."""

import numpy as np
import pandas as pd
import pytest

from workbench.serving.responses import Explanation, RecommendedItem, Response
from workbench.serving.tables import EntityTable, NumberColumn, TextColumn, text_array
from workbench.show.charts import lists as charts
from workbench.show.lists import details_of, show_lists, title_of
from workbench.show.tables import show_table
from workbench.show.widgets.lists import ListControls


@pytest.fixture
def items() -> EntityTable:
    """Three items: one with a script for a title, one without any."""
    titles = TextColumn(np.array([0, 1, -1]), text_array(["<script>alert(1)</script>", "Heat"]))
    years = NumberColumn(np.array([1995.0, np.nan, 2000.0]))
    genres = TextColumn(np.array([0, -1, 0]), text_array(["Action|Crime"]))
    return EntityTable("Items", text_array(["a", "b", "c"]), {"TITLE": titles, "YEAR": years, "GENRES": genres})


def answer(*places: RecommendedItem, share: float = 0.0) -> Response:
    return Response("key-1", places, exploration_share=share)


def test_an_item_is_called_by_its_title_or_its_id(items: EntityTable):
    assert [title_of(items, each) for each in ("b", "c", "nobody")] == ["Heat", "c", "nobody"]
    assert details_of(items, "a", ["YEAR", "GENRES", "NO_SUCH"]) == "1995 · Action, Crime"
    assert details_of(items, "b", ["YEAR", "GENRES"]) == ""
    assert details_of(items, "nobody", ["YEAR"]) == ""


def test_lists_say_what_moved_and_what_put_an_item_there(items: EntityTable):
    first = answer(RecommendedItem("a", 1), RecommendedItem("b", 2, explanation=Explanation("because you <b>ate</b>")))
    second = answer(RecommendedItem("c", 1, reason=("Exploration",)), RecommendedItem("a", 2), share=0.5)
    shown = show_lists({"one": first, "two <i>": second}, items, ["YEAR"], against="one")
    (_, _, before), (_, below, after) = shown.columns
    assert [line.moved for line in before] == ["", ""]
    assert [(line.title, line.mark, line.loud, line.moved) for line in after] == [
        ("c", "◆ explored", True, "+ new here"),
        ("<script>alert(1)</script>", "", False, "▼ 1"),
    ]
    assert below == "50% explored"
    page = shown._repr_html_()
    assert "<script>" not in page
    assert "<b>" not in page
    assert "two &lt;i&gt;" in page
    assert page.count('class="loud"') == 1
    assert "2 Heat · because you <b>ate</b>" in repr(shown)
    assert "because" not in repr(show_lists({"one": first}, items, why=False))


def test_a_recipes_own_reason_is_told_and_an_empty_list_says_so(items: EntityTable):
    shown = show_lists({"trend": answer(RecommendedItem("b", 1, reason=("20 events, 3 before",)))}, items)
    assert "20 events, 3 before" in repr(shown)
    assert "no items" in show_lists({"none": answer()}, items)._repr_html_()


def test_influences_of_one_name_keep_a_bar_each_and_the_other_side_is_hatched():
    rows = [("<b>Heat</b>", "past item", 0.5, "for"), ("<b>Heat</b>", "past item", -0.2, "against")]
    figure = charts.influence_bars(pd.DataFrame(rows, columns=["WHAT", "KIND", "SHARE", "SPOKE"]), "why")
    spoke, against = figure.data
    assert (spoke.marker.pattern.shape, against.marker.pattern.shape) == ("", "/")
    assert spoke.y[0] != against.y[0]
    assert "<b>" not in spoke.y[0]
    assert charts.influence_bars(pd.DataFrame(columns=["WHAT", "KIND", "SHARE", "SPOKE"]), "nothing").data == ()


def test_the_dial_and_its_price_are_drawn_by_weight():
    table = pd.DataFrame(
        {"WEIGHT": [1.0, 0.0], "LISTS": [9, 9], "SHARE": [1.0, 0.0], "NEW_SHOWN": [4, 0], "GIVEN_UP": [0.9, 0.0]}
    )
    figure = charts.exploration_dial(table)
    assert [list(trace.x) for trace in figure.data] == [[0.0, 1.0]] * 2
    assert len({trace.line.dash for trace in figure.data}) == 2
    price = charts.exploration_price(pd.DataFrame({"WEIGHT": [0.0, 1.0], "CLICKS": [2.0, 1.0], "FOUND": [0.0, 1.0]}))
    assert [list(trace.y) for trace in price.data] == [[2.0, 1.0], [0.0, 1.0]]


def test_slopes_tell_up_from_down_by_more_than_colour():
    figure = charts.order_slopes(["a", "b", "c", "d"], ["b", "a", "d"], ["A", "<b>B", "C", "D"], "order")
    told = {trace.name: (list(trace.y), trace.line.dash, trace.marker.symbol) for trace in figure.data}
    assert told["moved up"] == ([4, 3], "solid", "triangle-up")
    assert told["moved down"] == ([1, 2], "dash", "triangle-down")
    assert [each.text for each in figure.layout.annotations] == ["▼1 A", "▲1 &lt;b>B", "▲1 D"]


def test_turning_a_control_asks_for_another_list():
    asked = []

    def show(user: str, weight: float, places: int) -> object:
        asked.append((user, weight, places))
        return show_table(pd.DataFrame({"WEIGHT": [weight]}))

    box = ListControls(["<u>1</u>", "2"], show, weight=0.3, places=10)
    box.weight.value = 1.0
    box.user.value = "2"
    box.places.value = 5
    assert asked == [("<u>1</u>", 0.3, 10), ("<u>1</u>", 1.0, 10), ("2", 1.0, 10), ("2", 1.0, 5)]
    assert len(box.screen.outputs) == 1
    with pytest.raises(ValueError, match="at least one user to choose from, got none"):
        ListControls([], show)
