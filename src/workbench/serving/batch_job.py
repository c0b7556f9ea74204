"""Runs one batch job in its folder: block after block, each written for good before the next is counted on."""

import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from workbench.data.atomic import BROKEN
from workbench.errors import BatchError
from workbench.serving.batch_answers import Answers
from workbench.serving.batch_formats import RANKINGS, Asked, LineError, asked_of
from workbench.serving.batch_input import BatchInput
from workbench.serving.batch_output import JSON_LINES, LineWriter, error_line, write_table
from workbench.serving.batch_progress import Progress
from workbench.serving.batch_records import Record

BLOCK = 2_048  # lines answered together at most; blocks begin at the same lines in every run
BLOCK_CHARS = 4_000_000  # a block ends with the line that reaches so many characters, so long lines fill no memory
SYNC = 1.0  # seconds after which what was written is synced and counted on
OUT, ERRORS, STATE = "out.jsonl", "errors.jsonl", "job.json"


def output_path(folder: Path, out_format: str) -> Path:
    """Where a job's output lies."""
    return folder / f"out.{out_format}"


def blocks(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Cut lines into blocks that are answered together, by their number and their length."""
    block, chars = [], 0
    for record in records:
        block.append(record)
        chars += len(record.text)
        if len(block) == BLOCK or chars >= BLOCK_CHARS:
            yield block
            block, chars = [], 0
    if block:
        yield block


class BatchJob:
    """One job at work; its folder is its own."""

    def __init__(self, folder: Path, source: BatchInput, answers: Answers, progress: Progress):
        """Take over what the job has come to.

        Args:
            folder: of the job; it exists.
            source: all of the input.
            answers: ready for its lines.
            progress: where to go on; changed as the job goes on.
        """
        self.folder, self.source, self.answers, self.progress = folder, source, answers, progress
        self._writer = LineWriter(answers.kind, answers.served.snapshot.items.ids)
        self._wanted = progress.settings["num_results"]

    def run(self, bar: bool) -> None:
        """Answer what is left of the input, and write the output's table.

        Raises:
            BatchError: the disk is full or broken, the files were changed from outside, or no line has an answer.
        """
        with self._disk():
            self._answer_lines(bar)
        tally = self.progress.tally
        if not tally.answered:
            first = _first_error(self.folder / ERRORS)
            raise BatchError(
                f"None of the {tally.lines:,} lines of {self.source.source} has an answer{first}. "
                f"Mend the input and begin anew with restart=True."
            )
        with self._disk():
            kind = self.progress.settings["out_format"]
            if kind != JSON_LINES:
                write_table(self.folder / OUT, output_path(self.folder, kind), kind)
            self.progress.finished = True
            self.progress.write(self.folder / STATE)
            if kind != JSON_LINES:
                (self.folder / OUT).unlink()

    def _answer_lines(self, bar: bool) -> None:
        progress, source = self.progress, self.source
        records = source.records(progress.position)
        with ExitStack() as stack:
            out = stack.enter_context(_opened(self.folder / OUT, progress.out))
            errors = stack.enter_context(_opened(self.folder / ERRORS, progress.errors))
            begun = source.read_bytes(progress.position)
            shown = stack.enter_context(
                tqdm(total=source.bytes, initial=begun, unit="B", unit_scale=True, desc="batch", disable=not bar)
            )
            synced = time.monotonic()
            for block in blocks(records):
                lines, problems = self._block(block)
                progress.out += _write(out, lines)
                progress.errors += _write(errors, problems)
                progress.position = block[-1].after
                shown.update(source.read_bytes(progress.position) - shown.n)
                if time.monotonic() - synced > SYNC:
                    synced = self._sync(out, errors, synced)
            self._sync(out, errors, synced)

    def _block(self, records: Sequence[Record]) -> tuple[bytes, bytes]:
        """Answer a block; gives the output's lines and those of the errors."""
        asked: list[Asked] = []
        problems: dict[int, str] = {}
        blank = 0
        for place, record in enumerate(records):
            if record.blank:
                blank += 1
            elif record.problem:
                problems[place] = record.problem
            else:
                try:
                    asked.append(
                        asked_of(self.answers.kind, place, record.text, record.document, self.answers.has_filter)
                    )
                except LineError as error:
                    problems[place] = str(error)
        answered, failed = self.answers.answer(asked)
        problems |= {each.place: problem for each, problem in failed}
        tally = self.progress.tally
        tally.lines += len(records) - blank
        tally.blank += blank
        tally.failed += len(problems)
        tally.unknown += answered.unknown
        ranked = self.answers.kind == RANKINGS
        wanted = np.array([len(each.items) for each in answered.asked], dtype=np.int64) if ranked else self._wanted
        tally.add(answered.lengths, answered.codes, wanted)
        said = "".join(
            error_line(self.source.paths[record.after.file].name, record.number, record.text, problems[place])
            for place, record in ((each, records[each]) for each in sorted(problems))
        )
        return self._writer.lines(answered), said.encode()

    def _sync(self, out: int, errors: int, since: float) -> float:
        """Make what was written safe, then say in job.json that it counts."""
        os.fsync(out)
        os.fsync(errors)
        now = time.monotonic()
        self.progress.seconds += now - since
        self.progress.write(self.folder / STATE)
        return now

    @contextmanager
    def _disk(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in BROKEN:
                raise
            free = shutil.disk_usage(self.folder).free / 1e6
            raise BatchError(
                f"The output of the job could not be written: {error.strerror}; {free:,.1f} MB are free in "
                f"{self.folder}. What was answered before stays. Make room, or mend the disk, and run the same job "
                "again: it goes on from there."
            ) from error


@contextmanager
def _opened(path: Path, size: int) -> Iterator[int]:
    """Open a file for writing behind its first `size` bytes; what came after them is written anew."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        found = os.fstat(handle).st_size
        if found < size:
            raise BatchError(
                f"{path} has {found:,} bytes; {size:,} were written. It was changed from outside. "
                "Begin the job anew with restart=True."
            )
        os.ftruncate(handle, size)
        os.lseek(handle, 0, os.SEEK_END)
        yield handle
    finally:
        os.close(handle)


def _write(handle: int, content: bytes) -> int:
    """Write all of it; gives how many bytes."""
    left = memoryview(content)
    while left:
        left = left[os.write(handle, left) :]
    return len(content)


def _first_error(path: Path) -> str:
    with path.open(encoding="utf-8") as file:
        first = file.readline(2_000).strip()
    return f"; the first: {first}" if first else ": there are none"
