"""What a filter adds to a list's time, against none at all and against a mask written by hand in numpy.

Run with `python tests/benchmarks/bench_filters.py`, or with one of "list", "mask" and "users" behind it. All sides run
by turns in one process on the same arrays, and the median of the ratios counts, so that a busy or throttled machine
slows each. The filter is

    INCLUDE ItemID WHERE Items.GENRES IN ($GENRES) AND Items.PRICE < 80
    | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch", "buy")

and the list 25 of all items by their factors of width 64, as `FactorIndex` finds them, exactly. To reach on two cores:
a list with the filter in at most 1.2 times the time of one without; a mask of values asked before well under 0.3 ms out
of 100,000 items, under 2 ms out of 1,000,000.
"""

import sys
import time

import numpy as np

from workbench.recipes.fast_lists import FactorIndex
from workbench.serving.filter_masks import compile_filter
from workbench.serving.filters import parse
from workbench.serving.tables import EntityTable, EventLog, NumberColumn, TextColumn, UserState, text_array

SIZES, WIDTH, K, EVENTS, ROUNDS = (100_000, 1_000_000), 64, 25, 200, 40
USERS, FEW = 6_040, 3_400
NOW = 1_700_000_000
DAY = 86_400
FILTER = (
    "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES) AND Items.PRICE < 80"
    ' | EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("watch", "buy")'
)
VALUES = {"GENRES": '"genre 1","genre 2","genre 3","genre 4"'}


def timed(call, *arguments):
    start = time.perf_counter()
    result = call(*arguments)
    return result, time.perf_counter() - start


def drawn_items(rng, n):
    """Items of up to three genres, some without, with a price, a time and a title."""
    genres = [f"genre {number}" for number in range(18)]
    fields = text_array("|".join(rng.choice(genres, rng.integers(1, 4), replace=False)) for _ in range(500))
    columns = {
        "GENRES": TextColumn(rng.integers(-1, len(fields), n).astype(np.int32), fields),
        "PRICE": NumberColumn(rng.uniform(0, 100, n)),
        "CREATION_TIMESTAMP": NumberColumn(NOW - rng.integers(0, 3_000 * DAY, n).astype(np.float64)),
        "TITLE": TextColumn(np.arange(n, dtype=np.int32), text_array(f"Title {each} of a film" for each in range(n))),
    }
    return EntityTable("Items", text_array(map(str, range(n))), columns)


def drawn_user(rng, n, events=EVENTS):
    types = text_array(rng.choice(["watch", "click", "buy"], events))
    times = np.sort(NOW - rng.integers(0, 300 * DAY, events))
    return UserState(
        "u", {"AGE": 30.0}, EventLog(rng.integers(0, n, events).astype(np.int32), times, {"EVENT_TYPE": types})
    )


def by_hand(items, user):
    """The filter as one would write it in numpy, with what does not depend on the user done beforehand."""
    genres, prices = items.columns["GENRES"], items.columns["PRICE"].values
    wanted = np.unique(np.concatenate([genres.parts[f"genre {number}"] for number in (1, 2, 3, 4)]))
    allowed = np.isin(genres.codes, wanted) & (prices < 80)
    types = user.events.columns["EVENT_TYPE"].astype(str)

    def mask():
        found = allowed.copy()
        found[user.events.entities[(types == "watch") | (types == "buy")]] = False
        return found

    return mask


