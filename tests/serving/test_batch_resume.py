"""A batch job that is killed, or meets a full disk, ends up with the output of one that was not; memory stays flat."""

import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from workbench.data.events import LiveEvents
from workbench.data.workspace import Workspace
from workbench.errors import BatchError
from workbench.serving import batch_job
from workbench.serving.batch import batch_jobs, run_batch
from workbench.serving.batch_records import Position, Record
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign

LINES = 30_000
RUN = """
import resource, sys
from pathlib import Path
from workbench.data.workspace import Workspace
from workbench.errors import BatchError
from workbench.serving import batch_job
from workbench.serving.batch import run_batch
workspace, source, most = Workspace(sys.argv[1]), sys.argv[2], int(sys.argv[3])
batch_job.SYNC = 0.0
if most:
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
try:
    run_batch(workspace, "g", "night", "c", source, progress=False)
except BatchError as error:
    print(error)
    sys.exit(2)
"""


@pytest.fixture
def shop(small_workspace: Workspace, train_small: Callable) -> Workspace:
    """Group "g" with campaign "c", which does not explore."""
    train_small("s", "sims")
    create_campaign(small_workspace, "g", "c", "s", settings=CampaignSettings(exploration_weight=0.0))
    return small_workspace


def many(path: Path, count: int) -> Path:
    """Users by turns, and a broken line now and then."""
    users = ("ann", "bob", "cem", "zoe")
    with path.open("w") as file:
        for number in range(count):
            file.write("{\n" if number % 997 == 5 else f'{{"userId":"{users[number % 4]}"}}\n')
    return path


def started(shop: Workspace, source: Path, most: int = 0) -> subprocess.Popen:
    given = [sys.executable, "-c", RUN, str(shop.path), str(source), str(most)]
    return subprocess.Popen(given, stdout=subprocess.PIPE, text=True)


def run(shop: Workspace, source: Path, job: str = "night", **given):
    return run_batch(shop, "g", job, "c", source, progress=False, **given)


def killed_at(process: subprocess.Popen, out: Path, size: int) -> None:
    """kill -9 once the output has grown to `size` bytes."""
    ends = time.monotonic() + 120
    while process.poll() is None and (not out.exists() or out.stat().st_size < size):
        assert time.monotonic() < ends, "the job never wrote anything"
        time.sleep(0.001)
    assert process.poll() is None, "the job was over before it could be killed"
    process.kill()
    process.wait()


