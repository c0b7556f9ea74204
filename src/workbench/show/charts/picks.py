"""How a list moves from pick to pick: a line for every film, from place to place."""

import pandas as pd
import plotly.graph_objects as go

from workbench.show.charts.theme import COLORWAY, DASHES, GREY, SYMBOLS, finish
from workbench.show.tables import shorten

NAME = 20  # characters of a title beside its last place
STEP = 16  # characters of a turn's name on the axis, per line
PLACE_HEIGHT = 40  # pixels


def place_lines(places: pd.DataFrame, title: str) -> go.Figure:
    """Lines of every film that was ever listed; those of the last turn are named, the others are grey and dotted.

    Args:
        places: TURN, TURN_NAME, ITEM_ID, FILM, PLACE, as `movie_words.places_table` gives.
        title: one line.

    Returns:
        A figure with the best place on top; a film that leaves the list and comes back has a gap.
    """
    figure = go.Figure()
    last = places["TURN"].max()
    staying = places.loc[places["TURN"] == last, "ITEM_ID"].tolist()
    for item, rows in sorted(places.groupby("ITEM_ID", sort=True), key=lambda each: each[0] in staying):
        at = staying.index(item) if item in staying else -1
        _draw(figure, rows.set_index("TURN")["PLACE"].reindex(range(last + 1)), rows["FILM"].iloc[0], at)
    _name(figure, places[places["TURN"] == last])
    turns = places.drop_duplicates("TURN").sort_values("TURN")
    figure.update_xaxes(
        tickvals=turns["TURN"].tolist(),
        ticktext=[_broken(name) for name in turns["TURN_NAME"]],
        range=[-0.2, last + 0.2],
        showgrid=False,
        zeroline=False,
    )
    most = int(places["PLACE"].max())
    figure.update_yaxes(range=[most + 0.6, 0.4], showgrid=False, zeroline=False)
    figure.update_layout(showlegend=False, yaxis={"dtick": 1})
    finish(figure, _safe(title), height=150 + PLACE_HEIGHT * most)
    return figure.update_layout(yaxis={"title": {"text": "place in the list"}})


def _draw(figure: go.Figure, line: pd.Series, film: str, at: int) -> None:
    """One film's line; `at` is where it stands in the end, from 0, or -1."""
    stays = at >= 0
    style = {"color": COLORWAY[at % len(COLORWAY)], "width": 2.5, "dash": DASHES[at % len(DASHES)]}
    figure.add_scatter(
        x=line.index,
        y=line,
        mode="lines+markers",
        opacity=1 if stays else 0.45,
        line=style if stays else {"color": GREY, "width": 1.5, "dash": "dot"},
        marker={"size": 10, "symbol": SYMBOLS[(at + at // len(SYMBOLS)) % len(SYMBOLS)]} if stays else {"size": 6},
        hovertemplate=f"{_safe(shorten(film, 60))}: place %{{y}}<extra></extra>",
    )


def _name(figure: go.Figure, ends: pd.DataFrame) -> None:
    """The films' names at the right, on an axis of their own, for which the page makes room at any width."""
    figure.add_scatter(x=ends["TURN"], y=ends["PLACE"], yaxis="y2", mode="markers", opacity=0, hoverinfo="skip")
    names = [_safe(_cut(film)) for film in ends["FILM"]]
    axis = {"side": "right", "overlaying": "y", "tickvals": ends["PLACE"].tolist(), "ticktext": names}
    figure.update_layout(yaxis2=axis)


def _cut(film: str) -> str:
    """A label that fits: the year goes first."""
    title, _, year = film.rpartition(" (")
    return film if len(film) <= NAME else shorten(title if title and year.endswith(")") else film, NAME)


def _broken(words: str) -> str:
    """A turn's name in lines that stand beside each other on a phone."""
    lines = [""]
    for word in _safe(shorten(words, 40)).split(" "):
        if lines[-1] and len(lines[-1]) + len(word) >= STEP:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)


def _safe(words: str) -> str:
    """A text in which plotly finds no HTML, and no place for a value."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace("%{", "% {")
