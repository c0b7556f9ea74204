"""Filters shown: parts and marks, errors with their caret, counts, verdicts; every text escaped; charts; the widget."""

import numpy as np
import pandas as pd
import pytest

from workbench.serving.filter_bench import Attempt
from workbench.serving.filter_explain import explain
from workbench.serving.filter_masks import compile_filter
from workbench.serving.filter_verdict import verdict
from workbench.serving.filters import outline, parse, portable
from workbench.serving.requests import RecommendRequest
from workbench.serving.responses import PROMOTED, RecommendedItem, Response
from workbench.serving.tables import EntityTable, NumberColumn, TextColumn, text_array
from workbench.show import filter_words as words
from workbench.show.charts import filters as charts
from workbench.show.filter_view import show_filter, show_verdict
from workbench.show.lists import show_lists
from workbench.show.tables import show_table
from workbench.show.widgets.filter_bench import FilterControls

SCRIPT = "<script>alert(1)</script>"
TEXT = 'INCLUDE ItemID WHERE Items.YEAR > 1990 AND NOT Items.GENRES IN ("Crime") AND Items.GENRES CONTAINS "a"'


@pytest.fixture
def items() -> EntityTable:
    genres = TextColumn(np.array([0, 1, -1]), text_array(["Drama", "Crime"]))
    return EntityTable(
        "Items",
        text_array(["a", "b", "c"]),
        {"YEAR": NumberColumn(np.array([1995.0, 1996, 1980]))} | {"GENRES": genres},
    )


def attempt(text: str, items: EntityTable, error: str = "") -> Attempt:
    filter = parse(text)
    said = explain(compile_filter(filter, items), None, now=0, least=1)
    return Attempt(text, text, filter, outline(filter), portable(filter), filter.notices, said, None, error)


def test_parts_are_indented_and_extensions_marked(items):
    shown = show_filter(attempt(TEXT, items))
    assert shown.heading == "✓ Understood"
    assert [depth for depth, _, _ in shown.parts] == [0, 1, 2, 2, 3, 2]
    assert [bool(mark) for _, _, mark in shown.parts] == [False, False, False, True, False, True]
    assert "would not take it: There is no CONTAINS" in shown.said[0]
    assert "✚ extension" in shown._repr_html_()
    assert "[✚ There is no CONTAINS]" in repr(shown)


def test_an_error_keeps_its_lines_and_everything_is_escaped(items):
    shown = show_filter(Attempt("x", "x", error=f"Line 1: {SCRIPT}\n    x\n    ^\u202e"))
    page = shown._repr_html_()
    assert shown.heading == "✗ This is no filter"
    assert "<script>" not in page
    assert "\n    x\n    ^\ufffd</pre>" in page
    hostile = attempt(f'EXCLUDE ItemID WHERE Items.GENRES IN ("{SCRIPT}\u202e")', items)
    for one in (
        show_filter(hostile),
        show_table(words.mask_table(hostile.explanation), words.mask_sentence(hostile.explanation)),
    ):
        assert "<script>" not in one._repr_html_()
        assert "\u202e" not in one._repr_html_()
    assert show_filter(Attempt("", "")).heading == "No filter: everything may be listed."


def test_counts_and_what_leaving_a_part_out_changes(items):
    said = attempt(TEXT, items).explanation
    table = words.mask_table(said)
    assert table["LEFT WITHOUT IT"].tolist() == [3, 1, 1, 1]
    assert table["CHANGE"].tolist() == ["+2", "+0", "+0", "+0"]
    assert words.mask_sentence(said) == "1 of 3 items may be listed; 2 are kept out."
    nothing = attempt("INCLUDE ItemID WHERE Items.YEAR > 2000", items).explanation
    assert "⚠ Nothing is left of 3 items." in words.mask_sentence(nothing)
    figure = charts.mask_bars(said, "what may be listed")
    assert [list(bar.x) for bar in figure.data] == [[3], [1, 1, 1], [1]]
    assert {bar.marker.pattern.shape for bar in figure.data} == {"", "/", "x"}


