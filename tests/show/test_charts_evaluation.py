"""Figures of offline scores: every recipe, interval and label is there, and nothing rests on colour alone."""

import pandas as pd
import pytest

from workbench.recipes.examples import HIT, UserCard
from workbench.show.charts.evaluation import (
    difference_plot,
    metric_bars,
    metric_curve,
    score_distribution,
    slice_dots,
)
from workbench.show.metric_names import SHORT, meaning, pick, short
from workbench.show.side_by_side import show_card
from workbench.show.widgets.recommendations import user_picker

NDCG = "normalized_discounted_cumulative_gain_at_10"


@pytest.fixture
def summary():
    rows = [
        ("sims", NDCG, 0.2, 0.1, 0.3, 94),
        ("sims", "precision_at_10", 0.1, 0.05, 0.15, 94),
        ("popularity-count", NDCG, 0.1, 0.08, 0.12, 94),
        ("popularity-count", "precision_at_10", 0.05, 0.04, 0.06, 94),
    ]
    return pd.DataFrame(rows, columns=["RECIPE", "METRIC", "MEAN", "LOW", "HIGH", "USERS"])


@pytest.fixture
def card():
    past = pd.DataFrame({"WHEN": ["1998-01-02"], "ITEM": ["<script>alert(1)</script>"]})
    listed = pd.DataFrame({"RANK": [1, 2], "ITEM": ["Film", "Other"], "HIT": [HIT, ""], "SCORE": [0.5, 0.4]})
    return UserCard("<b>7</b>", past, listed, ("Film", "Rare"), past_events=9, hits=1)


def test_bars_carry_intervals_values_and_patterns(summary):
    figure = metric_bars(summary)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [trace.name for trace in bars] == ["sims", "popularity-count"]
    assert bars[0].error_x.array.tolist() == pytest.approx([0.1, 0.05])
    assert bars[0].error_x.arrayminus.tolist() == pytest.approx([0.1, 0.05])
    assert list(bars[0].y) == ["NDCG at 10", "precision at 10"]
    assert bars[0].marker.pattern.shape != bars[1].marker.pattern.shape
    words = [trace.text for trace in figure.data if trace.type == "scatter"]
    assert list(words[0]) == [" 0.200", " 0.100"]
    assert figure.layout.xaxis.title.text == "mean over held-out users"


def test_a_missing_interval_draws_the_bar_alone(summary):
    figure = metric_bars(summary.assign(LOW=float("nan"), HIGH=float("nan")))
    assert figure.layout.xaxis.range[1] == pytest.approx(0.2 * 1.18)


def test_differences_show_where_zero_is(summary):
    table = summary.rename(columns={"RECIPE": "BASELINE", "MEAN": "DIFFERENCE"}).assign(READING="higher")
    figure = difference_plot(table)
    assert [trace.name for trace in figure.data] == ["minus sims", "minus popularity-count"]
    assert figure.data[0].marker.symbol != figure.data[1].marker.symbol
    assert figure.layout.shapes[0].x0 == 0


def test_distribution_shows_shares_of_users():
    figure = score_distribution({"sims": pd.Series([0.0, 0.5, 1.0]), "other": pd.Series([0.0, None])}, NDCG)
    assert [len(trace.x) for trace in figure.data] == [3, 1]
    assert {trace.histnorm for trace in figure.data} == {"percent"}
    assert figure.layout.title.text == "Users by NDCG at 10"


def test_slices_name_rule_and_users(summary):
    table = summary.assign(SLICE="new users", RULE="at most 3 past events")
    figure = slice_dots(table, NDCG)
    assert figure.data[0].y[0] == "new users<br><sub>94 users</sub>"
    assert "at most 3 past events" in str(figure.data[0].customdata)


def test_a_curve_takes_all_cuts_of_one_metric(summary):
    table = pd.concat([summary, summary.replace({"METRIC": {NDCG: NDCG.replace("10", "5")}})])
    figure = metric_curve(table.drop_duplicates(), NDCG.removesuffix("_at_10"))
    assert list(figure.data[0].x) == [5, 10]
    assert figure.data[0].line.dash != figure.data[1].line.dash


def test_metrics_have_short_names_and_meanings(summary):
    assert short("mean_reciprocal_rank_at_25") == "MRR at 25"
    assert short("coverage") == "coverage of items"
    assert short("my_own") == "my own"
    assert all(meaning(name) for name in SHORT)
    assert pick(summary, ["precision_at_10", "unknown"])["METRIC"].tolist() == ["precision_at_10"] * 2


def test_a_card_escapes_what_comes_from_data_and_marks_hits_in_words(card):
    html = show_card(card)._repr_html_()
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)" in html
    assert "&lt;b&gt;7&lt;/b&gt;" in html
    assert "✓ chosen next" in html
    assert "1 of 2 recommended items shown were chosen next. Chosen next, 2 in all: Film; Rare" in repr(show_card(card))


def test_the_picker_shows_what_a_plain_call_shows(card):
    seen = []
    widget = user_picker(["7", "8"], lambda user: seen.append(user) or show_card(card))
    choice, output = widget.children
    choice.value = "8"
    assert seen == ["7", "8"]
    assert output.layout is not None
    with pytest.raises(ValueError, match="at least one user"):
        user_picker([], seen.append)
