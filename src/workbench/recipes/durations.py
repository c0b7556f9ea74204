"""Lengths of time as people write them: "30 minutes", "3h", "1.5 d"."""

import re

from workbench.columns import DAY, HOUR, MINUTE, SECOND
from workbench.errors import RecipeError

UNITS = {
    "s": SECOND,
    "sec": SECOND,
    "second": SECOND,
    "m": MINUTE,
    "min": MINUTE,
    "minute": MINUTE,
    "h": HOUR,
    "hr": HOUR,
    "hour": HOUR,
    "d": DAY,
    "day": DAY,
    "w": 7 * DAY,
    "week": 7 * DAY,
}
SHORTEST, LONGEST = SECOND, 36_500 * DAY
_FORM = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z]+)\s*")


def seconds(text: str, name: str) -> float:
    """Read a length of time.

    Args:
        text: a number and a unit: s, min (or m), h, d, w, or their names, in any case.
        name: what the length is for, to begin an error with.

    Raises:
        RecipeError: it is not such a text, or not between one second and a hundred years.
    """
    found = _FORM.fullmatch(text) if isinstance(text, str) else None
    unit = _unit(found[2].lower()) if found else None
    if unit is None:
        raise RecipeError(f"{name}={text!r} is no length of time; write a number and s, min, h, d or w, such as '3h'.")
    length = float(found[1]) * unit
    if not SHORTEST <= length <= LONGEST:
        raise RecipeError(f"{name}={text!r} is {length:g} seconds; it must lie between one second and 36,500 days.")
    return length


def _unit(word: str) -> int | None:
    """Seconds of a unit; its name may stand in the plural, a letter may not ("ms" is no minute)."""
    return UNITS.get(word, UNITS.get(word.removesuffix("s")) if len(word) > 2 else None)
