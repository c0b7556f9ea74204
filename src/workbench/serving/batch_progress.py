"""How far a batch job has come: what it was asked, what is written for good, and what came of it so far."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

import numpy as np

from workbench.data.atomic import write_text
from workbench.errors import BatchError
from workbench.serving.batch_records import Position

LAYOUT = 1  # of job.json


@dataclass
class Tally:
    """Counts of a job.

    lines: read, without blank ones; failed: of them, those in the errors file.
    blank: lines with nothing in them.
    unknown: answered lines about somebody, or something, of whom nothing is known, so that popular items came.
    short: answered lines with fewer items than asked for.
    lengths: items in a list to how many lists.
    seen: (n,) bool by item code, which items were listed.
    """

    seen: np.ndarray
    lines: int = 0
    failed: int = 0
    blank: int = 0
    unknown: int = 0
    short: int = 0
    lengths: dict[int, int] = field(default_factory=dict)

    @property
    def coverage(self) -> int:
        """Different items listed."""
        return int(np.count_nonzero(self.seen))

    @property
    def answered(self) -> int:
        """Lines with a list."""
        return self.lines - self.failed

    def add(self, lengths: np.ndarray, codes: np.ndarray, wanted: Iterable[int] | int) -> None:
        """Count lists.

        Args:
            lengths: (lists,) items in each.
            codes: of all their items, -1 for unknown ones.
            wanted: how many were asked for, of all or of each.
        """
        self.seen[codes[codes >= 0]] = True
        self.short += int(np.count_nonzero(lengths < np.asarray(wanted)))
        for length, count in zip(*np.unique(lengths, return_counts=True), strict=True):
            self.lengths[int(length)] = self.lengths.get(int(length), 0) + int(count)

    def widen(self, items: int) -> None:
        """Make room for items that came since."""
        self.seen = np.concatenate([self.seen, np.zeros(max(0, items - len(self.seen)), dtype=bool)])

    def counts(self) -> dict[str, Any]:
        """All but which items: what the catalogue lists."""
        names = ("lines", "answered", "failed", "blank", "unknown", "short", "coverage")
        lengths = {str(length): self.lengths[length] for length in sorted(self.lengths)}
        return {name: getattr(self, name) for name in names} | {"items": len(self.seen), "lengths": lengths}

    def to_json(self) -> dict[str, Any]:
        """Everything, the items as packed bits."""
        return self.counts() | {"seen": base64.b64encode(np.packbits(self.seen).tobytes()).decode()}

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Self:
        """Read it back."""
        bits = np.frombuffer(base64.b64decode(document["seen"]), dtype=np.uint8)
        seen = np.unpackbits(bits, count=document["items"]).astype(bool)
        lengths = {int(length): count for length, count in document["lengths"].items()}
        names = ("lines", "failed", "blank", "unknown", "short")
        return cls(seen, **{name: document[name] for name in names}, lengths=lengths)


@dataclass
class Progress:
    """What job.json holds.

    settings: how the job was asked for; input: its files' names, sizes and hashes.
    campaign: name, revision, solution, version and recipe that answer.
    now: epoch seconds that filters take for the time.
    live: sequence number of the newest live event when the job began; 0 without.
    position: up to where the input is answered; out, errors: bytes of the two files that belong to it.
    seconds: spent so far. finished: whether the output is whole. notices: what should be known.
    """

    settings: dict[str, Any]
    input: list[dict[str, Any]]
    campaign: dict[str, Any]
    now: int
    live: int
    tally: Tally
    position: Position = Position()  # noqa: RUF009 - a tuple, never changed
    out: int = 0
    errors: int = 0
    seconds: float = 0.0
    finished: bool = False
    notices: list[str] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Replace the file in one step, synced."""
        known = asdict(self) | {"layout": LAYOUT, "tally": self.tally.to_json(), "position": self.position._asdict()}
        write_text(path, json.dumps(known, ensure_ascii=False, indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read it back.

        Raises:
            BatchError: it is damaged, or another version of the workbench wrote it.
        """
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            if found.pop("layout") != LAYOUT:
                raise ValueError("another version of the workbench wrote it")
            tally, position = Tally.from_json(found.pop("tally")), Position(**found.pop("position"))
            return cls(**found, tally=tally, position=position)
        except (ValueError, KeyError, TypeError) as error:
            raise BatchError(f"{path} cannot be read: {error}. Begin the job anew with restart=True.") from error

    def require_same(
        self, settings: Mapping[str, Any], files: list[dict[str, Any]], campaign: Mapping[str, Any]
    ) -> None:
        """Refuse to go on with a job that was asked for otherwise.

        Raises:
            BatchError: names what differs, as it was and as it is.
        """
        differing = [
            f"{name} was {self.settings.get(name)!r:.200} and is {value!r:.200}"
            for name, value in settings.items()
            if self.settings.get(name) != value
        ]
        before, after = ({each["name"]: each for each in some} for some in (self.input, files))
        for name in dict.fromkeys([*before, *after]):
            if before.get(name) != after.get(name):
                how = "is gone" if name not in after else "is new" if name not in before else "has changed"
                differing.append(f"input file {name!r} {how}")
        if [each["name"] for each in self.input] != [each["name"] for each in files] and not differing:
            differing.append("the input files come in another order")
        differing += [
            f"the campaign's {name} was {self.campaign.get(name)!r} and is {value!r}"
            for name, value in campaign.items()
            if self.campaign.get(name) != value
        ]
        if differing:
            state = "finished" if self.finished else f"{self.tally.lines:,} lines on"
            raise BatchError(
                f"The job is {state} and was asked for otherwise: {'; '.join(differing)}. Its lists would be of two "
                "kinds. Run it as it was, give this one another job name, or begin anew with restart=True."
            )
