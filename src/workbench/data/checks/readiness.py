"""Which recipes the data is ready for: what each needs, what disturbs it, and the verdict."""

from dataclasses import dataclass

import pandas as pd

from workbench.columns import ACTION_INTERACTIONS, ACTIONS, INTERACTIONS, ITEMS, RECIPE, USERS
from workbench.data.checks.facts import Facts
from workbench.data.checks.registry import ALL_RECIPES, BLOCKS, CHECKS, WARNING, Finding

READY, CARE, NOT_READY = "ready", "ready, with care", "not ready"


@dataclass(frozen=True)
class Need:
    """What a recipe needs.

    datasets: without one of them it cannot be trained.
    relies_on: what a warning must touch to matter to it; see `Check.touches`.
    roles: dataset to the role a column of it must play.
    """

    datasets: tuple[str, ...]
    relies_on: frozenset[str]
    roles: tuple[tuple[str, str], ...] = ()


def _need(relies_on: str, *datasets: str, roles: tuple[tuple[str, str], ...] = ()) -> Need:
    return Need((INTERACTIONS, *datasets), frozenset(relies_on.split()), roles)


RECIPES = {
    "popularity-count": _need("volume"),
    "recent-popularity": _need("volume time"),
    "trending-now": _need("volume time"),
    "sims": _need("volume ids"),
    "similar-items": _need("volume ids items"),
    "user-personalization": _need("volume ids order time"),
    "graph-filter": _need("volume ids"),
    "personalized-ranking": _need("volume ids order time"),
    "autoregressive": _need("volume ids order time"),
    "transformer": _need("volume ids order time"),
    "matrix-factorization": _need("volume ids"),
    "recbole:BPR": _need("volume ids"),
    "recbole:EASE": _need("volume ids"),
    "recbole:LightGCN": _need("volume ids"),
    "recbole:SASRec": _need("volume ids order"),
    "item-affinity": _need("volume ids time"),
    "item-attribute-affinity": _need("volume ids time items", ITEMS),
    "semantic-similarity": Need((ITEMS,), frozenset({"items", "text"}), ((ITEMS, "text"),)),
    "next-best-action": Need((ACTIONS, ACTION_INTERACTIONS), frozenset({"ids", "order", "time", "volume"})),
}


def verdicts(facts: Facts, findings: list[tuple[str, Finding]]) -> pd.DataFrame:
    """Judge every recipe.

    Args:
        facts: what was measured.
        findings: check name and finding.

    Returns:
        RECIPE, VERDICT ("ready", "ready, with care" or "not ready"), WHY (the checks and missing datasets behind it).
    """
    rows = []
    for recipe, need in RECIPES.items():
        lacks = [f"no {dataset} dataset" for dataset in need.datasets if dataset not in facts.tables]
        lacks += [f"no {role} column in {dataset}" for dataset, role in need.roles if not _has(facts, dataset, role)]
        blocked = [name for name, found in findings if found.severity == BLOCKS and _blocks(found, recipe, need)]
        cares = [name for name, found in findings if _matters(name, found, need)]
        reasons = list(dict.fromkeys(lacks + blocked)) or list(dict.fromkeys(cares))
        verdict = NOT_READY if lacks or blocked else CARE if cares else READY
        rows.append((recipe, verdict, ", ".join(reasons)))
    return pd.DataFrame(rows, columns=[RECIPE, "VERDICT", "WHY"])


def _has(facts: Facts, dataset: str, role: str) -> bool:
    return not facts.with_role(role).query("DATASET == @dataset").empty


def _blocks(found: Finding, recipe: str, need: Need) -> bool:
    if found.blocks == ALL_RECIPES:
        return found.dataset in need.datasets
    return recipe in found.blocks.split(", ")


def _matters(name: str, found: Finding, need: Need) -> bool:
    about = {*need.datasets, *((ITEMS, USERS) if INTERACTIONS in need.datasets else ())}
    return found.severity == WARNING and found.dataset in about and not need.relies_on.isdisjoint(CHECKS[name].touches)
