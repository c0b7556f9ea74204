"""The folder for a process's temporary files: removed when the process ends, or by a later one if it was killed."""

import atexit
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

PREFIX = "workbench-scratch-"
LOCK = "owner.lock"
YOUNG = 60  # seconds; a folder this new may belong to a process that has not locked it yet

_lock = threading.Lock()
_mine: dict[int, tuple[Path, int]] = {}  # by process, because a fork must not use or remove its parent's folder


def scratch() -> Path:
    """This process's folder for temporary files; made on the first call, which also clears what killed ones left."""
    with _lock:
        if os.getpid() not in _mine:
            sweep(Path(tempfile.gettempdir()))
            folder = Path(tempfile.mkdtemp(prefix=PREFIX))
            _mine[os.getpid()] = folder, _locked(folder)
            atexit.register(_remove, os.getpid())
        return _mine[os.getpid()][0]


def sweep(parent: Path) -> list[Path]:
    """Remove scratch folders whose process is gone: nobody holds their lock any more."""
    removed = []
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            if time.time() - folder.stat().st_mtime < YOUNG or not (folder / LOCK).exists():
                continue
            os.close(_locked(folder))
        except OSError:  # alive, of another user, or just removed by another process
            continue
        shutil.rmtree(folder, ignore_errors=True)
        removed.append(folder)
    return removed


def _locked(folder: Path) -> int:
    import fcntl

    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _remove(process: int) -> None:
    if process == os.getpid():
        folder, handle = _mine.pop(process)
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)
