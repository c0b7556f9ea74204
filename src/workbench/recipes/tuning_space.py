"""What a study varies: ranges from the catalogue or the caller, and how a trial draws from them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import RecipeError, nearest
from workbench.recipes.catalog import Hyperparameter, entry

SCALARS = (bool, int, float, str)


@dataclass(frozen=True)
class Range:
    """Values one hyperparameter may take: `low` to `high` (both included), or any of `choices`."""

    name: str
    default: Any
    low: float | None = None
    high: float | None = None
    whole: bool = False
    log: bool = False
    choices: tuple[Any, ...] = ()

    def suggest(self, trial: Any) -> Any:
        """Let an Optuna trial choose a value."""
        if self.choices:
            return self.from_stored(trial.suggest_categorical(self.name, [self.stored(each) for each in self.choices]))
        if self.whole:
            return trial.suggest_int(self.name, int(self.low), int(self.high), log=self.log)
        return trial.suggest_float(self.name, self.low, self.high, log=self.log)

    def stored(self, value: Any) -> Any:
        """Write a value as Optuna's database can hold it: lists and mappings as JSON text."""
        return value if isinstance(value, SCALARS) or value is None else json.dumps(value, sort_keys=True)

    def from_stored(self, value: Any) -> Any:
        """Read what `stored` wrote."""
        return next((each for each in self.choices if self.stored(each) == value), value)

    def facts(self) -> dict[str, Any]:
        """Give what a later run compares, as plain JSON values."""
        if self.choices:
            return {"choices": [self.stored(each) for each in self.choices]}
        return {"low": self.low, "high": self.high, "whole": self.whole, "log": self.log}


def make_ranges(recipe_name: str, given: Mapping[str, Any], fixed: Mapping[str, Any]) -> tuple[list[Range], list[str]]:
    """Say what a study of a recipe varies.

    Args:
        recipe_name: of the catalogue.
        given: name to `[low, high]`, to `{"low": , "high": , "log": }` or to `{"choices": [...]}`. Empty: every
            hyperparameter that the catalogue marks as tunable, over its range there.
        fixed: hyperparameters that keep one value other than their default; never varied.

    Returns:
        The ranges, and notes about those that were widened so that the default setting is among the trials.

    Raises:
        RecipeError: an unknown hyperparameter, a range that is none, or nothing to vary.
    """
    row = entry(recipe_name)
    known = dict(row.hyperparameters)
    for name in given:
        if name not in known and not row.free:
            raise RecipeError(f"{row.name} has no hyperparameter {name!r}.{nearest(name, known)}")
        if name in fixed:
            raise RecipeError(f"{name!r} is both fixed at {fixed[name]!r} and given a range; choose one.")
    if given:
        ranges = [_given_range(row.name, name, value, known.get(name)) for name, value in given.items()]
    else:
        ranges = [_catalogue_range(name, each) for name, each in known.items() if each.tunable and name not in fixed]
    if not ranges:
        raise RecipeError(
            f"{row.name} has nothing to tune: the catalogue marks no hyperparameter of it as tunable"
            f"{' beside the fixed ones' if fixed else ''}. Give ranges, such as "
            f"{{{next(iter(known), 'name')!r}: [low, high]}}, or take another recipe."
        )
    widened = [_with_default(each) for each in ranges]
    notes = [
        f"{new.name}: the range was widened to hold the default {new.default!r}"
        for old, new in zip(ranges, widened, strict=True)
        if old != new
    ]
    return widened, notes


def _catalogue_range(name: str, setting: Hyperparameter) -> Range:
    if setting.type == "bool":
        return Range(name, setting.default, choices=(False, True))
    if setting.choices:
        return Range(name, setting.default, choices=tuple(setting.choices))
    return Range(name, setting.default, setting.low, setting.high, setting.type == "int", setting.log)


def _given_range(recipe: str, name: str, value: Any, setting: Hyperparameter | None) -> Range:
    """Read one range of the caller's and hold its borders to the catalogue's."""
    default = setting.default if setting else None
    if isinstance(value, Mapping) and set(value) == {"choices"} and value["choices"]:
        choices = [setting.check(name, each) if setting else each for each in value["choices"]]
        return Range(name, default, choices=tuple(choices))
    borders = value if isinstance(value, Mapping) and {"low", "high"} <= set(value) <= {"low", "high", "log"} else None
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == 2:
        borders = {"low": value[0], "high": value[1]}
    if borders and setting and setting.type not in ("int", "float"):
        raise RecipeError(
            f"{recipe}: {name!r} is a {setting.type}, which has no values between two borders; name the values to try: "
            "{'choices': [first, second]}."
        )
    numbers = borders and all(_is_number(borders[each]) for each in ("low", "high"))
    if not numbers or borders["low"] >= borders["high"]:
        raise RecipeError(
            f"{recipe}: the range of {name!r} is {value!r}; write [low, high] with low below high, "
            "{'low': 0.1, 'high': 10, 'log': True}, or {'choices': [...]}."
        )
    low, high = (setting.check(name, borders[each]) if setting else borders[each] for each in ("low", "high"))
    whole = setting.type == "int" if setting else isinstance(low, int) and isinstance(high, int)
    log = bool(borders.get("log", setting.log if setting else False))
    if log and low <= 0:
        raise RecipeError(f"{recipe}: {name!r} is varied on a logarithmic scale, so low={low!r} must be above 0.")
    return Range(name, default, low, high, whole, log)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _with_default(each: Range) -> Range:
    """Widen a range to hold its default: the comparison with the defaults needs them among the trials."""
    if each.default is None and not each.choices:
        return each  # no number stands for "the recipe chooses"; the trial of the defaults gives none
    if each.choices:
        missing = each.stored(each.default) not in [each.stored(choice) for choice in each.choices]
        return Range(each.name, each.default, choices=(*each.choices, each.default)) if missing else each
    low, high = min(each.low, each.default), max(each.high, each.default)
    return Range(each.name, each.default, low, high, each.whole, each.log and low > 0)
