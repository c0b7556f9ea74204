"""The game of picks with a mouse or a thumb: posters with buttons, picks with undo, a list beside a list.

A remote control: what it does is `PickGame.pick` and `undo`, what it shows is what a plain cell can show too.
"""

from collections.abc import Callable, Sequence
from html import escape

import ipywidgets as widgets

from workbench.errors import WorkbenchError
from workbench.serving.films import Films
from workbench.serving.picks import START, PickGame, Turn
from workbench.show.film_lists import ROW_STYLE, film_row, left_html, poster_of
from workbench.show.movie_words import turn_sentence
from workbench.show.posters import poster_svg
from workbench.show.tables import shorten

GRID = {  # two rows; on a narrow screen they are pushed sideways, so that the lists stay in reach
    "grid_template_rows": "repeat(2, auto)",
    "grid_auto_flow": "column",
    "grid_auto_columns": "134px",
    "grid_gap": "8px",
    "overflow": "auto",
}
CHIP = 34  # characters of a pick's button


class Card(widgets.VBox):
    """A poster with a button below it.

    Attributes:
        item_id: of the film that it shows, "" while it shows none.
    """

    def __init__(self, like: Callable[[str], None]):
        """Build an empty card; `like` is called with the film's id."""
        self.item_id = ""
        self.poster = widgets.HTML(layout={"width": "auto", "margin": "0"})
        self.button = widgets.Button(layout={"width": "auto", "margin": "2px 0 0 0"})
        self.button.on_click(lambda _: like(self.item_id))
        super().__init__([self.poster, self.button], layout={"max_width": "190px", "overflow": "hidden"})

    def show(self, item_id: str, films: Films, picked: bool) -> None:
        """Show a film, or hide the card where the id is ""."""
        self.layout.display = "" if item_id else "none"
        if item_id and item_id != self.item_id:
            self.poster.value = poster_svg(poster_of(films.film(item_id)))
        self.item_id = item_id
        _label(self.button, films, item_id, picked)


class Row(widgets.HBox):
    """One place of a list with a button beside it."""

    def __init__(self, like: Callable[[str], None]):
        """Build an empty row; `like` is called with the film's id."""
        self.item_id = ""
        self.film = widgets.HTML(layout={"flex": "1 1 0", "min_width": "0", "margin": "0"})
        self.button = widgets.Button(layout={"width": "64px", "flex": "0 0 auto", "margin": "6px 2px"})
        self.button.on_click(lambda _: like(self.item_id))
        super().__init__([self.film, self.button], layout={"border_bottom": "1px solid rgba(128,128,128,.45)"})

    def show(self, turn: Turn, name: str, place: int, films: Films) -> None:
        """Show what stands at a place, counted from 0; hide the row where the list is shorter."""
        items = turn.lists[name].items
        self.layout.display = "" if place < len(items) else "none"
        self.item_id = items[place].item_id if place < len(items) else ""
        if self.item_id:
            move = None if turn.what == START else turn.moves[name][place]
            self.film.value = f'<div class="wb-film">{film_row(items[place], move, films)}</div>'
            _label(self.button, films, self.item_id, False)


