"""Rows of a dataset as what an application puts live: events as they once came, items like others."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import CREATION_TIMESTAMP, EVENT_TYPE, EVENT_VALUE, ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import ServingError
from workbench.serving.reasons import TITLES
from workbench.serving.recommender import Recommender

OWN = {EVENT_TYPE: "eventType", EVENT_VALUE: "eventValue", ITEM_ID: "itemId"}
APART = {*OWN, USER_ID, TIMESTAMP, "IMPRESSION", "RECOMMENDATION_ID", "EVENT_ATTRIBUTION_SOURCE"}
USUAL = "view"  # the event type where the events have none


def like(recommender: Recommender, item_id: str, title: str) -> dict[str, Any]:
    """The attributes of an item as properties of a new one, missing ones left out.

    Where items have titles it gets its own, and where they have creation times, that of the newest stored event.

    Raises:
        ServingError: there is no such item, or it has no attribute.
    """
    items = recommender.deployment.items
    code = items.code_of(item_id)
    if code < 0:
        raise ServingError(f"There is no item {item_id!r} in the catalogue; name another.")
    found = {name: _plain(value) for name, value in items.row(code).items() if value is not None}
    if not found:
        raise ServingError(f"Item {item_id!r} has no attributes, so nothing can be put that is like it.")
    own = {CREATION_TIMESTAMP: int(recommender.deployment.newest_time), **dict.fromkeys(TITLES, title)}
    return found | {name: value for name, value in own.items() if name in found}


def event_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """A stored row as the event that it once was."""
    event: dict[str, Any] = {"eventType": USUAL, "sentAt": int(row[TIMESTAMP])}
    for column, name in OWN.items():
        if column in row and not pd.isna(row[column]):
            event[name] = _plain(row[column])
    event["itemId"] = str(event["itemId"])
    more = {name: _plain(value) for name, value in row.items() if name not in APART and not pd.isna(value)}
    return event | ({"properties": more} if more else {})


def _plain(value: Any) -> Any:
    """A value as JSON knows it; whole numbers lose their point, as columns of whole numbers need it."""
    found = value.item() if isinstance(value, np.generic) else value
    return int(found) if isinstance(found, float) and found.is_integer() else found


def require_unknown(recommender: Recommender, rows: Sequence[Mapping[str, Any]]) -> None:
    """Refuse a campaign whose stored or live events have what is to be replayed."""
    deployment = recommender.deployment
    for user in dict.fromkeys(str(row[USER_ID]) for row in rows):
        log = deployment.users.state(user).events
        known = set(zip(log.entities.tolist(), log.times.tolist(), strict=True))
        for row in rows:
            code = deployment.items.code_of(str(row[ITEM_ID]))
            if str(row[USER_ID]) == user and code >= 0 and (code, int(row[TIMESTAMP])) in known:
                raise ServingError(
                    f"Campaign {deployment.campaign!r} knows the event of user {user!r} and item {row[ITEM_ID]!r} at "
                    f"{row[TIMESTAMP]} already, so its list cannot follow it. Hold other events back (another seed), "
                    "or delete the campaign, so that it is made anew."
                )
