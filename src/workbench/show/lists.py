"""Recommendation lists beside each other: place, title, attributes, what put the item there, and why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from workbench.serving.answers import NEW, UNKNOWN
from workbench.serving.reasons import TITLES
from workbench.serving.responses import EXPLORATION, POPULAR, PROMOTED, RecommendedItem, Response
from workbench.serving.tables import EntityTable
from workbench.show.tables import PLAIN, shorten, text

MARKS = {
    EXPLORATION: "◆ explored",
    PROMOTED: "★ promoted",
    POPULAR: "● popular",
    NEW: "○ new",
    UNKNOWN: "? unknown",
}
LOUD = {EXPLORATION, PROMOTED}  # marked by a frame too
DETAIL = 70  # characters of one attribute
STYLE = (
    "<style>.wb-lists{display:flex;flex-wrap:wrap;gap:.6em 1.6em;margin:.4em 0 1em}"
    ".wb-lists>div{flex:1 1 15em;min-width:0;max-width:34em}.wb-lists .h{font-weight:600}"
    ".wb-lists .s{color:#4b5563;font-size:.88em;margin-bottom:.3em}"
    ".wb-lists.wb-lists ol{list-style:none;margin:0;padding:0}"
    ".wb-lists li{display:flex;padding:.3em .5em;border-bottom:1px solid #d1d5db;overflow-wrap:anywhere;"
    "line-height:1.35}.wb-lists li>div{min-width:0}"
    ".wb-lists li.loud{border:2px dashed #b45309;border-radius:4px;margin:2px 0}"
    ".wb-lists .p{flex:0 0 1.9em;font-variant-numeric:tabular-nums;color:#4b5563}"
    ".wb-lists .t{font-weight:500}.wb-lists .m{font-size:.85em;border:1px solid #6b7280;border-radius:3px;"
    "padding:0 .35em;margin-left:.4em;white-space:nowrap}.wb-lists .v{font-size:.85em;margin-left:.4em;"
    "white-space:nowrap;color:#4b5563}.wb-lists .d{color:#4b5563;font-size:.88em;}</style>"
)


@dataclass(frozen=True)
class Line:
    """One place of a list.

    title: of the item; mark: what put it there, in words and a sign; loud: whether it is framed.
    moved: against the list that is compared with, such as "▲ 3" or "new here"; detail: attributes; why: the reason.
    """

    place: int
    title: str
    mark: str = ""
    loud: bool = False
    moved: str = ""
    detail: str = ""
    why: str = ""


@dataclass(frozen=True)
class Lists:
    """Shows lists beside each other, one below the other on a narrow screen, as escaped HTML or as plain text.

    columns: heading, a line below it, and the places.
    """

    columns: tuple[tuple[str, str, tuple[Line, ...]], ...]

    def _repr_html_(self) -> str:
        return f'{STYLE}<div class="wb-lists {PLAIN}">{"".join(map(_column, self.columns))}</div>'

    def __repr__(self) -> str:
        found = []
        for heading, below, lines in self.columns:
            found += [heading, *([below] if below else [])]
            for line in lines:
                said = (line.mark, line.moved, line.detail, line.why)
                found.append(" · ".join([f"{line.place:>3} {line.title}", *filter(None, said)]))
        return "\n".join(found)


def show_lists(
    responses: Mapping[str, Response],
    items: EntityTable,
    columns: Sequence[str] = (),
    *,
    against: str | None = None,
    why: bool = True,
) -> Lists:
    """Put answers beside each other.

    Args:
        responses: heading to answer, in the order of the columns.
        items: of the campaign, for titles and attributes.
        columns: attributes to show; those that the items do not have are left out.
        against: heading of the list that the others are compared with, place by place.
        why: show explanations, where the request asked for them, or else the recipe's reason.
    """
    before = None if against is None else responses[against].item_ids
    found = []
    for heading, response in responses.items():
        compared = None if heading == against else before
        several = len({each.promotion_name for each in response.items} - {None}) > 1
        lines = tuple(_line(each, items, columns, compared, why, several) for each in response.items)
        found.append((heading, _below(response), lines))
    return Lists(tuple(found))


def title_of(items: EntityTable, item_id: str) -> str:
    """What people know an item by: its title, or the id where there is none."""
    column = next((name for name in TITLES if name in items.columns), None)
    title = None if column is None else items.value(items.code_of(item_id), column)
    return item_id if title is None else str(title)


def details_of(items: EntityTable, item_id: str, columns: Sequence[str]) -> str:
    """Attributes of an item in one line; columns and values that there are not are left out."""
    code = items.code_of(item_id)
    found = [items.value(code, name) for name in columns if name in items.columns]
    return " · ".join(shorten(text(each).replace("|", ", "), DETAIL) for each in found if each is not None)


def _line(
    item: RecommendedItem,
    items: EntityTable,
    columns: Sequence[str],
    before: Sequence[str] | None,
    why: bool,
    several: bool,
) -> Line:
    """One place; where there are several promotions the mark says which."""
    marks = [MARKS[each] for each in item.reason if each in MARKS]
    marks += [shorten(item.promotion_name, DETAIL // 2)] if several and item.promotion_name is not None else []
    words = "; ".join(each for each in item.reason if each not in MARKS)
    if item.explanation is not None:
        words = item.explanation.text
    return Line(
        place=item.position,
        title=title_of(items, item.item_id),
        mark=", ".join(marks),
        loud=any(each in LOUD for each in item.reason),
        moved="" if before is None else _moved(before, item),
        detail=details_of(items, item.item_id, columns),
        why=words if why else "",
    )


def _moved(before: Sequence[str], item: RecommendedItem) -> str:
    if item.item_id not in before:
        return "+ new here"
    by = before.index(item.item_id) + 1 - item.position
    return "=" if by == 0 else f"{'▲' if by > 0 else '▼'} {abs(by)}"


def _below(response: Response) -> str:
    """What the answer says of itself, shortly."""
    said = [f"{response.exploration_share:.0%} explored"] if response.exploration_share else []
    if response.relevance is not None:
        said.append(f"{response.relevance.given_up:.0%} of relevance given up")
    return " · ".join(said)


def _column(column: tuple[str, str, tuple[Line, ...]]) -> str:
    heading, below, lines = column
    said = f'<div class="s">{escape(below)}</div>' if below else ""
    rows = "".join(map(_row, lines)) or "<li>no items</li>"
    return f'<div><div class="h">{escape(heading)}</div>{said}<ol>{rows}</ol></div>'


def _row(line: Line) -> str:
    mark = f'<span class="m">{escape(line.mark)}</span>' if line.mark else ""
    moved = f'<span class="v">{escape(line.moved)}</span>' if line.moved else ""
    told = "".join(f'<div class="d">{escape(each)}</div>' for each in (line.detail, line.why) if each)
    title = f'<span class="t">{escape(line.title)}</span>'
    kind = ' class="loud"' if line.loud else ""
    return f'<li{kind}><span class="p">{line.place}</span><div>{title}{mark}{moved}{told}</div></li>'
