"""Posters are drawn from data alone: well-formed, escaped, the same every time, and no genre by its colour alone."""

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.show.posters import GENRES, Poster, plain, poster_svg, show_posters, stamp_svg, wrap

SVG = "{http://www.w3.org/2000/svg}"
ALIEN = Poster("Alien", 1979, ("Action", "Horror", "Sci-Fi", "Thriller"), "Horror")
HOSTILE = '<script>alert(1)</script> & "quotes" \u202egnp.exe \x00\ud800 %{x}'


def texts(svg: str) -> list[str]:
    return [each.text or "" for each in ET.fromstring(svg).iter(f"{SVG}text")]


def test_a_poster_says_title_year_and_genres_in_words_and_to_screen_readers():
    svg = poster_svg(ALIEN)
    root = ET.fromstring(svg)
    assert texts(svg)[:2] == ["Alien", "1979"]
    assert " ".join(texts(svg)[2:]).replace("\u00a0", " ") == "Action · Horror · Sci-Fi · Thriller"
    assert (root.get("role"), root.get("aria-label")) == (
        "img",
        "Poster: Alien, 1979, Action, Horror, Sci-Fi, Thriller",
    )
    assert root.find(f"{SVG}title").text == root.get("aria-label") == ALIEN.words


def test_the_same_film_gives_the_same_poster_and_another_another():
    assert poster_svg(ALIEN) == poster_svg(Poster(*vars(ALIEN).values()))
    other = Poster("Psycho", 1960, ALIEN.genres, ALIEN.lead)
    assert stamp_svg(ALIEN) != stamp_svg(other)


def drawing(genre: str) -> str:
    return stamp_svg(Poster("One film", 2000, (genre,))).split("/>", 1)[1]  # without the ground


def test_every_genre_has_a_drawing_of_its_own():
    assert len({drawing(genre).replace("#111827", "#FFFFFF") for genre in GENRES}) == len(GENRES) == 18


def contrast(first: str, second: str) -> float:
    """WCAG 2's contrast of two colours."""

    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
        linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((light(first), light(second)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("genre", GENRES)
def test_drawings_stand_out_from_their_ground(genre: str):
    ground, ink, _ = GENRES[genre]
    assert contrast(ground, ink) >= 4.5


def test_a_genre_without_a_drawing_gets_tiles_by_its_name():
    assert drawing("Gardening") == stamp_svg(Poster("Another", 1990, ("Gardening",))).split("/>", 1)[1]
    assert drawing("Gardening") != drawing("Cooking")


def test_hostile_texts_are_escaped_and_stripped_of_what_is_not_seen():
    svg = poster_svg(Poster(HOSTILE, None, ("<b onclick='x'>",) * 3))
    ET.fromstring(svg)
    assert "<script" not in svg
    assert "<b " not in svg
    assert plain(HOSTILE) == '<script>alert(1)</script> & "quotes" gnp.exe %{x}'
    assert "&lt;script&gt;" in svg


def test_titles_of_any_length_fit():
    for title in ("", "W" * 5_000, "word " * 2_000, "千と千尋の神隠し" * 40, "é́" * 500):
        svg = poster_svg(Poster(title, 2001, ("Drama",) * 50))
        lines = ET.fromstring(svg).findall(f"{SVG}text")
        assert all(float(each.get("y")) <= 316 for each in lines)
        assert len(svg) < 20_000
    assert texts(poster_svg(Poster("")))[0] == "untitled"


def test_a_long_title_takes_smaller_type_before_genres_are_cut():
    poster = Poster("Willy Wonka and the Chocolate Factory", 1971, ("Adventure", "Children's", "Comedy"))
    assert "Comedy" in texts(poster_svg(poster))[-1]
    assert "…" not in "".join(texts(poster_svg(poster)))


@given(st.text(max_size=300), st.integers(1, 6), st.floats(2, 20))
def test_wrapping_keeps_words_and_lines(words: str, most: int, room: float):
    lines = wrap(plain(words), room, most)
    assert len(lines) <= most
    whole = wrap(plain(words), room, 1_000)
    assert "".join(whole).replace(" ", "") == plain(words).replace(" ", "")


@given(st.text(max_size=100), st.none() | st.integers(-5_000, 9_999), st.lists(st.text(max_size=30), max_size=8))
def test_any_film_gives_a_well_formed_poster(title: str, year: int | None, genres: list[str]):
    ET.fromstring(poster_svg(Poster(title, year, tuple(genres))))
    ET.fromstring(stamp_svg(Poster(title, year, tuple(genres), lead="Unheard of")))


def test_posters_stand_in_a_grid_and_read_as_text():
    shown = show_posters([ALIEN, Poster("Heat")])
    assert shown._repr_html_().count('<svg viewBox="0 0 200 316"') == 2
    assert repr(shown) == "Poster: Alien, 1979, Action, Horror, Sci-Fi, Thriller\nPoster: Heat"
    assert "No posters" in show_posters([])._repr_html_()


def test_they_fit_a_phone_and_a_desk(open_page, tmp_path):
    films = [
        ALIEN,
        Poster("W" * 300, 1999, ("Gardening",)),
        Poster(HOSTILE, None),
        *[Poster(g, 2000, (g,)) for g in GENRES],
    ]
    page = tmp_path / "posters.html"
    page.write_text(f"<meta charset=utf-8><body>{show_posters(films)._repr_html_()}", encoding="utf-8")
    for width, beside in ((390, 2), (1280, 6)):
        shown = open_page(page, width)
        boxes = shown.locator("svg[role=img]").evaluate_all("all => all.map(e => e.getBoundingClientRect().top)")
        assert boxes.count(boxes[0]) >= beside
        wide = shown.locator("svg[role=img] > text").evaluate_all("all => Math.max(...all.map(e => e.getBBox().width))")
        assert wide <= 200 - 12, "a line runs out of the poster"
