"""Why an item scores as it does: attributes as a table, and events for recipes whose scores are no sum over them."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID
from workbench.recipes.contract import Histories, Recipe

MOST_EVENTS = 50  # newest events whose part is measured
OF_ITEM, OF_USER, OF_CONTEXT = "item", "user", "context"  # kinds of attributes


def at_own_positions(frame: pd.DataFrame, kept: np.ndarray) -> pd.DataFrame:
    """Count positions of an explanation over all events where only some of them were explained.

    Args:
        frame: with POSITION among the events kept, 1 = newest.
        kept: (n_events,) bool, oldest event first.

    Returns:
        The same with POSITION among all events.
    """
    positions = len(kept) - np.flatnonzero(kept)
    return frame.assign(POSITION=positions[len(positions) - frame["POSITION"].to_numpy(dtype=np.int64)])


def attribute_table(parts: Iterable[tuple[str, str, float]]) -> pd.DataFrame:
    """Put parts of a score into the table that `Recipe.explain_attributes` gives.

    Args:
        parts: kind, attribute and contribution of each; attributes of one name stay apart.

    Returns:
        KIND, ATTRIBUTE, CONTRIBUTION, largest first; ties in the order given.
    """
    kinds, names, values = zip(*parts, strict=True) if (parts := list(parts)) else ((), (), ())
    frame = pd.DataFrame(
        {
            "KIND": pd.Series(kinds, dtype="str"),
            "ATTRIBUTE": pd.Series(list(map(str, names)), dtype="str"),
            "CONTRIBUTION": np.array(values, dtype=np.float64),
        }
    )
    return frame.sort_values("CONTRIBUTION", ascending=False, kind="stable", ignore_index=True)


def leave_one_out(recipe: Recipe, history: Histories, item_code: int, most: int = MOST_EVENTS) -> pd.DataFrame:
    """Measure how much one item's score falls when each of the newest events is taken away by itself.

    Args:
        recipe: fitted.
        history: exactly one row.
        item_code: the recommended item.
        most: how many of the newest events to try.

    Returns:
        ITEM_ID, POSITION (1 = newest event), CONTRIBUTION (score units), largest first. Parts need not add up to the
        score: events that say the same thing stand in for each other.
    """
    n = len(history.items)
    tried = np.arange(max(0, n - most), n)
    if n < 2:
        tried = tried[:0]
    kept = np.arange(n)[None, :] != tried[:, None]
    rows = np.concatenate([np.arange(n), np.broadcast_to(np.arange(n), kept.shape)[kept]])
    lengths = np.concatenate([[n], np.full(len(tried), n - 1)])
    many = Histories(
        user_ids=np.repeat(history.user_ids, len(lengths)),
        offsets=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        items=history.items[rows],
        times=history.times[rows],
        columns={name: values[rows] for name, values in history.columns.items()},
        context={name: np.repeat(values, len(lengths)) for name, values in history.context.items()},
    )
    scores = recipe.score(many)[:, item_code].astype(np.float64)
    frame = pd.DataFrame(
        {
            ITEM_ID: recipe.item_ids[history.items[tried]],
            "POSITION": n - tried,
            "CONTRIBUTION": scores[0] - scores[1:],
        }
    )
    return frame.sort_values(["CONTRIBUTION", "POSITION"], ascending=[False, True], ignore_index=True)
