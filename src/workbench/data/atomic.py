"""Write beside the place, sync, rename; and tell a dead writer's leftovers from a live writer's work.

A writer holds an advisory file lock for as long as it works. The kernel frees the lock when the process ends, however
it ends, so a free lock means a dead writer, on every machine and in every container that shares the disk.
Beside the lock the writer notes where it is about to rename to: whoever cleans up knows where to look.
"""

import errno
import fcntl
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from workbench.errors import WorkspaceError

STAGING = ".staging"
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
BROKEN = (*FULL, errno.EIO, errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR)


@dataclass(frozen=True)
class Stage:
    """A folder that one writer fills before it is renamed into place.

    token: names the writer in the catalogue.
    folder: empty at first; on the same file system as the final place.
    """

    token: str
    folder: Path
    lock: IO[str]

    def intend(self, target: Path) -> None:
        """Note durably where the folder is about to go, so that a crash after the rename can be undone."""
        self.lock.seek(0)
        self.lock.truncate()
        json.dump({"pid": os.getpid(), "target": str(target)}, self.lock)
        self.lock.flush()
        os.fsync(self.lock.fileno())


@dataclass(frozen=True)
class Leftover:
    """What a writer left that ended before it had finished.

    target: where it was about to rename its folder to, or None when it had not got that far.
    """

    token: str
    folder: Path
    lock: Path
    target: Path | None

    def remove(self) -> None:
        """Delete the unfinished folder, then the lock."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.lock.unlink(missing_ok=True)


@contextmanager
def stage(root: Path) -> Iterator[Stage]:
    """Give a folder under `root` to write into; whatever is left in it at the end is deleted.

    Args:
        root: the workspace's folder.

    Yields:
        The stage; move its folder away (or not) before leaving the block.
    """
    token = secrets.token_hex(8)
    place = root / STAGING
    with _gate(root, fcntl.LOCK_SH):
        lock = (place / f"{token}.lock").open("x", encoding="utf-8")
        fcntl.flock(lock, fcntl.LOCK_EX)
    folder = place / token
    try:
        folder.mkdir()
        yield Stage(token, folder, lock)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        (place / f"{token}.lock").unlink(missing_ok=True)
        lock.close()


@contextmanager
def leftovers(root: Path) -> Iterator[list[Leftover]]:
    """List what dead writers left under `root`; no new writer starts inside the block."""
    place = root / STAGING
    with _gate(root, fcntl.LOCK_EX):
        yield [_leftover(lock) for lock in sorted(place.glob("*.lock")) if not is_live(root, lock.stem)]


def is_live(root: Path, token: str) -> bool:
    """Say whether the writer that holds `token` is still running."""
    try:
        with (root / STAGING / f"{token}.lock").open("r", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def move(folder: Path, target: Path) -> None:
    """Rename a synced folder into place and sync the folders above it, so that the name survives a power cut."""
    missing = [each for each in target.parents if not each.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.rename(target)
    for parent in [target.parent, *(each.parent for each in missing)]:
        sync(parent)


def sync_tree(folder: Path) -> None:
    """Force every file and folder below `folder`, and itself, to the disk."""
    for path in sorted(folder.rglob("*")):
        sync(path)
    sync(folder)


def sync(path: Path) -> None:
    """Force one file's content, or one folder's list of names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_text(path: Path, words: str) -> None:
    """Replace a text file in one step: readers see the old text or the new one."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(words)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        sync(path.parent)
    finally:
        beside.unlink(missing_ok=True)


@contextmanager
def disk_errors(doing: str, root: Path, codes: tuple[int, ...] = BROKEN) -> Iterator[None]:
    """Turn a full or failing disk into a WorkspaceError that says what was safe and how much is free.

    Args:
        doing: what was being written, such as "version 3 of shop/items".
        root: the workspace's folder, whose free space is reported.
        codes: the error numbers of the operating system that count as a disk's; others pass unchanged.
    """
    try:
        yield
    except OSError as error:
        if error.errno not in codes:
            raise
        raise WorkspaceError(_disk_message(doing, root, error.strerror or str(error), error.errno in FULL)) from error
    except Exception as error:
        reason = _disk_reason(error)
        if reason is None:
            raise
        raise WorkspaceError(_disk_message(doing, root, reason, "full" in reason or "space" in reason)) from error


def _disk_reason(error: Exception) -> str | None:
    """The words of a database's disk error, or None when the error is about something else."""
    import duckdb
    from sqlalchemy.exc import OperationalError

    if isinstance(error, duckdb.IOException | duckdb.OutOfMemoryException):
        return str(error).splitlines()[0]
    if isinstance(error, OperationalError):
        words = str(error.orig)
        return words if any(each in words for each in ("full", "disk I/O", "unable to open", "readonly")) else None
    return None


def _disk_message(doing: str, root: Path, reason: str, full: bool) -> str:
    root = next(place for place in (root, *root.absolute().parents) if place.exists())
    free = shutil.disk_usage(root).free / 1e6
    remedy = "Free some space" if full else "Mend the disk or its permissions, or name another folder,"
    return (
        f"Could not write {doing}: {reason}. {free:,.1f} MB are free in {root}. "
        f"Nothing that was there before is lost or changed. {remedy} and run it again."
    )


def _leftover(lock: Path) -> Leftover:
    words = lock.read_text(encoding="utf-8")
    try:
        target = Path(json.loads(words)["target"])
    except (ValueError, KeyError, TypeError):  # it ended before, or while, noting the target: nothing was renamed
        target = None
    return Leftover(lock.stem, lock.with_suffix(""), lock, target)


@contextmanager
def _gate(root: Path, how: int) -> Iterator[None]:
    """Keep cleaning apart from the moment in which a new writer has made its lock file but not locked it yet."""
    place = root / STAGING
    place.mkdir(parents=True, exist_ok=True)
    with (place / "gate").open("a", encoding="utf-8") as gate:
        fcntl.flock(gate, how)
        yield
