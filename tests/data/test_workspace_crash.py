"""Writers that are killed, and disks that fill up: the state before or after, never between."""

import json
import os
import signal
import subprocess
import sys

import pytest

from workbench.data.workspace import Workspace

# One process imports everything once and forks a writer for every kill: an import takes longer than fifty writes.
NURSERY = '''
import os, random, signal, sys, time
import pandas as pd
import ibis.backends.duckdb, psutil, pyarrow.dataset, sqlalchemy.dialects.sqlite
from workbench.data.workspace import Workspace

place, mode, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
chance = random.Random(seed)
FRAME = pd.DataFrame({"USER_ID": ["u", "v"], "ITEM_ID": ["a", "b"], "TIMESTAMP": [2, 1]})


def write(space, number):
    frame = FRAME.assign(TIMESTAMP=[number, 1])
    version = space.write_dataset("shop", "interactions", frame, origin={"number": number})
    done.write(f"dataset {version.version} {version.hash}\\n")
    with space.new_solution_version("shop", "pop", {"number": number}) as draft:
        (draft.path / "model.txt").write_text(str(number))
    done.write(f"solution {draft.version} {number}\\n")


def steps_until_kill(count):
    """Kill this process when it opens, makes, renames or removes its count-th file from now."""
    left = [count]

    def hook(event, args):
        if event in ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"):
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


def child(ready, kill_at):
    space = Workspace(place)
    space.create_group("shop")
    if kill_at:
        write(space, 0)  # so that what is loaded on first use takes no steps
        os.write(ready, b"!")
        steps_until_kill(kill_at)
        write(space, 1)
        os._exit(7)  # it never came to the step
    os.write(ready, b"!")
    for number in range(1, 1_000_000):
        write(space, number)


for round in range(1, int(sys.argv[4]) + 1):
    seen, ready = os.pipe()
    done = open(sys.argv[5], "a", buffering=1)
    pid = os.fork()
    if pid == 0:
        try:
            child(ready, round if mode == "step" else 0)
        except BaseException as error:
            print("round", round, repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    os.close(ready)
    assert os.read(seen, 1) == b"!", "the writer died before it wrote"
    if mode == "time":
        time.sleep(chance.uniform(0, 0.5))
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    os.close(seen)
    done.close()
    if os.waitstatus_to_exitcode(status) == 7:
        break
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL, status
    print(round, flush=True)
'''


