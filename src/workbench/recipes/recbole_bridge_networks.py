"""Turn a trained RecBole model into a scorer: arrays where its scores are a matrix product, the live model elsewhere.

Import this module only inside `recbole_bridge_repairs.tamed`: it imports RecBole.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from recbole.data.interaction import Interaction
from recbole.model.abstract_recommender import AutoEncoderMixin

from workbench.recipes.contract import Histories
from workbench.recipes.recbole_bridge_data import ITEM, LENGTH, LIST, NEGATIVES, USER
from workbench.recipes.recbole_bridge_models import CONTEXT, SEQUENTIAL
from workbench.recipes.recbole_bridge_pairs import score_attributes, score_pairs
from workbench.recipes.recbole_bridge_rows import Rows
from workbench.recipes.recbole_bridge_scoring import (
    CELLS,
    Factors,
    ItemSimilarity,
    dense,
    history_matrix,
    nearest_users,
)
from workbench.recipes.recbole_bridge_training import Trained

FACTOR_NAMES = (
    ("restore_user_e", "restore_item_e"),
    ("user_embedding", "item_embedding"),
    ("user_embeddings", "item_embeddings"),
)


def as_item_similarity(model: Any) -> ItemSimilarity | None:
    """Take out item-to-item weights where the scores are exactly history times weights (plus an offset)."""
    if getattr(model, "method", "item") != "item" or type(model).__name__ == "AsymKNN":
        return None
    weights = getattr(model, "item_similarity", getattr(model, "w", None))
    if weights is None:
        return None
    weights = sp.csr_matrix(weights)[1:, 1:] if sp.issparse(weights) else dense(weights)[1:, 1:]
    weights = weights.astype(np.float32)
    offset = np.zeros(weights.shape[0], dtype=np.float32)
    if getattr(model, "center_columns", False):
        means = dense(model.item_means).ravel()[1:]
        offset = (means - means @ weights).astype(np.float32)
    return ItemSimilarity(weights, offset)


@torch.no_grad()
def as_factors(model: Any, histories: Histories) -> tuple[Factors, float] | None:
    """Take out user and item vectors if their products are, number for number, what the model itself scores."""
    if not hasattr(model, "n_users"):
        return None
    probe = np.unique(np.linspace(0, model.n_users - 2, 32).astype(np.int64))
    if isinstance(model, AutoEncoderMixin):
        return None
    own = _try_full_sort(model, {USER: torch.from_numpy(probe + 1)}, len(probe))
    if own is None:
        return None
    for names in FACTOR_NAMES:
        users, items = (_vectors(getattr(model, name, None)) for name in names)
        if users is None or items is None:
            continue
        items = items.T if items.shape[0] == users.shape[1] != items.shape[1] else items
        if users.shape[1:] != items.shape[1:] or len(users) != model.n_users or len(items) != model.n_items:
            continue
        if np.allclose(users[probe + 1] @ items[1:].T, own, rtol=1e-3, atol=1e-4 * (np.abs(own).max() + 1e-9)):
            return Factors.learn(np.ascontiguousarray(users[1:]), np.ascontiguousarray(items[1:]), histories)
    return None


def weights_of(trained: Trained) -> dict[str, np.ndarray]:
    """Give a live model's weights and the rows it was built from, as arrays.

    What is neither a weight nor a plain array of the model is computed again from the rows.
    """
    arrays = {f"rows/{name}": getattr(trained.rows, name).astype(np.int32) for name in ("users", "items", "starts")}
    arrays |= {f"rows/{name}": getattr(trained.rows, name).astype(np.int64) for name in ("train", "valid")}
    for name, value in trained.model.state_dict().items():
        if not value.is_sparse:
            arrays[f"weights/{name}"] = value.detach().cpu().numpy()
    for name, value in trained.model.other_parameter().items():
        if isinstance(value, torch.Tensor) and not value.is_sparse:
            arrays[f"other/{name}"] = value.detach().cpu().numpy()
    for name, value in vars(trained.model).items():  # FwFM keeps weights that torch does not know as such
        if isinstance(value, torch.Tensor) and value.requires_grad and value.is_leaf:
            arrays[f"other/{name}"] = value.detach().cpu().numpy()
    return arrays | (trained.rows.features.state() if trained.rows.features else {})


def load_weights(trained: Trained, arrays: dict[str, np.ndarray]) -> Any:
    """Put saved weights into a freshly built model and give it back, ready to score."""
    model = trained.model
    weights = dict(model.state_dict())
    for name, value in arrays.items():
        group, _, rest = name.partition("/")
        if group == "weights":
            weights[rest] = torch.from_numpy(np.array(value))
        elif group == "other":
            setattr(model, rest, torch.from_numpy(np.array(value)))
    model.load_state_dict(weights)
    return model.eval()


def caller(
    model: Any, way: str, parameters: dict[str, Any], rows: Rows, known: sp.csr_matrix
) -> Callable[[Histories, np.ndarray], np.ndarray]:
    """Give the function that scores histories and their user codes, -1 for new users, in the model's own way."""
    if way == "sequences":
        return lambda histories, users: score_sequences(model, parameters["MAX_ITEM_LIST_LENGTH"], histories, users)
    if way == "autoencoder":
        return lambda histories, users: score_autoencoder(model, histories, users)
    if way == "attributes" and rows.features is not None:
        features = rows.features
        return lambda histories, users: score_attributes(model, features, known, histories, users)
    return lambda histories, users: score_users(model, known, histories, users)


