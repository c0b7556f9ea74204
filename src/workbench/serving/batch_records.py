"""One record of a batch input, and how far an input is read."""

from typing import Any, NamedTuple

LONGEST = 1_000_000  # bytes of a line; 500 ids of 256 characters fit seven times
BOM = b"\xef\xbb\xbf"


class Position(NamedTuple):
    """How far the input is read: file by number, its records so far, and its bytes so far."""

    file: int = 0
    records: int = 0
    bytes: int = 0


class Record(NamedTuple):
    """One line.

    number: from 1, of the line or, in Parquet, of the row.
    text: the line as JSON, or as it stands where it is none; "" for a blank line.
    document: its JSON; None for a blank line or a broken one.
    problem: why it cannot be read; "" when it can.
    after: where reading goes on behind it.
    """

    number: int
    text: str
    document: Any
    problem: str
    after: Position

    @property
    def blank(self) -> bool:
        """Whether there is nothing in the line."""
        return not self.text and not self.problem
