"""The step that can do anything a database can express, and the check that it only reads."""

import json
from collections.abc import Iterator
from typing import Any

import ibis.expr.types as ir

from workbench.columns import ROW
from workbench.data.steps.registry import Option, Outcome, step
from workbench.data.steps.work import Work, differ, numbered
from workbench.errors import FlowError, nearest

TABLE_FUNCTIONS = ("generate_series", "range", "unnest")  # the ones that read nothing from outside


@step(
    "sql",
    "Replaces the table by the result of one DuckDB SELECT over `this` and the other tables of the flow.",
    [
        Option(
            "query", (str,), "One SELECT; `this` is the table so far. Nothing else is run, no file is read or written."
        )
    ],
    {"query": "SELECT *, price * quantity AS EVENT_VALUE FROM this WHERE quantity > 0"},
)
def sql(work: Work, table: ir.Table, *, query: str) -> Outcome:
    """Run the SELECT; rows get new numbers when the result has no `_ROW` of its own."""
    result = select(work, query, table)
    # DuckDB's sums of whole numbers are 128 bits wide, which no dataset can store.
    wide = {name: result[name].cast("int64") for name, kind in result.schema().items() if _is_wide(kind)}
    if wide:
        result = result.mutate(**wide)
    if ROW not in result.columns:
        return Outcome(numbered(result), 0, "rows numbered anew, so changed values are not counted")
    return Outcome(result, _changed(work, table, result))


def _changed(work: Work, before: ir.Table, after: ir.Table) -> int:
    """Count values that differ between rows of the same number, in columns that both tables have in one type."""
    types = before.schema()
    shared = [name for name, kind in after.schema().items() if name != ROW and types.get(name) == kind]
    if not shared:
        return 0
    old = before.select(**{ROW: before[ROW]}, **{f"_OLD{i}": before[name] for i, name in enumerate(shared)})
    both = after.inner_join(old, ROW)
    counts = {f"n{i}": differ(both[name], both[f"_OLD{i}"]) for i, name in enumerate(shared)}
    return int(sum(work.numbers(both, **counts).values()))


def select(work: Work, query: str, this: ir.Table) -> ir.Table:
    """Store the result of a query that has been found to be one SELECT over this table and others of the flow.

    Raises:
        FlowError: it is anything else; the message says what.
    """
    parsed = _parsed(work, query)
    tables = {"this": this} | {name: table for name, table in work.tables.items() if name != "this"}
    used = _tables_read(parsed, set(tables))
    if ";" in query:  # inside another query no semicolon may end it
        query = work.connection.con.execute("SELECT json_deserialize_sql(json_serialize_sql(?))", [query]).fetchone()[0]
    return work.query(query, {name: table for name, table in tables.items() if name == "this" or name in used})


def _parsed(work: Work, query: str) -> dict[str, Any]:
    """The query as DuckDB's parser reads it."""
    import duckdb

    try:
        answer = work.connection.con.execute("SELECT json_serialize_sql(?)", [query]).fetchone()[0]
    except duckdb.Error as error:
        raise FlowError(f"the SQL cannot be read: {error} The query was: {query!r}") from error
    parsed = json.loads(answer)
    if parsed["error"]:
        raise FlowError(f"only one SELECT is allowed here, and this is not one: {query!r} ({parsed['error_message']})")
    if len(parsed["statements"]) != 1:
        raise FlowError(f"only one SELECT is allowed here, got {len(parsed['statements'])} statements: {query!r}")
    return parsed


def _tables_read(parsed: dict[str, Any], tables: set[str]) -> set[str]:
    """Names of the flow's tables that a query reads; reading anything else is an error."""
    inner = {each["key"].casefold() for node in _nodes(parsed) for each in node.get("cte_map", {}).get("map", [])}
    folded = {name.casefold(): name for name in tables}
    used = set()
    for node in _nodes(parsed):
        if node.get("type") == "BASE_TABLE":
            name = ".".join(filter(None, (node["catalog_name"], node["schema_name"], node["table_name"])))
            if name.casefold() in folded:
                used.add(folded[name.casefold()])
            elif name.casefold() not in inner:
                raise FlowError(f"the SQL reads {name!r}, which is no table of this flow.{nearest(name, tables)}")
        if node.get("type") == "TABLE_FUNCTION" and node["function"]["function_name"] not in TABLE_FUNCTIONS:
            raise FlowError(
                f"the SQL calls the table function {node['function']['function_name']!r}; allowed here are "
                f"{', '.join(TABLE_FUNCTIONS)}. Open files with open_source() and pass them to the flow as tables."
            )
    return used


def _nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every dict inside a parsed query."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _nodes(each)


def _is_wide(kind: Any) -> bool:
    return kind.is_decimal() and kind.precision == 38 and kind.scale == 0
