"""What the network reads beside item codes: event types, time between events, context of a request, attributes."""

from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import Tensor

from workbench.columns import (
    EVENT_ATTRIBUTION_SOURCE,
    EVENT_TYPE,
    EVENT_VALUE,
    IMPRESSION,
    ITEM_ID,
    RECOMMENDATION_ID,
    TIMESTAMP,
    USER_ID,
)
from workbench.recipes.contract import Histories
from workbench.recipes.transformer_network import Steps
from workbench.recipes.transformer_windows import Windows, lay_out

GAPS = 32  # powers of two of seconds: the last one begins at 68 years
MOST_VALUES = 200  # of one context column; rarer ones are unknown
LOOKED_AT = 1_000  # values of a column, to tell single ones from lists
WHOLE = 2.0**53  # whole numbers up to here are exact as floats
# Who, what and when, and what is known only after the list was shown: where an event came from tells of the answer.
SHOWN = {IMPRESSION, RECOMMENDATION_ID, EVENT_ATTRIBUTION_SOURCE}
NOT_CONTEXT = {USER_ID, ITEM_ID, TIMESTAMP, EVENT_TYPE, EVENT_VALUE} | SHOWN


@dataclass(frozen=True)
class Vocabulary:
    """The values the network has a vector for.

    types: EVENT_TYPE values in code order; others get the code behind them.
    contexts: column of the interactions to its values; codes count on from column to column.
    timed: whether the time between events is read.
    """

    types: list[str] = field(default_factory=list)
    contexts: dict[str, list[str]] = field(default_factory=dict)
    timed: bool = False

    @property
    def n_types(self) -> int:
        """Codes of event types, unknown ones included; 0 when the log has at most one type."""
        return len(self.types) + 1 if self.types else 0

    @property
    def n_contexts(self) -> int:
        """Codes of context values."""
        return sum(map(len, self.contexts.values()))


def learn_vocabulary(events: pd.DataFrame) -> tuple[Vocabulary, dict[str, int]]:
    """Collect event types and context values.

    Args:
        events: interactions.

    Returns:
        The vocabulary, its context columns sorted by name; and for every one of them how many events carry a value
        too rare for a vector of its own.
    """
    types = sorted(map(str, events[EVENT_TYPE].dropna().unique())) if EVENT_TYPE in events else []
    contexts, rare = {}, {}
    for name in sorted(map(str, set(events.columns) - set(not_context(events)) - NOT_CONTEXT)):
        counts = as_texts(events[name]).dropna().value_counts()
        contexts[name] = sorted(counts.index[:MOST_VALUES])
        rare[name] = int(counts.iloc[MOST_VALUES:].sum())
    times = events[TIMESTAMP].to_numpy()
    return Vocabulary(types if len(types) > 1 else [], contexts, bool(len(times) and times.min() != times.max())), rare


def with_cold(met: np.ndarray, items: pd.DataFrame | None) -> np.ndarray:
    """Items with events first, then those that only the items table knows."""
    if items is None:
        return met
    known = pd.Index(met)
    more = pd.Index(items[ITEM_ID].unique())
    return np.concatenate([met, np.asarray(more[~more.isin(known)], dtype=object)])


def not_context(events: pd.DataFrame) -> dict[str, str]:
    """Say which further columns of the interactions are no context, and why."""
    found = {}
    for name in set(events.columns) - NOT_CONTEXT:
        column = events[name]
        if pd.api.types.is_float_dtype(column.dtype) or pd.api.types.is_datetime64_any_dtype(column.dtype):
            found[name] = f"{column.dtype} is a measure, and context is a choice among values"
        elif not all(isinstance(each, Hashable) for each in column.dropna().iloc[:LOOKED_AT]):
            found[name] = f"{type(column.dropna().iloc[0]).__name__} is no single value"
        elif as_texts(column).nunique() < 2:
            found[name] = "the same wherever there is a value" if column.notna().any() else "no value in any event"
    return dict(sorted(found.items()))


def as_texts(values: np.ndarray | pd.Series) -> pd.Series:
    """Write values as text; whole numbers alike whether others are missing, which makes them floats, or not."""
    column = pd.Series(values)
    if pd.api.types.is_float_dtype(column.dtype):
        there = column.dropna().to_numpy(dtype=np.float64)
        if (np.abs(there) < WHOLE).all() and (there == np.floor(there)).all():
            column = column.astype("Int64")
    return column.astype("str")


