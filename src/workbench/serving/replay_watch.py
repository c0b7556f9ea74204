"""A second process that serves the same campaign: it sees what is put live and makes its own lists of it, timed.

Run as `python -m workbench.serving.replay_watch WORKSPACE GROUP CAMPAIGN PLACES`; ends when its input does. Every line
that it writes is JSON with `position`, `who`, `items` and `at`, by a clock that all processes of a machine share.
"""

import importlib
import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

from workbench.errors import ServingError
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender

ITEMS = ""  # stands in `who` for items that were put
LOOK = 0.0005  # seconds between two looks for something new
PATIENCE = 30  # seconds until the other process, or what it sees, is given up


def asked(places: int) -> dict[str, Any]:
    """The fields of a replay's requests, the user left out; the same in every process."""
    return {"num_results": places, "exclude_seen": True, "exploration_weight": 0.0}


@dataclass(frozen=True)
class Sight:
    """What the other process made of something new.

    position: up to which it had seen the live events. at: `time.perf_counter()` when its list was there.
    items: the list, by place; of items that were put, those that its catalogue has.
    """

    position: int
    items: tuple[str, ...]
    at: float


class Watcher:
    """Starts the other process, and waits for what it sees. A context manager; leaving it ends the process."""

    def __init__(self, recommender: Recommender, places: int):
        """Start it and wait until its campaign is open.

        Raises:
            ServingError: it did not come up; what it said is in the message.
        """
        deployment = recommender.deployment
        arguments = [str(deployment.path), deployment.group, deployment.campaign, str(places)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "workbench.serving.replay_watch", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            encoding="utf-8",
        )
        self._seen: dict[str, Sight] = {}
        self._news = threading.Condition()
        self._ready = self._ended = False
        threading.Thread(target=self._read, daemon=True).start()
        with self._news:
            self._news.wait_for(lambda: self._ready or self._ended, PATIENCE)
        if not self._ready:
            self.close()
            raise ServingError(f"Another process could not open {'/'.join(arguments[:3])} within {PATIENCE} s.")

    def see(self, who: str, position: int) -> Sight:
        """Wait until the other process has a list of somebody that knows the live events up to a position.

        Raises:
            ServingError: it ended, or did not see it in time.
        """
        with self._news:
            self._news.wait_for(lambda: self._ended or self._has(who, position), PATIENCE)
            if not self._has(who, position):
                why = "has ended" if self._ended else f"did not see it within {PATIENCE} s"
                raise ServingError(f"The other process {why}: {who or 'items'!r}, position {position}.")
            return self._seen[who]

    def close(self) -> None:
        """End the process; closing twice does nothing."""
        if self._process.stdin is not None and not self._process.stdin.closed:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *problem: object) -> None:
        self.close()

    def _has(self, who: str, position: int) -> bool:
        return who in self._seen and self._seen[who].position >= position

    def _read(self) -> None:
        """Take in what the other process says, until it ends."""
        for line in self._process.stdout or ():
            told = json.loads(line)
            with self._news:
                if told:
                    self._seen[told["who"]] = Sight(told["position"], tuple(told["items"]), told["at"])
                else:
                    self._ready = True
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()


def watch(workspace: str, group: str, campaign: str, places: int) -> None:
    """Look for what is new, for ever, and write a line for everybody whom it concerns."""
    threading.Thread(target=_end_with_input, daemon=True).start()
    recommender = Recommender(open_campaign(workspace, group, campaign), log=False)
    live = recommender.deployment.live
    recommender.recommend(**asked(places))  # what a process does once, it has done now,
    importlib.import_module("pandas")  # which it needs to take in items
    position = live.position()
    _say({})
    while True:
        if live.position() == position:
            time.sleep(LOOK)
            continue
        changes = live.changed_since(position)
        position = changes.position
        for who in sorted(changes.users | changes.sessions):
            _tell(position, who, recommender.recommend(user_id=who, **asked(places)).item_ids)
        if changes.items:
            recommender.refresh()
            items = recommender.deployment.items
            _tell(position, ITEMS, [each for each in sorted(changes.items) if items.code_of(each) >= 0])


def _tell(position: int, who: str, items: Any) -> None:
    _say({"position": position, "who": who, "items": list(items), "at": time.perf_counter()})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _end_with_input() -> None:
    """End when whoever started this process closes its input, or is gone."""
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    watch(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
