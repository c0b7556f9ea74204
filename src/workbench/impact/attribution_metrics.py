"""What a metric attribution measures: up to ten metrics, each an event type and an expression."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workbench.errors import AttributionError, nearest

SAMPLECOUNT, SUM = "samplecount", "sum"
MOST_METRICS = 10  # Personalize refuses more
LONGEST_EXPRESSION = 256  # characters, Personalize's limit
FORMS = "SUM(Items.COLUMN), SUM(Interactions.COLUMN) or SAMPLECOUNT()"

# Personalize's API and its console spell the three keys differently.
_KEYS = {
    "eventType": ("eventType", "EventType"),
    "metricName": ("metricName", "MetricName"),
    "expression": ("expression", "MetricMathExpression"),
}
_CALL = re.compile(r"\s*([A-Za-z_]+)\s*\((.*)\)\s*", re.DOTALL)
_ARGUMENT = re.compile(r"\s*([A-Za-z_]+)\s*\.\s*([A-Za-z_][A-Za-z\d_]*)\s*")


@dataclass(frozen=True)
class Metric:
    """One metric of an attribution.

    name: what it is called in the results. event_type: which events it counts, compared exactly.
    function: "samplecount" or "sum". table: "Items" or "Interactions" for a sum, else "". column: what is summed.
    """

    name: str
    event_type: str
    function: str
    table: str = ""
    column: str = ""

    @property
    def expression(self) -> str:
        """The expression as Personalize writes it."""
        return "SAMPLECOUNT()" if self.function == SAMPLECOUNT else f"SUM({self.table}.{self.column})"


def parse_expression(expression: str) -> tuple[str, str, str]:
    """Read an expression into function, table and column (the last two empty for a count).

    The words SUM, SAMPLECOUNT, Items and Interactions may be in any case; the column's name counts exactly.

    Raises:
        AttributionError: it is none of the three forms, or longer than 256 characters.

    Source: Amazon Personalize developer guide, metric attribution, metric expressions.
    """
    if not isinstance(expression, str):
        raise AttributionError(f"An expression is text, such as SAMPLECOUNT(), not {expression!r}.")
    if len(expression) > LONGEST_EXPRESSION:
        raise AttributionError(
            f"The expression is {len(expression)} characters long, at most {LONGEST_EXPRESSION} are allowed: "
            f"{expression[:40]!r}…"
        )
    call = _CALL.fullmatch(expression)
    if call is None:
        raise AttributionError(f"{expression!r} is not an expression. Write {FORMS}.")
    function, inside = call.group(1).lower(), call.group(2)
    if function not in (SUM, SAMPLECOUNT):
        raise AttributionError(
            f"{expression!r}: there is no function {call.group(1)!r}.{nearest(call.group(1), ['SUM', 'SAMPLECOUNT'])} "
            "Rates such as clicks per list shown come from impact.rates."
        )
    if function == SAMPLECOUNT:
        if inside.strip():
            raise AttributionError(f"{expression!r}: SAMPLECOUNT() takes nothing in its brackets, got {inside!r}.")
        return SAMPLECOUNT, "", ""
    argument = _ARGUMENT.fullmatch(inside)
    if argument is None:
        raise AttributionError(f"{expression!r}: SUM needs one column, as in SUM(Items.PRICE), got {inside!r}.")
    tables = {"items": "Items", "interactions": "Interactions"}
    if argument.group(1).lower() not in tables:
        raise AttributionError(
            f"{expression!r}: no dataset {argument.group(1)!r} to sum.{nearest(argument.group(1), tables.values())}"
        )
    return SUM, tables[argument.group(1).lower()], argument.group(2)


def read_metrics(config: Sequence[Mapping[str, Any]]) -> list[Metric]:
    """Check and parse the metrics of an attribution.

    Args:
        config: one dict per metric with eventType, metricName and expression; the console's spelling EventType,
            MetricName and MetricMathExpression is read too.

    Returns:
        The metrics in order. More than ten are returned too: `attribute` counts them and says that Personalize
        would refuse.

    Raises:
        AttributionError: none at all, a missing or unknown key, an empty value, the same name twice, or an
            expression that cannot be read; the message names the metric.
    """
    if not config:
        raise AttributionError("An attribution needs at least one metric: {eventType, metricName, expression}.")
    metrics: list[Metric] = []
    for number, given in enumerate(config, start=1):
        if not isinstance(given, Mapping):
            raise AttributionError(f"Metric {number} must be a dict of {', '.join(_KEYS)}; got {given!r}.")
        values = {key: _value(given, number, key) for key in _KEYS}
        unknown = [name for name in given if name not in {word for words in _KEYS.values() for word in words}]
        if unknown:
            raise AttributionError(
                f"Metric {number} has an unknown key {unknown[0]!r}.{nearest(str(unknown[0]), _KEYS)}"
            )
        if values["metricName"] in [metric.name for metric in metrics]:
            raise AttributionError(
                f"Metric {number}: the name {values['metricName']!r} is taken; names tell them apart."
            )
        try:
            parsed = parse_expression(values["expression"])
        except AttributionError as error:
            raise AttributionError(f"Metric {number} ({values['metricName']}): {error}") from error
        metrics.append(Metric(values["metricName"], values["eventType"], *parsed))
    return metrics


def _value(given: Mapping[str, Any], number: int, key: str) -> str:
    present = [word for word in _KEYS[key] if word in given]
    if not present:
        raise AttributionError(f"Metric {number} lacks {key!r}; it has {sorted(map(str, given))}.")
    value = given[present[0]]
    if not isinstance(value, str) or not value.strip():
        raise AttributionError(f"Metric {number}: {key} must be a text that is not empty, got {value!r}.")
    return value
