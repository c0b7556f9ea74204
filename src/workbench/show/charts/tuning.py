"""A tuning study as pictures: settings beside values, what mattered, how the search went, what training time buys."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from workbench.columns import METRIC
from workbench.show.charts.theme import BLUE, GREEN, GREY, ORANGE, finish
from workbench.show.metric_names import short

# Blue to yellow, told apart with every colour vision and in grey print.
SCALE = "Cividis"
TICKS = 6
LINE = 12  # characters of one line of an axis' name


def parallel_coordinates(
    trials: pd.DataFrame, varied: Sequence[str], metric: str, log_scaled: Sequence[str] = ()
) -> go.Figure:
    """One line a finished trial through its settings to its value; drag along an axis to keep only some lines.

    A trial that left a setting to the recipe has no place on that axis; such trials are counted in the title.

    Args:
        trials: STATE, VALUE and one column per name in `varied`.
        varied: the hyperparameters, in the order of the axes.
        metric: the study's metric, for the last axis.
        log_scaled: those of `varied` whose axis is logarithmic.
    """
    done = _finished(trials)
    complete = done[list(varied)].notna().all(axis=1)
    done, left_out = done[complete], int((~complete).sum())
    figure = go.Figure()
    labels = [*(_broken(name) for name in varied), _broken(short(metric))]
    if len(done):
        axes = [_axis(done[name], name in log_scaled) for name in varied]
        axes.append({"values": done["VALUE"], "tickformat": ".3f"})
        figure.add_parcoords(
            dimensions=[{"label": label, **axis} for label, axis in zip(labels, axes, strict=True)],
            line={"color": done["VALUE"], "colorscale": SCALE, "reversescale": True},
            labelside="bottom",
            labelfont={"size": 12},
            tickfont={"size": 11},
            rangefont={"size": 1, "color": "rgba(0,0,0,0)"},  # the ticks say it already
        )
    else:
        _say(figure, "No trial finished")
    title = "Every finished trial: its settings and what they gave"
    finish(figure, title + (f"; {left_out} left a setting to the recipe" if left_out else ""))
    lines = max(label.count("<br>") for label in labels)
    figure.update_layout(margin={"l": 56, "r": 48, "t": 70, "b": 50 + 16 * lines}, height=430 + 16 * lines)
    return figure


def importance_bars(importance: pd.DataFrame, metric: str) -> go.Figure:
    """Bars: how much of the metric's spread over the trials each hyperparameter explains.

    Args:
        importance: PARAMETER, IMPORTANCE between 0 and 1; may be empty.
        metric: the study's metric.
    """
    figure = go.Figure()
    figure.add_bar(
        x=importance["IMPORTANCE"],
        y=importance["PARAMETER"],
        orientation="h",
        marker={"color": BLUE},
        text=[f"{value:.0%}" for value in importance["IMPORTANCE"]],
        textposition="auto",
        hovertemplate="%{y}: %{x:.1%}<extra></extra>",
    )
    if importance.empty:
        _say(figure, "Too few finished trials to tell what mattered")
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(tickformat=".0%", range=[0, 1])
    height = 170 + 34 * max(2, len(importance))
    return finish(figure, "What mattered", f"share of the spread of {short(metric)} it explains", height=height)


def history(trials: pd.DataFrame, metric: str) -> go.Figure:
    """Every trial with its interval in the order they began, the default setting marked, and the best so far.

    Args:
        trials: TRIAL, STATE, IS_DEFAULT, VALUE, LOW, HIGH.
        metric: the study's metric.
    """
    done = _finished(trials)
    figure = go.Figure()
    for mask, name, symbol, colour in _kinds(done):
        part = done[mask]
        figure.add_scatter(
            x=part["TRIAL"],
            y=part["VALUE"],
            name=name,
            mode="markers",
            marker={"symbol": symbol, "color": colour, "size": 10},
            error_y=_whiskers(part),
            customdata=part[["LOW", "HIGH"]],
            hovertemplate="trial %{x}: %{y:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f})",
        )
    figure.add_scatter(
        x=done["TRIAL"],
        y=done["VALUE"].cummax(),
        name="best so far",
        mode="lines",
        line={"shape": "hv", "color": ORANGE, "width": 3, "dash": "dash"},
        hovertemplate="best so far: %{y:.4f}",
    )
    counts = {state: int((trials["STATE"] == state).sum()) for state in ("pruned", "failed")}
    others = ", ".join(f"{count} {state}" for state, count in counts.items() if count)
    title = "How the search went" + (f"; {others}, see the table" if others else "")
    return finish(figure, title, "trial, in the order they began", f"{short(metric)}, 95 % interval")


def value_against_time(trials: pd.DataFrame, metric: str) -> go.Figure:
    """The metric against seconds of training: what waiting longer buys.

    Args:
        trials: TRIAL, STATE, IS_DEFAULT, VALUE, LOW, HIGH, FIT_SECONDS.
        metric: the study's metric.
    """
    done = _finished(trials)
    figure = go.Figure()
    for mask, name, symbol, colour in _kinds(done):
        part = done[mask]
        figure.add_scatter(
            x=part["FIT_SECONDS"],
            y=part["VALUE"],
            name=name,
            mode="markers+text",
            text=part["TRIAL"].astype(str),
            textposition="top right",
            textfont={"size": 10, "color": GREY},
            marker={"symbol": symbol, "color": colour, "size": 10},
            error_y=_whiskers(part),
            hovertemplate="trial %{text}: %{y:.4f} after %{x:.2f} s",
        )
    figure.update_xaxes(rangemode="tozero")
    return finish(
        figure, "What training time buys", "seconds of training; numbers are trials", f"{short(metric)}, 95 % interval"
    )


def training_curves(reports: pd.DataFrame, trials: pd.DataFrame) -> go.Figure:
    """What each trial's recipe reported while it trained: one line a trial, a cross where a trial was pruned.

    Args:
        reports: TRIAL, STEP, VALUE; may be empty.
        trials: TRIAL, STATE.
    """
    figure = go.Figure()
    states = trials.set_index("TRIAL")["STATE"]
    looks = {"finished": (BLUE, "circle", "solid"), "pruned": (ORANGE, "x", "dash")}
    named = set()
    for trial, part in reports.groupby("TRIAL"):
        state = states.get(trial, "")
        colour, symbol, dash = looks.get(state, (GREY, "diamond", "dot"))
        figure.add_scatter(
            x=part["STEP"],
            y=part["VALUE"],
            name=state,
            legendgroup=state,
            showlegend=state not in named,
            mode="lines+markers",
            line={"color": colour, "dash": dash, "width": 1.5},
            marker={"symbol": symbol, "color": colour, "size": [0] * (len(part) - 1) + [9]},
            hovertemplate=f"trial {trial}, step %{{x}}: %{{y:.4f}}",
        )
        named.add(state)
    if reports.empty:
        _say(figure, "This recipe reports nothing while it trains, so nothing can be pruned")
    return finish(figure, "While they trained", "step of the training", "the recipe's own validation value")


def best_beside_defaults(report: pd.DataFrame, metrics: Sequence[str]) -> go.Figure:
    """The best setting and the defaults on the users held out from the tuning, with intervals.

    Args:
        report: SETTING ("best", "defaults"), METRIC, MEAN, LOW, HIGH, USERS.
        metrics: which to show, from top to bottom.
    """
    figure = go.Figure()
    looks = {"best": ("circle", GREEN), "defaults": ("diamond", GREY)}
    for setting, (symbol, colour) in looks.items():
        part = report[report["SETTING"] == setting].set_index(METRIC).reindex(metrics).dropna(subset="MEAN")
        figure.add_scatter(
            x=part["MEAN"],
            y=[short(each) for each in part.index],
            name=setting,
            mode="markers",
            orientation="h",
            marker={"symbol": symbol, "color": colour, "size": 11},
            error_x=_whiskers(part, "MEAN"),
            hovertemplate="%{y}: %{x:.4f}",
        )
    users = int(report["USERS"].max())
    figure.update_layout(scattermode="group", scattergap=0.5)
    figure.update_yaxes(autorange="reversed")
    figure.update_xaxes(rangemode="tozero")
    title = f"On {users:,} users held out from the tuning"
    return finish(figure, title, "mean over users, 95 % interval", height=170 + 60 * len(metrics))


def _finished(trials: pd.DataFrame) -> pd.DataFrame:
    return trials[trials["STATE"] == "finished"].sort_values("TRIAL", kind="stable")


def _kinds(done: pd.DataFrame) -> list[tuple[pd.Series, str, str, str]]:
    """Split the trials into the best, the defaults and the others, each with a symbol and a colour of its own."""
    best = pd.Series(False, index=done.index)
    if len(done):
        best[done["VALUE"].idxmax()] = True
    default = done["IS_DEFAULT"].astype(bool)
    kinds = [
        (~best & ~default, "other trials", "circle", BLUE),
        (default & ~best, "defaults", "diamond", GREY),
        (best & ~default, "best trial", "star", GREEN),
        (best & default, "defaults, the best trial", "star-diamond", GREEN),
    ]
    return [kind for kind in kinds if kind[0].any()]


def _whiskers(part: pd.DataFrame, value: str = "VALUE") -> dict[str, Any]:
    return {
        "type": "data",
        "symmetric": False,
        "array": (part["HIGH"] - part[value]).fillna(0),
        "arrayminus": (part[value] - part["LOW"]).fillna(0),
        "thickness": 1.2,
        "width": 4,
    }


def _broken(name: str) -> str:
    """Break a long name at its underscores or spaces, so that neighbouring axes do not write over each other."""
    lines: list[str] = []
    for word in name.replace("_", "_ ").split():
        if lines and len(lines[-1]) + len(word) <= LINE:
            lines[-1] += ("" if lines[-1].endswith("_") else " ") + word
        else:
            lines.append(word)
    return "<br>".join(escape(line) for line in lines)


def _axis(values: pd.Series, log: bool) -> dict[str, Any]:
    """One axis: numbers as they are or by their logarithm, anything else by the order of its text."""
    numeric = pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values)
    if not numeric:
        names = sorted({str(each) for each in values})
        codes = [names.index(str(each)) for each in values]
        texts = [escape(name) for name in names]
        return {"values": codes, "tickvals": list(range(len(names))), "ticktext": texts}
    numbers = values.astype(float)
    if log and numbers.min() > 0 and numbers.max() > numbers.min():
        logs = np.log10(numbers)
        ticks = np.linspace(logs.min(), logs.max(), TICKS)
        return {"values": logs, "tickvals": ticks, "ticktext": [_tick(10**each) for each in ticks]}
    return {"values": numbers}


def _tick(value: float) -> str:
    """Write a tick with two significant digits, without an exponent where there is room."""
    digits = max(0, 1 - math.floor(math.log10(value))) if value > 0 else 0
    return f"{value:,.{digits}f}" if 1e-4 <= value < 1e6 else f"{value:.1e}"


def _say(figure: go.Figure, words: str) -> None:
    figure.add_annotation(text=words, showarrow=False, x=0.5, y=0.5, xref="paper", yref="paper", font={"color": GREY})
