"""What a preparation did: rows kept and removed by each step, and numbers before and after."""

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from workbench.show.charts.theme import BLUE, GREEN, GREY, ORANGE, RED, SYMBOLS, finish

KEPT_LINK, REMOVED_LINK, ADDED_LINK = "rgba(0,114,178,0.30)", "rgba(213,94,0,0.45)", "rgba(0,158,115,0.40)"
KEPT_HEIGHT = 0.32  # where the stream of kept rows runs, as a share of the figure's height from the top
LAST_ROOM = 0.7  # how much longer the last stage is, in stages
BRANCH_HEIGHTS = (0.72, 0.92)  # removed rows end here in turn, so that their labels do not touch


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
    nodes = _Nodes(len(stages))
    for position, rows in enumerate(stages):
        word = "rows read" if position == 0 else "rows left"
        nodes.add(f"<b>{rows:,}</b><br>{word}", BLUE, position, KEPT_HEIGHT)
    for position, line in enumerate(drawn.itertuples(index=False)):
        nodes.link(position, position + 1, min(line.ROWS_IN, line.ROWS_OUT), KEPT_LINK, f"kept by {line.NAME}")
        removed = int(line.ROWS_IN - line.ROWS_OUT)
        height = BRANCH_HEIGHTS[position % len(BRANCH_HEIGHTS)]
        name = f"{line.STEP} {line.NAME}"
        if removed > 0:
            end = nodes.add(f"<b>−{removed:,}</b><br>{name}", RED, position + 0.55, height)
            nodes.link(position, end, removed, REMOVED_LINK, f"removed by {line.NAME}")
        else:
            end = nodes.add(f"<b>+{-removed:,}</b><br>{name}", GREEN, position, height)
            nodes.link(end, position + 1, -removed, ADDED_LINK, f"added by {line.NAME}")
    if not len(drawn):
        nodes.link(0, 1, start, KEPT_LINK, "kept")
    quiet = len(record) - len(drawn)
    below = f"{quiet} of {len(record)} steps changed columns or values only and are not drawn" if quiet else ""
    figure = finish(go.Figure(nodes.trace()), f"{title}<br><sup>{below}</sup>" if below else title, height=380)
    return figure.update_layout(margin={"l": 10, "r": 20, "t": 80, "b": 30})


class _Nodes:
    """Collects the nodes and links of a Sankey with places fixed by hand: a stream above, branches below."""

    def __init__(self, stages: int):
        self.stages = stages
        self.label, self.color, self.x, self.y = [], [], [], []
        self.source, self.target, self.value, self.link_color, self.said = [], [], [], [], []

    def add(self, label: str, color: str, stage: float, height: float) -> int:
        self.label.append(label)
        self.color.append(color)
        # Plotly ignores places of exactly 0 and 1, and writes the last label to the left, where it needs room.
        place = stage + LAST_ROOM if stage >= self.stages - 1 else stage
        self.x.append(min(max(place / (self.stages - 1 + LAST_ROOM), 0.001), 0.999))
        self.y.append(height)
        return len(self.label) - 1

    def link(self, source: int, target: int, value: float, color: str, said: str) -> None:
        self.source.append(source)
        self.target.append(target)
        self.value.append(value)
        self.link_color.append(color)
        self.said.append(said)

    def trace(self) -> go.Sankey:
        return go.Sankey(
            arrangement="fixed",
            node={
                "label": self.label,
                "color": self.color,
                "x": self.x,
                "y": self.y,
                "pad": 18,
                "thickness": 14,
                "hovertemplate": "%{label}<extra></extra>",
            },
            link={
                "source": self.source,
                "target": self.target,
                "value": self.value,
                "color": self.link_color,
                "label": self.said,
                "hovertemplate": "%{value:,} rows %{label}<extra></extra>",
            },
        )


def changes(record: pd.DataFrame, title: str = "What each step changed") -> go.Figure:
    """Draw rows removed and values changed by each step as bars, on a scale where small numbers stay visible.

    Args:
        record: as `Flow.explain()` gives it: STEP, NAME, ROWS_REMOVED, CHANGED.
        title: what the reader should see.
    """
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
    figure = finish(figure, title, "rows or values (logarithmic)", height=max(260, 120 + 44 * len(names)))
    most = max(1, int(record[["ROWS_REMOVED", "CHANGED"]].to_numpy().max(initial=1)))
    figure.update_xaxes(type="log", dtick=1, range=[math.log10(0.7), math.log10(most) + 0.4])
    figure.update_yaxes(autorange="reversed")
    return figure.update_layout(margin={"r": 60})


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
