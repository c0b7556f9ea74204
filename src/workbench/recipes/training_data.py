"""From dataset versions to what a recipe trains on: the event filter, and the least that training needs."""

from collections.abc import Mapping, Sequence

import pandas as pd

from workbench.columns import EVENT_TYPE, EVENT_VALUE, INTERACTIONS, ITEMS, USER_ID, USERS
from workbench.data.rules import MAX_EVENT_TYPES, MIN_ACTIVE_SHARE, MIN_ACTIVE_USERS, MIN_INTERACTIONS
from workbench.data.versions import DatasetVersion
from workbench.errors import RecipeError, nearest
from workbench.recipes.contract import TrainingData


def read_tables(versions: Mapping[str, DatasetVersion | None], needs: Sequence[str] = (INTERACTIONS,)) -> TrainingData:
    """Read one version of each dataset kind into memory.

    Args:
        versions: dataset kind to version or None, as `Workspace.training_data` gives it.
        needs: the kinds the recipe cannot work without.

    Raises:
        RecipeError: a needed kind is not there.
    """
    missing = [kind for kind in {INTERACTIONS: 0, **dict.fromkeys(needs)} if versions.get(kind) is None]
    if missing:
        have = [kind for kind, version in versions.items() if version is not None]
        raise RecipeError(
            f"The dataset group has no {' and no '.join(missing)}; it has {', '.join(have) or 'nothing yet'}. "
            "Prepare them with notebook 10_prepare_data, or choose a recipe that needs less."
        )
    frames = {kind: version.frame() if version else None for kind, version in versions.items()}
    return TrainingData(frames[INTERACTIONS], frames.get(ITEMS), frames.get(USERS))


def filter_events(
    events: pd.DataFrame, event_types: Sequence[str] = (), event_value_threshold: float | None = None
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Keep the events that count as interest.

    Args:
        events: interactions; EVENT_TYPE and EVENT_VALUE only where they are asked for.
        event_types: names to keep; empty keeps all.
        event_value_threshold: keep events whose EVENT_VALUE is at least this; None keeps all. An event without a
            value falls below any threshold.

    Returns:
        The kept events, and how many there were, how many each condition removed, and how many are left.

    Raises:
        RecipeError: a column that is asked for is absent, or an event type never occurs.

    Source: Amazon Personalize, `eventType` and `eventValueThreshold` of a solution; several types at once are ours.
    """
    kept = events
    notes = {"events": len(events), "dropped_by_event_type": 0, "dropped_by_event_value": 0}
    if len(event_types):
        _require(events, EVENT_TYPE, f"event_types={list(event_types)}")
        present = events[EVENT_TYPE].dropna().unique()
        for unknown in [each for each in event_types if each not in set(present)]:
            raise RecipeError(f"No event has EVENT_TYPE {unknown!r}.{nearest(unknown, present)}")
        kept = kept[kept[EVENT_TYPE].isin(list(event_types))]
        notes["dropped_by_event_type"] = len(events) - len(kept)
    if event_value_threshold is not None:
        _require(events, EVENT_VALUE, f"event_value_threshold={event_value_threshold:g}")
        high = kept[kept[EVENT_VALUE] >= event_value_threshold]
        notes["dropped_by_event_value"] = len(kept) - len(high)
        kept = high
    return kept.reset_index(drop=True), notes | {"events_left": len(kept)}


def shortfalls(events: pd.DataFrame) -> list[str]:
    """Say where events fall short of the least that training needs; empty when they do.

    Args:
        events: after the event filter.

    Source: Amazon Personalize developer guide: 1,000 interactions, 25 users and 1 % of the users with two or more,
    at most 10 event types.
    """
    sizes = events[USER_ID].value_counts()
    active = int((sizes >= 2).sum())
    found = []
    if len(events) < MIN_INTERACTIONS:
        found.append(f"{len(events):,} interactions of the {MIN_INTERACTIONS:,} needed")
    if active < MIN_ACTIVE_USERS:
        found.append(f"{active:,} users with 2 interactions or more of the {MIN_ACTIVE_USERS} needed")
    if active < MIN_ACTIVE_SHARE * len(sizes):
        found.append(
            f"{active:,} of {len(sizes):,} users have 2 interactions or more, {MIN_ACTIVE_SHARE:.0%} are needed"
        )
    types = events[EVENT_TYPE].nunique() if EVENT_TYPE in events.columns else 0
    if types > MAX_EVENT_TYPES:
        found.append(f"{types:,} event types, at most {MAX_EVENT_TYPES} are allowed")
    return found


def check_least(events: pd.DataFrame, train_anyway: bool) -> list[str]:
    """Refuse to train on too little.

    Args:
        events: after the event filter.
        train_anyway: True lets it pass.

    Returns:
        The shortfalls, for the notes.

    Raises:
        RecipeError: there are shortfalls and `train_anyway` is False, or there is no event at all.
    """
    found = shortfalls(events)
    if events.empty:
        raise RecipeError("No interaction is left to train on; loosen event_types or event_value_threshold.")
    if found and not train_anyway:
        raise RecipeError(
            f"Too little to train on: {'; '.join(found)}. Add data, loosen the event filter, "
            "or train anyway with train_anyway=True and trust the numbers less."
        )
    return found


def _require(events: pd.DataFrame, column: str, asked: str) -> None:
    if column not in events.columns:
        raise RecipeError(f"{asked} needs a column {column}; the interactions have {list(events.columns)}.")
