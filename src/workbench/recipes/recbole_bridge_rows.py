"""Which events a RecBole model trains on and which decide when to stop: plain integer arrays."""

from dataclasses import dataclass, replace

import numpy as np

from workbench.recipes.contract import Histories

VALIDATION_USERS = 2_000  # enough for a steady validation metric; more only cost time


@dataclass(frozen=True)
class Rows:
    """Events sorted by user, each user's in time order.

    users, items: (n_events,) int64 codes from 0.
    starts: (n_events,) position of the first event of the same user.
    train, valid: positions of the events to learn from and to validate on; for a sequence model each stands for the
        row of the events before it.
    n_users, n_items: how many codes there are.
    """

    users: np.ndarray
    items: np.ndarray
    starts: np.ndarray
    train: np.ndarray
    valid: np.ndarray
    n_users: int
    n_items: int

    def prefixes(self, targets: np.ndarray, longest: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the items before each target, oldest first, zeros behind, as RecBole's ids (code + 1).

        Returns:
            (len(targets), longest) ids and (len(targets),) lengths, both int64.
        """
        lengths = np.minimum(targets - self.starts[targets], longest)
        positions = (targets - lengths)[:, None] + np.arange(longest)
        inside = np.arange(longest) < lengths[:, None]
        lists = np.where(inside, self.items[np.where(inside, positions, 0)] + 1, 0)
        return lists, lengths


def make_rows(histories: Histories, n_items: int) -> Rows:
    """Lay out all events for training, none for validation."""
    sizes = np.diff(histories.offsets)
    users = np.repeat(np.arange(len(histories), dtype=np.int64), sizes)
    return Rows(
        users=users,
        items=histories.items.astype(np.int64),
        starts=np.repeat(histories.offsets[:-1], sizes),
        train=np.arange(len(users), dtype=np.int64),
        valid=np.array([], dtype=np.int64),
        n_users=len(histories),
        n_items=n_items,
    )


def without_full_users(rows: Rows) -> tuple[Rows, int]:
    """Leave out of training the users who had every item: nothing is left to sample against.

    Returns:
        The rows and how many users were left out.
    """
    pairs = np.unique(rows.users * rows.n_items + rows.items)
    full = np.bincount(pairs // rows.n_items, minlength=rows.n_users) == rows.n_items
    return replace(rows, train=rows.train[~full[rows.users[rows.train]]]), int(full.sum())


def only_with_past(rows: Rows) -> Rows:
    """Keep as training targets the events that have one before them: a sequence model needs a history."""
    return replace(rows, train=rows.train[rows.train > rows.starts[rows.train]])


def cap_rows(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    """Keep at most `most` training rows: each user's newest first of all, then a random sample of the others."""
    if len(rows.train) <= most:
        return rows
    newest = np.r_[rows.users[rows.train][1:] != rows.users[rows.train][:-1], True]
    order = rng.permutation(len(rows.train))
    order = order[np.argsort(~newest[order], kind="stable")]
    return replace(rows, train=np.sort(rows.train[order[:most]]))


def hold_out_last(rows: Rows, rng: np.random.Generator) -> Rows:
    """Move the last training event of some users to validation.

    Only users with at least three training events take part, so that two stay; at most 2,000 of them.
    """
    users = rows.users[rows.train]
    last = np.flatnonzero(np.r_[users[1:] != users[:-1], True]) if len(users) else np.array([], dtype=np.int64)
    counts = np.diff(np.r_[-1, last])
    last = last[counts >= 3]
    if len(last) > VALIDATION_USERS:
        last = np.sort(rng.choice(last, VALIDATION_USERS, replace=False))
    kept = np.ones(len(rows.train), dtype=bool)
    kept[last] = False
    return replace(rows, train=rows.train[kept], valid=rows.train[last])
