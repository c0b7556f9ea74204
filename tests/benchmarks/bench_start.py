"""How long a user waits before anything happens: importing the package, asking the command line for help.

Run: python tests/benchmarks/bench_start.py
"""

import statistics
import subprocess
import sys
import time

RUNS = 9
CASES = {
    "bare python": ["-c", "pass"],
    "import workbench": ["-c", "import workbench"],
    "workbench --help": ["-m", "workbench.cli", "--help"],
    "import workbench.data.workspace": ["-c", "import workbench.data.workspace"],
    "import workbench.recipes.training": ["-c", "import workbench.recipes.training"],
}


def seconds(arguments: list[str]) -> float:
    begun = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def main() -> None:
    found = {name: statistics.median(seconds(arguments) for _ in range(RUNS)) for name, arguments in CASES.items()}
    bare = found["bare python"]
    print(f"{'what':36}{'median s':>10}{'bare pythons':>14}")
    for name, value in found.items():
        print(f"{name:36}{value:10.3f}{value / bare:14.1f}")


if __name__ == "__main__":
    main()
