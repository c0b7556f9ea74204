"""The game on the screen: what words, lists, chart and buttons show follows from the game's turns alone."""

import numpy as np
import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.serving.examples import ensure_campaign
from workbench.serving.films import Films
from workbench.serving.picks import DOWN, GONE, NEW, PICKED, SAME, UP, Move, PickGame
from workbench.show import movie_words
from workbench.show.charts.picks import place_lines
from workbench.show.film_lists import film_row, left_html, poster_of, show_turn
from workbench.show.widgets.movie_game import MovieGame

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def recommenders(tmp_path_factory):
    """People watch even or odd films; film i1 has a hostile title, i2 an article."""
    place = Workspace(tmp_path_factory.mktemp("game") / "workspace")
    place.create_group("own")
    rows = [(f"u{u:02d}", f"i{2 * ((u // 2 + s) % 6) + u % 2}", 1_000 * s + u) for u in range(40) for s in range(5)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    place.write_dataset("own", "interactions", events, origin={"source": "test"})
    titles = [f"Film {n}" for n in range(12)]
    titles[1:3] = HOSTILE, "Heat, The"
    items = pd.DataFrame(
        {
            "ITEM_ID": [f"i{n}" for n in range(12)],
            "TITLE": titles,
            "YEAR": [1990 + n for n in range(12)],
            "GENRES": ["Drama|Crime", "Horror"] * 6,
        }
    )
    place.write_dataset("own", "items", items, origin={"source": "test"})
    return {
        recipe: ensure_campaign(place, "own", f"g-{recipe}", recipe, train_anyway=True, log=False)
        for recipe in ("graph-filter", "popularity-count")
    }


@pytest.fixture
def game(recommenders) -> PickGame:
    return PickGame(recommenders, places=4)


@pytest.fixture
def films(game: PickGame) -> Films:
    return Films.of(game.deployment)


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (Move("a", NEW, 1), "+ new"),
        (Move("a", UP, 1, 4), "▲ up 3, was 4"),
        (Move("a", DOWN, 5, 4), "▼ down 1, was 4"),
        (Move("a", SAME, 1, 1), "= stays"),
        (Move("a", GONE, None, 2), "− gone, was 2"),
        (Move("a", PICKED, None, 2), "✓ picked, was 2"),
    ],
)
def test_a_move_is_told_in_words_and_a_sign(move: Move, said: str):
    assert movie_words.moved(move) == said


def test_the_reason_names_the_pick_with_its_year(game: PickGame, films: Films):
    assert movie_words.why(game.now.lists["graph-filter"].items[0], films) == "popular with everybody"
    turn = game.pick("i2")
    assert movie_words.why(turn.lists["graph-filter"].items[0], films) == "because you picked The Heat (1992)"
    two = game.pick("i4").lists["graph-filter"].items[0]
    assert set(movie_words.why(two, films).removeprefix("because you picked ").split(" and ")) == {
        "The Heat (1992)",
        "Film 4 (1994)",
    }
    assert movie_words.reasons_share(game.now) == {"graph-filter": 1.0, "popularity-count": 0.0}


def test_tables_count_what_the_turns_did(game: PickGame, films: Films):
    game.pick("i3")
    turn = game.pick("i5")
    game.undo()
    moves = movie_words.moves_table(game, films)
    assert moves["TURN"].unique().tolist() == [
        "picked Film 3 (1993)",
        "picked Film 5 (1995)",
        "took back Film 5 (1995)",
    ]
    assert (moves[["NEW", "UP", "DOWN", "STAYED"]].sum(axis=1) == 4).all()
    assert (moves["NEW"] == moves["LEFT"]).all()
    assert (moves["MILLISECONDS"] > 0).all()
    table = movie_words.comparison_table(turn, films)
    places = table.filter(like="PLACE")
    assert places.min(axis=1).is_monotonic_increasing
    assert places.notna().sum().tolist() == [4, 4]
    assert places.notna().all(axis=1).sum() == movie_words.shared(turn)
    own = movie_words.places_table(game, films, "graph-filter")
    assert own.groupby("TURN")["PLACE"].apply(list).tolist() == [[1, 2, 3, 4]] * 4
    said = movie_words.reading(game, turn, films)
    assert said.startswith("After 2 picks, ")
    assert "4 of 4 in the list of graph-filter and 0 of 4 in the list of popularity-count" in said
    assert "Film 5 (1995) was taken back" in said


def test_a_comparison_says_once_what_the_same_picks_explain(game: PickGame, films: Films):
    turn = game.pick("i3")
    why = dict(zip(*movie_words.comparison_table(turn, films)[["FILM", "WHY"]].to_numpy().T, strict=True))
    only = next(
        item for item in turn.lists["graph-filter"].item_ids if item not in turn.lists["popularity-count"].item_ids
    )
    assert why[films.film(only).label] == "because you picked Film 3 (1993)"