class MovieGame(widgets.VBox):
    """The whole game.

    Attributes:
        search, other, undo_last, over: the controls; setting `search.value` searches.
        cards: the posters to choose from; lists: name of a list to its rows; picked: a button for every pick.
        status: what was done last, or what went wrong.
    """

    def __init__(self, game: PickGame, films: Films, offers: Sequence[str], seed: int = 0):
        """Build it.

        Args:
            game: fresh, or with picks already; another widget needs another game.
            films: of its catalogue.
            offers: ids to begin with; as many are offered later.
            seed: of further offers.
        """
        self.game, self.films, self._seed = game, films, seed
        self._first, self._offers = tuple(offers), tuple(offers)
        self.status = widgets.HTML(layout={"width": "auto"})
        self.search = widgets.Text(
            placeholder="a title, a year", description="Search", continuous_update=True, layout={"max_width": "22em"}
        )
        self.other = _button("Other films", self._more, "Draw other well-known films")
        self.undo_last = _button("Undo", lambda: self._play(self.game.undo), "Take the newest pick back")
        self.over = _button("Start over", lambda: self._play(self.game.clear), "Take all picks back")
        self.cards = [Card(self._like) for _ in offers]
        self.picked = widgets.HBox(layout={"flex_flow": "row wrap"})
        self.lists = {name: [Row(self._like) for _ in range(game.places)] for name in game.recommenders}
        self._left = {name: widgets.HTML(layout={"width": "auto"}) for name in self.lists}
        self.search.observe(lambda _: self._draw_cards(), names="value")
        super().__init__(self._parts())
        self._draw()

    def _parts(self) -> list[widgets.Widget]:
        wrap = {"flex_flow": "row wrap"}
        columns = [
            widgets.VBox([_heading(name), *rows, self._left[name]], layout={"flex": "1 1 270px", "min_width": "0"})
            for name, rows in self.lists.items()
        ]
        return [
            widgets.HTML(ROW_STYLE, layout={"height": "0", "margin": "0"}),
            widgets.HBox([self.search, self.other], layout=wrap),
            widgets.GridBox(self.cards, layout=GRID),
            widgets.HBox([self.undo_last, self.over, self.picked], layout=wrap | {"margin": "8px 0 0 0"}),
            self.status,
            widgets.HBox(columns, layout=wrap | {"grid_gap": "0 24px"}),
        ]

    def _like(self, item_id: str) -> None:
        self._play(lambda: self.game.pick(item_id))

    def _play(self, step: Callable[[], Turn]) -> None:
        """Do one thing and show what came of it; what went wrong is said, and the game goes on."""
        try:
            step()
        except WorkbenchError as problem:
            self._say(str(problem))
        else:
            self._draw()

    def _more(self) -> None:
        self._seed += 1
        self._offers = tuple(self.films.offer(len(self.cards), self._seed, {*self._offers, *self.game.picks}))
        self._offers = self._offers or self._first
        self.search.value = ""
        self._draw_cards()

    def _draw(self) -> None:
        """Show everything anew, after a step of the game."""
        turn, gone = self.game.now, self.picked.children
        for name, rows in self.lists.items():
            for place, row in enumerate(rows):
                row.show(turn, name, place, self.films)
            self._left[name].value = left_html(turn, name, self.films)
        self.picked.children = [self._chip(item_id) for item_id in turn.picks]
        for each in gone:
            each.close()
        self.undo_last.disabled = self.over.disabled = not turn.picks
        self._draw_cards()

    def _draw_cards(self) -> None:
        """Show the posters that are asked for, and what was done last."""
        words = self.search.value.strip()
        shown = self.films.search(words, len(self.cards)) if words else list(self._offers)
        for card, item_id in zip(self.cards, [*shown, *[""] * len(self.cards)], strict=False):
            card.show(item_id, self.films, item_id in self.game.picks)
        none = f" No film is called {shorten(words, 60)!r}; try fewer letters." if words and not shown else ""
        self._say(turn_sentence(self.game.now, self.films) + none)

    def _chip(self, item_id: str) -> widgets.Button:
        label = self.films.film(item_id).label
        return _button(
            f"✕ {shorten(label, CHIP)}", lambda: self._play(lambda: self.game.undo(item_id)), f"Undo {label}"
        )

    def _say(self, words: str) -> None:
        self.status.value = f'<div role="status" style="line-height:1.4">{escape(words)}</div>'


def _button(words: str, do: Callable[[], None], tooltip: str) -> widgets.Button:
    found = widgets.Button(description=words, tooltip=tooltip, layout={"width": "auto"})
    found.on_click(lambda _: do())
    return found


def _heading(name: str) -> widgets.HTML:
    return widgets.HTML(f'<div style="font-weight:600;line-height:1.4">{escape(name)}</div>', layout={"width": "auto"})


def _label(button: widgets.Button, films: Films, item_id: str, picked: bool) -> None:
    button.description, button.disabled = ("✓ Picked", True) if picked else ("♥ Like", False)
    button.tooltip = f"Like {films.film(item_id).label}" if item_id else ""
