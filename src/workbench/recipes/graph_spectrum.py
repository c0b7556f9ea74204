"""The graph of users and items as a normalised table, its spectrum, and filters over it.

With the table R of ones (users x items), degrees d of users and items, and R~ = D_users^-a R D_items^-1/2, the
matrix P = R~' R~, divided by its largest eigenvalue, says how alike items are; its eigenvalues lie in 0 to 1. A filter
F(P) keeps the eigenvectors and passes each eigenvalue through a function F with F(0) = 0. P is never built: a product
with P is one with R~ and one with its transpose.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.polynomial import chebyshev
from scipy import sparse

EXACT_SIDE = 4_000  # the smaller side of the table up to which the whole spectrum is worked out
EXACT_VECTORS = 100_000_000  # numbers of all its eigenvectors at most: 0.4 GB of float32
SMALLEST = 1e-6  # eigenvalues below this share of the largest are rounding
NEGLIGIBLE = 1e-7  # weights of a series below it are rounding; a linear filter needs one product
OVERSAMPLING = 32
ITERATIONS = 3
RIDGE, PLATEAU = "ridge", "plateau"
THREADS = 4  # at most; the products let other threads run
COLUMNS = 32  # that go through a sparse product side by side; more would leave the cache
MOST_SIDE_BY_SIDE = 4_000_000  # numbers in such columns, so that very long ones are fewer

Filter = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Graph:
    """The normalised table and what is known of its spectrum.

    table, back: R~ and its transpose, float32, scaled so that no eigenvalue of P exceeds 1.
    degrees: (n_items,) users of each item, at least 1.
    vectors: (n_items, r) eigenvectors of P, largest eigenvalue first.
    values: (r,) their eigenvalues.
    exact: whether these are all eigenvectors with an eigenvalue above 0.
    """

    table: sparse.csr_matrix
    back: sparse.csr_matrix
    degrees: np.ndarray
    vectors: np.ndarray
    values: np.ndarray
    exact: bool


def build_graph(
    pairs: sparse.csr_matrix, user_exponent: float, rank: int, seed: int, start: np.ndarray | None = None
) -> Graph:
    """Normalise a table of ones and work out its spectrum: all of it when one side is small, else the top.

    Args:
        pairs: (n_users, n_items) of ones.
        user_exponent: a; 0.5 is the symmetric normalisation.
        rank: leading eigenvectors that a large table gets.
        seed: of the random start.
        start: (n_items, any) vectors of a similar table to start from; then one iteration is enough.
    """
    users, items = np.diff(pairs.indptr), np.bincount(pairs.indices, minlength=pairs.shape[1])
    left = np.maximum(users, 1.0) ** -user_exponent
    right = np.maximum(items, 1.0) ** -0.5
    table = sparse.csr_matrix(sparse.diags_array(left) @ pairs @ sparse.diags_array(right), dtype=np.float32)
    exact = is_exact(pairs.shape)
    values, vectors = _all_vectors(table) if exact else _top_vectors(table, rank, seed, start)
    largest = values[0] if exact else values[0] * 1.01
    largest = 1.0 if user_exponent == 0.5 else largest  # then the largest eigenvalue is 1 by construction
    table = table / np.float32(np.sqrt(largest))
    degrees = np.maximum(items, 1).astype(np.float32)
    return Graph(table, table.T.tocsr(), degrees, vectors, np.clip(values / largest, 0.0, 1.0), exact)


def side_by_side(n_items: int) -> int:
    """Say how many histories of so many items are filtered side by side."""
    return max(1, min(COLUMNS, MOST_SIDE_BY_SIDE // max(1, n_items)))


def is_exact(shape: tuple[int, int]) -> bool:
    """Say whether a table of this shape gets its whole spectrum."""
    return min(shape) <= EXACT_SIDE and min(shape) * shape[1] <= EXACT_VECTORS


def ridge_filter(ridge: float) -> Filter:
    """Give v / (v + ridge), times 1 + ridge so that 1 stays 1: what ridge regression of the table on itself does."""
    return lambda values: values / (values + ridge) * (1 + ridge)


def plateau_filter(power: float) -> Filter:
    """Give 1/2 ± |2 v - 1| ** power / 2: steep at both ends and flat between; linear at power 1.

    Source: Kim, Sung, Han and Lee, Graph Spectral Filtering with Chebyshev Interpolation for Recommendation, 2025.
    """

    def passed(values: np.ndarray) -> np.ndarray:
        centred = 2 * np.asarray(values, dtype=np.float64) - 1
        return 0.5 + np.sign(centred) * np.abs(centred) ** power / 2

    return passed


def coefficients(passed: Filter, order: int) -> np.ndarray:
    """Interpolate a filter over 0 to 1 in Chebyshev polynomials of 2 v - 1: (order + 1,) float32."""
    found = chebyshev.chebinterpolate(lambda x: passed((x + 1) / 2), order)
    found[np.abs(found) < NEGLIGIBLE] = 0.0
    return found.astype(np.float32)


def polynomials(graph: Graph, columns: np.ndarray, order: int) -> list[np.ndarray]:
    """Give the Chebyshev polynomials 0 to `order` of 2 P - 1, each times the columns (n_items, n)."""
    found = [columns]
    for number in range(order):
        if number:
            found.append(_step(graph, found[-1], found[-2]))
        else:
            first = _times(graph, columns)
            first *= 2
            first -= columns
            found.append(first)
    return found


def filtered(graph: Graph, columns: np.ndarray, weights: np.ndarray, gains: np.ndarray) -> np.ndarray:
    """Filter columns (n_items, n): a Chebyshev series with these weights, plus the eigenvectors with these gains.

    The series is summed from its end by Clenshaw's recurrence, in place, as far as it has weights.
    """
    known = graph.vectors[:, : len(gains)]
    result = (known @ (gains[:, None] * (known.T @ columns))) if len(gains) else np.zeros_like(columns)
    if not len(weights):
        return result
    now, after = np.zeros_like(columns), None
    used = int(np.flatnonzero(weights).max(initial=0))
    for weight in weights[used:0:-1]:
        sums = _step(graph, now, after) if now.any() else np.zeros_like(columns)
        sums += weight * columns
        now, after = sums, now
    if used:  # the last step of the recurrence has half the factor: T1 = x, not 2 x
        product = _times(graph, now)
        product *= 2
        product -= now
        result += product
        result -= after
    result += weights[0] * columns
    return result


def _step(graph: Graph, now: np.ndarray, after: np.ndarray | None) -> np.ndarray:
    """Give 2 (2 P - 1) now - after."""
    product = _times(graph, now)
    product *= 2
    product -= now
    product *= 2
    if after is not None:
        product -= after
    return product


def _times(graph: Graph, columns: np.ndarray) -> np.ndarray:
    return graph.back @ (graph.table @ columns)


def _all_vectors(table: sparse.csr_matrix) -> tuple[np.ndarray, np.ndarray]:
    """Work out every eigenvector by the smaller of the two Gram matrices."""
    by_item = table.shape[1] <= table.shape[0]
    wide = table.astype(np.float64)
    gram = (wide.T @ wide if by_item else wide @ wide.T).toarray()
    values, vectors = np.linalg.eigh(gram)
    values, vectors = values[::-1], vectors[:, ::-1]
    kept = values > SMALLEST * values[0]
    values, vectors = values[kept], vectors[:, kept]
    if not by_item:
        vectors = (wide.T @ vectors) / np.sqrt(values)
    return values, np.ascontiguousarray(vectors, dtype=np.float32)


def _top_vectors(
    table: sparse.csr_matrix, rank: int, seed: int, start: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """Find the leading eigenvectors by block iteration from random vectors, or once from given ones.

    Source: Halko, Martinsson and Tropp, Finding structure with randomness, 2011.
    """
    back = table.T.tocsr()
    width = min(rank + OVERSAMPLING, *table.shape)
    random = np.random.default_rng(seed).standard_normal((table.shape[1], width), dtype=np.float32)
    block, rounds = random, ITERATIONS
    if start is not None:
        block, rounds = np.hstack([start, random])[:, :width], 1
    for _ in range(rounds):
        block = np.linalg.qr(_wide(back, _wide(table, block)))[0]
    image = _wide(table, block)
    values, turn = np.linalg.eigh((image.T @ image).astype(np.float64))
    order = np.argsort(-values, kind="stable")[:rank]
    return values[order], np.ascontiguousarray(block @ turn[:, order].astype(np.float32))


def _wide(table: sparse.csr_matrix, columns: np.ndarray) -> np.ndarray:
    """Multiply with many columns, a few at a time so that they stay in the cache."""
    result = np.empty((table.shape[0], columns.shape[1]), dtype=np.float32)
    for start in range(0, columns.shape[1], COLUMNS):
        result[:, start : start + COLUMNS] = table @ np.ascontiguousarray(columns[:, start : start + COLUMNS])
    return result
