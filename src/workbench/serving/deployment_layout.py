"""Lay out at deployment what requests need, so that opening a campaign reads no log and makes no pass over one.

Users lie sorted by id, their events one user after the other, oldest first; items lie by code: those that the recipe
scores first, as it numbers them, then those that only the datasets know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from workbench.columns import (
    CREATION_TIMESTAMP,
    EVENT_TYPE,
    EVENT_VALUE,
    INTERACTIONS,
    ITEM_ID,
    ITEMS,
    TIMESTAMP,
    USER_ID,
    USERS,
)
from workbench.data.events_group import ORIGIN
from workbench.data.solutions import SolutionVersion
from workbench.errors import ServingError
from workbench.recipes.contract import Recipe
from workbench.recipes.storage import load, save, stamps
from workbench.serving.array_files import ArrayWriter
from workbench.serving.column_files import encoded, taken, write_columns
from workbench.serving.item_update import take_in

RECIPE_FOLDER = "recipe"  # below the layout, when new items were taken into the model


@dataclass(frozen=True)
class Sources:
    """What a deployment is laid out from.

    solution: the trained version.
    datasets: INTERACTIONS, ITEMS, USERS to a `DatasetVersion`, or None where the group has none.
    domain: of the dataset group; with the items themselves it decides which columns are prose.
    """

    solution: SolutionVersion
    datasets: Mapping[str, Any]
    domain: str | None = None


def write_layout(folder: Path, sources: Sources) -> dict[str, Any]:
    """Write a deployment's arrays.

    Args:
        folder: empty or not there yet.
        sources: what to lay out.

    Returns:
        What the index says: numbers of items and users, the columns, the datasets' versions, the solution's settings.

    Raises:
        ServingError: there are no interactions.
    """
    tables = {kind: _arrow(sources.datasets.get(kind)) for kind in (INTERACTIONS, ITEMS, USERS)}
    if tables[INTERACTIONS] is None:
        raise ServingError("The dataset group has no interactions; write them with write_dataset() first.")
    recipe, own, new_items = _recipe(folder, sources, tables[ITEMS])
    ids, n_scored = _item_ids(recipe, tables)
    writer = ArrayWriter(folder)
    writer.put_texts("unscored", ids[n_scored:].tolist())
    config = sources.solution.config
    about = {
        "solution": sources.solution.solution,
        "version": sources.solution.version,
        "recipe": config["recipe"],
        "own_recipe": own,
        "model_files": stamps(folder / RECIPE_FOLDER if own else sources.solution.path),
        "new_items": new_items,
        "n_scored": n_scored,
        "n_items": len(ids),
        "datasets": {kind: each.version for kind, each in sources.datasets.items() if each},
        "live_events": {kind: each.origin.get(ORIGIN) for kind, each in sources.datasets.items() if each},
        "event_types": list(config.get("event_types") or ()),
        "event_value_threshold": config.get("event_value_threshold"),
        "exclude_seen": bool(config.get("exclude_seen", True)),
        "objective": config.get("objective"),
    }
    about["items"], created = _write_items(writer, tables[ITEMS], ids, sources)
    about["events"], about["users"] = _write_users(writer, tables, ids)
    about["left_out"] = _left_out(tables, about)
    about |= _write_facts(writer, tables[INTERACTIONS], ids, created, about)
    writer.finish(about)
    return about


def _arrow(version: Any) -> Any:
    """A dataset version as an Arrow table; None stays None."""
    if version is None:
        return None
    import pyarrow.parquet as pq

    from workbench.data.versions import DATA_FILE

    return pq.read_table(version.path / DATA_FILE)


def _recipe(folder: Path, sources: Sources, items: Any) -> tuple[Recipe, bool, dict[str, int]]:
    """The model, with items in it that came after its training where it allows that; whether it was changed."""
    recipe = load(sources.solution.path)
    if items is None:
        return recipe, False, {}
    frame = items.to_pandas()
    fresh = frame[~frame[ITEM_ID].isin(recipe.item_ids)]
    updated, counted = take_in(recipe, fresh)
    if updated is None:
        return recipe, False, counted
    save(updated, folder / RECIPE_FOLDER)
    return updated, True, counted


def _item_ids(recipe: Recipe, tables: Mapping[str, Any]) -> tuple[np.ndarray, int]:
    """The ids by code, and how many of them the recipe scores."""
    import pyarrow.compute as pc

    known = set(recipe.item_ids.tolist())
    more: set[str] = set()
    for table in (tables[ITEMS], tables[INTERACTIONS]):
        if table is not None:
            more |= set(pc.unique(table.column(ITEM_ID)).to_pylist()) - known
    ids = np.empty(len(known) + len(more), dtype=object)
    ids[: len(known)] = recipe.item_ids
    ids[len(known) :] = sorted(more)
    return ids, len(known)


def _write_items(writer: ArrayWriter, items: Any, ids: np.ndarray, sources: Sources) -> tuple[dict, np.ndarray]:
    """Write the items' columns; returns their kinds and the creation times, NaN where unknown."""
    created = np.full(len(ids), np.nan)
    if items is None:
        return {}, created
    from workbench.data.schemas import schema_for

    schema = schema_for(ITEMS, sources.domain, sources.datasets[ITEMS].table())
    prose = [each.name for each in schema.fields if each.textual]
    rows = _positions(items.column(ITEM_ID), ids)
    kinds = write_columns(writer, "items", items, rows, (ITEM_ID,), prose)
    if CREATION_TIMESTAMP in kinds:
        times = items.column(CREATION_TIMESTAMP).to_pandas().to_numpy(dtype=np.float64, na_value=np.nan)
        created = taken(times, rows, np.nan)
    return kinds, created


