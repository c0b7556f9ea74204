"""What a column of a source can turn out to be: text kept as it is, a plain type, a time, or a type of its own.

Each class says which SQL tests it wants counted and decides from the counts. The counting is in `columns`.
"""

import re
from dataclasses import dataclass, field

from workbench.columns import (
    ACTION_ID,
    CREATION_TIMESTAMP,
    EXPIRATION_TIMESTAMP,
    ITEM_ID,
    RECOMMENDATION_ID,
    TIMESTAMP,
    USER_ID,
)
from workbench.data.connection import literal
from workbench.data.readers.options import SourceOptions

IDS = frozenset({USER_ID, ITEM_ID, ACTION_ID, RECOMMENDATION_ID})
TIMES = frozenset({TIMESTAMP, CREATION_TIMESTAMP, EXPIRATION_TIMESTAMP})
ID_NAME = re.compile(r"(?i:^(user|item|action)?id$|.*[_\- .]id$)|.*[a-z]I[dD]$")
NUMBER = r" *([+-]?(0|[1-9]\d*)?\.\d*([eE][+-]?\d+)?|[+-]?[1-9]\d*[eE][+-]?\d+) *"
MOSTLY = 0.5  # from this share on, a type that does not quite hold is worth a note


def is_id(name: str) -> bool:
    """Whether a column's name says that it holds ids, which stay text whatever they look like."""
    return name in IDS or bool(ID_NAME.fullmatch(name))


def without_missing(value: str, options: SourceOptions) -> str:
    """SQL of a text that is null where it is empty or one of the words that stand for a missing value."""
    if not options.missing:
        return f"nullif({value}, '')"
    words = ", ".join(literal(word) for word in ["", *options.missing])
    return f"(CASE WHEN trim({value}) IN ({words}) THEN NULL ELSE {value} END)"


@dataclass
class Counts:
    """What a pass over the rows found in one column."""

    filled: int
    missing: int
    fits: dict[str, int] = field(default_factory=dict)
    misfit: dict[str, str | None] = field(default_factory=dict)
    """For each test, some value that fails it."""


@dataclass(frozen=True)
class Column:
    """A column as it will be in the table, and the line it gets in the report."""

    source: str
    name: str
    sql: str
    recognised_as: str
    note: str = ""


@dataclass(frozen=True)
class KeptText:
    """A column that stays text: an id, or one that the source or the caller declares to be text."""

    source: str
    name: str
    value: str
    why: str

    def filled(self) -> str:
        """SQL that is null where the value is missing."""
        return f"nullif({self.value}, '')"

    def tests(self) -> dict[str, str]:
        """Nothing to find out."""
        return {}

    def narrowed(self, found: Counts) -> dict[str, str]:
        """Nothing to find out."""
        return {}

    def decide(self, counts: Counts) -> Column:
        """Text, empty as missing."""
        return Column(self.source, self.name, f"nullif({self.value}, '')", self.why)


@dataclass(frozen=True)
class Plain:
    """A text column that may hold truth values, whole numbers or numbers."""

    source: str
    name: str
    value: str
    options: SourceOptions
    wanted: str | None = None
    """The type that the caller asked for."""

    @property
    def _text(self) -> str:
        return without_missing(self.value, self.options)

    def _kinds(self) -> dict[str, tuple[str, str, str]]:
        """Kind to (test, cast, label), narrowest first."""
        text = self._text
        as_whole = f"TRY_CAST({text} AS BIGINT)::VARCHAR"  # has to give the same digits back
        whole = f"CASE WHEN {as_whole} = {text} THEN true ELSE coalesce({as_whole} = trim({text}), false) END"
        point = text if self.options.decimal == "." else f"replace({text}, {literal(self.options.decimal)}, '.')"
        number = f"regexp_full_match({point}, {literal(NUMBER)}) AND isfinite(TRY_CAST({point} AS DOUBLE))"
        return {
            "boolean": (f"lower(trim({text})) IN ('true', 'false')", f"CAST(trim({text}) AS BOOLEAN)", "true or false"),
            "integer": (whole, f"CAST({text} AS BIGINT)", "whole numbers"),
            "number": (f"CASE WHEN {whole} THEN true ELSE {number} END", f"CAST({point} AS DOUBLE)", "numbers"),
        }

    def filled(self) -> str:
        """SQL that is null where the value is missing."""
        return self._text

    def tests(self) -> dict[str, str]:
        """One test a kind; only the wanted one when the caller named it."""
        return {kind: test for kind, (test, _, _) in self._kinds().items() if self.wanted in (None, kind)}

    def narrowed(self, found: Counts) -> dict[str, str]:
        """Of the tests, those that most of the first rows pass."""
        return {name: test for name, test in self.tests().items() if found.fits[name] >= MOSTLY * found.filled}

    def decide(self, counts: Counts) -> Column:
        """The narrowest kind that every value has, else text with a note on what nearly held."""
        kinds = self._kinds()
        if not counts.filled:
            return Column(self.source, self.name, self._text, "empty", "no value in any row; kept as text")
        for kind, (_, cast, label) in kinds.items():
            if counts.fits.get(kind) == counts.filled:
                return Column(self.source, self.name, cast, label)
        return Column(self.source, self.name, self._text, "text", self._near_miss(counts))

    def _near_miss(self, counts: Counts) -> str:
        kind = max(counts.fits, key=lambda each: counts.fits[each], default=None)
        if kind is None or counts.fits[kind] < MOSTLY * counts.filled:
            return ""
        label, odd = self._kinds()[kind][2], counts.misfit.get(kind)
        if odd and re.fullmatch(r"\s*[+-]?\d+\s*", odd):
            return f"digits such as {odd!r} would change as numbers (leading zeros, signs, length), so all stay text"
        return (
            f"{counts.filled - counts.fits[kind]:,} of {counts.filled:,} values are not {label}, such as {odd!r}; "
            f"options={{'missing': [{odd!r}]}} reads that as missing"
        )