def kill_writers(tmp_path, mode, rounds):
    """Run the nursery; returns the workspace's path, what writers had reported done, and how many were killed."""
    place, done = tmp_path / "workspace", tmp_path / "done.txt"
    command = [sys.executable, "-W", "ignore", "-c", NURSERY, str(place), mode, "7", str(rounds), str(done)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ran.returncode == 0, ran.stderr
    return place, [line.split() for line in done.read_text().splitlines()], len(ran.stdout.split())


def assert_whole(place, done):
    """Every listed version reads with its hash; every version reported done is listed; nothing else is there."""
    space = Workspace(place)
    versions = space.versions("shop", "interactions")
    for version in versions:
        version.verify()
        assert version.frame()["TIMESTAMP"].tolist() == sorted([1, version.origin["number"]])
    solutions = space.solution_versions("shop", "pop")
    assert set(solutions["STATUS"]) <= {"ACTIVE", "CREATE FAILED"}
    active = solutions[solutions["STATUS"] == "ACTIVE"]
    for _, row in active.iterrows():
        record = space.solution_version("shop", "pop", row["VERSION"])
        assert (record.path / "model.txt").read_text() == str(row["CONFIG"]["number"])
    listed = {("dataset", str(each.version), each.hash) for each in versions}
    listed |= {("solution", str(row["VERSION"]), str(row["CONFIG"]["number"])) for _, row in active.iterrows()}
    assert {tuple(each) for each in done} <= listed
    on_disk = {path.name for path in (place / "shop" / "interactions").iterdir()}
    assert on_disk == {str(each.version) for each in versions}
    on_disk = {path.name for path in (place / "shop" / "solutions" / "pop").iterdir()}
    assert on_disk == set(active["VERSION"].astype(str))
    assert [path.name for path in (place / ".staging").iterdir()] == ["gate"]
    return space


def test_fifty_writers_killed_at_random_moments(tmp_path):
    place, done, killed = kill_writers(tmp_path, "time", 50)
    assert killed == 50
    space = assert_whole(place, done)
    assert len(space.versions("shop", "interactions")) >= 5
    assert Workspace(place).cleaned == []


def test_writers_killed_at_every_step(tmp_path):
    place, done, killed = kill_writers(tmp_path, "step", 200)
    assert 20 < killed < 200, "the last writer must come to the end"
    space = assert_whole(place, done)
    failed = space.solution_versions("shop", "pop").query("STATUS == 'CREATE FAILED'")
    assert len(failed) > 3
    assert set(failed["FAILURE_REASON"]) == {"The process that made it ended before it had finished. Run it again."}


def test_the_next_opening_says_what_it_cleaned(tmp_path):
    space = Workspace(tmp_path)
    space.create_group("shop")
    if (pid := os.fork()) == 0:  # no DuckDB in this test's process yet, so a fork is safe
        with space.new_solution_version("shop", "pop", {}):
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    cleaned = Workspace(tmp_path).cleaned
    assert len(cleaned) == 2
    assert cleaned[0].startswith("Removed .staging/")
    assert (
        cleaned[1] == "Marked solution version shop/solutions/pop/1 as CREATE FAILED: the process that made it ended."
    )
    assert Workspace(tmp_path).cleaned == []


FILLER = """
import json, resource, sys
import pandas as pd
from workbench.data.workspace import Workspace
from workbench.errors import WorkspaceError

space = Workspace(sys.argv[1])
space.create_group("shop")
frame = pd.DataFrame({"USER_ID": ["u"], "ITEM_ID": ["a"], "TIMESTAMP": [1]})
space.write_dataset("shop", "interactions", frame, origin={})
big = pd.DataFrame({"USER_ID": [f"{number * 7919:x}" for number in range(400_000)], "ITEM_ID": "a", "TIMESTAMP": 1})
big["NOISE"] = pd.util.hash_pandas_object(big["USER_ID"]).astype(str)
if sys.argv[2] != "0":
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]),) * 2)
said = []
try:
    space.write_dataset("shop", "interactions", big, origin={})
except WorkspaceError as error:
    said.append(str(error))
try:
    with space.new_solution_version("shop", "pop", {}) as draft:
        (draft.path / "model.bin").write_bytes(bytes(20_000_000))
except WorkspaceError as error:
    said.append(str(error))
space.write_dataset("shop", "interactions", frame, origin={})
print(json.dumps(said))
"""


def fill_up(place, limit):
    command = [sys.executable, "-W", "ignore", "-c", FILLER, str(place), str(limit)]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr
    said = json.loads(ran.stdout)
    assert len(said) == 2, said
    assert said[0].startswith("Could not write shop/interactions: ")
    assert said[1].startswith("Could not write shop/solutions/pop: ")
    for words in said:
        assert "Nothing that was there before is lost or changed. Free some space and run it again." in words
    space = Workspace(place)
    assert space.cleaned == []
    assert [version.rows for version in space.versions("shop", "interactions")] == [1, 1]
    for version in space.versions("shop", "interactions"):
        version.verify()
    [status] = space.solution_versions("shop")["STATUS"]
    assert status == "CREATE FAILED"
    assert [path.name for path in (place / ".staging").iterdir()] == ["gate"]


def test_a_file_that_may_not_grow_loses_nothing(tmp_path):
    fill_up(tmp_path / "workspace", 2_000_000)


def test_a_full_disk_loses_nothing(tmp_path):
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(tmp_path)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        fill_up(tmp_path / "workspace", 0)
    finally:
        subprocess.run(["umount", "-l", str(tmp_path)], check=True)
