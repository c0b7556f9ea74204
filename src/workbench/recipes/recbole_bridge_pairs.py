"""Scores of models that take one user with one item: in blocks of pairs, so that memory does not grow with either.

Import this module only inside `recbole_bridge_repairs.tamed`: it imports RecBole.
"""

from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.data.interaction import Interaction

from workbench.recipes.contract import Histories
from workbench.recipes.recbole_bridge_data import ITEM, USER, attribute_tensors
from workbench.recipes.recbole_bridge_features import Features
from workbench.recipes.recbole_bridge_models import pairs_at_once
from workbench.recipes.recbole_bridge_scoring import nearest_users

SIMILAR_USERS = 5  # known users whose scores a new one gets; each costs a pass over all items


@torch.no_grad()
def score_pairs(model: Any, users: dict[str, torch.Tensor], items: dict[str, torch.Tensor]) -> np.ndarray:
    """Score every user with every item.

    Args:
        model: with `predict`.
        users: fields of the users, equally many rows each.
        items: fields of the items, equally many rows each, the padding item left out.

    Returns:
        (users, items) float32.
    """
    n_users, n_items = (len(next(iter(side.values()))) for side in (users, items))
    step = pairs_at_once(type(model).__name__)[0]
    device = next(model.parameters()).device
    parts = [np.empty(0, np.float32)]
    for start in range(0, n_users * n_items, step):
        places = torch.arange(start, min(start + step, n_users * n_items))
        rows, columns = places // n_items, places % n_items
        batch = {name: values[rows] for name, values in users.items()}
        batch |= {name: values[columns] for name, values in items.items()}
        scores = model.predict(Interaction(batch).to(device))
        parts.append(scores.detach().float().cpu().view(-1).numpy())
    return np.concatenate(parts).reshape(n_users, n_items)


@torch.no_grad()
def score_attributes(
    model: Any, features: Features, known: sp.csr_matrix, histories: Histories, users: np.ndarray
) -> np.ndarray:
    """Score by user and attributes.

    A known user (code >= 0) gets the model's scores. A new one gets those of the known users who share most items,
    weighted by the cosine; without any event, those of its own attributes from the users table.

    Args:
        model: a context-aware model.
        features: attributes of items and users.
        known: (n_users, n_items) counts of the users the model learned from.
        histories, users: rows and their user codes, -1 for new ones.
    """
    scores = np.zeros((len(histories), known.shape[1]), dtype=np.float32)
    old, new = np.flatnonzero(users >= 0), np.flatnonzero(users < 0)
    if len(old):
        scores[old] = _by_attributes(model, features, users[old] + 1, users[old] + 1)
    if not len(new):
        return scores
    weights = nearest_users(histories, known, SIMILAR_USERS)[new]
    asked = np.unique(weights.indices).astype(np.int64)
    if len(asked):
        scores[new] = weights[:, asked] @ _by_attributes(model, features, asked + 1, asked + 1)
    alone = new[np.diff(weights.indptr) == 0]
    if len(alone):
        rows = features.rows_of(histories.user_ids[alone])
        scores[alone] = _by_attributes(model, features, np.zeros(len(alone), dtype=np.int64), rows)
    return scores


def _by_attributes(model: Any, features: Features, ids: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Score all items for users of these ids (0 for none) with the attributes of these rows."""
    different, back = np.unique(np.column_stack([ids, rows]), axis=0, return_inverse=True)
    users = {name: values[different[:, 1]] for name, values in attribute_tensors(features.users, "user").items()}
    items = {name: values[1:] for name, values in attribute_tensors(features.items, "item").items()}
    users[USER] = torch.from_numpy(np.ascontiguousarray(different[:, 0]))
    items[ITEM] = torch.arange(1, features.items.tokens.shape[0])
    return score_pairs(model, users, items)[back.ravel()]
