"""The workspace: dataset groups, versioned datasets and solution versions, on disk and in the catalogue.

Whatever is written is written beside its place, synced and renamed, and its catalogue row comes last. A process that
dies at any moment leaves the state before or after, and the next opening says in `cleaned` what it removed.
"""

import errno
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.columns import KINDS
from workbench.data import catalogue
from workbench.data.atomic import BROKEN, disk_errors, stage
from workbench.data.catalogue import CATALOG, DATASET, GROUP, SOLUTION, Catalogue
from workbench.data.connection import connect
from workbench.data.differences import differences
from workbench.data.names import require_kind, require_name
from workbench.data.queries import AnyTable
from workbench.data.recovery import recover
from workbench.data.rules import DOMAINS
from workbench.data.schemas import require
from workbench.data.solutions import SOLUTIONS, SolutionDraft, SolutionVersion, solution_draft, solution_record
from workbench.data.storing import dump, publish, store
from workbench.data.versions import DatasetVersion, dataset_version
from workbench.errors import WorkspaceError, nearest

HOME = "WORKBENCH_HOME"  # environment variable with the default workspace


class Workspace:
    """Opens a workspace, or makes one in an empty or new folder.

    Attributes:
        path: the folder.
        cleaned: one line for each thing that a process which died had left and this opening cleaned up.
        catalog_url: SQLAlchemy URL of the catalogue, where tuning studies live too.
    """

    def __init__(self, path: str | Path | None = None):
        """Open the workspace in `path`, else in $WORKBENCH_HOME, else in ./workspace.

        Raises:
            WorkspaceError: the path is a file, cannot be written, or holds another version's catalogue.
        """
        self.path = Path(path or os.environ.get(HOME) or "workspace").expanduser().resolve()
        if self.path.exists() and not self.path.is_dir():
            raise WorkspaceError(f"{self.path} is a file; a workspace is a folder. Name a folder, or a new one.")
        with disk_errors(f"the workspace {self.path}", self.path, (*BROKEN, errno.ENOENT)):
            self.path.mkdir(parents=True, exist_ok=True)
        with disk_errors(f"the workspace {self.path}", self.path):
            self._catalogue = Catalogue(self.path / CATALOG)
            self.cleaned: list[str] = recover(self.path, self._catalogue)
        self.catalog_url: str = self._catalogue.url

    def create_group(self, name: str, domain: str | None = None) -> None:
        """Make a dataset group; nothing happens when it exists with the same domain.

        Args:
            name: letters, digits, `-` and `_`, starting with a letter or digit, 1 to 63 characters.
            domain: ECOMMERCE, VIDEO_ON_DEMAND, or None for a custom group.
        """
        require_name("dataset group", name)
        if domain is not None and domain not in DOMAINS:
            raise WorkspaceError(
                f"There is no domain {domain!r}.{nearest(domain, DOMAINS)} Or None for a custom group."
            )
        with disk_errors(f"dataset group {name}", self.path), self._catalogue.writing() as connection:
            rows = catalogue.find(connection, kind=GROUP)
            same = [row for row in rows if row["name"].casefold() == name.casefold()]
            if not same:
                values = {"kind": GROUP, "group": name, "name": name, "status": catalogue.ACTIVE, "path": name}
                catalogue.add(connection, config={"domain": domain}, **values)
            elif same[0]["name"] != name:
                raise WorkspaceError(f"Dataset group {same[0]['name']!r} differs from {name!r} in case only. Use it.")
            elif same[0]["config"]["domain"] != domain:
                raise WorkspaceError(
                    f"Dataset group {name!r} exists with domain {same[0]['config']['domain']}, not {domain}. "
                    "A group's domain cannot change; give the new group another name."
                )

    def groups(self) -> pd.DataFrame:
        """The dataset groups: GROUP, DOMAIN, CREATED."""
        rows = self._catalogue.rows(kind=GROUP)
        records = [[row["name"], row["config"]["domain"], row["created"]] for row in rows]
        return _frame(records, ("group", "domain", "created"))

    def group(self, name: str) -> dict[str, Any]:
        """A group's name, domain (None for custom) and time of creation.

        Raises:
            WorkspaceError: there is none; the message names those there are.
        """
        rows = self._catalogue.rows(kind=GROUP)
        for row in rows:
            if row["name"] == name:
                return {"name": name, "domain": row["config"]["domain"], "created": row["created"]}
        raise WorkspaceError(f"There is no dataset group {name!r}.{nearest(name, (row['name'] for row in rows))}")

    def write_dataset(
        self, group: str, kind: str, table: AnyTable, *, origin: Mapping[str, Any], check: bool = True
    ) -> DatasetVersion:
        """Check a table and store it as the next version of a dataset.

        Args:
            group: an existing dataset group; its domain decides the rules.
            kind: one of `columns.KINDS`.
            table: with the columns of the kind; `_ROW`, when there, breaks ties in time and is not stored.
            origin: plain values that say where the data came from: source, flow, hash …
            check: False stores a table that is known to be right without checking it again.

        Raises:
            SchemaError: the table breaks the kind's rules; all of them are listed.
            WorkspaceError: the disk is full or fails; older versions are untouched.
        """
        domain = self.group(group)["domain"]
        require_kind(kind)
        with disk_errors(f"{group}/{kind}", self.path), stage(self.path) as staged:
            raw, folder = staged.folder / "raw.parquet", staged.folder / DATASET
            dump(table, raw)
            if check:
                require(connect().read_parquet(str(raw)), kind, domain)
            facts = store(raw, folder, kind)
            version = publish(self._catalogue, staged, (group, kind), dict(origin), facts)
        return self.dataset(group, kind, version)

    def dataset(self, group: str, kind: str, version: int | None = None) -> DatasetVersion:
        """A version of a dataset; the newest one when `version` is None.

        Raises:
            WorkspaceError: the group, the dataset or the version does not exist; the message names those that do.
        """
        self.group(group)
        require_kind(kind)
        rows = self._catalogue.rows(kind=DATASET, group=group)
        mine = {row["version"]: row for row in rows if row["name"] == kind}
        if not mine:
            raise WorkspaceError(
                f"Dataset group {group!r} has no {kind}.{nearest(kind, (row['name'] for row in rows))} "
                "Write it with write_dataset() first."
            )
        number = max(mine) if version is None else version
        if number not in mine:
            raise WorkspaceError(f"{group}/{kind} has no version {number}.{nearest(str(number), map(str, mine))}")
        return dataset_version(self.path, mine[number])

    def has_dataset(self, group: str, kind: str) -> bool:
        """Say whether a group holds any version of a dataset kind."""
        require_kind(kind)
        return bool(self._catalogue.rows(kind=DATASET, group=group, name=kind))

    def versions(self, group: str, kind: str) -> list[DatasetVersion]:
        """All versions of a dataset, oldest first; empty when there is none."""
        self.group(group)
        require_kind(kind)
        return [dataset_version(self.path, row) for row in self._catalogue.rows(kind=DATASET, group=group, name=kind)]

    def diff(self, group: str, kind: str, old: int, new: int) -> pd.DataFrame:
        """What changed from one version of a dataset to another; see `differences.differences`."""
        return differences(self.dataset(group, kind, old), self.dataset(group, kind, new))

    def training_data(self, group: str, versions: Mapping[str, int] | None = None) -> dict[str, DatasetVersion | None]:
        """One version of every dataset kind, None where the group has none.

        Args:
            group: an existing dataset group.
            versions: dataset kind to version; kinds left out get their newest version.
        """
        wanted = dict(versions or {})
        for kind in wanted:
            require_kind(kind)
        kinds = [kind for kind in KINDS if kind in wanted or self.has_dataset(group, kind)]
        found = {kind: self.dataset(group, kind, wanted.get(kind)) for kind in kinds}
        return {kind: found.get(kind) for kind in KINDS}

    @contextmanager
    def new_solution_version(self, group: str, solution: str, config: Mapping[str, Any]) -> Iterator[SolutionDraft]:
        """Make a solution version out of what the block writes into the draft's folder.

        The catalogue shows CREATE PENDING, then CREATE IN_PROGRESS while the block runs, then ACTIVE; CREATE FAILED
        with the reason when it raises, CREATE STOPPED when it is interrupted from the keyboard.

        Args:
            group: an existing dataset group.
            solution: a name like a group's.
            config: plain values: recipe, hyperparameters, dataset versions …
        """
        self.group(group)
        require_name("solution", solution)
        with solution_draft(self.path, self._catalogue, group, solution, config) as draft:
            yield draft

    def solution_versions(self, group: str, solution: str | None = None) -> pd.DataFrame:
        """Every solution version of a group: SOLUTION, VERSION, STATUS, CONFIG, METRICS, FAILURE_REASON, CREATED."""
        wanted = {} if solution is None else {"name": solution}
        self.group(group)
        found = [solution_record(self.path, row) for row in self._catalogue.rows(kind=SOLUTION, group=group, **wanted)]
        columns = ("solution", "version", "status", "config", "metrics", "failure_reason", "created")
        return _frame([[getattr(each, name) for name in columns] for each in found], columns)

    def solution_version(self, group: str, solution: str, version: int | None = None) -> SolutionVersion:
        """One solution version; the newest ACTIVE one when `version` is None.

        Raises:
            WorkspaceError: there is no such version, or none of them is ACTIVE; the message says how far they came.
        """
        self.group(group)
        rows = self._catalogue.rows(kind=SOLUTION, group=group)
        mine = {row["version"]: row for row in rows if row["name"] == solution}
        if not mine:
            known = nearest(solution, (row["name"] for row in rows))
            raise WorkspaceError(f"Dataset group {group!r} has no solution {solution!r}.{known}")
        ready = [number for number, row in mine.items() if row["status"] == catalogue.ACTIVE]
        if version is None and not ready:
            states = "; ".join(
                f"{number} {row['status']} {row['failure_reason'] or ''}" for number, row in mine.items()
            )
            raise WorkspaceError(f"No version of {group}/{SOLUTIONS}/{solution} is ACTIVE: {states.strip()}.")
        number = max(ready) if version is None else version
        if number not in mine:
            known = nearest(str(number), map(str, mine))
            raise WorkspaceError(f"{group}/{SOLUTIONS}/{solution} has no version {number}.{known}")
        return solution_record(self.path, mine[number])

    def describe(self) -> pd.DataFrame:
        """Everything in the catalogue, one row a resource.

        Returns:
            KIND, GROUP, NAME, VERSION, STATUS, ROWS and HASH (datasets), CREATED, UPDATED (ISO, UTC), FAILURE_REASON.
        """
        facts = ("rows", "hash")
        columns = ("kind", "group", "name", "version", "status", *facts, "created", "updated", "failure_reason")
        rows = [row | {name: row["facts"].get(name) for name in facts} for row in self._catalogue.rows()]
        return _frame([[row[name] for name in columns] for row in rows], columns).astype({"ROWS": "Int64"})

    def close(self) -> None:
        """Let go of the catalogue's file; the workspace cannot be used afterwards."""
        self._catalogue.close()


def _frame(records: list[list[Any]], columns: tuple[str, ...]) -> pd.DataFrame:
    """Records as a frame whose absent texts stay None; versions are whole numbers."""
    frame = pd.DataFrame(records, columns=[name.upper() for name in columns], dtype=object)
    return frame.astype({"VERSION": "int64"}) if "VERSION" in frame else frame
