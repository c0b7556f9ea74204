"""Tables and queries of a database: DuckDB files are attached, anything else is streamed through SQLAlchemy."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from workbench.data.connection import connect, create_view, literal, new_name, query, quoted
from workbench.data.readers.files import missing
from workbench.data.readers.options import SourceOptions
from workbench.data.readers.raw_table import RawTable, check_names
from workbench.data.readers.text_spool import BATCH_ROWS, spool
from workbench.data.scratch import scratch
from workbench.errors import SourceError, nearest

EXTRA = "pip install 'recommendation-workbench[postgres]'"
DIALECTS = ("duckdb", "sqlite", "postgresql", "postgres", "mysql", "mariadb", "mssql", "oracle")
UNIQUE = "Name the columns apart with options={'query': 'SELECT a.id AS item_id, …'}."


def is_database(source: str) -> bool:
    """Whether text is the URL of a database."""
    return source.split("://", 1)[0].split("+")[0] in DIALECTS and "://" in source


def read_url(url: str, options: SourceOptions) -> RawTable:
    """Open a table or query of the database at a URL; ?table=… or ?query=… in the URL counts as the option.

    Raises:
        SourceError: no such database, table or driver, or a query that fails.
    """
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError

    try:
        address = sqlalchemy.make_url(url.replace("postgres://", "postgresql://", 1))
    except ArgumentError as error:
        raise SourceError(f"not the URL of a database ({error}); it looks like sqlite:///folder/file.db.") from error
    asked = {name: address.query[name] for name in ("table", "query") if name in address.query}
    options = replace(options, **asked) if asked else options
    if options.table and options.query:
        raise SourceError("give either a table or a query of the database, not both.")
    address = address.difference_update_query(["table", "query"])
    if address.get_backend_name() == "duckdb":
        return read_duckdb(Path(address.database or ""), options)
    if address.get_backend_name() == "sqlite":
        return read_sqlite(Path(address.database or ""), options)
    return _stream(_with_driver(address), address.render_as_string(hide_password=True), options)


def read_sqlite(path: Path, options: SourceOptions) -> RawTable:
    """Open a table or query of an SQLite file."""
    import sqlalchemy

    _check_file(path)
    address = sqlalchemy.URL.create("sqlite", database=f"file:{path.resolve()}", query={"mode": "ro", "uri": "true"})
    return _stream(address, path.name, options)


def read_duckdb(path: Path, options: SourceOptions) -> RawTable:
    """Open a table of a DuckDB file lazily, or the result of a query on it."""
    import duckdb

    _check_file(path)
    if options.query:
        return _duckdb_query(path, options.query)
    try:
        alias = _attached(path.resolve())
    except duckdb.Error as error:
        raise _not_open(path, error) from error
    tables = {
        (f"{schema}.{table}" if schema != "main" else table): f"{quoted(alias)}.{quoted(schema)}.{quoted(table)}"
        for schema, table in query(
            f"SELECT table_schema, table_name FROM information_schema.tables WHERE table_catalog = {literal(alias)}"
        )
    }
    wanted = _table(list(tables), options.table, path.name)
    return RawTable(create_view(f"SELECT * FROM {tables[wanted]}"), f"{path.name}, table {wanted}", False)


def _attached(path: Path) -> str:
    """The name under which a DuckDB file hangs on the connection; a file can hang there only once."""
    known = query(f"SELECT database_name FROM duckdb_databases() WHERE path = {literal(str(path))}")
    if known:
        return known[0][0]
    alias = new_name("attached")
    connect().con.execute(f"ATTACH {literal(str(path))} AS {quoted(alias)} (READ_ONLY)")
    return alias


def _duckdb_query(path: Path, sql: str) -> RawTable:
    import duckdb
    from pyarrow import parquet

    target = scratch() / f"{new_name('query')}.parquet"
    try:
        with duckdb.connect(str(path), read_only=True) as other:
            batches = other.execute(sql).to_arrow_reader(BATCH_ROWS)
            check_names(batches.schema.names, path.name, UNIQUE)
            with parquet.ParquetWriter(target, batches.schema) as writer:
                for batch in batches:
                    writer.write_batch(batch)
    except duckdb.IOException as error:
        raise _not_open(path, error) from error
    except duckdb.Error as error:
        raise SourceError(f"{path.name}: the query fails: {' '.join(str(error).split())[:400]}") from error
    return RawTable(create_view(f"SELECT * FROM read_parquet({literal(str(target))})"), f"{path.name}, query", False)


def _stream(address: Any, shown: str, options: SourceOptions) -> RawTable:
    """Run a query and spool its rows as text, a batch at a time."""
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = sqlalchemy.create_engine(address, poolclass=sqlalchemy.pool.NullPool)
    except ImportError as error:
        raise SourceError(f"{shown}: needs a driver that is not installed ({error}).") from error
    try:
        with engine.connect().execution_options(stream_results=True) as link:
            what, sql = "query", options.query
            if not sql:
                what, sql = _select_all(sqlalchemy.inspect(link), engine.dialect, options.table, shown)
            result = link.execute(sqlalchemy.text(sql.replace(":", r"\:")))
            names = list(result.keys())
            check_names(names, shown, UNIQUE)
            return spool(names, _rows(result), f"{shown}, {what}", [], options.progress)
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise SourceError(f"{shown}: {' '.join(str(cause).split())[:400]}") from error
    finally:
        engine.dispose()


def _rows(result: Any) -> Iterator[tuple]:
    while batch := result.fetchmany(BATCH_ROWS):
        yield from batch


def _select_all(inspector: Any, dialect: Any, wanted: str | None, shown: str) -> tuple[str, str]:
    schema = wanted.rpartition(".")[0] if wanted and "." in wanted else None
    tables = [*inspector.get_table_names(schema=schema), *inspector.get_view_names(schema=schema)]
    named = [f"{schema}.{each}" if schema else each for each in tables]
    table = _table(named, wanted, shown)
    quote = dialect.identifier_preparer.quote_identifier
    return f"table {table}", "SELECT * FROM " + ".".join(quote(part) for part in table.split(".", 1 if schema else 0))


def _table(tables: list[str], wanted: str | None, source: str) -> str:
    if wanted is None and len(tables) == 1:
        return tables[0]
    if wanted is None:
        raise SourceError(
            f"{source}: {len(tables)} tables ({', '.join(sorted(tables)[:20])}). Say which: options={{'table': …}}, "
            "or ?table=… at the end of the URL, or options={'query': 'SELECT …'}."
        )
    if wanted not in tables:
        raise SourceError(f"{source}: no table {wanted!r}.{nearest(wanted, tables)}")
    return wanted


def _with_driver(address: Any) -> Any:
    import importlib.util

    if address.get_backend_name() != "postgresql" or "+" in address.drivername:
        return address
    for driver in ("psycopg", "psycopg2"):
        if importlib.util.find_spec(driver):
            return address.set(drivername=f"postgresql+{driver}")
    shown = address.render_as_string(hide_password=True)
    raise SourceError(f"{shown}: reading PostgreSQL needs a driver: {EXTRA}.")


def _check_file(path: Path) -> None:
    if not path.is_file():
        raise SourceError(f"{path}: {missing(path)}")


def _not_open(path: Path, error: Exception) -> SourceError:
    return SourceError(
        f"{path.name}: not a DuckDB file that can be opened ({' '.join(str(error).split())[:300]}). "
        "Close it in other programs, or export the table to Parquet there."
    )
