"""New items and new events for a fitted table of related items, without another fit."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import ITEM_ID
from workbench.recipes.contract import TrainingData
from workbench.recipes.neighbours import chosen_by, cointeractions
from workbench.recipes.popularity import encode
from workbench.recipes.related_content import Content
from workbench.recipes.related_pairs import Pairs, row_blocks, strength, strongest, trimmed


@dataclass(frozen=True)
class Settings:
    """The values that a table of related items is made with."""

    shrinkage: float
    discount: float
    neighbours: int


@dataclass
class Taken:
    """A table of related items after new data, and what was counted; see `take_in`."""

    item_ids: np.ndarray
    chosen: np.ndarray
    pairs: Pairs
    counted: dict[str, int]


def take_in(
    item_ids: np.ndarray, chosen: np.ndarray, pairs: Pairs, content: Content | None, data: TrainingData, how: Settings
) -> Taken:
    """Add new items by their attributes and new co-interactions; `content` gets the vectors of new items.

    Args:
        item_ids, chosen, pairs: the table as it is; not changed. chosen: users of every item.
        content: None where the table was made without attributes.
        data: only what is new.
        how: the settled values.

    Returns:
        The new table. Counted: "new_items", "changed_items", "new_events", "events_repeated" (a user's second event
        with an item).
    """
    known = pd.Index(item_ids, dtype="object")
    rows = _rows_of(data.items)
    listed = [] if rows is None else rows[ITEM_ID]
    ids = _with_new(known, listed, data.interactions[ITEM_ID])
    index = pd.Index(ids, dtype="object")
    touched = np.arange(len(known), len(ids))
    changed = 0
    if content is not None:
        if rows is not None:
            touched = np.union1d(touched, index.get_indexer(listed))
        changed = int((touched < len(known)).sum())
        _replace(content, rows, ids, touched)
    fresh, users, counted = _new_pairs(data.interactions, index)
    chosen = np.concatenate([chosen, np.zeros(len(ids) - len(known), np.float32)]) + users
    merged = _merged(pairs, fresh, content, chosen, touched, how)
    return Taken(
        np.asarray(ids, dtype=object),
        chosen,
        merged,
        {"new_items": len(ids) - len(known), "changed_items": changed, **counted},
    )


def _rows_of(items: pd.DataFrame | None) -> pd.DataFrame | None:
    if items is None or items.empty:
        return None
    return items[items[ITEM_ID].notna()].drop_duplicates(ITEM_ID, keep="last")


def _with_new(known: pd.Index, *more: Iterable[str]) -> np.ndarray:
    """The known ids, then the new ones sorted as text."""
    new = {each for ids in more for each in ids} - set(known)
    return np.concatenate([known.to_numpy(dtype=object), np.array(sorted(new), dtype=object)])


def _replace(content: Content, rows: pd.DataFrame | None, ids: np.ndarray, touched: np.ndarray) -> None:
    """Set the vectors of new items and of known ones with a new row."""
    old = content.vectors
    vectors = content.vectors_of(rows, ids[touched])
    if isinstance(old, np.ndarray):
        content.vectors = np.concatenate([old, np.zeros((len(ids) - len(old), old.shape[1]), np.float32)])
        content.vectors[touched] = vectors
        return
    kept = np.ones(len(ids), dtype=np.float32)
    kept[touched] = 0.0
    height = len(ids)
    grown = sparse.csr_matrix((old.data, old.indices, _padded(old.indptr, height)), shape=(height, old.shape[1]))
    put = sparse.csr_matrix(
        (np.ones(len(touched), np.float32), (touched, np.arange(len(touched)))), shape=(height, len(touched))
    )
    content.vectors = sparse.csr_matrix(sparse.diags(kept) @ grown + put @ vectors, dtype=np.float32)


def _padded(indptr: np.ndarray, height: int) -> np.ndarray:
    return np.concatenate([indptr, np.full(height + 1 - len(indptr), indptr[-1], dtype=indptr.dtype)])


def _new_pairs(interactions: pd.DataFrame, index: pd.Index) -> tuple[sparse.csr_matrix, np.ndarray, dict[str, int]]:
    """Co-interactions within the new events, the users of every item in them, and what was counted."""
    n_items = len(index)
    if interactions.empty:
        counted = {"new_events": 0, "events_repeated": 0}
        return sparse.csr_matrix((n_items, n_items), dtype=np.float32), np.zeros(n_items, np.float32), counted
    users, codes, event_ids = encode(interactions)
    events = pd.DataFrame({"user": users, "item": index.get_indexer(event_ids)[codes]})
    chooses, left_out = chosen_by(events, n_items)
    counted = {
        "new_events": len(events),
        "events_repeated": int(events.duplicated().sum()),
        **({"events_beyond_pair_limit": left_out} if left_out else {}),
    }
    return cointeractions(chooses, 0), np.diff(chooses.tocsc().indptr).astype(np.float32), counted


def _merged(
    pairs: Pairs,
    fresh: sparse.csr_matrix,
    content: Content | None,
    chosen: np.ndarray,
    touched: np.ndarray,
    how: Settings,
) -> Pairs:
    """Join kept pairs, pairs of new events and pairs of touched items, and keep every row's strongest."""
    n = len(chosen)
    fresh = fresh.tocoo()
    near_rows, near_columns = _near(content, chosen, touched, how)
    rows = np.concatenate([pairs.rows, fresh.row, near_rows]).astype(np.int64)
    columns = np.concatenate([pairs.columns, fresh.col, near_columns]).astype(np.int64)
    shared = np.concatenate([pairs.shared, fresh.data, np.zeros(len(near_rows), np.float32)])
    keys, where = np.unique(rows * n + columns, return_inverse=True)
    rows, columns = np.divmod(keys, n)
    shared = np.bincount(where, shared, len(keys)).astype(np.float32)
    foreseen = np.zeros(len(keys), np.float32)
    if content is not None:
        kept = where[: len(pairs.columns)]
        foreseen[kept] = pairs.foreseen
        moved = np.ones(len(keys), dtype=bool)  # new pairs, and all pairs of touched items
        moved[kept] = False
        moved |= np.isin(rows, touched) | np.isin(columns, touched)
        foreseen[moved] = content.of_pairs(rows[moved], columns[moved])
    values = strength(shared, foreseen, chosen[rows], chosen[columns], shrinkage=how.shrinkage, discount=how.discount)
    return trimmed(rows, columns, shared, foreseen, values, how.neighbours, n)


def _near(
    content: Content | None, chosen: np.ndarray, touched: np.ndarray, how: Settings
) -> tuple[np.ndarray, np.ndarray]:
    """The pairs that attributes make of touched items, seen from both sides, the strongest of each side."""
    rows, columns = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    if content is None:
        return rows[0], columns[0]
    for part in row_blocks(len(chosen), len(touched)):
        asked = touched[part]
        foreseen = content.against_all(asked)
        foreseen[np.arange(len(asked)), asked] = 0.0
        values = strength(
            np.float32(0.0), foreseen, chosen[asked, None], chosen, shrinkage=how.shrinkage, discount=how.discount
        )
        found = strongest(values, how.neighbours)
        rows.append(asked[found[0]])
        columns.append(found[1])
        back = strongest(np.ascontiguousarray(values.T), how.neighbours)  # who has the touched items as neighbours
        rows.append(back[0])
        columns.append(asked[back[1]])
    return np.concatenate(rows), np.concatenate(columns)
