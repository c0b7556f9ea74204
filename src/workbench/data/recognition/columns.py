"""Recognise the type of every column of a source: one look at the first rows, one pass over all of them.

Nothing is guessed: a type is taken only when every value has it, a value is never changed by the type
(0012 and 12345678901234567890 stay text), and the report says for each column what was recognised and why.
"""

import re
from collections.abc import Sequence

import pandas as pd

from workbench.data.connection import query, quoted
from workbench.data.readers.options import SourceOptions
from workbench.data.readers.raw_table import RawTable
from workbench.data.recognition.kinds import TIMES, Column, Counts, KeptText, Plain, is_id
from workbench.data.recognition.time_formats import CLOCK, DATE, DAY_FIRST, ZONE
from workbench.data.recognition.times import TimeColumn
from workbench.data.recognition.typed import TypedColumn, number_as_text
from workbench.errors import SourceError

SAMPLE_ROWS = 10_000
EXAMPLES = 3
COUNTED_AT_ONCE = 40  # columns
SHOWN = 5
AS_TIME = "map it to TIMESTAMP, or options={'types': {…: 'time'}}, to get seconds"
LOOKS_LIKE = {
    "text": {
        DATE + f"({CLOCK})?({ZONE})? *": f"looks like ISO times; {AS_TIME}",
        DAY_FIRST: f"looks like dates; {AS_TIME}, and say the format",
        r"-?\d+,\d+": "looks like numbers with a decimal comma: options={'decimal': ','}",
    },
    "whole numbers": {
        r"1\d{9}": f"looks like seconds since 1970; {AS_TIME}",
        r"1\d{12}": f"looks like milliseconds since 1970; {AS_TIME}",
    },
}
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
    if time and not raw.is_text and (digits := number_as_text(value, type_name)):
        return TimeColumn(source, name, digits, options, raw.view, raw.name)
    if not raw.is_text and not (type_name == "VARCHAR" and (time or wanted)):
        return TypedColumn(source, name, value, type_name, time, wanted, options, raw.name)
    if time:
        return TimeColumn(source, name, value, options, raw.view, raw.name)
    if is_id(name) or is_id(source):
        return KeptText(source, name, value, "id, kept as text")
    if wanted == "text" or source in raw.keep_text:
        return KeptText(source, name, value, "text (as given)" if wanted else "text (declared so by the file)")
    return Plain(source, name, value, options, wanted)


def _count(raw: RawTable, candidates: Sequence[Candidate]) -> list[Counts]:
    """Count tests on the first rows, then those that still may hold on all rows."""
    head = f"(SELECT * FROM {quoted(raw.view)} LIMIT {SAMPLE_ROWS})"
    rows, nulls, counts = _pass(head, candidates, [each.tests() for each in candidates])
    if not rows:
        raise SourceError(f"{raw.name}: column names but no rows. Was the export cut short, or its filter too narrow?")
    if raw.is_text and nulls:
        _refuse_null_bytes(raw, candidates)
    if rows < SAMPLE_ROWS:
        return counts
    alive = [
        each.narrowed(found) if found.filled else each.tests() for each, found in zip(candidates, counts, strict=True)
    ]
    _, nulls, counts = _pass(quoted(raw.view), candidates, alive)
    if raw.is_text and nulls:
        _refuse_null_bytes(raw, candidates)
    return counts


def _pass(relation: str, candidates: Sequence[Candidate], tests: list[dict[str, str]]) -> tuple[int, int, list[Counts]]:
    """Rows, rows with a null byte in a text column, and what was counted in each column."""
    if len(candidates) > COUNTED_AT_ONCE:
        # Planning thousands of aggregates in one query takes minutes; a few queries take a second.
        parts = [slice(at, at + COUNTED_AT_ONCE) for at in range(0, len(candidates), COUNTED_AT_ONCE)]
        passes = [_pass(relation, candidates[part], tests[part]) for part in parts]
        return passes[0][0], sum(found[1] for found in passes), [count for found in passes for count in found[2]]
    texts = [_has_null_byte(each) for each in candidates if not isinstance(each, TypedColumn)]
    wanted = ["count(*)", f"count(*) FILTER ({' OR '.join(texts) or 'false'})"]
    for candidate, named in zip(candidates, tests, strict=True):
        filled = candidate.filled()
        wanted.append(f"count({filled})")
        for test in named.values():
            wanted.append(f"count({filled}) FILTER ({test})")
            wanted.append(f"any_value({filled}) FILTER (NOT coalesce({test}, false))")
    found = iter(query(f"SELECT {', '.join(wanted)} FROM {relation}")[0])
    rows, nulls, counts = next(found), next(found), []
    for named in tests:
        count = next(found)
        results = {name: (next(found), next(found)) for name in named}
        fits = {name: result[0] for name, result in results.items()}
        misfit = {name: result[1] for name, result in results.items()}
        counts.append(Counts(count, rows - count, fits, misfit))
    return rows, nulls, counts


