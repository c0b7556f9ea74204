"""How large a request may be: Personalize's defaults and maxima, which can be raised, and the checks that hold them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from workbench.errors import ServingError

KEY = re.compile(r"[A-Za-z0-9_]+")


@dataclass(frozen=True)
class Limits:
    """What one request may ask for; every maximum can be raised, `Limits(results=2_000)`.

    results, results_with_metadata: items in a list, and in a list that carries metadata.
    ranked, ranked_with_metadata: items to put in order.
    metadata_columns: columns of the items in a response.
    context_keys, context_key_chars, context_value_chars: context of a request.
    filter_values, filter_key_chars, filter_value_chars: values for a filter's parameters.
    id_chars: of a user's or an item's id.
    promotions: in one request. Personalize takes 1; see `RecommendRequest.beyond_personalize`.

    Source: Personalize's runtime API, and the documentation text of its models for the defaults and ceilings.
    """

    results: int = 500
    results_with_metadata: int = 50
    ranked: int = 500
    ranked_with_metadata: int = 50
    metadata_columns: int = 10
    context_keys: int = 150
    context_key_chars: int = 150
    context_value_chars: int = 1_000
    filter_values: int = 25
    filter_key_chars: int = 50
    filter_value_chars: int = 1_000
    id_chars: int = 256
    promotions: int = 10


LIMITS = Limits()


def refuse(got: str, needed: str, do: str) -> NoReturn:
    """Raise a ServingError that says what was got, what is needed and what to do."""
    raise ServingError(f"{got}; {needed}. {do}")


def check_whole(name: str, value: object, low: int, high: int, do: str) -> None:
    """Refuse what is no whole number from `low` to `high`."""
    if isinstance(value, bool) or not isinstance(value, int):
        refuse(f"{name} is {value!r}", f"it must be a whole number from {low:,} to {high:,}", do)
    if not low <= value <= high:
        refuse(f"{name} is {value:,}", f"it must be from {low:,} to {high:,}", do)


def check_results(count: object, with_metadata: bool, limits: Limits) -> None:
    """Refuse a list that is too long, or has no place at all."""
    high = limits.results_with_metadata if with_metadata else limits.results
    raised = "results_with_metadata" if with_metadata else "results"
    also = " or leave the metadata columns out" if with_metadata else ""
    check_whole("num_results", count, 1, high, f"Ask for fewer{also}, or raise Limits({raised}=…).")


def check_text(name: str, value: object, longest: int, limit: str) -> None:
    """Refuse an id or a name that is no text, empty or too long."""
    if not isinstance(value, str):
        refuse(f"{name} is {value!r}", "ids and names are text", f"Write it as text: {str(value)!r}.")
    if not value:
        refuse(f"{name} is empty", f"it must have 1 to {longest:,} characters", "Leave it out, or give it.")
    if len(value) > longest:
        refuse(
            f"{name} has {len(value):,} characters ({value[:40]!r} …)",
            f"{longest:,} are allowed",
            f"Shorten it, or raise Limits({limit}=…).",
        )


def check_context(context: Mapping[str, Any], limits: Limits) -> None:
    """Refuse a context with too many keys, odd keys, or values that are too long or no single value."""
    if len(context) > limits.context_keys:
        refuse(
            f"The context has {len(context):,} keys",
            f"{limits.context_keys:,} are allowed",
            "Send only columns of the interactions, or raise Limits(context_keys=…).",
        )
    for key, value in context.items():
        _check_key("context", key, limits.context_key_chars, "context_key_chars")
        if not isinstance(value, str | bool | int | float):
            refuse(f"context[{key!r}] is {value!r}", "a context value is one text, number or true/false", "Send one.")
        if len(str(value)) > limits.context_value_chars:
            refuse(
                f"context[{key!r}] has {len(str(value)):,} characters",
                f"{limits.context_value_chars:,} are allowed",
                "Shorten it, or raise Limits(context_value_chars=…).",
            )


def check_filter(name: str, expression: object, values: Mapping[str, Any], limits: Limits) -> None:
    """Refuse a filter that is no text, values without a filter, and values that are too many, too long or misnamed.

    Args:
        name: how the request calls the filter: "filter", or "promotions[0].filter".
        expression: the filter's name or its text; None is no filter.
        values: for its parameters, as Personalize writes them or as plain values.
        limits: how many and how long.
    """
    if expression is not None and (not isinstance(expression, str) or not expression.strip()):
        refuse(
            f"{name} is {expression!r}",
            "it must be the name of a filter or an expression",
            "Leave it out, or name one.",
        )
    if values and expression is None:
        refuse(f"{name}_values are given ({', '.join(map(str, values))})", "there is no filter", f"Give {name} too.")
    if len(values) > limits.filter_values:
        refuse(
            f"{name}_values has {len(values):,} entries",
            f"{limits.filter_values:,} are allowed",
            "Send only the filter's parameters, or raise Limits(filter_values=…).",
        )
    for key, value in values.items():
        _check_key(f"{name}_values", key, limits.filter_key_chars, "filter_key_chars")
        texts = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        longest = sum(len(str(each)) for each in texts)
        if longest > limits.filter_value_chars:
            refuse(
                f"{name}_values[{key!r}] has {longest:,} characters",
                f"{limits.filter_value_chars:,} are allowed",
                "Send fewer values, or raise Limits(filter_value_chars=…).",
            )


def check_metadata(columns: tuple[str, ...], limits: Limits) -> None:
    """Refuse too many metadata columns, one twice, or one that is no text."""
    for column in columns:
        check_text("metadata_columns", column, limits.context_key_chars, "context_key_chars")
    if len(columns) > limits.metadata_columns:
        refuse(
            f"metadata_columns names {len(columns):,} columns",
            f"{limits.metadata_columns:,} are allowed",
            "Name fewer, or raise Limits(metadata_columns=…).",
        )
    twice = sorted({each for each in columns if columns.count(each) > 1})
    if twice:
        refuse(f"metadata_columns names {twice[0]!r} twice", "a column is returned once", "Name it once.")


def check_share(name: str, value: object) -> None:
    """Refuse what is no number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        refuse(f"{name} is {value!r}", "it must be a number from 0 to 1", "0 switches it off.")


def _check_key(name: str, key: object, longest: int, limit: str) -> None:
    if not isinstance(key, str) or not KEY.fullmatch(key):
        refuse(
            f"{name} has the key {key!r}", "keys are letters, digits and _", "Name a column, or a parameter without $."
        )
    if len(key) > longest:
        refuse(f"{name} has a key of {len(key):,} characters", f"{longest:,} are allowed", f"Raise Limits({limit}=…).")
