"""Chart of a replay: how soon every event was stored, and known to the next list."""

from collections.abc import Mapping, Sequence

import numpy as np
import plotly.graph_objects as go

from workbench.show.charts.labels import label
from workbench.show.charts.theme import COLORWAY, GREY, SYMBOLS, finish

SPREAD = 0.28  # of a row, so that equal times do not hide each other
ROW_HEIGHT = 78  # pixels


def latency_dots(milliseconds: Mapping[str, Sequence[float]], target: float = 1_000.0) -> go.Figure:
    """A dot for every event in a row for each thing waited for, with the median as a line, up to a dashed target.

    Args:
        milliseconds: what was waited for to the times from the put, as `replay_words.latencies` gives.
        target: milliseconds that are promised.
    """
    figure = go.Figure()
    for row, (name, values) in enumerate(milliseconds.items()):
        at = row + SPREAD * np.sin(2.4 * np.arange(len(values)))
        middle = float(np.median(values))
        figure.add_scatter(
            x=list(values),
            y=at,
            mode="markers",
            name=label(name),
            marker={"symbol": SYMBOLS[row % len(SYMBOLS)], "color": COLORWAY[row % len(COLORWAY)], "size": 9},
            opacity=0.75,
            hovertemplate="%{x:.2f} ms<extra></extra>",
        )
        figure.add_scatter(
            x=[middle, middle],
            y=[row - 0.36, row + 0.36],
            mode="lines+text",
            line={"color": COLORWAY[row % len(COLORWAY)], "width": 3},
            text=[f"median {middle:.1f} ms", ""],
            textposition="top right",
            hoverinfo="skip",
        )
    figure.add_vline(x=target, line={"color": GREY, "dash": "dash"})
    figure.add_annotation(
        x=np.log10(target), y=1.02, yref="paper", text=f"{target:,.0f} ms", showarrow=False, xanchor="right"
    )
    names = [label(name).replace(", ", ",<br>") for name in milliseconds]
    figure.update_yaxes(tickvals=list(range(len(names))), ticktext=names, range=[len(names) - 0.4, -0.75])
    lowest = min(min(values) for values in milliseconds.values())
    figure.update_xaxes(type="log", dtick=1, range=[np.log10(lowest) - 0.35, np.log10(target) + 0.2])
    figure.update_layout(showlegend=False)
    height = 150 + ROW_HEIGHT * len(names)
    return finish(figure, "From the put to the list", "milliseconds from the put (log scale)", "", height)
