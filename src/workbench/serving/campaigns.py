"""Campaigns: named deployments of a solution version that are updated in place, rolled back and deleted.

Every update makes a new revision, written beside the others and listed last; open deployments go on with theirs until
they are refreshed. Of two updates that started from one revision the first to finish wins and the other is told so.
"""

from contextlib import closing
from typing import TYPE_CHECKING

from workbench.columns import INTERACTIONS, ITEMS, USERS
from workbench.data import catalogue
from workbench.data.catalogue import ACTIVE, CAMPAIGN, CATALOG, DELETED, Catalogue
from workbench.data.names import require_name
from workbench.data.solutions import SolutionVersion
from workbench.errors import ServingError, nearest
from workbench.serving.campaign_deploying import Outrun, deploy, publish_shared, remove_old
from workbench.serving.campaign_listing import campaign_revisions, campaigns
from workbench.serving.campaign_records import (
    CAMPAIGNS,
    CampaignRevision,
    current,
    revisions,
)
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.deployment_layout import Sources

if TYPE_CHECKING:
    from workbench.data.workspace import Workspace

__all__ = [
    "CampaignRevision",
    "CampaignSettings",
    "campaign_revisions",
    "campaigns",
    "create_campaign",
    "delete_campaign",
    "redeploy",
    "roll_back",
    "update_campaign",
]


def create_campaign(
    workspace: "Workspace",
    group: str,
    name: str,
    solution: str,
    version: int | None = None,
    settings: CampaignSettings | None = None,
) -> CampaignRevision:
    """Deploy a solution version under a name.

    Histories, items and users are those of the newest dataset versions, not of the ones the model was trained on;
    items that came after the training are given to the model where it takes any in.

    Args:
        workspace, group: where the solution is.
        name: 1 to 63 letters, digits, `-` and `_`, starting with a letter or digit.
        solution: its versions are what the campaign can be updated to.
        version: None takes the newest ACTIVE one.
        settings: None for the defaults.

    Returns:
        The first revision, ACTIVE.

    Raises:
        ServingError: the campaign exists, or the version is not ACTIVE.
        WorkspaceError: there is no such group, solution or version; the message names the nearest.
    """
    require_name("campaign", name)
    chosen = _version(workspace, group, solution, version)
    settings = _checked(settings)
    with closing(Catalogue(workspace.path / CATALOG)) as book:
        for row in book.rows(kind=CAMPAIGN, group=group, status=ACTIVE):
            if row["name"].casefold() == name.casefold():
                raise ServingError(
                    f"Campaign {row['name']!r} exists at revision {row['version']}; change it with update_campaign(), "
                    "or give the new one another name."
                )
        return deploy(book, _sources(workspace, group, chosen), name, settings, base=0, why="created")


def update_campaign(
    workspace: "Workspace",
    group: str,
    name: str,
    *,
    solution: str | None = None,
    version: int | None = None,
    settings: CampaignSettings | None = None,
    expected_revision: int | None = None,
    other_recipe: bool = False,
) -> CampaignRevision:
    """Deploy another version, or change the settings, while requests go on.

    With settings alone the deployed arrays are shared and nothing is laid out anew. A version is deployed with the
    newest datasets.

    Args:
        workspace, group, name: the campaign.
        solution: None stays with its own.
        version: None stays with the deployed one; with another `solution`, or with settings that follow the latest
            version, the newest ACTIVE one.
        settings: None keeps them.
        expected_revision: the revision this update is meant for; None for the current one when the call starts.
        other_recipe: True lets the campaign change to a version of another recipe.

    Returns:
        The new revision.

    Raises:
        ServingError: no such campaign; another update was faster (the message names both revisions); the version is
            of another recipe or not ACTIVE; or there is nothing to change.
    """
    if solution is None and version is None and settings is None:
        raise ServingError("There is nothing to update: give a version, a solution or settings; or call redeploy().")
    with closing(Catalogue(workspace.path / CATALOG)) as book:
        old = _expected(current(book, group, name), expected_revision)
        settings = _checked(settings or old.settings)
        chosen = _chosen(workspace, old, solution, version, settings)
        if (chosen.solution, chosen.version) == (old.solution, old.version) and version is None:
            return publish_shared(book, old, old, settings, "updated")
        _same_recipe(workspace, old, chosen, other_recipe)
        return deploy(book, _sources(workspace, group, chosen), name, settings, base=old.revision, why="updated")


