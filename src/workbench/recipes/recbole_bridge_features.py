"""Attributes of users and items as plain integer and float arrays, the way RecBole's models take them.

What a column means (category, number, prose) and how gaps, infinite numbers and rare values are treated is decided by
`workbench.recipes.features`, so no NaN and no text reaches RecBole.
"""

import json
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
import scipy.sparse as sp

from workbench.columns import ITEM_ID, USER_ID
from workbench.recipes.features import Category, Encoder, fit_features

LONGEST = 16  # values of one list column that are kept per row
TOKEN, LIST, NUMBER = "token", "list", "number"


@dataclass(frozen=True)
class Side:
    """Attributes of users or of items. Row 0 stands for somebody unknown and holds zeros.

    tokens: (rows, n_tokens) int32, the value's code from 1, 0 where it is missing.
    lists: (rows, n_lists, longest) int32, codes from 1, zeros behind.
    numbers: (rows, n_numbers, 2) float32: place from -1 to 1 and a 1; where missing, 1 and 0.
    sizes: (n_tokens + n_lists,) how many codes each has, 0 counted.
    columns: the table's names of tokens, lists and numbers, in this order.
    """

    tokens: np.ndarray
    lists: np.ndarray
    numbers: np.ndarray
    sizes: np.ndarray
    columns: tuple[str, ...]

    def fields(self, prefix: str) -> list[tuple[str, str, np.ndarray, int, str]]:
        """List the attributes as RecBole fields.

        Args:
            prefix: "user" or "item"; names of columns are the reader's and never become names of fields.

        Returns:
            Field name, kind ("token", "list", "number"), values, number of codes (0 for numbers) and column.
        """
        kinds = ((TOKEN, self.tokens), (LIST, self.lists), (NUMBER, self.numbers))
        laid = [(f"{prefix}_{kind}_{n}", kind, part[:, n]) for kind, part in kinds for n in range(part.shape[1])]
        sizes = [*self.sizes.tolist(), *([0] * self.numbers.shape[1])]
        return [(*each, size, column) for each, size, column in zip(laid, sizes, self.columns, strict=True)]

    @property
    def bytes_a_row(self) -> int:
        """Memory of one row once RecBole holds it: eight bytes a code, four a number."""
        return 8 * (self.tokens.shape[1] + self.lists.shape[1] * self.lists.shape[2]) + 8 * self.numbers.shape[1]

    def state(self) -> dict[str, np.ndarray]:
        """Give everything as arrays of numbers."""
        arrays = {name: getattr(self, name) for name in ("tokens", "lists", "numbers", "sizes")}
        return arrays | {"columns": np.frombuffer(json.dumps(self.columns).encode(), dtype=np.uint8)}

    @classmethod
    def restore(cls, state: dict[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        arrays = {name: state[name] for name in ("tokens", "lists", "numbers", "sizes")}
        return cls(**arrays, columns=tuple(json.loads(state["columns"].tobytes())))


@dataclass(frozen=True)
class Features:
    """The attributes a model works with.

    items: row c + 1 belongs to item code c.
    users: row c + 1 belongs to user code c, further rows to users without any event.
    user_ids: text of every row of `users` but the first.
    """

    items: Side
    users: Side
    user_ids: np.ndarray

    def rows_of(self, user_ids: np.ndarray) -> np.ndarray:
        """Find users' rows; 0 for somebody the users table does not know."""
        return pd.Index(self.user_ids, dtype=object).get_indexer(user_ids) + 1

    def state(self) -> dict[str, np.ndarray]:
        """Give everything as arrays of numbers, names begin with "features/"."""
        text, ends = pack(self.user_ids)
        arrays = {"user_bytes": text, "user_ends": ends}
        for side in ("items", "users"):
            arrays |= {f"{side}/{name}": value for name, value in getattr(self, side).state().items()}
        return {f"features/{name}": value for name, value in arrays.items()}

    @classmethod
    def restore(cls, state: dict[str, np.ndarray]) -> Self | None:
        """Take back what `state` gave; None where the model had no attributes."""
        if "features/user_ends" not in state:
            return None
        sides = [
            Side.restore(
                {name.rpartition("/")[2]: value for name, value in state.items() if f"features/{side}/" in name}
            )
            for side in ("items", "users")
        ]
        return cls(*sides, unpack(state["features/user_bytes"], state["features/user_ends"]))


def learn_features(
    items: pd.DataFrame | None,
    users: pd.DataFrame | None,
    item_ids: np.ndarray,
    user_ids: np.ndarray,
    most_values: int,
) -> tuple[Features, dict[str, Any]]:
    """Turn the items and the users table into arrays.

    Args:
        items, users: the tables, not changed; None where there is none.
        item_ids, user_ids: text, in the order of their codes.
        most_values: of one category column; rarer ones share a code.

    Returns:
        The attributes, and notes: per table which columns are used, which are not and why, and what was bundled.
    """
    everybody = np.asarray(user_ids, dtype=object)
    if users is not None and USER_ID in users.columns:
        cold = pd.Index(users[USER_ID].dropna().unique(), dtype=object).difference(everybody, sort=False)
        everybody = np.concatenate([everybody, cold.to_numpy(dtype=object)])
    item_side, item_notes = _learn_side(items, ITEM_ID, item_ids, most_values)
    user_side, user_notes = _learn_side(users, USER_ID, everybody, most_values)
    notes = {"item_attributes": item_notes, "user_attributes": user_notes}
    return Features(item_side, user_side, everybody), {name: note for name, note in notes.items() if note}


def pack(texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Write texts as UTF-8 bytes and the position where each ends."""
    parts = [str(text).encode() for text in texts]
    return np.frombuffer(b"".join(parts), dtype=np.uint8), np.cumsum([len(part) for part in parts], dtype=np.int64)


def unpack(text: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Read back what `pack` wrote."""
    whole, starts = text.tobytes(), np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    return np.array([whole[start:end].decode() for start, end in zip(starts, ends, strict=True)], dtype=object)


def _learn_side(
    frame: pd.DataFrame | None, id_column: str, ids: np.ndarray, most_values: int
) -> tuple[Side, dict[str, Any]]:
    if frame is None:
        return _side(sp.csr_matrix((len(ids), 0), dtype=np.float32), ()), {}
    space = fit_features(frame, id_column, text=False, most_values=most_values)
    side = _side(space.transform(frame, ids), space.encoders)
    counted = space.notes["columns"].items()
    notes: dict[str, Any] = {"used": list(side.columns), "left_out": space.notes["left_out"]}
    for what in ("values_bundled", "infinite_as_missing"):
        found = {name: int(counts[what]) for name, counts in counted if what in counts and name in side.columns}
        notes |= {what: found} if found else {}
    return side, notes


def _side(matrix: sp.csr_matrix, encoders: tuple[Encoder, ...]) -> Side:
    ends = np.cumsum([len(each.names) for each in encoders], dtype=np.int64)
    blocks = [(each, matrix[:, end - len(each.names) : end].tocsr()) for each, end in zip(encoders, ends, strict=True)]
    categories = [(each, block) for each, block in blocks if isinstance(each, Category)]
    single = [(each, block) for each, block in categories if np.diff(block.indptr).max(initial=0) <= 1]
    several = [(each, block) for each, block in categories if np.diff(block.indptr).max(initial=0) > 1]
    numbers = [(each, block) for each, block in blocks if not isinstance(each, Category)]
    longest = max((min(LONGEST, int(np.diff(block.indptr).max())) for _, block in several), default=1)
    laid = [*single, *several, *numbers]
    return Side(
        tokens=_stack([_codes(block, 1)[:, 0] for _, block in single], matrix.shape[0], (), np.int32),
        lists=_stack([_codes(block, longest) for _, block in several], matrix.shape[0], (longest,), np.int32),
        numbers=_stack([_places(block) for _, block in numbers], matrix.shape[0], (2,), np.float32),
        sizes=np.array([len(each.names) + 1 for each, _ in [*single, *several]], dtype=np.int64),
        columns=tuple(each.column for each, _ in laid),
    )


def _stack(parts: list[np.ndarray], rows: int, shape: tuple[int, ...], dtype: type) -> np.ndarray:
    """Put the columns side by side under a row of zeros."""
    stacked = np.zeros((rows + 1, len(parts), *shape), dtype=dtype)
    for number, part in enumerate(parts):
        stacked[1:, number] = part
    return stacked


def _codes(block: sp.csr_matrix, longest: int) -> np.ndarray:
    """Write each row's values, most frequent first, as codes from 1."""
    block.sort_indices()
    counts = np.diff(block.indptr)
    place = np.arange(len(block.indices)) - np.repeat(block.indptr[:-1], counts)
    kept = place < longest
    codes = np.zeros((block.shape[0], longest), dtype=np.int32)
    codes[np.repeat(np.arange(len(counts)), counts)[kept], place[kept]] = block.indices[kept] + 1
    return codes


def _places(block: sp.csr_matrix) -> np.ndarray:
    """Write a number's place and a 1, or 1 and 0 where it is missing: each has a vector of its own in RecBole."""
    cells = block.tocoo()
    places = np.zeros((block.shape[0], 2), dtype=np.float32)
    there = cells.col == 0
    places[cells.row[there]] = np.column_stack([cells.data[there], np.ones(there.sum())])
    places[cells.row[~there]] = (1.0, 0.0)
    return places
