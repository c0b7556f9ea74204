"""What one row of the catalogue holds: use case, needs and hyperparameters, and the check of given values."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workbench.columns import INTERACTIONS
from workbench.errors import RecipeError, nearest

PERSONAL, POPULAR, RELATED, RANKING = "USER_PERSONALIZATION", "POPULAR_ITEMS", "RELATED_ITEMS", "PERSONALIZED_RANKING"

KINDS_OF_VALUE = {"int": int, "float": float, "bool": bool, "text": str, "list": list, "mapping": dict}


@dataclass(frozen=True)
class Hyperparameter:
    """One setting of a recipe.

    default: used when nothing is given; None where the recipe chooses a value itself.
    meaning: one sentence for people.
    type: "int", "float", "bool", "text", "list" (of numbers, each inside low and high) or "mapping" (text to number,
        each inside low and high).
    low, high: inclusive borders; None where there is none.
    choices: the only values allowed, or empty.
    tunable: whether a study varies it.
    log: whether a study varies it on a logarithmic scale.
    """

    default: Any
    meaning: str
    type: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()
    tunable: bool = False
    log: bool = False

    def check(self, name: str, value: Any) -> Any:
        """Give the value back in its own type.

        Raises:
            RecipeError: the type is wrong, the value is outside its range, or it is none of the choices.
        """
        if value is None and self.default is None:
            return None
        if self.type == "list":
            return [self._number(f"{name}[{n}]", each) for n, each in enumerate(self._instance(name, value))]
        if self.type == "mapping":
            return {str(key): self._number(f"{name}[{key!r}]", each) for key, each in _mapping(name, value).items()}
        value = self._number(name, value) if self.type in ("int", "float") else self._instance(name, value)
        if self.choices and value not in self.choices:
            raise RecipeError(f"{name}={value!r} is not one of {list(self.choices)}.")
        return value

    def _instance(self, name: str, value: Any) -> Any:
        kind = KINDS_OF_VALUE[self.type]
        if isinstance(value, tuple) and kind is list:
            value = list(value)
        if not isinstance(value, kind):
            raise RecipeError(f"{name} must be {self.type}, not {type(value).__name__} {value!r}.")
        return value

    def _number(self, name: str, value: Any) -> int | float:
        whole = self.type == "int"
        number = not isinstance(value, bool) and hasattr(value, "__float__") and not isinstance(value, str)
        if not number or not math.isfinite(value) or (whole and float(value) != int(value)):
            wanted = "a whole number" if whole else "a number"
            raise RecipeError(f"{name} must be {wanted}, not {type(value).__name__} {value!r}.")
        if (self.low is not None and value < self.low) or (self.high is not None and value > self.high):
            raise RecipeError(f"{name}={value!r} is outside its range {self.range_text()}.")
        return int(value) if whole else float(value)

    def range_text(self) -> str:
        """Write the allowed values for people, such as "0 to 1" or "at least 1"."""
        if self.choices:
            return " or ".join(map(str, self.choices))
        if self.type == "bool":
            return "true or false"
        if self.low is None and self.high is None:
            return "any"
        if self.high is None:
            return f"at least {self.low:g}"
        return f"{'any' if self.low is None else format(self.low, 'g')} to {self.high:g}"


@dataclass(frozen=True)
class Entry:
    """One row of the catalogue.

    name: as users write it; an "aws-" before it is accepted.
    family: recipes that work alike ("popularity", "neighbours", "personalization", "factors", "recbole" …).
    use_case: what it is for, in Personalize's words.
    about: two or three sentences: what it does, when to take it.
    needs: dataset kinds it cannot work without.
    metadata_used: columns beyond ids and time that change its scores.
    hyperparameters: name to setting.
    factory: "module:Class", imported only when the recipe is built.
    arguments: fixed keyword arguments of the factory.
    free: whether hyperparameters beyond the listed ones are passed on unchecked (the factory checks them).
    also_called: Personalize's name of a hyperparameter to the one listed here that means the same.
    instead: Personalize's name of a hyperparameter that means nothing here to what to use instead, as the end of a
        sentence ("use width" or "set it when serving").
    """

    name: str
    family: str
    use_case: str
    about: str
    hyperparameters: Mapping[str, Hyperparameter]
    factory: str
    needs: tuple[str, ...] = (INTERACTIONS,)
    metadata_used: tuple[str, ...] = ()
    arguments: Mapping[str, Any] | None = None
    free: bool = False
    also_called: Mapping[str, str] = field(default_factory=dict)
    instead: Mapping[str, str] = field(default_factory=dict)

    def complete(self, given: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Check given hyperparameters and add the defaults of the others.

        Raises:
            RecipeError: a name is unknown, is given twice under two names, means nothing here (says what to use
                instead), or a value has the wrong type or lies outside its range.
        """
        given = self._own_names(_mapping("hyperparameters", {} if given is None else given))
        values = {name: setting.default for name, setting in self.hyperparameters.items()}
        for name, value in given.items():
            if name in self.hyperparameters:
                values[name] = self.hyperparameters[name].check(f"{self.name}: {name}", value)
            elif name in self.instead:
                raise RecipeError(f"{self.name}: {name} of Personalize has no meaning here; {self.instead[name]}.")
            elif self.free:
                values[name] = value
            else:
                raise RecipeError(f"{self.name} has no hyperparameter {name!r}.{nearest(name, self.hyperparameters)}")
        return values

    def _own_names(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Write Personalize's names as ours; the same setting under two names is refused."""
        named: dict[str, Any] = {}
        for name, value in given.items():
            own = self.also_called.get(name, name)
            if own in named:
                raise RecipeError(f"{self.name}: {own} is given twice; {name!r} is another name of it. Give it once.")
            named[own] = value
        return named


def percentile(default: float, meaning: str) -> Hyperparameter:
    """Describe a percentile border as Personalize does: between 0 and 1, not tuned."""
    return Hyperparameter(default, meaning, "float", 0.0, 1.0)


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise RecipeError(f"{name} must be a mapping such as {{'name': 1}}, not {type(value).__name__} {value!r}.")
    return value
