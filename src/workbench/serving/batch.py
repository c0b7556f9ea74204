"""Batch jobs: lists for all lines of an input, in Personalize's JSON Lines or as tables, resumable after a kill."""

import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.data import catalogue
from workbench.data.atomic import disk_errors, is_live, stage
from workbench.data.catalogue import ACTIVE, CATALOG, FAILED, IN_PROGRESS, Catalogue
from workbench.data.catalogue_reader import BATCH, CatalogueReader
from workbench.data.names import require_name
from workbench.errors import BatchError, WorkspaceError
from workbench.records import plain
from workbench.serving.batch_answers import Answers
from workbench.serving.batch_formats import RANKINGS, require_batch_kind
from workbench.serving.batch_input import BatchInput
from workbench.serving.batch_job import ERRORS, OUT, STATE, BatchJob, output_path
from workbench.serving.batch_output import require_out_format
from workbench.serving.batch_progress import Progress, Tally
from workbench.serving.campaign_records import require_group
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender
from workbench.serving.snapshot import Snapshot

if TYPE_CHECKING:
    import pandas as pd

    from workbench.data.workspace import Workspace

JOBS = "batch"  # folder in a dataset group's
COUNTS = ("lines", "answered", "failed", "blank", "unknown", "short", "coverage", "items")


@dataclass(frozen=True)
class BatchResult:
    """What a job came to.

    output, errors: its files; an error is {"file", "line", "input", "error"}.
    lines: read, without blank ones; answered, failed: of them; blank: lines with nothing in them.
    unknown: answered lines of whom or what nothing is known, so that popular items came.
    short: answered lines with fewer items than asked for. lengths: items in a list to how many lists.
    coverage: different items listed; items: in the catalogue.
    resumed: lines that were done before this call. seconds: of all calls together.
    notices: what should be known.
    """

    output: Path
    errors: Path
    lines: int
    answered: int
    failed: int
    blank: int
    unknown: int
    short: int
    coverage: int
    items: int
    lengths: Mapping[int, int]
    resumed: int
    seconds: float
    notices: tuple[str, ...]


def run_batch(
    workspace: "Workspace",
    group: str,
    job: str,
    campaign: str,
    source: str | Path,
    *,
    kind: str = "users",
    num_results: int = 25,
    filter: str | None = None,
    filter_values: Mapping[str, Any] | None = None,
    exploration_weight: float | None = None,
    exclude_seen: bool | None = None,
    seed: int = 0,
    out_format: str = "jsonl",
    live: bool = True,
    progress: bool = True,
    restart: bool = False,
) -> BatchResult:
    """Answer every line of an input with a campaign; each list is the one that real time gives for the same seed.

    The input is read, and the output written, in blocks, so its length does not matter to memory. A line that cannot
    be answered goes to the errors file, and the rest goes on. After a kill, a full disk or any other end before the
    last line the same call goes on where it was, and the output is the one of a run without a break. A finished job is
    not run again.

    Args:
        workspace, group, campaign: what answers.
        job: its name; output, errors and progress lie in <workspace>/<group>/batch/<job>.
        source: a file, a pattern, or a folder of JSON Lines, CSV or Parquet (by their endings).
        kind: "users" ({"userId"}), "rankings" ({"userId", "itemList"}) or "related" ({"itemId"}).
        num_results: places of a list; a ranking holds what it is given.
        filter: the name of one or an expression; filter_values: for its parameters, unless a line has its own
            "filterValues", which are put in their place one by one.
        exploration_weight, exclude_seen: None takes the campaign's.
        seed: of exploration; a user's draws are those of a real-time request with the same seed.
        out_format: "jsonl", "csv" or "parquet".
        live: False leaves live events, items and users out.
        progress: show a bar.
        restart: throw away what the job has come to, and begin anew.

    Raises:
        BatchError: the input cannot be read, no line has an answer, the disk is full, another process runs this job,
            or it was begun with other input, settings or campaign revision (names what differs).
        ServingError, FilterError: the campaign or the request is not as needed.
    """
    require_name("batch job", job)
    require_batch_kind(kind)
    require_out_format(out_format)
    _refuse_for_rankings(kind, exploration_weight, exclude_seen)
    files = BatchInput(source, kind)
    folder = workspace.path / group / JOBS / job
    with (
        closing(open_campaign(workspace.path, group, campaign, live=live)) as deployment,
        closing(Catalogue(workspace.path / CATALOG)) as book,
        stage(workspace.path) as held,
    ):
        recommender = Recommender(deployment, log=False)
        served = recommender.served()
        fields = {
            "num_results": num_results,
            "filter": filter,
            "filter_values": dict(filter_values or {}),
            "exploration_weight": exploration_weight,
            "exclude_seen": exclude_seen,
            "seed": seed,
        }
        asked = fields | {"kind": kind, "out_format": out_format, "live": live}
        new = _begun(recommender, served.snapshot, files, asked)
        with book.writing() as connection:
            row = next(iter(catalogue.find(connection, kind=BATCH, group=group, name=job)), None)
            _refuse_busy(workspace.path, row, job)
            now = _continued(folder, new, restart)
            answers = Answers(recommender, served, kind, fields | {"timestamp": now.now})
            done = {"status": ACTIVE if now.finished else IN_PROGRESS, "failure_reason": None, "config": _config(now)}
            done |= {"token": None if now.finished else held.token, "facts": _facts(now)}
            place = folder.relative_to(workspace.path).as_posix()
            if row is None:
                number = catalogue.add(connection, kind=BATCH, group=group, name=job, path=place, **done)
            else:
                number = row["id"]
                catalogue.change(connection, number, **done)
        resumed = now.tally.lines
        if not now.finished:
            now.notices = list(dict.fromkeys([*now.notices, *answers.plan.notices]))
            _work(book, number, BatchJob(folder, files, answers, now), progress)
        return _result(folder, now, resumed)


