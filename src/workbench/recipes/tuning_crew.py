"""Processes that run trials side by side: begun, given trials, watched, replaced, and never left behind.

Each is a fresh Python that reads its task from Parquet and JSON and its orders from a pipe. When the pipe closes, for
whatever reason, it leaves at once: a process cannot outlive the run that began it.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from workbench.recipes.tuning_task import Task, write_task
from workbench.recipes.tuning_trial import Ticket

MODULE = "workbench.recipes.tuning_worker"
THREADS = tuple(f"{name}_NUM_THREADS" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR"))
GRACE = 5.0  # seconds a process gets to leave by itself


@dataclass(frozen=True)
class Ended:
    """What a process says: a trial ended, or with no ticket, it is ready for its first."""

    ticket: Ticket | None = None
    state: str = ""
    seconds: float = 0.0


class Worker:
    """One process, and the trial it is at."""

    def __init__(self, threads: int, told: "queue.Queue[tuple[Worker, Ended | None]]"):
        self.ready = False
        self.ticket: Ticket | None = None
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `end`
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", MODULE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
            encoding="utf-8",
            env=os.environ | dict.fromkeys(THREADS, str(threads)),
        )
        self._ear = threading.Thread(target=self._listen, args=(told,), daemon=True)
        self._ear.start()

    def _listen(self, told: "queue.Queue[tuple[Worker, Ended | None]]") -> None:
        for line in self.process.stdout:
            said = json.loads(line)
            told.put((self, Ended(self.ticket if said else None, **said)))
        told.put((self, None))

    def tell(self, order: dict[str, Any]) -> None:
        """Send one order; a process that is gone already is noticed by whoever listens to it."""
        with suppress(OSError):
            self.process.stdin.write(json.dumps(order) + "\n")
            self.process.stdin.flush()

    def dismiss(self) -> None:
        """Let the process leave, from the middle of a trial too."""
        with suppress(OSError):
            self.process.stdin.close()

    def end(self) -> str:
        """Let the process leave, make it when it will not, and say how it ended."""
        self.dismiss()
        try:
            code = self.process.wait(GRACE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._ear.join(GRACE)
        self.process.stdout.close()
        words = self._words()
        self.log.close()
        if code < 0:
            cause = "; often a sign that memory ran out" if -code == getattr(signal, "SIGKILL", 9) else ""
            return f"its process {self.process.pid} was ended by {signal.Signals(-code).name}{cause}"
        return f"its process {self.process.pid} ended with code {code}: {words or 'it said nothing'}"

    def _words(self) -> str:
        self.log.seek(0)
        lines = self.log.read().decode(errors="replace").strip().splitlines()
        return lines[-1][:500] if lines else ""


class Crew:
    """Several workers at one task; as a context manager, it leaves no process and no file behind."""

    def __init__(self, task: Task, storage: str, study: str, processes: int):
        self.task, self.storage, self.study, self.processes = task, storage, study, processes
        self.workers: list[Worker] = []
        self._told: queue.Queue[tuple[Worker, Ended | None]] = queue.Queue()

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="workbench-tuning-", ignore_cleanup_errors=True)
        try:
            write_task(self.task, Path(self._folder.name))
            for _ in range(self.processes):
                self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self.workers:
            worker.dismiss()  # all at once, so that they leave side by side
        for worker in self.workers:
            worker.end()
        self._folder.cleanup()

    def start(self) -> None:
        """Begin one more process."""
        worker = Worker(threads_each(self.processes), self._told)
        self.workers.append(worker)
        worker.tell({"folder": self._folder.name, "storage": self.storage, "study": self.study})

    def free(self) -> list[Worker]:
        """List the processes that wait for a trial."""
        return [each for each in self.workers if each.ready and each.ticket is None]

    def busy(self) -> bool:
        """Say whether any process is at a trial."""
        return any(each.ticket is not None for each in self.workers)

    def starting(self) -> bool:
        """Say whether any process is not ready yet."""
        return any(not each.ready for each in self.workers)

    def give(self, worker: Worker, ticket: Ticket) -> None:
        """Let a process begin a trial."""
        worker.ticket = ticket
        worker.tell(asdict(ticket))

    def wait(self) -> tuple[Worker, Ended | None]:
        """Wait until a process says something; None instead of words when it is gone."""
        while True:
            try:
                worker, ended = self._told.get(timeout=1.0)  # a wait without end could not be interrupted everywhere
            except queue.Empty:
                continue
            if ended is not None:
                worker.ready, worker.ticket = True, None
            return worker, ended

    def bury(self, worker: Worker) -> str:
        """Forget a process that is gone; says how it ended. Its ticket stays with it."""
        self.workers.remove(worker)
        return worker.end()


def threads_each(processes: int) -> int:
    """Share out the cores that this process may use, at least one each; fewer where OMP_NUM_THREADS says so."""
    import psutil

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else psutil.cpu_count() or 1
    told = os.environ.get("OMP_NUM_THREADS", "")
    cores = min(cores, int(told)) if told.isdecimal() and int(told) else cores
    return max(1, cores // processes)
