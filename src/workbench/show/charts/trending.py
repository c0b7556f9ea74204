"""Charts of trends: counts over windows of time, growth with its interval, and forecasts of the past."""

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from workbench.columns import ITEM_ID
from workbench.recipes.trend_counts import ENDS, EVENTS
from workbench.show.charts.labels import different, label, wrapped
from workbench.show.charts.theme import BLUE, COLORWAY, DASHES, GREY, SYMBOLS, finish, legend_at_foot

ROW_HEIGHT = 36  # pixels of one item
TIMES = [step * 10.0**power for power in range(-4, 5) for step in (1, 3)]  # marks on an axis of growth


def window_lines(counts: pd.DataFrame, titles: Mapping[str, str]) -> go.Figure:
    """Lines of how often items were chosen in each window; every item has its own dash and symbol.

    Args:
        counts: ENDS (epoch seconds), ITEM_ID, EVENTS, as `recipes.trend_counts.window_counts` gives.
        titles: ITEM_ID to what the item is called, in the order of the legend.
    """
    figure = go.Figure()
    names = different([label(each) for each in titles.values()])
    for number, (item, name) in enumerate(zip(titles, names, strict=True)):
        rows = counts[counts[ITEM_ID] == item]
        figure.add_scatter(
            x=pd.to_datetime(rows[ENDS], unit="s"),
            y=rows[EVENTS],
            name=name,
            mode="lines+markers",
            line={"color": COLORWAY[number % len(COLORWAY)], "dash": DASHES[number % len(DASHES)], "width": 2},
            marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 8},
            hovertemplate=f"{name}: %{{y:,}} events up to %{{x|%Y-%m-%d %H:%M}}<extra></extra>",
        )
    figure.update_yaxes(rangemode="tozero")
    finish(figure, "The trending items, window by window", "end of the window (UTC)", "events per window", 460)
    return legend_at_foot(figure, rows=max(2, len(names)))


def growth_intervals(table: pd.DataFrame) -> go.Figure:
    """Dots with 95 % intervals of how many times more often items are chosen; filled where no growth is left out.

    Args:
        table: ITEM, NOW, BEFORE, GROWTH, LOW, HIGH, as `trend_words.growth_table` gives.
    """
    rows = table.iloc[::-1]
    labels = different([label(each) for each in rows["ITEM"]])
    sure = (rows["LOW"] > 1).to_numpy()
    figure = go.Figure()
    for wanted, name, colour, symbol in (
        (True, "beyond chance", BLUE, "circle"),
        (False, "may be chance", GREY, "circle-open"),
    ):
        part = rows[sure == wanted]
        if part.empty:
            continue
        figure.add_scatter(
            x=part["GROWTH"],
            y=[name for name, each in zip(labels, sure, strict=True) if each == wanted],
            mode="markers",
            name=name,
            marker={"size": 11, "color": colour, "symbol": symbol},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": part["HIGH"] - part["GROWTH"],
                "arrayminus": part["GROWTH"] - part["LOW"],
                "color": colour,
                "thickness": 1.5,
            },
            customdata=part[["NOW", "BEFORE", "LOW", "HIGH"]],
            hovertemplate="%{y}: %{x:.2f} times (%{customdata[2]:.2f} to %{customdata[3]:.2f}), "
            "%{customdata[0]:,} events after %{customdata[1]:,}<extra></extra>",
        )
    figure.add_vline(x=1, line={"color": "#1f2937", "dash": "dash", "width": 1})
    figure.update_xaxes(type="log", tickvals=TIMES, ticktext=[f"{each:g}×" for each in TIMES])
    figure.update_yaxes(categoryorder="array", categoryarray=labels)
    finish(
        figure,
        wrapped("How surely they grow (95 % intervals; dashed: no growth)"),
        "events, times the window before",
    )
    return legend_at_foot(figure).update_layout(height=int(190 + ROW_HEIGHT * max(1, len(rows))))


def forecast_lines(backtest: pd.DataFrame, lists: Mapping[str, str]) -> go.Figure:
    """Lines of the share of the rise that each list foretold, window after window of the past.

    Args:
        backtest: STARTS_AFTER (epoch seconds) and a column of shares for every list.
        lists: column to what the list is called.
    """
    figure = go.Figure()
    for number, (column, name) in enumerate(lists.items()):
        figure.add_scatter(
            x=pd.to_datetime(backtest["STARTS_AFTER"], unit="s"),
            y=backtest[column],
            name=name,
            mode="lines+markers",
            line={"color": COLORWAY[number], "dash": DASHES[number], "width": 2},
            marker={"symbol": SYMBOLS[number], "size": 9},
            hovertemplate=f"{name}: %{{y:.1%}} of the rise after %{{x|%Y-%m-%d %H:%M}}<extra></extra>",
        )
    figure.update_yaxes(tickformat=".0%", rangemode="tozero")
    title = "What lists of the past foretold of the rise right after them"
    finish(figure, wrapped(title), "list made at (UTC)", "share of the largest rises", 460)
    return legend_at_foot(figure, rows=len(lists))
