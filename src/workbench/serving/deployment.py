"""A deployed campaign in this process: opened without a pass over any log, refreshed while requests go on."""

import threading
from pathlib import Path
from typing import Any

from workbench.columns import ITEMS, USERS
from workbench.data.catalogue_reader import CAMPAIGN, CATALOG, IN_PROGRESS, PENDING, CatalogueReader
from workbench.errors import ServingError, WorkbenchError
from workbench.serving.campaign_records import current, newest_datasets, newest_version
from workbench.serving.deployment_parts import Parts, merged_position
from workbench.serving.snapshot import Snapshot

TRIES = 3  # a revision may be replaced, and its folder removed, between reading its row and opening its files


def _part(name: str) -> Any:
    """A property that reads one part of the current snapshot."""
    return property(lambda self: getattr(self.snapshot, name), doc=f"`Snapshot.{name}` of the current snapshot.")


class Deployment:
    """A campaign that serves.

    Its parts, such as `recipe` and `items`, are those of `snapshot`. A request that reads several of them takes
    `snapshot` once, so that a refresh in another thread cannot come between.

    Attributes:
        snapshot: what requests are answered with now; unchanging, replaced as a whole by `refresh`.
        live: the group's live events, None when opened without.
    """

    recipe, items, n_scored, users = _part("recipe"), _part("items"), _part("n_scored"), _part("users")
    creation_times, popularity = _part("creation_times"), _part("popularity")
    objective, settings, exclude_seen = _part("objective"), _part("settings"), _part("exclude_seen")
    campaign, group, solution = _part("campaign"), _part("group"), _part("solution")
    version, revision = _part("version"), _part("revision")
    context_columns, newest_time = _part("context_columns"), _part("newest_time")

    def __init__(self, path: Path, book: CatalogueReader, parts: Parts, live: Any):
        """Use `open_campaign`."""
        self.path, self.live = path, live
        self._book, self._lock = book, threading.Lock()
        self._refused = 0  # a version that could not be deployed; it is not tried again
        self._parts = self._with_live(parts)
        self.snapshot: Snapshot = self._parts.snapshot(live)

    def refresh(self) -> bool:
        """Pick up a newer revision, and items and users that were put live since.

        Call it between requests or on a timer; requests in other threads are answered by the old snapshot until the
        new one is whole. Live events need no refresh. With the setting follow_latest, a newer ACTIVE version of the
        solution is deployed here first, unless another process is just doing so.

        Returns:
            Whether anything changed.

        Raises:
            ServingError: the campaign was deleted, or its files are damaged; the old snapshot goes on serving.
            WorkbenchError: the newer version cannot be deployed. Raised once for a version, after everything else was
                picked up; `behind` goes on saying it.
        """
        with self._lock:
            problem = self._follow()
            parts = self._parts
            now = current(self._book, parts.revision.group, parts.revision.name)
            if now.revision != parts.revision.revision:
                parts = _open_parts(self._book, now.group, now.name)
            parts = self._with_live(parts)
            changed = parts is not self._parts
            if changed:
                self.snapshot = parts.snapshot(self.live)
                self._parts = parts
            if problem is not None:
                raise problem
            return changed

    def behind(self) -> tuple[str, ...]:
        """What is newer than what is deployed, a sentence each; empty when nothing is. `redeploy` brings it in."""
        revision, found = self._parts.revision, []
        newest = newest_version(self._book, revision.group, revision.solution)
        if newest > revision.version:
            found.append(f"Solution {revision.solution} has version {newest}; version {revision.version} is deployed.")
        listed = newest_datasets(self._book, revision.group)
        for kind, version in self._parts.files.about["datasets"].items():
            if listed.get(kind, version) > version:
                found.append(f"The {kind} have version {listed[kind]}; version {version} is deployed.")
        return tuple(found)

    @property
    def notes(self) -> dict[str, Any]:
        """What the model did with items that came after its training, at deployment and live; columns left out."""
        about = self._parts.files.about
        left_out = {"left_out_columns": about["left_out"]} if about["left_out"] else {}
        return {"at_deployment": about["new_items"], "live": dict(self._parts.notes)} | left_out

    def close(self) -> None:
        """Let go of the live events' files."""
        if self.live is not None:
            self.live.close()

    def _with_live(self, parts: Parts) -> Parts:
        """Take in what was put live since; the very same parts when there is nothing."""
        if self.live is None:
            return parts
        position = self.live.position()
        if position <= parts.position:
            return parts
        items = self.live.new_items(max(parts.position, merged_position(parts.files, self.live, ITEMS)))
        users = self.live.new_users(max(parts.position, merged_position(parts.files, self.live, USERS)))
        if not items and not users:
            return parts
        return parts.with_live(items, users, position)

    def _follow(self) -> WorkbenchError | None:
        """Deploy a newer version where the campaign follows it; gives back why that cannot be."""
        revision = current(self._book, self._parts.revision.group, self._parts.revision.name)
        if not revision.settings.follow_latest:
            return None
        newest = newest_version(self._book, revision.group, revision.solution)
        if newest <= max(revision.version, self._refused):
            return None
        rows = self._book.rows(kind=CAMPAIGN, group=revision.group, name=revision.name)
        if any(row["status"] in (PENDING, IN_PROGRESS) for row in rows):
            return None
        from workbench.data.workspace import Workspace
        from workbench.serving.campaign_deploying import Outrun
        from workbench.serving.campaigns import redeploy

        workspace = Workspace(self.path)
        try:
            redeploy(workspace, revision.group, revision.name, expected_revision=revision.revision)
        except Outrun:
            return None  # another process deployed it first; its revision is picked up next
        except WorkbenchError as error:
            self._refused = newest
            return error
        finally:
            workspace.close()
        return None


def open_campaign(workspace: str | Path, group: str, name: str, *, live: bool = True) -> Deployment:
    """Open a campaign for requests.

    Args:
        workspace: the workspace's folder.
        group: dataset group.
        name: of the campaign.
        live: False leaves live events, items and users out, so that lists depend on the stored data alone.

    Raises:
        WorkspaceError: there is no workspace in the folder, or another version of the workbench made it.
        ServingError: there is no such group or campaign (names the nearest), or its files are damaged.
        ModelFileError: the model's files are damaged.
    """
    root = Path(workspace).expanduser().resolve()
    book = CatalogueReader(root / CATALOG)
    parts = _open_parts(book, group, name)
    events = None
    if live:
        from workbench.data.events import LiveEvents

        events = LiveEvents(root, group)
    return Deployment(root, book, parts, events)


def _open_parts(book: CatalogueReader, group: str, name: str) -> Parts:
    for attempt in range(TRIES):
        revision = current(book, group, name)
        try:
            return Parts.open(revision)
        except ServingError:
            if attempt == TRIES - 1 or current(book, group, name).revision == revision.revision:
                raise
    raise AssertionError("unreachable")
