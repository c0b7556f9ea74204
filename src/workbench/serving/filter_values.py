"""The values of a filter's parameters, as a request gives them.

Amazon Personalize's form is one text a parameter: values in double quotes, joined by commas, `'"jazz","blues"'`.
Plain Python values say the same: `"jazz"`, `49.99`, `True`, `["jazz", "blues"]`.
"""

import json
import math
import re
from collections.abc import Iterable, Mapping
from numbers import Real
from typing import Any, TypeAlias

from workbench.errors import FilterError, meant

MAX_PARAMETERS = 25  # what Amazon Personalize takes; more and longer ones work here
MAX_NAME = 50  # characters
MAX_VALUE = 1_000  # characters

Given: TypeAlias = Mapping[str, tuple[str, ...]]  # parameter to its values, as text

_VALUE = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|([^"\',]+))\s*', re.DOTALL)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)


def parse_values(values: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """Read the values of all parameters.

    Args:
        values: parameter name, with or without its `$`, to one value or several.
            Text that begins with a quote is a list of values in Personalize's form; any other text is one value as it
            stands, commas included. Numbers, true/false and lists of plain values are taken as they are.

    Returns:
        Parameter name to its values as text; numbers as they print, true and false as "True" and "False".

    Raises:
        FilterError: a list's quotes or commas are broken, a list is empty, or a value is neither text nor a number.
    """
    if not values:
        return {}
    if not isinstance(values, Mapping):
        raise FilterError(
            f"Filter values are {type(values).__name__} {values!r:.60}; give a mapping of parameter to value."
        )
    given: dict[str, tuple[str, ...]] = {}
    for written, value in values.items():
        name = str(written).removeprefix("$")
        if name in given:
            raise FilterError(f"Parameter ${name} is given twice, with and without its $; give it once.")
        given[name] = _texts(name, value)
    return given


def over_limits(given: Given) -> tuple[str, ...]:
    """Say which of Amazon Personalize's limits these values exceed; they work here all the same."""
    said = []
    if len(given) > MAX_PARAMETERS:
        said.append(f"{len(given)} parameters; Amazon Personalize takes {MAX_PARAMETERS}.")
    for name, texts in given.items():
        if len(name) > MAX_NAME:
            said.append(f"Parameter ${name[:20]}… has {len(name)} characters; Amazon Personalize takes {MAX_NAME}.")
        length = len(",".join(json.dumps(text, ensure_ascii=False) for text in texts))
        if length > MAX_VALUE:
            said.append(f"The value of ${name} has {length:,} characters; Amazon Personalize takes {MAX_VALUE:,}.")
    return tuple(said)


def require_known(given: Given, parameters: Iterable[str]) -> None:
    """Refuse a value for a parameter that the filter does not have; upper and lower case differ.

    Raises:
        FilterError: names the parameter and the filter's own.
    """
    known = tuple(parameters)
    for name in given:
        if name not in known:
            own = f"Its parameters: {', '.join(f'${each}' for each in known)}." if known else "It has no parameters."
            raise FilterError(
                f"The filter has no parameter ${name}.{meant(name, known)} {own} Leave the value out or rename it."
            )


def number_of(text: str, boolean: bool = False) -> float | None:
    """The finite number that a text spells, None when it spells none; with `boolean` true and false are 1 and 0."""
    if boolean and text.strip().casefold() in ("true", "false"):
        return float(text.strip().casefold() == "true")
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and "_" not in text else None


def _texts(name: str, value: Any) -> tuple[str, ...]:
    if isinstance(value, str):
        text = value.strip()
        if text.startswith(('\\"', "\\'")):
            raise FilterError(
                f"The value of ${name} is {value!r}: its quotes are escaped once too often. "
                'In Python write \'"jazz","blues"\', in JSON "\\"jazz\\",\\"blues\\"".'
            )
        return _quoted(name, value) if text.startswith(('"', "'")) else (value,)
    if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "tolist"):
        plain = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(plain, list | tuple | set | frozenset):
            texts = tuple(dict.fromkeys(_text(name, each) for each in plain))
            if not texts:
                raise FilterError(f"${name} is given an empty list; give at least one value, or leave ${name} out.")
            return texts
        value = plain
    return (_text(name, value),)


def _text(name: str, value: Any) -> str:
    if hasattr(value, "item"):
        value = value.item()
    if isinstance(value, str | bool):
        return str(value)
    if isinstance(value, Real) and math.isfinite(value):
        return str(int(value)) if float(value).is_integer() else repr(float(value))
    raise FilterError(f"${name} is given {value!r} ({type(value).__name__}); give text, a number, or a list of them.")


def _quoted(name: str, value: str) -> tuple[str, ...]:
    """Values in quotes, joined by commas; a number among them may go without quotes."""
    texts: list[str] = []
    position, goes_on = 0, True
    while goes_on:
        found = _VALUE.match(value, position)
        if not found or (found[3] is not None and number_of(found[3]) is None):
            raise _broken(name, value, position)
        quoted = found[1] if found[1] is not None else found[2]
        texts.append(found[3].strip() if quoted is None else _ESCAPE.sub(r"\1", quoted))
        position = found.end() + 1
        goes_on = found.end() < len(value)
        if goes_on and value[found.end()] != ",":
            raise _broken(name, value, found.end())
    return tuple(dict.fromkeys(texts))


def _broken(name: str, value: str, position: int) -> FilterError:
    start = position + len(value[position:]) - len(value[position:].lstrip())
    begin = max(0, start - 40)
    shown = value[begin : begin + 80].replace("\n", " ").replace("\t", " ")
    return FilterError(
        f'The value of ${name} breaks off at character {start + 1}; expected a value in quotes, such as "jazz","blues".'
        f"\n  {shown}\n  {' ' * (start - begin)}^"
    )
