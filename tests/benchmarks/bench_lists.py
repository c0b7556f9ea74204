"""How fast lists are: everybody's against `implicit`'s, one user's against a bare product and argpartition.

Run with `python tests/benchmarks/bench_lists.py`, or with one of "all" and "one" behind it. Both sides of a ratio run
by turns in one process on the same arrays, and the median of the ratios counts, so that a busy or throttled machine
slows both. `implicit` 0.7.3 takes part when it is installed; it is no dependency of the workbench, so give it an
environment of its own with the workbench on its path.

To reach on two cores: everybody's lists 1.5 times (better 3 times) as many users a second as `implicit`; one list
exactly in at most 1.3 times the bare time, and guessed first in at most 0.4 times with a recall of 0.99.
"""

import os
import sys
import time

import numpy as np

from workbench.recipes.alternating_squares import Ragged, along_own_axes, solve
from workbench.recipes.fast_lists import FactorIndex, top_factors

USERS, ITEMS, EVENTS, WIDTH, K = 30_000, 41_000, 800_000, 64, 20
MANY, ONE_K, ASKED, ALLOWED = 1_000_000, 25, 25, 0.7


def timed(call):
    start = time.perf_counter()
    result = call()
    return result, time.perf_counter() - start


def drawn_events(rng):
    """Users with a few topics each, and items of a popularity that falls by a power law."""
    topic, popularity = rng.integers(0, 40, ITEMS), 1 / (rng.permutation(ITEMS) + 10) ** 0.8
    more = rng.choice(USERS, EVENTS - 5 * USERS, p=rng.dirichlet(np.full(USERS, 1.0)))
    users = np.sort(np.concatenate([np.repeat(np.arange(USERS), 5), more]))
    likes = np.cumsum(rng.dirichlet(np.full(40, 0.08), USERS), axis=1)
    chosen = (rng.random(EVENTS)[:, None] > likes[users]).sum(axis=1).clip(0, 39)
    items = np.empty(EVENTS, dtype=np.int64)
    for number in range(40):
        own, wanted = np.flatnonzero(topic == number), np.flatnonzero(chosen == number)
        items[wanted] = rng.choice(own, len(wanted), p=popularity[own] / popularity[own].sum())
    return Ragged.of(users, items, USERS, 0.0)


def trained_factors(by_user, rng, rounds=6):
    """Factors as alternating least squares leaves them."""
    by_item = by_user.turned(ITEMS)
    items = rng.normal(0, 0.1 / WIDTH**0.5, (ITEMS, WIDTH)).astype(np.float32)
    users = np.zeros((USERS, WIDTH), dtype=np.float32)
    for _ in range(rounds):
        items, users, weight = along_own_axes(items, users)
        users = solve(by_user, items, 0.1 * weight, np.full(USERS, 1.0), users, steps=3)
        users, items, weight = along_own_axes(users, items)
        items = solve(by_item, users, 0.1 * weight, np.full(ITEMS, 1.0), items, steps=3)
    return users, items


def everybody(name, users, items, by_user, rounds=3):
    seen = (by_user.offsets, by_user.codes)
    peer = peer_of(users, items, by_user)
    if peer is None:
        print("  implicit is not installed here: its column is left out")
    ratios = []
    for _ in range(rounds):
        (_, codes, _), own = timed(lambda: top_factors(users, items, K, seen))
        line = f"  {name:<22} ours {own:6.2f} s = {USERS / own:9,.0f} users/s"
        if peer is not None:
            theirs, other = timed(peer)
            ratios.append(other / own)
            same = (theirs.ravel() == codes).mean() if theirs.size == len(codes) else np.nan
            line += f"   implicit {other:6.2f} s   ratio {ratios[-1]:5.2f}   same places {same:.4f}"
        print(line, flush=True)
    if ratios:
        print(f"  {name:<22} median of ratios {np.median(ratios):.2f}")


def peer_of(users, items, by_user):
    try:
        from implicit.als import AlternatingLeastSquares
    except ImportError:
        return None
    from scipy import sparse

    shape = (len(users), len(items))
    seen = sparse.csr_matrix((by_user.weights, by_user.codes.astype(np.int32), by_user.offsets.astype(np.int32)), shape)
    model = AlternatingLeastSquares(factors=WIDTH)
    model.user_factors, model.item_factors = users, items
    everyone = np.arange(len(users))
    return lambda: model.recommend(everyone, seen, N=K, filter_already_liked_items=True)[0]


def bare(items, vector):
    scores = items @ vector
    return np.argpartition(scores, len(scores) - ONE_K)[-ONE_K:]


def one_user(name, items, vectors, allowed):
    index, laid = timed(lambda: FactorIndex(items))
    _, cut = timed(lambda: index.quantised)
    print(f"  {name:<22} laid out in {laid:.2f} s, cut to bits in {cut:.2f} s")
    exact, guessed, recall, bare_times = [], [], [], []
    for vector in vectors:
        bare_time = timed(lambda vector=vector: bare(items, vector))[1]
        (codes, _), exact_time = timed(lambda vector=vector: index.top(vector, ONE_K, allowed))
        (near, _), guessed_time = timed(lambda vector=vector: index.top(vector, ONE_K, allowed, exact=False))
        truth = items @ vector
        truth[~allowed] = -np.inf
        assert set(np.argpartition(truth, len(truth) - ONE_K)[-ONE_K:]) == set(codes)
        bare_times.append(bare_time)
        exact.append(exact_time / bare_time)
        guessed.append(guessed_time / bare_time)
        recall.append(np.isin(codes, near).mean())
    print(
        f"  {name:<22} bare {np.median(bare_times) * 1e3:5.1f} ms   ratio exact {np.median(exact):5.3f}   "
        f"guessed first {np.median(guessed):5.3f}, recall@{ONE_K} {np.mean(recall):.4f}",
        flush=True,
    )


def main(what):
    rng = np.random.default_rng(0)
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    gaussian = [rng.standard_normal((n, WIDTH), dtype=np.float32) for n in (USERS, ITEMS)]
    by_user = drawn_events(rng)
    trained = trained_factors(by_user, rng)
    if what != "one":
        print(f"everybody: {USERS:,} users, {ITEMS:,} items, width {WIDTH}, top {K}, seen ones left out")
        everybody("trained factors", *trained, by_user)
        everybody("random factors", *gaussian, by_user)
    if what != "all":
        print(f"one user: {MANY:,} items, width {WIDTH}, top {ONE_K}, {ALLOWED:.0%} allowed by a mask")
        allowed = rng.random(MANY) < ALLOWED
        copies = rng.integers(0, ITEMS, MANY)
        spread = 0.3 * np.linalg.norm(trained[1], axis=1)[copies, None] / WIDTH**0.5
        many = trained[1][copies] + spread * rng.standard_normal((MANY, WIDTH), dtype=np.float32)
        one_user("trained, spread", many.astype(np.float32), trained[0][:: USERS // ASKED], allowed)
        unit = many / np.maximum(np.linalg.norm(many, axis=1, keepdims=True), 1e-9)
        one_user("trained, equal lengths", unit.astype(np.float32), trained[0][:: USERS // ASKED], allowed)
        one_user(
            "random", rng.standard_normal((MANY, WIDTH), dtype=np.float32), gaussian[0][:: USERS // ASKED], allowed
        )


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "both")
