"""Which events a RecBole model trains on and which decide when to stop: plain integer arrays."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from workbench.errors import RecipeError
from workbench.recipes.contract import Histories
from workbench.recipes.recbole_bridge_features import Features
from workbench.recipes.recbole_bridge_models import CLOSED_FORM, SEQUENTIAL

VALIDATION_USERS = 2_000  # enough for a steady validation metric; more only cost time


@dataclass(frozen=True)
class Rows:
    """Events sorted by user, each user's in time order.

    users, items: (n_events,) int64 codes from 0.
    starts: (n_events,) position of the first event of the same user.
    train, valid: positions of the events to learn from and to validate on; for a sequence model each stands for the
        row of the events before it.
    n_users, n_items: how many codes there are.
    features: attributes of users and items, for the models that use them.
    """

    users: np.ndarray
    items: np.ndarray
    starts: np.ndarray
    train: np.ndarray
    valid: np.ndarray
    n_users: int
    n_items: int
    features: Features | None = None

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


def make_rows(histories: Histories, n_items: int, features: Features | None = None) -> Rows:
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
        features=features,
    )


def choose_rows(
    rows: Rows, model: str, kind: str, parameters: dict[str, Any], seed: int
) -> tuple[Rows, dict[str, Any]]:
    """Choose the training rows of a model; the same rows and seed give the same choice.

    Returns:
        The rows, and notes: what was left out or capped, as counts.

    Raises:
        RecipeError: nothing is left to learn from.
    """
    chosen, older = newest_only(rows, parameters["max_history"])
    notes: dict[str, Any] = {"events_left_out_by_max_history": older} if older else {}
    need = "a user with two events"
    if kind == SEQUENTIAL:
        chosen = only_with_past(chosen)
        before, chosen = len(chosen.train), cap_rows(chosen, parameters["max_rows"], np.random.default_rng(seed))
        notes |= {"prefix_rows": before, "prefix_rows_used": len(chosen.train)}
        if before > len(chosen.train):
            notes["capped_by"] = f"max_rows={parameters['max_rows']}: each user's newest rows first, others by chance"
    elif model not in CLOSED_FORM:
        need = "a user who has not had every item"
        chosen, full = without_full_users(chosen)
        if full:
            notes["users_left_out_because_they_had_every_item"] = full
    if not len(chosen.train):
        raise RecipeError(
            f"recbole:{model}: nothing to train on: {len(rows.users):,} events, but not {need}. "
            "Take a larger data set, or a recipe that learns without comparing, such as recbole:EASE."
        )
    return chosen, notes


def newest_only(rows: Rows, most: int) -> tuple[Rows, int]:
    """Train on each user's newest `most` events alone; 0 keeps all.

    Returns:
        The rows and how many events were left out.
    """
    if not most:
        return rows, 0
    ends = rows.starts + np.bincount(rows.users, minlength=rows.n_users)[rows.users]
    kept = rows.train[ends[rows.train] - rows.train <= most]
    return replace(rows, train=kept), len(rows.train) - len(kept)


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


def hold_out_last(rows: Rows, rng: np.random.Generator, most: int = VALIDATION_USERS) -> Rows:
    """Move the last training event of some users to validation.

    Only users with at least three training events take part, so that two stay; at most `most` of them.
    """
    users = rows.users[rows.train]
    last = np.flatnonzero(np.r_[users[1:] != users[:-1], True]) if len(users) else np.array([], dtype=np.int64)
    counts = np.diff(np.r_[-1, last])
    last = last[counts >= 3]
    if len(last) > most:
        last = np.sort(rng.choice(last, most, replace=False))
    kept = np.ones(len(rows.train), dtype=bool)
    kept[last] = False
    return replace(rows, train=rows.train[kept], valid=rows.train[last])
