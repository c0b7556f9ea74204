"""Charts of a study: finished trials only, whiskers from the table, hostile names harmless."""

import pandas as pd
import pytest

from workbench.show.charts.tuning import (
    best_beside_defaults,
    history,
    importance_bars,
    parallel_coordinates,
    training_curves,
    value_against_time,
)

NDCG = "normalized_discounted_cumulative_gain_at_10"


@pytest.fixture
def trials() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "TRIAL": [0, 1, 2, 3],
            "STATE": ["finished", "finished", "failed", "finished"],
            "IS_DEFAULT": [True, False, False, False],
            "VALUE": [0.2, 0.1, float("nan"), 0.3],
            "LOW": [0.1, 0.05, float("nan"), 0.2],
            "HIGH": [0.4, 0.2, float("nan"), 0.35],
            "ridge": [100.0, 1.0, 5.0, 10_000.0],
            "a_very_long_<b>name</b>": ["x", "y", "x", "<i>"],
            "FIT_SECONDS": [1.0, 2.0, float("nan"), 3.0],
        }
    )


def test_history_shows_finished_trials_and_the_best_so_far(trials):
    before = trials.copy()
    figure = history(trials, NDCG)
    names = [trace.name for trace in figure.data]
    assert names == ["other trials", "defaults", "best trial", "best so far"]
    assert list(figure.data[-1].y) == [0.2, 0.2, 0.3]
    assert [figure.data[1].error_y.array[0], figure.data[1].error_y.arrayminus[0]] == pytest.approx([0.2, 0.1])
    assert len({trace.marker.symbol for trace in figure.data[:3]}) == 3
    assert "1 failed" in figure.layout.title.text
    pd.testing.assert_frame_equal(trials, before)


def test_best_default_is_one_point_of_its_own_kind(trials):
    only = trials.head(2)
    assert [trace.name for trace in history(only, NDCG).data] == [
        "other trials",
        "defaults, the best trial",
        "best so far",
    ]


def test_parallel_coordinates_write_settings_as_they_are(trials):
    varied = ["ridge", "a_very_long_<b>name</b>"]
    axes = parallel_coordinates(trials, varied, NDCG, ["ridge"]).data[0].dimensions
    assert [list(axis["values"]) for axis in axes] == [[2.0, 0.0, 4.0], [1, 2, 0], [0.2, 0.1, 0.3]]
    assert next(iter(axes[0].ticktext)) == "1.0"
    assert list(axes[0].ticktext)[-1] == "10,000"
    assert list(axes[1].ticktext) == ["&lt;i&gt;", "x", "y"]
    assert axes[1].label == "a_very_long_<br>&lt;b&gt;name&lt;/b&gt;"
    assert axes[2].label == "NDCG at 10"


def test_no_finished_trial_says_so(trials):
    nothing = trials[trials["STATE"] == "failed"]
    assert parallel_coordinates(nothing, ["ridge"], NDCG).layout.annotations[0].text == "No trial finished"
    assert len(history(nothing, NDCG).data) == 1
    empty = importance_bars(pd.DataFrame({"PARAMETER": [], "IMPORTANCE": []}), NDCG)
    assert "Too few finished trials" in empty.layout.annotations[0].text


def test_a_setting_left_to_the_recipe_is_counted_and_not_drawn(trials):
    trials.loc[0, "ridge"] = float("nan")
    figure = parallel_coordinates(trials, ["ridge"], NDCG, ["ridge"])
    assert list(figure.data[0].dimensions[0]["values"]) == [0.0, 4.0]
    assert figure.layout.title.text.endswith("; 1 left a setting to the recipe")


def test_curves_end_in_a_cross_where_a_trial_was_pruned(trials):
    trials.loc[1, "STATE"] = "pruned"
    reports = pd.DataFrame({"TRIAL": [0, 0, 1, 3], "STEP": [1, 2, 1, 1], "VALUE": [0.1, 0.2, 0.05, 0.3]})
    figure = training_curves(reports, trials)
    assert [(trace.name, list(trace.y), trace.marker.symbol) for trace in figure.data] == [
        ("finished", [0.1, 0.2], "circle"),
        ("pruned", [0.05], "x"),
        ("finished", [0.3], "circle"),
    ]
    assert [trace.showlegend for trace in figure.data] == [True, True, False]
    assert list(figure.data[0].marker.size) == [0, 9]
    assert "1 pruned, 1 failed" in history(trials, NDCG).layout.title.text
    nothing = training_curves(reports.head(0), trials)
    assert "nothing can be pruned" in nothing.layout.annotations[0].text


def test_time_and_importance_name_their_units(trials):
    figure = value_against_time(trials, NDCG)
    assert "seconds" in figure.layout.xaxis.title.text
    assert [list(trace.x) for trace in figure.data] == [[2.0], [1.0], [3.0]]
    bars = importance_bars(pd.DataFrame({"PARAMETER": ["ridge", "lags"], "IMPORTANCE": [0.75, 0.25]}), NDCG)
    assert list(bars.data[0].text) == ["75%", "25%"]
    assert "NDCG at 10" in bars.layout.xaxis.title.text


def test_report_puts_both_settings_on_each_metric():
    report = pd.DataFrame(
        {
            "SETTING": ["best", "defaults"],
            "METRIC": [NDCG, NDCG],
            "MEAN": [0.3, 0.2],
            "LOW": [0.2, 0.1],
            "HIGH": [0.4, 0.3],
            "USERS": [40, 40],
        }
    )
    figure = best_beside_defaults(report, [NDCG])
    assert [(trace.name, list(trace.x), list(trace.y)) for trace in figure.data] == [
        ("best", [0.3], ["NDCG at 10"]),
        ("defaults", [0.2], ["NDCG at 10"]),
    ]
    assert "40 users held out" in figure.layout.title.text
