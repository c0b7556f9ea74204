"""The rules for one value of a record that a call brings, and the message when a call is refused."""

import json
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from numbers import Integral, Real
from typing import Any

from workbench.errors import EventError, meant

MAX_ID = 256  # characters of an id
MAX_TYPE = 256  # characters of an event type
MAX_RECOMMENDATION_ID = 40  # characters
MAX_SOURCE = 1_024  # characters of an attribution source
SHOWN = 60  # characters of a value in a message
MOST = 5  # problems listed in one message
MILLISECONDS = 10**11  # as seconds this would be the year 5138
WHOLE = 2**63  # whole numbers are stored in 64 bits


class Refused(ValueError):
    """A value breaks a rule: `field`, `value` and `rule` say which."""

    def __init__(self, field: str, value: object, rule: str):
        super().__init__(field, value, rule)
        self.field, self.value, self.rule = field, value, rule


def shorten(value: object) -> str:
    """A value for a message: as Python writes it, cut to 60 characters."""
    if isinstance(value, str) and len(value) > SHOWN:
        return f"{value[:SHOWN]!r}… ({len(value):,} characters)"
    try:
        words = repr(value)
    except (ValueError, RecursionError):  # a number of thousands of digits; mappings nested thousands deep
        return f"a {type(value).__name__} too large to write out"
    return words if len(words) <= SHOWN else f"{words[:SHOWN]}…"


def refusal(call: str, noun: str, problems: Sequence[tuple[int, Refused]], count: int) -> EventError:
    """The error for a call with broken records.

    Args:
        call: the method's name.
        noun: what its records are called, such as "event".
        problems: position in the call, counted from 1, and what is wrong there.
        count: records in the call.
    """
    lines = [
        f"  - {noun} {position} of {count:,}, {each.field}: {each.rule}; got {shorten(each.value)}."
        for position, each in problems[:MOST]
    ]
    more = f"\n  … and {len(problems) - MOST:,} more." if len(problems) > MOST else ""
    return EventError(
        f"{call} is refused: {len(problems):,} of {count:,} {noun}(s) cannot be taken in.\n"
        + "\n".join(lines)
        + more
        + "\nNothing of this call was stored. Mend these and send the call again."
    )


def records(call: str, noun: str, given: object, most: int) -> list[Mapping[str, Any]]:
    """The records of a call as a list, refused when there are none or too many."""
    if isinstance(given, str | bytes | Mapping) or not isinstance(given, Sequence):
        raise EventError(
            f"{call} takes a list of {noun}s, each a mapping; got {shorten(given)}. Nothing of this call was stored."
        )
    if not 1 <= len(given) <= most:
        raise EventError(
            f"{call} got {len(given):,} {noun}s; one call takes 1 to {most:,}. Send them in several calls, or open "
            f"with a higher limit: LiveEvents(..., limits=Limits(records={max(len(given), 10):_})). "
            "Nothing of this call was stored."
        )
    return list(given)


def require_known(record: object, known: Sequence[str]) -> Mapping[str, Any]:
    """Refuse a record that is no mapping, or has a field that does not exist."""
    if not isinstance(record, Mapping):
        raise Refused("the whole", record, "must be a mapping of fields")
    for name in record:
        if name not in known:
            raise Refused(
                str(name), record[name], f"there is no such field.{meant(name, known)} Fields: {', '.join(known)}"
            )
    return record


def text(record: Mapping[str, Any], field: str, most: int, *, required: bool = False) -> str | None:
    """A text of 1 to `most` characters, or None where the field is not there."""
    value = record.get(field)
    if value is None and not required:
        return None
    return plain_text(field, value, most)


def plain_text(field: str, value: object, most: int) -> str:
    """Refuse what is not a text of 1 to `most` characters that UTF-8 can hold."""
    if not isinstance(value, str):
        hint = f"; write the id as '{value}'" if type(value) is int and abs(value) < WHOLE else ""
        raise Refused(field, value, f"must be text of 1 to {most:,} characters{hint}")
    if not 1 <= len(value) <= most:
        raise Refused(field, value, f"must have 1 to {most:,} characters")
    return _encodable(field, value)


