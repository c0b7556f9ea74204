"""Charts of recommendation lists: what moved a score, the exploration dial, and how a given list is put in order."""

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from workbench.show.charts.labels import different, label, wrapped
from workbench.show.charts.theme import BLUE, COLORWAY, GREEN, GREY, ORANGE, SYMBOLS, finish, legend_at_foot

ROW_HEIGHT = 34  # pixels of one bar or place
NARROW = 22  # characters of a title beside a line
FOR, AGAINST = "spoke for it", "spoke against it"


def influence_bars(influences: pd.DataFrame, title: str) -> go.Figure:
    """Bars of what moved one score, largest on top; what spoke against it is hatched.

    Args:
        influences: WHAT, KIND, SHARE, SPOKE, as `recommendation_words.influences_table` gives.
        title: one line.
    """
    rows = influences.iloc[::-1]
    labels = different([label(what) for what in rows["WHAT"]])
    figure = go.Figure()
    for spoke, colour, shape, name in (("for", BLUE, "", FOR), ("against", ORANGE, "/", AGAINST)):
        part = (rows["SPOKE"] == spoke).to_numpy()
        if not part.any():
            continue
        figure.add_bar(
            x=rows["SHARE"][part],
            y=[name for name, each in zip(labels, part, strict=True) if each],
            orientation="h",
            name=name,
            marker={"color": colour, "pattern": {"shape": shape}},
            text=[f"{share:+.0%}" for share in rows["SHARE"][part]],
            textposition="outside",
            cliponaxis=False,
            customdata=rows.loc[part, ["KIND"]],
            hovertemplate="%{y} (%{customdata[0]}): %{x:+.1%}<extra></extra>",
        )
    figure.update_yaxes(categoryorder="array", categoryarray=labels)
    ends = [min(rows["SHARE"].min(), 0.0), max(rows["SHARE"].max(), 0.0)] if len(rows) else [0.0, 1.0]
    room = 0.12 * (ends[1] - ends[0])  # for the numbers beside the bars
    span = [ends[0] - room * (ends[0] < 0), ends[1] + room]
    figure.update_xaxes(tickformat=".0%", zeroline=True, zerolinecolor="#1f2937", range=span)
    axis = "share of all that moved the score"
    return legend_at_foot(finish(figure, wrapped(title), axis, height=int(190 + ROW_HEIGHT * max(1, len(rows)))))


def exploration_dial(table: pd.DataFrame) -> go.Figure:
    """What every exploration weight gives and takes: explored places and relevance given up.

    Args:
        table: WEIGHT, LISTS, SHARE, NEW_SHOWN, GIVEN_UP, as `serving.exploration_dial.dial` gives.
    """
    rows = table.sort_values("WEIGHT")
    figure = go.Figure()
    drawn = (
        ("SHARE", "places that explore", BLUE, "solid", "circle"),
        ("GIVEN_UP", "relevance given up", ORANGE, "dash", "square"),
    )
    for column, name, colour, dash, symbol in drawn:
        figure.add_scatter(
            x=rows["WEIGHT"],
            y=rows[column],
            name=name,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 10},
            customdata=rows[["NEW_SHOWN"]],
            hovertemplate="weight %{x:g}: %{y:.1%}, %{customdata[0]:,} different new items shown",
        )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    title = f"Exploration over {int(rows['LISTS'].max()):,} lists"
    return legend_at_foot(finish(figure, title, "exploration weight", "share"))


def exploration_price(simulation: pd.DataFrame) -> go.Figure:
    """Clicks a list, and how many good new items were found, by weight, in a world whose click rates are known.

    Args:
        simulation: WEIGHT, CLICKS, FOUND of one policy, as `serving.exploration_simulation.simulate` gives.
    """
    rows = simulation.sort_values("WEIGHT")
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.12)
    drawn = (
        ("CLICKS", "clicks a list", BLUE, "solid", "circle"),
        ("FOUND", "good new items found", GREEN, "dash", "diamond"),
    )
    for number, (column, name, colour, dash, symbol) in enumerate(drawn, start=1):
        style = {"line": {"color": colour, "dash": dash, "width": 2}, "marker": {"symbol": symbol, "size": 10}}
        figure.add_scatter(
            x=rows["WEIGHT"],
            y=rows[column],
            name=name,
            mode="lines+markers",
            showlegend=False,
            row=number,
            col=1,
            **style,
        )
        figure.update_yaxes(title_text=name, row=number, col=1)
    figure.update_yaxes(rangemode="tozero", tickformat=".0%", row=2, col=1)
    figure.update_xaxes(title_text="exploration weight", row=2, col=1)
    finish(figure, wrapped("What exploration costs and finds, where true click rates are known"), height=500)
    return figure.update_layout(margin={"t": 90})


