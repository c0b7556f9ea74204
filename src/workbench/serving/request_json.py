"""Between our names and Personalize's: camelCase, ARNs, and what a document may hold."""

import json
from collections.abc import Mapping
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, ClassVar, Self

from workbench.errors import ServingError, nearest
from workbench.serving.request_limits import refuse

ARNS = {"campaign": ("campaignArn", "recommenderArn", "campaign"), "filter": ("filterArn", "filter")}


class Document:
    """Dataclasses that are made of keyword arguments or of a JSON document, both with messages about misspelt names."""

    what: ClassVar[str]
    hints: ClassVar[Mapping[str, str]] = {}

    @classmethod
    def of(cls, **given: Any) -> Self:
        """Make one of keyword arguments; a misspelt name is told with the nearest one."""
        known, needed = _names(cls)
        for name in given:
            if name not in known:
                raise ServingError(f"{cls.what} has no field {name!r}.{nearest(name, known)}")
        absent = [name for name in needed if given.get(name) is None]
        if absent:
            refuse(f"{cls.what} comes without {absent[0]}", f"it needs {' and '.join(needed)}", "Give it.")
        return cls(**given)

    @classmethod
    def from_json(cls, document: Mapping[str, Any] | str | bytes) -> Self:
        """Read one as Personalize writes it; ARNs become the name at their end, null is as good as absent."""
        found = renamed(cls.what, document_of(cls.what, document), _spelled(cls), cls.hints)
        for name in ARNS.keys() & found.keys():
            found[name] = last_of_arn(found[name])
        if "metadata_columns" in found:
            found["metadata_columns"] = _columns_of(found["metadata_columns"])
        return cls.of(**found)

    def to_json(self) -> dict[str, Any]:
        """Write it as Personalize would; what is at its default is left out, except the number of results."""
        document: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            default = each.default if each.default is not MISSING else None
            if each.name != "num_results" and (value == default or value in ((), {})):
                continue
            if each.name == "metadata_columns":
                value = {"ITEMS": list(value)}
            elif isinstance(value, tuple):
                value = [one.to_json() if isinstance(one, Document) else one for one in value]
            document[_spellings(each.name)[0]] = value
        return document

    def _take(self, **takers: Any) -> None:
        """Replace fields by what `takers` make of them, so that lists become tuples and mappings our own."""
        for name, taker in takers.items():
            value = getattr(self, name)
            if value is not None:
                object.__setattr__(self, name, taker(name, value))


def camel(name: str) -> str:
    """num_results → numResults."""
    first, *rest = name.split("_")
    return first + "".join(each.capitalize() for each in rest)


def last_of_arn(value: object) -> object:
    """The name at the end of an ARN (arn:aws:personalize:…:filter/unwatched → unwatched); anything else as it is."""
    return value.rsplit("/", 1)[-1] if isinstance(value, str) and value.startswith("arn:") else value


def document_of(what: str, document: Mapping[str, Any] | str | bytes) -> Mapping[str, Any]:
    """Take a mapping, or read one from JSON text.

    Raises:
        ServingError: it is no JSON, or no object.
    """
    if isinstance(document, str | bytes):
        try:
            document = json.loads(document)
        except (ValueError, RecursionError) as error:
            raise ServingError(f"{what} is not JSON: {error}. Send one JSON object.") from error
    if not isinstance(document, Mapping):
        raise ServingError(f"{what} is {document!r:.80}, not an object of names and values. Send one JSON object.")
    return document


def renamed(
    what: str, document: Mapping[str, Any], names: Mapping[str, str], hints: Mapping[str, str]
) -> dict[str, Any]:
    """Turn a document's names into a dataclass's.

    Args:
        what: for messages, such as "A recommendation request".
        document: names as Personalize spells them.
        names: Personalize's name to ours; several may mean the same one, but not in one document.
        hints: names that belong elsewhere, to what to do instead.

    Raises:
        ServingError: an unknown name (with the nearest one), or two names for one thing.
    """
    found: dict[str, Any] = {}
    for name, value in document.items():
        if name not in names:
            raise ServingError(
                f"{what} has no field {name!r}. {hints[name]}"
                if name in hints
                else f"{what} has no field {name!r}.{nearest(str(name), names)}"
            )
        if value is None:
            continue
        if names[name] in found:
            both = [each for each in names if names[each] == names[name] and each in document]
            raise ServingError(f"{what} says {' and '.join(both)}; both mean the same. Send one.")
        found[names[name]] = value
    return found


def listed(what: str, value: object) -> tuple[Any, ...]:
    """Take a list as a tuple.

    Raises:
        ServingError: it is no list; a bare text would fall apart into its letters.
    """
    if isinstance(value, str | bytes | Mapping) or not hasattr(value, "__iter__"):
        raise ServingError(f"{what} is {value!r:.80}, not a list. Put it into brackets.")
    return tuple(value)


def mapped(what: str, value: object) -> dict[str, Any]:
    """Take a mapping as a dict of its own.

    Raises:
        ServingError: it is none.
    """
    if not isinstance(value, Mapping):
        raise ServingError(f"{what} is {value!r:.80}, not a mapping of names to values. Write {{name: value}}.")
    return dict(value)


@cache
def _names(kind: type[Document]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The fields of a kind of document, and those that it cannot be without."""
    known = fields(kind)
    needed = (each.name for each in known if each.default is MISSING and each.default_factory is MISSING)
    return tuple(each.name for each in known), tuple(needed)


@cache
def _spelled(kind: type[Document]) -> Mapping[str, str]:
    """Personalize's names of a kind of document to ours."""
    return {given: name for name in _names(kind)[0] for given in _spellings(name)}


def _spellings(name: str) -> tuple[str, ...]:
    return ARNS.get(name, (camel(name),))


def _columns_of(value: object) -> object:
    """{"ITEMS": ["TITLE"]} → ["TITLE"]."""
    if not isinstance(value, Mapping):
        return value
    for kind in value:
        if str(kind).upper() != "ITEMS":
            raise ServingError(f"metadataColumns names {kind!r}; only columns of ITEMS come with a response.")
    return next(iter(value.values()), ())
