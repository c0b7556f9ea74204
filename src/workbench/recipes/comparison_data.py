"""The tables of a comparison: a dataset group, a sample, or any log straight from a file."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from workbench.columns import INTERACTIONS, ITEM_ID, ITEMS, TIMESTAMP, USER_ID, USERS
from workbench.data.samples import SAMPLES, ensure_group, require_source
from workbench.data.sources import open_source
from workbench.data.workspace import Workspace
from workbench.errors import RecipeError, nearest
from workbench.recipes.contract import TrainingData
from workbench.recipes.training_data import read_tables
from workbench.recipes.tuning_study import hash_events

# Names that logs commonly use; a match is reported, and `columns` overrules it.
USUAL_NAMES = {
    USER_ID: ("user_id", "userid", "user", "uid", "customer_id", "household_id", "visitorid", "session_id"),
    ITEM_ID: ("item_id", "itemid", "item", "iid", "product_id", "movie_id", "movieid", "sid", "asin"),
    TIMESTAMP: ("timestamp", "time", "ts", "unix_timestamp", "event_time", "datetime", "date"),
}


@dataclass(frozen=True)
class ComparisonData:
    """What a comparison runs on.

    data: interactions in the source's order, with TIMESTAMP; items and users where there are any.
    test: the held-out events of a published split, or None.
    notes: what was recognised, renamed or made up, one sentence each.
    hash: identifies the interactions; a dataset group's is that of its dataset version.
    """

    data: TrainingData
    test: pd.DataFrame | None
    notes: list[str]
    hash: str


def read_comparison(
    workspace: Workspace,
    source: str,
    *,
    items: str = "",
    users: str = "",
    test_source: str = "",
    columns: Mapping[str, str] | None = None,
    options: Mapping[str, Any] | None = None,
    progress: bool = False,
) -> ComparisonData:
    """Read the tables of a comparison.

    Args:
        workspace: where dataset groups are; a sample is prepared in it when its name is asked for the first time.
        source: a dataset group, a sample, or whatever `open_source` opens: a file, folder, URL or database.
        items, users: files with one row per id; "" takes the group's own, or none for a file.
        test_source: file with the held-out events of a published split; "" for none.
        columns: the files' column name to ours, such as {"movie": "ITEM_ID"}; names that no file has are an error.
        options: how to read the files where they do not say it themselves, such as {"header": False, "names": [...]}.
        progress: show a bar while a sample is prepared.

    Returns:
        The tables. A log without times gets the number of its rows as TIMESTAMP, and the notes say so.

    Raises:
        RecipeError: a table lacks its id column, or `columns` names one that no file has.
        SourceError, WorkspaceError: a file, group or sample cannot be read.
    """
    reader = _Reader(dict(columns or {}), dict(options or {}))
    groups = workspace.groups()["GROUP"].tolist()
    require_source(source, groups)
    if source in SAMPLES or source in groups:
        ensure_group(workspace, source, progress=progress)
        versions = workspace.training_data(source)
        own, identity = read_tables(versions), versions[INTERACTIONS].hash
    else:
        own = TrainingData(reader.read(source, INTERACTIONS, (USER_ID, ITEM_ID)))
        identity = hash_events(own.interactions)
    data = TrainingData(
        own.interactions,
        reader.read(items, ITEMS, (ITEM_ID,)) if items else own.items,
        reader.read(users, USERS, (USER_ID,)) if users else own.users,
    )
    test = reader.read(test_source, "test events", (USER_ID, ITEM_ID)) if test_source else None
    reader.refuse_unused()
    return ComparisonData(data, test, reader.notes, identity)


class _Reader:
    """Reads files with one mapping of columns, and remembers what it renamed."""

    def __init__(self, columns: dict[str, str], options: dict[str, Any]):
        self.columns, self.options = columns, options
        self.notes: list[str] = []
        self._present: set[str] = set()

    def read(self, source: str, kind: str, needed: tuple[str, ...]) -> pd.DataFrame:
        """Read one file into a frame whose id columns are text."""
        present = list(open_source(source, options=self.options).table.columns)
        self._present |= set(present)
        names = {name: ours for name, ours in self.columns.items() if name in present}
        wanted = (*needed, TIMESTAMP) if USER_ID in needed and ITEM_ID in needed else needed
        guessed = _usual(present, names, wanted)
        if guessed:
            renamed = ", ".join(f"{name!r} as {ours}" for name, ours in guessed.items())
            self.notes.append(f"{source}: took {renamed}; say otherwise with `columns`.")
        opened = open_source(source, columns=names | guessed, options=self.options)
        frame = opened.table.to_pandas()
        for column in needed:
            if column not in frame:
                raise RecipeError(
                    f"{source} ({kind}) has no column {column}; found {present}. "
                    f"Map one with columns={{'its name': '{column}'}}."
                )
        self.notes += [f"{source}: {note}" for note in opened.notes]
        if TIMESTAMP in wanted and TIMESTAMP not in frame:
            self.notes.append(f"{source} has no times: the order of its rows is taken as the order of events.")
            frame = frame.assign(**{TIMESTAMP: np.arange(len(frame), dtype=np.int64)})
        return frame.astype({column: "str" for column in needed})

    def refuse_unused(self) -> None:
        """Raise when `columns` names a column that no file has: a misspelt name would change nothing, in silence."""
        for name in self.columns:
            if name not in self._present:
                raise RecipeError(f"columns names {name!r}, which no file has.{nearest(name, self._present)}")


def _usual(present: list[str], mapped: Mapping[str, str], wanted: tuple[str, ...]) -> dict[str, str]:
    """Find columns by their usual names, one each and only where nothing else was said."""
    taken = set(present) - set(mapped) | set(mapped.values())
    found = {}
    for ours in wanted:
        if ours in taken:
            continue
        folded = {name.split(":")[0].casefold(): name for name in present if name not in mapped}
        match = next((folded[usual] for usual in USUAL_NAMES[ours] if usual in folded), None)
        if match:
            found[match] = ours
    return found
