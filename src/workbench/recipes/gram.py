"""Gram products of decayed histories, exact, without ever building the rows they are sums over.

A history x_1 … x_T of a user gives one row per position t >= 2. Its features, for each decay g with window L, are

    f_t = sum over s = 1 … min(L, t - 1) of  g ** (s - 1) * v(t - s) * e(x(t - s))

where e(i) is the unit vector of item i and v an event's weight; its target is e(x_t) with row weight q_t. The normal
equations need G_ab = sum of q_t f_t^a (f_t^b)' over all rows, and R_a = sum of q_t f_t^a e(x_t)'.

Two events i <= j of one user, d = j - i apart, meet in every row t = j + r that sees both. Their part in G_ab is a
geometric sum, v_i v_j a ** d * sum over r = 1 … min(L - d, T - j) of (a b) ** (r - 1) * q(j + r). With
h(j) = sum over all r >= 1 of (a b) ** (r - 1) * q(j + r), computed once per event, that is

    v_i v_j * (a ** d * h(j) - a ** L * b ** (L - d) * h(i + L)),

so a pair of events costs one addition per pair of decays instead of one per row that sees them, and since h(j) belongs
to the later event, all of them come from one sparse product per block of later events.

Where time counts, every weight is also halved with every half-life that passed between the event and the newest one
before the row: with w(i, j) for what is left of event i at the time of event j, f_t has g ** (s - 1) * w(t - s, t - 1)
in place of g ** (s - 1). An exponential of time splits as a power of steps does, w(i, k) = w(i, j) * w(j, k), so the
sums stay as they are: h(j) takes the factor w(j, j + r - 1) ** 2, and the pair of events becomes

    v_i v_j * (a ** d * w(i, j) * h(j) - a ** L * w(i, i + L) * b ** (L - d) * w(j, i + L) * h(i + L)).

As R has w(i, j - 1), the product takes this from the pair, and w(j - 1, j) with h(j) from the later event: w only ever
multiplies, and no time between events is too long for it.

A decay so fast that its weight at the window's end is below NEGLIGIBLE is treated as having no window, and its pairs
end where the weight falls below NEGLIGIBLE; that is the only rounding beyond that of float64.
"""

from collections.abc import Iterator

import numpy as np
from scipy import sparse
from tqdm.auto import tqdm

from workbench.recipes.gram_sequences import Sequences

BLOCK_PAIRS = 2_000_000  # pairs of events at a time: about 80 MB of working arrays
BLOCK_CELLS = 8_000_000  # sums of one block, all pairs of decays together: 64 MB
NEGLIGIBLE = 1e-7


def reach(decay: float, lags: int) -> int:
    """Say over how many events back a decay's weight matters: `lags`, or fewer when it vanishes before."""
    return lags if has_window(decay, lags) else int(np.log(NEGLIGIBLE) / np.log(decay)) + 1


def has_window(decay: float, lags: int) -> bool:
    """Say whether the window cuts off weight that matters."""
    return decay**lags >= NEGLIGIBLE


