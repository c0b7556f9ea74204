"""One look for every figure: colour-blind safe colours, readable sizes, titles and units in place."""

import plotly.graph_objects as go

# Okabe and Ito's palette: distinguishable with every common colour vision deficiency.
BLUE, ORANGE, GREEN, RED, SKY, PURPLE, YELLOW, GREY = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#D55E00",
    "#56B4E9",
    "#CC79A7",
    "#F0E442",
    "#6B7280",
)
COLORWAY = (BLUE, ORANGE, GREEN, RED, SKY, PURPLE, GREY)
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "x", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def finish(figure: go.Figure, title: str, x: str = "", y: str = "", height: int = 420) -> go.Figure:
    """Give a figure the common look.

    Args:
        figure: changed in place and returned.
        title: what the reader should see; one line.
        x, y: axis titles with their unit, such as "events per day"; empty leaves the axis as it is.
        height: pixels; the width follows the page.
    """
    figure.update_layout(
        template="plotly_white",
        colorway=list(COLORWAY),
        title={"text": title, "x": 0, "xanchor": "left", "font": {"size": 17}},
        font={"family": "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", "size": 13, "color": "#1f2937"},
        height=height,
        margin={"l": 10, "r": 10, "t": 60, "b": 10},
        legend={"orientation": "h", "yanchor": "top", "y": -0.18, "x": 0},
        hoverlabel={"font": {"size": 13}},
    )
    figure.update_xaxes(automargin=True)
    figure.update_yaxes(automargin=True)
    if x:
        figure.update_xaxes(title_text=x)
    if y:
        figure.update_yaxes(title_text=y)
    return figure


def legend_at_foot(figure: go.Figure, rows: int = 1) -> go.Figure:
    """Put the legend at the figure's lower edge, clear of the axis title at any width and height.

    Args:
        figure: changed in place and returned; its height includes the legend.
        rows: lines that the legend may need on a phone.
    """
    figure.update_layout(legend={"yref": "container", "yanchor": "bottom", "y": 0}, margin={"b": 60 + 22 * rows})
    return figure
