"""At most so many items of one kind in a list: a rule over codes that knows no ids and no scores.

A field with several values (Action|Crime) counts for each of them; an item without a value is never capped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from workbench.errors import ServingError
from workbench.serving.tables import AnyColumn, NumberColumn, TextColumn

WINDOW = 256  # items looked at first; every further window is twice as long


@dataclass(frozen=True, eq=False)
class ReadyCap:
    """A cap whose column is laid out; made once, used by any number of lists.

    name: the column.
    at_most: items with the same value.
    codes: (n,) by item code, position of its field among the fields, -1 where it has none.
    values: by field, the numbers of the values in it.
    holders: by value, the fields that hold it.
    """

    name: str
    at_most: int
    codes: np.ndarray
    values: Sequence[Sequence[int]] = field(repr=False)
    holders: Sequence[np.ndarray] = field(repr=False)

    @classmethod
    def of(cls, name: str, at_most: int, column: AnyColumn) -> "ReadyCap":
        """Lay out a column of the items.

        Raises:
            ServingError: the column is prose, whose texts are all different, or the cap is below 1.
        """
        if isinstance(at_most, bool) or not isinstance(at_most, int) or at_most < 1:
            raise ServingError(
                f"The cap on {name} is {at_most!r}; it must be a whole number from 1. Leave it out instead."
            )
        if isinstance(column, NumberColumn):
            found, codes = np.unique(column.values, return_inverse=True)
            codes = np.where(np.isnan(column.values), -1, codes)
            return cls(
                name, at_most, codes, [[n] for n in range(len(found))], [np.array([n]) for n in range(len(found))]
            )
        if column.textual:
            raise ServingError(f"{name} holds text, whose fields are all different; cap a category instead.")
        return cls(name, at_most, column.codes, _values(column), list(column.parts.values()))

    def tally(self) -> "_Tally":
        """Begin to count for one list."""
        return _Tally(self)


class _Tally:
    """What one list holds so far of a capped column."""

    def __init__(self, cap: ReadyCap) -> None:
        self.cap = cap
        self.counts: dict[int, int] = {}
        self.full = np.zeros(len(cap.values) + 1, dtype=bool)  # by field; the last one stands for a missing field

    def add(self, item: int) -> bool:
        """Count an item; whether a value is full now that was not before."""
        place = self.cap.codes[item]
        filled = False
        for value in self.cap.values[place] if place >= 0 else ():
            self.counts[value] = self.counts.get(value, 0) + 1
            if self.counts[value] == self.cap.at_most:
                self.full[self.cap.holders[value]] = True
                filled = True
        return filled

    def room(self, items: np.ndarray) -> np.ndarray:
        """Which of some items may still be added, (len(items),) bool."""
        return ~self.full[self.cap.codes[items]]


class Tallies:
    """Several caps of one list, counted together."""

    def __init__(self, caps: Iterable[ReadyCap] = ()) -> None:
        self._each = [cap.tally() for cap in caps]

    def __bool__(self) -> bool:
        return bool(self._each)

    def add(self, item: int) -> bool:
        """Count an item; whether any value became full."""
        return any([each.add(item) for each in self._each])

    def room(self, items: np.ndarray) -> np.ndarray:
        """The items that no cap keeps out, in their order."""
        for each in self._each:
            items = items[each.room(items)]
        return items

    def take(self, order: np.ndarray, count: int, without: Iterable[int] = ()) -> list[int]:
        """Take items from the front of an order as long as the caps let them in, and count them.

        Args:
            order: item codes, best first.
            count: how many at most.
            without: item codes to leave out.

        Returns:
            Item codes, at most `count`, in their order.
        """
        taken, gone = [], set(without)
        start, width = 0, max(WINDOW, 2 * count)
        while start < len(order) and len(taken) < count:
            waiting = self.room(order[start : start + width])
            start, width = start + width, 2 * width
            while len(waiting) and len(taken) < count:
                waiting = self._until_full(waiting, count, taken, gone)
        return taken

    def _until_full(self, waiting: np.ndarray, count: int, taken: list[int], gone: set[int]) -> np.ndarray:
        """Take items one after the other until a value becomes full; the rest that still has room."""
        for place, item in enumerate(waiting.tolist()):
            if item in gone:
                continue
            taken.append(item)
            gone.add(item)
            if self.add(item) or len(taken) == count:
                return self.room(waiting[place + 1 :])
        return waiting[:0]


def cap_list(order: np.ndarray, k: int, caps: Iterable[ReadyCap]) -> np.ndarray:
    """Take the best `k` items of an order of which no value has more than the caps allow.

    Args:
        order: item codes, best first.
        k: places; fewer are filled when the caps let no further item in.
        caps: any number of them; an item must be let in by all.

    Returns:
        Item codes in their order. With no caps the first `k` as they are.
    """
    tallies = Tallies(caps)
    return np.array(tallies.take(order, k), dtype=order.dtype) if tallies else order[:k]


def _values(column: TextColumn) -> list[list[int]]:
    """The numbers of the values in every field."""
    found: list[list[int]] = [[] for _ in range(len(column.vocabulary))]
    for value, fields in enumerate(column.parts.values()):
        for place in fields.tolist():
            found[place].append(value)
    return found


def broken(items: np.ndarray, caps: Iterable[ReadyCap]) -> dict[str, int]:
    """By column, how many items a list holds beyond its caps; empty when it keeps them all."""
    found = {}
    for cap in caps:
        places = [cap.codes[item] for item in items]
        values = list(chain.from_iterable(cap.values[place] for place in places if place >= 0))
        over = sum(max(values.count(value) - cap.at_most, 0) for value in set(values))
        if over:
            found[cap.name] = over
    return found
