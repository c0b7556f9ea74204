"""Campaigns are created, updated, rolled back and deleted on a real workspace."""

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.columns import ITEMS
from workbench.data import catalogue
from workbench.data.catalogue import CAMPAIGN, CATALOG, Catalogue
from workbench.data.catalogue_reader import CatalogueReader
from workbench.data.workspace import Workspace
from workbench.errors import ServingError, WorkspaceError
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import (
    campaign_revisions,
    campaigns,
    create_campaign,
    delete_campaign,
    redeploy,
    roll_back,
    update_campaign,
)
from workbench.serving.deployment import open_campaign


def test_a_campaign_serves_the_newest_active_version(small_workspace: Workspace, train_small: Callable):
    train_small()
    with pytest.raises(ZeroDivisionError), small_workspace.new_solution_version("g", "s", {"recipe": "sims"}):
        1 / 0  # noqa: B018
    made = create_campaign(small_workspace, "g", "shop-front", "s")
    assert (made.revision, made.version, made.recipe, made.status, made.why) == (
        1,
        1,
        "popularity-count",
        "ACTIVE",
        "created",
    )
    listed = campaigns(small_workspace, "g").iloc[0]
    assert listed[["CAMPAIGN", "SOLUTION", "VERSION", "REVISION", "STATUS"]].tolist() == [
        "shop-front",
        "s",
        1,
        1,
        "ACTIVE",
    ]
    with pytest.raises(ServingError, match="version 2 is CREATE FAILED.*only an ACTIVE version"):
        update_campaign(small_workspace, "g", "shop-front", version=2)


def test_unknown_names_are_met_with_the_nearest(small_workspace: Workspace, train_small: Callable, tmp_path: Path):
    train_small("films")
    create_campaign(small_workspace, "g", "front", "films")
    with pytest.raises(ServingError, match="no campaign 'frnt'. Did you mean 'front'"):
        open_campaign(small_workspace.path, "g", "frnt")
    with pytest.raises(ServingError, match="no dataset group 'G'. Did you mean 'g'"):
        open_campaign(small_workspace.path, "G", "front")
    with pytest.raises(WorkspaceError, match="no workspace in .*elsewhere"):
        open_campaign(tmp_path / "elsewhere", "g", "front")
    assert not (tmp_path / "elsewhere").exists()
    with pytest.raises(WorkspaceError, match="no solution 'film'. Did you mean 'films'"):
        create_campaign(small_workspace, "g", "other", "film")
    with pytest.raises(WorkspaceError, match="films has no version 7"):
        update_campaign(small_workspace, "g", "front", version=7)
    with pytest.raises(ServingError, match="Campaign 'front' exists at revision 1"):
        create_campaign(small_workspace, "g", "Front", "films")
    with pytest.raises(WorkspaceError, match="cannot name a campaign"):
        create_campaign(small_workspace, "g", "../x", "films")


def test_an_open_deployment_serves_the_old_revision_until_it_is_refreshed(
    small_workspace: Workspace, train_small: Callable
):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    taken = served.snapshot
    train_small()
    update_campaign(small_workspace, "g", "c", version=2, settings=CampaignSettings(exploration_weight=0.0))
    assert (served.revision, served.version) == (1, 1)
    assert served.refresh()
    assert (served.revision, served.version, served.settings.exploration_weight) == (2, 2, 0.0)
    assert (taken.revision, taken.version, taken.users.state("ann").known) == (1, 1, True)
    assert not served.refresh()


def test_settings_alone_share_the_files(small_workspace: Workspace, train_small: Callable):
    train_small()
    first = create_campaign(small_workspace, "g", "c", "s")
    second = update_campaign(small_workspace, "g", "c", settings=first.settings.changed(exclude_seen=False))
    assert second.path == first.path
    assert open_campaign(small_workspace.path, "g", "c").exclude_seen is False
    with pytest.raises(ServingError, match="nothing to update"):
        update_campaign(small_workspace, "g", "c")


