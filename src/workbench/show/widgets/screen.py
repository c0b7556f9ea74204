"""Put things on an output widget in one go, and choose with a drop-down what stands there.

Displaying into a widget from inside a callback can wait on the front end for ever; setting its outputs never does.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets


def show_on(screen: widgets.Output, *things: Any) -> None:
    """Replace what an output widget shows.

    Args:
        screen: changed.
        things: plotly figures, or whatever has `_repr_html_`; anything else is shown as text.
    """
    screen.outputs = tuple({"output_type": "display_data", "data": _data(each), "metadata": {}} for each in things)


def picker(what: str, choices: Sequence[tuple[str, Any]], show: Callable[[Any], Any]) -> widgets.VBox:
    """A drop-down above whatever `show` gives for the chosen value.

    Args:
        what: the drop-down's label.
        choices: label and value, the first one chosen at the start; at least one.
        show: value to something displayable.

    Returns:
        The widget; its first child is the drop-down, its second the output.

    Raises:
        ValueError: there is nothing to choose from.
    """
    if not len(choices):
        raise ValueError(f"there must be at least one {what.lower()} to choose from, got none")
    choice = widgets.Dropdown(options=list(choices), description=what)
    screen = widgets.Output()
    choice.observe(lambda change: show_on(screen, show(change["new"])), names="value")
    show_on(screen, show(choice.value))
    return widgets.VBox([choice, screen])


def _data(thing: Any) -> dict[str, Any]:
    if hasattr(thing, "to_plotly_json"):
        return {"application/vnd.plotly.v1+json": json.loads(thing.to_json()), "text/plain": type(thing).__name__}
    data = {"text/plain": repr(thing)}
    if hasattr(thing, "_repr_html_"):
        data["text/html"] = thing._repr_html_()
    return data
