"""Histories cut into windows, and windows into batches of about equally many events."""

from dataclasses import dataclass

import numpy as np
import torch

from workbench.recipes.contract import Histories


@dataclass(frozen=True)
class Windows:
    """Stretches of histories: window `w` covers the events `starts[w]` to `stops[w]`, exclusive.

    Each step but the last is an input, each but the first a target; consecutive windows of a user share one event, so
    that every event but a user's first is a target exactly once.
    """

    starts: np.ndarray
    stops: np.ndarray
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def steps(self) -> np.ndarray:
        """How many targets each window has."""
        return self.stops - self.starts - 1


def cut(offsets: np.ndarray, window: int) -> Windows:
    """Cut ragged histories into windows of at most `window` targets, full ones at the newest end.

    Args:
        offsets: (n_rows + 1,) of histories; rows with fewer than two events give none.
        window: at least 1.
    """
    targets = np.maximum(np.diff(offsets) - 1, 0)
    counts = -(-targets // window)
    rows = np.repeat(np.arange(len(targets)), counts)
    ends = np.cumsum(counts)
    from_end = np.arange(counts.sum()) - np.repeat(ends - counts, counts)
    stops = offsets[1:][rows] - from_end * window
    return Windows(np.maximum(offsets[:-1][rows], stops - window - 1), stops, rows)


def batches(windows: Windows, events: int, draw: torch.Generator) -> list[np.ndarray]:
    """Shuffle windows into batches of like length, about `events` targets each; their order is shuffled too."""
    order = torch.randperm(len(windows), generator=draw).numpy()
    order = order[np.argsort(-windows.steps[order], kind="stable")]  # a batch is as wide as its first window
    groups, start = [], 0
    while start < len(order):
        size = max(1, events // int(windows.steps[order[start]]))
        groups.append(order[start : start + size])
        start += size
    return [groups[place] for place in torch.randperm(len(groups), generator=draw).tolist()]


def lay_out(windows: Windows, chosen: np.ndarray, values: np.ndarray, fill: float) -> np.ndarray:
    """Write the chosen windows as rows, oldest event first, filled up behind: (len(chosen), longest + 1)."""
    starts, stops = windows.starts[chosen], windows.stops[chosen]
    places = starts[:, None] + np.arange(int((stops - starts).max()))
    inside = places < stops[:, None]
    return np.where(inside, values[np.minimum(places, len(values) - 1)], np.array(fill, dtype=values.dtype))


def newest(histories: Histories, window: int) -> Windows:
    """The last `window` events of every history, as windows whose steps are all inputs."""
    starts = np.maximum(histories.offsets[:-1], histories.offsets[1:] - window)
    return Windows(starts, histories.offsets[1:].copy(), np.arange(len(histories)))
