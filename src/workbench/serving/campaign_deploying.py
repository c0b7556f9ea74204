"""Write a revision beside the others and make it the one that serves, unless another update was faster."""

import shutil
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from workbench.data import catalogue
from workbench.data.atomic import FULL, Stage, disk_errors, move, stage, sync_tree
from workbench.data.catalogue import ACTIVE, CAMPAIGN, DELETED, FAILED, IN_PROGRESS, PENDING, STOPPED, Catalogue
from workbench.errors import ServingError
from workbench.serving.campaign_records import CAMPAIGNS, CampaignRevision, revision_of
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.deployment_layout import RECIPE_FOLDER, Sources, write_layout


class Outrun(ServingError):
    """Another update of the campaign was faster."""

    def __init__(self, name: str, now: int, expected: int):
        super().__init__(
            f"{name} is at revision {now}, and this update was meant for revision {expected}: another update was "
            "faster. Look at it with campaign_revisions(), then update again with "
            f"expected_revision={now}."
        )


def deploy(
    book: Catalogue, sources: Sources, name: str, settings: CampaignSettings, *, base: int, why: str
) -> CampaignRevision:
    """Lay a version out as the next revision of a campaign.

    Args:
        book: the workspace's catalogue.
        sources: the version and the datasets.
        name, settings: of the campaign.
        base: the revision that this one is to follow; 0 for a new campaign.
        why: what makes it, for the history.

    Raises:
        Outrun: the campaign is no longer at `base`; the revision is listed as CREATE FAILED with the reason.
    """
    root, group = book.path.parent, sources.solution.group
    label = f"{group}/{CAMPAIGNS}/{name}"
    with disk_errors(label, root, codes=FULL), stage(root) as staged:
        row, place = _start(book, sources, name, settings, staged, base, why)
        folder = staged.folder / "revision"
        try:
            book.change(row, status=IN_PROGRESS)
            about = write_layout(folder, sources)
            sync_tree(folder)
            _finish(book, row, folder, about, staged, (group, name, base))
        except BaseException as error:
            status = STOPPED if isinstance(error, KeyboardInterrupt) else FAILED
            shutil.rmtree(folder, ignore_errors=True)  # a full disk needs the room to say why it failed
            with suppress(SQLAlchemyError):  # on a full disk the next opening of the workspace writes this row
                _fail(book, row, status, f"{type(error).__name__}: {error}")
            raise
    remove_old(book, group, name, settings.kept_revisions)
    return _revision(book, group, name, place)


def publish_shared(
    book: Catalogue,
    now: CampaignRevision,
    target: CampaignRevision,
    settings: CampaignSettings,
    why: str,
    facts: Mapping[str, Any] | None = None,
) -> CampaignRevision:
    """Make a revision that serves the files of `target` with these settings.

    Args:
        book: the workspace's catalogue.
        now: the revision that the new one is to follow.
        target: whose files are served; it may be `now`.
        settings, why, facts: of the new revision.

    Raises:
        Outrun: the campaign is no longer at `now`, or the files were removed meanwhile.
    """
    root = book.path.parent
    with book.writing() as connection:
        _still(connection, now.group, now.name, now.revision)
        rows = catalogue.find(connection, kind=CAMPAIGN, group=now.group, name=now.name, version=target.revision)
        if not revision_of(root, rows[0]).kept:
            raise ServingError(f"The files of {target} were removed meanwhile; deploy its version again.")
        number = _next(connection, root, now.group, now.name)
        catalogue.add(
            connection,
            kind=CAMPAIGN,
            group=now.group,
            name=now.name,
            version=number,
            status=ACTIVE,
            config=rows[0]["config"] | {"settings": settings.to_json(), "why": why},
            facts=dict(facts or {}),
            path=rows[0]["path"],
        )
    remove_old(book, now.group, now.name, settings.kept_revisions)
    return _revision(book, now.group, now.name, number)


