"""Campaigns as the catalogue lists them: a revision a row, and the newest ACTIVE one serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from workbench.data.catalogue_reader import (
    ACTIVE,
    CAMPAIGN,
    DATASET,
    DELETED,
    GROUP,
    SOLUTION,
)
from workbench.errors import ServingError, nearest
from workbench.serving.campaign_settings import CampaignSettings

CAMPAIGNS = "campaigns"  # folder in a dataset group's


@dataclass(frozen=True)
class CampaignRevision:
    """One state of a campaign; an update makes the next one, and a revision never changes.

    revision: from 1; numbers are never given out twice, not even after the campaign was deleted.
    solution, version, recipe: what is deployed.
    status: CREATE PENDING, CREATE IN_PROGRESS, ACTIVE, CREATE FAILED or DELETED.
    settings: what its lists are made with.
    path: the folder of its arrays; revisions that differ in their settings only share one.
    model: the folder of the model that it serves.
    kept: whether the folder is still there, so that the campaign can be rolled back to it.
    why: what made it: "created", "updated", "rolled back to revision 2", "redeployed".
    """

    group: str
    name: str
    revision: int
    solution: str
    version: int
    recipe: str
    status: str
    settings: CampaignSettings
    path: Path
    model: Path
    kept: bool
    why: str
    failure_reason: str | None
    created: str
    facts: Mapping[str, Any]

    def __str__(self) -> str:
        return f"{self.group}/{CAMPAIGNS}/{self.name} revision {self.revision}"


class Rows(Protocol):
    """A catalogue that is read: `CatalogueReader`, or `Catalogue` where it is written too."""

    path: Path

    def rows(self, **wanted: Any) -> list[dict[str, Any]]:
        """Rows whose columns equal what is wanted, oldest version first."""


def revision_of(root: Path, row: Mapping[str, Any]) -> CampaignRevision:
    """A row of the catalogue as a revision."""
    config, facts = row["config"], row["facts"]
    return CampaignRevision(
        group=row["group"],
        name=row["name"],
        revision=row["version"],
        solution=config["solution"],
        version=config["version"],
        recipe=config["recipe"],
        status=row["status"],
        settings=CampaignSettings.from_json(config["settings"]),
        path=root / row["path"],
        model=root / config["model"],
        kept=row["status"] == ACTIVE and not facts.get("removed"),
        why=config["why"],
        failure_reason=row["failure_reason"],
        created=row["created"],
        facts=facts,
    )


def revisions(book: Rows, group: str, name: str) -> list[CampaignRevision]:
    """Every revision of a campaign, oldest first, those of a deleted campaign of the same name left out."""
    rows = book.rows(kind=CAMPAIGN, group=group, name=name)
    return [revision_of(book.path.parent, row) for row in rows if row["status"] != DELETED]


def current(book: Rows, group: str, name: str) -> CampaignRevision:
    """The revision that serves: the newest ACTIVE one.

    Raises:
        ServingError: there is no such group or campaign (names the nearest), or none of its revisions is ACTIVE.
    """
    rows = book.rows(kind=CAMPAIGN, group=group, name=name, status=ACTIVE)
    if rows:
        return revision_of(book.path.parent, rows[-1])
    require_group(book, group)
    others = revisions(book, group, name)
    if others:
        last = others[-1]
        reason = f": {last.failure_reason}" if last.failure_reason else ""
        raise ServingError(f"{last} is {last.status}{reason}, and there is no earlier one that serves.")
    named = {row["name"] for row in book.rows(kind=CAMPAIGN, group=group, status=ACTIVE)}
    deleted = bool(book.rows(kind=CAMPAIGN, group=group, name=name))
    gone = f"Campaign {name!r} of dataset group {group!r} was deleted."
    raise ServingError(
        (gone if deleted else f"Dataset group {group!r} has no campaign {name!r}.")
        + nearest(name, named)
        + " Make it with create_campaign()."
    )


def require_group(book: Rows, group: str) -> None:
    """Raise a ServingError unless there is a dataset group of this name."""
    names = [row["name"] for row in book.rows(kind=GROUP)]
    if group not in names:
        raise ServingError(f"There is no dataset group {group!r}.{nearest(group, names)}")


def newest_version(book: Rows, group: str, solution: str) -> int:
    """The newest ACTIVE version of a solution, 0 when there is none."""
    rows = book.rows(kind=SOLUTION, group=group, name=solution, status=ACTIVE)
    return rows[-1]["version"] if rows else 0


def newest_datasets(book: Rows, group: str) -> dict[str, int]:
    """Dataset kind to its newest version."""
    return {row["name"]: row["version"] for row in book.rows(kind=DATASET, group=group, status=ACTIVE)}
