"""What lists look like beside being right: how much of the catalogue, how new, how varied, how popular."""

from collections.abc import Iterable

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import ITEM_ID, RANK, SEPARATOR, USER_ID
from workbench.evaluation.metrics import KS, check_cuts, distinct


def item_popularity(train: pd.DataFrame) -> pd.Series:
    """Share of the training users who had each item at least once, indexed by ITEM_ID."""
    users, names = pd.factorize(train[USER_ID])
    items, ids = pd.factorize(train[ITEM_ID])
    pairs = distinct(users * max(1, len(ids)) + items)
    counts = np.bincount(pairs % max(1, len(ids)), minlength=len(ids))
    return pd.Series(counts / max(1, len(names)), index=pd.Index(ids, name=ITEM_ID))


def list_traits(
    lists: pd.DataFrame,
    train: pd.DataFrame,
    items: pd.DataFrame | None = None,
    ks: Iterable[int] = KS,
    users: Iterable[str] | None = None,
) -> pd.DataFrame:
    """Describe each user's list at several cuts.

    Args:
        lists: USER_ID, ITEM_ID, RANK counted from 1.
        train: USER_ID, ITEM_ID of the training events.
        items: the items table; without usable text columns (see `item_features`) there is no diversity.
        ks: list cuts, each >= 1.
        users: who to describe, in this order; None for everybody with a list.

    Returns:
        Indexed by USER_ID: `novelty_at_k`, mean of -log2(share of training users who had the item), in bits, an item
        nobody had counting as one user; `average_popularity_at_k`, mean of that share, 0 to 1; `diversity_at_k`,
        one minus the mean cosine similarity of all pairs of the list, 0 to 1. NaN where the list is too short.

    Sources: Zhou et al. 2010 (novelty), Abdollahpouri et al. 2019 (popularity), Ziegler et al. 2005 (diversity).
    """
    cuts = check_cuts(ks)
    names = pd.Index(lists[USER_ID].unique() if users is None else list(users), name=USER_ID)
    rows = names.get_indexer(lists[USER_ID])
    ranks = lists[RANK].to_numpy()
    share = item_popularity(train).reindex(lists[ITEM_ID]).fillna(0.0).to_numpy()
    bits = -np.log2(np.maximum(share, 1.0 / max(1, train[USER_ID].nunique())))
    features = None if items is None else item_features(items)
    columns = {}
    for k in cuts:
        kept = (rows >= 0) & (ranks <= k)
        size = np.bincount(rows[kept], minlength=len(names)).astype(float)
        size[size == 0] = np.nan
        columns[f"novelty_at_{k}"] = np.bincount(rows[kept], bits[kept], len(names)) / size
        columns[f"average_popularity_at_{k}"] = np.bincount(rows[kept], share[kept], len(names)) / size
        if features is not None:
            codes = features[1].get_indexer(lists[ITEM_ID])[kept]
            columns[f"diversity_at_{k}"] = _diversity(rows[kept], codes, features[0], size)
    order = [name for trait in ("novelty", "average_popularity", "diversity") for name in columns if trait in name]
    return pd.DataFrame(columns, index=names)[order]


def item_features(items: pd.DataFrame) -> tuple[sparse.csr_array, pd.Index, list[str]] | None:
    """Turn the describing text columns of an items table into unit vectors.

    Args:
        items: ITEM_ID and metadata. A text column counts when its values, split at `|`, repeat: at least two distinct
            ones and at most half as many as items; titles and descriptions therefore drop out.

    Returns:
        A matrix with one row per item, the items' ids in row order, and the columns used; None when none is usable.
        An item without any value has a zero row: it resembles nothing.
    """
    ids = pd.Index(items[ITEM_ID])
    blocks, used = [], []
    for column in items.columns:
        if column == ITEM_ID or not pd.api.types.is_string_dtype(items[column].dtype):
            continue
        values = items[column].reset_index(drop=True).dropna().str.split(SEPARATOR, regex=False).explode()
        values = values.str.strip()
        values = values[values != ""]
        codes, known = pd.factorize(values)
        if 2 <= len(known) <= len(ids) / 2:
            cells = (np.ones(len(codes)), (values.index.to_numpy(), codes))
            blocks.append(sparse.coo_array(cells, shape=(len(ids), len(known))).tocsr().sign())
            used.append(column)
    if not blocks:
        return None
    matrix = sparse.hstack(blocks, format="csr")
    length = np.sqrt(matrix.multiply(matrix).sum(axis=1))
    return sparse.diags_array(1.0 / np.maximum(length, 1e-12)) @ matrix, ids, used


