"""Pick a user and see past and recommendations: a remote control around a function that a plain cell can call."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.show.widgets.screen import picker


def user_picker(users: Sequence[str], show: Callable[[str], Any]) -> widgets.VBox:
    """A drop-down of users above whatever `show` gives for the chosen one; see `picker`.

    Args:
        users: ids, the first one chosen at the start; at least one.
        show: id to something displayable, such as `lambda user: show_card(user_card(..., user))`.
    """
    return picker("User", [(str(user), user) for user in users], show)