def redeploy(
    workspace: "Workspace", group: str, name: str, *, expected_revision: int | None = None
) -> CampaignRevision:
    """Deploy once more with the newest datasets, and the newest ACTIVE version where the campaign follows it.

    `Deployment.refresh` calls this by itself when a campaign with follow_latest falls behind its solution. A newer
    dataset alone is deployed only by this call.

    Raises:
        ServingError: as `update_campaign`.
    """
    with closing(Catalogue(workspace.path / CATALOG)) as book:
        old = _expected(current(book, group, name), expected_revision)
        chosen = _chosen(workspace, old, None, None, old.settings)
        _same_recipe(workspace, old, chosen, False)
        sources = _sources(workspace, group, chosen)
        return deploy(book, sources, name, old.settings, base=old.revision, why="redeployed")


def roll_back(
    workspace: "Workspace", group: str, name: str, revision: int | None = None, *, expected_revision: int | None = None
) -> CampaignRevision:
    """Serve an earlier revision again: its version, data and settings, as a new revision.

    The new revision does not follow the latest version, else the next refresh would undo the roll back.

    Args:
        workspace, group, name: the campaign.
        revision: None for the one before the current one, or before the one that the current one was rolled back to.
        expected_revision: as for `update_campaign`.

    Raises:
        ServingError: there is no such revision, it never served, or its files are no longer kept.
    """
    with closing(Catalogue(workspace.path / CATALOG)) as book:
        now = _expected(current(book, group, name), expected_revision)
        served = {each.revision: each for each in revisions(book, group, name) if each.status == ACTIVE}
        source = now.facts.get("rolled_back_to", now.revision)
        earlier = [number for number in served if number < source]
        if revision is None and not earlier:
            raise ServingError(f"{now} has no earlier revision to roll back to.")
        number = max(earlier) if revision is None else revision
        if number not in served:
            known = nearest(str(number), map(str, served))
            raise ServingError(f"{group}/{CAMPAIGNS}/{name} has no revision {number} that ever served.{known}")
        target = served[number]
        if not target.kept:
            kept = [str(each) for each, found in served.items() if found.kept]
            raise ServingError(
                f"The files of {target} were removed: {now.settings.kept_revisions} revisions are kept "
                f"({', '.join(kept)}; setting kept_revisions). Deploy its version {target.version} with "
                "update_campaign()."
            )
        settings = target.settings.changed(follow_latest=False)
        why = f"rolled back to revision {number}"
        return publish_shared(book, now, target, settings, why, {"rolled_back_to": number})


def delete_campaign(workspace: "Workspace", group: str, name: str) -> None:
    """Delete a campaign with all its revisions and files; the solution stays.

    Open deployments go on with what they have in memory; their next refresh says that the campaign was deleted.
    """
    with closing(Catalogue(workspace.path / CATALOG)) as book:
        current(book, group, name)
        with book.writing() as connection:
            for row in catalogue.find(connection, kind=CAMPAIGN, group=group, name=name):
                catalogue.change(connection, row["id"], status=DELETED)
        remove_old(book, group, name)


def _checked(settings: CampaignSettings | None) -> CampaignSettings:
    if settings is None:
        return CampaignSettings()
    if not isinstance(settings, CampaignSettings):
        raise ServingError(f"settings must be CampaignSettings(...), not {type(settings).__name__} {settings!r}.")
    return settings


def _version(workspace: "Workspace", group: str, solution: str, version: int | None) -> SolutionVersion:
    chosen = workspace.solution_version(group, solution, version)
    if chosen.status != ACTIVE:
        reason = f" ({chosen.failure_reason})" if chosen.failure_reason else ""
        raise ServingError(f"{chosen} is {chosen.status}{reason}; only an ACTIVE version can be deployed.")
    return chosen


def _chosen(
    workspace: "Workspace", old: CampaignRevision, solution: str | None, version: int | None, how: CampaignSettings
) -> SolutionVersion:
    """Which version an update deploys."""
    stays = solution in (None, old.solution) and version is None and not how.follow_latest
    return _version(workspace, old.group, solution or old.solution, old.version if stays else version)


def _expected(now: CampaignRevision, expected: int | None) -> CampaignRevision:
    if expected is not None and expected != now.revision:
        raise Outrun(f"{now.group}/{CAMPAIGNS}/{now.name}", now.revision, expected)
    return now


def _same_recipe(workspace: "Workspace", old: CampaignRevision, chosen: SolutionVersion, other: bool) -> None:
    recipe = chosen.config["recipe"]
    if recipe == old.recipe or other:
        return
    raise ServingError(
        f"{old} serves {old.solution} version {old.version} of recipe {old.recipe!r}; {chosen.solution} version "
        f"{chosen.version} is of recipe {recipe!r}, whose lists and requests may mean something else. Create another "
        "campaign for it with create_campaign(), or pass other_recipe=True to change this one."
    )


def _sources(workspace: "Workspace", group: str, chosen: SolutionVersion) -> Sources:
    found = workspace.training_data(group)
    datasets = {kind: found[kind] for kind in (INTERACTIONS, ITEMS, USERS)}
    return Sources(chosen, datasets, workspace.group(group)["domain"])