class Reader:
    """Histories as codes, ready to be cut into batches."""

    def __init__(self, histories: Histories, words: Vocabulary, n_items: int, users: sparse.csr_matrix | None = None):
        self.words, self.n_items, self.users = words, n_items, users
        self.items, self.offsets = histories.items.astype(np.int64), histories.offsets
        first = histories.offsets[:-1][np.diff(histories.offsets) > 0]
        self.gaps = _gap_codes(histories.times, first) if words.timed else None
        self.types = self.contexts = None
        if words.types:
            codes = pd.Index(words.types).get_indexer(_texts(histories, EVENT_TYPE))
            self.types = np.where(codes < 0, len(words.types), codes)
        if words.contexts:
            columns = {name: _texts(histories, name) for name in words.contexts}
            self.contexts = context_codes(words, columns, len(self.items))

    def steps(self, windows: Windows, chosen: np.ndarray, device: torch.device, cut: int = 1) -> tuple[Steps, Tensor]:
        """Lay windows out.

        Args:
            windows, chosen: which ones.
            device: where to.
            cut: 1 leaves the newest event to the targets; 0 reads all events, with unknown context.

        Returns:
            The steps, and the codes of the events behind them (rows, steps), `n_items` where nothing follows.
        """
        table = lay_out(windows, chosen, self.items, self.n_items)
        stop = table.shape[1] - cut
        items, behind = table[:, :stop], table[:, cut:]

        def laid(values: np.ndarray | None, fill: int = 0, start: int = 0) -> Tensor | None:
            if values is None:
                return None
            part = lay_out(windows, chosen, values, fill)[:, start : start + stop]
            return torch.from_numpy(part).to(device)

        contexts = None
        if self.contexts is not None and cut:
            parts = [laid(each, self.words.n_contexts, 1) for each in self.contexts.T]
            contexts = torch.stack(parts, dim=-1)
        users = None
        if self.users is not None:
            users = torch.from_numpy(self.users[windows.rows[chosen]].toarray()).to(device)
        steps = Steps(torch.from_numpy(items).to(device), laid(self.types), laid(self.gaps), contexts, users)
        return steps, torch.from_numpy(behind).to(device)


def context_codes(words: Vocabulary, columns: dict[str, np.ndarray], n: int) -> np.ndarray:
    """Codes of context values, (n, columns); the code behind the last one where a value is missing or unknown."""
    codes, start = np.full((n, len(words.contexts)), words.n_contexts, dtype=np.int64), 0
    for place, (name, values) in enumerate(words.contexts.items()):
        if name in columns:
            found = pd.Index(values).get_indexer(as_texts(columns[name]))
            codes[:, place] = np.where(found < 0, words.n_contexts, start + found)
        start += len(values)
    return codes


def attribute_tensor(features: sparse.csr_matrix | None, device: torch.device) -> Tensor | None:
    """Features with an empty row for "no event" behind them, as a sparse tensor of torch."""
    if features is None or not features.shape[1]:
        return None
    table = sparse.vstack([features, sparse.csr_matrix((1, features.shape[1]), dtype=np.float32)]).tocoo()
    places = torch.from_numpy(np.stack([table.row, table.col]).astype(np.int64))
    values = torch.from_numpy(table.data.astype(np.float32))
    return torch.sparse_coo_tensor(places, values, table.shape, check_invariants=False).coalesce().to(device)


def _texts(histories: Histories, name: str) -> np.ndarray:
    if name not in histories.columns:
        return np.full(len(histories.items), "", dtype=object)
    return as_texts(histories.columns[name]).to_numpy()


def _gap_codes(times: np.ndarray, first: np.ndarray) -> np.ndarray:
    """Powers of two of the seconds since the event before, from 1; 0 for the first event of a history."""
    gaps = np.diff(times, prepend=times[:1]).clip(min=0)
    codes = np.minimum(GAPS - 1, np.log2(1.0 + gaps).astype(np.int64) + 1)
    codes[first] = 0
    return codes
