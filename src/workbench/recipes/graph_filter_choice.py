"""Choose the graph filter's settings from the training data alone: some users' events, hidden at random.

The hidden events are left out of the graph as well. One pass over the hidden users' histories gives the terms of every
filter, so trying another costs no product with the graph; only another exponent does.
"""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from os import cpu_count
from typing import Any

import numpy as np
from scipy import sparse

from workbench.recipes.graph_filter_hidden import discounted, hide
from workbench.recipes.graph_spectrum import (
    PLATEAU,
    RIDGE,
    THREADS,
    Filter,
    Graph,
    build_graph,
    coefficients,
    is_exact,
    plateau_filter,
    polynomials,
    ridge_filter,
    side_by_side,
)

LEAST_USERS = 20
PROMISING = 8  # best options of the first item exponent that are tried at others
NAMES = {RIDGE: "spectral_ridge", PLATEAU: "plateau"}  # a shape's own hyperparameter
RIDGES = (0.02, 0.05, 0.1, 0.2, 0.4)
PLATEAUS = (1.0, 1.5, 3.0, 6.0)
LOW_PASSES = (0.0, 0.1, 0.2, 0.4, 0.8, 1.6)
ITEM_EXPONENTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6)
START = 4  # position of 0.4 in ITEM_EXPONENTS
USER_EXPONENTS = (0.5, 0.3)  # on a table of which one side is small; 0.5 on a larger one


@dataclass(frozen=True)
class Setting:
    """One filter: shape and its parameter, weight of the low-pass part, and both exponents."""

    shape: str = RIDGE
    parameter: float = 0.1
    low_pass: float = 0.0
    item_exponent: float = 0.3
    user_exponent: float = 0.5

    def passed(self) -> Filter:
        """Give the function of eigenvalues."""
        return ridge_filter(self.parameter) if self.shape == RIDGE else plateau_filter(self.parameter)

    def parts(self, graph: Graph, order: int) -> tuple[np.ndarray, np.ndarray]:
        """Give the weights of the Chebyshev series and the gains of the known eigenvectors, both float32."""
        if graph.exact:
            return np.zeros(0, np.float32), (self.passed()(graph.values) + self.low_pass).astype(np.float32)
        known = len(graph.values) if self.low_pass else 0
        return coefficients(self.passed(), order), np.full(known, self.low_pass, dtype=np.float32)

    def as_row(self) -> dict[str, Any]:
        """Give the hyperparameters' names and values."""
        own = {"shape": self.shape, NAMES[self.shape]: self.parameter, "low_pass": self.low_pass}
        return own | {"item_exponent": self.item_exponent, "user_exponent": self.user_exponent}


@dataclass(frozen=True)
class Choice:
    """The chosen setting, every setting tried with its NDCG at 20, the users chosen by, and the graph's vectors."""

    setting: Setting
    tried: list[dict[str, Any]]
    users: int
    start: np.ndarray | None


def candidates(given: dict[str, Any], shape: tuple[int, int]) -> list[Setting]:
    """List what to try at the first item exponent; a hyperparameter that is given stays."""
    exact = is_exact(shape)
    forms = [(RIDGE, r) for r in ((given["spectral_ridge"],) if given["spectral_ridge"] is not None else RIDGES)]
    forms += [(PLATEAU, p) for p in ((given["plateau"],) if given["plateau"] is not None else PLATEAUS)]
    wanted = given["shape"]
    if wanted is None and (given["spectral_ridge"] is None) != (given["plateau"] is None):
        wanted = RIDGE if given["spectral_ridge"] is not None else PLATEAU
    forms = [form for form in forms if wanted in (None, form[0])]
    passes = (0.0,) if exact else LOW_PASSES
    passes = passes if given["low_pass"] is None else (given["low_pass"],)
    users = USER_EXPONENTS if exact else USER_EXPONENTS[:1]
    users = users if given["user_exponent"] is None else (given["user_exponent"],)
    item = ITEM_EXPONENTS[START] if given["item_exponent"] is None else given["item_exponent"]
    return [Setting(*form, weight, item, user) for user in users for form in forms for weight in passes]


def fallback(options: list[Setting]) -> Setting:
    """Give what stands when there is too little to choose by: the option nearest to the default."""
    usual = Setting()
    return min(
        options,
        key=lambda each: (
            each.shape != usual.shape,
            abs(np.log(each.parameter / usual.parameter)),
            each.low_pass,
            abs(each.user_exponent - usual.user_exponent),
        ),
    )


