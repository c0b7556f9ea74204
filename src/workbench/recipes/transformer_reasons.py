"""Which attributes made a score of the transformer: the item's exactly, the user's and the request's by leaving out."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy import sparse
from torch import Tensor

from workbench.recipes.contract import Histories
from workbench.recipes.explaining import OF_CONTEXT, OF_ITEM, OF_USER
from workbench.recipes.transformer_inputs import Vocabulary, as_texts, context_codes

AT_ONCE = 64  # variants of one history that are scored together
Part = tuple[str, str, float]  # kind, attribute, contribution


def repeat(history: Histories, times: int) -> Histories:
    """Lay one history out several times."""
    n = len(history.items)
    return Histories(
        user_ids=np.repeat(history.user_ids, times),
        offsets=np.arange(times + 1, dtype=np.int64) * n,
        items=np.tile(history.items, times),
        times=np.tile(history.times, times),
        columns={name: np.tile(values, times) for name, values in history.columns.items()},
        context={name: np.repeat(values, times) for name, values in history.context.items()},
    )


def item_parts(features: sparse.csr_matrix, names: np.ndarray, hidden: Tensor, table: Tensor) -> list[Part]:
    """Split the attributes' part of an item's logit.

    The item's vector is its own embedding plus the sum of its attributes' vectors, and the logit is its product with
    what the network makes of the history; so every attribute adds the product with its own vector, and nothing else.

    Args:
        features: (1, attributes) of the item.
        names: (attributes,) of the features.
        hidden: (width,) what the network makes of the history.
        table: (attributes, width) vectors of the attributes.

    Returns:
        One part for each attribute that the item has.
    """
    codes = features.indices.astype(np.int64)
    with torch.inference_mode():
        products = (table[torch.from_numpy(codes).to(table.device)] @ hidden).double().cpu().numpy()
    values = features.data * products
    return [(OF_ITEM, str(names[code]), float(value)) for code, value in zip(codes, values, strict=True)]


def user_parts(
    features: sparse.csr_matrix, names: np.ndarray, score: Callable[[sparse.csr_matrix], np.ndarray]
) -> list[Part]:
    """Measure what a score loses when each of the user's attributes is left out by itself.

    Args:
        features: (1, columns) of the user.
        names: (columns,) of the features.
        score: (rows, columns) of features to the item's score for every row.

    Returns:
        One part for each attribute that the user has; none for a user without a row, whose features are zeros.
    """
    features = features.copy()
    features.eliminate_zeros()
    codes = features.indices
    if not len(codes):
        return []
    kept = ~np.eye(len(codes), dtype=bool)
    cells = (np.tile(features.data, (len(codes), 1))[kept], np.tile(codes, (len(codes), 1))[kept])
    ends = np.arange(len(codes) + 1) * (len(codes) - 1)
    without = sparse.csr_matrix((*cells, ends), shape=(len(codes), features.shape[1]), dtype=np.float32)
    rows = sparse.vstack([features, without], format="csr")
    found = np.concatenate([score(rows[start : start + AT_ONCE]) for start in range(0, rows.shape[0], AT_ONCE)])
    lost = found[0] - found[1:].astype(np.float64)
    return [(OF_USER, str(names[code]), float(value)) for code, value in zip(codes, lost, strict=True)]


def context_parts(
    context: Mapping[str, np.ndarray], words: Vocabulary, score: Callable[[dict[str, np.ndarray]], float]
) -> list[Part]:
    """Measure what a score loses when each column of the request's context is left out by itself.

    Args:
        context: column to the request's one value.
        words: what the network knows; a value that it does not know adds nothing, and has no part.
        score: context to the item's score.
    """
    known = [
        name
        for name in words.contexts
        if name in context and (context_codes(words, {name: context[name]}, 1) < words.n_contexts).any()
    ]
    full = score(dict(context)) if known else 0.0
    parts = []
    for name in known:
        rest = {other: values for other, values in context.items() if other != name}
        parts.append((OF_CONTEXT, f"{name}={as_texts(context[name])[0]}", float(full - score(rest))))
    return parts
