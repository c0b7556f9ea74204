"""Notebook 90 with other parameters than its defaults, on films of its own with a hostile title; played twice."""

import pandas as pd
import papermill
import pytest

from workbench.data.events import LiveEvents
from workbench.data.workspace import Workspace
from workbench.serving.campaigns import campaigns

HOSTILE = "<script>alert(1)</script>, The"


@pytest.fixture
def own_group(tmp_path):
    """Ids with leading zeros; 40 people walk around 30 films, four colours and a decade."""
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    rows = [
        (f"{u:03d}", f"{(7 * u + s) % 30:03d}", 1_600_000_000 + 1_000 * s + u, "buy" if s % 3 else "click")
        for u in range(40)
        for s in range(25)
    ]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"])
    place.write_dataset("own", "interactions", events, origin={})
    titles = [HOSTILE if n == 4 else f"Film {n}" for n in range(30)]
    items = pd.DataFrame({"ITEM_ID": [f"{n:03d}" for n in range(30)], "TITLE": titles})
    colours = ["red", "blue|red", "green", "yellow|red|blue", "red"] * 6
    place.write_dataset("own", "items", items.assign(COLOUR=colours, MADE=[1990 + n for n in range(30)]), origin={})
    return place


@pytest.mark.notebook
def test_parameters_steer_the_game_and_it_can_be_played_twice(run_notebook, own_group):
    asked = {
        "group": "own",
        "recipes": ["graph-filter", "popularity-count", "sims"],
        "picks": ["the <SCRIPT>alert(1)</script> (1994)", "007", "id:011", "film 20"],
        "take_back": "Film 7",
        "places": 5,
        "offers": 3,
        "event_type": "click",
        "year_column": "MADE",
        "genre_column": "COLOUR",
        "seed": 3,
    }
    found = run_notebook("90_movie_game", **asked)
    assert found["status"] == "completed"
    assert found["parameters"]["picks"] == ["004", "007", "011", "020"]
    assert found["parameters"]["take_back"] == "007"
    assert set(found["lists"]) == set(asked["recipes"])
    for items in found["lists"].values():
        assert len(items) == 5
        assert not {"004", "007", "011", "020"} & set(items)
    assert len(found["offered"]) == 3
    assert all(label.endswith(")") for label in found["offered"])
    turns = list(dict.fromkeys(row["TURN"] for row in found["moves"]))
    assert turns[0] == "picked The <script>alert(1)</script> (1994)"
    assert turns[-1] == "took back Film 7 (1997)"
    assert len(turns) == 5
    assert set(found["figures"]) == {"places_1", "places_2", "places_3"}
    assert found["headline"][0]["unit"] == "ms"
    assert {f"PLACE, {recipe}" for recipe in asked["recipes"]} < set(found["comparison"][0])

    again = run_notebook("90_movie_game", **asked)
    assert again["lists"] == found["lists"]
    assert again["offered"] == found["offered"]
    assert campaigns(own_group, "own")["REVISION"].tolist() == [1, 1, 1]
    live = LiveEvents(own_group.path, "own")
    sessions = live.changed_since(0).sessions
    assert len([each for each in sessions if each.startswith("game/")]) == 2
    assert all(live.user_events(each) == [] for each in sessions)


@pytest.mark.notebook
def test_a_misspelt_title_stops_with_the_nearest(run_notebook, own_group):
    with pytest.raises(papermill.PapermillExecutionError, match=r"There is no film 'Filn 12'. Did you mean 'Film 12'"):
        run_notebook(
            "90_movie_game",
            group="own",
            recipes=["popularity-count"],
            picks=["Filn 12"],
            year_column="",
            genre_column="",
        )
