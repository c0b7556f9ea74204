"""trending-now by hand: windows, their borders, growth with caution, and what happens without growth to see."""

import math

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecipeError
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData
from workbench.recipes.durations import seconds
from workbench.recipes.examples import because_of, item_titles
from workbench.recipes.trend_backtest import backtest
from workbench.recipes.trending import surely_grown

HOUR = 3_600


def log(counts):
    """Events from {item: (events in hour 1, in hour 2, …)}, spread over the hour, the last at its very end."""
    rows = [
        (f"u{n}", item, hour * HOUR + (n + 1) * HOUR // total)
        for item, hours in counts.items()
        for hour, total in enumerate(hours)
        for n in range(total)
    ]
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def fitted(counts, **given):
    return build("trending-now", {"frequency": "1h"} | given).fit(TrainingData(log(counts)))


def best_first(recipe):
    return recipe.trends()["ITEM_ID"].to_list()


@pytest.mark.parametrize(
    ("now", "before", "shared", "expected"),
    [
        (3, 0, 0, math.log(4) - 1.64 * math.sqrt(1 / 4 + 1)),
        (60, 30, 0, math.log(61 / 31) - 1.64 * math.sqrt(1 / 61 + 1 / 31)),
        (0, 0, 0, -1.64 * math.sqrt(2)),
        (5, 5, 5, -1.64 * math.sqrt(2) / 6),  # only the prior's own event differs
    ],
)
def test_growth_follows_its_formula(now, before, shared, expected):
    bound = surely_grown(np.array([now]), np.array([before]), np.array([shared]), 1.0, 1.64)
    assert bound == pytest.approx([expected])


def test_three_clicks_are_no_trend_and_a_steady_giant_stands_above_them():
    recipe = fitted({"clicks": (0, 3), "rising": (10, 40), "giant": (300, 300), "falling": (50, 5), "gone": (9, 0)})
    assert best_first(recipe) == ["rising", "giant", "clicks", "falling", "gone"]
    assert recipe.notes["items_growing"] == 1


def test_without_caution_the_growth_alone_counts():
    assert best_first(fitted({"clicks": (0, 9), "rising": (10, 40)}, caution=0)) == ["clicks", "rising"]


def test_windows_leave_their_older_border_out_and_are_counted():
    # The newest event is at 3 h: the newest window is (2 h, 3 h], the one before (1 h, 2 h].
    events = [("a", 0), ("a", HOUR), ("a", HOUR + 1), ("a", 2 * HOUR), ("b", 2 * HOUR + 1), ("b", 3 * HOUR)]
    frame = pd.DataFrame([("u", *each) for each in events], columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    recipe = build("trending-now", {"frequency": "60 minutes"}).fit(TrainingData(frame))
    table = recipe.trends().set_index("ITEM_ID")
    assert table.loc["a", ["EVENTS_NOW", "EVENTS_BEFORE"]].tolist() == [0, 2]
    assert table.loc["b", ["EVENTS_NOW", "EVENTS_BEFORE"]].tolist() == [2, 0]
    assert table.loc["b", "GROWTH"] == 3.0
    spread = math.exp(1.96 * math.sqrt(1 / 3 + 1))
    assert table.loc["b", ["LOW", "HIGH"]].tolist() == pytest.approx([3 / spread, 3 * spread])
    assert recipe.notes["windows"] == 4
    assert recipe.notes["newest_window_starts_after"] == 2 * HOUR
    assert (recipe.notes["events_in_newest_window"], recipe.notes["events_in_window_before"]) == (2, 2)


def test_windows_may_overlap():
    recipe = fitted({"a": (5, 20, 30), "b": (20, 20, 20)}, window="2h")
    table = recipe.trends().set_index("ITEM_ID")
    assert table.loc["a", ["EVENTS_NOW", "EVENTS_BEFORE"]].tolist() == [50, 25]
    assert table.loc["b", ["EVENTS_NOW", "EVENTS_BEFORE"]].tolist() == [40, 40]


def test_a_quiet_item_and_equal_ones_follow_all_time_popularity():
    recipe = fitted({"once": (1, 0, 0, 0), "often": (3, 0, 0, 0), "now": (0, 0, 5, 5)})
    assert best_first(recipe) == ["now", "often", "once"]


@pytest.mark.parametrize(
    ("times", "words"),
    [([7, 7, 7], "all events have the same time"), ([0, 9 * HOUR, 9 * HOUR], "no event in the window before")],
)
def test_without_growth_to_see_it_is_recent_popularity_and_says_so(times, words):
    frame = pd.DataFrame({"USER_ID": ["u", "v", "w"], "ITEM_ID": ["a", "b", "b"], "TIMESTAMP": times})
    recipe = build("trending-now").fit(TrainingData(frame))
    assert best_first(recipe) == ["b", "a"]
    assert recipe.notes["fallback"].startswith(f"recent popularity: {words}")
    assert recipe.reason(1) == "2 events in the newest window"


def test_the_reason_is_shown_beside_a_recommendation():
    recipe = fitted({"rising": (10, 1_040)})
    reasons = because_of(recipe, log({}), "nobody", pd.Series(["rising"]), item_titles(None))
    assert reasons == ["1,040 events, 10 in the window before"]


def test_names_and_values_of_personalize_are_accepted():
    assert build("aws-trending-now", {"Trend discovery frequency": "30 minutes"}).frequency == 1_800


@pytest.mark.parametrize(
    ("text", "expected"),
    [("3h", 10_800), ("1 Day", 86_400), ("1.5 d", 129_600), ("90s", 90), ("2 Weeks", 1_209_600), ("5 mins", 300)],
)
def test_durations_are_read(text, expected):
    assert seconds(text, "x") == expected


@pytest.mark.parametrize("text", ["", "3", "h", "-3h", "3 months", "3ms", "1e3h", "0h", "99999 weeks", "٣h", None, 3])
def test_other_durations_are_refused(text):
    with pytest.raises(RecipeError, match=r"^x="):
        seconds(text, "x")


def test_a_wrong_window_is_refused_when_the_recipe_is_built():
    with pytest.raises(RecipeError, match="trending-now: window='soon' is no length of time"):
        build("trending-now", {"window": "soon"})


def test_the_backtest_sees_only_the_past_of_each_moment():
    # a grows every hour, b shrinks; the hour after always sees a rise by as much again.
    events = log({"a": (10, 20, 40, 80, 160), "b": (160, 80, 40, 20, 10), "new": (0, 0, 0, 0, 50)})
    found = backtest(events, {"frequency": "1h"}, k=1, windows=3)
    assert found["STARTS_AFTER"].tolist() == [2 * HOUR, 3 * HOUR, 4 * HOUR]
    assert found["EVENTS"].tolist() == [80, 100, 220]
    assert found["TRENDING_NOW"].tolist() == [1.0, 1.0, 1.0]
    assert found["MOST_CHOSEN_BEFORE"].tolist() == [0.0, 1.0, 1.0]  # b, then a by the tie's order, then a
    assert found["MOST_CHOSEN_EVER"].tolist() == [0.0, 0.0, 0.0]
    assert backtest(log({"a": (5,)}), {"frequency": "1h"}).empty
