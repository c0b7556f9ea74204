"""A dataset group to practise on: the newest events of a few people are held back, so that they can be put live.

What a campaign learned from then ends before those events; nothing of them is in the model that is to follow them.
"""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import INTERACTIONS, TIMESTAMP, USER_ID
from workbench.data.events_store import FOLDER
from workbench.data.samples import ensure_group
from workbench.data.versions import DatasetVersion
from workbench.data.workspace import Workspace
from workbench.errors import ServingError

HELD_BACK = "held_back"  # in the origin of every dataset version of such a group
SHOWN = 30  # characters of the source's name in the group's


@dataclass(frozen=True, eq=False)
class HeldBack:
    """A practice group and the events that it lacks.

    group: its name; made of the source's and of what was asked for, so that other answers are other groups.
    source: the group it was made from; source_hash: of its interactions.
    events: the rows held back, oldest first, with the columns of the source's interactions.
    people: their users, in the order of their first event here.
    rows: interactions that the practice group has.
    """

    group: str
    source: str
    source_hash: str
    events: pd.DataFrame
    people: tuple[str, ...]
    rows: int


def hold_back(
    workspace: Workspace, source: str, *, people: int = 3, events: int = 8, seed: int = 0, progress: bool = False
) -> HeldBack:
    """Make a practice group without the newest events of a few people, or find the one that an earlier call made.

    What was put live there and merged into it is cleared, so that the same events can be replayed again; campaigns and
    models stay. The source stays as it is.

    Args:
        workspace: where everything is.
        source: a dataset group that exists, or a sample's name, which is prepared then.
        people: how many, drawn among those with at least twice `events` events.
        events: newest ones of each that are held back.
        seed: of the draw.
        progress: show bars where a sample is prepared.

    Raises:
        WorkspaceError: neither a group nor a sample has the source's name.
        ServingError: too few people have so many events, or a group of the practice group's name is something else.
    """
    ensure_group(workspace, source, progress)
    datasets = {kind: version for kind, version in workspace.training_data(source).items() if version}
    log = datasets[INTERACTIONS].frame()
    held = _held(log, people, events, seed)
    parts = held[USER_ID].astype(str).drop_duplicates()
    mark = datasets[INTERACTIONS].hash[:6]
    group = f"{source[:SHOWN]}-replay-{people}x{events}-{seed}-{mark}"
    if group not in workspace.groups()["GROUP"].tolist():
        workspace.create_group(group, workspace.group(source)["domain"])
    _require_practice(workspace, group)
    shutil.rmtree(workspace.path / group / FOLDER, ignore_errors=True)
    told = {"source": source, HELD_BACK: {"people": people, "events": events, "seed": seed}}
    for kind, version in sorted(datasets.items(), key=lambda each: each[0] == INTERACTIONS):
        _write(workspace, group, kind, version, log.drop(index=held.index) if kind == INTERACTIONS else None, told)
    found = held.reset_index(drop=True)
    return HeldBack(group, source, datasets[INTERACTIONS].hash, found, tuple(parts), len(log) - len(held))


def _held(log: pd.DataFrame, people: int, events: int, seed: int) -> pd.DataFrame:
    """The newest events of drawn people, oldest first; the index is the log's."""
    for name, value in (("people", people), ("events", events)):
        if value < 1:
            raise ServingError(f"{name} must be at least 1, got {value}.")
    counts = log[USER_ID].value_counts()
    fit = np.sort(counts.index[counts >= 2 * events].to_numpy(dtype=object))
    if len(fit) < people:
        raise ServingError(
            f"{len(fit):,} of the {len(counts):,} people have the {2 * events:,} events that holding back {events:,} "
            f"needs, and {people:,} are asked for. Ask for fewer people or fewer events."
        )
    drawn = np.random.default_rng(seed).permutation(fit)[:people]
    ordered = log[log[USER_ID].isin(drawn)].sort_values(TIMESTAMP, kind="stable")
    return ordered.groupby(USER_ID, sort=False).tail(events)


def _require_practice(workspace: Workspace, group: str) -> None:
    """Refuse a group that somebody made for something else, before anything of it is cleared."""
    for kind, version in workspace.training_data(group).items():
        if version is not None and HELD_BACK not in workspace.dataset(group, kind, 1).origin:
            raise ServingError(
                f"The group {group!r} is there and is no practice group: its {kind} come from "
                f"{version.origin.get('source')!r}. Rename it, or use another seed."
            )


def _write(
    workspace: Workspace,
    group: str,
    kind: str,
    version: DatasetVersion,
    rows: pd.DataFrame | None,
    told: Mapping[str, Any],
) -> None:
    """Write a dataset unless the newest version is as it was made."""
    if workspace.has_dataset(group, kind) and HELD_BACK in workspace.dataset(group, kind).origin:
        return
    table = version.table() if rows is None else rows.reset_index(drop=True)
    workspace.write_dataset(group, kind, table, origin=dict(told))
