"""Charts of a metric attribution: totals, trend, rates and differences, each with a drop-down where it needs one."""

from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from workbench.columns import EVENT_ATTRIBUTION_SOURCE, TIMESTAMP, VALUE
from workbench.show.charts.theme import BLUE, COLORWAY, DASHES, GREY, ORANGE, SYMBOLS, finish

METRIC_NAME, RATE, READING = "METRIC_NAME", "RATE", "READING"
UNDEFINED = "SOURCE_NAME_UNDEFINED"
ROW_HEIGHT = 34  # pixels for one source or pair
MENU_ROOM = 105  # pixels above a figure that has a drop-down


def totals(frame: pd.DataFrame, metric: str | None = None) -> go.Figure:
    """Bars of what each source brought over the whole time.

    Args:
        frame: METRIC_NAME, EVENT_TYPE, MATH_FUNCTION, EVENT_ATTRIBUTION_SOURCE, VALUE, as `Attribution.totals` gives.
        metric: show only this one; None shows the first and a drop-down with all.
    """

    def bars(part: pd.DataFrame, name: str) -> list[go.Bar]:
        worth = [f"{value:,.0f}" if abs(value) >= 100 else f"{value:,.2f}".removesuffix(".00") for value in part[VALUE]]
        text = {"text": worth, "textposition": "auto", "textangle": 0, "cliponaxis": False}
        hover = "%{y}: %{x:,.2f}<extra></extra>"
        labels = [_label(source) for source in part[EVENT_ATTRIBUTION_SOURCE]]
        return [go.Bar(x=part[VALUE], y=labels, orientation="h", marker_color=BLUE, hovertemplate=hover, **text)]

    figure, chosen = _by_name(frame, METRIC_NAME, metric, bars)
    figure.update_yaxes(autorange="reversed")
    kinds = frame.drop_duplicates(METRIC_NAME).set_index(METRIC_NAME)
    units = [f"{kinds.at[name, 'MATH_FUNCTION']}, {kinds.at[name, 'EVENT_TYPE']} events" for name in chosen]
    finish(figure, "What each source brought", units[0] if units else "", "", _height(frame, METRIC_NAME))
    return _with_menu(figure, chosen, [{"xaxis.title.text": escape(unit)} for unit in units])


def trend(frame: pd.DataFrame, metric: str | None = None, window: str = "window") -> go.Figure:
    """Lines of what each source brought per window of time; events without a source start hidden.

    Args:
        frame: METRIC_NAME, EVENT_ATTRIBUTION_SOURCE, TIMESTAMP (epoch seconds), VALUE, every source in every window.
        metric: as in `totals`.
        window: what a window is called on the axis, such as "day".
    """
    sources = sorted(frame[EVENT_ATTRIBUTION_SOURCE].unique(), key=lambda name: (name == UNDEFINED, name))

    def lines(part: pd.DataFrame, name: str) -> list[go.Scatter]:
        traces = []
        for number, source in enumerate(sources):
            rows = part[part[EVENT_ATTRIBUTION_SOURCE] == source]
            style = {"color": COLORWAY[number % len(COLORWAY)], "dash": DASHES[number % len(DASHES)], "width": 2}
            traces.append(
                go.Scatter(
                    x=pd.to_datetime(rows[TIMESTAMP], unit="s"),
                    y=rows[VALUE],
                    name=_label(source),
                    mode="lines+markers",
                    line=style,
                    marker={"symbol": SYMBOLS[number % len(SYMBOLS)], "size": 5},
                    hovertemplate="%{x|%Y-%m-%d %H:%M}: %{y:,.2f}",
                )
            )
        return traces

    figure, chosen = _by_name(frame, METRIC_NAME, metric, lines)
    for trace in figure.data:
        if trace.name == UNDEFINED and len(sources) > 1 and trace.visible is not False:
            trace.visible = "legendonly"
    units = [f"{escape(name)} per {window}" for name in chosen]
    finish(figure, f"Over time, per {window} (UTC)", "", units[0] if units else "", 480)
    figure.update_layout(hovermode="x unified")
    return _with_menu(
        figure, chosen, [{"yaxis.title.text": unit} for unit in units], hidden=UNDEFINED if len(sources) > 1 else None
    )


def rates(frame: pd.DataFrame, rate: str | None = None, level: float = 0.95) -> go.Figure:
    """Points with intervals: the rate of each source, highest first.

    Args:
        frame: RATE, EVENT_ATTRIBUTION_SOURCE, COUNT, OF, VALUE, LOW, HIGH, as `Rates.table`.
        rate: show only this one; None shows the first and a drop-down with all.
        level: of the intervals.
    """
    ordered = frame.sort_values(VALUE, ascending=False, kind="stable")

    def points(part: pd.DataFrame, name: str) -> list[go.Scatter]:
        words = [f"{count:,} of {of:,}" for count, of in zip(part["COUNT"], part["OF"], strict=True)]
        labels = [_label(source) for source in part[EVENT_ATTRIBUTION_SOURCE]]
        return [_interval(part[VALUE], labels, part["LOW"], part["HIGH"], words, BLUE, "circle", name)]

    figure, chosen = _by_name(ordered, RATE, rate, points, names=list(dict.fromkeys(frame[RATE])))
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickformat=".1~%", rangemode="tozero")
    words = f"rate and {level:.0%} interval"
    finish(figure, "Rates of each source", words, "", _height(frame, RATE))
    figure.update_layout(showlegend=False)
    return _with_menu(figure, chosen, [{} for _ in chosen])