def _diversity(rows: np.ndarray, codes: np.ndarray, vectors: sparse.csr_array, size: np.ndarray) -> np.ndarray:
    """Mean distance of all pairs, from the length of the summed vectors instead of the pairs themselves."""
    known = codes >= 0
    cells = (np.ones(int(known.sum())), (rows[known], codes[known]))
    chosen = sparse.coo_array(cells, shape=(len(size), vectors.shape[0])).tocsr()
    summed = chosen @ vectors
    own = chosen @ vectors.multiply(vectors).sum(axis=1)
    pairs = np.where(size > 1, size * (size - 1), np.nan)
    return np.clip(1.0 - (summed.multiply(summed).sum(axis=1) - own) / pairs, 0.0, 1.0)


def catalogue(
    lists: pd.DataFrame,
    train: pd.DataFrame,
    *,
    items: pd.DataFrame | None = None,
    history: pd.DataFrame | None = None,
    users: Iterable[str] | None = None,
    k: int = 25,
) -> dict[str, float]:
    """Describe all lists together, down to rank k.

    Args:
        lists: USER_ID, ITEM_ID, RANK counted from 1.
        train, items: the catalogue is every item in either; `items` may be None.
        history: the past of the listed users, for the popularity bias; None leaves it out.
        users: everybody who asked for a list; None for those who got one.
        k: list cut, >= 1.

    Returns:
        `coverage`: distinct items listed / distinct items of the catalogue.
        `coverage_of_users`: share of the asking users whose list is k long.
        `popularity_bias_at_k`: (mean popularity of the lists - that of the histories) / that of the histories, each
        a mean over users who have both; 0 means as popular as what they chose themselves.
        `concentration_at_k`: Gini coefficient of how often each catalogue item is listed; 0 all alike, 1 one item.
        `difference_between_users_at_k`: one minus the mean share of items that two users' lists have in common.

    Sources: Amazon Personalize (coverage), Abdollahpouri et al. 2019 (popularity bias), Zhou et al. 2010 (difference).
    """
    cut = lists[lists[RANK] <= check_cuts([k])[0]]
    known = train[ITEM_ID] if items is None else pd.concat([train[ITEM_ID], items[ITEM_ID]])
    catalogue_ids = pd.Index(known.unique())
    shown = cut[ITEM_ID].value_counts()
    asked = cut[USER_ID].unique() if users is None else pd.unique(pd.Series(list(users), dtype=object))
    lengths = cut[USER_ID].value_counts().reindex(asked, fill_value=0)
    found = {
        "coverage": float(shown.index.isin(catalogue_ids).sum() / max(1, len(catalogue_ids))),
        "coverage_of_users": float((lengths >= k).mean()) if len(lengths) else 0.0,
        f"concentration_at_{k}": _gini(shown.reindex(catalogue_ids, fill_value=0).to_numpy()),
        f"difference_between_users_at_{k}": _difference(shown.to_numpy(), lengths.to_numpy()),
    }
    if history is not None:
        found[f"popularity_bias_at_{k}"] = _popularity_bias(cut, history, item_popularity(train))
    return found


def _gini(counts: np.ndarray) -> float:
    total, n = counts.sum(), len(counts)
    if not total:
        return 0.0
    return float(2 * (np.arange(1, n + 1) * np.sort(counts)).sum() / (n * total) - (n + 1) / n)


def _difference(shown: np.ndarray, lengths: np.ndarray) -> float:
    """Mean over all pairs of users of 1 - common items / mean length; each item seen by c users is in c(c-1) pairs."""
    n, length = len(lengths), lengths.mean() if len(lengths) else 0.0
    if n < 2 or not length:
        return 0.0
    shown = shown.astype(float)
    return float(np.clip(1.0 - (shown * (shown - 1)).sum() / (n * (n - 1) * length), 0.0, 1.0))


def _popularity_bias(lists: pd.DataFrame, history: pd.DataFrame, popularity: pd.Series) -> float:
    of_lists, of_past = (
        popularity.reindex(each[ITEM_ID]).fillna(0.0).groupby(each[USER_ID].to_numpy()).mean()
        for each in (lists, history)
    )
    both = of_lists.index.intersection(of_past.index)
    past = of_past[both].mean() if len(both) else 0.0
    return float(of_lists[both].mean() / past - 1.0) if past else float("nan")