@torch.no_grad()
def score_sequences(model: Any, longest: int, histories: Histories, users: np.ndarray) -> np.ndarray:
    """Score by the newest `longest` events; a model that also wants a user gets the padding user for new ones."""
    sizes = np.diff(histories.offsets)
    lengths = np.minimum(sizes, longest)
    positions = (histories.offsets[1:] - lengths)[:, None] + np.arange(longest)
    inside = np.arange(longest) < lengths[:, None]
    codes = np.append(histories.items.astype(np.int64) + 1, 0)
    lists = np.where(inside, codes[np.where(inside, positions, len(codes) - 1)], 0)
    fields = {
        USER: torch.from_numpy(users + 1),
        LIST: torch.from_numpy(lists),
        LENGTH: torch.from_numpy(np.maximum(lengths, 1)),
        NEGATIVES: torch.from_numpy(lists),  # only DIEN asks for it, for a loss that is unused while it scores
        ITEM: torch.ones(len(histories), dtype=torch.long),  # two models compute a loss, unused, while they score
    }
    return _scores(model, fields, len(histories))


@torch.no_grad()
def score_autoencoder(model: Any, histories: Histories, users: np.ndarray) -> np.ndarray:
    """Give an autoencoder the histories in place of the ones it was trained on."""
    matrix = history_matrix(histories, model.n_items - 1)
    if len(histories) > 1 and len(histories) * np.diff(matrix.indptr).max(initial=0) > CELLS:
        half = len(histories) // 2
        parts = ((0, half), (half, len(histories)))
        return np.vstack([score_autoencoder(model, histories.rows(*part), users[slice(*part)]) for part in parts])
    width = max(1, int(np.diff(matrix.indptr).max(initial=0)))
    ids, values = np.zeros((len(histories), width), dtype=np.int64), np.zeros((len(histories), width), dtype=np.float32)
    for row in range(len(histories)):
        chosen = slice(matrix.indptr[row], matrix.indptr[row + 1])
        size = chosen.stop - chosen.start
        ids[row, :size], values[row, :size] = matrix.indices[chosen] + 1, 1.0
    kept = model.history_item_id, model.history_item_value
    model.history_item_id, model.history_item_value = torch.from_numpy(ids), torch.from_numpy(values)
    try:
        return _scores(model, {USER: torch.arange(len(histories))}, len(histories))
    finally:
        model.history_item_id, model.history_item_value = kept


@torch.no_grad()
def score_users(model: Any, known: sp.csr_matrix, histories: Histories, users: np.ndarray) -> np.ndarray:
    """Score known users by the model, new ones as the weighted mean of the known users who share most with them."""
    new = np.flatnonzero(users < 0)
    scores = np.zeros((len(histories), known.shape[1]), dtype=np.float32)
    old = np.flatnonzero(users >= 0)
    if len(old):
        scores[old] = _scores(model, {USER: torch.from_numpy(users[old] + 1)}, len(old))
    if len(new):
        weights = nearest_users(pick(histories, new), known)
        asked = np.unique(weights.indices)
        if len(asked):
            theirs = _scores(model, {USER: torch.from_numpy(asked.astype(np.int64) + 1)}, len(asked))
            scores[new] = weights[:, asked] @ theirs
    return scores


def scoring_way(model: Any, kind: str) -> str:
    """Name how a live model takes its input: sequences, attributes, autoencoder or users."""
    if kind in (SEQUENTIAL, CONTEXT):
        return "sequences" if kind == SEQUENTIAL else "attributes"
    rebuilt = isinstance(model, AutoEncoderMixin) and not any(
        hasattr(model, name) for name in ("user_embedding", "h_user", "time_aware_matrix")
    )
    return "autoencoder" if rebuilt else "users"


def pick(histories: Histories, rows: np.ndarray) -> Histories:
    """Cut out some histories."""
    sizes = np.diff(histories.offsets)[rows]
    events = np.concatenate([np.arange(histories.offsets[row], histories.offsets[row + 1]) for row in rows])
    return Histories(
        user_ids=histories.user_ids[rows],
        offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
        items=histories.items[events.astype(np.int64)],
        times=histories.times[events.astype(np.int64)],
    )


def _scores(model: Any, fields: dict[str, torch.Tensor], rows: int) -> np.ndarray:
    scores = _try_full_sort(model, fields, rows)
    if scores is None:
        kept = {name: values for name, values in fields.items() if name != ITEM}
        scores = score_pairs(model, kept, {ITEM: torch.arange(1, model.n_items)})
    return scores


def _try_full_sort(model: Any, fields: dict[str, torch.Tensor], rows: int) -> np.ndarray | None:
    """Score all items at once, without the padding item; None where a model cannot."""
    batch = Interaction(dict(fields)).to(next(model.parameters()).device)
    try:
        scores = model.full_sort_predict(batch)
    except NotImplementedError:
        return None
    return scores.detach().float().cpu().view(rows, -1)[:, 1:].numpy()


def _vectors(value: Any) -> np.ndarray | None:
    if isinstance(value, torch.nn.Embedding):
        value = value.weight
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return value.astype(np.float32) if isinstance(value, np.ndarray) and value.ndim == 2 else None
