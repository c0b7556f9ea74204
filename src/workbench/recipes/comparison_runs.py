"""The work of a comparison: one entrant after another, within a budget; who fails or is skipped is told, not hidden."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from workbench.columns import MINUTE, RECIPE
from workbench.errors import ParameterError, RecipeError
from workbench.evaluation.splits import Split
from workbench.recipes.comparison_entrants import Entrant
from workbench.recipes.comparison_lists import judge_lists
from workbench.recipes.recbole_bridge_models import PREFIX, default_parameters
from workbench.recipes.scoring import Evaluation, fit_and_score
from workbench.recipes.training import BASELINES

DONE, SKIPPED, FAILED = "done", "skipped", "failed"
COLUMNS = [RECIPE, "STATUS", "REASON", "FIT", "SCORE", "MEMORY", "ADDED", "OUTSIDE"]


@dataclass(frozen=True)
class Match:
    """What is the same for every entrant; as the arguments of `comparison.compare`."""

    split: Split
    items: pd.DataFrame | None
    users: pd.DataFrame | None
    top_k: int
    exclude_seen: bool
    seed: int
    progress: bool


def run_all(
    entrants: Sequence[Entrant], match: Match, budget_minutes: float | None
) -> tuple[dict[str, Evaluation], pd.DataFrame]:
    """Judge every entrant that the budget allows: lists of other systems first, then baselines, then the others.

    Returns:
        Evaluations by label, in the order of `entrants` and without their models, and `Comparison.outcomes`.

    Raises:
        ParameterError: the budget is not positive.
        RecipeError: no entrant finished.
    """
    if budget_minutes is not None and not budget_minutes > 0:
        raise ParameterError(f"budget_minutes must be above 0, or None for no limit; not {budget_minutes!r}")
    started, limit = time.perf_counter(), float("inf") if budget_minutes is None else budget_minutes * 60
    judged: dict[str, Evaluation] = {}
    told: dict[str, dict[str, Any]] = {}
    bar = tqdm(sorted(entrants, key=_turn), disable=not match.progress, unit="recipe")
    for each in bar:
        bar.set_description(each.label)
        left = limit - (time.perf_counter() - started)
        if left <= 0 and _turn(each) == 2:
            reason = f"the budget of {budget_minutes:g} minutes was used up before it could start"
            told[each.label] = {"STATUS": SKIPPED, "REASON": reason}
            continue
        try:
            found = _judge(each, match, left)
        except (RecipeError, MemoryError) as error:
            told[each.label] = {"STATUS": FAILED, "REASON": str(error) or "it ran out of memory"}
            continue
        # Kept models would add up; a comparison needs only what they produced.
        judged[each.label] = replace(found, recipe=None)
        told[each.label] = _outcome(each, found)
    rows = [{RECIPE: e.label, **told[e.label], "ADDED": e.added, "OUTSIDE": e.lists is not None} for e in entrants]
    table = pd.DataFrame(rows, columns=COLUMNS)
    if not judged:
        raise RecipeError(f"No recipe finished: {'; '.join(table[RECIPE] + ': ' + table['REASON'])}")
    return {each.label: judged[each.label] for each in entrants if each.label in judged}, table


def _turn(entrant: Entrant) -> int:
    """When an entrant comes: what costs no training does not wait for what does."""
    return 0 if entrant.lists is not None else 1 if entrant.name in BASELINES else 2


def _judge(entrant: Entrant, match: Match, seconds: float) -> Evaluation:
    settings = {"k": match.top_k, "seed": match.seed, "exclude_seen": match.exclude_seen}
    if entrant.lists is not None:
        return judge_lists(entrant, match.split, match.items, **settings)
    given = _in_time(entrant, seconds)
    return fit_and_score(
        entrant.name, given, match.split, match.items, match.users, progress=match.progress, **settings
    )


def _outcome(entrant: Entrant, found: Evaluation) -> dict[str, Any]:
    return {
        "STATUS": DONE,
        "REASON": str(entrant.figures.get("note") or ""),
        "FIT": found.timings["fit"],
        "SCORE": found.timings["score"],
        "MEMORY": found.memory,
    }


def _in_time(entrant: Entrant, seconds: float) -> dict[str, Any]:
    """Tell a recipe that can stop by the clock how long it may take."""
    given = dict(entrant.hyperparameters)
    if seconds == float("inf"):
        return given
    recbole = entrant.name.startswith(PREFIX)
    known = default_parameters(entrant.name.removeprefix(PREFIX)) if recbole else {}
    left = max(1 / MINUTE, seconds / MINUTE)
    if "budget_minutes" in known:
        own = given.get("budget_minutes", known["budget_minutes"]) or left  # 0 means no limit
        given["budget_minutes"] = min(own, left)
    elif given.get("budget_minutes"):  # elsewhere only when asked for: with a budget a recipe may train another model
        given["budget_minutes"] = min(given["budget_minutes"], left)
    return given
