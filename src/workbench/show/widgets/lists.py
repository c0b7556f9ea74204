"""Controls over a recommendation list: who, how much exploration, how many places; a remote control without logic."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.show.tables import shorten
from workbench.show.widgets.screen import show_on


class ListControls(widgets.VBox):
    """A list that is asked for anew whenever a control is turned.

    Attributes:
        user, weight, places: the controls; setting `.value` redraws.
        screen: what is shown.
    """

    def __init__(
        self, users: Sequence[str], show: Callable[[str, float, int], Any], *, weight: float = 0.3, places: int = 10
    ):
        """Build the controls.

        Args:
            users: ids, the first one chosen at the start; at least one.
            show: user, exploration weight and number of places to something displayable.
            weight, places: at the start.

        Raises:
            ValueError: there are no users.
        """
        if not len(users):
            raise ValueError("there must be at least one user to choose from, got none")
        self._show = show
        self.user = widgets.Dropdown(options=[(shorten(user, 40), user) for user in users], description="User")
        self.weight = widgets.FloatSlider(
            value=weight, min=0.0, max=1.0, step=0.05, description="Explore", continuous_update=False
        )
        self.places = widgets.IntSlider(
            value=places, min=1, max=max(25, places), description="Places", continuous_update=False
        )
        self.screen = widgets.Output()
        controls = (self.user, self.weight, self.places)
        for control in controls:
            control.observe(self._redraw, names="value")
        super().__init__([widgets.HBox(controls, layout={"flex_flow": "row wrap"}), self.screen])
        self._redraw()

    def _redraw(self, change: object = None) -> None:
        show_on(self.screen, self._show(self.user.value, self.weight.value, self.places.value))
