"""A remote control over the findings: choose a dataset, type a word."""

import ipywidgets as widgets
import pandas as pd

from workbench.data.insights import pick
from workbench.show.insights_words import readable
from workbench.show.tables import show_table


def findings_browser(findings: pd.DataFrame) -> widgets.VBox:
    """Browse findings by dataset and text; the same as `show_table(readable(pick(findings, ...)))`.

    Args:
        findings: as `insights` gives them.
    """
    names = sorted(findings["DATASET"].unique())
    dataset = widgets.Dropdown(options=[("all datasets", ""), *((name, name) for name in names)], description="Dataset")
    search = widgets.Text(placeholder="a word, such as price", description="Search", continuous_update=False)
    shown = widgets.HTML()

    def refresh(_: object = None) -> None:
        chosen = pick(findings, dataset=dataset.value, search=search.value)
        shown.value = show_table(readable(chosen), f"{len(chosen)} findings", rows=len(chosen))._repr_html_()

    dataset.observe(refresh, "value")
    search.observe(refresh, "value")
    refresh()
    return widgets.VBox([widgets.HBox([dataset, search]), shown])