def _check_wanted(raw: RawTable, column: Plain, found: Counts) -> None:
    test, fits = column.tests()[column.wanted], found.fits[column.wanted]
    if fits == found.filled:
        return
    filled = f"{column.filled()} IS NOT NULL"
    numbered = f"SELECT row_number() OVER () AS row, {column.value} FROM {quoted(raw.view)}"
    odd = query(f"SELECT row, {column.value} FROM ({numbered}) WHERE {filled} AND NOT ({test}) LIMIT {SHOWN}")
    listed = ", ".join(f"row {row}: {value[:60]!r}" for row, value in odd)
    raise SourceError(
        f"{raw.name}: column {column.source!r} shall be {column.wanted}, but {found.filled - fits:,} of "
        f"{found.filled:,} values are not: {listed}. Leave it out of options types, or name the words that mean "
        "no value: options={'missing': [...]}."
    )


def _refuse_null_bytes(raw: RawTable, candidates: Sequence[Candidate]) -> None:
    numbered = f"SELECT row_number() OVER () AS row, * FROM {quoted(raw.view)}"
    for candidate in candidates:
        odd = query(f"SELECT row, {candidate.value} FROM ({numbered}) WHERE {_has_null_byte(candidate)} LIMIT 1")
        if odd:
            raise SourceError(
                f"{raw.name}: column {candidate.source!r}, row {odd[0][0]:,}: a null byte in {odd[0][1][:60]!r}. "
                "No text contains one, so the file is damaged or no text: export it again."
            )


def _has_null_byte(candidate: Candidate) -> str:
    return f"contains({candidate.value}, chr(0))"


def _report(raw: RawTable, columns: Sequence[Column], counts: Sequence[Counts]) -> pd.DataFrame:
    picked = ", ".join(f"{each.sql} AS {quoted(each.name)}" for each in columns)
    typed = query(f"DESCRIBE SELECT {picked} FROM {quoted(raw.view)}")
    texts = ", ".join(f"CAST({quoted(each.source)} AS VARCHAR)" for each in columns)
    head = query(f"SELECT {texts} FROM {quoted(raw.view)} LIMIT 100")
    lines = []
    for place, (column, count) in enumerate(zip(columns, counts, strict=True)):
        seen = dict.fromkeys(str(row[place])[:60] for row in head if row[place] not in (None, ""))
        notes = [each for each in (column.note, _hint(column, list(seen))) if each]
        if column.source != column.name:
            notes.append(f"named {column.source!r} in the source")
        if count.missing:
            notes.append(f"{count.missing:,} missing")
        kind = {"VARCHAR": "text", "BIGINT": "int64", "DOUBLE": "float64", "BOOLEAN": "boolean"}
        type_name = kind.get(typed[place][1], typed[place][1].lower())
        examples = ", ".join(list(seen)[:EXAMPLES])
        lines.append((column.name, type_name, column.recognised_as, examples, "; ".join(notes)))
    return pd.DataFrame(lines, columns=["COLUMN", "TYPE", "RECOGNISED_AS", "EXAMPLE", "NOTE"])


def _hint(column: Column, values: list[str]) -> str:
    """Say when an unmapped column looks like times, or like numbers with a decimal comma."""
    if column.recognised_as not in ("text", "whole numbers") or column.note:
        return ""
    for pattern, hint in LOOKS_LIKE[column.recognised_as].items():
        if values and all(re.fullmatch(pattern, each) for each in values):
            return hint
    if "time" in column.name.lower() and values and all(re.fullmatch(r"\d{9,10}", each) for each in values):
        return LOOKS_LIKE["whole numbers"][r"1\d{9}"]
    return ""
