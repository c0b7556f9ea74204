"""A finished tuning in words: what the study did and how it ended."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.show.tables import text

NOTES = {
    "trials_of_this_run": "trials of this run",
    "seconds": "seconds spent on them",
    "stopped": "why the search stopped",
    "processes": "trials at a time",
    "lost_processes": "processes that ended before their time",
    "pruned_trials": "trials of the study ended early because they fell behind",
    "failed_trials": "trials of the study that failed, and why",
    "killed_trials": "trials cut off in an earlier run, now marked as failed",
    "best_is_default": "the defaults are the best setting found",
    "users_that_choose": "users who choose the best setting",
    "users_that_report": "users set aside, who judge it",
    "widened_ranges": "ranges widened to hold the default",
}


def note_table(notes: Mapping[str, Any]) -> pd.DataFrame:
    """WHAT and VALUE of everything a study noted, in the order in which a reader asks; nothing is left out.

    Args:
        notes: of `recipes.tuning.Tuning`; a note without words of its own keeps its name, with blanks.
    """
    order = [key for key in NOTES if key in notes] + [key for key in notes if key not in NOTES]
    rows = [(NOTES.get(key, key.replace("_", " ")), _said(notes[key])) for key in order]
    return pd.DataFrame(rows, columns=["WHAT", "VALUE"])


def _said(value: Any) -> str:
    if isinstance(value, list | tuple):
        return "; ".join(map(str, value)) or "none"
    return text(value)
