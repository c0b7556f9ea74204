"""A filter as it was understood: its parts indented, extensions marked, an error with its caret, a list beside it.

Filters, ids and values are hostile: everything is escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from workbench.errors import ServingError
from workbench.serving.filter_bench import Attempt, FilterBench, values_of
from workbench.serving.filter_errors import printable
from workbench.serving.filter_verdict import Verdict
from workbench.show.filter_words import mask_sentence, mask_table, portable_sentence, verdict_sentence, verdict_table
from workbench.show.lists import show_lists
from workbench.show.tables import PLAIN, shorten, show_table

MOST_LINES = 40  # of a filter's parts
LONGEST = 160  # characters of one part
NONE = "No filter: everything may be listed."
STYLE = (
    "<style>.wb-filter{line-height:1.45;margin:.3em 0 .8em;max-width:60em}.wb-filter .h{font-weight:600}"
    ".wb-filter.wb-filter pre{margin:.3em 0;padding:.5em .7em;border-left:3px solid #6b7280;overflow-x:auto;"
    "white-space:pre;font-size:.9em;line-height:1.4}"
    ".wb-filter.wb-filter .parts{white-space:normal;border-left:3px solid #6b7280;margin:.3em 0;padding:.3em .7em;"
    "font-family:ui-monospace,monospace;font-size:.9em}.wb-filter .parts div{overflow-wrap:anywhere}"
    ".wb-filter .x{border:1px solid #b45309;border-radius:3px;padding:0 .35em;font-size:.92em;margin-left:.5em;"
    "display:inline-block;font-family:system-ui,sans-serif}"
    ".wb-filter.wb-filter ul{margin:.2em 0;padding-left:1.3em}</style>"
)


@dataclass(frozen=True)
class FilterView:
    """Shows itself as escaped HTML, or as plain text where there is no browser.

    heading: what became of the filter, in one line.
    error: "" where there is none; it stands unbroken, so that its caret points to the right place.
    parts: depth and text of each part, and what of it only exists here ("" for nothing).
    said: further lines.
    """

    heading: str
    error: str
    parts: tuple[tuple[int, str, str], ...]
    said: tuple[str, ...]

    def _repr_html_(self) -> str:
        error = f"<pre>{escape(self.error)}</pre>" if self.error else ""
        rows = "".join(
            f'<div style="padding-left:{min(depth, 12) * 1.4:g}em">{escape(words)}{_marked(mark)}</div>'
            for depth, words, mark in self.parts
        )
        parts = f'<div class="parts">{rows}</div>' if rows else ""
        said = "".join(f"<li>{escape(each)}</li>" for each in self.said)
        rest = f"<ul>{said}</ul>" if said else ""
        heading = f'<div class="h">{escape(self.heading)}</div>'
        return f'{STYLE}<div class="wb-filter {PLAIN}">{heading}{error}{parts}{rest}</div>'

    def __repr__(self) -> str:
        rows = [f"{'    ' * depth}{words}{f'    [✚ {mark}]' if mark else ''}" for depth, words, mark in self.parts]
        return "\n".join([self.heading, *([self.error] if self.error else []), *rows, *(f"- {s}" for s in self.said)])


def show_filter(attempt: Attempt) -> FilterView:
    """Show how a filter was read, whether Amazon Personalize would take it, and why it is refused, where it is."""
    if attempt.filter is None:
        heading = "✗ This is no filter" if attempt.error else NONE
        return FilterView(heading, _lines(attempt.error), (), ())
    heading = "✗ Read, but it cannot be used here" if attempt.error else "✓ Understood"
    parts = [
        (line.depth, shorten(printable(" ".join(_said(line.part, line.text))), LONGEST), line.extension)
        for line in attempt.lines[:MOST_LINES]
    ]
    rest = len(attempt.lines) - len(parts)
    if rest > 0:
        parts.append((0, f"… and {rest:,} more parts", ""))
    said = [portable_sentence(attempt.portability)] if attempt.portability else []
    said += [f"Notice: {each}" for each in attempt.notices]
    return FilterView(
        heading, _lines(attempt.error), tuple(parts), tuple(printable(shorten(each, 600)) for each in said)
    )


def show_verdict(verdict: Verdict) -> FilterView:
    """Show why an item may be listed, or not, condition by condition."""
    parts = tuple(
        (int(part["DEPTH"]), shorten(printable(f"{part['HOLDS']}  {part['TEXT']}{part['HERE']}"), LONGEST), "")
        for part in verdict_table(verdict).to_dict("records")
    )
    return FilterView(printable(verdict_sentence(verdict)), "", parts, ())


def show_attempt(
    bench: FilterBench,
    given: str,
    user_id: str,
    values: Mapping[str, Any] | str = "",
    *,
    item_id: str = "",
    columns: Sequence[str] = (),
) -> tuple[Any, ...]:
    """Everything about one filter and one user: how it was read, what it removes, the list without and with it.

    Args:
        bench: of a campaign.
        given, user_id: as in `FilterBench.attempt`.
        values: of parameters, or as they are typed; see `filter_bench.values_of`.
        item_id: an item about which to say why it may be listed, or not; "" for none.
        columns: attributes to show in the lists.

    Returns:
        Things to display, in order. What is wrong is shown, never raised.
    """
    try:
        read = values_of(values) if isinstance(values, str) else values
    except ServingError as problem:
        return (FilterView("✗ The values cannot be read", _lines(str(problem)), (), ()),)
    attempt = bench.attempt(given, user_id, read)
    shown: list[Any] = [show_filter(attempt)]
    if attempt.explanation is not None:
        shown.append(show_table(mask_table(attempt.explanation), mask_sentence(attempt.explanation)))
        shown += [show_why(bench, given, item_id, user_id, read)] if item_id else []
    if attempt.response is not None:
        lists = {"with the filter": attempt.response}
        if attempt.explanation is not None and attempt.response.kind == "recommend":
            lists = {"without the filter": bench.made("", user_id), **lists}
        items = bench.recommender.served().snapshot.items
        against = "without the filter" if len(lists) > 1 else None
        shown.append(show_lists(lists, items, columns, against=against, why=False))
    return tuple(shown)


def show_why(bench: FilterBench, given: str, item_id: str, user_id: str, values: Mapping[str, Any]) -> FilterView:
    """Show why an item may be listed, or not; an unknown one is said, not raised."""
    try:
        return show_verdict(bench.why(given, item_id, user_id, values))
    except ServingError as problem:
        return FilterView("✗ There is nothing to say about this item", _lines(str(problem)), (), ())


def _said(part: str, words: str) -> list[str]:
    return [each for each in ("" if part in ("expression", "condition") else part, words) if each]


def _lines(words: str) -> str:
    """A message with what cannot be printed replaced, its lines kept."""
    return "\n".join(map(printable, words.split("\n")))


def _marked(extension: str) -> str:
    return f'<span class="x">✚ extension: {escape(extension)}</span>' if extension else ""
