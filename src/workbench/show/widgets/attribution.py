"""Controls over the charts of a metric attribution: pick the metric, the rate, the sources and the window."""

from collections.abc import Mapping

import ipywidgets as widgets
import pandas as pd

from workbench.columns import DAY, EVENT_ATTRIBUTION_SOURCE, HOUR
from workbench.impact.attribution import METRIC_NAME, Attribution
from workbench.impact.rates import RATE, Rates
from workbench.impact.windows import rewindow
from workbench.show.charts import attribution as charts
from workbench.show.widgets.screen import show_on

WINDOWS: Mapping[str, int] = {"hour": HOUR, "6 hours": 6 * HOUR, "day": DAY, "week": 7 * DAY}


class AttributionControls(widgets.VBox):
    """A dashboard of one attribution; every figure is one that `show.charts.attribution` also draws alone.

    Attributes:
        metric, sources, window, rate: the controls; setting `.value` redraws.
        figures: chart name to the figure shown now.
    """

    def __init__(self, attribution: Attribution, measured: Rates, window: str = "day"):
        """Build the controls.

        Args:
            attribution: what the sources brought.
            measured: their rates.
            window: one of `WINDOWS`, where the trend starts.
        """
        self.attribution, self.measured, self.figures = attribution, measured, {}
        totals = attribution.totals()
        names = [metric.name for metric in attribution.metrics if metric.name in set(totals[METRIC_NAME])]
        sources = sorted(totals[EVENT_ATTRIBUTION_SOURCE].unique())
        self.metric = widgets.Dropdown(options=names, description="Metric")
        self.window = widgets.Dropdown(options=list(WINDOWS), value=window, description="Per")
        self.sources = widgets.SelectMultiple(options=sources, value=tuple(sources), description="Sources")
        self.rate = widgets.Dropdown(options=list(dict.fromkeys(measured.table[RATE])), description="Rate")
        self.screen = widgets.Output()
        for control in (self.metric, self.window, self.sources, self.rate):
            control.observe(self._redraw, names="value")
        top = widgets.HBox([self.metric, self.window, self.sources, self.rate], layout={"flex_flow": "row wrap"})
        super().__init__([top, self.screen])
        self._redraw()

    def _redraw(self, change: object = None) -> None:
        self.figures = {**self._metric_figures(), **self._rate_figures()}
        show_on(self.screen, *self.figures.values())

    def _metric_figures(self) -> dict[str, object]:
        if self.metric.value is None or not self.sources.value:
            return {}
        table = self._chosen(self.attribution.table, EVENT_ATTRIBUTION_SOURCE)
        table = table[table[METRIC_NAME] == self.metric.value]
        if table.empty:
            return {}
        totals = self._chosen(self.attribution.totals(), EVENT_ATTRIBUTION_SOURCE)
        return {
            "totals": charts.totals(totals, self.metric.value),
            "trend": charts.trend(rewindow(table, WINDOWS[self.window.value]), self.metric.value, self.window.value),
        }

    def _rate_figures(self) -> dict[str, object]:
        figures, level = {}, self.measured.level
        table = self._chosen(self.measured.table, EVENT_ATTRIBUTION_SOURCE)
        pairs = self._chosen(self._chosen(self.measured.differences, "FIRST"), "SECOND")
        if (table[RATE] == self.rate.value).any():
            figures["rates"] = charts.rates(table, self.rate.value, level)
        if (pairs[RATE] == self.rate.value).any():
            figures["differences"] = charts.differences(pairs, self.rate.value, level)
        return figures

    def _chosen(self, frame: pd.DataFrame, column: str) -> pd.DataFrame:
        return frame[frame[column].isin(self.sources.value)]
