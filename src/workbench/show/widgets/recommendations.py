"""Pick a user and see past and recommendations: a remote control around a function that a plain cell can call."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.show.widgets.screen import show_on


def user_picker(users: Sequence[str], show: Callable[[str], Any]) -> widgets.VBox:
    """A drop-down of users above whatever `show` gives for the chosen one.

    Args:
        users: ids, the first one chosen at the start; at least one.
        show: id to something displayable, such as `lambda user: show_card(user_card(..., user))`.

    Returns:
        The widget; its first child is the drop-down, its second the output.
    """
    if not len(users):
        raise ValueError("user_picker needs at least one user")
    choice = widgets.Dropdown(options=[(str(user), user) for user in users], description="User")
    output = widgets.Output()

    def redraw(change: dict[str, Any]) -> None:
        show_on(output, show(change["new"]))

    choice.observe(redraw, names="value")
    redraw({"new": choice.value})
    return widgets.VBox([choice, output])
