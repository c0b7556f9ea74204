"""Several recipes on one split, in one process and on shared tables: who ranks better, by how much, and how surely."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from workbench.columns import ITEM_ID, METRIC, RANK, RECIPE, SCORE, USER_ID
from workbench.evaluation.intervals import paired_summary
from workbench.evaluation.slices import score_slices
from workbench.evaluation.splits import Split
from workbench.recipes.comparison_entrants import Entrant, find_entrants
from workbench.recipes.comparison_runs import DONE, Match, run_all
from workbench.recipes.scoring import Evaluation, metric_cuts
from workbench.recipes.training import BASELINES

TOGETHER = 0.95  # how surely all statements about the leader hold at once
MANY = 7  # entrants of which every pair can still be read in one figure
RESAMPLES = 4_000  # so that even intervals widened for twenty recipes rest on several draws


@dataclass(frozen=True)
class Comparison:
    """What a comparison gave; tables name an entrant by its label in RECIPE.

    entrants: everyone, in the order asked for, added baselines last.
    outcomes: RECIPE, STATUS ("done", "skipped" or "failed"), REASON, FIT and SCORE (seconds), MEMORY (GB that the
        process grew by at most while fitting and making lists), ADDED, OUTSIDE (lists of another system, which told its
        seconds and memory itself; NaN where it did not); one row each.
    metric: the key of the metric that orders recipes.
    summary: RECIPE, METRIC, MEAN, LOW, HIGH, USERS.
    differences: RECIPE, BASELINE, METRIC, DIFFERENCE, LOW, HIGH, USERS, P, READING: every recipe minus the best
        baseline, user by user.
    pairs: FIRST, SECOND, METRIC and the same columns: the one with the higher mean first; see `pick_pairs`.
    lead: the leader minus every other on `metric`, with intervals widened so that all hold at once.
    catalogue: RECIPE and one column per metric of all lists together (coverage …).
    slices: RECIPE, SLICE, RULE, METRIC, MEAN, LOW, HIGH, USERS.
    lists: RECIPE, USER_ID, ITEM_ID, RANK, SCORE; a user of another system's lists may have a short list or none.
    notes: label to what fit and scoring counted.
    """

    entrants: list[Entrant]
    outcomes: pd.DataFrame
    metric: str
    baseline: str
    summary: pd.DataFrame
    differences: pd.DataFrame
    pairs: pd.DataFrame
    lead: pd.DataFrame
    catalogue: pd.DataFrame
    slices: pd.DataFrame
    lists: pd.DataFrame
    notes: dict[str, dict[str, Any]]

    @property
    def timings(self) -> dict[str, dict[str, float]]:
        """Seconds of "fit" and "score" of every entrant that finished."""
        done = self.outcomes[self.outcomes["STATUS"] == DONE]
        return {row[RECIPE]: {"fit": row["FIT"], "score": row["SCORE"]} for row in done.to_dict("records")}

    @property
    def order(self) -> list[str]:
        """Labels of those that finished, the highest mean of `metric` first."""
        rows = self.summary[self.summary[METRIC] == self.metric]
        return rows.sort_values("MEAN", ascending=False, kind="stable")[RECIPE].to_list()

    @property
    def asked_lists(self) -> pd.DataFrame:
        """The lists of everyone that was asked for; added baselines only when nothing else finished."""
        added = [each.label for each in self.entrants if each.added]
        asked = self.lists[~self.lists[RECIPE].isin(added)]
        return asked if len(asked) else self.lists


def compare(
    recipes: Sequence[str | Mapping[str, Any]],
    split: Split,
    items: pd.DataFrame | None = None,
    users: pd.DataFrame | None = None,
    *,
    top_k: int = 25,
    budget_minutes: float | None = None,
    exclude_seen: bool = True,
    seed: int = 0,
    progress: bool = False,
) -> Comparison:
    """Fit recipes one after another on the same split and compare their lists user by user, with those of others.

    Args:
        recipes: as `find_entrants` takes them.
        split: see `evaluation.splits`.
        items, users: the other tables; None when there are none.
        top_k: length of the lists.
        budget_minutes: time for all recipes together; None for no limit. A recipe does not start when it is used up,
            and is reported as skipped. Models that keep to `budget_minutes` get what is left. Baselines run before
            the others and always; lists of other systems cost no training and are always read.
        exclude_seen: leave items of a user's history out of the lists.
        seed: of fits and intervals.
        progress: show bars.

    Returns:
        The comparison. A recipe that cannot work with these data, or lists that do not fit them, are reported as
        failed, with the reason; the others go on.

    Raises:
        RecipeError: `recipes` is wrong, or no recipe finished.
        ParameterError: `top_k` is below 1 or the budget not positive.
    """
    metric_cuts(top_k)
    entrants = find_entrants(recipes)
    match = Match(split, items, users, top_k, exclude_seen, seed, progress)
    judged, outcomes = run_all(entrants, match, budget_minutes)
    return _conclude(entrants, outcomes, judged, split, min(10, top_k), seed)


def pick_pairs(order: Sequence[str]) -> list[tuple[str, str]]:
    """Which entrants to compare, best first: all pairs of few; of many, the leader with each and each with the next."""
    if len(order) <= MANY:
        return [(first, second) for n, first in enumerate(order) for second in order[n + 1 :]]
    return list(dict.fromkeys([*((order[0], other) for other in order[1:]), *pairwise(order)]))


def _conclude(
    entrants: list[Entrant],
    outcomes: pd.DataFrame,
    judged: dict[str, Evaluation],
    split: Split,
    cut: int,
    seed: int,
) -> Comparison:
    metric = f"normalized_discounted_cumulative_gain_at_{cut}"
    scores = {label: each.per_user for label, each in judged.items()}
    order = sorted(scores, key=lambda label: -scores[label][metric].mean())
    of_baseline = {each.label for each in entrants if each.name in BASELINES}
    baseline = next((label for label in order if label in of_baseline), order[-1])
    compared = [name for name in scores[baseline].columns if name.endswith(f"_at_{cut}")]
    versus = [(label, baseline) for label in order if label != baseline]
    others = [(order[0], label) for label in order[1:]]
    level = 1 - (1 - TOGETHER) / max(1, len(others))
    slices = [score_slices(e.lists, split, seed, ks=(cut,)).assign(**{RECIPE: n}) for n, e in judged.items()]
    return Comparison(
        entrants=entrants,
        outcomes=outcomes,
        metric=metric,
        baseline=baseline,
        summary=pd.concat([e.summary.assign(**{RECIPE: n}) for n, e in judged.items()], ignore_index=True),
        differences=_paired(scores, versus, compared, seed, (RECIPE, "BASELINE")),
        pairs=_paired(scores, pick_pairs(order), compared, seed, ("FIRST", "SECOND")),
        lead=_paired(scores, others, [metric], seed, ("FIRST", "SECOND"), level=level, resamples=RESAMPLES),
        catalogue=pd.DataFrame([{RECIPE: label, **each.catalogue} for label, each in judged.items()]),
        slices=pd.concat(slices, ignore_index=True),
        lists=pd.concat([_lists(label, each.lists) for label, each in judged.items()], ignore_index=True),
        notes={label: each.notes for label, each in judged.items()},
    )


def _paired(
    scores: Mapping[str, pd.DataFrame],
    pairs: list[tuple[str, str]],
    metrics: list[str],
    seed: int,
    names: tuple[str, str],
    **options: Any,
) -> pd.DataFrame:
    """Compare many pairs with one set of draws: the columns of `paired_summary` after the two names."""
    if not pairs:
        columns = [*names, METRIC, "DIFFERENCE", "LOW", "HIGH", "USERS", "P", "READING"]
        return pd.DataFrame(columns=columns)
    cells = [(first, second, metric) for first, second in pairs for metric in metrics]
    users = scores[pairs[0][0]].index
    sides = [
        pd.DataFrame({n: scores[cell[side]][cell[2]].reindex(users) for n, cell in enumerate(cells)}) for side in (0, 1)
    ]
    table = paired_summary(*sides, seed, **options)
    labels = pd.DataFrame([cells[n] for n in table[METRIC]], columns=[*names, METRIC])
    return pd.concat([labels, table.drop(columns=METRIC)], axis=1)


def _lists(label: str, lists: pd.DataFrame) -> pd.DataFrame:
    return lists.assign(**{RECIPE: label})[[RECIPE, USER_ID, ITEM_ID, RANK, SCORE]]