def batch_jobs(workspace: "Workspace", group: str) -> "pd.DataFrame":
    """The batch jobs of a group.

    Returns:
        JOB, STATUS, FAILURE_REASON, CAMPAIGN, REVISION, KIND, LINES, ANSWERED, FAILED, BLANK, UNKNOWN, SHORT,
        COVERAGE, ITEMS (see `BatchResult`), SECONDS, OUTPUT (path), UPDATED (ISO, UTC).
    """
    import pandas as pd

    book = CatalogueReader(workspace.path / CATALOG)
    require_group(book, group)
    rows = []
    for row in book.rows(kind=BATCH, group=group):
        facts, config = row["facts"], row["config"]
        rows.append(
            {
                "JOB": row["name"],
                "STATUS": row["status"],
                "FAILURE_REASON": row["failure_reason"],
                "CAMPAIGN": config["campaign"]["name"],
                "REVISION": config["campaign"]["revision"],
                "KIND": config["settings"]["kind"],
                **{name.upper(): facts.get(name) for name in COUNTS},
                "SECONDS": facts.get("seconds"),
                "OUTPUT": str(output_path(workspace.path / row["path"], config["settings"]["out_format"])),
                "UPDATED": row["updated"],
            }
        )
    names = ["JOB", "STATUS", "FAILURE_REASON", "CAMPAIGN", "REVISION", "KIND", *map(str.upper, COUNTS)]
    return pd.DataFrame(rows, columns=[*names, "SECONDS", "OUTPUT", "UPDATED"], dtype=object)


def _begun(recommender: Recommender, snapshot: Snapshot, files: BatchInput, asked: dict[str, Any]) -> Progress:
    """A job that has not done anything yet."""
    live = recommender.deployment.live
    named = asked["filter"]
    text = recommender.resolve(named)[1] if isinstance(named, str) else None
    answering = {name: getattr(snapshot, name) for name in ("campaign", "revision", "solution", "version")}
    return Progress(
        settings=plain(asked | {"filter_text": text}),
        input=files.fingerprint(),
        campaign={"name": answering.pop("campaign"), **answering, "recipe": snapshot.recipe.name},
        now=int(time.time()),
        live=0 if live is None else live.position(),
        tally=Tally(np.zeros(len(snapshot.items), dtype=bool)),
    )


def _continued(folder: Path, new: Progress, restart: bool) -> Progress:
    """Where a job of this name has come to, checked against what is asked now; or the new one."""
    state = folder / STATE
    if restart or not state.exists():
        folder.mkdir(parents=True, exist_ok=True)
        for name in (STATE, OUT, ERRORS, "out.csv", "out.parquet"):
            (folder / name).unlink(missing_ok=True)
        new.write(state)
        return new
    old = Progress.read(state)
    old.require_same(new.settings, new.input, new.campaign)
    output = output_path(folder, old.settings["out_format"])
    if old.finished and not output.exists():
        raise BatchError(f"The job is finished, and its output {output} is gone. Begin anew with restart=True.")
    if not old.finished and old.live != new.live:
        old.notices.append(
            f"Live events went from number {old.live:,} to {new.live:,} between two runs of the job; lists from line "
            f"{old.tally.lines + 1:,} on take in the newer ones."
        )
        old.live = new.live
        old.tally.widen(len(new.tally.seen))
    return old


def _work(book: Catalogue, row: int, job: BatchJob, bar: bool) -> None:
    """Run a job, and note in the catalogue how it ended."""
    try:
        job.run(bar)
    except BaseException as error:
        reason = str(error) or f"It was interrupted ({type(error).__name__}). Run it again: it goes on from there."
        try:
            with disk_errors("the state of the job", book.path.parent):
                book.change(row, status=FAILED, failure_reason=reason, token=None, facts=_facts(job.progress))
        except WorkspaceError as full:
            error.add_note(f"The catalogue could not note it either: {full}")
        raise
    book.change(row, status=ACTIVE, failure_reason=None, token=None, facts=_facts(job.progress))


def _refuse_busy(root: Path, row: Mapping[str, Any] | None, job: str) -> None:
    if row is not None and row["token"] and is_live(root, row["token"]):
        raise BatchError(f"Another process runs batch job {job!r} now. Wait for it, or give this one another name.")


def _refuse_for_rankings(kind: str, weight: float | None, exclude_seen: bool | None) -> None:
    for name, value in (("exploration_weight", weight), ("exclude_seen", exclude_seen)):
        if kind == RANKINGS and value is not None:
            raise BatchError(f"{name} is {value!r}; a ranking holds the items of its line. Leave {name} out.")


def _config(now: Progress) -> dict[str, Any]:
    return {"settings": now.settings, "campaign": now.campaign, "input": now.input}


def _facts(now: Progress) -> dict[str, Any]:
    return now.tally.counts() | {"seconds": round(now.seconds, 3), "notices": now.notices}


def _result(folder: Path, now: Progress, resumed: int) -> BatchResult:
    return BatchResult(
        output=output_path(folder, now.settings["out_format"]),
        errors=folder / ERRORS,
        **{name: now.tally.counts()[name] for name in COUNTS},
        lengths=dict(sorted(now.tally.lengths.items())),
        resumed=resumed,
        seconds=now.seconds,
        notices=tuple(now.notices),
    )
