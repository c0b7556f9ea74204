"""The situation of a request: its keys checked against what the model learned, derived from the time where it can be.

A column is taken for a derived one when it has the name that the step time_features gives (HOUR, WEEKDAY …) and only
such values; the request need not send it then.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Self

from workbench.data.wall_clock import DAYTIMES, SEASONS, WEEKDAYS, wall_clock, zone
from workbench.errors import ServingError, nearest
from workbench.recipes.contract import Recipe

DERIVED: dict[str, Collection[str]] = {
    "HOUR": {str(hour) for hour in range(24)},
    "WEEKDAY": set(WEEKDAYS),
    "WEEKEND": {"True", "False"},
    "DAY": {str(day) for day in range(1, 32)},
    "MONTH": {str(month) for month in range(1, 13)},
    "SEASON": set(SEASONS),
    "YEAR": {str(year) for year in range(1900, 2201)},
    "DAYTIME": set(DAYTIMES),
}
SHOWN = 8  # values named in a notice


@dataclass(frozen=True)
class ReadyContext:
    """The context of one request as a recipe reads it.

    values: column to value as text, every column the model learned: None where nothing is known.
    derived: columns whose value comes from the time.
    notices: what should be known.
    """

    values: Mapping[str, str | None]
    derived: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class ContextRules:
    """What a deployed model makes of a context.

    learned: column to the values the model knows, as text.
    columns: columns of the interactions, learned or not.
    timezone: of derived columns; southern: whether their seasons are those of the southern half of the earth.
    """

    learned: Mapping[str, Collection[str]]
    columns: Collection[str] = ()
    timezone: str = "UTC"
    southern: bool = False

    def __post_init__(self) -> None:
        """Lay values out for quick asking.

        Raises:
            ServingError: there is no such time zone.
        """
        try:
            zone(self.timezone)
        except ValueError as error:
            raise ServingError(f"The context's time zone: {error}") from error
        object.__setattr__(
            self, "learned", {name: frozenset(map(str, values)) for name, values in self.learned.items()}
        )
        object.__setattr__(self, "columns", frozenset(self.columns) | frozenset(self.learned))

    @classmethod
    def of(cls, recipe: Recipe, columns: Collection[str] = (), timezone: str = "UTC", southern: bool = False) -> Self:
        """The rules of a fitted recipe; see the class."""
        return cls(recipe.context_values(), columns, timezone, southern)

    @property
    def derivable(self) -> tuple[str, ...]:
        """Learned columns that a time gives."""
        return tuple(name for name, values in self.learned.items() if name in DERIVED and values <= DERIVED[name])

    def ready(self, given: Mapping[str, Any], timestamp: int) -> ReadyContext:
        """Make a request's context ready.

        Args:
            given: column to one value; "" and None are as good as nothing. Not changed.
            timestamp: epoch seconds of the request, which derived columns are read from.

        Returns:
            Values for every learned column, and notices: columns without a value (the list is then the one for no
            particular value, not an average), values and columns that the model knows nothing of.

        Raises:
            ServingError: a key is no column of the interactions; the message names the nearest.
        """
        for name in given:
            if name not in self.columns:
                known = nearest(name, self.columns)
                raise ServingError(f"The context has the key {name!r}, which is no column of the interactions.{known}")
        told = {name: as_text(value) for name, value in given.items() if value is not None and value != ""}
        missing = [name for name in self.learned if name not in told]
        derived = [name for name in self.derivable if name in missing]
        clock = wall_clock(timestamp, self.timezone, self.southern) if derived else {}
        notices = [
            f"The model learned nothing from {name}; its value changes nothing." for name in sorted(self._idle(told))
        ]
        values: dict[str, str | None] = {}
        for name in self.learned:
            value = as_text(clock[name]) if name in derived else told.get(name)
            if value is None:
                notices.append(self._absent(name))
            elif value not in self.learned[name]:
                value, said = self._strange(name, value)
                notices.append(said)
            values[name] = value
        if derived:
            read = ", ".join(f"{name}={values[name] or as_text(clock[name])}" for name in derived)
            notices.append(f"Read from the request's time in {self.timezone}: {read}.")
        return ReadyContext(values, tuple(derived), tuple(notices))

    def _idle(self, told: Mapping[str, str]) -> set[str]:
        return set(told) - set(self.learned)

    def _absent(self, name: str) -> str:
        return f"The request does not say {name} ({self._known(name)}); the list is the one for no particular {name}."

    def _strange(self, name: str, value: str) -> tuple[str | None, str]:
        """The known value that differs in case only, or none; and what to say."""
        alike = [known for known in self.learned[name] if known.casefold() == value.casefold()]
        if len(alike) == 1:
            return alike[0], f"{name}={value!r} is read as {alike[0]!r}."
        return None, f"{name}={value!r} is unknown to the model ({self._known(name)}); it is as good as not said."

    def _known(self, name: str) -> str:
        values = sorted(self.learned[name], key=lambda text: (len(text), text) if text.isdigit() else (0, text))
        more = f" and {len(values) - SHOWN:,} more" if len(values) > SHOWN else ""
        return f"known: {', '.join(values[:SHOWN])}{more}"


def as_text(value: object) -> str:
    """A value as recipes write it: whole numbers without a point, the rest as Python says it."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 2.0**53:
        return str(int(value))
    return str(value)
