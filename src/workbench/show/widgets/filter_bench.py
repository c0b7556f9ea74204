"""The filter bench live: type, and see how it is read, what it removes, and the list; a remote control."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from workbench.show.tables import shorten
from workbench.show.widgets.screen import show_on

OWN = "your own"


class FilterControls(widgets.VBox):
    """A text area for a filter above everything about it, shown anew with every change.

    Attributes:
        example, text, values, user, item: the controls; setting `.value` redraws.
        screen: what is shown.
    """

    def __init__(
        self,
        users: Sequence[str],
        show: Callable[[str, str, str, str], Sequence[Any]],
        *,
        examples: Mapping[str, str] | None = None,
        text: str = "",
        values: str = "",
        item: str = "",
    ):
        """Build the controls.

        Args:
            users: ids, the first one chosen at the start; at least one.
            show: filter, user, values as typed and item to things to display, such as `filter_view.show_attempt`.
            examples: name to filter, to begin from.
            text, values, item: at the start.

        Raises:
            ValueError: there are no users.
        """
        if not len(users):
            raise ValueError("there must be at least one user to choose from, got none")
        self._show = show
        wide = {"width": "100%", "max_width": "60em"}
        self._examples = dict(examples or {})
        names = [(shorten(name, 60), name) for name in self._examples]
        self.example = widgets.Dropdown(options=[(OWN, None), *names], description="Begin with")
        self.text = widgets.Textarea(value=text, description="Filter", rows=4, layout=wide)
        self.values = widgets.Text(
            value=values, description="Values", placeholder='{"GENRES": ["Comedy"]}', layout=wide
        )
        self.user = widgets.Dropdown(options=[(shorten(user, 40), user) for user in users], description="User")
        self.item = widgets.Text(value=item, description="Why item", placeholder="an item's id")
        self.screen = widgets.Output()
        self.example.observe(self._take, names="value")
        for control in (self.text, self.values, self.user, self.item):
            control.observe(self._redraw, names="value")
        row = widgets.HBox([self.example, self.user, self.item], layout={"flex_flow": "row wrap"})
        super().__init__([row, self.text, self.values, self.screen])
        self._redraw()

    def _take(self, change: Mapping[str, Any]) -> None:
        if change["new"] is not None:
            self.text.value = self._examples[change["new"]]

    def _redraw(self, change: object = None) -> None:
        show_on(self.screen, *self._show(self.text.value, self.user.value, self.values.value, self.item.value.strip()))