def normal_equations(
    events: Sequences,
    decays: list[float],
    lags: int,
    columns: np.ndarray,
    n_items: int,
    cross_dtype: type = np.float64,
    progress: bool = False,
) -> tuple[np.ndarray, np.ndarray]:
    """Sum up the normal equations over the features of some items and the targets of all.

    Args:
        events: see `Sequences`.
        decays: each above 0 and below 1.
        lags: the window, in events.
        columns: (n_items,) position of an item's feature among the m used ones, ascending, or -1 where it has none.
        n_items: size of the catalogue.
        cross_dtype: precision in which R is kept; every block of sums, and G, are float64.
        progress: whether to show a progress bar.

    Returns:
        G of shape (k * m, k * m), symmetric, and R transposed, of shape (n_items, k * m); the feature column of decay
        number a and item i is a * m + columns[i].
    """
    m, k = int(columns.max(initial=-1)) + 1, len(decays)
    gram = np.zeros((k * m, k * m))
    cross = np.zeros((n_items, k * m), cross_dtype)
    features = columns[events.items].astype(np.int32)
    order = np.argsort(events.items, kind="stable")
    order = order[events.last[order] > events.first[order]]
    for a, decay in enumerate(decays):
        later = Later(events, decay, decays, lags)
        place = np.arange(m)
        for b, own in enumerate(later.own_products(features, m)):
            gram[b * m + place, a * m + place] += 0.5 * own  # by half, since the transpose adds the other half
        blocks = blocks_of_targets(events, order, reach(decay, lags), m * (k + 1))
        for late in tqdm(blocks, disable=not progress, desc=f"decay {decay:g}", unit="block"):
            low, sums = _sums(events, features, late, later, m)
            high, columns_of_a = low + sums.shape[1], slice(a * m, (a + 1) * m)
            cross[low:high, columns_of_a] += sums[k]
            used = columns[low:high] >= 0
            rows = columns[low:high][used]
            for b in range(k if len(rows) else 0):
                gram[b * m + rows[0] : b * m + rows[-1] + 1, columns_of_a] += sums[b][used]
    _symmetrise(gram)
    return gram, cross


class Later:
    """What the rows after an event weigh, for one decay a against every decay b: the h of this file's head."""

    def __init__(self, events: Sequences, decay: float, decays: list[float], lags: int):
        self.decay, self.decays, self.lags = decay, decays, lags
        self.windowed = has_window(decay, lags)
        weights, self.beyond = [], []
        each = np.arange(len(events.items))
        index = np.minimum(each + lags, events.last)
        left = events.fade(each, index)
        for other in decays:
            h = _geometric(events, decay * other)
            past = h[index]
            if not self.windowed and has_window(other, lags):
                h = h - (decay * other) ** lags * past * left**2
            weights.append(h * events.inputs)
            self.beyond.append(decay**lags * past * left * events.inputs)
        again = left * events.inputs
        self.diagonal = [
            w * events.inputs - ((decay * b) ** lags / decay**lags * past * again if self.windowed else 0.0)
            for w, past, b in zip(weights, self.beyond, decays, strict=True)
        ]
        # R's weight decay ** (d - 1) is G's decay ** d over decay, so it is one more column of the same product.
        before = events.fade(np.maximum(each - 1, events.first), each)
        self.columns = np.stack([*(h * before for h in weights), events.targets / decay], axis=1)

    def meetings(self, events: Sequences, early: np.ndarray, apart: np.ndarray, b: int) -> np.ndarray:
        """Give the part in G_ab of single pairs of events, for decay number b."""
        late = early + apart
        values = self.decay ** apart.astype(np.float64) * self.columns[late, b] * events.inputs[early]
        values *= events.fade(early, late - 1)
        if self.windowed:
            steps = (self.lags - apart).astype(np.float64)
            left = events.fade(late, np.minimum(early + self.lags, events.last[early]))
            values -= self.decays[b] ** steps * self.beyond[b][early] * left * events.inputs[late]
        return values

    def own_products(self, features: np.ndarray, m: int) -> list[np.ndarray]:
        """Sum, for every b and every feature, what the events of its item contribute to G_ab by themselves."""
        used = features >= 0
        return [np.bincount(features[used], weights[used], minlength=m) for weights in self.diagonal]


def _geometric(events: Sequences, ratio: float) -> np.ndarray:
    """Compute h(j), the geometric sum of the weights of all later rows of the same user, by doubling its length."""
    index = np.arange(len(events.items))
    sums = np.where(index < events.last, events.targets[np.minimum(index + 1, events.last)], 0.0)
    step, longest = 1, int((events.last - events.first).max(initial=0))
    while step < longest and ratio**step > 0:
        ahead = np.minimum(index + step, events.last)
        more = ratio**step * sums[ahead] * events.fade(index, ahead) ** 2
        sums = sums + np.where(index + step <= events.last, more, 0.0)
        step *= 2
    return sums


