"""A step of a replay: the list before the event and after it, with a sign and words for every item that moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from workbench.serving.picks import DOWN, GONE, PICKED, SAME, UP, Move
from workbench.serving.replay_steps import Step
from workbench.serving.responses import Response
from workbench.serving.tables import EntityTable
from workbench.show.lists import Line, Lists, details_of, title_of
from workbench.show.movie_words import moved
from workbench.show.replay_words import step_sentence
from workbench.show.tables import shorten

LONG = 70  # characters of a title


@dataclass(frozen=True)
class StepView:
    """Shows what happened above both lists; below each other where the page is narrow. Or as plain text."""

    said: str
    lists: Lists

    def _repr_html_(self) -> str:
        said = f'<div role="status" style="margin:.4em 0 .2em;line-height:1.4">{escape(self.said)}</div>'
        return said + self.lists._repr_html_()

    def __repr__(self) -> str:
        return f"{self.said}\n{self.lists!r}"


def show_step(step: Step, items: EntityTable, columns: Sequence[str] = (), *, why: bool = True) -> StepView:
    """Show a step.

    Args:
        step: of a replay.
        items: of the campaign, for titles and attributes.
        columns: attributes to show.
        why: show the reason of every item of the new list.
    """
    ways = {each.item_id: each for each in step.moves}
    before = _lines(step.before, items, columns, {item: goes(each) for item, each in ways.items()}, False)
    after = _lines(step.after, items, columns, {item: moved(each) for item, each in ways.items()}, why)
    return StepView(step_sentence(step, items), Lists((("Before", "", before), ("After", "", after))))


def goes(move: Move) -> str:
    """What becomes of an item of the list before: such as "▼ goes down to 7"."""
    return {
        UP: f"▲ goes up to {move.place}",
        DOWN: f"▼ goes down to {move.place}",
        SAME: "= stays",
        GONE: "− goes",
        PICKED: "✓ is chosen",
    }.get(move.how, "")


def _lines(
    response: Response, items: EntityTable, columns: Sequence[str], ways: dict[str, str], why: bool
) -> tuple[Line, ...]:
    return tuple(
        Line(
            place=each.position,
            title=shorten(title_of(items, each.item_id), LONG),
            moved=ways.get(each.item_id, ""),
            detail=details_of(items, each.item_id, columns),
            why=each.explanation.text if why and each.explanation is not None else "",
        )
        for each in response.items
    )
