"""Histories laid out for the Gram products: one event after another, with its weights and the time it came at."""

from dataclasses import dataclass

import numpy as np

DAY = 86_400
OBLIVION = 100.0  # half-lives after which nothing fades further: 1e-30, and no product of two leaves float64


@dataclass(frozen=True)
class Sequences:
    """Every user's events one after another, oldest first.

    items: (n,) item codes.
    first, last: (n,) index of the first and the last event of the same user.
    inputs: (n,) weight of the event as a feature.
    targets: (n,) weight of the row that predicts the event.
    clock: (n,) time in half-lives, ascending within a user; None where only the order of events counts.
    """

    items: np.ndarray
    first: np.ndarray
    last: np.ndarray
    inputs: np.ndarray
    targets: np.ndarray
    clock: np.ndarray | None = None

    def fade(self, early: np.ndarray, late: np.ndarray) -> np.ndarray | float:
        """Say which part of their weight events have kept at the times of later ones of the same user."""
        return 1.0 if self.clock is None else fade(self.clock[late] - self.clock[early])


def sequences(
    items: np.ndarray,
    offsets: np.ndarray,
    inputs: np.ndarray | None = None,
    targets: np.ndarray | None = None,
    clock: np.ndarray | None = None,
) -> Sequences:
    """Lay ragged histories out as sequences; weights that are not given are 1.

    Args:
        items: (n,) item codes; user u has items[offsets[u]:offsets[u + 1]], oldest first.
        offsets: (n_users + 1,).
        inputs, targets: (n,) weights, >= 0.
        clock: (n,) from `half_lives`.
    """
    lengths = np.diff(offsets)
    ones = np.ones(len(items))
    return Sequences(
        items=items.astype(np.int64),
        first=np.repeat(offsets[:-1], lengths),
        last=np.repeat(offsets[1:] - 1, lengths),
        inputs=ones if inputs is None else inputs.astype(np.float64),
        targets=ones if targets is None else targets.astype(np.float64),
        clock=clock,
    )


def half_lives(times: np.ndarray, offsets: np.ndarray, days: float | None) -> np.ndarray | None:
    """Count the half-lives from the first event of a history to each of its events.

    Args:
        times: (n,) epoch seconds, ascending within a history.
        offsets: (n_histories + 1,).
        days: the half-life; None where time does not count.

    Returns:
        (n,) float64, or None.
    """
    if days is None:
        return None
    return (times - times[np.repeat(offsets[:-1], np.diff(offsets))]) / (days * DAY)


def fade(passed: np.ndarray) -> np.ndarray:
    """Turn half-lives into the part of a weight that is left after them, 1 for none.

    Only differences of times come in here, so no power overflows; beyond OBLIVION the part stays where it is, so that
    none of the products it goes into falls among the denormal numbers, which are slow.
    """
    return np.exp2(-np.clip(passed, 0.0, OBLIVION))
