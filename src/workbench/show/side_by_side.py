"""Two tables beside each other, one below the other on a narrow screen."""

from dataclasses import dataclass
from html import escape

from workbench.recipes.examples import UserCard
from workbench.show.tables import Table, show_table

STYLE = (
    "<style>.wb-pair{display:flex;flex-wrap:wrap;gap:0 2em;margin:.2em 0 1.2em}.wb-pair>div{flex:1 1 16em;min-width:0}"
    ".wb-pair>div:last-child{flex-grow:2}.wb-pair .wb-table td:first-child{white-space:nowrap}"
    ".wb-pair .wb-table td,.wb-pair .wb-table th{padding:.25em .5em}"
    ".wb-pair .wb-table td.w{min-width:9em}"
    ".wb-pair-title{flex-basis:100%!important;font-weight:600}</style>"
)


@dataclass(frozen=True)
class SideBySide:
    """Shows two tables under one line of text, as escaped HTML or as plain text."""

    line: str
    left: Table
    right: Table

    def _repr_html_(self) -> str:
        return (
            f'{STYLE}<div class="wb-pair"><div class="wb-pair-title">{escape(self.line)}</div>'
            f"<div>{self.left._repr_html_()}</div><div>{self.right._repr_html_()}</div></div>"
        )

    def __repr__(self) -> str:
        return f"{self.line}\n{self.left!r}\n{self.right!r}"


def show_card(card: UserCard) -> SideBySide:
    """Show a user's past on the left and the recommendations on the right, hits marked in words."""
    listed = card.listed.drop(columns=["SCORE"]).replace({"HIT": {"": " "}})
    left = show_table(card.past, f"Newest {len(card.past)} of {card.past_events:,} past events", rows=len(card.past))
    return SideBySide(card.sentence, left, show_table(listed, "Recommended, best first", rows=len(listed)))
