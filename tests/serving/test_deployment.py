"""Deployments on a real workspace: what is laid out, what is put live, what is damaged, how they open."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.columns import INTERACTIONS, ITEMS
from workbench.data.events import LiveEvents
from workbench.data.workspace import Workspace
from workbench.errors import ModelFileError, ServingError
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign, redeploy, update_campaign
from workbench.serving.deployment import Deployment, open_campaign


@pytest.fixture
def deploy(small_workspace: Workspace, train_small: Callable) -> Callable[..., Deployment]:
    """Train a recipe and deploy it as campaign "c"."""

    def make(recipe: str = "popularity-count", **config: object) -> Deployment:
        train_small("s", recipe, **config)
        create_campaign(small_workspace, "g", "c", "s")
        return open_campaign(small_workspace.path, "g", "c")

    return make


def test_items_the_recipe_does_not_score_come_after_those_it_does(deploy: Callable):
    served = deploy()
    assert served.items.ids.tolist() == ["a", "b", "c", "d"]
    assert served.n_scored == 3
    assert served.items.row(0) == {"GENRES": "Action|Crime", "PRICE": 1.5, "ADULT": True, "CREATION_TIMESTAMP": 90.0}
    assert served.items.row(3) == {"GENRES": "Drama", "PRICE": 4.0, "ADULT": False, "CREATION_TIMESTAMP": None}
    assert served.popularity.tolist() == [3, 2, 2, 0]
    assert served.context_columns == ("DEVICE",)
    assert "needs events of an item" in served.notes["at_deployment"]["why"]


def test_creation_times_are_inferred_as_personalize_does(deploy: Callable):
    served = deploy()
    # a: its own; b, c: their oldest events; d: no event, so the newest event of all
    assert served.creation_times.tolist() == [90, 120, 140, 160]
    assert served.newest_time == 160
    assert served.snapshot.ages()[0] == pytest.approx(70 / 86_400)


def test_items_that_came_after_the_training_are_given_to_the_model(small_workspace: Workspace, train_small: Callable):
    train_small("s", "user-personalization")
    items = small_workspace.dataset("g", ITEMS).frame()
    fresh = pd.DataFrame({"ITEM_ID": ["e"], "GENRES": ["Action"], "PRICE": [2.0], "ADULT": [False]})
    small_workspace.write_dataset("g", ITEMS, pd.concat([items, fresh]), origin={}, check=False)
    revision = create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    assert served.recipe.item_ids.tolist() == ["a", "b", "c", "d", "e"]
    assert revision.model == revision.path / "recipe"
    assert served.notes["at_deployment"]["new_items"] == 1


def test_prose_is_told_from_categories(small_workspace: Workspace, train_small: Callable):
    items = small_workspace.dataset("g", ITEMS).frame()
    items["ABOUT"] = ["A long tale of a man and his dog", "One two three four five six seven", None, "x " * 9]
    small_workspace.write_dataset("g", ITEMS, items, origin={}, check=False)
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    columns = open_campaign(small_workspace.path, "g", "c").items.columns
    assert {name: getattr(column, "textual", None) for name, column in columns.items()} == {
        "GENRES": False, "PRICE": None, "ADULT": None, "CREATION_TIMESTAMP": None, "ABOUT": True
    }  # fmt: skip


def test_columns_of_no_use_are_left_out_and_said(small_workspace: Workspace, train_small: Callable):
    items = small_workspace.dataset("g", ITEMS).frame()
    items["DAY"], items["NOTHING"] = pd.Timestamp("2020-01-02"), None
    small_workspace.write_dataset("g", ITEMS, items, origin={}, check=False)
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    assert served.notes["left_out_columns"] == {"items": ["DAY"]}
    assert served.items.value(0, "NOTHING") is None


def test_hostile_ids_and_column_names_come_back_as_they_are(tmp_path: Path, train_in: Callable):
    workspace = Workspace(tmp_path / "w")
    workspace.create_group("g")
    users, items = ["007", "7", "ü|ñ\n", "a/b", "😀"], ["'; --", "\t", "é", "0", "ÿ"]
    events = pd.DataFrame({"USER_ID": users, "ITEM_ID": items, "TIMESTAMP": range(5), "../X y": [*"abcd", None]})
    workspace.write_dataset("g", INTERACTIONS, events, origin={}, check=False)
    train_in(workspace, "g", "s", "popularity-count")
    create_campaign(workspace, "g", "c", "s")
    served = open_campaign(workspace.path, "g", "c")
    for user, item, value in zip(users, items, [*"abcd", None], strict=True):
        state = served.users.state(user)
        assert served.items.ids[state.events.entities].tolist() == [item]
        assert state.events.columns["../X y"].tolist() == [value]
        assert state.attributes == {}
    assert not served.users.state("70").known


def test_an_objective_comes_with_what_items_earn(deploy: Callable):
    settings = {"column": "PRICE", "sensitivity": "MEDIUM", "weight": 0.5, "candidates_per_place": 4}
    objective = deploy(objective=settings).objective
    assert objective.rewards.tolist() == [1.5, 2.0, 1.5, 4.0]  # c has no price: it earns the least
    assert (objective.weight, objective.candidates) == (0.5, 4)


def test_exclude_seen_is_the_solutions_unless_the_campaign_says_otherwise(small_workspace, train_small: Callable):
    train_small(exclude_seen=False)
    create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    assert served.exclude_seen is False
    update_campaign(small_workspace, "g", "c", settings=CampaignSettings(exclude_seen=True))
    served.refresh()
    assert served.exclude_seen is True


def test_a_new_live_item_is_scored_at_once_where_the_model_takes_it_in(deploy: Callable):
    served = deploy("user-personalization")
    before = served.snapshot
    live = LiveEvents(served.path, "g")
    live.put_items([{"itemId": "new", "properties": {"genres": "Action", "price": 3.0}}])
    assert served.refresh()
    assert served.items.ids.tolist() == ["a", "b", "c", "d", "new"]
    assert served.n_scored == 5
    assert before.n_scored == 4  # a request under way is not disturbed
    assert before.recipe.item_ids.tolist() == ["a", "b", "c", "d"]
    assert served.items.row(4) == {"GENRES": "Action", "PRICE": 3.0, "ADULT": None, "CREATION_TIMESTAMP": None}
    assert served.creation_times.tolist() == [90, 120, 140, 160, 160]
    assert served.popularity.tolist() == [3, 2, 2, 0, 0]
    live.put_events("s", [{"eventType": "watch", "sentAt": 200, "itemId": "new"}], user_id="ann")
    assert served.users.state("ann").events.entities[-1] == 4
    assert not served.refresh()


def test_a_new_live_item_waits_unscored_where_the_model_cannot_take_it_in(deploy: Callable):
    served = deploy()
    LiveEvents(served.path, "g").put_items(
        [{"itemId": "new", "properties": {"genres": "Noir", "creationTimestamp": 7}}]
    )
    assert served.refresh()
    assert served.items.ids.tolist() == ["a", "b", "c", "d", "new"]
    assert served.n_scored == 3
    assert served.items.value(4, "GENRES") == "Noir"
    assert served.creation_times.tolist() == [90, 120, 140, 160, 7]
    assert served.notes["live"]["left_out"] == 1


def test_a_known_item_that_was_put_again_changes_its_whole_row(deploy: Callable):
    served = deploy()
    stored = served.items
    live = LiveEvents(served.path, "g")
    live.put_items([{"itemId": "b", "properties": {"genres": "Action|Crime", "adult": True}}])
    live.put_items([{"itemId": "a", "properties": {"genres": "Gardening", "price": 9}}])
    served.refresh()
    assert served.items.row(1) == {"GENRES": "Action|Crime", "PRICE": None, "ADULT": True, "CREATION_TIMESTAMP": None}
    assert served.items.row(0) == {"GENRES": "Gardening", "PRICE": 9.0, "ADULT": None, "CREATION_TIMESTAMP": None}
    assert len(set(served.items.columns["GENRES"].vocabulary)) == len(served.items.columns["GENRES"].vocabulary)
    assert stored.row(0)["GENRES"] == "Action|Crime"


def test_live_items_stay_when_another_revision_comes(small_workspace: Workspace, deploy: Callable):
    served = deploy()
    LiveEvents(served.path, "g").put_items([{"itemId": "new", "properties": {"genres": "Noir"}}])
    served.refresh()
    redeploy(small_workspace, "g", "c")
    assert served.refresh()
    assert (served.revision, served.items.code_of("new")) == (2, 4)
    assert open_campaign(small_workspace.path, "g", "c").items.code_of("new") == 4


def test_a_users_live_attributes_take_the_place_of_stored_ones(deploy: Callable):
    served = deploy()
    LiveEvents(served.path, "g").put_users([
        {"userId": "ann", "properties": {"age": 32}},
        {"userId": "neu", "properties": {"age": 20, "city": "Bonn"}},
    ])  # fmt: skip
    assert served.refresh()
    assert served.users.state("ann").attributes == {"AGE": 32.0, "CITY": None}
    assert served.users.state("neu").attributes == {"AGE": 20, "CITY": "Bonn"}
    assert served.users.state("zoe").attributes == {"AGE": 44.0, "CITY": None}


def test_requests_in_other_threads_see_whole_snapshots(small_workspace: Workspace, deploy: Callable):
    served = deploy("user-personalization")
    live, wrong, stop = LiveEvents(served.path, "g"), [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            at = served.snapshot
            lengths = {len(at.items), len(at.creation_times), len(at.popularity), len(at.items.columns["PRICE"])}
            if len(lengths) > 1 or at.n_scored > len(at.items):
                wrong.append((at.revision, lengths))

    thread = threading.Thread(target=ask)
    thread.start()
    for number in range(5):
        live.put_items([{"itemId": f"n{number}", "properties": {"genres": "Action"}}])
        if number == 2:
            redeploy(small_workspace, "g", "c")
        served.refresh()
    stop.set()
    thread.join()
    assert not wrong
    assert (served.n_scored, served.revision) == (9, 2)


def test_damaged_files_are_named(small_workspace: Workspace, deploy: Callable):
    deploy().close()
    folder = small_workspace.path / "g" / "campaigns" / "c" / "1"
    index = folder / "layout.json"
    words = index.read_text()
    first = folder / json.loads(words)["arrays"]["times"]["file"]
    whole = first.read_bytes()
    first.write_bytes(whole[:-8])
    with pytest.raises(ServingError, match=r"npy \(times\) has .* of its .* bytes. Deploy it again with redeploy"):
        open_campaign(small_workspace.path, "g", "c")
    first.unlink()
    with pytest.raises(ServingError, match=r"\(times\) is missing"):
        open_campaign(small_workspace.path, "g", "c")
    first.write_bytes(whole)
    index.write_text(words.replace('"n_items": 4', '"n_items": 5'))
    with pytest.raises(ServingError, match="its seal does not fit"):
        open_campaign(small_workspace.path, "g", "c")
    index.write_text(words[:-9])
    with pytest.raises(ServingError, match="not readable JSON"):
        open_campaign(small_workspace.path, "g", "c")
    index.write_text(words)
    model = small_workspace.solution_version("g", "s").path / "model.safetensors"
    content = model.read_bytes()
    for wrong in (content[:-1], content[:-1] + bytes([content[-1] ^ 1])):
        model.write_bytes(wrong)
        with pytest.raises(ModelFileError, match="truncated or edited"):
            open_campaign(small_workspace.path, "g", "c")


def test_nothing_in_a_layout_is_pickled(small_workspace: Workspace, deploy: Callable):
    deploy()
    for path in (small_workspace.path / "g" / "campaigns" / "c" / "1").glob("*.npy"):
        assert np.load(path, allow_pickle=False).dtype.kind in "iufb"


HEAVY = "torch ibis duckdb sqlalchemy plotly ipywidgets scipy.stats sklearn"
OPEN = """
import sys
from workbench.serving.deployment import open_campaign
served = open_campaign(sys.argv[1], "g", "c")
served.users.state("ann"), served.items.row(0), served.refresh()
print(*(name for name in sys.argv[2].split() if name in sys.modules))
"""


@pytest.mark.parametrize("recipe", ["popularity-count", "matrix-factorization", "user-personalization"])
def test_opening_in_a_fresh_process_imports_nothing_heavy(deploy: Callable, recipe: str):
    served = deploy(recipe)
    command = [sys.executable, "-c", OPEN, str(served.path), HEAVY]
    assert subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == ""
