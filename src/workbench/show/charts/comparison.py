"""Several recipes beside each other: who is ahead and how surely, what accuracy costs in coverage and time."""

import math

import pandas as pd
import plotly.graph_objects as go

from workbench.columns import METRIC, RECIPE
from workbench.show.charts.placement import place_names
from workbench.show.charts.theme import BLUE, COLORWAY, GREY, SYMBOLS, finish, legend_at_foot
from workbench.show.metric_names import short

ROW_HEIGHT = 44  # pixels of one recipe or pair
LEAST = 0.01  # where a logarithmic axis begins: seconds below this cannot be told apart
CLEAR, UNCLEAR = "clear", "not clear"


def ranking(summary: pd.DataFrame, metric: str, baseline: str, title: str = "") -> go.Figure:
    """Draw one metric of every recipe, best on top, with its interval; a line marks the best baseline.

    Args:
        summary: RECIPE, METRIC, MEAN, LOW, HIGH, USERS.
        metric: key of the metric.
        baseline: RECIPE whose mean the line marks.
        title: one line; made from the metric when empty.
    """
    rows = summary[summary[METRIC] == metric].sort_values("MEAN", kind="stable")
    figure = go.Figure()
    figure.add_scatter(
        x=rows["MEAN"],
        y=[_wrap(name) for name in rows[RECIPE]],
        mode="markers",
        marker={"size": 11, "color": BLUE, "symbol": ["square" if n == baseline else "circle" for n in rows[RECIPE]]},
        error_x=_interval(rows, "MEAN"),
        customdata=rows[["LOW", "HIGH", "USERS"]],
        hovertemplate="%{y}: %{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f}, %{customdata[2]:,} users)"
        "<extra></extra>",
        showlegend=False,
    )
    for row in rows.to_dict("records"):
        figure.add_annotation(
            x=row["MEAN"],
            y=_wrap(row[RECIPE]),
            text=f"{row['MEAN']:.4f}",
            showarrow=False,
            yshift=14,
            font={"size": 12},
        )
    mark = rows.loc[rows[RECIPE] == baseline, "MEAN"]
    if len(mark):
        figure.add_vline(x=float(mark.iloc[0]), line={"color": GREY, "dash": "dash", "width": 1})
    figure.update_xaxes(rangemode="tozero")
    words = title or f"{short(metric)} with 95 % intervals; dashed line: best baseline, {baseline}"
    return finish(figure, _wrap(words, 48), f"mean {short(metric)}", height=int(150 + ROW_HEIGHT * len(rows)))


def gaps(differences: pd.DataFrame, metric: str, title: str, names: tuple[str, str]) -> go.Figure:
    """Draw paired differences, one row a pair: filled where the interval leaves out 0, hollow where it does not.

    Args:
        differences: two columns of recipes, METRIC, DIFFERENCE, LOW, HIGH, READING.
        metric: key of the metric; other rows are left out.
        title: one line.
        names: the two columns: the difference is the first minus the second.
    """
    rows = differences[differences[METRIC] == metric].iloc[::-1]
    labels = [_wrap(f"{a} − {b}") for a, b in zip(rows[names[0]], rows[names[1]], strict=True)]
    clear = rows["READING"].isin(["higher", "lower"]).to_numpy()
    figure = go.Figure()
    for wanted, symbol, colour, words in ((True, "circle", BLUE, CLEAR), (False, "circle-open", GREY, UNCLEAR)):
        part = rows[clear == wanted]
        if part.empty:
            continue
        figure.add_scatter(
            x=part["DIFFERENCE"],
            y=[label for label, each in zip(labels, clear, strict=True) if each == wanted],
            mode="markers",
            name=words,
            marker={"size": 11, "color": colour, "symbol": symbol},
            error_x=_interval(part, "DIFFERENCE", colour),
            customdata=part[["LOW", "HIGH", "READING"]],
            hovertemplate="%{y}: %{x:+.4f} (%{customdata[0]:+.4f} to %{customdata[1]:+.4f}), %{customdata[2]}"
            "<extra></extra>",
        )
    figure.add_vline(x=0, line={"color": "#1f2937", "dash": "dash", "width": 1})
    figure.update_yaxes(categoryorder="array", categoryarray=labels)
    height = int(180 + ROW_HEIGHT * len(rows))
    return legend_at_foot(finish(figure, _wrap(title, 48), f"difference in {short(metric)}", height=height))


def trade_off(table: pd.DataFrame, x: str, metric: str, title: str, axis: str, log: bool = False) -> go.Figure:
    """Draw accuracy against something it may cost: one named symbol a recipe, with the interval of the accuracy.

    Args:
        table: RECIPE, MEAN, LOW, HIGH and the column `x`; rows where `x` is missing are left out.
        x: what to draw along the bottom.
        metric: key of the metric in MEAN.
        title: one line.
        axis: title of the bottom axis, with unit.
        log: whether the bottom axis is logarithmic; values below `LEAST` are then drawn there.
    """
    rows = table[table[x].notna()].reset_index(drop=True)
    if log:
        rows = rows.assign(**{x: rows[x].clip(lower=LEAST)})
    height = int(430 + 22 * len(rows))
    names = [_escape(name) for name in rows[RECIPE]]
    sides = place_names(rows[x], rows["MEAN"], names, 340.0, log) if len(rows) else []
    figure = go.Figure()
    for number, row in enumerate(rows.to_dict("records")):
        colour = COLORWAY[(number + number // len(SYMBOLS)) % len(COLORWAY)]
        figure.add_scatter(
            x=[row[x]],
            y=[row["MEAN"]],
            name=names[number],
            mode="markers+text",
            text=[names[number]],
            textposition=sides[number],
            textfont={"size": 11},
            cliponaxis=False,
            marker={"size": 12, "color": colour, "symbol": SYMBOLS[number % len(SYMBOLS)]},
            error_y=_interval(pd.DataFrame([row]), "MEAN", colour),
            hovertemplate=f"%{{x:.4g}} → %{{y:.4f}} ({row['LOW']:.4f} to {row['HIGH']:.4f})",
        )
    _scale_bottom(figure, rows[x], log)
    return finish(figure, title, axis, f"mean {short(metric)}", height=height)


def _scale_bottom(figure: go.Figure, values: pd.Series, log: bool) -> None:
    figure.update_yaxes(rangemode="tozero")
    if log and len(values):
        # Whole powers of ten at both ends, so that the labels, one a power, are never fewer than two.
        low, high = math.floor(math.log10(values.min())), math.ceil(math.log10(values.max()))
        figure.update_xaxes(type="log", dtick=1, range=[low - 0.1, max(high, low + 1) + 0.1])
    else:
        figure.update_xaxes(rangemode="tozero")


def _escape(name: str) -> str:
    return name.replace("<", "&lt;")


def _interval(rows: pd.DataFrame, mean: str, colour: str = "#1f2937") -> dict:
    return {
        "type": "data",
        "symmetric": False,
        "array": (rows["HIGH"] - rows[mean]).to_numpy(),
        "arrayminus": (rows[mean] - rows["LOW"]).to_numpy(),
        "color": colour,
        "thickness": 1.5,
        "width": 5,
    }


def _wrap(words: str, width: int = 26) -> str:
    """Break a long label at blanks so that it leaves room for the figure on a narrow screen; data cannot add HTML."""
    lines = [""]
    for word in words.replace("<", "&lt;").split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
