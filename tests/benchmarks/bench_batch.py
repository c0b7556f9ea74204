"""How fast a batch job answers: lists alone, with their JSON, and the whole job from file to file.

Run with `python tests/benchmarks/bench_batch.py`. To reach on two cores: 10,000 users/s for 6,040 users and 3,400
items, 25 places each, with a filter, by a factor model.
"""

import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from bench_serving import FILTER, K, written

from workbench.serving.batch import run_batch
from workbench.serving.batch_answers import Answers
from workbench.serving.batch_formats import asked_of, document_of
from workbench.serving.batch_output import LineWriter
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender

N_ITEMS, N_USERS, EVENTS, BLOCK = 3_400, 6_040, 165, 2_048
RUNS = 5


def timed(work):
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def main():
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; {N_USERS:,} users, {N_ITEMS:,} items, {K} places")
    with tempfile.TemporaryDirectory() as folder:
        workspace = written(Path(folder) / "shop", N_ITEMS, N_USERS, EVENTS)
        lines = [json.dumps({"userId": f"u{user}"}) for user in range(N_USERS)]
        source = Path(folder) / "in.jsonl"
        source.write_text("".join(f"{line}\n" for line in lines))
        recommender = Recommender(open_campaign(workspace.path, "shop", "front"), log=False)
        fields = {"num_results": K, "filter": FILTER, "filter_values": {}, "exploration_weight": 0.0, "seed": 0}
        served = recommender.served()
        answers = Answers(recommender, served, "users", fields | {"exclude_seen": None, "timestamp": 1_800_000_000})
        writer = LineWriter("users", served.snapshot.items.ids)

        def blocks():
            for start in range(0, N_USERS, BLOCK):
                some = lines[start : start + BLOCK]
                yield [asked_of("users", place, line, document_of(line), True) for place, line in enumerate(some)]

        def whole(number):
            given = {name: fields[name] for name in ("num_results", "filter", "exploration_weight")}
            run_batch(workspace, "shop", f"job-{number}", "front", source, progress=False, **given)

        ready = list(blocks())
        same = {name: value for name, value in fields.items() if name != "filter_values"}
        users = [f"u{user}" for user in range(N_USERS)]
        rows = {
            "codes_many, to compare with": lambda _: recommender.codes_many(users, **same),
            "lists": lambda _: [answers.answer(each) for each in ready],
            "lists, JSON in and out": lambda _: [writer.lines(answers.answer(each)[0]) for each in blocks()],
            "the job, opening included": whole,
        }
        seconds = {name: [] for name in rows}
        for number in range(RUNS + 1):  # by turns; the first turn warms up
            for name, work in rows.items():
                seconds[name].append(timed(lambda work=work, number=number: work(number)))
        for name, each in seconds.items():
            print(f"  {name:<28} {N_USERS / np.median(each[1:]):8,.0f} users/s", flush=True)


if __name__ == "__main__":
    main()
