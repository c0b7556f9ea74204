"""Errors that say what was got, what is needed and what to do.

Everything wrong with data, state or resources derives from `WorkbenchError`; a bad argument value is a `ValueError`.
The command line turns every `WorkbenchError` into one message and exit code 2.
"""

from collections.abc import Iterable
from difflib import get_close_matches

LONGEST_MEANT = 1_000  # characters; comparing something longer with every known name takes seconds and finds nothing


class WorkbenchError(Exception):
    """Something about the data, the state or a resource is not as needed."""


class SourceError(WorkbenchError):
    """A source cannot be opened or read as a table."""


class FlowError(WorkbenchError):
    """A preparation step is misspelt, misconfigured or cannot run on this table."""


class SchemaError(WorkbenchError):
    """A table breaks the rules of its dataset kind."""


class WorkspaceError(WorkbenchError):
    """A workspace, or a name in it, is not as needed."""


class SplitError(WorkbenchError):
    """A split leaves nothing to train on or nothing to test with."""


class RecipeError(WorkbenchError):
    """A recipe does not exist, got a wrong parameter, or cannot work with the data."""


class UnfittedError(RecipeError, AttributeError):
    """A recipe is asked for what it learns before it was fitted; `hasattr` takes it for "not there"."""


class ModelFileError(RecipeError):
    """A saved model is truncated, edited or of another version."""


class EventError(WorkbenchError):
    """Live events, items or users cannot be taken in as they are."""


class ServingError(WorkbenchError):
    """A campaign, a request or a setting of one is not as needed."""


class FilterError(ServingError):
    """A filter expression, or a value for it, cannot be used."""


class BatchError(ServingError):
    """A batch job cannot read its input, write its output, or go on."""


class AttributionError(WorkbenchError):
    """A metric attribution is misconfigured or lacks the columns it needs."""


class ParameterError(WorkbenchError, ValueError):
    """A notebook parameter is unknown, of the wrong type or out of range."""


class RunError(WorkbenchError):
    """A run sheet or a notebook in it cannot run."""


def nearest(name: str, known: Iterable[str]) -> str:
    """Say which known name was probably meant, for the end of an error message.

    Args:
        name: what was given.
        known: the names that exist.

    Returns:
        " Did you mean 'X'? Known: A, B, X." with the suggestion left out when nothing is close,
        or " There are none yet." when nothing is known.
    """
    names = sorted({str(each) for each in known})
    if not names:
        return " There are none yet."
    return f"{meant(name, names)} Known: {', '.join(names)}."


def meant(name: str, known: Iterable[str]) -> str:
    """Say only which known name was probably meant: " Did you mean 'X'?", or nothing when none is close."""
    if len(str(name)) > LONGEST_MEANT:
        return ""
    folded = {str(each).casefold(): str(each) for each in known}
    close = get_close_matches(str(name).casefold(), folded, n=1, cutoff=0.6)
    return f" Did you mean {folded[close[0]]!r}?" if close else ""
