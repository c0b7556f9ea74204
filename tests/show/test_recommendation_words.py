"""What answers say, in tables and sentences."""

import numpy as np
import pandas as pd

from workbench.serving.responses import Explanation, Influence, RecommendedItem, Response, RuleEffect
from workbench.serving.tables import EntityTable, EventLog, TextColumn, UserState, text_array
from workbench.show import recommendation_words as words

ITEMS = EntityTable(
    "Items",
    text_array(["a", "b"]),
    {"TITLE": TextColumn(np.array([0, 1]), text_array(["Alien", "Heat"]))},
)


def answer(*ids: str, **more: object) -> Response:
    return Response("key-1", tuple(RecommendedItem(each, place) for place, each in enumerate(ids, 1)), **more)


def test_a_history_is_told_newest_first():
    log = EventLog(np.array([0, -1, 1]), np.array([0, 86_400, 2 * 86_400]))
    table = words.history_table(UserState("u", events=log, known=True), ITEMS, most=2)
    assert table.to_numpy().tolist() == [["1970-01-03", "Heat", ""], ["1970-01-02", "an unknown item", ""]]
    assert words.history_table(UserState("nobody"), ITEMS).empty


def test_rules_and_notices_are_told_by_list():
    effect = RuleEffect("seen", removed=2, text="2 items are left out")
    answers = {"one": answer("a", rules=(effect,), notices=("late",)), "two": answer("b", notices=("unknown", "late"))}
    assert words.rules_table(answers).to_numpy().tolist() == [["one", "seen before", 2, 0, "2 items are left out"]]
    assert words.notices_table(answers).to_numpy().tolist() == [["all", "late"], ["two", "unknown"]]
    assert words.notices_table({"one": answer("a")})["NOTICE"].tolist() == ["nothing to be known"]


def test_influences_carry_titles_and_which_side_they_are_on():
    told = Explanation("", (Influence("past item", "a", 0.6), Influence("item", "GENRES=Crime", -0.4)))
    response = Response("key-1", (RecommendedItem("b", 1, explanation=told),))
    table = words.influences_table(response, ITEMS)
    assert table.to_numpy().tolist() == [
        ["Alien", "past item", 0.6, "for"],
        ["GENRES=Crime", "item", -0.4, "against"],
    ]
    assert words.influences_table(response, ITEMS, place=2).empty
    assert words.influences_table(answer("a"), ITEMS).empty


def test_situations_stand_once():
    found = words.situations({"DEVICE": {"tv", "phone", "pad", "watch"}}, {"DEVICE": "phone"}, most=2)
    assert found == {"nothing said": {}, "DEVICE = phone": {"DEVICE": "phone"}, "DEVICE = pad": {"DEVICE": "pad"}}
    assert words.situations({}, {}) == {"nothing said": {}}


def test_sentences_say_what_the_numbers_say():
    dial = pd.DataFrame(
        {"WEIGHT": [0.0, 0.5], "LISTS": [4, 4], "SHARE": [0.0, 0.45], "NEW_SHOWN": [0, 7], "GIVEN_UP": [0.0, 0.2]}
    )
    known = answer("a", "b", rules=(RuleEffect("seen", removed=3),))
    said = words.reading(known, answer("a"), answer("b"), dial)
    assert "holds 2 items; 3 others were kept out" in said
    assert "from weight 0 to 0.5 takes the share of explored places from 0.0% to 45.0% over 4 lists" in said
    assert "7 different new items shown instead of 0" in said
    assert "shares 0 of 1 items" in said
    assert "counts from its first event" in said
    assert "counts from" not in words.reading(known, answer("a"), answer("a"), dial)
    assert [row["value"] for row in words.headline(dial, known)] == [0.45, 0.2, 3]
    assert words.context_sentence(["DEVICE", "A`B"], []) == (
        "Context columns of the interactions: `DEVICE`, `A'B`. The recipe learned from: none."
    )
