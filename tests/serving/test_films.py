"""Films are found by what people type, and what is offered first is well known and mixed."""

from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ServingError
from workbench.serving.films import Film, Films, fold, spoken
from workbench.serving.tables import ITEMS_TABLE, EntityTable, NumberColumn, TextColumn, text_array

ROWS = [  # id, title, year, genres, popularity
    ("1", "Alien", 1979, "Horror|Sci-Fi", 90),
    ("2", "Aliens", 1986, "Action|Sci-Fi", 80),
    ("3", "Godfather, The", 1972, "Crime|Drama", 100),
    ("4", "Sabrina", 1954, "Comedy", 5),
    ("5", "Sabrina", 1995, "Comedy", 7),
    ("6", "Seven (Se7en)", 1995, "Crime", 60),
    ("7", "1", 1990, "Drama", 1),
    ("8", "Haine, La (Hate)", 1995, "Drama", 2),
    ("9", "<script>alert(1)</script>", None, None, 0),
    ("10", None, None, None, 3),
]


def words(values: list) -> TextColumn:
    known = sorted({each for each in values if each is not None})
    return TextColumn(
        np.array([-1 if v is None else known.index(v) for v in values], dtype=np.int32), text_array(known)
    )


def table(rows: list = ROWS) -> EntityTable:
    ids, titles, years, genres, _ = zip(*rows, strict=True)
    year = NumberColumn(np.array([np.nan if each is None else each for each in years], dtype=np.float64))
    columns = {"TITLE": words(list(titles)), "YEAR": year, "GENRES": words(list(genres))}
    return EntityTable(ITEMS_TABLE, text_array(ids), columns)


@pytest.fixture(scope="module")
def films() -> Films:
    return Films(table(), np.array([row[-1] for row in ROWS]))


def test_a_film_has_its_article_in_front_and_its_year_as_a_whole_number(films: Films):
    assert films.film("3") == Film("3", "The Godfather", 1972, ("Crime", "Drama"), "Crime")
    assert films.film("3").label == "The Godfather (1972)"
    assert films.film("10") == Film("10", "10")
    assert films.film("not there").label == "not there"
    assert films.film("1").rarest == "Horror"


@pytest.mark.parametrize(
    ("said", "item"),
    [
        ("alien", "1"),
        ("ALIEN (1979)", "1"),
        ("the godfather", "3"),
        ("Godfather, The 1972", "3"),
        ("sabrina 1954", "4"),
        ("Se7en", "6"),
        ("seven", "6"),
        ("la haine", "8"),
        ("hate", "8"),
        ("2", "2"),
        ("id:1", "1"),
        ("1 (1990)", "7"),
        (" <script>alert(1)</script> ", "9"),
    ],
)
def test_a_title_is_found_as_people_write_it(films: Films, said: str, item: str):
    assert films.find(said) == item


def test_an_unknown_title_names_the_nearest(films: Films):
    with pytest.raises(
        ServingError, match=r"There is no film 'Alein'. Did you mean 'Alien \(1979\)', 'Aliens \(1986\)'"
    ):
        films.find("Alein")
    with pytest.raises(ServingError, match=r"There is no film 'xyzzy'. Give a title as the catalogue has it"):
        films.find("xyzzy")
    with pytest.raises(ServingError, match="There is no item with the id '77'"):
        films.find("id:77")
    with pytest.raises(ServingError, match="There is no film 'a{59}…'. Give"):
        films.find("a" * 10_001)


def test_a_title_of_two_films_asks_which(films: Films):
    with pytest.raises(ServingError, match=r"may mean 2 films: Sabrina \(1954\) is id:4, Sabrina \(1995\) is id:5"):
        films.find("Sabrina")
    with pytest.raises(ServingError, match=r"'1' may mean 2 films: 1 \(1990\) is id:7, Alien \(1979\) is id:1"):
        films.find("1")


def test_several_are_found_in_order_and_each_once(films: Films):
    assert films.find_all(["Aliens", "3"]) == ["2", "3"]
    with pytest.raises(ServingError, match=r"'Alien' and 'id:1' are the same film, Alien \(1979\); name it once"):
        films.find_all(["Alien", "id:1"])
    with pytest.raises(ServingError, match="No film is named"):
        films.find_all([])


def test_a_search_takes_beginnings_of_words_most_chosen_first(films: Films):
    assert films.search("ali") == ["1", "2"]
    assert films.search("19 sab") == ["5", "4"]
    assert films.search("a", most=1) == ["1"]
    assert films.search("lien") == films.search("  ") == films.search("%") == []


def test_offers_lead_with_different_genres_and_follow_the_seed(films: Films):
    first = films.offer(4, seed=1)
    assert len({films.film(item).rarest for item in first}) == 4
    assert films.offer(4, seed=1) == first
    assert any(films.offer(4, seed=seed) != first for seed in range(2, 6))
    assert not set(films.offer(4, 1, leave_out=first)) & set(first)
    assert sorted(films.offer(99)) == sorted(row[0] for row in ROWS)
    assert films.offer(0) == []


def test_only_well_known_films_are_offered():
    rows = [(str(n), f"Film {n}", 2000, f"G{n % 3}", 1_000 - n) for n in range(100)]
    films = Films(table(rows), np.array([row[-1] for row in rows]))
    for seed in range(20):
        assert all(int(item) < 24 for item in films.offer(2, seed))


def test_columns_can_be_left_out_and_unknown_ones_are_named():
    films = Films(table(), np.zeros(len(ROWS)), year="", genres="")
    assert films.film("1") == Film("1", "Alien")
    with pytest.raises(ServingError, match="'GENRE'.*Did you mean 'GENRES'"):
        Films(table(), np.zeros(len(ROWS)), genres="GENRE")


@pytest.mark.parametrize(
    ("title", "said"),
    [
        ("Godfather, The", "The Godfather"),
        ("Haine, La (Hate)", "La Haine (Hate)"),
        ("Double vie, La (Double Life, The)", "La Double vie (The Double Life)"),
        ("Avventura, L'", "L'Avventura"),
        ("Good, the Bad and the Ugly, The", "The Good, the Bad and the Ugly"),
        ("Heat", "Heat"),
        (", The", ", The"),
    ],
)
def test_articles_stand_in_front(title: str, said: str):
    assert spoken(title) == said


@given(st.text(max_size=400))
def test_anything_typed_gives_a_film_or_an_error_that_says_so(said: str):
    films = Films(table(), np.zeros(len(ROWS)))
    with suppress(ServingError):
        assert films.find(said) in films.items.positions
    assert set(films.search(said)) <= set(films.items.positions)
    assert fold(fold(said)) == fold(said)
