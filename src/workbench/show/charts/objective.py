"""What an objective costs and brings, in one picture."""

import pandas as pd
import plotly.graph_objects as go

from workbench.show.charts.theme import COLORWAY, GREY, SYMBOLS, finish

NAMED = ("OFF", "LOW", "MEDIUM", "HIGH")


def objective_plot(curve: pd.DataFrame, column: str, chosen: str = "", title: str = "") -> go.Figure:
    """Relevance to the right, reward upwards; the line runs over the weights, the four sensitivities are named.

    Args:
        curve: of `recipes.objective_evaluation.objective_curve`.
        column: what is earned, for the axis.
        chosen: the sensitivity that was trained with; its point is filled.
        title: one line; made from the column when empty.
    """
    figure = go.Figure()
    ordered = curve.sort_values("WEIGHT")
    figure.add_scatter(
        x=ordered["NDCG"],
        y=ordered["MEAN_REWARD"],
        name="weights from 0 to 1",
        mode="lines+markers",
        line={"color": GREY, "width": 1, "dash": "dot"},
        marker={"size": 4},
        customdata=ordered[["WEIGHT"]],
        hovertemplate="weight %{customdata[0]:.2f}: %{x:.4f}, %{y:.4g}",
    )
    for number, name in enumerate(NAMED):
        part = ordered[ordered["SENSITIVITY"] == name]
        figure.add_scatter(
            x=part["NDCG"],
            y=part["MEAN_REWARD"],
            name=f"{name} (chosen)" if name == chosen else name,
            mode="markers+text",
            text=[name] * len(part),
            textposition="top right",
            cliponaxis=False,
            marker={
                "color": COLORWAY[number],
                "symbol": SYMBOLS[number] if name == chosen else f"{SYMBOLS[number]}-open",
                "size": 12,
                "line": {"width": 2, "color": COLORWAY[number]},
            },
            error_x=_errors(part, "NDCG"),
            error_y=_errors(part, "MEAN_REWARD"),
            customdata=part[["WEIGHT", "AVERAGE_REWARDS", "EARNED"]],
            hovertemplate="weight %{customdata[0]:.2f}: %{x:.4f}, %{y:.4g}; average_rewards_at_k %{customdata[1]:.3f}, "
            "earned by hits %{customdata[2]:.3g} a user",
        )
    cut = min(10, int(curve["K"].max())) if len(curve) else 10
    return finish(
        figure,
        title or f"Relevance against {column}, with 95 % intervals",
        f"NDCG at {cut}, mean over held-out users",
        f"mean {column} of the listed items",
        height=460,
    )


def _errors(part: pd.DataFrame, name: str) -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": part[f"{name}_HIGH"] - part[name],
        "arrayminus": part[name] - part[f"{name}_LOW"],
        "thickness": 1.5,
        "width": 4,
    }
