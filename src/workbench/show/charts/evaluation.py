"""Offline scores as pictures: intervals beside baselines, users behind the means, parts of users and catalogue."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from workbench.columns import METRIC, RECIPE
from workbench.show.charts.theme import COLORWAY, DASHES, SYMBOLS, finish
from workbench.show.metric_names import short

PATTERNS = ("", "/", ".", "x", "-", "|", "+")
ROW_HEIGHT = 26  # pixels of one bar or point


def metric_bars(summary: pd.DataFrame, title: str = "Scores with 95 % intervals") -> go.Figure:
    """Bars of several metrics, one colour and hatching a recipe, with error bars and the mean written beside.

    Args:
        summary: RECIPE, METRIC, MEAN, LOW, HIGH, USERS; a few metrics of a like scale, the first on top.
        title: one line.
    """
    figure = go.Figure()
    recipes = list(dict.fromkeys(summary[RECIPE]))
    for number, name in enumerate(recipes):
        part = summary[summary[RECIPE] == name]
        figure.add_bar(
            x=part["MEAN"],
            y=part[METRIC].map(short),
            name=name,
            orientation="h",
            marker={"color": _colour(number), "pattern": {"shape": PATTERNS[number % len(PATTERNS)], "size": 5}},
            error_x=_errors(part),
            customdata=part[["LOW", "HIGH", "USERS"]],
            hovertemplate="%{y}: %{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f}, %{customdata[2]:,} users)",
        )
        figure.add_scatter(
            x=part["HIGH"].fillna(part["MEAN"]),
            y=part[METRIC].map(short),
            text=[f" {value:.3f}" for value in part["MEAN"]],
            mode="text",
            orientation="h",
            textposition="middle right",
            textfont={"size": 11},
            showlegend=False,
            hoverinfo="skip",
            offsetgroup=str(number),
            cliponaxis=False,
        )
        figure.data[-2].offsetgroup = str(number)
    rows = summary[METRIC].nunique() * (len(recipes) + 0.7)
    figure.update_layout(barmode="group", scattermode="group", bargap=0.2, legend={"traceorder": "normal"})
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=8)
    figure.update_xaxes(rangemode="tozero", range=[0, _reach(summary) * 1.18])
    return finish(figure, title, "mean over held-out users", height=int(150 + ROW_HEIGHT * rows))


def difference_plot(differences: pd.DataFrame, title: str = "Difference from the baselines") -> go.Figure:
    """One line an interval: recipe minus baseline, user by user; a line that crosses 0 says nothing clear.

    Args:
        differences: BASELINE, METRIC, DIFFERENCE, LOW, HIGH, READING.
        title: one line.
    """
    figure = go.Figure()
    for number, name in enumerate(dict.fromkeys(differences["BASELINE"])):
        part = differences[differences["BASELINE"] == name]
        figure.add_scatter(
            x=part["DIFFERENCE"],
            y=part[METRIC].map(short),
            name=f"minus {name}",
            mode="markers",
            orientation="h",
            cliponaxis=False,
            marker={"color": _colour(number + 1), "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 10},
            error_x=_errors(part, "DIFFERENCE"),
            customdata=part[["LOW", "HIGH", "READING"]],
            hovertemplate="%{y}: %{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f}): %{customdata[2]}",
        )
    figure.add_vline(x=0, line={"color": "#1f2937", "width": 1, "dash": "dash"})
    figure.update_layout(scattermode="group", scattergap=0.4)
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=8)
    rows = differences[METRIC].nunique() * (differences["BASELINE"].nunique() + 0.5)
    return finish(figure, title, "recipe minus baseline", height=int(160 + ROW_HEIGHT * rows))


def score_distribution(scores: Mapping[str, pd.Series], metric: str, title: str = "") -> go.Figure:
    """How many users have which score: the mean hides those who get nothing.

    Args:
        scores: recipe to its per-user values, within 0 and 1.
        metric: key of the metric, for the axis.
        title: one line; made from the metric when empty.
    """
    figure = go.Figure()
    for number, (name, values) in enumerate(scores.items()):
        figure.add_histogram(
            x=values.dropna(),
            name=name,
            histnorm="percent",
            xbins={"start": 0, "end": 1.0001, "size": 0.1},
            marker={"color": _colour(number), "pattern": {"shape": PATTERNS[number % len(PATTERNS)], "size": 5}},
            hovertemplate="%{x}: %{y:.1f} % of users",
        )
    figure.update_layout(barmode="group", bargap=0.15)
    figure.update_xaxes(tick0=0, dtick=0.1)
    return finish(figure, title or f"Users by {short(metric)}", f"{short(metric)} of one user", "share of users, %")


def slice_dots(slices: pd.DataFrame, metric: str, title: str = "") -> go.Figure:
    """One metric for parts of the users and the catalogue, with intervals; a symbol and colour a recipe.

    Args:
        slices: RECIPE, SLICE, RULE, METRIC, MEAN, LOW, HIGH, USERS; only rows of `metric` are drawn.
        metric: its key.
        title: one line; made from the metric when empty.
    """
    part = slices[slices[METRIC] == metric]
    figure = go.Figure()
    recipes = list(dict.fromkeys(part[RECIPE]))
    for number, name in enumerate(recipes):
        rows = part[part[RECIPE] == name]
        figure.add_scatter(
            x=rows["MEAN"],
            y=[
                f"{each}<br><sub>{users:,} users</sub>"
                for each, users in zip(rows["SLICE"], rows["USERS"], strict=True)
            ],
            name=name,
            mode="markers",
            orientation="h",
            cliponaxis=False,
            marker={"color": _colour(number), "symbol": SYMBOLS[number % len(SYMBOLS)], "size": 10},
            error_x=_errors(rows),
            customdata=rows[["LOW", "HIGH", "USERS", "RULE"]],
            hovertemplate="%{customdata[3]}: %{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f})",
        )
    figure.update_layout(scattermode="group", scattergap=0.4)
    figure.update_yaxes(autorange="reversed", ticklabelstandoff=8)
    figure.update_xaxes(rangemode="tozero")
    height = int(160 + ROW_HEIGHT * part["SLICE"].nunique() * (len(recipes) + 0.5))
    return finish(figure, title or f"{short(metric)} by part", f"mean {short(metric)}", height=height)


def metric_curve(summary: pd.DataFrame, name: str, title: str = "") -> go.Figure:
    """One metric over list lengths, a dash and colour a recipe, the interval as a shaded band's edges in the hover.

    Args:
        summary: RECIPE, METRIC, MEAN, LOW, HIGH; the rows `<name>_at_<k>` are drawn.
        name: a metric without its cut, such as "recall".
        title: one line; made from the metric when empty.
    """
    part = summary[summary[METRIC].str.fullmatch(rf"{name}_at_\d+")]
    part = part.assign(K=part[METRIC].str.rpartition("_")[2].astype(int)).sort_values("K", kind="stable")
    figure = go.Figure()
    for number, recipe in enumerate(dict.fromkeys(summary[RECIPE])):
        rows = part[part[RECIPE] == recipe]
        figure.add_scatter(
            x=rows["K"],
            y=rows["MEAN"],
            name=recipe,
            mode="lines+markers",
            line={"color": _colour(number), "dash": DASHES[number % len(DASHES)]},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 9},
            error_y=_errors(rows),
        )
    figure.update_yaxes(rangemode="tozero")
    return finish(figure, title or f"{short(name)} by list length", "items in the list", f"mean {short(name)}")


def _errors(part: pd.DataFrame, mean: str = "MEAN") -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": (part["HIGH"] - part[mean]).to_numpy(),
        "arrayminus": (part[mean] - part["LOW"]).to_numpy(),
        "color": "#1f2937",
        "thickness": 1.3,
        "width": 4,
    }


def _reach(summary: pd.DataFrame) -> float:
    """The right end of the longest bar or interval."""
    longest = summary[["MEAN", "HIGH"]].max(axis=None)
    return float(longest) if longest > 0 else 1.0


def _colour(number: int) -> str:
    return COLORWAY[number % len(COLORWAY)]
