"""What a line of a batch input asks for, and why one cannot be used."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from workbench.errors import BatchError, ServingError, meant
from workbench.serving.request_limits import LIMITS, Limits, check_text

USERS, RANKINGS, RELATED = "users", "rankings", "related"
USER_ID, ITEM_ID, ITEM_LIST, FILTER_VALUES = "userId", "itemId", "itemList", "filterValues"
NEEDED = {USERS: (USER_ID,), RANKINGS: (USER_ID, ITEM_LIST), RELATED: (ITEM_ID,)}
EXAMPLES = {
    USERS: '{"userId": "u7"}',
    RANKINGS: '{"userId": "u7", "itemList": ["i3", "i9"]}',
    RELATED: '{"itemId": "i3"}',
}
KIND_OF = {frozenset(names): kind for kind, names in NEEDED.items()}


class LineError(ServingError):
    """One line cannot be answered; the others can."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one line asks for.

    place: among the records of its block.
    text: the line as it stands, JSON.
    id: of the user, or of the item that related ones are asked for.
    items: to put in order; empty in other kinds.
    values: of the filter's parameters; None where the line gives none.
    """

    place: int
    text: str
    id: str
    items: tuple[str, ...] = ()
    values: Mapping[str, Any] | None = None


def document_of(text: str, last: bool = False) -> Any:
    """Read a line of JSON.

    Args:
        text: the line.
        last: whether the file ends here without a line end, so that the line may have been cut.

    Raises:
        LineError: it is no JSON; says where it breaks.
    """
    try:
        return READ.decode(text)
    except json.JSONDecodeError as error:
        if last and (error.pos >= len(text) or error.msg.startswith("Unterminated")):
            _refuse(
                f"The file ends within this line, at column {len(text)}",
                "a line is one whole JSON object",
                "The file was probably cut: write it again.",
            )
        _refuse(
            f"The line is no JSON: {error.msg} at column {error.pos + 1}",
            "a line is one JSON object",
            "Mend the line.",
        )
    except RecursionError:
        _refuse("The line nests too deep", "a line is one flat JSON object", "Mend the line.")
    except ValueError as error:
        _refuse(f"The line is no JSON: {error}", "a line is one JSON object", "Mend the line.")


def asked_of(kind: str, place: int, text: str, document: Any, has_filter: bool, limits: Limits = LIMITS) -> Asked:
    """Check what a line asks for.

    Args:
        kind: "users", "rankings" or "related".
        place, text: as in `Asked`.
        document: the line's JSON.
        has_filter: whether the job has a filter that values could be for.
        limits: how long ids and lists may be.

    Raises:
        LineError: says what was got, what is needed and what to do.
    """
    needed = NEEDED[kind]
    if not isinstance(document, dict):
        _refuse(
            f"The line is a JSON {_type_of(document)}", "a line is one JSON object", f"Write it as {EXAMPLES[kind]}."
        )
    if len(document) != len(needed) or any(name not in document for name in needed):
        _check_names(kind, document)
    id_ = document[needed[0]]
    _check_id(needed[0], id_, limits)
    items = _items(document[ITEM_LIST], limits) if kind == RANKINGS else ()
    values = document.get(FILTER_VALUES)
    if values is not None:
        _check_values(values, has_filter)
    return Asked(place, text, id_, items, values)


def require_batch_kind(kind: str) -> None:
    """Raise a BatchError unless `kind` is one of the three."""
    if kind not in NEEDED:
        raise BatchError(f"kind is {kind!r}; it must be one of {', '.join(NEEDED)}.{meant(kind, NEEDED)}")


def _check_names(kind: str, document: Mapping[str, Any]) -> None:
    """Refuse a line that lacks a name, or holds one that nothing is known to mean."""
    known = (*NEEDED[kind], FILTER_VALUES)
    missing = [name for name in NEEDED[kind] if name not in document]
    other = [name for name in document if name not in known]
    fits = KIND_OF.get(frozenset(document) - {FILTER_VALUES})
    hint = f" For lines like this one run the job with kind={fits!r}." if fits not in (None, kind) else ""
    if missing:
        close = meant(missing[0], other)
        _refuse(
            f"The line has no {missing[0]!r}", f"a line of kind {kind!r} is {EXAMPLES[kind]}", f"Add it.{close}{hint}"
        )
    if other:
        _refuse(
            f"The line holds {other[0]!r:.60}",
            f"a line of kind {kind!r} may hold {', '.join(known)}",
            f"Leave it out or rename it.{meant(other[0], known)}{hint}",
        )


def _check_id(name: str, value: object, limits: Limits) -> None:
    try:
        check_text(name, value, limits.id_chars, "id_chars")
    except ServingError as error:
        raise LineError(str(error)) from None
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            _refuse(
                f"{name} holds half a character", "ids are text", "Write it in UTF-8, or both halves of its escape."
            )


def _items(value: object, limits: Limits) -> tuple[str, ...]:
    if not isinstance(value, list):
        _refuse(f"{ITEM_LIST} is {value!r:.60}", "it must be a list of item ids", f"Write it as {EXAMPLES[RANKINGS]}.")
    if not value:
        _refuse(f"{ITEM_LIST} is empty", "a ranking needs 1 item or more", "Give the items to put in order.")
    if len(value) > limits.ranked:
        _refuse(f"{ITEM_LIST} holds {len(value):,} items", f"{limits.ranked:,} are allowed", "Send fewer.")
    places: dict[str, int] = {}
    for place, item in enumerate(value, start=1):
        _check_id(f"{ITEM_LIST}[{place - 1}]", item, limits)
        if places.setdefault(item, place) != place:
            _refuse(
                f"{ITEM_LIST} holds item {item!r} at place {places[item]} and again at place {place}",
                "each item may stand once",
                "Send it once.",
            )
    return tuple(value)


def _check_values(values: object, has_filter: bool) -> None:
    if not isinstance(values, dict):
        _refuse(
            f"{FILTER_VALUES} is {values!r:.60}",
            "it must be an object of parameter to value",
            'Write it as {"GENRES": "\\"jazz\\",\\"blues\\""}.',
        )
    if values and not has_filter:
        _refuse(f"{FILTER_VALUES} are given", "the job has no filter", "Run the job with filter=…, or leave them out.")


def _type_of(document: object) -> str:
    names = {list: "list", str: "text", bool: "true or false", int: "number", float: "number", type(None): "null"}
    return names[type(document)]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number of JSON")


def _refuse(got: str, needed: str, do: str) -> NoReturn:
    raise LineError(f"{got}; {needed}. {do}")


READ = json.JSONDecoder(parse_constant=_no_number)
