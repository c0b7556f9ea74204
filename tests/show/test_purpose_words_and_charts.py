"""What is said and drawn of objectives, trends and given lists follows from the tables, whatever the parameters."""

from types import SimpleNamespace

import pandas as pd
import pytest

from workbench.evaluation.splits import given
from workbench.recipes.objective_evaluation import objective_curve
from workbench.recipes.scoring import fit_and_score
from workbench.show import purpose_words
from workbench.show.charts.objective import NAMED, objective_plot

EVENTS = pd.DataFrame(
    [(f"x{n}", item, n) for rank, item in enumerate("fedcba") for n in range(rank + 1)],
    columns=["USER_ID", "ITEM_ID", "TIMESTAMP"],
)


@pytest.fixture(scope="module")
def curve():
    split = given(EVENTS, pd.DataFrame({"USER_ID": ["u", "v"], "ITEM_ID": ["a", "f"]}))
    items = pd.DataFrame({"ITEM_ID": list("abcdef"), "PRICE": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    evaluation = fit_and_score("popularity-count", {}, split, items, k=2)
    return objective_curve(evaluation, split, items, "PRICE", k=2)


def training(purposes, sensitivity="HIGH"):
    config = {"objective": {"column": "PRICE", "sensitivity": sensitivity}}
    return SimpleNamespace(
        purposes=purposes, version=SimpleNamespace(config=config), evaluation=SimpleNamespace(name="sims")
    )


def test_the_picture_names_every_sensitivity_and_marks_the_chosen_one(curve):
    figure = objective_plot(curve, "PRICE", "HIGH")
    assert [trace.name for trace in figure.data] == ["weights from 0 to 1", "OFF", "LOW", "MEDIUM", "HIGH (chosen)"]
    assert len(set(trace.marker.symbol for trace in figure.data[1:])) == len(NAMED)
    assert [trace.text[0] for trace in figure.data[1:]] == list(NAMED)
    high = curve.set_index("SENSITIVITY").loc["HIGH"]
    assert figure.data[-1].error_y.array[0] == pytest.approx(high["MEAN_REWARD_HIGH"] - high["MEAN_REWARD"])
    assert figure.layout.xaxis.title.text == "NDCG at 2, mean over held-out users"
    assert figure.layout.yaxis.title.text == "mean PRICE of the listed items"


def test_the_trade_is_told_with_both_sides(curve):
    said = purpose_words.reading(training({"objective_curve": curve}))
    high = curve.set_index("SENSITIVITY").loc["HIGH"]
    assert f"With sensitivity HIGH the listed items have a mean PRICE of {high['MEAN_REWARD']:.4g}, beside 1.5" in said
    table, caption = purpose_words.tables(training({"objective_curve": curve}))[0]
    assert caption == "Relevance against reward, by sensitivity"
    assert table["SENSITIVITY"].tolist() == list(NAMED)
    assert table["NDCG"].iloc[0] == "0.5 (0 to 1)"


def test_nothing_is_said_where_there_is_nothing():
    assert purpose_words.tables(training({})) == []
    assert purpose_words.reading(training({})).startswith("Nothing here: no objective is set, and sims")


def test_trends_are_told_beside_popularity_and_a_short_log_says_so():
    windows = pd.DataFrame(
        [(0, 5, 6, 0.5, 0.25, 0.1), (3_600, 5, 6, 0.7, 0.35, 0.1)],
        columns=["STARTS_AFTER", "EVENTS_BEFORE", "EVENTS", "TRENDING_NOW", "MOST_CHOSEN_BEFORE", "MOST_CHOSEN_EVER"],
    )
    said = purpose_words.reading(training({"trend_backtest": windows}))
    assert "Over the last 2 windows the items of trending-now made 60.0%" in said
    assert "30.0%, the most chosen ever 10.0%" in said
    assert "too short" in purpose_words.reading(training({"trend_backtest": windows.head(0)}))
    table = purpose_words.tables(training({"trend_backtest": windows}))[0][0]
    assert table["STARTS AFTER, UTC"].tolist() == ["1970-01-01 00:00", "1970-01-01 01:00"]


def test_the_order_of_given_lists_is_told():
    rows = [
        ("mean_reciprocal_rank_at_5", 0.1, 0.2, 0.1, 0.05, 0.15, 9, 0.01, "higher"),
        ("normalized_discounted_cumulative_gain_at_5", 0.11, 0.22, 0.11, 0.05, 0.15, 9, 0.01, "higher"),
    ]
    columns = ["METRIC", "GIVEN", "RANKED", "DIFFERENCE", "LOW", "HIGH", "USERS", "P", "READING"]
    found = training({"given_lists": pd.DataFrame(rows, columns=columns)})
    assert "NDCG at 5 is 0.2200 in the recipe's order and 0.1100 by popularity: higher." in purpose_words.reading(found)
    assert purpose_words.tables(found)[0][0]["METRIC"].tolist() == ["MRR at 5", "NDCG at 5"]
