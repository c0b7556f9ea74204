"""Charts of a preparation: what they draw is what the record says."""

import pandas as pd
import pytest

from workbench.show.charts import preparation as charts


@pytest.fixture
def record():
    """Six steps: 100 rows lose 10, stay, lose 40, gain 25."""
    rows = [
        (1, "drop_missing", 100, 90, 10, 0),
        (2, "map_values", 90, 90, 0, 7),
        (3, "drop_bots", 90, 50, 40, 0),
        (4, "split_values", 50, 75, -25, 0),
    ]
    return pd.DataFrame(rows, columns=["STEP", "NAME", "ROWS_IN", "ROWS_OUT", "ROWS_REMOVED", "CHANGED"])


def links(figure):
    trace = figure.data[0]
    names = [label.replace("<b>", "").replace("</b>", "").replace("<br>", " ") for label in trace.node.label]
    found = zip(trace.link.source, trace.link.target, trace.link.customdata, strict=True)
    return {(names[source], names[target], value) for source, target, value in found}


def test_sankey_shows_kept_removed_and_added_rows_with_counts(record):
    assert links(charts.sankey(record)) == {
        ("100 rows read", "90 rows left", 90),
        ("100 rows read", "−10 1 drop_missing", 10),
        ("90 rows left", "50 rows left", 50),
        ("90 rows left", "−40 3 drop_bots", 40),
        ("50 rows left", "75 rows left", 50),
        ("+25 4 split_values", "75 rows left", 25),
    }


def test_sankey_counts_the_steps_that_it_does_not_draw(record):
    assert "1 of 4 steps kept every row" in charts.sankey(record).layout.title.text


def test_sankey_of_a_flow_that_keeps_every_row_or_has_no_step(record):
    assert links(charts.sankey(record.iloc[[1]])) == {("90 rows read", "90 rows left", 90)}
    assert links(charts.sankey(record.head(0))) == {("0 rows read", "0 rows left", 0)}


def test_places_stay_inside_the_figure(record):
    trace = charts.sankey(pd.concat([record] * 4, ignore_index=True)).data[0]
    assert all(0 < x < 1 for x in trace.node.x)
    stream = trace.domain.y[1] - trace.domain.y[0]
    assert all(0 < y * stream < 1 for y in trace.node.y)


def test_the_stream_fills_its_own_part_of_the_plot_and_never_the_title(record):
    quiet, busy = charts.sankey(record.iloc[[1]]).data[0], charts.sankey(record).data[0]
    assert (quiet.domain.y, set(quiet.node.y)) == ((0, 1), {0.5})
    assert busy.domain.y == (0.5, 1)
    assert list(busy.node.y[:4]) == [0.5] * 4


def test_a_large_branch_stays_whole_inside_the_plot():
    rows = [(1, "drop_missing", 1_000, 900, 100), (2, "keep_types", 900, 0, 900)]
    trace = charts.sankey(pd.DataFrame(rows, columns=["STEP", "NAME", "ROWS_IN", "ROWS_OUT", "ROWS_REMOVED"])).data[0]
    assert trace.node.y[4] * 0.5 + 900 / 1_000 * 0.5 / 2 == pytest.approx(1)
    assert min(trace.link.value) > 0, "Plotly would drop the node of 0 rows and shift the places of the others"
    assert list(trace.link.customdata) == [900, 100, 0, 900]


def test_changes_draws_one_bar_per_step_and_kind(record):
    removed, changed = charts.changes(record).data
    assert list(removed.y) == ["1 drop_missing", "2 map_values", "3 drop_bots", "4 split_values"]
    assert list(removed.x) == [10, 0, 40, 0]
    assert list(changed.x) == [0, 7, 0, 0]
    assert list(changed.text) == ["", "7", "", ""]


@pytest.mark.parametrize("steps", [0, 1])
def test_nothing_removed_or_changed_is_said_in_words(record, steps):
    figure = charts.changes(record.iloc[[1]].assign(CHANGED=0).head(steps))
    assert not figure.data
    assert figure.layout.annotations[0].text == "No step removed rows or changed values"


def test_the_legend_is_placed_in_pixels_from_the_lower_edge(record):
    layout = charts.changes(record).layout
    assert (layout.legend.yref, layout.legend.y, layout.legend.yanchor) == ("container", 0, "bottom")
    assert layout.margin.b >= 80


def test_before_and_after_differ_in_more_than_colour():
    frame = pd.DataFrame({"VALUE": ["1", "2–4"], "BEFORE": [5, 3], "AFTER": [0, 3]})
    figure = charts.before_after(frame, "Users", x="events per user", y="users")
    assert [list(trace.y) for trace in figure.data] == [[5, 3], [0, 3]]
    assert len({trace.marker.pattern.shape for trace in figure.data}) == 2
    assert figure.layout.xaxis.title.text == "events per user"
    days = pd.DataFrame({"DAY": pd.to_datetime(["2020-01-01"]), "BEFORE": [2], "AFTER": [1]})
    assert len({trace.line.dash for trace in charts.over_time(days, "Events per day").data}) == 2


def test_the_record_is_not_changed(record):
    copy = record.copy()
    charts.sankey(record)
    charts.changes(record)
    pd.testing.assert_frame_equal(record, copy)