def test_a_verdict_says_what_decided(items):
    out = show_verdict(verdict(compile_filter(parse(TEXT), items), "b", None, now=0))
    assert out.heading.startswith("✗ Item 'b' may not be listed. Not kept by")
    assert [line.split("  ")[0] for _, line, _ in out.parts] == ["matches not", "✓ holds", "✗ does not", "✗ does not"]
    assert "NOT Items.GENRES" in out.parts[2][1]
    assert show_verdict(verdict(compile_filter(parse(TEXT), items), "a", None, now=0)).heading.startswith("✓")


def test_filters_beside_each_other_and_requests(items):
    table = words.portable_table({"one": attempt(TEXT, items), "two": Attempt("x", "x", error="Line 1: bad\n ^")})
    assert table["PERSONALIZE"].tolist() == ["✗ no", "–"]
    assert table["WHY"].iloc[1] == "Line 1: bad"
    assert table["LEFT"].isna().tolist() == [False, True]
    assert words.request_sentence(RecommendRequest(user_id="u")).endswith("as it is.")
    assert "seed is an extension" in words.request_sentence(RecommendRequest(user_id="u", seed=1))


def test_the_reading_holds_for_any_filter(items):
    cost = pd.DataFrame({"PERCENT": [0, 100], "LISTS": 2, "PLACED": [0.0, 0.5], "GIVEN_UP": [0.0, 0.25]})
    cost = cost.assign(LOW=[0.0, 0.1], HIGH=[0.0, 0.4])
    assert "leaves 1 of 3 items. It leaves as many to each of 2 users." in words.reading(
        attempt(TEXT, items), [1, 1], cost
    )
    assert "between 1 and 3 items" in words.reading(attempt(TEXT, items), [1, 3], cost)
    assert "cannot be used: `Line 1`" in words.reading(Attempt("x", "x", error="Line 1\n ^"), [], cost)
    assert "There is no filter" in words.reading(Attempt("", ""), [3], cost)
    assert "gives up 25.0% of the relevance instead of 0.0%" in words.reading(Attempt("", ""), [3], cost)
    figure = charts.promotion_cost(cost, "cost")
    assert [trace.line.dash for trace in figure.data] == [None, "solid", "dot"]
    lines = charts.window_lines(pd.DataFrame({"DAYS": [1], "REMOVED": [2], "MEAN_REMOVED": [1.5]}), "windows")
    assert [trace.marker.symbol for trace in lines.data] == ["circle", "diamond"]


def test_several_promotions_are_named_in_their_marks(items):
    places = [RecommendedItem("a", 1, reason=(PROMOTED,), promotion_name=f"sale {SCRIPT}"), RecommendedItem("b", 2)]
    one = show_lists({"one": Response("key-1", tuple(places))}, items)
    assert one.columns[0][2][0].mark == "★ promoted"
    places[1] = RecommendedItem("b", 2, reason=(PROMOTED,), promotion_name="new")
    two = show_lists({"two": Response("key-1", tuple(places))}, items)
    assert [line.mark for line in two.columns[0][2]] == [f"★ promoted, sale {SCRIPT}", "★ promoted, new"]
    assert "<script>" not in two._repr_html_()


def test_the_widget_shows_what_every_control_gives():
    asked = []
    controls = FilterControls(
        ["u", "v"], lambda *given: asked.append(given) or [given], examples={"e": "INCLUDE"}, text="t"
    )
    controls.user.value = "v"
    controls.example.value = "e"
    controls.values.value = "{}"
    controls.item.value = " i "
    assert asked == [
        ("t", "u", "", ""),
        ("t", "v", "", ""),
        ("INCLUDE", "v", "", ""),
        ("INCLUDE", "v", "{}", ""),
        ("INCLUDE", "v", "{}", "i"),
    ]
    assert controls.screen.outputs[0]["data"]["text/plain"] == repr(asked[-1])
    with pytest.raises(ValueError, match="at least one user"):
        FilterControls([], lambda *given: [])


def test_dollars_are_no_formulas(items):
    text = "INCLUDE ItemID WHERE Items.YEAR > $A AND Items.YEAR < $B"
    shown = (
        show_filter(Attempt(text, text, parse(text), outline(parse(text)))),
        show_table(pd.DataFrame({"FILTER": [text]})),
        show_lists({"$A $B": Response("key-1", (RecommendedItem("a", 1),))}, items),
    )
    assert all("mathjax_ignore" in each._repr_html_() for each in shown)
