"""Charts of a batch job."""

import pandas as pd
import plotly.graph_objects as go

from workbench.show.charts.theme import BLUE, finish


def length_bars(lengths: pd.DataFrame, title: str) -> go.Figure:
    """How many lists have how many items.

    Args:
        lengths: LENGTH, LISTS, as `batch_words.lengths_table` gives.
        title: one line.
    """
    figure = go.Figure()
    figure.add_bar(
        x=lengths["LENGTH"],
        y=lengths["LISTS"],
        marker={"color": BLUE},
        text=[f"{count:,}" for count in lengths["LISTS"]],
        textposition="outside",
        cliponaxis=False,
        hovertemplate="%{x} items: %{y:,} lists<extra></extra>",
    )
    figure.update_xaxes(dtick=1 if len(lengths) < 30 else None)
    if len(lengths):
        figure.update_xaxes(range=[lengths["LENGTH"].min() - 1, lengths["LENGTH"].max() + 1])
        figure.update_yaxes(range=[0, lengths["LISTS"].max() * 1.15])
    return finish(figure, title, "items in a list", "lists")
