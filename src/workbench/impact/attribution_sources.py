"""Who gets the credit for an event: the source it names, else the campaign that made its recommendation."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from workbench.columns import EVENT_ATTRIBUTION_SOURCE, RECOMMENDATION_ID
from workbench.errors import AttributionError, nearest

UNDEFINED = "SOURCE_NAME_UNDEFINED"  # Personalize's own word for events without a source
CAMPAIGN = "CAMPAIGN"
LONGEST_SOURCE = 1_024  # characters, Personalize's limit

Campaigns = Mapping[str, str] | pd.DataFrame | None


def event_sources(events: pd.DataFrame, campaigns: Campaigns = None) -> pd.Series:
    """Name the source of every event.

    Args:
        events: EVENT_ATTRIBUTION_SOURCE and RECOMMENDATION_ID where there are such columns; empty text is missing.
        campaigns: which campaign or recommender made which recommendation: a dict from the beginning of a
            RECOMMENDATION_ID to the campaign (the longest beginning that fits wins), or a frame with
            RECOMMENDATION_ID and CAMPAIGN.

    Returns:
        Text, indexed as `events`: the event's own source; else the campaign of its recommendation; else
        SOURCE_NAME_UNDEFINED.

    Raises:
        AttributionError: `campaigns` lacks a column, or gives one recommendation two campaigns.

    Source: Amazon Personalize developer guide, metric attribution: eventAttributionSource wins over recommendationId.
    """
    named = _text(events, EVENT_ATTRIBUTION_SOURCE)
    derived = recommendation_campaigns(_text(events, RECOMMENDATION_ID), campaigns)
    return named.where(named.notna(), derived).fillna(UNDEFINED).astype(str).rename(EVENT_ATTRIBUTION_SOURCE)


def recommendation_campaigns(recommendations: pd.Series, campaigns: Campaigns) -> pd.Series:
    """Look up the campaign of each recommendation id; missing where there is none."""
    known = pd.Series(recommendations.dropna().unique(), dtype=object)
    if campaigns is None or known.empty:
        return pd.Series(np.nan, index=recommendations.index, dtype=object)
    if isinstance(campaigns, pd.DataFrame):
        found = _table(campaigns)
    else:
        found = {}
        for beginning in sorted(campaigns, key=len):  # a longer beginning overwrites a shorter one
            fits = known[known.str.startswith(beginning)]
            found.update(dict.fromkeys(fits, campaigns[beginning]))
    return recommendations.astype(object).map(found)


def source_problems(sources: pd.Series) -> pd.Series:
    """Events per source whose name Personalize would refuse: over 1,024 characters, or not printable ASCII."""
    counts = sources.value_counts()
    refused = [
        name for name in counts.index if len(name) > LONGEST_SOURCE or not (name.isascii() and name.isprintable())
    ]
    return counts[refused]


def _table(campaigns: pd.DataFrame) -> dict[str, str]:
    for column in (RECOMMENDATION_ID, CAMPAIGN):
        if column not in campaigns.columns:
            raise AttributionError(
                f"The table of campaigns has no column {column!r}.{nearest(column, campaigns.columns)}"
            )
    pairs = campaigns[[RECOMMENDATION_ID, CAMPAIGN]].dropna().drop_duplicates()
    twice = pairs[RECOMMENDATION_ID].duplicated(keep=False)
    if twice.any():
        one = pairs.loc[twice, RECOMMENDATION_ID].iat[0]
        names = pairs.loc[pairs[RECOMMENDATION_ID] == one, CAMPAIGN].tolist()
        raise AttributionError(f"Recommendation {one!r} belongs to several campaigns: {names}. Keep one row for each.")
    return dict(zip(pairs[RECOMMENDATION_ID].astype(str), pairs[CAMPAIGN].astype(str), strict=True))


def _text(events: pd.DataFrame, column: str) -> pd.Series:
    """A column as text, with empty values missing; all missing when there is no such column."""
    if column not in events.columns:
        return pd.Series(np.nan, index=events.index, dtype=object)
    values = events[column].astype(object)
    present = values.notna() & values.astype(str).str.strip().ne("")
    return values.where(present, np.nan)
