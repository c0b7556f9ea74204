"""What opening a workspace does first: undo what writers left that ended before they had finished."""

import shutil
from pathlib import Path

from sqlalchemy import Connection

from workbench.data import catalogue
from workbench.data.atomic import STAGING, Leftover, is_live, leftovers
from workbench.data.catalogue import ACTIVE, FAILED, IN_PROGRESS, PENDING, Catalogue

DIED = "The process that made it ended before it had finished. Run it again."


def recover(root: Path, book: Catalogue) -> list[str]:
    """Remove dead writers' folders and mark their resources CREATE FAILED; leave live writers alone.

    Args:
        root: the workspace's folder.
        book: its catalogue.

    Returns:
        One line for each thing that was cleaned up; empty after a clean end.
    """
    if not any((root / STAGING).glob("*.lock")) and not _unfinished(book):
        return []
    with leftovers(root) as dead, book.writing() as connection:
        lines = [line for each in dead for line in _undo(root, connection, each)]
        return lines + _fail_unfinished(root, connection)


def _undo(root: Path, connection: Connection, dead: Leftover) -> list[str]:
    """Undo a rename whose catalogue row never came; no writer can be between the two while we hold the catalogue."""
    lines = []
    if dead.target is not None and dead.target.exists():
        place = dead.target.relative_to(root).as_posix()
        if not catalogue.find(connection, path=place, status=ACTIVE):
            shutil.rmtree(dead.target)
            lines.append(f"Removed {place}: the process that wrote it ended before the catalogue listed it.")
    if dead.folder.exists():
        lines.append(f"Removed {STAGING}/{dead.token}: the process that wrote it ended before it had finished.")
    dead.remove()
    return lines


def _fail_unfinished(root: Path, connection: Connection) -> list[str]:
    lines = []
    for status in (PENDING, IN_PROGRESS):
        for row in catalogue.find(connection, status=status):
            if not is_live(root, row["token"]):
                catalogue.change(connection, row["id"], status=FAILED, failure_reason=DIED, token=None)
                lines.append(f"Marked {row['kind']} {row['path']} as {FAILED}: the process that made it ended.")
    return lines


def _unfinished(book: Catalogue) -> bool:
    return any(book.rows(status=status) for status in (PENDING, IN_PROGRESS))
