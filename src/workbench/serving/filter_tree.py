"""What a filter says, as a tree: expressions of conditions, each a field, an operator and values.

The tree is what the parser gives and what masks are compiled from. Every part is frozen, equal to another of the same
meaning (where it stood in the text does not count), and `str()` of it is its canonical spelling, which parses back to
an equal part. The grammar itself is explained in notebooks/guides/filters.md.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from workbench.columns import DAY, HOUR, MINUTE

if TYPE_CHECKING:
    from workbench.serving.filter_portable import Portability

INCLUDE = "INCLUDE"
EXCLUDE = "EXCLUDE"

ITEM_TARGET = "ItemID"
USER_TARGET = "UserID"
ACTION_TARGET = "ActionID"

INTERACTIONS = "Interactions"
ITEMS = "Items"
USERS = "Users"
ACTIONS = "Actions"
ACTION_INTERACTIONS = "Action_Interactions"
CURRENT_USER = "CurrentUser"  # only in an IF
DATASETS = (INTERACTIONS, ITEMS, USERS, ACTIONS, ACTION_INTERACTIONS)

IN_OPERATORS = ("IN", "NOT IN")
COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
TEXT_OPERATORS = ("LIKE", "NOT LIKE", "CONTAINS", "NOT CONTAINS")

WEEK = 7 * DAY
UNITS = {"w": WEEK, "d": DAY, "h": HOUR, "m": MINUTE, "s": 1}  # durations, in seconds


@dataclass(frozen=True)
class Number:
    """A number, with the characters it was written in: a category holds `007`, not 7."""

    value: float
    text: str

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Text:
    """A text in quotes, its escapes resolved."""

    value: str

    def __str__(self) -> str:
        escaped = self.value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'


@dataclass(frozen=True)
class Boolean:
    """TRUE or FALSE, written without quotes."""

    value: bool

    def __str__(self) -> str:
        return "TRUE" if self.value else "FALSE"


@dataclass(frozen=True)
class Placeholder:
    """A parameter `$name` whose value comes with each request; upper and lower case differ."""

    name: str

    def __str__(self) -> str:
        return f"${self.name}"


@dataclass(frozen=True)
class Star:
    """`*`: any event type."""

    def __str__(self) -> str:
        return "*"


@dataclass(frozen=True)
class CurrentItem:
    """The value that the item asked about holds in a column of the items dataset."""

    column: str

    def __str__(self) -> str:
        return f"CurrentItem.{self.column}"


@dataclass(frozen=True)
class Now:
    """The time of the request plus `offset` seconds: `NOW() - 30d` has the offset -2592000."""

    offset: int = 0

    def __str__(self) -> str:
        if not self.offset:
            return "NOW()"
        sign = "-" if self.offset < 0 else "+"
        return f"NOW() {sign} {duration(abs(self.offset))}"


Operand: TypeAlias = Number | Text | Boolean | Placeholder | Star | CurrentItem | Now


@dataclass(frozen=True)
class Field:
    """A column of a dataset; the dataset in its canonical spelling (`DATASETS` or `CURRENT_USER`)."""

    dataset: str
    column: str

    def __str__(self) -> str:
        return f"{self.dataset}.{self.column}"


@dataclass(frozen=True)
class Condition:
    """One test of a field.

    Attributes:
        field: the column tested.
        operator: one of `IN_OPERATORS`, `COMPARISONS`, `TEXT_OPERATORS`.
        values: for IN and NOT IN one or more of Number, Text, Boolean, or a single Star, Placeholder or CurrentItem;
            for a comparison one Number, Text, Boolean, Placeholder, CurrentItem or Now; for LIKE and CONTAINS one Text
            or Placeholder.
        span: first and past-the-last character in the filter's text.
    """

    field: Field
    operator: str
    values: tuple[Operand, ...]
    span: tuple[int, int] = field(default=(0, 0), compare=False)

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        """Kept, because masks are looked up by condition and a list may hold thousands of values."""
        return hash((self.field, self.operator, self.values))

    def __getstate__(self) -> dict[str, object]:
        return {name: value for name, value in self.__dict__.items() if name != "_hash"}  # differs between processes

    def __str__(self) -> str:
        if self.operator in IN_OPERATORS and not isinstance(self.values[0], CurrentItem):
            return f"{self.field} {self.operator} ({', '.join(map(str, self.values))})"
        return f"{self.field} {self.operator} {self.values[0]}"


@dataclass(frozen=True)
class And:
    """All of two or more parts hold."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " AND ".join(f"({part})" if isinstance(part, And | Or) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Or:
    """At least one of two or more parts holds."""

    parts: tuple["Node", ...]

    def __str__(self) -> str:
        return " OR ".join(f"({part})" if isinstance(part, Or) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Node"

    def __str__(self) -> str:
        return f"NOT ({self.part})" if isinstance(self.part, And | Or) else f"NOT {self.part}"


Node: TypeAlias = Condition | And | Or | Not


@dataclass(frozen=True)
class Expression:
    """One INCLUDE or EXCLUDE.

    Attributes:
        action: INCLUDE or EXCLUDE.
        target: ItemID, UserID or ActionID: what is listed.
        where: the conditions; all their fields are of one dataset.
        when: the conditions after IF, all on CurrentUser and all to hold; () means the expression always applies.
    """

    action: str
    target: str
    where: Node
    when: tuple[Condition, ...] = ()

    def __str__(self) -> str:
        condition = f" IF {' AND '.join(map(str, self.when))}" if self.when else ""
        return f"{self.action} {self.target} WHERE {self.where}{condition}"


@dataclass(frozen=True)
class Filter:
    """A whole filter: what is listed is the union of the INCLUDEs without the union of the EXCLUDEs.

    Attributes:
        text: what was parsed, as it was given; `Condition.span` points into it.
        expressions: one or more, their order without meaning.
        notices: what was read differently from how it was written, and what may not mean what it seems to.
    """

    text: str = field(compare=False)
    expressions: tuple[Expression, ...] = ()
    notices: tuple[str, ...] = field(default=(), compare=False)

    def __str__(self) -> str:
        return " | ".join(map(str, self.expressions))

    @property
    def portable(self) -> "Portability":
        """Whether Amazon Personalize itself would take this filter by itself, and why not; see `filters.portable`."""
        from workbench.serving.filter_portable import portable  # it reads trees, so it comes after them

        return portable(self)


def duration(seconds: int) -> str:
    """Spell a length of time in its largest units: 129,600 s are `1d 12h`; weeks only when nothing is left over."""
    if seconds and seconds % WEEK == 0:
        return f"{seconds // WEEK}w"
    parts = []
    for unit in "dhms":
        count, seconds = divmod(seconds, UNITS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts) or "0s"


def conditions(node: Node) -> tuple[Condition, ...]:
    """Give every condition of a tree from left to right."""
    found, waiting = [], [node]
    while waiting:
        part = waiting.pop()
        if isinstance(part, Condition):
            found.append(part)
        elif isinstance(part, Not):
            waiting.append(part.part)
        else:
            waiting.extend(reversed(part.parts))
    return tuple(found)
