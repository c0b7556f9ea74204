"""Lists of a game of picks beside each other: a stamp of the poster, the title, how it moved, and why it is there."""

from dataclasses import dataclass
from html import escape

from workbench.serving.films import Film, Films
from workbench.serving.picks import GONE, PICKED, START, Move, Turn
from workbench.serving.responses import RecommendedItem
from workbench.show.movie_words import moved, turn_sentence, why
from workbench.show.posters import Poster, plain, stamp_svg
from workbench.show.tables import shorten

LEFT = (GONE, PICKED)
LONG = 90  # characters of a title in a list
# Colours are the page's own, so that it reads on light and dark ones.
STYLE = (
    "<style>.wb-turn{margin:.5em 0 1.2em}.wb-turn .s{margin:.2em 0 .5em;line-height:1.4}"
    ".wb-turn .c{display:flex;flex-wrap:wrap;gap:.6em 1.8em}.wb-turn .c>div{flex:1 1 16em;min-width:0;max-width:36em}"
    ".wb-turn .h{font-weight:600;margin-bottom:.2em}</style>"
)
ROW_STYLE = (
    "<style>.wb-film{display:flex;gap:.6em;align-items:flex-start;padding:.35em 0;line-height:1.35;"
    "overflow-wrap:anywhere}.wb-turn .wb-film{border-bottom:1px solid rgba(128,128,128,.45)}"
    ".wb-film .p{flex:none;min-width:1.5em;text-align:right;font-variant-numeric:tabular-nums}"
    ".wb-film .t{font-weight:600}.wb-film .m{font-size:.85em;border:1px solid currentColor;border-radius:3px;"
    "padding:0 .35em;white-space:nowrap;opacity:.9}.wb-film .m.loud{border-width:2px;font-weight:600}"
    ".wb-film .d{font-size:.9em;opacity:.85}.wb-left{font-size:.9em;opacity:.85;line-height:1.4;padding:.4em 0}</style>"
)


@dataclass(frozen=True)
class TurnView:
    """Shows a turn: what was done, then every list; below each other where the page is narrow. Or as plain text."""

    turn: Turn
    films: Films

    def _repr_html_(self) -> str:
        columns = "".join(self._column(name) for name in self.turn.lists)
        said = escape(turn_sentence(self.turn, self.films))
        return f'{STYLE}{ROW_STYLE}<div class="wb-turn"><div class="s">{said}</div><div class="c">{columns}</div></div>'

    def __repr__(self) -> str:
        lines = [turn_sentence(self.turn, self.films)]
        for name, response in self.turn.lists.items():
            lines.append(name)
            for item, move in zip(response.items, self.turn.moves[name], strict=False):
                label = self.films.film(item.item_id).label
                lines.append(f"{item.position:>3} {label} · {moved(move)} · {why(item, self.films)}")
        return "\n".join(lines)

    def _column(self, name: str) -> str:
        moves = {each.item_id: each for each in self.turn.moves[name]}
        first = self.turn.what == START
        rows = [
            film_row(each, None if first else moves[each.item_id], self.films) for each in self.turn.lists[name].items
        ]
        lines = "".join(f'<div class="wb-film" role="listitem">{row}</div>' for row in rows) or "empty"
        heading = f'<div class="h">{escape(name)}</div>'
        return f'<div>{heading}<div role="list">{lines}</div>{left_html(self.turn, name, self.films)}</div>'


def show_turn(turn: Turn, films: Films) -> TurnView:
    """Show the lists after a turn, with what moved since the turn before and the reason for every film."""
    return TurnView(turn, films)


def poster_of(film: Film) -> Poster:
    """A film's poster; its rarest genre gives the drawing, as it says most about the film."""
    return Poster(film.title, film.year, film.genres, film.rarest)


def film_row(item: RecommendedItem, move: Move | None, films: Films) -> str:
    """One place of a list as escaped HTML for a box of class `wb-film`; `ROW_STYLE` has to be on the page."""
    film = films.film(item.item_id)
    loud = " loud" if move is not None and move.how not in ("same", "down") else ""
    mark = "" if move is None else f' <span class="m{loud}">{escape(moved(move))}</span>'
    genres = escape(plain(", ".join(film.genres)))
    return (
        f'<span class="p">{item.position}</span>{stamp_svg(poster_of(film))}<div><span class="t">'
        f'{escape(shorten(plain(film.label), LONG))}</span>{mark}<div class="d">{genres}</div>'
        f'<div class="d">{escape(plain(why(item, films)))}</div></div>'
    )


def left_html(turn: Turn, name: str, films: Films) -> str:
    """What left a list in this turn, in one escaped line; nothing where nothing left."""
    left = [each for each in turn.moves[name] if each.how in LEFT]
    if not left:
        return ""
    told = "; ".join(
        f"{shorten(plain(films.film(each.item_id).label), LONG)} ({'picked, ' * (each.how == PICKED)}was {each.before})"
        for each in left
    )
    return f'<div class="wb-left">Left the list: {escape(told)}</div>'
