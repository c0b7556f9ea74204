"""Asks real time again for lines of a finished batch, to hold the two beside each other."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from workbench.serving.batch_formats import FILTER_VALUES, ITEM_ID, ITEM_LIST, RANKINGS, RELATED, USER_ID
from workbench.serving.batch_output import CSV, JSON_LINES
from workbench.serving.batch_tables import LIST_MARK
from workbench.serving.recommender import Recommender


@dataclass(frozen=True)
class Pair:
    """One line's items, from the batch and from real time."""

    batch: list[str]
    real_time: list[str]


def ask_again(recommender: Recommender, output: Path, kind: str, lines: int, **fields: Any) -> list[Pair]:
    """Ask for the first lines of an output once more.

    Args:
        recommender: of the job's campaign.
        output: of a finished job: JSON Lines, CSV or Parquet.
        kind: of the job.
        lines: how many at most.
        fields: of the job's request: num_results, filter, seed and the like; values of a line's own are read from
            JSON Lines and are not there in tables.
    """
    if kind == RANKINGS:
        fields = {name: value for name, value in fields.items() if name.startswith("filter")}
    found = []
    for asked, items in islice(answered(output), lines):
        own = {"filter_values": asked[FILTER_VALUES]} if FILTER_VALUES in asked else {}
        if kind == RELATED:
            answer = recommender.related(item_id=asked[ITEM_ID], **(fields | own))
        elif kind == RANKINGS:
            answer = recommender.rank(user_id=asked[USER_ID], input_list=tuple(asked[ITEM_LIST]), **(fields | own))
        else:
            answer = recommender.recommend(user_id=asked[USER_ID], **(fields | own))
        found.append(Pair(items, answer.item_ids))
    return found


def answered(output: Path) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """What every line of an output asked, and the items it got."""
    kind = output.suffix.removeprefix(".")
    if kind == JSON_LINES:
        with output.open(encoding="utf-8") as file:
            for line in file:
                found = json.loads(line)
                yield found["input"], found["output"]["recommendedItems"]
        return
    import pandas as pd

    if kind == CSV:
        frame = pd.read_csv(output, dtype=str, keep_default_na=False)
        for name in (ITEM_LIST, "recommendedItems"):
            if name in frame:
                frame[name] = frame[name].map(lambda text: text.split(LIST_MARK) if text else [])
    else:
        frame = pd.read_parquet(output)
    for row in frame.to_dict("records"):
        items = list(row.pop("recommendedItems"))
        yield row, items
