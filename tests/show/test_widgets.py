"""Widgets are remote controls: turning a control shows what the function behind it gives."""

import pandas as pd
import plotly.graph_objects as go
import pytest

from workbench.show.tables import show_table
from workbench.show.widgets.comparison import metric_picker
from workbench.show.widgets.quality import findings_browser
from workbench.show.widgets.recommendations import user_picker


def test_choosing_a_user_shows_that_user_escaped():
    box = user_picker(["<b>1</b>", "2"], lambda user: show_table(pd.DataFrame({"USER": [user]})))
    choice, screen = box.children
    assert "&lt;b&gt;1" in screen.outputs[0]["data"]["text/html"]
    choice.value = "2"
    assert "<td" in screen.outputs[0]["data"]["text/html"]
    assert len(screen.outputs) == 1
    assert "&lt;b&gt;1" not in screen.outputs[0]["data"]["text/html"]


def test_choosing_a_metric_draws_its_figure():
    box = metric_picker(["coverage", "precision_at_5"], lambda key: go.Figure(layout={"title": {"text": key}}))
    choice, screen = box.children
    titles = [screen.outputs[0]["data"]["application/vnd.plotly.v1+json"]["layout"]["title"]["text"]]
    choice.value = "precision_at_5"
    titles.append(screen.outputs[0]["data"]["application/vnd.plotly.v1+json"]["layout"]["title"]["text"])
    assert titles == ["coverage", "precision_at_5"]


def test_what_shows_itself_as_text_only_is_shown_as_text():
    _, screen = user_picker(["1"], lambda user: f"user {user}").children
    assert screen.outputs[0]["data"] == {"text/plain": "'user 1'"}


@pytest.mark.parametrize("make", [user_picker, metric_picker])
def test_nothing_to_choose_from_is_an_error(make):
    with pytest.raises(ValueError, match="at least one (user|metric) to choose from, got none"):
        make([], str)


def test_findings_are_browsed_by_dataset_and_word():
    columns = ["CHECK", "SEVERITY", "DATASET", "COLUMN", "NUMBER", "UNIT", "THRESHOLD", "MESSAGE", "BLOCKS", "STEP"]
    rows = [
        ["outliers", "warning", "items", "PRICE", 3.0, "rows", "", "odd prices", "", ""],
        ["repeats", "info", "interactions", "", 10.0, "%", "", "repeated views", "", ""],
    ]
    box = findings_browser(pd.DataFrame(rows, columns=columns))
    controls, shown = box.children
    dataset, search = controls.children
    assert "odd prices" in shown.value
    assert "repeated views" in shown.value
    dataset.value = "items"
    assert "repeated views" not in shown.value
    dataset.value, search.value = "", "REPEATED"
    assert "odd prices" not in shown.value
    assert "repeated views" in shown.value
