"""What a replay shows: words, tables, lists, chart and buttons follow from its steps alone."""

import numpy as np
import pytest

from workbench.errors import ServingError
from workbench.serving.picks import DOWN, GONE, NEW, PICKED, SAME, UP, Move, changes
from workbench.serving.replay_steps import EVENT, UNDO, NewItem, Step
from workbench.serving.responses import RecommendedItem, Response
from workbench.serving.tables import EntityTable, TextColumn, text_array
from workbench.show import replay_words
from workbench.show.charts.replay import latency_dots
from workbench.show.replay_lists import goes, show_step
from workbench.show.widgets.replay import ReplaySteps

HOSTILE = "<script>alert(1)</script>"
TITLES = text_array([HOSTILE, "Heat", "Alien", "Fargo"])


@pytest.fixture
def items():
    column = TextColumn(np.arange(4, dtype=np.int32), TITLES)
    return EntityTable("Items", text_array(["a", "b", "c", "d"]), {"TITLE": column})


def answer(*ids):
    return Response("r", [RecommendedItem(each, place) for place, each in enumerate(ids, 1)])


def step(number=1, what=EVENT, asked_for="u", signed_in=False, after=("c", "b"), elsewhere=0.002):
    moves = changes(["a", "b"], after, ["a"] if what == EVENT else [])
    known = None if elsewhere is None else True
    lists = (answer("a", "b"), answer(*after), moves)
    return Step(number, what, "a", 3_600, 60, "u", asked_for, signed_in, 2, *lists, 0.001, 0.003, elsewhere, known)


def test_sentences_say_who_did_what_and_how_soon(items):
    assert replay_words.step_sentence(step(), items) == (
        f"Step 1. 1970-01-01 01:00:00 UTC, user u: {HOSTILE}. 1 new, 0 up, 0 down, 1 left. "
        "New list after 3.0 ms, 2.0 ms in another process."
    )
    assert "somebody unknown, session s" in replay_words.step_sentence(step(asked_for="s"), items)
    assert "signs in, and 2 earlier event(s) are" in replay_words.step_sentence(step(signed_in=True), items)
    alone = replay_words.step_sentence(step(what=UNDO, after=("a", "b"), elsewhere=None), items)
    assert alone == f"Step 1. user u takes {HOSTILE} back. The list stays as it is. New list after 3.0 ms."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, "0 seconds"), (1, "1 second"), (59, "59 seconds"), (60, "1 minute"), (7_300, "2 hours"), (86_400, "1 day")],
)
def test_spans_take_the_largest_unit_that_fits(seconds, said):
    assert replay_words.span(seconds) == said


def test_tables_count_moves_and_milliseconds(items):
    steps = [step(1), step(2, what=UNDO, after=("b", "a"), elsewhere=None)]
    table = replay_words.steps_table(steps, items)
    assert table[["NEW", "UP", "DOWN", "LEFT", "LIST_MS"]].values.tolist() == [[1, 0, 0, 1, 3.0], [0, 1, 1, 0, 3.0]]
    assert table["WHAT"].tolist() == [HOSTILE, f"takes back {HOSTILE}"]
    assert replay_words.latency_table(steps)[["EVENTS", "MEDIAN_MS"]].values.tolist() == [[2, 1.0], [2, 3.0], [1, 2.0]]
    places = replay_words.places_table(steps, items)
    assert places[["TURN", "ITEM_ID", "PLACE"]].values.tolist() == [
        *([0, "a", 1], [0, "b", 2]),
        *([1, "c", 1], [1, "b", 2]),
        *([2, "b", 1], [2, "a", 2]),
    ]
    assert [each["value"] for each in replay_words.headline(steps)] == [3.0, 2.0, 1.0]


def test_a_new_item_is_told_with_its_places(items):
    new = NewItem("d", "u", 7, None, False, 0.02, 0.5, answer("b", "d"))
    said = replay_words.new_item_sentence(new, items)
    assert said.startswith("Fargo could be recommended 20 ms after the put, after 500 ms in another one. For user u")
    assert said.endswith("it stands at place 7 by relevance, and place 2 in the list that explores.")
    assert "2 of 2 steps changed the list" in replay_words.reading([step(1), step(2)], new)


@pytest.mark.parametrize(
    ("how", "said"),
    [(UP, "▲ goes up to 1"), (DOWN, "▼ goes down to 1"), (SAME, "= stays"), (GONE, "− goes"), (PICKED, "✓ is chosen")],
)
def test_what_becomes_of_an_item_has_a_sign_and_words(how, said):
    assert goes(Move("a", how, 1, 2)) == said
    assert goes(Move("a", NEW, 1)) == ""


def test_a_step_shows_both_lists_and_no_html_of_the_data(items):
    view = show_step(step(), items)
    page = view._repr_html_()
    assert HOSTILE not in page
    assert "&lt;script&gt;" in page
    assert all(words in page for words in ("Before", "After", "✓ is chosen", "+ new", "= stays"))
    assert "  1 Alien · + new" in repr(view)


def test_the_chart_has_a_row_and_a_symbol_for_everything_waited_for():
    figure = latency_dots({"stored": [1.0, 3.0, 2.0], "<b>list": [5.0]})
    dots = [each for each in figure.data if each.mode == "markers"]
    assert [list(each.x) for each in dots] == [[1.0, 3.0, 2.0], [5.0]]
    assert len({each.marker.symbol for each in dots}) == 2
    assert "milliseconds" in figure.layout.xaxis.title.text
    assert figure.data[1].text[0] == "median 2.0 ms"
    assert "<b>" not in str(figure.layout.yaxis.ticktext)


class Played:
    """A replay of two events; the second one cannot be put."""

    def __init__(self):
        self.steps, self.left = [], 2

    def step(self):
        if self.left == 1:
            raise ServingError("the disk is <full>")
        self.left -= 1
        self.steps.append(step(len(self.steps) + 1))


def test_buttons_step_forth_and_back_and_say_what_went_wrong():
    replay = Played()
    screen = ReplaySteps(replay, lambda each: f"step {each.number}")
    assert (screen.back.disabled, screen.forth.disabled, screen.screen.outputs) == (True, False, ())
    screen.forth.click()
    assert "'step 1'" in screen.screen.outputs[0]["data"]["text/plain"]
    assert "1 steps so far, 1 events still to come" in screen.status.value
    screen.forth.click()
    assert "the disk is &lt;full&gt;" in screen.status.value
    assert screen.at.value == 1
    replay.steps.append(step(2))
    replay.left = 0
    screen.forth.click()
    assert (screen.at.value, screen.forth.disabled, screen.back.disabled) == (2, True, False)
    screen.back.click()
    assert "'step 1'" in screen.screen.outputs[0]["data"]["text/plain"]
