"""The one DuckDB connection of a process, and how names and values are written in its SQL.

Ibis expressions of different sources can be joined only when they live on one connection, so there is exactly one.
It never downloads an extension: everything the workbench reads works without.
"""

import itertools
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.data.scratch import scratch

if TYPE_CHECKING:
    from ibis.backends.duckdb import Backend

GIB = 1024**3
MOST_MEMORY = 4 * GIB  # beyond this DuckDB spills to disk; several notebooks share one machine
CGROUP_LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))

_lock = threading.RLock()
_open: dict[str, Any] = {}
_numbers = itertools.count(1)


def connect() -> "Backend":
    """The process-wide Ibis backend on an in-memory DuckDB; made on the first call.

    Rows keep their file order, times are UTC, larger-than-memory work spills into `scratch()`.
    `connect().raw_sql("SET memory_limit = '16GB'")` gives it more memory.
    """
    with _lock:
        if "backend" not in _open:
            import ibis

            backend = ibis.duckdb.connect(
                memory_limit=f"{memory_limit() // 1024**2}MiB",
                temp_directory=str(scratch() / "spill"),
                preserve_insertion_order=True,
                autoinstall_known_extensions=False,
                autoload_known_extensions=False,
            )
            backend.raw_sql("SET TimeZone = 'UTC'")
            _open["backend"] = backend
        return _open["backend"]


def memory_limit() -> int:
    """Bytes that DuckDB may use: half of what is free now (a container's limit counts), 1 to 4 GiB."""
    import psutil

    free = psutil.virtual_memory().available
    for limit in CGROUP_LIMITS:
        if limit.exists() and (text := limit.read_text().strip()).isdigit():
            free = min(free, int(text))
    return int(min(max(free / 2, GIB), MOST_MEMORY))


def new_name(stem: str) -> str:
    """A name that nothing on the connection or in the scratch folder has yet."""
    return f"_{stem}_{next(_numbers)}"


def query(sql: str) -> list[tuple]:
    """Rows of a statement on the one connection."""
    return connect().con.execute(sql).fetchall()


def create_view(sql: str, stem: str = "source") -> str:
    """Make a lazy view of a SELECT; returns its name."""
    name = new_name(stem)
    connect().con.execute(f"CREATE VIEW {quoted(name)} AS {sql}")
    return name


def quoted(name: str) -> str:
    """A column or table name as DuckDB reads it, whatever it contains."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """A value as SQL text: text, whole number, truth value or list of those."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(each) for each in value) + "]"
    return "'" + str(value).replace("'", "''") + "'"