def choose(pairs: sparse.csr_matrix, given: dict[str, Any], seed: int) -> Choice:
    """Hide events of some users, rank all items for them by every candidate, and keep the best.

    Args:
        pairs: (n_users, n_items) of ones.
        given: the recipe's hyperparameters; None is chosen.
        seed: of the hidden events and of the block iteration.
    """
    options = candidates(given, pairs.shape)
    tries_exponents = given["item_exponent"] is None
    users, kept, hidden = hide(pairs, seed)
    if len(users) < LEAST_USERS or (len(options) == 1 and not tries_exponents):
        return Choice(fallback(options), [], 0, None)
    tried: dict[Setting, float] = {}
    start = None
    for exponent in dict.fromkeys(each.user_exponent for each in options):
        graph = build_graph(kept, exponent, given["rank"] if given["low_pass"] != 0 else 1, seed)
        start = None if graph.exact else graph.vectors
        own = [each for each in options if each.user_exponent == exponent]
        for found in _climb(graph, kept[users], hidden, own, given["order"], tries_exponents):
            tried |= found
    best = max(tried, key=lambda each: tried[each])
    rows = [each.as_row() | {"score": value} for each, value in tried.items()]
    return Choice(best, rows, len(users), start)


def _climb(
    graph: Graph,
    seen: sparse.csr_matrix,
    hidden: sparse.csr_matrix,
    options: list[Setting],
    order: int,
    tries_exponents: bool,
) -> Iterator[dict[Setting, float]]:
    """Score the options at the first item exponent, then at its neighbours as long as the best one gains."""
    done: dict[int, float] = {}
    options = list(options)

    def worth(place: int) -> dict[Setting, float]:
        at = [Setting(o.shape, o.parameter, o.low_pass, ITEM_EXPONENTS[place], o.user_exponent) for o in options]
        found = _gains(graph, seen, hidden, at, order)
        options[:] = sorted(at, key=lambda each: -found[each])[:PROMISING]
        done[place] = max(found.values())
        return found

    if not tries_exponents:
        yield _gains(graph, seen, hidden, options, order)
        return
    place = START
    yield worth(place)
    for step in (-1, 1):
        while 0 <= place + step < len(ITEM_EXPONENTS):
            yield worth(place + step)
            if done[place + step] <= done[place]:
                break
            place += step
        if place != START:
            break


def _gains(
    graph: Graph, seen: sparse.csr_matrix, hidden: sparse.csr_matrix, options: list[Setting], order: int
) -> dict[Setting, float]:
    """Give every option's mean NDCG at 20 over the hidden items; all options share one item exponent."""
    scale = graph.degrees ** np.float32(options[0].item_exponent)
    forms = {(each.shape, each.parameter): each for each in options}
    size = side_by_side(seen.shape[1])

    def of(start: int) -> list[float]:
        batch, wanted = seen[start : start + size], hidden[start : start + size]
        columns = np.ascontiguousarray((batch.toarray() / scale).T, dtype=np.float32)
        inside = (graph.vectors.T @ columns).T
        passed = (inside @ graph.vectors.T) * scale
        series = dict(zip(forms, _filtered_alike(graph, columns, inside, forms.values(), order), strict=True))
        for scores in series.values():
            scores *= scale
            scores[batch.nonzero()] = -np.inf
        return [
            discounted(series[o.shape, o.parameter] + np.float32(o.low_pass) * passed, wanted)
            if o.low_pass
            else discounted(series[o.shape, o.parameter], wanted)
            for o in options
        ]

    with ThreadPoolExecutor(max_workers=min(THREADS, cpu_count() or 1)) as pool:
        totals = np.sum(list(pool.map(of, range(0, seen.shape[0], size))), axis=0)
    return {option: float(total / seen.shape[0]) for option, total in zip(options, totals, strict=True)}


def _filtered_alike(
    graph: Graph, columns: np.ndarray, inside: np.ndarray, forms: Iterable[Setting], order: int
) -> Iterable[np.ndarray]:
    """Filter the same columns by every shape, without any low-pass part: (n, n_items) each."""
    if graph.exact:
        return [(inside * form.passed()(graph.values).astype(np.float32)) @ graph.vectors.T for form in forms]
    terms = np.stack([term.T for term in polynomials(graph, columns, order)])
    weights = np.stack([coefficients(form.passed(), order) for form in forms])
    return (weights @ terms.reshape(len(terms), -1)).reshape(len(weights), *terms.shape[1:])
