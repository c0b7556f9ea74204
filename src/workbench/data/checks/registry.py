"""What a check is, what it finds, and the one list of all checks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.data.checks.facts import Facts

BLOCKS, WARNING, INFO = "blocks", "warning", "info"
SEVERITIES = (BLOCKS, WARNING, INFO)
ALL_RECIPES = "all recipes"

OURS = "our own"
GUIDE = "Personalize, data insights"
RULES = "Personalize, data rules"
SAMPLES = "Personalize samples, diagnose.py"


@dataclass(frozen=True)
class Finding:
    """One thing a check found.

    severity: "blocks", "warning" or "info".
    dataset, column: where; column is empty when the finding is about the whole table.
    number, unit: what was measured.
    message: what it is, what it means and what to do, for a reader.
    blocks: what cannot be trained; empty unless severity is "blocks".
    step: the flow step that mends it; empty when only the source can.
    """

    severity: str
    dataset: str
    column: str
    number: float
    unit: str
    message: str
    blocks: str = ""
    step: Mapping[str, Any] = field(default_factory=dict)


Find = Callable[["Facts"], Iterable[Finding]]


@dataclass(frozen=True)
class Check:
    """A named check.

    subject: the file it lives in, such as "volume".
    looks_for, threshold, origin: what, against which border, and where the border comes from.
    touches: what a finding disturbs: "volume", "order", "time", "ids", "items", "users", "text", "context".
        A recipe that relies on one of them becomes "ready, with care".
    """

    name: str
    subject: str
    looks_for: str
    threshold: str
    origin: str
    touches: tuple[str, ...]
    find: Find


CHECKS: dict[str, Check] = {}


def check(
    name: str, *, looks_for: str, threshold: str, origin: str, touches: tuple[str, ...] = ()
) -> Callable[[Find], Find]:
    """Register a function from facts to findings as a check; the arguments are those of `Check`.

    Raises:
        ValueError: the name is taken.
    """

    def register(find: Find) -> Find:
        if name in CHECKS:
            raise ValueError(f"two checks are called {name!r}")
        subject = find.__module__.rsplit(".", 1)[-1]
        CHECKS[name] = Check(name, subject, looks_for, threshold, origin, touches, find)
        return find

    return register


def share(part: float, whole: float) -> float:
    """Per cent of a whole; 0 when there is nothing."""
    return 100.0 * part / whole if whole else 0.0


def count(value: float) -> str:
    """A count for a message, thousands grouped."""
    return f"{value:,.0f}"


def percent(value: float) -> str:
    """Per cent for a message: one decimal, and never a rounded 0 or 100 that is not one."""
    if 0 < value < 0.1:
        return "less than 0.1 %"
    if 99.9 < value < 100:
        return "more than 99.9 %"
    return f"{value:.1f} %".replace(".0 %", " %")


def some(values: Iterable[object], most: int = 3) -> str:
    """The first few values, quoted, for a message."""
    listed = [str(each) for each in values]
    words = ", ".join(repr(each if len(each) <= 40 else each[:39] + "…") for each in listed[:most])
    return words + (" …" if len(listed) > most else "")
