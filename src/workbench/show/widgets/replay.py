"""Stepping through a replay: forth, back, or anywhere; a remote control without logic.

Going forth at the end puts the next event, where one is left; everything else only looks at what was.
"""

from collections.abc import Callable
from html import escape
from typing import Any

import ipywidgets as widgets

from workbench.errors import WorkbenchError
from workbench.serving.replay import Replay
from workbench.serving.replay_steps import Step
from workbench.show.widgets.screen import show_on


class ReplaySteps(widgets.VBox):
    """The steps of a replay, one at a time.

    Attributes:
        back, forth: buttons; at: the slider over the steps that there are; screen: what is shown.
        status: how far the replay has come, or what went wrong.
    """

    def __init__(self, replay: Replay, show: Callable[[Step], Any]):
        """Build it.

        Args:
            replay: fresh, or played already.
            show: a step to something displayable.
        """
        self.replay, self._show = replay, show
        self.back = widgets.Button(description="◀ Back", layout={"width": "auto"})
        self.forth = widgets.Button(description="Forth ▶", layout={"width": "auto"})
        self.at = widgets.IntSlider(min=0, max=0, value=0, description="Step", continuous_update=False)
        self.status = widgets.HTML(layout={"width": "auto"})
        self.screen = widgets.Output()
        self.back.on_click(lambda _: self._go(self.at.value - 1))
        self.forth.on_click(lambda _: self._go(self.at.value + 1))
        self.at.observe(lambda _: self._draw(), names="value")
        controls = widgets.HBox([self.back, self.at, self.forth], layout={"flex_flow": "row wrap"})
        super().__init__([controls, self.status, self.screen])
        self._draw()

    def _go(self, number: int) -> None:
        """Show a step; play it first where it is the next one."""
        try:
            if number > len(self.replay.steps) and self.replay.left:
                self.replay.step()
        except WorkbenchError as problem:
            self._say(str(problem))
            return
        self.at.max = len(self.replay.steps)
        self.at.value = min(max(number, 0), self.at.max)
        self._draw()

    def _draw(self) -> None:
        steps, number = self.replay.steps, self.at.value
        self.at.max = len(steps)
        self.back.disabled = number <= 1
        self.forth.disabled = number >= len(steps) and not self.replay.left
        self._say(f"{len(steps)} steps so far, {self.replay.left} events still to come.")
        show_on(self.screen, *([self._show(steps[number - 1])] if number else []))

    def _say(self, words: str) -> None:
        self.status.value = f'<div role="status" style="line-height:1.4">{escape(words)}</div>'
