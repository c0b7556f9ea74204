"""How a training in epochs went."""

import pandas as pd
import plotly.graph_objects as go

from workbench.show.charts.theme import BLUE, ORANGE, finish


def learning_plot(curve: pd.DataFrame, name: str) -> go.Figure:
    """NDCG of the held events after each judged epoch, the best one marked; the loss in the hover.

    Args:
        curve: EPOCH, VALUE, LOSS, BEST.
        name: of the recipe.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=curve["EPOCH"],
        y=curve["VALUE"],
        mode="lines+markers",
        name="held events",
        line={"color": BLUE},
        marker={"symbol": "circle", "size": 7},
        customdata=curve["LOSS"],
        hovertemplate="epoch %{x}: NDCG@10 %{y:.4f}, loss %{customdata:.3f}<extra></extra>",
    )
    best = curve[curve["BEST"]]
    figure.add_scatter(
        x=best["EPOCH"],
        y=best["VALUE"],
        mode="markers",
        name="kept",
        marker={"symbol": "star", "size": 15, "color": ORANGE, "line": {"width": 1, "color": "#1f2937"}},
        hovertemplate="kept: epoch %{x}, NDCG@10 %{y:.4f}<extra></extra>",
    )
    figure.update_yaxes(rangemode="tozero")
    return finish(figure, f"How {name} learned", "epoch", "NDCG@10 of the held events")
