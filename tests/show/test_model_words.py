"""What a recipe picked, told from its notes."""

import pandas as pd

from workbench.show.charts.learning import learning_plot
from workbench.show.model_words import choices_table, learning_curve, parts_table, reading

CURVE = [{"epoch": 2, "loss": 5.5, "value": 0.10}, {"epoch": 4, "loss": 5.1, "value": 0.12}]
BLENDED = {
    "parts": ["closed-form", "transformer"],
    "why": ["97.0% of the users have events at different times", "budget_minutes=10 leaves time for a transformer."],
    "closed-form": {"ridge": 300.0, "popularity_discount": 0.1, "seconds": 8.0},
    "transformer": {"epochs": 5, "best_epoch": 4, "curve": CURVE, "seconds": 61.5},
    "blend": {
        "weights": {"closed-form": 0.65, "transformer": 0.35},
        "alone": {"closed-form": 0.13, "transformer": 0.12},
        "held_events": 943,
    },
    "new_items": 3,
}


def test_parts_by_hand():
    assert parts_table(BLENDED).to_dict("split")["data"] == [
        ["closed-form", 0.65, 0.13, 8.0],
        ["transformer", 0.35, 0.12, 61.5],
    ]
    assert parts_table({}).empty
    assert parts_table({"parts": ["closed-form"]})["WEIGHT"].to_list() == [1.0]


def test_choices_of_each_part_and_of_one_alone():
    assert choices_table(BLENDED).to_dict("split")["data"] == [
        ["closed-form", "ridge", "300.0"],
        ["closed-form", "popularity discount", "0.1"],
        ["transformer", "best epoch", "4"],
        ["transformer", "epochs planned", "5"],
        ["all", "new items, scored as the items most alike", "3"],
    ]
    assert choices_table({"ridge": 10.0})["PART"].to_list() == [""]


def test_the_reading_says_why_how_much_and_when():
    assert reading("x", BLENDED) == (
        "97.0% of the users have events at different times. budget_minutes=10 leaves time for a transformer. "
        "Weights of the parts' log scores, learned on 943 held events: closed-form 65%, transformer 35%. "
        "The best of 2 judged epochs is number 4, with NDCG@10 of 0.1200."
    )
    assert reading("sims", {}) == "sims is one model with nothing to choose between."


def test_the_curve_marks_the_epoch_that_was_kept():
    curve = learning_curve(BLENDED)
    assert curve["BEST"].to_list() == [False, True]
    figure = learning_plot(curve, "x")
    assert list(figure.data[1].x) == [4]
    assert figure.layout.xaxis.title.text == "epoch"
    assert learning_curve({"ridge": 1.0}).empty
    pd.testing.assert_frame_equal(learning_curve(BLENDED["transformer"]), curve)