def test_lists_show_words_and_escape_titles(game: PickGame, films: Films):
    turn = game.pick("i3")
    page = show_turn(turn, films)._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (1991)" in page
    assert "because you picked Film 3 (1993)" in page
    assert "+ new" in page
    assert "Left the list: " in page
    assert "because you picked Film 3 (1993)" in repr(show_turn(turn, films))
    first = show_turn(game.turns[0], films)._repr_html_()
    assert 'class="m' not in first.split("</style>")[-1]
    assert left_html(game.turns[0], "graph-filter", films) == ""
    assert film_row(turn.lists["graph-filter"].items[0], None, films).count("<svg") == 1


def test_the_rarest_genre_leads_the_poster(films: Films):
    counts = pd.Series([genre for film in films.films for genre in film.genres]).value_counts()
    assert counts.to_dict() == {"Drama": 6, "Crime": 6, "Horror": 6}
    assert poster_of(films.film("i2")).lead in ("Drama", "Crime")
    assert poster_of(films.film("i2")).title == "The Heat"


def test_the_chart_names_the_films_of_the_last_turn(game: PickGame, films: Films):
    game.pick("i3")
    game.pick("i5")
    figure = place_lines(movie_words.places_table(game, films, "graph-filter"), "graph-filter <i>")
    names = figure.layout.yaxis2.ticktext
    assert len(names) == 4
    assert not any("<script" in each for each in [*names, *(trace.hovertemplate or "" for trace in figure.data)])
    assert figure.layout.title.text == "graph-filter &lt;i>"
    styles = {(trace.line.color, trace.line.dash, trace.marker.symbol) for trace in figure.data if trace.opacity == 1}
    assert len(styles) == 4
    assert list(figure.layout.yaxis.range) == [4.6, 0.4]
    assert [text.split("<br>")[0] for text in figure.layout.xaxis.ticktext] == [
        "the start",
        "picked Film 3",
        "picked Film 5",
    ]


def test_a_label_that_is_too_long_loses_its_year_first():
    places = pd.DataFrame(
        [
            (0, "the start", str(n), film, n + 1)
            for n, film in enumerate(["Heat (1995)", "Dead Man Walking (1995)", "x" * 50])
        ],
        columns=["TURN", "TURN_NAME", "ITEM_ID", "FILM", "PLACE"],
    )
    names = place_lines(places, "one turn").layout.yaxis2.ticktext
    assert names == ("Heat (1995)", "Dead Man Walking", "x" * 19 + "…")


def shown(cards) -> list[str]:
    return [card.item_id for card in cards if card.layout.display != "none"]


def test_buttons_play_the_game(game: PickGame, films: Films):
    widget = MovieGame(game, films, films.offer(5, seed=1), seed=1)
    assert len(shown(widget.cards)) == 5
    widget.search.value = "film 3"
    assert shown(widget.cards) == ["i3"]
    widget.cards[0].button.click()
    assert game.picks == ("i3",)
    assert (widget.cards[0].button.description, widget.cards[0].button.disabled) == ("✓ Picked", True)
    assert "You picked Film 3 (1993)" in widget.status.value
    assert "because you picked Film 3 (1993)" in widget.lists["graph-filter"][0].film.value
    widget.lists["graph-filter"][0].button.click()
    assert len(game.picks) == 2
    assert len(widget.picked.children) == 2
    widget.picked.children[0].click()
    assert game.picks == (game.turns[2].item_id,)
    widget.undo_last.click()
    assert game.picks == ()
    assert widget.undo_last.disabled
    assert widget.cards[0].button.description == "♥ Like"


def test_starting_over_and_other_films(game: PickGame, films: Films):
    widget = MovieGame(game, films, films.offer(4, seed=1), seed=1)
    before = shown(widget.cards)
    widget.other.click()
    assert not set(before) & set(shown(widget.cards))
    for _ in range(5):
        widget.other.click()
        assert shown(widget.cards)
    widget.cards[0].button.click()
    widget.over.click()
    assert game.picks == ()
    assert "took all picks back" in widget.status.value


def test_what_goes_wrong_is_said_and_the_game_goes_on(game: PickGame, films: Films):
    widget = MovieGame(game, films, films.offer(4))
    widget._like("i3")
    widget._like("i3")
    assert "picked already" in widget.status.value
    widget.search.value = "zzz<b>"
    assert shown(widget.cards) == []
    assert "zzz&lt;b&gt;" in widget.status.value
    widget.search.value = HOSTILE[1:7]
    assert shown(widget.cards) == ["i1"]
    assert "<script" not in widget.cards[0].poster.value
    assert game.picks == ("i3",)


def test_lists_that_get_shorter_hide_their_last_rows(recommenders, films: Films):
    game = PickGame(recommenders, places=12)
    widget = MovieGame(game, films, films.offer(2))
    rows = widget.lists["popularity-count"]
    assert len(shown(rows)) == 12
    widget._like("i3")
    assert len(shown(rows)) == 11
    assert np.all([row.item_id != "i3" for row in rows])