def test_a_killed_job_goes_on_to_the_same_output(shop: Workspace, tmp_path: Path):
    source = many(tmp_path / "in.jsonl", LINES)
    whole = run(shop, source, "whole")
    folder = shop.path / "g" / "batch" / "night"
    for size in (1, whole.output.stat().st_size // 3):
        killed_at(started(shop, source), folder / "out.jsonl", size)
    state = json.loads((folder / "job.json").read_text())
    with (folder / "out.jsonl").open("ab") as file:  # what a kill between two writes leaves
        file.write(b'{"input":{"userId":"an')
    assert Workspace(shop.path).cleaned  # whoever opens the workspace next notes the end of the job
    assert batch_jobs(shop, "g").set_index("JOB").loc["night", "STATUS"] == "CREATE FAILED"
    done = run(shop, source)
    assert 0 < done.resumed == state["tally"]["lines"] < LINES
    assert done.output.read_bytes() == whole.output.read_bytes()
    assert done.errors.read_bytes() == whole.errors.read_bytes()
    for name in ("lines", "answered", "failed", "unknown", "short", "coverage", "lengths"):
        assert getattr(done, name) == getattr(whole, name), name
    assert batch_jobs(shop, "g")["STATUS"].tolist() == ["ACTIVE", "ACTIVE"]


def test_a_full_disk_is_said_and_the_job_goes_on_once_there_is_room(shop: Workspace, tmp_path: Path):
    source = many(tmp_path / "in.jsonl", 20_000)
    whole = run(shop, source, "whole")
    assert whole.output.stat().st_size > 900_000
    process = started(shop, source, 900_000)
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 2
    assert "could not be written: File too large" in said
    assert "run the same job again: it goes on from there" in said
    row = batch_jobs(shop, "g").set_index("JOB").loc["night"]
    assert row["STATUS"] == "CREATE FAILED"
    assert "File too large" in row["FAILURE_REASON"]
    done = run(shop, source)
    assert 0 < done.resumed < 20_000
    assert done.output.read_bytes() == whole.output.read_bytes()


def test_two_processes_do_not_run_one_job(shop: Workspace, tmp_path: Path):
    source = many(tmp_path / "in.jsonl", LINES)
    process = started(shop, source)
    try:
        out = shop.path / "g" / "batch" / "night" / "out.jsonl"
        while not out.exists():
            assert process.poll() is None
            time.sleep(0.001)
        with pytest.raises(BatchError, match="Another process runs batch job 'night' now"):
            run(shop, source)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_tables_go_on_at_the_same_row(shop: Workspace, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch):
    import pandas as pd

    source = tmp_path / f"in.{kind}"
    frame = pd.DataFrame({"userId": [f"{'ann' if number % 3 else 'cem'}" for number in range(5_000)]})
    frame.to_csv(source, index=False) if kind == "csv" else frame.to_parquet(source, row_group_size=1_500)
    whole = run(shop, source, "whole", out_format=kind)
    monkeypatch.setattr(batch_job, "SYNC", 0.0)
    monkeypatch.setattr(batch_job.BatchJob, "_sync", _breaks_after(2, batch_job.BatchJob._sync))
    with pytest.raises(RuntimeError, match="the power went"):
        run(shop, source, out_format=kind)
    monkeypatch.undo()
    done = run(shop, source, out_format=kind)
    assert (done.resumed, done.lines) == (4_096, 5_000)
    assert done.output.read_bytes() == whole.output.read_bytes()


def test_a_damaged_job_is_refused(shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = many(tmp_path / "in.jsonl", 5_000)
    monkeypatch.setattr(batch_job, "SYNC", 0.0)
    monkeypatch.setattr(batch_job.BatchJob, "_sync", _breaks_after(1, batch_job.BatchJob._sync))
    with pytest.raises(RuntimeError):
        run(shop, source)
    monkeypatch.undo()
    folder = shop.path / "g" / "batch" / "night"
    (folder / "out.jsonl").write_text("")
    with pytest.raises(BatchError, match="has 0 bytes; .* were written.*restart=True"):
        run(shop, source)
    (folder / "job.json").write_text("{}")
    with pytest.raises(BatchError, match=r"job.json cannot be read.*restart=True"):
        run(shop, source)
    assert run(shop, source, restart=True).lines == 5_000


def test_memory_does_not_grow_with_the_input(shop: Workspace, tmp_path: Path):
    peaks = []
    for count in (20_000, 200_000):
        source = many(tmp_path / f"{count}.jsonl", count)
        tracemalloc.start()
        done = run(shop, source, f"job-{count}", num_results=1, exclude_seen=False, live=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert done.lines == count
    assert peaks[1] < peaks[0] * 1.2 + 1_000_000


def test_long_lines_fill_no_memory(shop: Workspace, tmp_path: Path):
    peaks = []
    for count in (12, 60):
        source = tmp_path / f"long-{count}.jsonl"
        filler = "x" * 900_000
        with source.open("w") as file:
            for number in range(count):
                file.write(f'{{"userId":"ann","{filler}' + ("\n" if number % 2 else '":1}\n'))
            file.write('{"userId":"ann"}\n')
        tracemalloc.start()
        done = run(shop, source, f"long-{count}", num_results=1, live=False)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert (done.lines, done.answered) == (count + 1, 1)
    assert peaks[1] < peaks[0] * 1.2


def test_blocks_end_by_number_and_by_length(monkeypatch: pytest.MonkeyPatch):
    def lines(*lengths):
        return [Record(place, "x" * length, None, "", Position()) for place, length in enumerate(lengths)]

    monkeypatch.setattr(batch_job, "BLOCK", 3)
    monkeypatch.setattr(batch_job, "BLOCK_CHARS", 10)
    cut = [[len(each.text) for each in block] for block in batch_job.blocks(lines(1, 1, 1, 1, 9, 20, 4, 5, 1, 2))]
    assert cut == [[1, 1, 1], [1, 9], [20], [4, 5, 1], [2]]
    assert list(batch_job.blocks([])) == []


def _breaks_after(times: int, sync: Callable) -> Callable:
    """The real sync, and an error behind the last of so many."""
    left = iter(range(times))

    def broken(self, *given):
        done = sync(self, *given)
        if next(left) == times - 1:
            raise RuntimeError("the power went")
        return done

    return broken


def test_live_events_between_two_runs_are_taken_in_and_said(
    shop: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    source = many(tmp_path / "in.jsonl", 5_000)
    monkeypatch.setattr(batch_job, "SYNC", 0.0)
    monkeypatch.setattr(batch_job.BatchJob, "_sync", _breaks_after(1, batch_job.BatchJob._sync))
    with pytest.raises(RuntimeError):
        run(shop, source)
    monkeypatch.undo()
    live = LiveEvents(shop.path, "g")
    live.put_items([{"itemId": "e", "properties": {"genres": "Drama"}}])
    live.put_events("s1", [{"eventType": "watch", "itemId": "d", "sentAt": 200}], user_id="ann")
    live.close()
    done = run(shop, source)
    assert (done.resumed, done.lines, done.items) == (2_048, 5_000, 5)
    (said,) = done.notices
    assert "Live events went from number 0 to 2 between two runs" in said
    assert "from line 2,049 on" in said
    last = [json.loads(line) for line in done.output.read_text().splitlines()]
    items = [each["output"]["recommendedItems"] for each in last if each["input"]["userId"] == "ann"]
    assert "d" in items[0]
    assert "d" not in items[-1]
