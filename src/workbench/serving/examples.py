"""A campaign to work with: opened where it is there; else trained and deployed first, from a sample if need be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from workbench.columns import EVENT_TYPE
from workbench.data.catalogue_reader import ACTIVE, CATALOG, CatalogueReader
from workbench.data.samples import ensure_group
from workbench.data.workspace import Workspace
from workbench.errors import ServingError
from workbench.recipes.catalog import entry
from workbench.recipes.training import TrainingConfig, train
from workbench.records import plain
from workbench.serving.campaign_records import CAMPAIGNS, CampaignRevision, current, revisions
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign, update_campaign
from workbench.serving.deployment import Deployment, open_campaign
from workbench.serving.recommender import Recommender
from workbench.serving.snapshot import Snapshot
from workbench.serving.tables import EventLog

# What decides what a model is; the split and the length of the judged lists only decide how it was judged.
DECISIVE = (
    "recipe",
    "hyperparameters",
    "versions",
    "event_types",
    "event_value_threshold",
    "exclude_seen",
    "objective",
    "seed",
)


def ensure_campaign(
    workspace: Workspace,
    group: str,
    campaign: str,
    recipe: str,
    *,
    hyperparameters: Mapping[str, Any] | None = None,
    solution: str | None = None,
    settings: CampaignSettings | None = None,
    seed: int = 0,
    train_anyway: bool = False,
    live: bool = True,
    log: bool = True,
    progress: bool = False,
) -> Recommender:
    """Open a campaign; where there is none, train its recipe, unless that is done already, and deploy it.

    A campaign that is there is used with the version that it serves; `Deployment.behind` says what is newer.
    An ACTIVE version of the solution is deployed instead of trained again if it was trained with the same recipe,
    hyperparameters and seed on the newest datasets.

    Args:
        workspace: where everything is.
        group: a dataset group that exists, or a sample's name, which is prepared then.
        campaign: its name.
        recipe: of the catalogue.
        hyperparameters: those that differ from the recipe's defaults.
        solution: what to train or to find trained; None for the recipe's name.
        settings: the campaign is made with them, or updated to them; None makes one with the defaults, and leaves one
            that is there as it is.
        seed: of the training.
        train_anyway: train on less than the least that Personalize asks for.
        live: False leaves live events, items and users out, so that lists depend on the stored data alone.
        log: False does not remember which list every recommendation id stood for.
        progress: show bars.

    Returns:
        A recommender of the campaign.

    Raises:
        WorkspaceError: neither a group nor a sample has this name.
        RecipeError: the recipe cannot be trained on this data.
        ServingError: the campaign is there and serves another recipe, or other hyperparameters than those given.
    """
    ensure_group(workspace, group, progress)
    row = entry(recipe)
    asked = row.complete(hyperparameters or {})
    found = _serving(workspace, group, campaign)
    if found is None:
        config = TrainingConfig(hyperparameters=hyperparameters or {}, seed=seed, train_anyway=train_anyway)
        name = solution or row.name.replace(":", "-")
        version = _trained(workspace, group, name, row.name, asked, config)
        if version is None:
            version = train(workspace, group, name, row.name, config, progress=progress).version.version
        found = _deployed(workspace, group, campaign, name, version, settings)
    _fits(workspace, found, row.name, None if hyperparameters is None else asked)
    if settings is not None and found.settings != settings:
        update_campaign(workspace, group, campaign, settings=settings)
    return Recommender(open_campaign(workspace.path, group, campaign, live=live), log=log)


def some_users(deployment: Deployment, count: int, seed: int = 0, least_events: int = 5) -> list[str]:
    """Draw users who have a history.

    Args:
        deployment: of a campaign.
        count: how many at most.
        seed: of the draw.
        least_events: stored events that a drawn user has at least.

    Raises:
        ServingError: nobody has that many events.
    """
    users = deployment.users
    counts = users.counts
    codes = np.flatnonzero(counts >= least_events)
    if not len(codes):
        raise ServingError(
            f"None of the {len(users):,} users has {least_events:,} events or more; the most is "
            f"{int(counts.max(initial=0)):,}. Ask for fewer."
        )
    drawn = np.random.default_rng(seed).permutation(codes)[:count]
    return [str(each) for each in users.table.ids[drawn]]


def most_chosen(snapshot: Snapshot, count: int) -> list[str]:
    """The items with the most events, most first, ties by code."""
    return [str(each) for each in snapshot.items.ids[np.argsort(-snapshot.popularity, kind="stable")[:count]]]


def least_chosen(snapshot: Snapshot, count: int) -> list[str]:
    """The items with the fewest events, those that nobody has chosen first; of equal ones the newest."""
    order = np.lexsort((-snapshot.creation_times, snapshot.popularity))
    return [str(each) for each in snapshot.items.ids[order[:count]]]


def visit(recommender: Recommender, session_id: str, item_ids: Sequence[str]) -> int:
    """Let an anonymous visitor choose items, one a minute after the newest stored event, as live events.

    Their type is the one that the user with most events has most of. The events stay in the group's live events; their
    ids follow from session and place, so the same visit adds nothing a second time.

    Args:
        recommender: its campaign was opened with live events.
        session_id: of the visitor.
        item_ids: in the order they were chosen.

    Returns:
        How many events were new.

    Raises:
        ServingError: the campaign was opened without live events.
        EventError: an id or the session breaks the rules of live events.
    """
    deployment = recommender.deployment
    if deployment.live is None:
        raise ServingError("The campaign was opened without live events; open it with live=True.")
    start, users = deployment.newest_time, deployment.users
    most = users.state(str(users.table.ids[users.counts.argmax()])).events if len(users) else EventLog.empty()
    types = Counter(each for each in most.columns.get(EVENT_TYPE, ()) if isinstance(each, str))
    usual = types.most_common(1)[0][0] if types else "view"
    events = [
        {"eventType": usual, "itemId": item, "sentAt": start + 60 * place, "eventId": f"{session_id}/{place}"}
        for place, item in enumerate(item_ids, start=1)
    ]
    size = deployment.live.limits.records
    parts = [events[first : first + size] for first in range(0, len(events), size)]
    return sum(deployment.live.put_events(session_id, part).stored for part in parts)


def _serving(workspace: Workspace, group: str, campaign: str) -> CampaignRevision | None:
    """The revision that serves, None where there is no such campaign."""
    book = CatalogueReader(workspace.path / CATALOG)
    if not any(each.status == ACTIVE for each in revisions(book, group, campaign)):
        return None
    return current(book, group, campaign)


def _trained(
    workspace: Workspace, group: str, solution: str, recipe: str, asked: dict[str, Any], config: TrainingConfig
) -> int | None:
    """The newest ACTIVE version of the solution that a training now would make once more."""
    versions = {kind: each.version for kind, each in workspace.training_data(group).items() if each}
    wanted = plain(vars(config) | {"recipe": recipe, "hyperparameters": asked, "versions": versions})
    listed = workspace.solution_versions(group, solution)
    for version in sorted(listed.loc[listed["STATUS"] == ACTIVE, "VERSION"].tolist(), reverse=True):
        found = workspace.solution_version(group, solution, version).config
        if all(found.get(name) == wanted[name] for name in DECISIVE):
            return version
    return None


def _deployed(
    workspace: Workspace, group: str, campaign: str, solution: str, version: int, settings: CampaignSettings | None
) -> CampaignRevision:
    """Make the campaign, or take the one that another process made meanwhile."""
    try:
        return create_campaign(workspace, group, campaign, solution, version, settings)
    except ServingError:
        found = _serving(workspace, group, campaign)
        if found is None:
            raise
        return found


def _fits(workspace: Workspace, found: CampaignRevision, recipe: str, asked: dict[str, Any] | None) -> None:
    """Refuse a campaign that serves something else than is asked for."""
    where = f"{found.group}/{CAMPAIGNS}/{found.name}"
    hint = "Name another campaign, which is then made, or change this one with update_campaign()."
    if found.recipe != recipe:
        raise ServingError(f"{where} is there and serves recipe {found.recipe!r}, not {recipe!r}. {hint}")
    if asked is None:
        return
    config = workspace.solution_version(found.group, found.solution, found.version).config
    for name, value in asked.items():
        served = config["hyperparameters"].get(name)
        if served != value:
            raise ServingError(f"{where} is there and serves {recipe} with {name} = {served!r}, not {value!r}. {hint}")
