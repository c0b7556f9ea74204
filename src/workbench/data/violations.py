"""What breaks a rule: one record a rule and column, and the frame they end up in."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import pandas as pd

ERROR = "error"
WARNING = "warning"
COLUMNS = ["COLUMN", "ROWS", "COUNT", "VALUE", "RULE", "REMEDY", "SEVERITY"]
ONLY_THERE = "Amazon Personalize would refuse this; the workbench does not."


@dataclass(frozen=True)
class Violation:
    """One broken rule.

    column: the column, or "" for the table as a whole.
    rows: the first few row numbers, counted from 1 in the source.
    count: how many rows break it; 0 when it is not about rows.
    value: the first offending value, or what was found instead.
    """

    column: str
    rule: str
    remedy: str
    severity: str = ERROR
    rows: list[int] = field(default_factory=list)
    count: int = 0
    value: str | None = None


def to_frame(violations: Iterable[Violation]) -> pd.DataFrame:
    """Violations as a frame, errors first, each group in the order found."""
    ordered = sorted(violations, key=lambda each: each.severity != ERROR)
    records = [
        (each.column, each.rows, each.count, each.value, each.rule, each.remedy, each.severity) for each in ordered
    ]
    return pd.DataFrame(records, columns=COLUMNS, dtype=object).astype({"COUNT": "int64"})  # object: None stays None


def sentence(violation: "pd.Series[object]") -> str:
    """A row of the frame as one line for an error message."""
    where = violation["COLUMN"] or "table"
    rows = violation["ROWS"]
    more = " …" if violation["COUNT"] > len(rows) else ""
    place = f" in {violation['COUNT']:,} row(s): {', '.join(map(str, rows))}{more}" if violation["COUNT"] else ""
    value = f", such as {violation['VALUE']!r}" if violation["VALUE"] is not None else ""
    return f"{where}: {violation['RULE']}{place}{value}. {violation['REMEDY']}"
