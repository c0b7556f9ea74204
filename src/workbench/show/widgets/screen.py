"""Put things on an output widget in one go.

Displaying into a widget from inside a callback can wait on the front end for ever; setting its outputs never does.
"""

import json
from typing import Any

import ipywidgets as widgets


def show_on(screen: widgets.Output, *things: Any) -> None:
    """Replace what an output widget shows.

    Args:
        screen: changed.
        things: plotly figures, or whatever has `_repr_html_`; anything else is shown as text.
    """
    screen.outputs = tuple({"output_type": "display_data", "data": _data(each), "metadata": {}} for each in things)


def _data(thing: Any) -> dict[str, Any]:
    if hasattr(thing, "to_plotly_json"):
        return {"application/vnd.plotly.v1+json": json.loads(thing.to_json()), "text/plain": type(thing).__name__}
    data = {"text/plain": repr(thing)}
    if hasattr(thing, "_repr_html_"):
        data["text/html"] = thing._repr_html_()
    return data