def lists(rng, n):
    """Times of a list under the filter, and under the mask by hand, in times of one without."""
    items, user = drawn_items(rng, n), drawn_user(rng, n)
    index = FactorIndex(rng.normal(size=(n, WIDTH)).astype(np.float32))
    compiled, hand = compile_filter(parse(FILTER), items), by_hand(items, user)
    assert (compiled.mask(user, VALUES, now=NOW) == hand()).all()

    def filtered(vector):
        return index.top(vector, K, compiled.mask(user, VALUES, now=NOW))

    taken = []
    for _ in range(ROUNDS):
        vector = rng.normal(size=WIDTH).astype(np.float32)
        without = timed(index.top, vector, K)[1]
        ours = timed(filtered, vector)[1]
        written = timed(lambda vector: index.top(vector, K, hand()), vector)[1]
        alone = timed(lambda: compiled.mask(user, VALUES, now=NOW))[1]
        taken.append((without * 1e3, ours / without, written / without, alone / without))
    without, ours, written, alone = np.median(taken, axis=0)
    print(
        f"  {n:>9,} items: without {without:6.2f} ms   filter {ours:5.3f} (its mask alone {alone:5.3f})   "
        f"by hand {written:5.3f}",
        flush=True,
    )


def masks(rng, n):
    """Milliseconds of a mask alone."""
    items, user = drawn_items(rng, n), drawn_user(rng, n)
    hand, filter = by_hand(items, user), compile_filter(parse(FILTER), items)
    recent, later = (
        compile_filter(parse("INCLUDE ItemID WHERE Items.CREATION_TIMESTAMP > NOW() - 30d"), items) for _ in range(2)
    )
    title = compile_filter(parse("INCLUDE ItemID WHERE Items.TITLE CONTAINS $TEXT"), items)
    like = compile_filter(parse("INCLUDE ItemID WHERE Items.TITLE LIKE $TEXT"), items)
    sides = {
        "by hand": lambda turn: hand(),
        "values asked before": lambda turn: filter.mask(user, VALUES, now=NOW),
        "new values": lambda turn: filter.mask(user, {"GENRES": f'"genre {turn % 18}","{turn}"'}, now=NOW),
        "NOW(), same second": lambda turn: recent.mask(user, now=NOW),
        "NOW(), a day later": lambda turn: later.mask(user, now=NOW - 40 * DAY + turn * DAY),
        "CONTAINS, new text": lambda turn: title.mask(user, {"TEXT": f"e {turn} O"}, now=NOW),
        "LIKE, new text": lambda turn: like.mask(user, {"TEXT": f"%e {turn}_ o%"}, now=NOW),
    }
    taken = {name: [] for name in sides}
    for turn in range(ROUNDS):
        for name, call in sides.items():
            taken[name].append(timed(call, turn)[1] * 1e3)
    for name, times in taken.items():
        print(f"  {n:>9,} items: {name:<20} median {np.median(times):8.3f}   first {times[0]:9.2f}", flush=True)


def users(rng):
    """Users a second: a mask each, against one mask and what their events take away in one go."""
    print(f"{USERS:,} users x {FEW:,} items, {EVENTS} events each")
    items = drawn_items(rng, FEW)
    people = [drawn_user(rng, FEW) for _ in range(USERS)]
    log = EventLog(
        np.concatenate([each.events.entities for each in people]),
        np.concatenate([each.events.times for each in people]),
        {"EVENT_TYPE": np.concatenate([each.events.columns["EVENT_TYPE"] for each in people])},
        np.repeat(np.arange(USERS, dtype=np.int32), EVENTS),
    )
    compiled = compile_filter(parse(FILTER), items)
    own, alone = timed(lambda: np.array([compiled.mask(each, VALUES, now=NOW) for each in people]))

    def together():
        shared = compiled.shared(VALUES, now=NOW)
        found = np.repeat(shared.allowed[np.newaxis], USERS, axis=0)
        found[shared.removed_pairs(log)] = False
        return found

    found, batched = timed(together)
    assert (found == own).all()
    print(
        f"  a mask each {USERS / alone:11,.0f} users/s   one mask and pairs to remove {USERS / batched:11,.0f} users/s"
    )


def main(what):
    rng = np.random.default_rng(7)
    for name, title, measure in (("list", f"a list of {K}", lists), ("mask", "a mask alone, ms", masks)):
        if what in (name, "all"):
            print(f"{title}; {EVENTS} events of the user")
            for n in SIZES:
                measure(rng, n)
    if what in ("users", "all"):
        users(rng)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "all")
