"""What may be said and drawn of a comparison: no winner without support, nothing left out, markup escaped."""

from dataclasses import replace

import pandas as pd
import pytest

from workbench.evaluation.splits import make_split
from workbench.recipes.comparison import compare
from workbench.show import comparison_words
from workbench.show.charts import comparison as charts
from workbench.show.charts.placement import place_names


@pytest.fixture(scope="module")
def split():
    rows = [(f"{u:03d}", f"{(u + s) % 20:02d}", 100 * s + u) for u in range(50) for s in range(12)]
    return make_split("leave-last-out", pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]))


@pytest.fixture(scope="module")
def clear(split):
    ridge = {"recipe": "user-personalization", "hyperparameters": {"ridge": 1.0}, "label": "<b>closed</b> form"}
    return compare([ridge, "popularity-count"], split, top_k=10)


@pytest.fixture(scope="module")
def unclear(split):
    twins = [{"recipe": "user-personalization", "hyperparameters": {"ridge": r}} for r in (1.0, 2.0)]
    return compare(twins, split, top_k=10)


def test_a_clear_leader_is_named(clear):
    said = comparison_words.verdict(clear)
    assert said.startswith("<b>closed</b> form has the highest mean NDCG at 10, 1.0000")
    assert "clearly above every other recipe" in said


def test_twins_have_no_winner(unclear):
    assert "there is no clear winner" in comparison_words.verdict(unclear)


def test_skipped_recipes_are_named_in_table_and_verdict(split):
    found = compare(["sims"], split, budget_minutes=1e-9)
    table = comparison_words.outcome_table(found).set_index("RECIPE")
    assert table.loc["sims", "OUTCOME"].startswith("skipped; the budget")
    assert table.loc["popularity-count", "OUTCOME"] == "done; added as a baseline"
    assert "sims was skipped; nothing can be said about it" in comparison_words.verdict(found)


def test_a_lone_recipe_is_not_called_a_winner(clear):
    alone = replace(
        clear,
        lead=clear.lead.head(0),
        summary=clear.summary[clear.summary["RECIPE"] == "popularity-count"],
        catalogue=clear.catalogue[clear.catalogue["RECIPE"] == "popularity-count"],
    )
    assert "since no other recipe finished" in comparison_words.verdict(alone)


def test_tables_order_recipes_by_score_and_hold_every_metric_at_the_cut(clear):
    assert comparison_words.outcome_table(clear)["RECIPE"].iloc[0] == "<b>closed</b> form"
    table = comparison_words.metric_table(clear)
    assert list(table.columns[1:-1]) == clear.order
    at_ten = clear.summary["METRIC"].str.endswith("_at_10")
    assert len(table) == clear.summary.loc[at_ten, "METRIC"].nunique() + len(clear.catalogue.columns) - 1
    notes = comparison_words.note_table(clear)
    assert {"rows", "items solved together"} <= set(notes["WHAT"])


def test_the_ranking_draws_the_best_on_top_and_escapes_markup(clear):
    figure = charts.ranking(clear.summary, clear.metric, clear.baseline)
    assert figure.data[0].y[-1] == "&lt;b>closed&lt;/b> form"
    assert list(figure.data[0].x) == sorted(figure.data[0].x)


def test_unclear_differences_are_hollow(unclear):
    figure = charts.gaps(unclear.pairs, unclear.metric, "pairs", ("FIRST", "SECOND"))
    symbols = {trace.name: trace.marker.symbol for trace in figure.data}
    assert symbols == {"clear": "circle", "not clear": "circle-open"}
    assert sum(len(trace.x) for trace in figure.data) == 6
    assert figure.layout.legend.yref == "container"


def test_each_recipe_has_a_symbol_of_its_own_in_the_trade_off(clear):
    figure = charts.trade_off(comparison_words.scores(clear), "FIT", clear.metric, "time", "seconds", log=True)
    assert len({trace.marker.symbol for trace in figure.data}) == len(figure.data) == 3
    assert figure.layout.xaxis.type == "log"
    assert [trace.text[0] for trace in figure.data] == [trace.name for trace in figure.data]


@pytest.mark.parametrize(("seconds", "ends"), [([0.3, 0.9], [-1.1, 0.1]), ([1.0, 1.0], [-0.1, 1.1])])
def test_a_log_axis_has_one_label_a_power_of_ten_and_at_least_two(seconds, ends):
    table = pd.DataFrame({"RECIPE": ["a", "b"], "MEAN": 0.5, "LOW": 0.4, "HIGH": 0.6, "FIT": seconds})
    axis = charts.trade_off(table, "FIT", "precision_at_10", "time", "seconds", log=True).layout.xaxis
    assert axis.dtick == 1
    assert list(axis.range) == pytest.approx(ends)


def test_names_of_points_do_not_cover_each_other():
    assert place_names([1.0], [0.5], ["the only one"], 340.0) == ["middle left"]
    across, up = [0.1, 10.0, 1.0, 1.0, 1.0], [0.0, 1.0, 0.5, 0.5, 0.5]
    sides = place_names(across, up, ["a", "b", "one", "two", "three"], 340.0, log=True)
    assert len(set(sides[2:])) == 3
    far = place_names([0.1, 100.0], [0.2, 0.2], ["left end", "a long name at the right end"], 340.0, log=True)
    assert far[0] == "middle right"
    assert "left" in far[1] or "center" in far[1]


def test_twenty_recipes_have_twenty_looks_and_those_without_seconds_are_left_out():
    names = [f"recipe {n}" for n in range(20)]
    table = pd.DataFrame({"RECIPE": names, "MEAN": 0.5, "LOW": 0.4, "HIGH": 0.6, "FIT": [*range(19), float("nan")]})
    figure = charts.trade_off(table, "FIT", "precision_at_10", "time", "seconds", log=True)
    assert len({(trace.marker.symbol, trace.marker.color) for trace in figure.data}) == 19
    assert figure.data[0].x[0] == charts.LEAST


def test_the_picker_draws_what_is_chosen(clear):
    from workbench.show.widgets.comparison import metric_picker

    drawn = []

    def show(metric):
        drawn.append(metric)
        return charts.ranking(clear.summary, metric, clear.baseline)

    box = metric_picker(["precision_at_10", clear.metric], show)
    box.children[0].value = clear.metric
    assert drawn == ["precision_at_10", clear.metric]
    assert "application/vnd.plotly.v1+json" in box.children[1].outputs[0]["data"]
    with pytest.raises(ValueError, match="at least one metric"):
        metric_picker([], show)
