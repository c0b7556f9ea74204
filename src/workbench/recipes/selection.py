"""The few largest of many scores: chunk maxima find a border that only few scores pass, and only those are sorted."""

import numpy as np

CHUNKS = (32, 16, 8, 4)  # scores behind one maximum, the most that still leave enough maxima
SIGN = np.uint32(0x80000000)
NOTHING = np.uint64(0xFFFFFFFFFFFFFFFF)  # sorts behind every candidate


def best(scores: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the `k` largest finite scores of every row, ties by the lower column.

    Args:
        scores: (n_rows, n_items), -inf where an item may not be listed.
        k: at least 1.

    Returns:
        Row, column and score of every listed entry, rows ascending and best first within a row.
    """
    limit = np.maximum(border(scores, k), np.finfo(scores.dtype).min)[:, None]  # -inf is never listed
    rows, columns = nonzero(scores >= limit)
    counts = np.bincount(rows, minlength=len(scores))
    if counts.max(initial=0) > most_candidates(k):
        kept = _first_of_crowded(scores, rows, columns, np.flatnonzero(counts > most_candidates(k)), k)
        rows, columns = rows[kept], columns[kept]
    return in_order(rows, columns, scores[rows, columns], k)


def border(scores: np.ndarray, k: int) -> np.ndarray:
    """Give a value per row that at least `k` of its scores reach, and few more: the k-th largest chunk maximum.

    A chunk takes every so many-th column, so that maxima are taken between long stretches of memory.

    Returns:
        (n_rows,) of the scores' type; -inf where a row has fewer than k scores.
    """
    n_rows, n_items = scores.shape
    if n_items < k:
        return np.full(n_rows, -np.inf, dtype=scores.dtype)
    for chunk in CHUNKS:
        n_chunks = n_items // chunk
        if n_chunks < max(chunk, 4 * k):
            continue
        inside = n_chunks * chunk
        largest = scores[:, :inside].reshape(n_rows, chunk, n_chunks).max(axis=1)
        np.maximum(largest[:, : n_items - inside], scores[:, inside:], out=largest[:, : n_items - inside])
        return np.partition(largest, n_chunks - k, axis=1)[:, n_chunks - k]
    return np.partition(scores, n_items - k, axis=1)[:, n_items - k]


def most_candidates(k: int) -> int:
    """Say from how many candidates on a row counts as crowded by ties."""
    return 4 * k + 64


def nonzero(chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give row and column of every true entry, rows ascending; made for few of them."""
    return np.divmod(np.flatnonzero(chosen), max(1, chosen.shape[1]))


def in_order(
    rows: np.ndarray, codes: np.ndarray, values: np.ndarray, k: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sort candidates, best first and ties by the lower code, and keep the first `k` of every row.

    Args:
        rows: ascending.
        codes: below 2 ** 32.
        values: finite.
        k: at least 1.

    Returns:
        Rows (ascending), codes and values of what is kept.
    """
    if not len(rows) or values.dtype != np.float32:
        order = np.lexsort((codes, -values, rows))
        rows, codes, values = rows[order], codes[order], values[order]
        kept = slots(rows) < k
        return rows[kept], codes[kept], values[kept]
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    counts = np.diff(np.append(starts, len(rows)))
    table = np.full((len(starts), counts.max()), NOTHING)
    table[np.repeat(np.arange(len(starts)), counts), slots(rows)] = sort_keys(values, codes)
    table.sort(axis=1)
    table = table[:, :k]
    listed = table != NOTHING
    values, codes = from_sort_keys(table[listed])
    return np.repeat(rows[starts], listed.sum(axis=1)), codes, values


def best_first(codes: np.ndarray, values: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Sort the candidates of one list as `in_order` does, and keep the first `k`.

    Args:
        codes: below 2 ** 32.
        values: float32, finite.
        k: at least 1.

    Returns:
        Codes (int64) and values.
    """
    values, codes = from_sort_keys(np.sort(sort_keys(values, codes))[:k])
    return codes, values


def slots(rows: np.ndarray) -> np.ndarray:
    """Number the entries of every row from 0; rows of one number must stand together."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    starts = np.flatnonzero(np.concatenate([[True], rows[1:] != rows[:-1]]))
    return np.arange(len(rows)) - np.repeat(starts, np.diff(np.append(starts, len(rows))))


def sort_keys(values: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Pack float32 values and codes into one number each that sorts by falling value, then by rising code.

    The bits of a positive float rise with it and those of a negative one fall, which a flip of bits evens out.
    """
    bits = (values + np.float32(0)).view(np.uint32)  # adding 0 turns -0.0 into 0.0: the two are equal
    falling = np.where(bits & SIGN, bits, ~(bits | SIGN))
    return (falling.astype(np.uint64) << np.uint64(32)) | codes.astype(np.uint64)


def from_sort_keys(keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give back the values (float32) and codes (int64) that `sort_keys` packed."""
    falling = (keys >> np.uint64(32)).astype(np.uint32)
    bits = np.where(falling & SIGN, falling, ~falling & ~SIGN)
    return bits.view(np.float32), (keys & np.uint64(0xFFFFFFFF)).astype(np.int64)


def _first_of_crowded(
    scores: np.ndarray, rows: np.ndarray, columns: np.ndarray, crowded: np.ndarray, k: int
) -> np.ndarray:
    """Say which candidates stay when rows with too many keep what is above their k-th score and the first ties."""
    kept = np.ones(len(rows), dtype=bool)
    starts, ends = np.searchsorted(rows, crowded), np.searchsorted(rows, crowded, side="right")
    for row, start, end in zip(crowded, starts, ends, strict=True):
        values = scores[row, columns[start:end]]
        least = np.partition(values, end - start - k)[end - start - k]
        above = values > least
        tied = values == least
        kept[start:end] = above | (tied & (np.cumsum(tied) <= k - above.sum()))
    return kept
