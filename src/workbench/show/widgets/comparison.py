"""Choose the metric that orders a comparison: a remote control around a function that a plain cell can call."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.show.metric_names import short
from workbench.show.widgets.screen import show_on


def metric_picker(metrics: Sequence[str], show: Callable[[str], Any]) -> widgets.VBox:
    """A drop-down of metrics above the figure that `show` draws of the chosen one.

    Args:
        metrics: keys, the first one chosen at the start; at least one.
        show: key to a figure, such as `lambda key: charts.ranking(summary, key, baseline)`.

    Returns:
        The widget; its first child is the drop-down, its second the output.
    """
    if not len(metrics):
        raise ValueError("metric_picker needs at least one metric")
    choice = widgets.Dropdown(options=[(short(metric), metric) for metric in metrics], description="Metric")
    output = widgets.Output()

    def redraw(change: dict[str, Any]) -> None:
        show_on(output, show(change["new"]))

    choice.observe(redraw, names="value")
    redraw({"new": choice.value})
    return widgets.VBox([choice, output])