def order_slopes(given: Sequence[str], ordered: Sequence[str], titles: Sequence[str], title: str) -> go.Figure:
    """Lines from an item's place in a given list to its place in a user's order; rising ones are solid.

    Args:
        given: item ids as they were given; each once.
        ordered: the same items, best first; those that a rule removed are missing.
        titles: of `given`.
        title: one line.
    """
    places = {item: place for place, item in enumerate(ordered, start=1)}
    figure = go.Figure()
    named = set()
    for place, (item, name) in enumerate(zip(given, titles, strict=True), start=1):
        if item not in places:
            continue
        by = place - places[item]
        kind = "moved up" if by > 0 else "moved down" if by < 0 else "stayed"
        colour, dash, symbol = {
            "moved up": (BLUE, "solid", "triangle-up"),
            "moved down": (ORANGE, "dash", "triangle-down"),
            "stayed": (GREY, "dot", "circle"),
        }[kind]
        figure.add_scatter(
            x=["as given", "in the user's order"],
            y=[place, places[item]],
            mode="lines+markers",
            name=kind,
            legendgroup=kind,
            showlegend=kind not in named,
            line={"color": colour, "dash": dash, "width": 2},
            marker={"symbol": symbol, "size": 9},
            hovertemplate=f"{label(name, 60)}: place %{{y}}<extra></extra>",
        )
        sign = f"▲{by} " if by > 0 else f"▼{-by} " if by < 0 else ""
        figure.add_annotation(
            x=1,
            y=places[item],
            text=f"{sign}{label(name, NARROW)}",
            showarrow=False,
            xanchor="left",
            xshift=10,
            font={"size": 12},
        )
        named.add(kind)
    figure.update_yaxes(autorange="reversed", dtick=1, showgrid=False)
    figure.update_xaxes(range=[-0.1, 2.6], showgrid=False, tickvals=[0, 1])
    height = int(200 + ROW_HEIGHT * max(1, len(given)))
    return legend_at_foot(finish(figure, wrapped(title), "", "place in the list", height=height))


def agreement_dots(table: pd.DataFrame, title: str) -> go.Figure:
    """Which list holds which item, and where: a numbered dot for every place.

    Args:
        table: ITEM, a column of places for every list, LISTS, as `rank_words.agreement_table` gives.
        title: one line.
    """
    names = [name for name in table.columns if name not in ("ITEM", "LISTS")]
    labels = different([label(each) for each in table["ITEM"]])
    figure = go.Figure()
    for number, name in enumerate(names):
        held = table[name].notna().to_numpy()
        figure.add_scatter(
            x=[_broken(name)] * int(held.sum()),
            y=[name for name, each in zip(labels, held, strict=True) if each],
            mode="markers+text",
            text=[str(place) for place in table.loc[held, name]],
            textfont={"size": 11, "color": "#1f2937"},
            marker={"size": 24, "color": "white", "line": {"width": 2, "color": COLORWAY[number % len(COLORWAY)]}}
            | {"symbol": SYMBOLS[number % 3]},
            hovertemplate=f"%{{y}}: place %{{text}} of {label(name)}<extra></extra>",
            showlegend=False,
        )
    figure.update_yaxes(categoryorder="array", categoryarray=labels[::-1])
    figure.update_xaxes(side="top", showgrid=True, type="category", tickangle=0, tickfont={"size": 11})
    figure = finish(figure, wrapped(title), height=int(190 + ROW_HEIGHT * max(1, len(table))))
    return figure.update_layout(margin={"t": 120}, title={"y": 0.97, "yanchor": "top"})


def _broken(name: str) -> str:
    """A recipe's name in lines of one word each."""
    return label(name, 40).replace("-", "-<br>")
