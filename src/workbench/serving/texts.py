"""Many texts in two arrays that can be memory-mapped: opening them costs nothing, reading one costs one slice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np

from workbench.serving.tables import text_array

WHOLE = 4_096  # a vocabulary up to this size is decoded at once when it is first needed


@dataclass(frozen=True, eq=False)
class Texts:
    """Texts by position.

    packed: (b,) uint8, all texts in UTF-8, one after the other.
    ends: (n,) int64, where each one ends.
    """

    packed: np.ndarray
    ends: np.ndarray

    @classmethod
    def of(cls, texts: Iterable[str]) -> Self:
        """Pack texts, in their order."""
        encoded = [each.encode("utf-8", "surrogatepass") for each in texts]
        lengths = np.array([len(each) for each in encoded], dtype=np.int64)
        return cls(np.frombuffer(b"".join(encoded), dtype=np.uint8), np.cumsum(lengths, dtype=np.int64))

    def __len__(self) -> int:
        return len(self.ends)

    def __iter__(self) -> Iterator[str]:
        return iter(self.array.tolist())

    def __getitem__(self, position: int) -> str:
        return self._raw(position).decode("utf-8", "surrogatepass")

    def find(self, text: str) -> int:
        """The position of a text among texts sorted by their bytes, -1 when it is not there."""
        wanted = text.encode("utf-8", "surrogatepass")
        low, high = 0, len(self.ends)
        while low < high:
            middle = (low + high) // 2
            if self._raw(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self.ends) and self._raw(low) == wanted else -1

    @cached_property
    def array(self) -> np.ndarray:
        """All texts, (n,) object; decoded when first asked for."""
        whole, ends = self.packed.tobytes(), self.ends.tolist()
        starts = [0, *ends][:-1]
        return text_array(
            whole[start:end].decode("utf-8", "surrogatepass") for start, end in zip(starts, ends, strict=True)
        )

    def take(self, codes: np.ndarray) -> np.ndarray:
        """The texts at these positions, (m,) object; None where the code is -1."""
        if len(self.ends) <= WHOLE:
            return self._with_none[codes]
        found = np.empty(len(codes), dtype=object)
        found[:] = [self[code] if code >= 0 else None for code in codes.tolist()]
        return found

    @cached_property
    def _with_none(self) -> np.ndarray:
        """The texts and then None, which -1 picks."""
        return np.concatenate([self.array, np.array([None], dtype=object)])

    @cached_property
    def _view(self) -> tuple[memoryview, memoryview]:
        return memoryview(np.ascontiguousarray(self.packed)), memoryview(np.ascontiguousarray(self.ends))

    def _raw(self, position: int) -> bytes:
        text, ends = self._view
        return bytes(text[ends[position - 1] if position else 0 : ends[position]])