def blocks_of_targets(events: Sequences, order: np.ndarray, steps: int, cells: int) -> list[np.ndarray]:
    """Cut the events, ordered by item, so that neither their pairs nor the sums they touch grow large."""
    if not len(order):
        return []
    pairs = np.cumsum(np.minimum(order - events.first[order], steps))
    by_pairs = pairs // BLOCK_PAIRS
    by_cells = events.items[order] // max(1, BLOCK_CELLS // max(1, cells))
    return np.split(order, np.flatnonzero((np.diff(by_pairs) > 0) | (np.diff(by_cells) > 0)) + 1)


def _sums(events: Sequences, features: np.ndarray, late: np.ndarray, later: Later, m: int) -> tuple[int, np.ndarray]:
    """Sum all pairs whose later event is one of `late`.

    Returns:
        The lowest item among the later events, and the sums, (k + 1, items from there, m): for every decay b the part
        of G_ab with the later item as row, and last the part of R_a.
    """
    items = events.items[late]
    low, span = int(items[0]), int(items[-1] - items[0]) + 1
    early, apart, depth = earlier(events, late, reach(later.decay, later.lags))
    cells = np.repeat((items - low) * m, depth) + features[early]
    weights = (later.decay ** np.arange(later.lags + 1, dtype=np.float64))[apart] * events.inputs[early]
    if events.clock is not None:
        weights *= events.fade(early, early + apart - 1)
    unused = features[early] < 0
    if unused.any():
        weights[unused], cells[unused] = 0.0, 0
    table = sparse.csc_matrix((weights, cells, np.concatenate([[0], np.cumsum(depth)])), shape=(span * m, len(late)))
    sums = np.ascontiguousarray((table @ later.columns[late]).T)
    if later.windowed:
        inputs = np.where(unused, 0.0, np.repeat(events.inputs[late], depth))
        if events.clock is not None:
            inputs *= events.fade(early + apart, np.minimum(early + later.lags, np.repeat(events.last[late], depth)))
        _subtract_beyond(sums, later, early, apart, cells, inputs)
    return low, sums.reshape(len(sums), span, m)


def earlier(events: Sequences, late: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair events with the up to `steps` events of the same user before them.

    Returns:
        For every pair, ordered as `late`, the index of its earlier event and how many events it lies before; and for
        every later event how many pairs it has.
    """
    depth = np.minimum(late - events.first[late], steps)
    ends = np.cumsum(depth)
    early = np.repeat(late - 1 + ends - depth, depth) - np.arange(ends[-1])
    return early, np.repeat(late, depth) - early, depth


def _subtract_beyond(
    sums: np.ndarray, later: Later, early: np.ndarray, apart: np.ndarray, cells: np.ndarray, inputs: np.ndarray
) -> None:
    """Take off the rows that see the later event but no longer the earlier one."""
    for b, other in enumerate(later.decays):
        nearest = later.lags - reach(other, later.lags)
        chosen = slice(None) if nearest <= 0 else np.flatnonzero(apart > nearest)
        powers = other ** np.arange(later.lags, -1, -1, dtype=np.float64)
        values = powers[apart[chosen]] * later.beyond[b][early[chosen]] * inputs[chosen]
        sums[b] -= np.bincount(cells[chosen], values, minlength=sums.shape[1])


def _symmetrise(gram: np.ndarray) -> None:
    """Add the transpose in place, block by block."""
    for rows in _slices(len(gram)):
        for columns in _slices(rows.stop):
            if columns.start > rows.start:
                continue
            total = gram[rows, columns] + gram[columns, rows].T
            gram[rows, columns] = total
            gram[columns, rows] = total.T


def _slices(length: int, size: int = 2048) -> Iterator[slice]:
    for start in range(0, length, size):
        yield slice(start, min(start + size, length))