def differences(frame: pd.DataFrame, rate: str | None = None, level: float = 0.95) -> go.Figure:
    """Every two sources against each other: filled diamonds where the interval leaves out zero, open circles elsewhere.

    Args:
        frame: RATE, FIRST, SECOND, DIFFERENCE, LOW, HIGH, READING, as `Rates.differences`.
        rate: show only this one; None shows the first and a drop-down with all.
        level: at which all intervals of one rate hold together.
    """
    labelled = frame.assign(
        PAIR=[
            f"{_label(first)}<br>− {_label(second)}"
            for first, second in zip(frame["FIRST"], frame["SECOND"], strict=True)
        ]
    ).sort_values("DIFFERENCE", ascending=False, kind="stable")
    unclear = "no clear difference"

    def forest(part: pd.DataFrame, name: str) -> list[go.Scatter]:
        clear, rest = part[part[READING] != unclear], part[part[READING] == unclear]
        return [
            _interval(rows["DIFFERENCE"], rows["PAIR"], rows["LOW"], rows["HIGH"], rows[READING], colour, symbol, words)
            for rows, colour, symbol, words in (
                (clear, ORANGE, "diamond", "a difference"),
                (rest, GREY, "circle-open", unclear),
            )
        ]

    figure, chosen = _by_name(labelled, RATE, rate, forest, names=list(dict.fromkeys(frame[RATE])))
    orders = [labelled.loc[labelled[RATE] == name, "PAIR"].tolist()[::-1] for name in chosen]
    figure.update_yaxes(categoryorder="array", categoryarray=orders[0] if orders else [])
    figure.update_xaxes(tickformat="+.1~%")
    figure.add_vline(x=0, line_color=GREY, line_dash="dash")
    words = f"difference of the rates<br>({level:.0%}, all pairs at once)"
    finish(figure, "Source against source", words, "", _height(frame, RATE, 1.35) + 60)
    figure.update_layout(legend_y=-85 / (figure.layout.height - 145))  # just below the axis title, however tall
    return _with_menu(figure, chosen, [{"yaxis.categoryarray": order} for order in orders])


def _interval(
    x: pd.Series,
    y: Sequence[str],
    low: pd.Series,
    high: pd.Series,
    words: Sequence[str],
    colour: str,
    symbol: str,
    name: str,
) -> go.Scatter:
    """Points with horizontal intervals that need not be symmetric."""
    bars = {"type": "data", "symmetric": False, "array": high - x, "arrayminus": x - low, "thickness": 2, "width": 6}
    return go.Scatter(
        x=x,
        y=list(y),
        error_x=bars | {"color": colour},
        mode="markers",
        marker={"color": colour, "symbol": symbol, "size": 10, "line": {"width": 2, "color": colour}},
        name=_label(name),
        customdata=pd.DataFrame({"low": low, "high": high, "words": list(words)}).to_numpy(),
        hovertemplate="%{y}: %{x:.2%} (%{customdata[0]:.2%} to %{customdata[1]:.2%}), %{customdata[2]}<extra></extra>",
    )


def _by_name(
    frame: pd.DataFrame,
    column: str,
    only: str | None,
    draw: Callable[[pd.DataFrame, str], list[Any]],
    names: list[str] | None = None,
) -> tuple[go.Figure, dict[str, list[int]]]:
    """Draw each name's rows, hidden but for the first name's; returns also which traces belong to which name."""
    figure, chosen = go.Figure(), {}
    for name in [only] if only is not None else names or list(dict.fromkeys(frame[column])):
        start = len(figure.data)
        for trace in draw(frame[frame[column] == name], name):
            trace.visible = not chosen
            figure.add_trace(trace)
        chosen[name] = list(range(start, len(figure.data)))
    return figure, chosen


def _with_menu(
    figure: go.Figure, chosen: Mapping[str, list[int]], layouts: Sequence[dict[str, Any]], hidden: str | None = None
) -> go.Figure:
    """Add the drop-down that switches between names; a trace called `hidden` stays reachable in the legend only."""
    if len(chosen) < 2:
        return figure
    buttons = []
    for (name, mine), layout in zip(chosen.items(), layouts, strict=True):
        visible = [number in mine for number in range(len(figure.data))]
        states = [
            "legendonly" if on and hidden and trace.name == hidden else on
            for on, trace in zip(visible, figure.data, strict=True)
        ]
        buttons.append({"label": _label(name), "method": "update", "args": [{"visible": states}, layout]})
    menu = {
        "buttons": buttons,
        "x": 0,
        "xanchor": "left",
        "y": 1,
        "yanchor": "bottom",
        "pad": {"b": 8},
        "showactive": True,
    }
    figure.update_layout(updatemenus=[menu], margin_t=MENU_ROOM, height=figure.layout.height + MENU_ROOM - 60)
    return figure


def _height(frame: pd.DataFrame, column: str, stretch: float = 1.0) -> int:
    """Pixels for the name with the most rows."""
    most = int(frame[column].value_counts().max()) if len(frame) else 1
    return int(170 + ROW_HEIGHT * stretch * most)


def _label(name: object) -> str:
    """A name as plotly may show it: escaped, and not longer than fits."""
    words = str(name)
    return escape(words if len(words) <= 40 else words[:39] + "…")
