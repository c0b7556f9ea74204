"""The same lists judged for parts of the users and of the catalogue: new users, heavy users, niche items."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, USER_ID
from workbench.evaluation.intervals import summarise
from workbench.evaluation.metrics import KS, per_user
from workbench.evaluation.splits import Split


@dataclass(frozen=True)
class Slice:
    """A part of the truth: a name, the rule in words, and the held-out events that belong to it."""

    name: str
    rule: str
    held_out: pd.DataFrame


def make_slices(split: Split, *, shortest: float = 0.25, longest: float = 0.1, niche: float = 0.2) -> list[Slice]:
    """Cut the held-out events of a split.

    Args:
        split: any split.
        shortest: "new users" are those whose history is no longer than that of this share of held-out users.
        longest: "heavy users" are those whose history is at least as long as that of this share at the other end.
        niche: "niche items" are the least popular items that together make up this share of the training events;
            items unseen in training belong to them. "Popular items" are the rest.

    Returns:
        All users first, then the slices; the borders, in events, stand in each rule. A slice may be empty.
    """
    users = pd.Index(split.held_out[USER_ID].unique())
    length = split.history[USER_ID].value_counts().reindex(users, fill_value=0)
    few = int(np.quantile(length, shortest, method="lower"))
    many = int(np.quantile(length, 1 - longest, method="higher"))
    events = split.held_out[USER_ID].map(length)
    counts = split.train[ITEM_ID].value_counts()
    events_up_to = counts.groupby(counts).sum().cumsum()
    border = max(events_up_to.index[events_up_to <= niche * len(split.train)], default=0)
    rare = split.held_out[ITEM_ID].map(counts).fillna(0) <= border
    parts = (
        ("all users", "everyone held out", np.ones(len(events), dtype=bool)),
        ("new users", f"at most {_events(few, 'past')}", events <= few),
        ("heavy users", f"at least {_events(many, 'past')}", events >= many),
        ("niche items", f"items with at most {_events(border, 'training')}", rare),
        ("popular items", f"items with more than {_events(border, 'training')}", ~rare),
    )
    return [Slice(name, rule, split.held_out[np.asarray(mask, dtype=bool)]) for name, rule, mask in parts]


def _events(count: int, kind: str) -> str:
    return f"{count:,} {kind} event{'' if count == 1 else 's'}"


def score_slices(
    lists: pd.DataFrame, split: Split, seed: int, *, ks: tuple[int, ...] = KS, **borders: float
) -> pd.DataFrame:
    """Score the lists on every slice; for items, only held-out events of these items count as relevant.

    Args:
        lists: USER_ID, ITEM_ID, RANK.
        split: the split the lists were made for.
        seed: of the bootstrap intervals.
        ks: list cuts.
        borders: `shortest`, `longest`, `niche` of `make_slices`.

    Returns:
        SLICE, RULE, METRIC, MEAN, LOW, HIGH, USERS; a slice without users has one row with METRIC None and USERS 0,
        so that a reader sees it was looked at.
    """
    tables = []
    for part in make_slices(split, **borders):
        labels = {"SLICE": part.name, "RULE": part.rule}
        if part.held_out.empty:
            gap = dict.fromkeys(("MEAN", "LOW", "HIGH"), float("nan"))
            tables.append(pd.DataFrame([{**labels, "METRIC": None, **gap, "USERS": 0}]))
        else:
            tables.append(summarise(per_user(lists, part.held_out, ks), seed, **labels))
    return pd.concat(tables, ignore_index=True)
