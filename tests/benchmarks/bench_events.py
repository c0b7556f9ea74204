"""Live events: calls a second from four processes, and what reading costs with a million events stored.

Run: python tests/benchmarks/bench_events.py [stored events, default 1000000]
"""

import multiprocessing
import statistics
import sys
import tempfile
import time
from pathlib import Path

from workbench.data.events import Limits, LiveEvents, RecommendationLog
from workbench.data.workspace import Workspace

PROCESSES = 4
CALLS = {"process": 4_000, "power": 500}  # of one event, by each process
BATCH = 1_000
BATCHES = 25  # calls of BATCH events, by each process
USERS = 50_000
NOW = int(time.time()) - 86_400


def event(at: int) -> dict:
    return {"eventType": "click", "sentAt": NOW + at % 86_000, "itemId": f"i{at % 3_000}", "eventId": f"e{at}"}


def put(path: str, number: int, durability: str, calls: int, size: int, gate: object) -> None:
    """One process: `calls` calls of `size` events, after all processes are ready."""
    live = LiveEvents(path, "shop", durability=durability, limits=Limits(records=max(size, 10)))
    live.position()
    gate.wait()
    for call in range(calls):
        begin = (number * calls + call) * size
        live.put_events(f"s{begin % USERS}", [event(at) for at in range(begin, begin + size)], f"u{begin % USERS}")


def rate(durability: str, calls: int, size: int) -> float:
    """Events a second from all processes together, from the moment they are ready to the end of the last one."""
    with tempfile.TemporaryDirectory() as folder:
        Workspace(folder).create_group("shop")
        gate = multiprocessing.Barrier(PROCESSES + 1)
        arguments = [(folder, number, durability, calls, size, gate) for number in range(PROCESSES)]
        writers = [multiprocessing.Process(target=put, args=each) for each in arguments]
        for each in writers:
            each.start()
        gate.wait()
        begun = time.perf_counter()
        for each in writers:
            each.join()
        seconds = time.perf_counter() - begun
        found = LiveEvents(folder, "shop").position()
        assert found == PROCESSES * calls * size, f"{found} events are there"
        return found / seconds


def microseconds(call: object, arguments: list) -> tuple[float, float]:
    """Median and 99th percentile of a call."""
    times = []
    for each in arguments:
        begun = time.perf_counter()
        call(each)
        times.append((time.perf_counter() - begun) * 1e6)
    return statistics.median(times), statistics.quantiles(times, n=100)[98]


def reading(folder: str, stored: int) -> None:
    """Latency of what serving asks for, with `stored` events of 50,000 users there."""
    live = LiveEvents(folder, "shop", durability="process", limits=Limits(records=10_000))
    for begin in range(0, stored, USERS):  # each user gets one event a round, spread over the whole file
        for user in range(0, USERS, 10_000):
            events = [event(begin + user + at) for at in range(10_000)]
            live.put_events(f"s{begin + user}", events[:1], "u0")
            with live.store.writing() as connection:  # a million calls would measure nothing but patience
                position = connection.execute("SELECT n FROM sequence").fetchone()[0]
                rows = [
                    (position + at, 0, each["eventId"], "s", f"u{user + at}", each["itemId"], each["sentAt"], "click")
                    for at, each in enumerate(events[1:], 1)
                ]
                connection.executemany(
                    "INSERT INTO event(seq, kind, event_id, session_id, user_id, entity, time, event_type, changed) "
                    "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?1)",
                    rows,
                )
                connection.execute("UPDATE sequence SET n = ?", (rows[-1][0],))
    users = [f"u{(each * 7_919) % USERS}" for each in range(2_000)]
    position = live.position()
    size = sum(each.stat().st_size for each in Path(live.store.path).parent.iterdir()) / 1e6
    print(f"{position:,} events stored, {size:,.0f} MB, {len(live.user_events(users[1]))} of one user")
    cases = {
        "user_events": (live.user_events, users),
        "user_version": (live.user_version, users),
        "position": (lambda _: live.position(), users),
        "changed_since, nothing new": (live.changed_since, [position] * 2_000),
        "put_events of one": (lambda user: live.put_events("s", [event(hash(user) % 10**12)], user), users),
        "opening": (lambda _: LiveEvents(folder, "shop").close(), users[:100]),
    }
    log = RecommendationLog(folder, "shop")
    items, explored = [f"i{each}" for each in range(25)], [False] * 25
    cases["RecommendationLog.add, 25 items"] = (lambda user: log.add(f"r{user}", "front", user, items, explored), users)
    print(f"{'what, microseconds':36}{'median':>10}{'p99':>10}")
    for name, (call, arguments) in cases.items():
        middle, slow = microseconds(call, arguments)
        print(f"{name:36}{middle:10.1f}{slow:10.1f}")


def main() -> None:
    print(f"{PROCESSES} processes: {'events a call':>14}{'durability':>12}{'events/s':>12}")
    for durability, calls in CALLS.items():
        print(f"{'':13}{1:14,}{durability:>12}{rate(durability, calls, 1):12,.0f}")
        print(f"{'':13}{BATCH:14,}{durability:>12}{rate(durability, BATCHES, BATCH):12,.0f}")
    with tempfile.TemporaryDirectory() as folder:
        Workspace(folder).create_group("shop")
        reading(folder, int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)


if __name__ == "__main__":
    main()
