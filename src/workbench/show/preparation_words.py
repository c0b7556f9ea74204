"""What a preparation came to, in sentences and small tables for the notebook and its report."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from workbench.data.flow import FlowResult
from workbench.data.versions import DatasetVersion


def versions(stored: Mapping[str, tuple[DatasetVersion, bool]]) -> pd.DataFrame:
    """List the dataset versions of a run: DATASET, VERSION, ROWS, HASH, CREATED, STATE (new or unchanged)."""
    rows = [
        (kind, version.version, version.rows, version.hash[:12], str(version.created), "new" if new else "unchanged")
        for kind, (version, new) in stored.items()
    ]
    return pd.DataFrame(rows, columns=["DATASET", "VERSION", "ROWS", "HASH", "CREATED", "STATE"])


def no_difference(version: DatasetVersion, new: bool) -> str:
    """Say why there is no difference to show."""
    if new:
        return f"this is version {version.version}, the first one."
    return f"nothing changed since version {version.version}, so no new version was written."


def headline(prepared: Mapping[str, FlowResult]) -> list[dict[str, Any]]:
    """The numbers for the report's index page: rows of each dataset, and rows removed from the interactions."""
    numbers: list[dict[str, Any]] = [
        {"name": kind, "value": _rows(result), "unit": "rows"} for kind, result in reversed(prepared.items())
    ]
    if "interactions" in prepared:
        removed = int(prepared["interactions"].record["ROWS_REMOVED"].sum())
        numbers.insert(1, {"name": "interactions removed", "value": removed, "unit": "rows"})
    return numbers


def verdict(
    group: str,
    prepared: Mapping[str, FlowResult],
    versions: Mapping[str, DatasetVersion],
    violations: Mapping[str, pd.DataFrame],
) -> str:
    """Read a run in three sentences: what there is now, what it cost, what remains."""
    have = ", ".join(f"{version.rows:,} {kind} (version {version.version})" for kind, version in versions.items())
    sentences = [f"Dataset group **{group}** now holds {have}."]
    record = prepared["interactions"].record
    lost, read = int(record["ROWS_REMOVED"].sum()), int(record["ROWS_IN"].iloc[0]) if len(record) else 0
    if lost > 0:
        worst = record.loc[record["ROWS_REMOVED"].idxmax()]
        sentences.append(
            f"The preparation took away {lost:,} of {read:,} interactions ({lost / read:.1%}), "
            f"most of them, {int(worst['ROWS_REMOVED']):,}, in step {worst['STEP']} `{worst['NAME']}`."
        )
    elif lost < 0:
        sentences.append(f"The preparation made {-lost:,} more interactions out of the {read:,} that were read.")
    else:
        sentences.append(
            f"Every one of the {_rows(prepared['interactions']):,} interactions that were read is still there."
        )
    warnings = sum(len(frame) for frame in violations.values())
    sentences.append(
        f"{warnings:,} warnings about the rules remain; they are listed above with what to do about them."
        if warnings
        else "No rule of the dataset kinds is broken."
    )
    return " ".join(sentences)


def _rows(result: FlowResult) -> int:
    if len(result.record):
        return int(result.record["ROWS_OUT"].iloc[-1])
    return int(result.table.count().execute())


def record_table(record: pd.DataFrame) -> pd.DataFrame:
    """Make a flow's record narrow enough to read: STEP, NAME, ROWS_IN, ROWS_OUT, CHANGED, COLUMNS, REASON.

    Args:
        record: as `Flow.explain()` gives it. COLUMNS joins what was added (+) and removed (−).
    """
    columns = [
        " ".join([*_signed("+", added), *_signed("−", removed)])
        for added, removed in zip(record["COLUMNS_ADDED"], record["COLUMNS_REMOVED"], strict=True)
    ]
    return record[["STEP", "NAME", "ROWS_IN", "ROWS_OUT", "CHANGED"]].assign(COLUMNS=columns, REASON=record["REASON"])


def _signed(sign: str, names: str) -> list[str]:
    return [sign + name for name in names.split(", ") if name]
