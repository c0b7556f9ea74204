"""The names that resources may have."""

import re

from workbench.columns import KINDS
from workbench.errors import WorkspaceError, nearest

NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9\-_]{0,62}")  # Amazon Personalize's names, 1 to 63 characters


def require_name(what: str, name: str) -> None:
    """Raise a WorkspaceError unless `name` can name a `what`, such as a solution."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise WorkspaceError(
            f"{name!r} cannot name a {what}. Use 1 to 63 letters, digits, '-' and '_', "
            "starting with a letter or a digit."
        )


def require_kind(kind: str) -> None:
    """Raise a WorkspaceError unless `kind` is one of the five dataset kinds."""
    if kind not in KINDS:
        raise WorkspaceError(f"There is no dataset kind {kind!r}.{nearest(kind, KINDS)}")
