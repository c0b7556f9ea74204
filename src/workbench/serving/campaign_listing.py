"""The campaigns of a group, and the history of one, as tables."""

from typing import TYPE_CHECKING, Any

from workbench.data.catalogue_reader import ACTIVE, CAMPAIGN, CATALOG, DELETED, CatalogueReader
from workbench.serving.campaign_records import current, newest_version, require_group, revisions

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.workspace import Workspace


def campaigns(workspace: "Workspace", group: str) -> "pd.DataFrame":
    """The campaigns of a group.

    Returns:
        CAMPAIGN, SOLUTION, VERSION, LATEST_VERSION (newest ACTIVE one), RECIPE, REVISION, STATUS, UPDATED (ISO, UTC),
        LATEST_UPDATE and FAILURE_REASON (how the newest update fared).
    """
    import pandas as pd

    columns = ("CAMPAIGN", "SOLUTION", "VERSION", "LATEST_VERSION", "RECIPE", "REVISION", "STATUS", "UPDATED")
    columns = (*columns, "LATEST_UPDATE", "FAILURE_REASON")
    book = CatalogueReader(workspace.path / CATALOG)
    require_group(book, group)
    names = {row["name"]: None for row in book.rows(kind=CAMPAIGN, group=group) if row["status"] != DELETED}
    rows = [_summary(book, group, name) for name in names]
    return pd.DataFrame(rows, columns=columns, dtype=object)


def campaign_revisions(workspace: "Workspace", group: str, name: str) -> "pd.DataFrame":
    """The history of a campaign, oldest revision first.

    Returns:
        REVISION, SOLUTION, VERSION, RECIPE, STATUS, WHY, KEPT (can be rolled back to), CURRENT, SETTINGS (mapping),
        CREATED (ISO, UTC), FAILURE_REASON.
    """
    import pandas as pd

    book = CatalogueReader(workspace.path / CATALOG)
    now, found = current(book, group, name), revisions(book, group, name)
    names = ("revision", "solution", "version", "recipe", "status", "why", "kept", "created", "failure_reason")
    rows = [{each.upper(): getattr(one, each) for each in names} for one in found]
    for row, one in zip(rows, found, strict=True):
        row |= {"CURRENT": one.revision == now.revision, "SETTINGS": one.settings.to_json()}
    return pd.DataFrame(rows, dtype=object)


def _summary(book: CatalogueReader, group: str, name: str) -> list[Any]:
    everything = revisions(book, group, name)
    last = everything[-1]
    now = next((each for each in reversed(everything) if each.status == ACTIVE), last)
    latest = newest_version(book, group, now.solution)
    shown = [name, now.solution, now.version, latest, now.recipe, now.revision, now.status, now.created]
    return [*shown, last.status, last.failure_reason]