def _write_users(writer: ArrayWriter, tables: Mapping[str, Any], ids: np.ndarray) -> tuple[dict, dict]:
    """Write the events by user and the users' attributes; returns the kinds of both tables' columns."""
    events, users = tables[INTERACTIONS], tables[USERS]
    codes, texts = encoded(events.column(USER_ID))
    listed = set(texts) if users is None else {*texts, *users.column(USER_ID).to_pylist()}
    ordered = sorted(listed, key=lambda each: each.encode("utf-8", "surrogatepass"))
    places = {each: place for place, each in enumerate(ordered)}
    by_user = np.array([places[each] for each in texts], dtype=np.int64)[codes]
    times = events.column(TIMESTAMP).to_numpy()
    order = np.lexsort((times, by_user))
    counts = np.bincount(by_user, minlength=len(ordered))
    writer.put_texts("users", ordered)
    writer.put("offsets", np.concatenate([[0], np.cumsum(counts)]).astype(np.int64))
    item_codes, item_texts = encoded(events.column(ITEM_ID))
    positions = {each: code for code, each in enumerate(ids.tolist())}
    by_item = np.array([positions[each] for each in item_texts], dtype=np.int32)[item_codes]
    writer.put("entities", by_item[order])
    writer.put("times", times[order].astype(np.int64))
    kinds = write_columns(writer, "events", events, order, (USER_ID, ITEM_ID, TIMESTAMP))
    if users is None:
        writer.put("has_row", np.zeros(len(ordered), dtype=bool))
        return kinds, {}
    rows = _positions(users.column(USER_ID), ordered)
    writer.put("has_row", rows >= 0)
    return kinds, write_columns(writer, "users", users, rows, (USER_ID,))


def _write_facts(
    writer: ArrayWriter, events: Any, ids: np.ndarray, created: np.ndarray, about: Mapping[str, Any]
) -> dict[str, int]:
    """Write creation times and popularity; returns the times of the oldest and the newest event.

    An item without CREATION_TIMESTAMP was created at its oldest event; without events, at the newest event of all.

    Source: Amazon Personalize developer guide, how the creation time of items is inferred.
    """
    codes, texts = encoded(events.column(ITEM_ID))
    positions = {each: code for code, each in enumerate(ids.tolist())}
    items = np.array([positions[each] for each in texts], dtype=np.int64)[codes]
    times = events.column(TIMESTAMP).to_numpy()
    newest = int(times.max())
    oldest = np.full(len(ids), newest, dtype=np.int64)
    np.minimum.at(oldest, items, times)
    known = ~np.isnan(created)
    oldest[known] = created[known].astype(np.int64)
    writer.put("creation_times", oldest)
    counts = _counting(events, about)
    writer.put("popularity", np.bincount(items[counts], minlength=len(ids)).astype(np.int64))
    return {"oldest": int(times.min()), "newest": newest}


def _left_out(tables: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, list[str]]:
    """Dataset kind to its columns that are of no type a request could use."""
    written = {INTERACTIONS: {*about["events"], USER_ID, ITEM_ID, TIMESTAMP}}
    written |= {ITEMS: {*about["items"], ITEM_ID}, USERS: {*about["users"], USER_ID}}
    found = {
        kind: [name for name in table.column_names if name not in written[kind]]
        for kind, table in tables.items()
        if table is not None
    }
    return {kind: names for kind, names in found.items() if names}


def _counting(events: Any, about: Mapping[str, Any]) -> np.ndarray:
    """Which events count as interest, as at training: (m,) bool."""
    counts = np.ones(events.num_rows, dtype=bool)
    if about["event_types"]:
        codes, texts = encoded(events.column(EVENT_TYPE))
        wanted = np.array([*(each in about["event_types"] for each in texts), False])
        counts &= wanted[codes]
    if about["event_value_threshold"] is not None:
        values = events.column(EVENT_VALUE).to_pandas().to_numpy(dtype=np.float64, na_value=np.nan)
        counts &= values >= about["event_value_threshold"]
    return counts


def _positions(column: Any, ids: Any) -> np.ndarray:
    """For each id its row in a column of ids, -1 where it has none."""
    rows = {each: row for row, each in enumerate(column.to_pylist())}
    return np.array([rows.get(each, -1) for each in ids], dtype=np.int64)
