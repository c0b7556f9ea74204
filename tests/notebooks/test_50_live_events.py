"""Notebook 50 with other parameters than its defaults, on a shop of its own with hostile titles; run twice."""

import pandas as pd
import pytest

from workbench.data.events import LiveEvents
from workbench.data.workspace import Workspace
from workbench.serving.campaigns import campaigns

HOSTILE = "<script>alert(1)</script>"


@pytest.fixture
def own_group(tmp_path):
    """Ids with leading zeros; 44 people walk around 30 items."""
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    rows = [
        (f"{u:03d}", f"{(7 * u + s) % 30:03d}", 1_600_000_000 + 1_000 * s + u, "buy" if s % 3 else "click")
        for u in range(44)
        for s in range(25)
    ]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"])
    place.write_dataset("own", "interactions", events, origin={})
    items = pd.DataFrame({"ITEM_ID": [f"{n:03d}" for n in range(30)], "TITLE": [f"{HOSTILE} {n}" for n in range(30)]})
    place.write_dataset("own", "items", items.assign(COLOUR=["red", "blue", "red|blue"] * 10), origin={})
    return place


@pytest.mark.notebook
def test_parameters_steer_the_replay_and_it_can_be_run_again(run_notebook, own_group):
    asked = {
        "group": "own",
        "recipe": "graph-filter",
        "people": 2,
        "events": 5,
        "anonymous": 3,
        "places": 4,
        "speed": 100_000.0,
        "columns": ["COLOUR"],
        "new_title": "<b>Hat</b>",
        "seed": 3,
    }
    found = run_notebook("50_live_events", **asked)
    assert found["status"] == "completed"
    assert found["parameters"]["recipe"] == "graph-filter"
    assert len(found["steps"]) == 11
    assert {len(items) for items in found["lists"].values()} == {4}
    assert [row["UNTIL"] for row in found["latency"]] == [
        "event stored",
        "new list, same process",
        "new list, another process",
    ]
    assert [row["EVENTS"] for row in found["latency"]] == [11, 11, 11]
    unknown = [row["WHO"].startswith("somebody unknown, session replay/") for row in found["steps"]]
    assert sum(unknown) == 3
    assert sum(row["WHO"].endswith(", signs in") for row in found["steps"]) == 1
    assert found["steps"][-1]["WHAT"].startswith("takes back <script>")
    assert found["merged"] == {"interactions": 9, "items": 1}
    assert found["headline"][0]["unit"] == "ms"
    assert set(found["figures"]) == {"latency", "places"}

    again = run_notebook("50_live_events", **asked)
    assert again["lists"] == found["lists"]
    assert again["merged"] == found["merged"]
    practice = next(each for each in own_group.groups()["GROUP"] if each.startswith("own-replay-2x5-3-"))
    assert campaigns(own_group, practice)["REVISION"].tolist() == [1]
    assert LiveEvents(own_group.path, "own").position() == 0
    assert own_group.dataset("own", "interactions").version == 1


@pytest.mark.notebook
def test_nobody_unknown(run_notebook, own_group):
    found = run_notebook("50_live_events", group="own", recipe="popularity-count", people=1, events=2, anonymous=0)
    assert [row["WHO"].startswith("user ") for row in found["steps"]] == [True] * 3
    assert found["merged"] == {"interactions": 1, "items": 1}
