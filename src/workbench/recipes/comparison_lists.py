"""Lists that another system made: read, checked against the split, and judged by the same metrics as a recipe's own."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, RANK, SCORE, USER_ID
from workbench.data.sources import open_source
from workbench.errors import RecipeError
from workbench.evaluation.catalogue_metrics import catalogue
from workbench.evaluation.intervals import summarise
from workbench.evaluation.splits import Split
from workbench.recipes.comparison_entrants import Entrant
from workbench.recipes.comparison_files import hash_split
from workbench.recipes.scoring import Evaluation, metric_cuts, score_lists


def judge_lists(
    entrant: Entrant,
    split: Split,
    items: pd.DataFrame | None = None,
    *,
    k: int = 25,
    seed: int = 0,
    exclude_seen: bool = True,
) -> Evaluation:
    """Score lists from a file as `scoring.fit_and_score` scores those of a recipe.

    Args:
        entrant: one with `lists`; its `figures` say what the other system told of itself.
        split: that the lists were made for.
        items: the items table, for diversity; None when there is none.
        k, seed, exclude_seen: as in `fit_and_score`.

    Returns:
        The evaluation, without a recipe; seconds and memory are what `figures` say, NaN where they say nothing.

    Raises:
        RecipeError: the other system failed, its lists are of another split, or the file is not as needed.
    """
    figures = entrant.figures
    if figures.get("failed"):
        raise RecipeError(str(figures["failed"]))
    if figures.get("split") and figures["split"] != hash_split(split):
        raise RecipeError(
            f"{entrant.lists.name} was made for another split (hash {figures['split']}, here {hash_split(split)}): "
            "write this split with `split_dir` and make the lists again."
        )
    lists, notes = read_lists(str(entrant.lists), split, k, exclude_seen=exclude_seen)
    scores = score_lists(lists, split, items, metric_cuts(k))
    users = split.held_out[USER_ID].unique()
    told = {name: value for name, value in figures.items() if name in ("versions", "settings", "threads", "device")}
    return Evaluation(
        name=entrant.label,
        hyperparameters={},
        recipe=None,
        lists=lists,
        per_user=scores,
        summary=summarise(scores, seed),
        catalogue=catalogue(lists, split.train, items=items, history=split.history, users=users, k=k),
        timings={"fit": _number(figures, "fit_seconds"), "score": _number(figures, "list_seconds")},
        notes=notes | {"exclude_seen": exclude_seen, "recipe": _flat(told)},
        memory=_number(figures, "peak_memory_gb"),
    )


def read_lists(path: str, split: Split, k: int, *, exclude_seen: bool = True) -> tuple[pd.DataFrame, dict[str, int]]:
    """Read a file of lists and bring it to the form that all lists have here.

    Args:
        path: of a file with USER_ID, ITEM_ID and RANK (the lower the better) or SCORE (the higher the better); RANK
            counts when both are there. Any format that `open_source` knows; ids stay text.
        split: whose held-out users are asked for.
        k: list length; further places are left aside.
        exclude_seen: remove items of a user's history; what follows moves up, as where a recipe leaves them out.

    Returns:
        USER_ID, ITEM_ID, RANK from 1 without gaps, SCORE (NaN without that column), and counts of everything that was
        removed or is missing. A held-out user without a list counts as one with an empty list.

    Raises:
        RecipeError: a column is missing, an id or place is empty, or no held-out user has a list.
    """
    table = _open(path)
    users, known = split.held_out[USER_ID].unique(), split.train[ITEM_ID].unique()
    notes = {"rows": len(table)}
    asked = table[table[USER_ID].isin(users)]
    notes["rows_of_users_not_held_out"] = len(table) - len(asked)
    if asked.empty:
        raise RecipeError(
            f"{path} holds no list of a held-out user. Its users look like {_some(table[USER_ID])}, the held-out ones "
            f"like {_some(split.held_out[USER_ID])}; ids must be the same text."
        )
    order = asked.sort_values([USER_ID, "_PLACE"], kind="stable")
    once = order.drop_duplicates([USER_ID, ITEM_ID])
    notes["items_listed_twice"] = len(order) - len(once)
    marked = once.merge(split.history[[USER_ID, ITEM_ID]].drop_duplicates(), how="left", indicator="_SEEN")
    seen = (marked["_SEEN"] == "both").to_numpy()
    notes["seen_items_removed" if exclude_seen else "seen_items_listed"] = int(seen.sum())
    kept = marked[~seen] if exclude_seen else marked
    ranked = kept.assign(**{RANK: kept.groupby(USER_ID, sort=False).cumcount().to_numpy() + 1})
    lists = ranked[ranked[RANK] <= k].reset_index(drop=True)
    notes[f"rows_below_place_{k}"] = len(ranked) - len(lists)
    notes["items_not_in_training"] = int((~lists[ITEM_ID].isin(known)).sum())
    sizes = lists.groupby(USER_ID).size().reindex(users, fill_value=0)
    notes["users_without_a_list"] = int((sizes == 0).sum())
    notes["users_with_a_short_list"] = int(((sizes > 0) & (sizes < k)).sum())
    return lists[[USER_ID, ITEM_ID, RANK, SCORE]], notes


def _open(path: str) -> pd.DataFrame:
    """Read the file: ids as text, `_PLACE` ascending from the best, SCORE."""
    frame = open_source(path).table.to_pandas()
    present = list(frame.columns)
    missing = [name for name in (USER_ID, ITEM_ID) if name not in frame]
    if missing or not {RANK, SCORE} & set(present):
        wanted = " and ".join(missing) or f"{RANK} or {SCORE}"
        raise RecipeError(
            f"{path} has no column {wanted}; found {present}. Lists need USER_ID, ITEM_ID, and RANK or SCORE."
        )
    by = RANK if RANK in frame else SCORE
    places = pd.to_numeric(frame[by], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    for name, empty in ((USER_ID, frame[USER_ID].isna()), (ITEM_ID, frame[ITEM_ID].isna()), (by, np.isnan(places))):
        if empty.any():
            row = int(np.flatnonzero(empty)[0])
            raise RecipeError(f"{path}: row {row + 1} has no usable {name} ({frame[name].iloc[row]!r}).")
    scores = pd.to_numeric(frame[SCORE], errors="coerce") if SCORE in frame else np.nan
    return pd.DataFrame(
        {
            USER_ID: frame[USER_ID].astype("str"),
            ITEM_ID: frame[ITEM_ID].astype("str"),
            SCORE: scores,
            "_PLACE": places if by == RANK else -places,
        }
    )


def _some(ids: pd.Series) -> str:
    return ", ".join(map(repr, ids.drop_duplicates().head(3)))


def _number(figures: Mapping[str, Any], name: str) -> float:
    value = figures.get(name)
    return float("nan") if value is None else float(value)


def _flat(told: Mapping[str, Any]) -> dict[str, Any]:
    """Write mappings as text, for a table of notes."""
    return {
        name: ", ".join(f"{key} {each}" for key, each in value.items()) if isinstance(value, Mapping) else value
        for name, value in told.items()
    }