def seconds(record: Mapping[str, Any], field: str, now: float, future: int) -> int:
    """A time as whole epoch seconds; fractions are dropped.

    Args:
        record: holds the time as epoch seconds or as a datetime with a time zone.
        field: its name.
        now: epoch seconds.
        future: seconds that it may lie ahead of `now`.
    """
    value = record.get(field)
    moment = value.timestamp() if isinstance(value, datetime) and value.tzinfo else value
    if not _is_finite(moment):
        zone = " (this one has no time zone)" if isinstance(value, datetime) else ""
        raise Refused(field, value, f"must be epoch seconds, or a datetime with a time zone{zone}")
    if moment >= MILLISECONDS:
        raise Refused(field, value, "is in milliseconds or finer; times are epoch seconds")
    if moment > now + future:
        ahead = f"lies {moment - now:,.0f} seconds in the future, more than the {future:,} allowed"
        raise Refused(field, value, f"{ahead}; set the sender's clock, or raise Limits(future=…)")
    if moment < 1:
        raise Refused(field, value, "is 1970-01-01 or before, often a missing time written as 0")
    return int(moment)


def number(record: Mapping[str, Any], field: str) -> float | None:
    """A finite number, or None where the field is not there."""
    value = record.get(field)
    if value is None:
        return None
    if not _is_finite(value):
        raise Refused(field, value, "must be a finite number")
    return float(value)


def impression(record: Mapping[str, Any], most: int) -> str | None:
    """The ids of an explicit impression joined with |, or None where there is none."""
    value = record.get("impression")
    if value is None:
        return None
    if isinstance(value, str) or not isinstance(value, Sequence) or not 1 <= len(value) <= most:
        raise Refused("impression", value, f"must be a list of 1 to {most:,} item ids")
    for at, each in enumerate(value, 1):
        plain_text(f"impression[{at}]", each, MAX_ID)
        if "|" in each:
            raise Refused(f"impression[{at}]", each, "must not hold |, which joins the ids in column IMPRESSION")
    return "|".join(value)


def attribution(record: Mapping[str, Any]) -> str | None:
    """The source named in `metricAttribution`, or None where there is none."""
    value = record.get("metricAttribution")
    if value is None:
        return None
    if not isinstance(value, Mapping) or set(value) != {"eventAttributionSource"}:
        raise Refused("metricAttribution", value, "must be {'eventAttributionSource': text} and nothing else")
    source = plain_text("eventAttributionSource", value["eventAttributionSource"], MAX_SOURCE)
    if not all(" " <= each <= "~" for each in source):
        raise Refused("eventAttributionSource", source, "must be printable ASCII")
    return source


def require_bytes(record: Mapping[str, Any], most: int) -> None:
    """Refuse an event that is longer than `most` bytes as JSON in UTF-8."""
    try:
        size = len(json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "replace"))
    except (TypeError, ValueError, RecursionError) as error:  # odd keys; circles; mappings nested thousands deep
        raise Refused("the whole", record, f"cannot be written as JSON: {error}") from error
    if size > most:
        raise Refused("the whole", f"{size:,} bytes", f"must have at most {most:,} bytes as JSON")


def scalar(field: str, value: object) -> str | int | float | bool | None:
    """A property's value: text, finite number, true, false or null."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _encodable(field, value)
    if isinstance(value, Integral):
        if not -WHOLE <= value < WHOLE:
            raise Refused(field, value, "must fit into 64 bits")
        return int(value)
    if _is_finite(value):
        return float(value)
    if isinstance(value, list | tuple):
        raise Refused(field, value, "must be one value; join several with |, such as 'Action|Crime'")
    raise Refused(field, value, "must be text, a finite number, true, false or null")


def _is_finite(value: object) -> bool:
    """Whether it is a number that a float can hold; true and false are none."""
    try:
        return isinstance(value, Real) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:
        return False


def _encodable(field: str, value: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Refused(field, value, "holds half a character (a lone surrogate), which UTF-8 cannot write") from error
    return value
