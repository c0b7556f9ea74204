"""What a comparison hands to other systems and keeps for them: its split, and the lists of its recipes."""

import errno
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd

from workbench.columns import ITEM_ID, USER_ID
from workbench.data.atomic import BROKEN, disk_errors
from workbench.evaluation.splits import Split
from workbench.records import dump, write_text

PARTS = ("train", "history", "held_out")
FACTS_FILE = "split.json"


def hash_split(split: Split) -> str:
    """Identify what is learned from and what is to be foretold, row order included: 16 hexadecimal digits."""
    found = hashlib.sha256()
    for part in (split.train, split.held_out):
        rows = part[[USER_ID, ITEM_ID]].astype("str").reset_index(drop=True)
        found.update(pd.util.hash_pandas_object(rows, index=True).to_numpy().tobytes())
    return found.hexdigest()[:16]


def write_split(split: Split, folder: str | Path) -> list[str]:
    """Write a split as Parquet files, so that any other system can learn from exactly the same events.

    Args:
        split: see `evaluation.splits`.
        folder: gets train.parquet (what may be learned from), history.parquet (the past of the held-out users),
            held_out.parquet (the truth: for scoring only) and split.json (name, counts and the split's hash). Rows are
            in time order, ties in the order of the source; all columns are kept. Files of the same name are replaced.

    Returns:
        The names of the files.

    Raises:
        WorkspaceError: the folder cannot be written, or the disk is full.
    """
    folder = Path(folder)
    names = [f"{part}.parquet" for part in PARTS]
    with _writing(f"the split in {folder}", folder):
        for part, name in zip(PARTS, names, strict=True):
            _write_table(getattr(split, part), folder / name)
        facts = {"name": split.name, "hash": hash_split(split), "notes": split.notes}
        write_text(folder / FACTS_FILE, dump(facts))
    return [*names, FACTS_FILE]


def write_lists(lists: pd.DataFrame, path: str | Path) -> Path:
    """Write the lists of several recipes as one Parquet file.

    Args:
        lists: RECIPE, USER_ID, ITEM_ID (text, exactly as they came), RANK from 1, SCORE, as `Comparison.asked_lists`.
        path: of the file; its folder is made when missing.

    Raises:
        WorkspaceError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    with _writing(f"the lists {path}", path.parent):
        _write_table(lists, path)
    return path


@contextmanager
def _writing(what: str, folder: Path) -> Iterator[None]:
    with disk_errors(what, folder, (*BROKEN, errno.ENOENT, errno.EEXIST)):
        folder.mkdir(parents=True, exist_ok=True)
        yield


def _write_table(table: pd.DataFrame, path: Path) -> None:
    beside = path.with_name(f"{path.name}.tmp")
    table.to_parquet(beside, index=False)
    beside.replace(path)
