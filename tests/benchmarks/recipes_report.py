"""From the results of a comparison to a section of notebooks/guides/recipes_measured.md."""

import json
import math
import os
import platform
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

HIT_RATE = "hit_rate_at_10"
STOCK = "RecBole SASRec"  # whose final accuracy the others' fit times are set against
PACKAGES = ("numpy", "pandas", "scipy", "torch", "recbole")
NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight")


def describe(found: dict[str, Any], lists: Path, config: dict[str, Any]) -> str:
    """Write one data set's section: what was measured on what, the table, and the time to reach the stock SASRec.

    Args:
        found: results.json of 22_compare_recipes.
        lists: folder with the other systems' files of figures.
        config: bench_recipes.yaml, with the limit that was in force.
    """
    beside = {each["label"]: each for each in (json.loads(path.read_text()) for path in sorted(lists.glob("*.json")))}
    rows = _rows(found)
    parts = [_setting(found, config), _table(rows), _reach(rows, beside), _curve(beside.get(STOCK, {}))]
    return "\n\n".join([*filter(None, parts), _versions(found, beside)])


def write_guide(path: Path, name: str, section: str) -> None:
    """Put a section between its markers; a data set without markers gets them at the end of the guide."""
    begin, end = f"<!-- measured: {name} -->", f"<!-- end of {name} -->"
    words = path.read_text(encoding="utf-8")
    if begin not in words:
        words = f"{words.rstrip()}\n\n## Measured on {name}\n\n{begin}\n{end}\n"
    head, rest = words.split(begin, 1)
    path.write_text(f"{head}{begin}\n{section}\n{end}{rest.split(end, 1)[1]}", encoding="utf-8")


def _rows(found: dict[str, Any]) -> list[dict[str, Any]]:
    """One row an entrant, best first, those without a result last."""
    scores = {(row["RECIPE"], row["METRIC"]): row for row in found["summary"]}
    rows = []
    for outcome in found["outcomes"]:
        label = outcome["RECIPE"]
        rows.append(
            outcome
            | {"accuracy": scores.get((label, found["metric"])), "hits": scores.get((label, HIT_RATE), {}).get("MEAN")}
        )
    return sorted(rows, key=lambda row: -row["accuracy"]["MEAN"] if row["accuracy"] else math.inf)


def _setting(found: dict[str, Any], config: dict[str, Any]) -> str:
    split, given = found["split"], found["parameters"]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}. {split['held_out_users']:,} users held out by {given['split']}, "
        f"{split['train_events']:,} events to learn from, all items ranked, "
        f"{'seen ones left out' if given['exclude_seen'] else 'seen ones too'}, lists of {given['top_k']}, seed "
        f"{found['seed']}. {_machine(config)} Each other library may fit for {config['limit']:g} s; one that needs "
        "longer is stopped and gives what it has learned. Memory is by how much the process grew at most while fitting "
        "and making lists; libraries and data that were there before are not counted."
    )


def _machine(config: dict[str, Any]) -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    words = NUMBERS[cores] if cores < len(NUMBERS) else str(cores)
    memory = round(psutil.virtual_memory().total / 2**30)
    threads = config["threads"]
    return (
        f"A machine of {words} {platform.machine()} cores and {memory} GiB of memory, no GPU used, {threads} threads."
    )


def _table(rows: list[dict[str, Any]]) -> str:
    head = [
        "recipe or library",
        "NDCG at 10",
        "95 % interval",
        "HR at 10",
        "fit, s",
        "lists, s",
        "memory, GB",
        "remarks",
    ]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        accuracy = row["accuracy"] or {}
        interval = f"{accuracy['LOW']:.4f} to {accuracy['HIGH']:.4f}" if accuracy.get("LOW") is not None else ""
        told = "" if row["STATUS"] == "done" else f"{row['STATUS']}: "
        mean, costs = _number(accuracy.get("MEAN"), 4), (_number(row["FIT"], 1), _number(row["SCORE"], 1))
        name = row["RECIPE"] if row["OUTSIDE"] else f"`{row['RECIPE']}`"
        cells = [name, mean, interval, _number(row["hits"], 4), *costs, _number(row["MEMORY"], 2)]
        lines.append([*cells, f"{told}{row['REASON'] or ''}"])
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines)


def _reach(rows: list[dict[str, Any]], beside: dict[str, Any]) -> str:
    """Say how long the workbench's recipes need to be as accurate as the stock SASRec when it stopped."""
    stock = next((row for row in rows if row["RECIPE"] == STOCK and row["accuracy"]), None)
    if stock is None:
        return f"{STOCK} gave no lists, so nothing can be set against its time."
    mark, took = stock["accuracy"]["MEAN"], stock["FIT"]
    ours = [row for row in rows if not row["OUTSIDE"] and row["accuracy"] and row["accuracy"]["MEAN"] >= mark]
    stopped = "when its time was over" if beside.get(STOCK, {}).get("note") else "when it ended by itself"
    said = f"{STOCK} as installed had an NDCG at 10 of {mark:.4f} {stopped}, after {took:.0f} s. "
    baselines = [row["RECIPE"] for row in ours if row["RECIPE"] in ("popularity-count", "recent-popularity")]
    trained = [row for row in ours if row["RECIPE"] not in baselines]
    if baselines:
        said += f"Even {' and '.join(f'`{name}`' for name in baselines)} reached that. "
    if not trained:
        return f"{said}No {'other ' if baselines else ''}recipe of the workbench did."
    first = min(trained, key=lambda row: row["FIT"])
    best = max(trained, key=lambda row: row["accuracy"]["MEAN"])
    said += _against(first, took)
    if best is not first:
        said += " " + _against(best, took)
    if beside.get(STOCK, {}).get("note"):
        said += (
            " It had not finished learning, so these ratios are for what it reached within the limit, not for its best."
        )
    return said


def _against(row: dict[str, Any], took: float) -> str:
    mean, share = row["accuracy"]["MEAN"], took / max(row["FIT"], 1e-3)
    told = f"1/{share:,.0f} of that time" if share >= 1 else f"{1 / share:.1f} times as long"
    return f"`{row['RECIPE']}` is at {mean:.4f} after a fit of {row['FIT']:.1f} s, {told}."


def _curve(stock: dict[str, Any]) -> str:
    """The validation curve of the stock SASRec, at most a dozen of its passes."""
    points = stock.get("curve") or []
    if not points:
        return f"{STOCK} did not complete a pass over the data within the limit." if stock.get("note") else ""
    shown = points[:: math.ceil(len(points) / 12)]
    told = ", ".join(f"{each['ndcg@10']:.4f} after {each['seconds']:.0f} s (pass {each['epoch']})" for each in shown)
    return f"{STOCK}'s own NDCG at 10 on its validation events: {told}."


def _versions(found: dict[str, Any], beside: dict[str, Any]) -> str:
    ours = [f"{name} {found['versions'][name]}" for name in PACKAGES if name in found["versions"]]
    others: dict[str, str] = {}
    for each in beside.values():
        others |= {
            name: word for name, word in each.get("versions", {}).items() if name not in ("python", "numpy", "scipy")
        }
    told = ", ".join(f"{name} {word}" for name, word in sorted(others.items()))
    python = found["versions"]["python"]
    return f"Versions: Python {python}; the workbench with {', '.join(ours)}; the others: {told or 'none'}."


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


def _cell(words: str) -> str:
    return words.replace("|", "\\|").replace("\n", " ")
