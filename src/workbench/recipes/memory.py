"""How much memory a piece of work needs in this process, beyond what the process held before it began."""

import ctypes
import gc
import threading
from pathlib import Path
from typing import Self

import psutil

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
GB = 1e9  # bytes
PAUSE = 0.02  # seconds between two looks where the kernel keeps no peak that can be set back


class MemoryGrowth:
    """Measure the peak of resident memory while a `with` block runs.

    Freed memory that the allocator still holds is given back first, so that an earlier piece of work does not hide what
    this one needs. On Linux the kernel's own peak is set back and read, which misses nothing; elsewhere a thread looks
    every 20 ms, which may miss short peaks.

    gb: after the block, peak minus start in GB (1e9 bytes), at least 0. Memory of child processes is not counted.
    """

    def __init__(self) -> None:
        self.gb = 0.0
        self._ended = threading.Event()
        self._seen = 0
        self._watcher: threading.Thread | None = None
        self._start = 0

    def __enter__(self) -> Self:
        gc.collect()
        _trim()
        self._start = self._seen = psutil.Process().memory_info().rss
        if not _reset_peak():
            self._watcher = threading.Thread(target=self._look, daemon=True)
            self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._watcher:
            self._ended.set()
            self._watcher.join()
        peak = self._seen if self._watcher else _peak()
        self.gb = max(0, peak - self._start) / GB

    def _look(self) -> None:
        process = psutil.Process()
        while not self._ended.is_set():
            self._seen = max(self._seen, process.memory_info().rss)
            self._ended.wait(PAUSE)


def _trim() -> None:
    """Let the C library give freed memory back to the system, where it is one that can."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim:
        trim(0)


def _reset_peak() -> bool:
    """Set the kernel's peak of this process back to what it holds now; False where that is not possible."""
    try:
        RESET.write_text("5")
        return _peak() > 0
    except OSError:
        return False


def _peak() -> int:
    rows = (line.split() for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
    return next((int(row[1]) * 1024 for row in rows), 0)
