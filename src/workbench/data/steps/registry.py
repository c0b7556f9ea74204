"""What a preparation step is: a name, options that are documented and checked, and a function."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import ibis.expr.types as ir

from workbench.errors import FlowError, nearest

REQUIRED = object()  # the default of an option that has none
ALWAYS = ("step", "why")  # keys that every step's dict may carry beside its options
TYPE_NAMES = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a dict",
}


@dataclass(frozen=True)
class Option:
    """One option of a step.

    types: what is accepted; a whole number passes where a number is asked for, true and false never pass as numbers.
    default: REQUIRED where there is none.
    choices: for text options, the only values allowed.
    """

    name: str
    types: tuple[type, ...]
    meaning: str
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()

    def check(self, value: Any, where: str) -> None:
        """Raise a FlowError that says what was got unless `value` is as documented."""
        if value is None and self.default is None:
            return
        fits = isinstance(value, self.types) or (float in self.types and isinstance(value, int))
        if isinstance(value, bool) and bool not in self.types:
            fits = False
        if not fits:
            wanted = " or ".join(TYPE_NAMES[each] for each in self.types)
            raise FlowError(f"{where}: option {self.name!r} must be {wanted}, got {value!r} ({type(value).__name__}).")
        if self.choices and isinstance(value, str) and value not in self.choices:
            raise FlowError(f"{where}: option {self.name!r} got {value!r}.{nearest(value, self.choices)}")


@dataclass(frozen=True)
class Outcome:
    """What a step did.

    table: the table after the step.
    changed: how many values it changed in columns that were there before.
    detail: a sentence part for the record, with the numbers the step found.
    """

    table: ir.Table
    changed: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Step:
    """A registered step.

    about: one sentence for the guide and for error messages.
    example: a full step dict that the guide shows.
    keeps_rows: the step neither adds nor removes rows, so they need not be counted again.
    heavy: computing the step twice would be slow, so its result is stored before the next step.
    """

    name: str
    about: str
    options: tuple[Option, ...]
    example: dict[str, Any]
    function: Callable[..., Outcome]
    keeps_rows: bool = False
    heavy: bool = False

    def complete(self, given: Mapping[str, Any], where: str) -> dict[str, Any]:
        """Check a step's dict and fill in defaults; `step` and `why` are left out of what is returned."""
        known = {option.name: option for option in self.options}
        for name in given:
            if name not in known and name not in ALWAYS:
                raise FlowError(f"{where}: unknown option {name!r}.{nearest(str(name), [*known, 'why'])}")
        why = given.get("why", "")
        if not isinstance(why, str):
            raise FlowError(f"{where}: option 'why' must be text, got {why!r} ({type(why).__name__}).")
        values = {}
        for name, option in known.items():
            if name not in given and option.default is REQUIRED:
                raise FlowError(f"{where}: option {name!r} is missing: {option.meaning} Example: {self.example}")
            values[name] = given.get(name, option.default)
            if values[name] is None and "null" in option.choices:
                values[name] = "null"  # YAML reads an unquoted null as nothing
            option.check(values[name], where)
        return values


REGISTRY: dict[str, Step] = {}


def step(
    name: str,
    about: str,
    options: list[Option],
    example: dict[str, Any],
    *,
    keeps_rows: bool = False,
    heavy: bool = False,
) -> Callable[[Callable[..., Outcome]], Callable[..., Outcome]]:
    """Register the decorated function, `function(work, table, **options) -> Outcome`, as a step."""

    def register(function: Callable[..., Outcome]) -> Callable[..., Outcome]:
        full = {"step": name, **example}
        REGISTRY[name] = Step(name, about, tuple(options), full, function, keeps_rows, heavy)
        return function

    return register
