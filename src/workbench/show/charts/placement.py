"""Where the name of a point goes, so that names do not cover each other or the points."""

import math
from collections.abc import Sequence

WIDTH, CHARACTER, LINE, GAP = 640.0, 6.6, 15.0, 9.0  # pixels: a usual drawing area, one letter, one line, off the point
# Plotly's words, with the corner of the text box relative to the point in units of its width and height.
PLACES = {
    "middle right": (0.0, -0.5),
    "middle left": (-1.0, -0.5),
    "top center": (-0.5, 0.0),
    "bottom center": (-0.5, -1.0),
    "top right": (0.0, 0.0),
    "bottom right": (0.0, -1.0),
    "top left": (-1.0, 0.0),
    "bottom left": (-1.0, -1.0),
}
Box = tuple[float, float, float, float]


def place_names(
    across: Sequence[float], up: Sequence[float], names: Sequence[str], height: float, log: bool = False
) -> list[str]:
    """Choose a side of every point for its name: the one that covers least of what is there already.

    Args:
        across, up: coordinates of the points; finite, and `across` above 0 on a logarithmic axis.
        names: what to write, one line each.
        height: of the drawing area in pixels; the vertical axis is taken to begin at 0.
        log: whether the horizontal axis is logarithmic.

    Returns:
        One of Plotly's `textposition` words per point.
    """
    along = [math.log10(value) for value in across] if log else list(across)
    x = _pixels(along, WIDTH, min(along) if log else min(0.0, *along))
    y = _pixels(up, height, 0.0)
    taken: list[Box] = [(a - 7, b - 7, a + 7, b + 7) for a, b in zip(x, y, strict=True)]
    found = []
    for a, b, name in zip(x, y, names, strict=True):
        boxes = {place: _box(a, b, CHARACTER * len(name), place) for place in PLACES}
        best = min(boxes, key=lambda place: _covered(boxes[place], taken, height))
        taken.append(boxes[best])
        found.append(best)
    return found


def _pixels(values: Sequence[float], length: float, low: float) -> list[float]:
    span = max(values) - low or 1.0
    return [(value - low) / span * length for value in values]


def _box(x: float, y: float, width: float, place: str) -> Box:
    right, above = PLACES[place]
    shift = GAP * ((right == 0) - (right == -1)), GAP * ((above == 0) - (above == -1))
    left, foot = x + right * width + shift[0], y + above * LINE + shift[1]
    return left, foot, left + width, foot + LINE


def _covered(box: Box, taken: list[Box], height: float) -> float:
    """Area shared with what is there, plus what would leave the drawing area."""
    shared = sum(
        max(0.0, min(box[2], each[2]) - max(box[0], each[0])) * max(0.0, min(box[3], each[3]) - max(box[1], each[1]))
        for each in taken
    )
    outside = max(0.0, -box[0]) + max(0.0, box[2] - WIDTH - 20), max(0.0, -box[1]) + max(0.0, box[3] - height - 10)
    return shared + LINE * outside[0] + 40 * outside[1]
