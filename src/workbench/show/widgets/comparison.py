"""Choose the metric that orders a comparison: a remote control around a function that a plain cell can call."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.show.metric_names import short
from workbench.show.widgets.screen import picker


def metric_picker(metrics: Sequence[str], show: Callable[[str], Any]) -> widgets.VBox:
    """A drop-down of metrics above the figure that `show` draws of the chosen one; see `picker`.

    Args:
        metrics: keys, the first one chosen at the start; at least one.
        show: key to a figure, such as `lambda key: charts.ranking(summary, key, baseline)`.
    """
    return picker("Metric", [(short(metric), metric) for metric in metrics], show)
