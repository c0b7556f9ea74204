"""Charts of data quality: activity, popularity, history lengths, missing values, findings and readiness."""

from itertools import pairwise
from textwrap import wrap

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.columns import EVENT_VALUE, RECIPE
from workbench.show.charts.theme import BLUE, GREY, ORANGE, RED, finish

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
SEVERITY_COLOURS = {"blocks": RED, "warning": ORANGE, "info": GREY}
SEVERITY_MARKS = {"blocks": "■ blocks", "warning": "▲ warning", "info": "● note"}
# Tints that carry dark text; the marks say the same without colour.
VERDICT_COLOURS = {"ready": "#9AD9C4", "ready, with care": "#F7D488", "not ready": "#F2AE8B"}
VERDICT_MARKS = {"ready": "✓ ready", "ready, with care": "▲ with care", "not ready": "✗ not ready"}


def activity_heatmap(hours: pd.DataFrame) -> go.Figure:
    """Events by weekday and hour, UTC.

    Args:
        hours: WEEKDAY (0 Monday), HOUR, EVENTS.
    """
    grid = hours.pivot_table(index="WEEKDAY", columns="HOUR", values="EVENTS", fill_value=0)
    figure = go.Figure(
        go.Heatmap(
            z=grid.to_numpy(),
            x=[f"{hour:02d}" for hour in grid.columns],
            y=[WEEKDAYS[day] for day in grid.index],
            colorscale="Blues",
            colorbar={"title": {"text": "events"}, "thickness": 12},
            hovertemplate="%{y}, %{x}:00 to %{x}:59 UTC: %{z:,} events<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(type="category")
    return finish(figure, "When are people active?", "hour of the day (UTC)", height=340)


def events_per_day(days: pd.DataFrame) -> go.Figure:
    """Events per day, UTC, with the mean of the seven days up to each.

    Args:
        days: DATE, EVENTS; days without events included.
    """
    figure = go.Figure()
    figure.add_bar(
        x=days["DATE"], y=days["EVENTS"], name="events that day", marker={"color": BLUE, "opacity": 0.55},
        hovertemplate="%{x|%a %d %b %Y}: %{y:,} events<extra></extra>",
    )  # fmt: skip
    figure.add_scatter(
        x=days["DATE"], y=days["EVENTS"].rolling(7).mean(), name="mean of 7 days", mode="lines",
        line={"color": RED, "width": 2}, hovertemplate="7 days to %{x|%d %b %Y}: %{y:,.0f} a day<extra></extra>",
    )  # fmt: skip
    return finish(figure, "Is the log complete?", "day (UTC)", "events per day")


def popularity_curve(popularity: pd.DataFrame) -> go.Figure:
    """Events per item against its rank, both logarithmic; a straight line is a power law.

    Args:
        popularity: RANK, EVENTS.
    """
    figure = go.Figure(
        go.Scatter(
            x=popularity["RANK"], y=popularity["EVENTS"], mode="lines", line={"color": BLUE, "width": 3},
            hovertemplate="item of rank %{x:,}: %{y:,} events<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(type="log", dtick=1)
    figure.update_yaxes(type="log", dtick=1)
    return finish(figure, "How unequal is popularity?", "item's rank (1 is the most popular)", "events of the item")


def history_lengths(histories: pd.DataFrame) -> go.Figure:
    """Users by history length, in buckets that double.

    Args:
        histories: EVENTS (length), USERS.
    """
    top = int(np.log2(histories["EVENTS"].max())) + 1 if len(histories) else 1
    edges = 2 ** np.arange(top + 1)
    bucket = np.searchsorted(edges, histories["EVENTS"], side="right") - 1
    users = histories["USERS"].groupby(bucket).sum().reindex(range(top), fill_value=0)
    names = [_between(low, high - 1) for low, high in pairwise(edges)]
    total = max(int(users.sum()), 1)
    figure = go.Figure(
        go.Bar(
            x=names, y=users, marker={"color": BLUE}, text=[f"{100 * each / total:.0f} %" for each in users],
            textposition="outside", cliponaxis=False, hovertemplate="%{x} events: %{y:,} users<extra></extra>",
        )
    )  # fmt: skip
    figure.update_xaxes(type="category")
    return finish(figure, "How long are users' histories?", "events of the user", "users")


def _between(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def missing_values(columns: pd.DataFrame, most: int = 25) -> go.Figure:
    """Per cent of missing values by column, with the 70 % completeness border; complete columns are not drawn.

    Args:
        columns: DATASET, COLUMN, ROLE, MISSING, MISSING_SHARE (per cent), ROWS.
        most: columns shown, those with most gaps first.
    """
    gaps = columns[columns["MISSING"] > 0].sort_values("MISSING_SHARE", ascending=False, kind="stable")
    shown = gaps.head(most).iloc[::-1]
    by_nature = (shown["ROLE"] == "reference") | (shown["COLUMN"] == EVENT_VALUE)
    figure = go.Figure()
    groups = (
        ("empty by nature on most rows", by_nature, GREY),
        ("more than 30 % missing", ~by_nature & (shown["MISSING_SHARE"] > 30), RED),
        ("up to 30 % missing", ~by_nature & (shown["MISSING_SHARE"] <= 30), BLUE),
    )
    for name, chosen, colour in groups:
        part = shown[chosen]
        if len(part):
            figure.add_bar(
                x=part["MISSING_SHARE"], y=part["DATASET"] + "<br>" + part["COLUMN"], orientation="h", name=name,
                marker={"color": colour}, customdata=part[["MISSING", "ROWS"]], showlegend=True,
                text=[f"{share:.1f} %" for share in part["MISSING_SHARE"]], textposition="outside", cliponaxis=False,
                hovertemplate="%{y}: %{customdata[0]:,} of %{customdata[1]:,} missing<extra></extra>",
            )  # fmt: skip
    figure.update_yaxes(categoryorder="array", categoryarray=(shown["DATASET"] + "<br>" + shown["COLUMN"]).tolist())
    figure.update_xaxes(range=[0, 118], tickvals=[0, 30, 60, 100])
    complete = len(columns) - len(gaps)
    title = f"{complete} of {len(columns)} columns are complete"
    finish(figure, title, "missing (% of rows)", height=210 + 36 * len(shown))
    return figure.update_layout(legend={"y": -0.1 - 0.3 / (1 + len(shown) / 4)})


def findings_overview(findings: pd.DataFrame) -> go.Figure:
    """Number of findings by dataset and severity.

    Args:
        findings: DATASET, SEVERITY.
    """
    figure = go.Figure()
    counted = findings.groupby(["DATASET", "SEVERITY"]).size().unstack(fill_value=0)
    for severity, mark in SEVERITY_MARKS.items():
        if severity in counted:
            figure.add_bar(
                y=counted.index, x=counted[severity], name=mark, orientation="h", text=counted[severity],
                marker={"color": SEVERITY_COLOURS[severity]},
                hovertemplate="%{y}: %{x} × " + mark + "<extra></extra>",
            )  # fmt: skip
    figure.update_layout(barmode="stack")
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(dtick=1 if len(findings) < 15 else None)
    return finish(figure, "What was found?", "findings", height=200 + 34 * len(counted))


def readiness_matrix(readiness: pd.DataFrame, before: pd.DataFrame | None = None) -> go.Figure:
    """Each recipe's verdict and what is behind it; with `before`, two columns to compare.

    Args:
        readiness: RECIPE, VERDICT, WHY.
        before: the same before mending.
    """
    parts = [("before mending", before), ("after mending", readiness)] if before is not None else [("now", readiness)]
    recipes = readiness[RECIPE].tolist()
    place = {verdict: number for number, verdict in enumerate(VERDICT_COLOURS)}
    frames = [frame.set_index(RECIPE).reindex(recipes) for _, frame in parts]
    colours = list(VERDICT_COLOURS.values())
    scale = [[edge / 3, colour] for number, colour in enumerate(colours) for edge in (number, number + 1)]
    figure = go.Figure(
        go.Heatmap(
            z=np.array([frame["VERDICT"].map(place) for frame in frames]).T,
            x=[name for name, _ in parts],
            y=recipes,
            text=np.array([frame["VERDICT"].map(VERDICT_MARKS) for frame in frames]).T,
            texttemplate="%{text}",
            textfont={"color": "#111827", "size": 13},
            customdata=np.array([frame["WHY"].map(_lines) for frame in frames]).T,
            hovertemplate="%{y}: %{text}<br>%{customdata}<extra></extra>",
            colorscale=scale, zmin=-0.5, zmax=2.5, showscale=False, xgap=3, ygap=3,
        )
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showgrid=False)
    figure.update_xaxes(side="top", showgrid=False)
    return finish(figure, "Which recipes is the data ready for?", height=140 + 28 * len(recipes))


def _lines(words: str) -> str:
    return "<br>".join(wrap(words, 60)) or "nothing against it"


def drift_curve(drift: pd.DataFrame, period: str) -> go.Figure:
    """How far popularity has moved after some periods, beside what chance alone would give.

    Args:
        drift: LAG, LOSS, NOISE (0 equal, 1 nothing in common).
        period: name of a period.
    """
    figure = go.Figure()
    for column, name, colour, dash in (("LOSS", "measured", RED, "solid"), ("NOISE", "chance alone", GREY, "dash")):
        figure.add_scatter(
            x=drift["LAG"], y=drift[column], name=name, mode="lines+markers", line={"color": colour, "dash": dash},
            hovertemplate="after %{x} periods: %{y:.3f}<extra>" + name + "</extra>",
        )  # fmt: skip
    figure.update_yaxes(rangemode="tozero")
    return finish(
        figure,
        "How often to retrain?",
        f"age of the model (periods: {period or 'none'})",
        "distance to true popularity",
    )


def cutoff_curve(cutoff: pd.DataFrame, period: str) -> go.Figure:
    """How well the last X periods predict the next one's popularity.

    Args:
        cutoff: PERIODS, LOSS (0 equal, 1 nothing in common).
        period: name of a period.
    """
    figure = go.Figure(
        go.Scatter(
            x=cutoff["PERIODS"], y=cutoff["LOSS"], mode="lines+markers", line={"color": BLUE}, name="distance",
            hovertemplate="last %{x} periods: %{y:.3f}<extra></extra>",
        )
    )  # fmt: skip
    if len(cutoff):
        best = cutoff.loc[cutoff["LOSS"].idxmin()]
        figure.add_annotation(
            x=best["PERIODS"], y=best["LOSS"], text=f"best: {best['PERIODS']:.0f}", ay=34, arrowhead=2
        )
    figure.update_yaxes(rangemode="tozero")
    return finish(
        figure, "How far back to look?", f"history used (periods: {period or 'none'})", "distance to the next period"
    )
