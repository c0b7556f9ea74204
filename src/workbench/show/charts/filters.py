"""Charts of filters and promotions: what each condition keeps out, windows of time, relevance given up by percent."""

import pandas as pd
import plotly.graph_objects as go

from workbench.serving.filter_explain import FilterExplanation
from workbench.show.charts.labels import different, wrapped
from workbench.show.charts.theme import BLUE, GREEN, GREY, ORANGE, finish, legend_at_foot
from workbench.show.tables import shorten

ROW_HEIGHT = 56  # pixels of one bar
MOST = 12  # conditions drawn; those that keep out most
CONDITION = 70  # characters of one beside its bar
BREAK = 22  # characters after which it goes on in the next line


def mask_bars(explanation: FilterExplanation, title: str) -> go.Figure:
    """Bars of how many could be listed: without any filter, without each condition, with all of it.

    Args:
        explanation: of a filter; parts that do not apply are left out.
        title: one line.
    """
    parts = [part for each in explanation.expressions if each.applies for part in each.conditions if not part.ignored]
    parts = sorted(parts, key=lambda part: -part.left_without)[:MOST]
    names = [
        "no filter",
        *(wrapped(f"without {shorten(part.text, CONDITION)}", BREAK) for part in parts),
        "the whole filter",
    ]
    counts = [explanation.total, *(part.left_without for part in parts), explanation.left]
    kinds = ["no filter", *["one condition left out"] * len(parts), "the whole filter"]
    rows = pd.DataFrame({"NAME": different(names), "COUNT": counts, "KIND": kinds})
    figure = go.Figure()
    styles = {"no filter": (GREY, ""), "one condition left out": (ORANGE, "/"), "the whole filter": (BLUE, "x")}
    for kind, part in rows.groupby("KIND", sort=False):
        colour, shape = styles[kind]
        figure.add_bar(
            x=part["COUNT"],
            y=part["NAME"],
            orientation="h",
            name=kind,
            marker={"color": colour, "pattern": {"shape": shape}},
            text=[f"{count:,}" for count in part["COUNT"]],
            textposition="outside",
            cliponaxis=False,
            hovertemplate="%{y}: %{x:,}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=rows["NAME"][::-1].tolist())
    figure.update_xaxes(range=[0, 1.3 * max(1, explanation.total)], nticks=4, tickangle=0)
    axis = f"{explanation.kind.lower()} that may be listed"
    return legend_at_foot(finish(figure, wrapped(title), axis, height=int(200 + ROW_HEIGHT * len(rows))))


def window_lines(windows: pd.DataFrame, title: str) -> go.Figure:
    """Lines of how many items a window of time keeps out, by its length.

    Args:
        windows: DAYS, REMOVED, MEAN_REMOVED, AGAIN, as `FilterBench.windows` gives.
        title: one line.
    """
    rows = windows.sort_values("DAYS")
    drawn = (
        ("REMOVED", "kept from this user", BLUE, "solid", "circle"),
        ("MEAN_REMOVED", "kept from a user on average", GREEN, "dash", "diamond"),
    )
    figure = go.Figure()
    for column, name, colour, dash, symbol in drawn:
        figure.add_scatter(
            x=rows["DAYS"],
            y=rows[column],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 10},
            hovertemplate=f"{name}, %{{x:g}} days: %{{y:,.0f}} items<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero")
    return legend_at_foot(finish(figure, wrapped(title), "length of the window, days", "items kept out"), 2)


def promotion_cost(cost: pd.DataFrame, title: str) -> go.Figure:
    """Relevance given up by percent promoted, with the range of most lists, and the share of places really promoted.

    Args:
        cost: PERCENT, LISTS, PLACED, GIVEN_UP, LOW, HIGH, as `serving.promotion_cost.promotion_cost` gives.
        title: one line.
    """
    rows = cost.sort_values("PERCENT")
    figure = go.Figure()
    figure.add_scatter(
        x=[*rows["PERCENT"], *rows["PERCENT"][::-1]],
        y=[*rows["HIGH"], *rows["LOW"][::-1]],
        fill="toself",
        fillcolor="rgba(230,159,0,.22)",
        line={"width": 0},
        name="four of five lists",
        hoverinfo="skip",
    )
    drawn = (
        ("GIVEN_UP", "relevance given up", ORANGE, "solid", "square"),
        ("PLACED", "places promoted", BLUE, "dot", "circle"),
    )
    for column, name, colour, dash, symbol in drawn:
        figure.add_scatter(
            x=rows["PERCENT"],
            y=rows[column],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 9},
            hovertemplate=f"%{{x}} % asked for: {name} %{{y:.1%}}<extra></extra>",
        )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    return legend_at_foot(finish(figure, wrapped(title), "places to be promoted, %", "share"), 2)
