"""What the runners of other libraries share: reading the split, the clock, peak memory, and what they write.

Runs in an environment of its own that knows nothing of the workbench. Every runner is called with
`--split FOLDER --out STEM --label LABEL --limit SECONDS --top-k K --seed SEED --settings JSON` and writes STEM.parquet
(USER_ID, ITEM_ID, RANK) and STEM.json, as notebooks/guides/recipes_measured.md describes.
"""

import argparse
import ctypes
import gc
import json
import platform
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import psutil

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")
WAIT = 5.0  # seconds left at the end of a fit for leaving it in good order


class TimeUp(Exception):
    """The time limit is reached: stop and make lists with what was learned."""


class Job:
    """One fit of one library: its arguments, its clock and its figures."""

    def __init__(self, words: argparse.Namespace):
        self.split, self.out, self.label = Path(words.split).resolve(), Path(words.out).resolve(), words.label
        self.limit, self.top_k, self.seed = words.limit, words.top_k, words.seed
        self.settings: dict[str, Any] = json.loads(words.settings)
        self.facts: dict[str, Any] = {"label": self.label, "settings": self.settings}
        self._begun, self._rss, self._peak = 0.0, 0, 0

    def tables(self) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
        """Give the training events and the histories of those who are asked, in time order, and who is asked.

        Ids are text; TIMESTAMP is in epoch seconds, or a row number where the log has no times.
        """
        columns = ["USER_ID", "ITEM_ID", "TIMESTAMP"]
        train, history = (
            pd.read_parquet(self.split / f"{part}.parquet", columns=columns).astype({"USER_ID": str, "ITEM_ID": str})
            for part in ("train", "history")
        )
        asked = pd.read_parquet(self.split / "held_out.parquet", columns=["USER_ID"])["USER_ID"].astype(str).unique()
        known = set(train["USER_ID"])
        return train, history, [user for user in asked if user in known]

    @contextmanager
    def fitting(self) -> Iterator[None]:
        """Time the fit; running out of time ends it and is noted."""
        gc.collect()
        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim:
            trim(0)
        self._rss = psutil.Process().memory_info().rss
        self._reset_peak()
        self._begun = time.perf_counter()
        try:
            yield
        except TimeUp:
            self.stopped()
        self.facts["fit_seconds"] = self.elapsed()

    @contextmanager
    def listing(self) -> Iterator[None]:
        """Time the lists of all users; ends the measuring of memory."""
        begun = time.perf_counter()
        yield
        self.facts["list_seconds"] = time.perf_counter() - begun
        self.facts["peak_memory_gb"] = max(0, self._read_peak() - self._rss) / 1e9

    def elapsed(self) -> float:
        """Seconds since the fit began."""
        return time.perf_counter() - self._begun

    def left(self) -> float:
        """Seconds that the fit may still take."""
        return self.limit - WAIT - self.elapsed()

    def check_time(self) -> None:
        """Raise TimeUp when the fit has used its time."""
        if self.left() <= 0:
            raise TimeUp

    def stopped(self) -> None:
        """Note that the fit was stopped by the clock."""
        self.facts["note"] = f"stopped at the limit of {self.limit:g} s"

    def write(self, lists: pd.DataFrame, *packages: str, **facts: Any) -> None:
        """Write lists and figures; the figures last, so that they stand for finished work."""
        self.facts["split"] = json.loads((self.split / "split.json").read_text())["hash"]
        self.facts["versions"] = {"python": platform.python_version(), **{name: version(name) for name in packages}}
        self.out.parent.mkdir(parents=True, exist_ok=True)
        lists[["USER_ID", "ITEM_ID", "RANK"]].to_parquet(self.out.with_suffix(".parquet"), index=False)
        self.out.with_suffix(".json").write_text(json.dumps(self.facts | facts, indent=2) + "\n")

    def _reset_peak(self) -> None:
        try:
            RESET.write_text("5")
        except OSError:
            self.facts["memory"] = "peak of the whole process: it cannot be set back here"

    def _read_peak(self) -> int:
        if not STATUS.exists():
            import resource

            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rows = (line.split() for line in STATUS.read_text().splitlines() if line.startswith("VmHWM:"))
        return next((int(row[1]) * 1024 for row in rows), 0)


def read_job() -> Job:
    """Read the command line."""
    parser = argparse.ArgumentParser()
    for name in ("split", "out", "label"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--limit", type=float, default=600.0)
    parser.add_argument("--top-k", type=int, default=25)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--settings", default="{}")
    return Job(parser.parse_args())
