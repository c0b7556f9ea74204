"""What a preparation did: rows kept and removed by each step, and numbers before and after."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from workbench.show.charts.theme import BLUE, GREEN, GREY, ORANGE, RED, SYMBOLS, finish, legend_at_foot

KEPT_LINK, REMOVED_LINK, ADDED_LINK = "rgba(0,114,178,0.30)", "rgba(213,94,0,0.45)", "rgba(0,158,115,0.40)"
STREAM = 0.5  # share of the plot's height, from the top, that the stream of kept rows fills when all rows are kept
LAST_ROOM = 0.7  # how much longer the last stage is, in stages
LEAST = 1e-6  # Plotly drops a link of 0 rows and its node, and would then give the other nodes wrong places
BRANCH_HEIGHTS = (0.72, 0.92)  # removed rows end here in turn, so that their labels do not touch; shares of the plot
NOTHING = "No step removed rows or changed values"


def sankey(record: pd.DataFrame, title: str = "Rows kept and removed by each step") -> go.Figure:
    """Draw the rows of a flow as a stream from which steps take rows away, or to which they add some.

    Args:
        record: as `Flow.explain()` gives it: STEP, NAME, ROWS_IN, ROWS_OUT. Steps that leave the number of rows as it
            is are not drawn; the title's second line counts them.
        title: what the reader should see.
    """
    drawn = record[record["ROWS_IN"] != record["ROWS_OUT"]]
    start = int(record["ROWS_IN"].iloc[0]) if len(record) else 0
    stages = [start, *drawn["ROWS_OUT"].astype(int)] if len(drawn) else [start, start]
    added = int((drawn["ROWS_OUT"] - drawn["ROWS_IN"]).clip(lower=0).sum())
    nodes = _Nodes(len(stages), max(1, start + added), STREAM if len(drawn) else 1.0)
    for position, rows in enumerate(stages):
        word = "rows read" if position == 0 else "rows left"
        nodes.add(f"<b>{rows:,}</b><br>{word}", BLUE, position)
    for position, line in enumerate(drawn.itertuples(index=False)):
        nodes.link(position, position + 1, min(line.ROWS_IN, line.ROWS_OUT), KEPT_LINK, f"kept by {line.NAME}")
        removed = int(line.ROWS_IN - line.ROWS_OUT)
        height = BRANCH_HEIGHTS[position % len(BRANCH_HEIGHTS)]
        name = f"{line.STEP} {line.NAME}"
        if removed > 0:
            end = nodes.add(f"<b>−{removed:,}</b><br>{name}", RED, position + 0.55, nodes.fit(height, removed))
            nodes.link(position, end, removed, REMOVED_LINK, f"removed by {line.NAME}")
        else:
            end = nodes.add(f"<b>+{-removed:,}</b><br>{name}", GREEN, position, nodes.fit(height, -removed))
            nodes.link(end, position + 1, -removed, ADDED_LINK, f"added by {line.NAME}")
    if not len(drawn):
        nodes.link(0, 1, start, KEPT_LINK, "kept")
    quiet = len(record) - len(drawn)
    below = f"{quiet} of {len(record)} steps kept every row and are not drawn" if quiet and len(drawn) else ""
    below = below or ("no step removed or added a row" if quiet else "")
    words = f"{title}<br><sup>{below}</sup>" if below else title
    figure = finish(go.Figure(nodes.trace()), words, height=380 if len(drawn) else 220)
    return figure.update_layout(margin={"l": 10, "r": 20, "t": 80, "b": 20})


class _Nodes:
    """Collects the nodes and links of a Sankey with places fixed by hand: a stream above, branches below.

    Plotly makes the rows that flow as high as the trace's domain, and knows no other way to say how high they are. So
    the domain is the stream's own part of the plot, and branches stand below it, at heights above 1.
    """

    def __init__(self, stages: int, most: int, stream: float):
        self.stages, self.most, self.stream = stages, most, stream
        self.label, self.color, self.x, self.y = [], [], [], []
        self.source, self.target, self.value, self.rows, self.link_color, self.said = [], [], [], [], [], []

    def fit(self, height: float, rows: int) -> float:
        """Put a branch at a height, or as near to it as keeps its whole bar in the plot."""
        half = rows / self.most * self.stream / 2
        return min(height, 1 - half)

    def add(self, label: str, color: str, stage: float, height: float | None = None) -> int:
        self.label.append(label)
        self.color.append(color)
        # Plotly ignores places of exactly 0 and 1, and writes the last label to the left, where it needs room.
        place = stage + LAST_ROOM if stage >= self.stages - 1 else stage
        self.x.append(min(max(place / (self.stages - 1 + LAST_ROOM), 0.001), 0.999))
        self.y.append(0.5 if height is None else height / self.stream)
        return len(self.label) - 1

    def link(self, source: int, target: int, value: float, color: str, said: str) -> None:
        self.source.append(source)
        self.target.append(target)
        self.value.append(max(value, LEAST))
        self.rows.append(value)
        self.link_color.append(color)
        self.said.append(said)

    def trace(self) -> go.Sankey:
        return go.Sankey(
            arrangement="fixed",
            domain={"y": [1 - self.stream, 1]},
            node={
                "label": self.label,
                "color": self.color,
                "x": self.x,
                "y": self.y,
                "pad": 1,  # only takes height from the stream, since no place is left to Plotly
                "thickness": 14,
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": self.source,
                "target": self.target,
                "value": self.value,
                "color": self.link_color,
                "label": self.said,
                "customdata": self.rows,
                "hovertemplate": "%{customdata:,} rows %{label}<extra></extra>",
            },
        )


def changes(record: pd.DataFrame, title: str = "What each step changed") -> go.Figure:
    """Draw rows removed and values changed by each step as bars, on a scale where small numbers stay visible.

    Args:
        record: as `Flow.explain()` gives it: STEP, NAME, ROWS_REMOVED, CHANGED.
        title: what the reader should see.
    """
    most = int(record[["ROWS_REMOVED", "CHANGED"]].to_numpy().max(initial=0))
    if most <= 0:
        return _said(title, NOTHING)
    names = [f"{line.STEP} {line.NAME}" for line in record.itertuples()]
    figure = go.Figure()
    for column, word, color, shape in (
        ("ROWS_REMOVED", "rows removed", RED, ""),
        ("CHANGED", "values changed", BLUE, "/"),
    ):
        values = record[column].clip(lower=0)
        figure.add_bar(
            y=names,
            x=values,
            name=word,
            orientation="h",
            marker={"color": color, "pattern": {"shape": shape}},
            text=[f"{value:,}" if value else "" for value in values],
            textposition="outside",
            cliponaxis=False,
            hovertemplate=f"%{{y}}: %{{x:,}} {word}<extra></extra>",
        )
    figure = finish(figure, title, "rows or values (logarithmic)", height=max(240, 170 + 44 * len(names)))
    figure.update_xaxes(type="log", dtick=1, range=[math.log10(0.7), math.log10(most) + 0.4])
    figure.update_yaxes(autorange="reversed")
    return legend_at_foot(figure).update_layout(margin={"r": 60})


def _said(title: str, words: str) -> go.Figure:
    """Say in words what has no bars to draw."""
    figure = finish(go.Figure(), title, height=150)
    figure.add_annotation(text=words, x=0, y=0.5, xref="paper", yref="paper", xanchor="left", showarrow=False)
    figure.update_xaxes(visible=False)
    return figure.update_yaxes(visible=False)


def before_after(
    frame: pd.DataFrame, title: str, *, x: str, y: str, label: str = "VALUE", order: Sequence[str] = ("BEFORE", "AFTER")
) -> go.Figure:
    """Draw the same counts before and after as pairs of bars.

    Args:
        frame: a text column `label` and the number columns BEFORE and AFTER.
        title: what the reader should see.
        x, y: axis titles with units.
        label: the column that names the bars.
        order: the two columns, earlier first.
    """
    figure = go.Figure()
    for name, color, shape in zip(order, (GREY, ORANGE), ("", "/"), strict=True):
        figure.add_bar(
            x=frame[label].astype(str),
            y=frame[name],
            name=name.lower(),
            marker={"color": color, "pattern": {"shape": shape}},
            hovertemplate="%{x}: %{y:,} " + name.lower() + "<extra></extra>",
        )
    figure.update_xaxes(type="category")
    return finish(figure, title, x, y, height=380).update_layout(barmode="group")


def over_time(frame: pd.DataFrame, title: str, *, y: str = "events per day") -> go.Figure:
    """Draw counts per day before and after as two lines.

    Args:
        frame: DAY (datetime), BEFORE, AFTER.
        title: what the reader should see.
        y: axis title with its unit.
    """
    figure = go.Figure()
    for name, color, dash, symbol in (("BEFORE", GREY, "dot", SYMBOLS[0]), ("AFTER", BLUE, "solid", SYMBOLS[1])):
        figure.add_scatter(
            x=frame["DAY"],
            y=frame[name],
            name=name.lower(),
            mode="lines" if len(frame) > 60 else "lines+markers",
            line={"color": color, "dash": dash},
            marker={"symbol": symbol},
        )
    return finish(figure, title, "day (UTC)", y, height=340)
