"""Recognise the type of every column of a source: one look at the first rows, one pass over all of them.

Nothing is guessed: a type is taken only when every value has it, a value is never changed by the type
(0012 and 12345678901234567890 stay text), and the report says for each column what was recognised and why.
"""

from collections.abc import Sequence

import pandas as pd

from workbench.data.connection import query, quoted
from workbench.data.raw_table import RawTable
from workbench.data.source_columns import TIMES, Column, Counts, KeptText, Plain, is_id
from workbench.data.source_options import SourceOptions
from workbench.data.source_times import TimeColumn
from workbench.data.source_types import TypedColumn
from workbench.errors import SourceError

SAMPLE_ROWS = 10_000
EXAMPLES = 3
SHOWN = 5
Candidate = KeptText | Plain | TimeColumn | TypedColumn


def recognise(raw: RawTable, names: dict[str, str], options: SourceOptions) -> tuple[list[Column], pd.DataFrame]:
    """Decide what every column is.

    Args:
        raw: the source as it came.
        names: source column to the name it shall have, for every column, in order.
        options: what the caller said.

    Returns:
        The columns with the SQL that makes them, and the report: COLUMN, TYPE, RECOGNISED_AS, EXAMPLE, NOTE.

    Raises:
        SourceError: no rows, a time that cannot be read, or a value that is not of the type the caller wants.
    """
    types = raw.types()
    candidates = [_candidate(raw, source, name, types[source], options) for source, name in names.items()]
    counts = _count(raw, candidates)
    columns = []
    for candidate, found in zip(candidates, counts, strict=True):
        if isinstance(candidate, Plain) and candidate.wanted:
            _check_wanted(raw, candidate, found)
        columns.append(candidate.decide(found))
    return columns, _report(raw, columns, counts)


def _candidate(raw: RawTable, source: str, name: str, type_name: str, options: SourceOptions) -> Candidate:
    value, wanted = quoted(source), options.types.get(name, options.types.get(source))
    time = wanted == "time" or (wanted is None and name in TIMES)
    if not raw.is_text and not (type_name == "VARCHAR" and (time or wanted)):
        return TypedColumn(source, name, value, type_name, time, wanted == "text", options, raw.name)
    if time:
        return TimeColumn(source, name, value, options, raw.view, raw.name)
    if is_id(name) or is_id(source):
        return KeptText(source, name, value, "id, kept as text")
    if wanted == "text" or source in raw.keep_text:
        return KeptText(source, name, value, "text (as given)" if wanted else "text (declared so by the file)")
    return Plain(source, name, value, options, wanted)


def _count(raw: RawTable, candidates: Sequence[Candidate]) -> list[Counts]:
    """Count tests on the first rows, then those that still may hold on all rows."""
    tests = [each.tests() for each in candidates]
    rows, counts = _pass(f"(SELECT * FROM {quoted(raw.view)} LIMIT {SAMPLE_ROWS})", candidates, tests)
    if not rows:
        raise SourceError(f"{raw.name}: column names but no rows. Was the export cut short, or its filter too narrow?")
    if rows < SAMPLE_ROWS:
        return counts
    alive = [
        {name: test for name, test in wanted.items() if not found.filled or found.fits[name] * 2 >= found.filled}
        for wanted, found in zip(tests, counts, strict=True)
    ]
    for candidate, wanted, every, found in zip(candidates, alive, tests, counts, strict=True):
        if isinstance(candidate, TimeColumn):  # a rare second format has to be seen, so that it can be refused
            wanted.update({name: test for name, test in every.items() if found.fits[name]})
    return _pass(quoted(raw.view), candidates, alive)[1]


def _pass(relation: str, candidates: Sequence[Candidate], tests: list[dict[str, str]]) -> tuple[int, list[Counts]]:
    wanted = ["count(*)"]
    for candidate, named in zip(candidates, tests, strict=True):
        filled = candidate.filled() if hasattr(candidate, "filled") else f"nullif({candidate.value}, '')"
        wanted.append(f"count({filled})")
        for test in named.values():
            wanted.append(f"count({filled}) FILTER ({test})")
            wanted.append(f"any_value({filled}) FILTER (NOT coalesce({test}, false))")
    found = iter(query(f"SELECT {', '.join(wanted)} FROM {relation}")[0])
    rows, counts = next(found), []
    for named in tests:
        count = next(found)
        results = {name: (next(found), next(found)) for name in named}
        fits = {name: result[0] for name, result in results.items()}
        misfit = {name: result[1] for name, result in results.items()}
        counts.append(Counts(count, rows - count, fits, misfit))
    return rows, counts


def _check_wanted(raw: RawTable, column: Plain, found: Counts) -> None:
    test, fits = column.tests()[column.wanted], found.fits[column.wanted]
    if fits == found.filled:
        return
    filled = f"{column.filled()} IS NOT NULL"
    numbered = f"SELECT row_number() OVER () AS row, {column.value} FROM {quoted(raw.view)}"
    odd = query(f"SELECT row, {column.value} FROM ({numbered}) WHERE {filled} AND NOT ({test}) LIMIT {SHOWN}")
    listed = ", ".join(f"row {row}: {value[:60]!r}" for row, value in odd)
    raise SourceError(
        f"{raw.name}: column {column.source!r} shall be {column.wanted}, but {found.filled - fits:,} of {found.filled:,} "
        f"values are not: {listed}. Leave it out of options types, or name words that mean no value in options missing."
    )


def _report(raw: RawTable, columns: Sequence[Column], counts: Sequence[Counts]) -> pd.DataFrame:
    picked = ", ".join(f"{each.sql} AS {quoted(each.name)}" for each in columns)
    typed = query(f"DESCRIBE SELECT {picked} FROM {quoted(raw.view)}")
    head = query(f"SELECT {', '.join(quoted(each.source) for each in columns)} FROM {quoted(raw.view)} LIMIT 100")
    lines = []
    for place, (column, count) in enumerate(zip(columns, counts, strict=True)):
        seen = dict.fromkeys(str(row[place])[:60] for row in head if row[place] not in (None, ""))
        notes = [column.note] if column.note else []
        if column.source != column.name:
            notes.append(f"named {column.source!r} in the source")
        if count.missing:
            notes.append(f"{count.missing:,} missing")
        kind = {"VARCHAR": "text", "BIGINT": "int64", "DOUBLE": "float64", "BOOLEAN": "boolean"}
        type_name = kind.get(typed[place][1], typed[place][1].lower())
        examples = ", ".join(list(seen)[:EXAMPLES])
        lines.append((column.name, type_name, column.recognised_as, examples, "; ".join(notes)))
    return pd.DataFrame(lines, columns=["COLUMN", "TYPE", "RECOGNISED_AS", "EXAMPLE", "NOTE"])
