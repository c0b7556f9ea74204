"""Solution versions: trained models with their configuration, metrics and how far they came."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError

from workbench.data import catalogue
from workbench.data.atomic import FULL, Stage, disk_errors, move, stage, sync_tree
from workbench.data.catalogue import ACTIVE, FAILED, IN_PROGRESS, PENDING, SOLUTION, STOPPED, Catalogue

SOLUTIONS = "solutions"


@dataclass
class SolutionDraft:
    """A solution version that is being trained; others can use it only once the block that made it ends well.

    path: an empty folder to write the model's files into.
    metrics: fill it with plain numbers; they are stored in the catalogue.
    """

    group: str
    solution: str
    version: int
    path: Path
    config: dict[str, Any]
    metrics: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SolutionVersion:
    """A solution version in the catalogue.

    status: CREATE PENDING, CREATE IN_PROGRESS, ACTIVE, CREATE FAILED or CREATE STOPPED.
    path: the folder with the model's files; it exists when the status is ACTIVE.
    failure_reason: why it failed or stopped, else None.
    created, updated: ISO times in UTC.
    """

    group: str
    solution: str
    version: int
    status: str
    path: Path
    config: dict[str, Any]
    metrics: dict[str, Any]
    failure_reason: str | None
    created: str
    updated: str

    def __str__(self) -> str:
        return f"{self.group}/{SOLUTIONS}/{self.solution} version {self.version}"


@contextmanager
def solution_draft(
    root: Path, book: Catalogue, group: str, solution: str, config: Mapping[str, Any]
) -> Iterator[SolutionDraft]:
    """Run the life of one solution version around a block; see `Workspace.new_solution_version`."""
    name = f"{group}/{SOLUTIONS}/{solution}"
    with disk_errors(name, root, codes=FULL), stage(root) as staged:
        row, draft = _start(
            root, book, SolutionDraft(group, solution, 0, staged.folder / "version", dict(config)), staged
        )
        try:
            book.change(row, status=IN_PROGRESS)
            yield draft
            _finish(root, book, row, draft, staged)
        except BaseException as error:
            status = STOPPED if isinstance(error, KeyboardInterrupt) else FAILED
            reason = f"{type(error).__name__}: {error}"
            shutil.rmtree(draft.path, ignore_errors=True)  # a full disk needs the room to say why it failed
            with suppress(SQLAlchemyError):  # on a full disk the next opening of the workspace writes this row
                book.change(row, status=status, failure_reason=reason, token=None)
            raise


def solution_record(root: Path, row: Mapping[str, Any]) -> SolutionVersion:
    """A catalogue row as a solution version."""
    return SolutionVersion(
        group=row["group"],
        solution=row["name"],
        version=row["version"],
        status=row["status"],
        path=root / row["path"],
        config=row["config"],
        metrics=row["facts"].get("metrics", {}),
        failure_reason=row["failure_reason"],
        created=row["created"],
        updated=row["updated"],
    )


def _start(root: Path, book: Catalogue, draft: SolutionDraft, staged: Stage) -> tuple[int, SolutionDraft]:
    """Reserve the version number and the row; the writer's token in it tells a live training from a dead one."""
    draft.path.mkdir()
    parent = f"{draft.group}/{SOLUTIONS}/{draft.solution}"
    with book.writing() as connection:
        version = catalogue.next_version(connection, SOLUTION, draft.group, draft.solution, root / parent)
        row = catalogue.add(
            connection,
            kind=SOLUTION,
            group=draft.group,
            name=draft.solution,
            version=version,
            status=PENDING,
            config=draft.config,
            path=f"{parent}/{version}",
            token=staged.token,
        )
    draft.version = version
    return row, draft


def _finish(root: Path, book: Catalogue, row: int, draft: SolutionDraft, staged: Stage) -> None:
    sync_tree(draft.path)
    target = root / draft.group / SOLUTIONS / draft.solution / str(draft.version)
    with book.writing() as connection:
        staged.intend(target)
        move(draft.path, target)
        facts = {"metrics": draft.metrics}
        catalogue.change(connection, row, status=ACTIVE, facts=facts, token=None)
    draft.path = target
