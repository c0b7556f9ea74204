"""Temporary files go with their process, also when it is killed, and never with another one."""

import os
import signal
import subprocess
import sys
import time

from workbench.data.scratch import PREFIX, YOUNG, scratch, sweep

SCRIPT = "import sys; from workbench.data.scratch import scratch; print(scratch(), flush=True); sys.stdin.read()"


def started(folder):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "TMPDIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert PREFIX in process.stdout.readline()
    return process


def aged(folder):
    for each in folder.glob(f"{PREFIX}*"):
        os.utime(each, (time.time() - 2 * YOUNG,) * 2)


def test_a_process_that_ends_takes_its_folder_along(tmp_path):
    process = started(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    process.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_swept_and_what_lives_stays(tmp_path):
    killed, alive = started(tmp_path), started(tmp_path)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    assert sweep(tmp_path) == []  # too young to be sure
    aged(tmp_path)
    assert len(sweep(tmp_path)) == 1
    assert len(list(tmp_path.iterdir())) == 1
    alive.communicate("")
    assert list(tmp_path.iterdir()) == []


def test_a_fork_leaves_its_parents_folder_alone():
    mine = scratch()
    child = os.fork()
    if not child:
        os._exit(0 if scratch() != mine else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert mine.is_dir()
