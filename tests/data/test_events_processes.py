"""Several real processes: nothing acknowledged is lost, nothing is doubled, everybody sees everything at once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from workbench.data import events_store
from workbench.data.events import LiveEvents, RecommendationLog
from workbench.data.workspace import Workspace
from workbench.errors import EventError

WRITER = """
import sys, time
from workbench.data import events_store
from workbench.data.events import LiveEvents
path, name, durability, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
live = LiveEvents(path, "shop", durability=durability)
now = time.time() - 60
for at in range(count):
    event = {"eventType": "click", "sentAt": now, "itemId": f"i{at}", "eventId": f"{name}-{at}"}
    shared = event | {"eventId": f"shared-{at}"}
    if live.put_events(f"session {name}", [event, shared], f"user {at % 7}").stored:
        sys.stdout.write(f"{name}-{at}\\n")
        sys.stdout.flush()
"""


@pytest.fixture
def path(tmp_path):
    space = Workspace(tmp_path)
    space.create_group("shop")
    space.close()
    return tmp_path


def start(path, name, durability="process", count=10**9, script=WRITER):
    arguments = [sys.executable, "-c", script, str(path), name, durability, str(count)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def stored_ids(path):
    live = LiveEvents(path, "shop")
    found = [event.event_id for user in range(7) for event in live.user_events(f"user {user}")]
    live.close()
    return found


def test_four_processes_lose_nothing_and_double_nothing(path):
    """They race for opening a database that is not there, and for ids that all four put."""
    writers = [start(path, f"w{each}", count=150) for each in range(4)]
    acknowledged = [line for each in writers for line in each.communicate(timeout=120)[0].split()]
    assert [each.returncode for each in writers] == [0] * 4
    found = stored_ids(path)
    assert len(acknowledged) == 600
    assert sorted(found) == sorted([*acknowledged, *(f"shared-{at}" for at in range(150))])
    live = LiveEvents(path, "shop")
    assert live.position() == 750
    sequences = sorted(event.sequence for user in range(7) for event in live.user_events(f"user {user}"))
    assert sequences == list(range(1, 751))


@pytest.mark.parametrize("durability", ["process", "power"])
def test_a_killed_writer_has_lost_nothing_it_acknowledged(path, durability):
    acknowledged = []
    for attempt in range(3):
        writer = start(path, f"k{attempt}", durability)
        begun = len(acknowledged)
        while len(acknowledged) < begun + 40 * (attempt + 1):
            acknowledged.append(writer.stdout.readline().strip())
        os.kill(writer.pid, signal.SIGKILL)
        acknowledged += [line for line in writer.communicate()[0].split("\n")[:-1] if line]
        assert writer.returncode == -signal.SIGKILL
    found = stored_ids(path)
    assert set(acknowledged) <= set(found)
    assert len(found) == len(set(found))


def test_another_process_sees_an_event_within_a_second(path):
    live = LiveEvents(path, "shop")
    script = """
import sys, time
from workbench.data import events_store
from workbench.data.events import LiveEvents
live = LiveEvents(sys.argv[1], "shop")
print("ready", flush=True)
for line in sys.stdin:
    while not live.user_events(line.strip()):
        time.sleep(0.001)
    print(time.time(), flush=True)
"""
    reader = subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert reader.stdout.readline() == "ready\n"
    for user in ("a", "b", "c"):
        reader.stdin.write(f"{user}\n")
        reader.stdin.flush()
        live.put_events("s", [{"eventType": "x", "sentAt": time.time()}], user)
        put = time.time()
        assert [event.user_id for event in live.user_events(user)] == [user]
        assert float(reader.stdout.readline()) - put < 1
    reader.stdin.close()
    assert reader.wait(timeout=30) == 0


def test_a_forked_process_writes_through_a_connection_of_its_own(path):
    live, log = LiveEvents(path, "shop", durability="process"), RecommendationLog(path, "shop")
    live.put_events("s", [{"eventType": "x", "sentAt": 1_700_000_000}], "u")
    log.add("parent", "front", "u", ["a"])
    pid = os.fork()
    if pid == 0:
        live.put_events("s", [{"eventType": "x", "sentAt": 1_700_000_001}], "u")
        log.add("child", "front", "u", ["b"])
        log.flush()
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert [event.time for event in live.user_events("u")] == [1_700_000_000, 1_700_000_001]
    assert log.get("child").items == ("b",)
    assert log.get("parent").items == ("a",)


def test_only_power_waits_for_the_disk(path, monkeypatch):
    synced = []
    monkeypatch.setattr(events_store, "SYNC", lambda file: synced.append(os.readlink(f"/proc/self/fd/{file}")))
    for durability in ("process", "power"):
        live = LiveEvents(path, "shop", durability=durability)
        synced.clear()
        live.put_events("s", [{"eventType": "x", "sentAt": 1_700_000_000}], durability)
        assert synced == ([str(live.store.path) + "-wal"] if durability == "power" else [])
        live.close()


def test_a_full_or_failing_disk_is_said_and_nothing_of_the_call_is_stored(path):
    live = LiveEvents(path, "shop", durability="process")
    live.put_events("s", [{"eventType": "x", "sentAt": 1_700_000_000}], "u")
    connection = live.store.connection()
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    events = [{"eventType": "x" * 200, "sentAt": 1_700_000_001 + at, "itemId": "i" * 250} for at in range(10)]
    with pytest.raises(EventError, match=r"Could not store live events in .*full\. Nothing of this call was stored"):
        live.put_events("s", events, "other")
    assert (live.user_events("other"), live.user_of("s"), live.position()) == ([], "u", 1)
    connection.execute("PRAGMA max_page_count = 1000000")
    assert live.put_events("s", events, "other").stored == 10


def test_a_database_of_another_layout_is_refused(path):
    LiveEvents(path, "shop").close()
    with sqlite3.connect(path / "shop" / "events" / "events.db") as connection:
        connection.execute("UPDATE store SET layout = 99")
    with pytest.raises(EventError, match="has layout 99; this version of the workbench reads layout 1"):
        LiveEvents(path, "shop")
    (path / "shop" / "events" / "events.db").write_bytes(b"not a database" * 100)
    with pytest.raises(EventError, match="Could not open live events in .*restore it"):
        LiveEvents(path, "shop")
