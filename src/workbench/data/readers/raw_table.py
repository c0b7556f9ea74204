"""A source as it came, before types are recognised: a lazy view and what is known about its columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from workbench.data.connection import query, quoted
from workbench.errors import SourceError


@dataclass(frozen=True)
class RawTable:
    """A view on the one connection and how far its types can be trusted."""

    view: str
    """Name of the view."""
    name: str
    """What to call the source in messages."""
    is_text: bool
    """Every column is text whose type is still to be recognised; otherwise the source has types of its own."""
    keep_text: frozenset[str] = frozenset()
    """Columns that the source itself declares to be text."""
    notes: list[str] = field(default_factory=list)
    """What was recognised or done on the way in."""
    mend: Callable[[Exception], "RawTable"] | None = None
    """Called when reading fails: gives a readable table instead, or raises a SourceError that names the place."""

    def types(self) -> dict[str, str]:
        """Column name to DuckDB type, in order."""
        return {row[0]: row[1] for row in query(f"DESCRIBE {quoted(self.view)}")}


def check_names(names: Sequence[str], source: str, remedy: str) -> None:
    """Refuse column names that would be one to the database, which does not tell upper from lower case."""
    seen: dict[str, str] = {}
    for number, name in enumerate(names, start=1):
        if name.casefold() in seen:
            twin = seen[name.casefold()]
            how = "twice" if twin == name else f"beside {twin!r} (upper and lower case count as the same)"
            raise SourceError(f"{source}: column {name!r} (column {number}) stands there {how}. {remedy}")
        seen[name.casefold()] = name
