"""Columns of an entity table: numbers as they are, text as codes into a vocabulary of whole fields."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from workbench.columns import SEPARATOR

Value = str | float | bool | None  # one field; None where it is missing


@dataclass(frozen=True, eq=False)
class NumberColumn:
    """A column of numbers, times (epoch seconds) or true/false values.

    values: (n,) float64, NaN where missing.
    boolean: whether the values are the 0 and 1 of a true/false column.
    """

    values: np.ndarray
    boolean: bool = False

    def __len__(self) -> int:
        return len(self.values)

    def value(self, code: int) -> float | bool | None:
        """The field of one entity, None where it is missing."""
        found = self.values[code]
        if np.isnan(found):
            return None
        return bool(found) if self.boolean else float(found)


@dataclass(frozen=True, eq=False)
class TextColumn:
    """A column of text: categories, several of them joined with |, or prose.

    codes: (n,) int32 positions in the vocabulary, -1 where missing.
    vocabulary: (v,) object, every different field as it stands, such as "Action|Crime".
    textual: whether it is prose, whose | joins nothing.
    """

    codes: np.ndarray
    vocabulary: np.ndarray
    textual: bool = False

    def __len__(self) -> int:
        return len(self.codes)

    def value(self, code: int) -> str | None:
        """The whole field of one entity, None where it is missing."""
        found = self.codes[code]
        return None if found < 0 else self.vocabulary[found]

    @cached_property
    def parts(self) -> dict[str, np.ndarray]:
        """Each value that | joins, and the vocabulary codes that hold it: "Action" -> [0, 7]; prose is one value."""
        found: dict[str, list[int]] = {}
        for code, text in enumerate(self.vocabulary.tolist()):
            joined = [] if self.textual else [part for part in text.split(SEPARATOR) if part]
            for part in dict.fromkeys(joined or [text]):
                found.setdefault(part, []).append(code)
        return {part: np.array(codes, dtype=np.int32) for part, codes in found.items()}


AnyColumn = NumberColumn | TextColumn


def text_array(texts: Iterable[str]) -> np.ndarray:
    """Texts as a one-dimensional object array, none padded to the longest."""
    listed = texts.tolist() if isinstance(texts, np.ndarray) else list(texts)
    array = np.empty(len(listed), dtype=object)
    array[:] = listed
    return array


def column_of(values: list[Any], rows: np.ndarray | None = None, textual: bool = False) -> AnyColumn:
    """Plain values as a column: numbers and true/false when all are such, else text.

    Args:
        values: None, NaN and other missing values mixed with text, numbers or true/false.
        rows: (n,) which value each entity gets, -1 for none; None takes them as they stand.
        textual: whether text is prose.
    """
    given = [None if _missing(each) else each for each in values]
    wanted = given if rows is None else [given[row] if row >= 0 else None for row in rows.tolist()]
    present = [each for each in given if each is not None]
    if present and all(isinstance(each, bool | np.bool_) for each in present):
        return NumberColumn(_numbers(wanted), boolean=True)
    if all(isinstance(each, int | float | np.number | np.bool_) for each in present) and not textual:
        return NumberColumn(_numbers(wanted))
    vocabulary: dict[str, int] = {}
    codes = [-1 if each is None else vocabulary.setdefault(str(each), len(vocabulary)) for each in wanted]
    return TextColumn(np.array(codes, dtype=np.int32), text_array(vocabulary), textual)


def _numbers(values: list[Any]) -> np.ndarray:
    return np.array([np.nan if each is None else float(each) for each in values], dtype=np.float64)


def _missing(value: Any) -> bool:
    """None, NaN, NaT or pandas' NA: none of them equals itself, and NA will not even say so."""
    if value is None:
        return True
    if isinstance(value, str | bool | int):
        return False
    same = value == value
    return not isinstance(same, bool | np.bool_) or not bool(same)
