"""Schemas of the five dataset kinds in both domains, and every way in which a table breaks them.

What would harm the workbench's own work is an error; a limit that only Amazon Personalize has is a warning.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from workbench.columns import ACTIONS, EVENT_TYPE, INTERACTIONS, KINDS, ROW
from workbench.data.avro import from_avro, to_avro
from workbench.data.column_rules import column_violations, schema_violations
from workbench.data.connection import quoted
from workbench.data.inference import column_types, infer
from workbench.data.queries import AnyTable, named
from workbench.data.rules import (
    DOMAIN_EVENTS,
    DOMAINS,
    KEY,
    MAX_ACTIONS,
    MAX_EVENT_TYPES,
    Field,
    Schema,
    reserved,
)
from workbench.data.value_rules import FIRST, numbered, value_violations
from workbench.data.violations import ERROR, ONLY_THERE, WARNING, Violation, sentence, to_frame
from workbench.errors import SchemaError, nearest

__all__ = ["Field", "Schema", "check", "from_avro", "require", "schema_for", "to_avro"]


def schema_for(kind: str, domain: str | None = None, table: AnyTable | None = None) -> Schema:
    """The schema of a dataset kind, or of a table as that kind.

    Args:
        kind: one of `columns.KINDS`.
        domain: ECOMMERCE, VIDEO_ON_DEMAND, or None for a custom dataset group.
        table: None gives the required and reserved columns; a table gives its own columns, their types read off it.
    """
    _require_names(kind, domain)
    if table is None:
        return Schema(kind, tuple(reserved(kind, domain).values()), domain)
    with named(table) as (backend, view):
        return infer(backend.con, view, kind, domain)


def check(table: AnyTable, kind: str, domain: str | None = None, *, schema: Schema | None = None) -> pd.DataFrame:
    """Every rule that a table breaks, all at once.

    Args:
        table: Ibis table or pandas frame; its `_ROW` gives the row numbers, else they are counted from 1.
        kind: one of `columns.KINDS`.
        domain: ECOMMERCE, VIDEO_ON_DEMAND, or None for a custom dataset group.
        schema: what the table shall be, such as `from_avro` gives it; None reads it off the table.

    Returns:
        COLUMN ("" for the table as a whole), ROWS (list of the first five row numbers), COUNT (rows that break the
        rule), VALUE (the first of them), RULE, REMEDY, SEVERITY ("error" or "warning"); errors first. Empty when all
        is well.
    """
    _require_names(kind, domain)
    with named(table) as (backend, view):
        con = backend.con
        types = column_types(con, view)
        differs = schema_violations(types, schema) if schema else []
        schema = schema or infer(con, view, kind, domain)
        found = [
            *_table_violations(con, view, kind, domain),
            *differs,
            *column_violations(types, schema),
            *value_violations(con, view, types, schema),
            *_repeated_ids(con, view, kind, types),
            *_event_types(con, view, schema, types),
        ]
    return to_frame(found)


def require(table: AnyTable, kind: str, domain: str | None = None) -> pd.DataFrame:
    """Raise when a table breaks a rule that matters here; otherwise give back the warnings.

    Raises:
        SchemaError: lists every error; its attribute `violations` has them as `check` gives them, warnings included.
    """
    found = check(table, kind, domain)
    errors = found[found["SEVERITY"] == ERROR]
    if len(errors):
        lines = "\n".join(f"  - {sentence(row)}" for _, row in errors.iterrows())
        error = SchemaError(f"The table cannot be a dataset of {kind}: {len(errors)} rule(s) broken.\n{lines}")
        error.violations = found
        raise error
    return found


def _table_violations(con: Any, view: str, kind: str, domain: str | None) -> Iterator[Violation]:
    rows = con.execute(f"SELECT count(*) FROM {quoted(view)}").fetchone()[0]
    if not rows:
        yield Violation("", "has no rows", "Check the source: is there more than the header line?")
    if kind == ACTIONS and rows > MAX_ACTIONS:
        yield Violation("", f"has more than {MAX_ACTIONS:,} actions", ONLY_THERE, WARNING, value=str(rows))
    if domain and kind not in (INTERACTIONS, *(each for each in KEY if each != ACTIONS)):
        yield Violation("", f"a {domain} group cannot hold {kind}", ONLY_THERE, WARNING)


def _repeated_ids(con: Any, view: str, kind: str, types: dict[str, str]) -> Iterator[Violation]:
    key = KEY.get(kind)
    if key not in types:
        return
    again = f"row_number() OVER (PARTITION BY CAST({quoted(key)} AS VARCHAR) ORDER BY {quoted(ROW)}) > 1"
    count, rows, value = con.execute(
        f"SELECT count(*), min({quoted(ROW)}, {FIRST}), arg_min(value, {quoted(ROW)}) FROM "
        f"(SELECT {quoted(ROW)}, CAST({quoted(key)} AS VARCHAR) AS value FROM {numbered(con, view)} "
        f"WHERE {quoted(key)} IS NOT NULL QUALIFY {again})"
    ).fetchone()
    if count:
        remedy = f"Keep one row an id with flow step `drop_duplicates` over {key}."
        yield Violation(key, "id stands in an earlier row too", remedy, rows=list(rows), count=count, value=value)


def _event_types(con: Any, view: str, schema: Schema, types: dict[str, str]) -> Iterator[Violation]:
    if EVENT_TYPE not in types:
        return
    column = quoted(EVENT_TYPE)
    counted = con.execute(
        f"SELECT CAST({column} AS VARCHAR), count(*) FROM {quoted(view)} "
        f"WHERE {column} IS NOT NULL GROUP BY 1 ORDER BY 2 DESC, 1"
    ).fetchall()
    if len(counted) > MAX_EVENT_TYPES:
        rare = ", ".join(f"{name} ({count:,})" for name, count in counted[MAX_EVENT_TYPES:][:FIRST])
        remedy = f"{ONLY_THERE} Merge them with flow step `map_event_types`, or drop the rare ones."
        yield Violation(
            EVENT_TYPE, f"has {len(counted)} event types, at most {MAX_EVENT_TYPES}", remedy, WARNING, value=rare
        )
    wanted = DOMAIN_EVENTS.get(schema.domain or "", ()) if schema.kind == INTERACTIONS else ()
    present = [name for name, _ in counted]
    if wanted and counted and not set(wanted) & set(present):
        rule = f"the use cases of {schema.domain} work on {' and '.join(wanted)} events"
        remedy = f"{ONLY_THERE} Rename yours with flow step `map_event_types`."
        yield Violation(EVENT_TYPE, rule, remedy, WARNING, value=", ".join(present[:FIRST]))


def _require_names(kind: str, domain: str | None) -> None:
    if kind not in KINDS:
        raise SchemaError(f"There is no dataset kind {kind!r}.{nearest(kind, KINDS)}")
    if domain is not None and domain not in DOMAINS:
        raise SchemaError(f"There is no domain {domain!r}.{nearest(domain, DOMAINS)} Or None for a custom group.")
