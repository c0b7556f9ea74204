"""Choose how much attributes count beside events, by events that are held out of the training data."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.recipes.related_content import Content
from workbench.recipes.related_pairs import row_blocks, strength

SHRINKAGES = (1.0, 3.0, 10.0, 30.0, 100.0)
ATTRIBUTE_WEIGHTS = (0.3, 1.0, 3.0)
USUAL = (10.0, 1.0)  # shrinkage and attribute weight where there is too little to choose by
MOST_STEPS = 2_000  # held-out events
LEAST_STEPS = 20
MOST_SCORES = 200_000_000  # scores of one pass over all steps
CUT = 10


@dataclass(frozen=True)
class Steps:
    """Held-out events: from the item before to an item that its user never had before.

    rows: (n_steps,) position of the held-out event among the events. before, after: item codes.
    """

    rows: np.ndarray
    before: np.ndarray
    after: np.ndarray


def held_out_steps(events: pd.DataFrame, n_items: int, seed: int) -> Steps:
    """Find the newest events of users, a tenth of each one's but at least one, and the events before them.

    Args:
        events: "user" and "item" codes, oldest first, indexed by position.
        n_items: of the catalogue; very large ones get fewer steps.
        seed: draws the steps where there are more than MOST_STEPS.
    """
    order = np.argsort(events["user"].to_numpy(), kind="stable")
    users, items = events["user"].to_numpy()[order], events["item"].to_numpy()[order]
    lengths = np.bincount(users)
    after = np.cumsum(lengths)[users] - np.arange(len(users))  # 1 for a user's newest event
    first_time = ~events.duplicated(["user", "item"]).to_numpy()[order]
    same_user = np.append(False, users[1:] == users[:-1])
    found = np.flatnonzero((after <= np.maximum(1, lengths[users] // 10)) & first_time & same_user)
    most = min(MOST_STEPS, max(LEAST_STEPS, MOST_SCORES // max(1, n_items)))
    if len(found) > most:
        found = np.sort(np.random.default_rng(seed).choice(found, most, replace=False))
    return Steps(order[found], items[found - 1], items[found])


def choose(
    chooses: sparse.csr_matrix,
    content: Content | None,
    steps: Steps,
    *,
    shrinkage: float | None,
    attribute_weight: float | None,
    discount: float,
) -> dict[str, Any]:
    """Choose shrinkage and attribute weight by NDCG at 10 of the item that came next, the item before given.

    Args:
        chooses: (n_users, n_items) of ones, held-out events left out.
        content: what attributes foretell, learned without the held-out events; None without attributes.
        steps: what is held out.
        shrinkage, attribute_weight: a given value is not chosen.
        discount: popularity_discount_factor.

    Returns:
        "shrinkage", "attribute_weight", "chosen_by" (held-out events, 0: too few to choose by), and "tried": NDCG at
        10 of every pair of values, of events alone and of attributes alone.
    """
    grid = [
        (m, w)
        for m in (SHRINKAGES if shrinkage is None else (shrinkage,))
        for w in ((0.0,) if content is None else ATTRIBUTE_WEIGHTS if attribute_weight is None else (attribute_weight,))
    ]
    if len(steps.rows) < LEAST_STEPS:
        usual = {
            "shrinkage": shrinkage or USUAL[0],
            "attribute_weight": USUAL[1] if attribute_weight is None else attribute_weight,
        }
        return usual | {"chosen_by": 0, "tried": []}
    alone = [(m, 0.0) for m in dict.fromkeys(m for m, _ in grid)] if content is not None else []
    gains = _gains(chooses, content, steps, [*grid, *alone], discount)
    tried = [
        {"shrinkage": m, "attribute_weight": w, "ndcg_at_10": round(float(gain), 5)}
        for (m, w), gain in zip([*grid, *alone], gains, strict=False)
    ]
    if content is not None:
        tried.append({"shrinkage": None, "attribute_weight": None, "ndcg_at_10": round(float(gains[-1]), 5)})
    m, w = grid[int(np.argmax(gains[: len(grid)]))]
    weight = w if content is not None else (USUAL[1] if attribute_weight is None else attribute_weight)
    return {"shrinkage": m, "attribute_weight": weight, "chosen_by": len(steps.rows), "tried": tried}


def _gains(
    chooses: sparse.csr_matrix,
    content: Content | None,
    steps: Steps,
    settings: list[tuple[float, float]],
    discount: float,
) -> np.ndarray:
    """Mean NDCG at CUT of every setting, and last of attributes alone."""
    by_item = chooses.T.tocsr()
    n_items = by_item.shape[0]
    users = np.diff(by_item.indptr).astype(np.float32)
    total = np.zeros(len(settings) + 1)
    for part in row_blocks(n_items, len(steps.rows)):
        asked, wanted = steps.before[part], steps.after[part]
        shared = (by_item[asked] @ chooses).toarray()
        foreseen = np.zeros_like(shared) if content is None else content.against_all(asked)
        for number, (m, w) in enumerate(settings):
            values = strength(
                shared, np.float32(w) * foreseen, users[asked, None], users, shrinkage=m, discount=discount
            )
            total[number] += _gain(values, asked, wanted)
        total[-1] += _gain(foreseen.copy(), asked, wanted)
    return total / len(steps.rows)


def _gain(values: np.ndarray, asked: np.ndarray, wanted: np.ndarray) -> float:
    """Sum of 1 / log2(place + 1) over the steps whose item is among the first CUT; ties take the mean place."""
    values[np.arange(len(asked)), asked] = -1.0
    own = values[np.arange(len(wanted)), wanted][:, None]
    place = 1.0 + (values > own).sum(axis=1) + ((values == own).sum(axis=1) - 1) / 2.0
    return float(np.where(place <= CUT, 1.0 / np.log2(place + 1.0), 0.0).sum())
