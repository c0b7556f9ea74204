"""Time and memory of preparing and checking data: a generated log, and The Complete Journey.

    python tests/benchmarks/bench_data.py [--rows 20000000] [--journey] [--log]

Prints seconds and the peak of resident memory, each part in a process of its own. Wanted on two cores: a log of
20 M rows checked in 90 s and 6 GB; the journey's 1.47 M purchases prepared and checked in 30 s and 2 GB.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

# Users are active in proportion to a skewed draw, items are liked by a power law, times cover a year of days with
# a daily wave; one row in two thousand has no user, so that the checks have something to find.
LOG = """
COPY (
    SELECT CASE WHEN hash(i, 1) % 2000 = 0 THEN NULL
                ELSE 'user-' || floor({users} * pow((hash(i, 2) % 1000003) / 1000003.0, 1.5))::INT END AS USER_ID,
           'item-' || floor(pow({items}, (hash(i, 3) % 1000003) / 1000003.0))::INT AS ITEM_ID,
           (1735689600 + i * 31536000 // {rows} + hash(i, 4) % 40000)::BIGINT AS TIMESTAMP,
           ['View', 'View', 'View', 'AddToCart', 'Purchase'][(1 + hash(i, 5) % 5)::INT] AS EVENT_TYPE,
           round(5 + (hash(i, 6) % 10000) / 100.0, 2) AS EVENT_VALUE
    FROM range({rows}) AS t(i)
) TO '{path}' (FORMAT parquet)
"""


def check_log(rows: int) -> str:
    """Generate a log as Parquet (not timed) and check it."""
    import duckdb

    from workbench.data.connection import connect
    from workbench.data.insights import insights

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.parquet"
        make = LOG.format(rows=rows, users=max(rows // 40, 25), items=max(rows // 200, 30), path=path)
        subprocess.run([sys.executable, "-c", f"import duckdb; duckdb.sql({make!r})"], check=True)
        size = duckdb.sql(f"SELECT count(DISTINCT USER_ID), count(DISTINCT ITEM_ID) FROM '{path}'").fetchone()
        start = time.perf_counter()
        found = insights({"interactions": connect().read_parquet(str(path))})
        seconds = time.perf_counter() - start
    return (
        f"log of {rows:,} rows, {size[0]:,} users, {size[1]:,} items: {len(found.findings)} findings in {seconds:.1f} s"
    )


def prepare_and_check_journey() -> str:
    """Run the journey's own flows, store its datasets, check them."""
    from workbench.data.insights import insights
    from workbench.data.samples import prepare_sample
    from workbench.data.workspace import Workspace

    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        start = time.perf_counter()
        datasets = prepare_sample(workspace, "journey")
        prepared = time.perf_counter() - start
        found = insights(datasets)
        seconds = time.perf_counter() - start
    rows = datasets["interactions"].rows
    return (
        f"journey, {rows:,} events: prepared in {prepared:.1f} s, checked in {seconds - prepared:.1f} s, "
        f"together {seconds:.1f} s ({len(found.findings)} findings)"
    )


def main() -> None:
    """Run the parts asked for, both by default, each in a fresh process."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=20_000_000, help="length of the generated log")
    parser.add_argument("--log", action="store_true", help="only the generated log")
    parser.add_argument("--journey", action="store_true", help="only the journey")
    parser.add_argument("--here", choices=["log", "journey"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.here:
        words = check_log(given.rows) if given.here == "log" else prepare_and_check_journey()
        used = resource.getrusage(resource.RUSAGE_SELF)
        cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024**2  # Linux counts KiB
        print(f"{words}; {cpu:.1f} s of CPU over all cores, imports included; peak {peak:.2f} GiB", flush=True)
        return
    for part in ("log", "journey"):
        if getattr(given, part) or not (given.log or given.journey):
            subprocess.run([sys.executable, __file__, "--here", part, "--rows", str(given.rows)], check=True)


if __name__ == "__main__":
    main()
