"""How much memory a RecBole model will ask for, reckoned before it is built: RecBole holds everything at once."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import psutil

from workbench.errors import RecipeError
from workbench.recipes.recbole_bridge_models import CLOSED_FORM, SEQUENTIAL, STAGES, WHOLE_HISTORY
from workbench.recipes.recbole_bridge_rows import Rows

GB = 1e9  # bytes
WHOLE = "recbole:ItemKNN or user-personalization need less, and so does a catalogue without its rarest items"
# Copies of a dense item-by-item matrix that are alive at once, in float32.
DENSE = {"ADMMSLIM": 12, "EASE": 9, "NCEPLRec": 1}
TORCH = 1e8  # bytes that torch takes for itself
AUTOENCODERS = frozenset({"DiffRec", "LDiffRec", "MacridVAE", "MultiDAE", "MultiVAE", "RaCT", "RecVAE"})
PADDED = AUTOENCODERS | {"CDAE", "DMF", "ENMF", "FISM", "NAIS", "SimpleX"}  # keep histories padded to the longest


@dataclass(frozen=True)
class Need:
    """One thing that takes memory: bytes, what it is, and the setting that makes it smaller."""

    size: float
    what: str
    remedy: str


def memory_needs(model: str, kind: str, rows: Rows, parameters: dict[str, Any]) -> list[Need]:
    """Reckon what a fit will hold at its worst moment, within a factor of two.

    Args:
        model: RecBole's class name.
        kind: "general", "sequential" or "context".
        rows: the chosen training rows.
        parameters: complete.
    """
    users, items, batch = rows.n_users, rows.n_items, parameters.get("train_batch_size", 2048)
    needs = [
        Need(TORCH, "torch itself", "a machine with more memory"),
        Need(len(rows.users) * 100.0, f"{len(rows.users):,} events", "a log with fewer events"),
    ]
    if model in AUTOENCODERS:
        wide = max(parameters.get("mlp_hidden_size", parameters.get("dims_dae", [600])), default=600)
        needs.append(Need(items * wide * 32.0, f"layers of {items:,} x {wide} weights", "a smaller mlp_hidden_size"))
    elif model not in CLOSED_FORM:
        name = next((each for each in ("embedding_size", "hidden_size") if each in parameters), "embedding_size")
        width, rows_of = parameters.get(name, 64), items + (0 if kind == SEQUENTIAL else users)
        needs.append(Need(rows_of * width * 40.0, f"{rows_of:,} vectors of {width} numbers", f"{name} below {width}"))
    if kind == SEQUENTIAL:
        needs += _of_sequences(model, rows, parameters, batch)
    if model in DENSE:
        needs.append(Need(DENSE[model] * items**2 * 4.0, f"dense matrices of {items:,} x {items:,} items", WHOLE))
    if model in ("AsymKNN", "ItemKNN"):
        entries = min(float(users) * items, float(len(rows.train)) * parameters.get("k", 100))
        needs.append(Need(entries * 12, f"the scores of {users:,} users, kept", "a smaller k"))
    if model == "GCMC":
        needs.append(Need((users + items) ** 2 * 4.0, "one-hot features of all users and items", "sparse_feature=True"))
    if model in PADDED:
        longest = int(np.bincount(rows.users[rows.train], minlength=1).max())
        remedy = f"max_history below {longest:,}, such as {max(10, int(np.median(np.bincount(rows.users))))}"
        needs.append(Need(users * longest * 20.0, f"{users:,} histories padded to the longest, {longest:,}", remedy))
        needs.append(
            Need(
                batch * items * 4.0 * 6,
                f"scores of {batch:,} users x {items:,} items",
                f"train_batch_size below {batch}",
            )
        )
    if rows.features is not None:
        size = rows.features.items.bytes_a_row * items + rows.features.users.bytes_a_row * len(rows.features.user_ids)
        needs.append(Need(size * 2.0, "attributes of users and items", "fewer columns in the items and users tables"))
    return needs


def check_memory(model: str, kind: str, rows: Rows, parameters: dict[str, Any]) -> float:
    """Refuse a fit that will not fit.

    Returns:
        What it will need, in GB (1e9 bytes), for the notes.

    Raises:
        RecipeError: more than is free; names the largest part and the setting that avoids it.
    """
    needs = memory_needs(model, kind, rows, parameters)
    total, free = sum(each.size for each in needs), psutil.virtual_memory().available
    if total > free:
        most = max(needs, key=lambda each: each.size)
        raise RecipeError(
            f"recbole:{model} would need about {total / GB:.1f} GB and {free / GB:.1f} GB are free; "
            f"{most.size / GB:.1f} GB are {most.what}. What helps: {most.remedy}."
        )
    return round(total / GB, 3)


def _of_sequences(model: str, rows: Rows, parameters: dict[str, Any], batch: int) -> list[Need]:
    longest, items = parameters["MAX_ITEM_LIST_LENGTH"], rows.n_items
    lists = (len(rows.train) + len(rows.valid)) * longest * 8.0 * 3
    needs = [Need(lists, f"{len(rows.train):,} lists of {longest}", f"max_rows below {parameters['max_rows']}")]
    smaller = f"train_batch_size below {batch}"
    if parameters.get("loss_type") == "CE":
        needs.append(Need(batch * items * 4.0 * 4, f"scores of {batch} lists x {items:,} items", smaller))
    if model in ("BERT4Rec", "RepeatNet"):
        share = parameters.get("mask_ratio", 1.0)
        needs.append(Need(batch * longest * share * items * 4.0 * 4, f"scores of {batch} x {longest} places", smaller))
    if (
        model in STAGES and rows.features is not None
    ):  # S3Rec marks every attribute at every place, first as Python lists
        codes = int(rows.features.items.sizes.max(initial=0))
        needs.append(
            Need(batch * longest * codes * 40.0, f"{codes:,} attribute values at every place", "most_values below 100")
        )
    layer = parameters.get("hidden_size", parameters.get("embedding_size", 64))
    wide = 64 if model not in WHOLE_HISTORY else 1_000
    needs.append(
        Need(batch * longest * float(layer) * wide * 4, f"{batch} x {longest} vectors in every layer", smaller)
    )
    return needs