def test_rolling_back_makes_a_new_revision_of_an_old_one(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s", settings=CampaignSettings(follow_latest=True))
    train_small()
    redeploy(small_workspace, "g", "c")
    back = roll_back(small_workspace, "g", "c")
    assert (back.revision, back.version, back.why) == (3, 1, "rolled back to revision 1")
    assert back.settings.follow_latest is False
    with pytest.raises(ServingError, match="revision 3 has no earlier revision"):
        roll_back(small_workspace, "g", "c")
    assert roll_back(small_workspace, "g", "c", 2).version == 2
    with pytest.raises(ServingError, match="no revision 9 that ever served"):
        roll_back(small_workspace, "g", "c", 9)
    history = campaign_revisions(small_workspace, "g", "c")
    assert history["WHY"].tolist() == [
        "created",
        "redeployed",
        "rolled back to revision 1",
        "rolled back to revision 2",
    ]
    assert history["CURRENT"].tolist() == [False, False, False, True]


def test_only_kept_revisions_can_be_rolled_back_to(small_workspace: Workspace, train_small: Callable):
    train_small()
    first = create_campaign(small_workspace, "g", "c", "s", settings=CampaignSettings(kept_revisions=2))
    served = open_campaign(small_workspace.path, "g", "c")
    second = redeploy(small_workspace, "g", "c")
    assert first.path.is_dir()
    redeploy(small_workspace, "g", "c")
    assert not first.path.exists()
    assert second.path.is_dir()
    assert served.users.state("ann").events.times.tolist() == [100, 120, 150]  # its files are gone, it serves on
    with pytest.raises(ServingError, match=r"revision 1 were removed: 2 revisions are kept \(2, 3;"):
        roll_back(small_workspace, "g", "c", 1)


def test_a_version_of_another_recipe_is_refused_unless_asked_for(small_workspace: Workspace, train_small: Callable):
    train_small()
    train_small("t", "sims")
    train_small("s", "sims")
    create_campaign(small_workspace, "g", "c", "s", 1, CampaignSettings(follow_latest=True))
    with pytest.raises(ServingError, match="'popularity-count'; t version 1 is of recipe 'sims'.*other_recipe=True"):
        update_campaign(small_workspace, "g", "c", solution="t")
    served = open_campaign(small_workspace.path, "g", "c")
    with pytest.raises(ServingError, match="s version 2 is of recipe 'sims'"):
        served.refresh()
    assert not served.refresh()  # it was said; `behind` goes on saying it
    assert served.behind() == ("Solution s has version 2; version 1 is deployed.",)
    assert update_campaign(small_workspace, "g", "c", solution="t", other_recipe=True).recipe == "sims"


def test_the_update_that_comes_second_is_told_both_revisions(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    redeploy(small_workspace, "g", "c", expected_revision=1)
    with pytest.raises(ServingError, match="is at revision 2, and this update was meant for revision 1"):
        update_campaign(small_workspace, "g", "c", settings=CampaignSettings(), expected_revision=1)


RACE = """
import sys, time
from pathlib import Path
from workbench.data.workspace import Workspace
from workbench.errors import ServingError
from workbench.serving.campaigns import redeploy
workspace, me = Workspace(sys.argv[1]), Path(sys.argv[2])
me.touch()
while len(list(me.parent.glob("*.ready"))) < 2:
    time.sleep(0.01)
try:
    print("won", redeploy(workspace, "g", "c", expected_revision=1).revision)
except ServingError as error:
    print("lost", error)
"""


def test_of_two_processes_one_wins_and_the_other_is_told(
    small_workspace: Workspace, train_small: Callable, tmp_path: Path
):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    commands = [[sys.executable, "-c", RACE, str(small_workspace.path), str(tmp_path / f"{n}.ready")] for n in "ab"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    lost, won = sorted(each.communicate(timeout=60)[0].strip() for each in both)
    assert won in ("won 2", "won 3")
    assert f"is at revision {won[4:]}, and this update was meant for revision 1" in lost
    assert open_campaign(small_workspace.path, "g", "c").revision == int(won[4:])


def test_a_failed_update_leaves_the_old_revision_serving(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    model = small_workspace.solution_version("g", "s", train_small()).path / "model.safetensors"
    model.write_bytes(model.read_bytes()[:-1])
    with pytest.raises(Exception, match="truncated or edited"):
        update_campaign(small_workspace, "g", "c", version=2)
    listed = campaigns(small_workspace, "g").iloc[0]
    assert listed[["VERSION", "REVISION", "STATUS", "LATEST_UPDATE"]].tolist() == [1, 1, "ACTIVE", "CREATE FAILED"]
    assert "ModelFileError" in listed["FAILURE_REASON"]
    assert open_campaign(small_workspace.path, "g", "c").version == 1


def test_a_deleted_campaign_is_gone_and_its_numbers_do_not_come_back(small_workspace: Workspace, train_small: Callable):
    train_small()
    made = create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    delete_campaign(small_workspace, "g", "c")
    assert campaigns(small_workspace, "g").empty
    assert not made.path.exists()
    with pytest.raises(ServingError, match="Campaign 'c' of dataset group 'g' was deleted"):
        served.refresh()
    assert served.users.state("ann").known
    assert create_campaign(small_workspace, "g", "c", "s").revision == 2


def test_an_update_that_died_is_marked_by_the_next_opening(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    book = Catalogue(small_workspace.path / CATALOG)
    [row] = book.rows(kind=CAMPAIGN)
    with book.writing() as connection:
        dead = {"version": 2, "status": "CREATE IN_PROGRESS", "token": "dead", "path": "g/campaigns/c/2"}
        catalogue.add(connection, kind=CAMPAIGN, group="g", name="c", config=row["config"], **dead)
    reopened = Workspace(small_workspace.path)
    assert any("campaign g/campaigns/c/2 as CREATE FAILED" in line for line in reopened.cleaned)
    assert redeploy(reopened, "g", "c").revision == 3


def test_an_update_that_is_killed_leaves_the_campaign_as_it_was_or_updated(
    small_workspace: Workspace, train_small: Callable, tmp_path: Path
):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    for name in "ab":
        (tmp_path / f"{name}.ready").touch()
    command = [sys.executable, "-c", RACE, str(small_workspace.path), str(tmp_path / "a.ready")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    book = CatalogueReader(small_workspace.path / CATALOG)
    while len(book.rows(kind=CAMPAIGN)) < 2 and process.poll() is None:
        time.sleep(0.001)
    process.kill()
    process.wait()
    served = open_campaign(small_workspace.path, "g", "c")
    assert served.users.state("ann").known
    reopened = Workspace(small_workspace.path)
    assert not list((small_workspace.path / ".staging").glob("*.lock"))
    statuses = campaign_revisions(reopened, "g", "c")["STATUS"].tolist()
    assert statuses in (["ACTIVE", "CREATE FAILED"], ["ACTIVE", "ACTIVE"])
    assert redeploy(reopened, "g", "c").revision == 3
    assert served.refresh()


def test_following_the_latest_version_deploys_it_at_refresh(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s", settings=CampaignSettings(follow_latest=True))
    served = open_campaign(small_workspace.path, "g", "c")
    assert not served.refresh()
    train_small()
    assert served.behind() == ("Solution s has version 2; version 1 is deployed.",)
    assert served.refresh()
    assert (served.version, served.revision, served.behind()) == (2, 2, ())


def test_newer_data_are_deployed_only_when_told(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    served = open_campaign(small_workspace.path, "g", "c")
    small_workspace.write_dataset(
        "g", ITEMS, small_workspace.dataset("g", ITEMS).frame().iloc[:3], origin={}, check=False
    )
    assert not served.refresh()
    assert served.behind() == ("The items have version 2; version 1 is deployed.",)
    redeploy(small_workspace, "g", "c")
    assert served.refresh()
    assert served.items.ids.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"exploration_weight": 1.1}, "exploration_weight must be a number from 0 to 1, not 1.1"),
        ({"exploration_weight": True}, "not True"),
        ({"exploration_item_age_cut_off": float("nan")}, "from 0 to 36500, not nan"),
        ({"max_results": 0}, "max_results must be a whole number of 1 or more, not 0"),
        ({"exclude_seen": "yes"}, "exclude_seen must be True or False"),
        ({"metadata_columns": "TITLE"}, "must be a list of column names"),
        ({"ranking_influence": {"POPULARTY": 1}}, "no 'POPULARTY'. Did you mean 'POPULARITY'"),
        ({"ranking_influence": {"POPULARITY": 2}}, "ranking_influence POPULARITY must be a number from 0 to 1"),
        ({"exploration_wait": 1}, "no setting 'exploration_wait'. Did you mean 'exploration_weight'"),
    ],
)
def test_wrong_settings_are_refused(values: dict, message: str):
    with pytest.raises(ServingError, match=message):
        CampaignSettings.from_json(values)


def test_settings_come_back_from_the_catalogue():
    settings = CampaignSettings(0.5, 7, True, True, ["TITLE"], {"FRESHNESS": 0.2}, 900, 3)
    assert CampaignSettings.from_json(settings.to_json()) == settings
