"""What the checks found, in sentences that are true for any data."""

import json

import pandas as pd

from workbench.columns import RECIPE
from workbench.data.insights import Insights


def verdict(found: Insights) -> str:
    """One sentence: how many findings of which severity, or that the data is fine."""
    counts = found.findings["SEVERITY"].value_counts()
    blocks, warnings, notes = (int(counts.get(name, 0)) for name in ("blocks", "warning", "info"))
    looked = f"{len(found.checked)} checks looked at {len(found.statistics)} dataset(s)"
    if not len(found.findings):
        return f"**The data is fine:** {looked} and found nothing."
    return (
        f"**{_many(blocks, 'finding')} blocking training, {_many(warnings, 'warning')}, {_many(notes, 'note')}:** "
        f"{looked}. A check that is not listed found nothing, so that part of the data is fine."
    )


def reading(found: Insights, mended: Insights | None = None) -> str:
    """Three sentences for the end of a notebook.

    Args:
        found: before mending.
        mended: after mending; None when nothing was mended.
    """
    last = mended or found
    ready = last.readiness.groupby("VERDICT")[RECIPE].agg(", ".join)
    parts = [f"**{state}:** {ready[state]}" for state in ("ready", "ready, with care", "not ready") if state in ready]
    first = f"Recipes by verdict are {'; '.join(parts)}."
    serious = last.findings[last.findings["SEVERITY"] != "info"]
    if len(serious):
        top = serious.iloc[0]
        second = f"The first thing to look at is `{top['CHECK']}`: {_code(top['MESSAGE'])}"
    else:
        second = "No finding is more than a note, so nothing has to be mended first."
    if mended is None:
        steps = int((found.findings["STEP"] != "").sum())
        third = (
            f"{_many(steps, 'finding')} can be mended by a flow step: name the checks in `mends` and run again to see "
            "the difference; the others need the source."
        )
    else:
        before, after = (int((each.findings["SEVERITY"] != "info").sum()) for each in (found, mended))
        third = f"The chosen mends took the blocking findings and warnings from {before} to {after}."
    return f"{first}\n\n{second}\n\n{third}"


def readable(findings: pd.DataFrame) -> pd.DataFrame:
    """The findings table for a reader: severity, check and place, meaning, number and threshold, mend."""
    # An empty frame maps to no type at all, so text is said to be text.
    place = findings["DATASET"] + findings["COLUMN"].map(lambda name: f" · {name}" if name else "").astype("str")
    rounded = findings["NUMBER"].map(lambda number: f"{number:,.4g}" if abs(number) < 1e4 else f"{number:,.0f}")
    return pd.DataFrame(
        {
            "SEVERITY": findings["SEVERITY"].replace({"info": "note"}) + (" " + findings["BLOCKS"]).str.rstrip(),
            "FINDING": findings["CHECK"] + " in " + place,
            "WHAT IT MEANS": findings["MESSAGE"],
            "MEASURED": rounded.astype("str") + " " + findings["UNIT"] + " (border: " + findings["THRESHOLD"] + ")",
            "MENDED BY": findings["STEP"].map(_mend).astype("str"),
        }
    )


def steps(findings: pd.DataFrame) -> pd.DataFrame:
    """The flow steps that mend findings, whole: DATASET, CHECK, STEP (JSON, as a flow takes it)."""
    return findings.loc[findings["STEP"] != "", ["DATASET", "CHECK", "STEP"]].drop_duplicates(["DATASET", "STEP"])


def _mend(step: str) -> str:
    if not step:
        return "–"
    found = json.loads(step)
    return f"{found['step']}: {found['why']}"


def _many(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _code(words: str) -> str:
    """Keep text from data from being read as Markdown or HTML."""
    return words.replace("\\", "\\\\").replace("<", "&lt;").replace("*", r"\*").replace("_", r"\_").replace("|", r"\|")