def remove_old(book: Catalogue, group: str, name: str, kept: int = 0) -> None:
    """Remove the files of revisions that are no longer kept, and of deleted ones; rows stay.

    Args:
        book: the workspace's catalogue.
        group, name: the campaign.
        kept: how many of the newest revisions that served keep their files.
    """
    root = book.path.parent
    with book.writing() as connection:
        rows = catalogue.find(connection, kind=CAMPAIGN, group=group, name=name)
        active = [row for row in rows if row["status"] == ACTIVE]
        ours = {row["path"] for row in active[-kept:]} if kept else set()
        for row in active[: len(active) - kept]:
            if not row["facts"].get("removed"):
                catalogue.change(connection, row["id"], facts=row["facts"] | {"removed": True})
        used = ours | {row["path"] for row in rows if row["status"] in (PENDING, IN_PROGRESS)}
    for path in {row["path"] for row in rows if row["status"] in (ACTIVE, DELETED)} - used:
        shutil.rmtree(root / path, ignore_errors=True)


def _start(
    book: Catalogue, sources: Sources, name: str, settings: CampaignSettings, staged: Stage, base: int, why: str
) -> tuple[int, int]:
    """List the revision as pending; its row's id, and its number."""
    chosen, root = sources.solution, book.path.parent
    config = {
        "solution": chosen.solution,
        "version": chosen.version,
        "recipe": chosen.config["recipe"],
        "settings": settings.to_json(),
        "model": chosen.path.relative_to(root).as_posix(),
        "base": base,
        "why": why,
    }
    with book.writing() as connection:
        number = _next(connection, root, chosen.group, name)
        row = catalogue.add(
            connection,
            kind=CAMPAIGN,
            group=chosen.group,
            name=name,
            version=number,
            status=PENDING,
            config=config,
            path=f"{chosen.group}/{CAMPAIGNS}/{name}/{number}",
            token=staged.token,
        )
    return row, number


def _finish(
    book: Catalogue, row: int, folder: Path, about: Mapping[str, Any], staged: Stage, what: tuple[str, str, int]
) -> None:
    """Rename the files into place and make the revision the one that serves, in one transaction."""
    root = book.path.parent
    with book.writing() as connection:
        [mine] = catalogue.find(connection, id=row)
        if mine["status"] == DELETED:
            raise ServingError(f"Campaign {what[1]!r} was deleted while it was updated; create it again.")
        _still(connection, *what)
        config, target = mine["config"], root / mine["path"]
        if about["own_recipe"]:
            config = config | {"model": f"{mine['path']}/{RECIPE_FOLDER}"}
        staged.intend(target)
        move(folder, target)
        facts = {name: about[name] for name in ("n_items", "n_scored", "datasets", "new_items")}
        catalogue.change(connection, row, status=ACTIVE, config=config, facts=facts, token=None)


def _fail(book: Catalogue, row: int, status: str, reason: str) -> None:
    """List the revision as failed, unless it was deleted meanwhile."""
    with book.writing() as connection:
        [mine] = catalogue.find(connection, id=row)
        kept = mine["status"] == DELETED
        catalogue.change(connection, row, status=DELETED if kept else status, failure_reason=reason, token=None)


def _still(connection: Connection, group: str, name: str, base: int) -> None:
    """Raise Outrun unless the campaign is at this revision; other writers wait while the transaction is open."""
    active = catalogue.find(connection, kind=CAMPAIGN, group=group, name=name, status=ACTIVE)
    now = active[-1]["version"] if active else 0
    if now != base:
        raise Outrun(f"{group}/{CAMPAIGNS}/{name}", now, base)


def _next(connection: Connection, root: Path, group: str, name: str) -> int:
    return catalogue.next_version(connection, CAMPAIGN, group, name, root / group / CAMPAIGNS / name)


def _revision(book: Catalogue, group: str, name: str, number: int) -> CampaignRevision:
    [row] = book.rows(kind=CAMPAIGN, group=group, name=name, version=number)
    return revision_of(book.path.parent, row)
