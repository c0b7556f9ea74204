"""One process of a parallel study: `tuning_crew` starts it, tells it on its standard input what to do, and listens.

The first line names the task's folder, the database and the study; every further line is one trial to run. Standard
output carries the answers and nothing else: what a library prints goes to standard error.
"""

import json
import os
import queue
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from workbench.recipes.tuning_study import join_study, quiet
from workbench.recipes.tuning_task import read_task
from workbench.recipes.tuning_trial import Ticket, run_trial


def main() -> None:
    """Run trials until the standard input ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run that began this process
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    orders: queue.Queue[dict[str, Any]] = queue.Queue()
    threading.Thread(target=_listen, args=(orders,), daemon=True).start()
    first = orders.get()
    task = read_task(Path(first["folder"]))
    with quiet():
        study = join_study(first["storage"], first["study"])
        _say(answers, {})
        while True:
            ticket = Ticket(**orders.get())
            clock = time.monotonic()
            state = run_trial(study, task, ticket)
            _say(answers, {"state": state, "seconds": time.monotonic() - clock})


def _listen(orders: "queue.Queue[dict[str, Any]]") -> None:
    """Pass orders on; when nobody can send any more, leave at once, in the middle of a trial too."""
    folder = ""
    for line in sys.stdin:
        order = json.loads(line)
        folder = order.get("folder", folder)
        orders.put(order)
    shutil.rmtree(folder, ignore_errors=True)  # whoever wrote it may have been killed
    os._exit(0)


def _say(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


if __name__ == "__main__":
    try:
        main()
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)  # the listening thread holds the standard input, which a normal end would wait for
