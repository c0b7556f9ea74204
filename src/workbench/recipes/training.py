"""Train a solution version: split, fit, compare with both baselines, fit once more on everything, save."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm.auto import tqdm

from workbench.columns import INTERACTIONS, RECIPE
from workbench.data.solutions import SolutionDraft, SolutionVersion
from workbench.data.versions import DatasetVersion
from workbench.data.workspace import Workspace
from workbench.evaluation.intervals import paired_summary
from workbench.evaluation.splits import USERS_90_10, Split, make_split
from workbench.recipes.catalog import build, entry
from workbench.recipes.contract import Recipe, TrainingData
from workbench.recipes.objective import Objective, item_rewards, read_objective
from workbench.recipes.purposes import judge_purpose
from workbench.recipes.scoring import Evaluation, fit_and_score
from workbench.recipes.storage import save
from workbench.recipes.training_data import check_least, filter_events, read_tables
from workbench.records import dump, plain, versions

__all__ = ["BASELINES", "Evaluation", "Training", "TrainingConfig", "fit_and_score", "train"]

BASELINES = ("popularity-count", "recent-popularity")
METRICS_FILE, PER_USER_FILE = "metrics.json", "per_user.parquet"


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    hyperparameters: those that differ from the recipe's defaults.
    split: "users-90-10", "global-time", "leave-last-out" or "each-user-80-20".
    top_k: length of the lists that are judged.
    event_types: which events count; empty counts all.
    event_value_threshold: least EVENT_VALUE that counts; None counts all.
    exclude_seen: leave out items of a user's history.
    train_anyway: train on less than the least that Personalize asks for.
    seed: of the split, the fit and the intervals.
    versions: dataset kind to version; kinds left out take their newest.
    objective: {"column": "PRICE", "sensitivity": "OFF|LOW|MEDIUM|HIGH"}: trade relevance against a numeric column of
        the items, see `objective`; None for relevance alone.
    """

    hyperparameters: Mapping[str, Any] = field(default_factory=dict)
    split: str = USERS_90_10
    top_k: int = 25
    event_types: Sequence[str] = ()
    event_value_threshold: float | None = None
    exclude_seen: bool = True
    train_anyway: bool = False
    seed: int = 0
    versions: Mapping[str, int] | None = None
    objective: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Training:
    """What a training gave.

    version: the saved solution version; its model learned from all events.
    evaluation: the recipe fitted on the split's train part, with its lists and scores.
    baselines: the same for the recipes of `BASELINES`, without the trained recipe itself.
    differences: BASELINE, METRIC, DIFFERENCE, LOW, HIGH, USERS, P, READING: recipe minus baseline, user by user.
    split, data: what was cut, and the tables with all events that passed the filter.
    timings: seconds by part; notes: everything that was dropped, missing or out of reach.
    purposes: tables by name of what the recipe or an objective is judged by besides, see `purposes.judge_purpose`.
    """

    version: SolutionVersion
    evaluation: Evaluation
    baselines: dict[str, Evaluation]
    differences: pd.DataFrame
    split: Split
    data: TrainingData
    data_hash: str
    timings: dict[str, float]
    notes: dict[str, Any]
    purposes: dict[str, pd.DataFrame] = field(default_factory=dict)

    @property
    def evaluations(self) -> dict[str, Evaluation]:
        """The recipe first, then the baselines, by name."""
        return {self.evaluation.name: self.evaluation, **self.baselines}

    @property
    def summary(self) -> pd.DataFrame:
        """RECIPE, METRIC, MEAN, LOW, HIGH, USERS of the recipe and the baselines."""
        return _labelled({name: each.summary for name, each in self.evaluations.items()})


def train(
    workspace: Workspace,
    group: str,
    solution: str,
    recipe_name: str,
    config: TrainingConfig | None = None,
    *,
    progress: bool = False,
) -> Training:
    """Train and judge a recipe on a dataset group and save it as the next version of a solution.

    Args:
        workspace, group: where the datasets are.
        solution: name of the solution; made when new.
        recipe_name: of the catalogue.
        config: None for the defaults.
        progress: show bars.

    Returns:
        The training; model.safetensors, recipe.json, items.parquet, metrics.json and per_user.parquet lie in
        `version.path`.

    Raises:
        RecipeError: an unknown recipe or hyperparameter, missing tables, or too little data. A failure after the
            recipe was found is recorded as a version with its reason. A long fit that was killed goes on from its last
            state, kept under `checkpoints` in the workspace, when the same is asked for again.
        SplitError: the split leaves a part empty.
    """
    config = config or TrainingConfig()
    row = entry(recipe_name)
    hyperparameters = row.complete(config.hyperparameters)
    objective = read_objective(config.objective)
    versions = workspace.training_data(group, config.versions)
    settings = _settings(config, row.name, hyperparameters, objective, versions)
    clock = time.perf_counter()
    steps = tqdm(total=5, desc="reading", unit="part", disable=not progress)
    with steps, workspace.new_solution_version(group, solution, plain(settings)) as draft:
        data, notes = _read(versions, row.needs, config, objective)
        split = make_split(config.split, data.interactions, config.seed)
        states = workspace.path / "checkpoints" / group / solution
        found = _evaluate(row.name, hyperparameters, split, data, config, steps, states / "split")
        options = {"k": config.top_k, "seed": config.seed, "exclude_seen": config.exclude_seen}
        judged = judge_purpose(row, hyperparameters, found, split, data, objective, **options)
        found = judged.evaluations
        model, timings = _fit_on_all(row.name, hyperparameters, data, config.seed, steps, states / "all")
        save(model, draft.path)
        timings = found[row.name].timings | timings | {"all": time.perf_counter() - clock}
        evaluation, baselines = found[row.name], {name: each for name, each in found.items() if name != row.name}
        hashes = {kind: {"version": each.version, "hash": each.hash} for kind, each in versions.items() if each}
        facts = {"datasets": hashes, "seed": config.seed, "parameters": settings, "timings": timings, "notes": notes}
        facts["purposes"] = judged.tables
        gaps = differences(evaluation, baselines, config.seed)
        _write(draft, evaluation, baselines, gaps, split, facts)
        steps.set_description("saved")
        steps.update()
    saved = workspace.solution_version(group, solution, draft.version)
    data_hash = hashes[INTERACTIONS]["hash"]
    return Training(saved, evaluation, baselines, gaps, split, data, data_hash, timings, notes, judged.tables)


def differences(evaluation: Evaluation, baselines: Mapping[str, Evaluation], seed: int) -> pd.DataFrame:
    """Compare a recipe with each baseline, user by user: BASELINE and the columns of `paired_summary`."""
    tables = [paired_summary(evaluation.per_user, each.per_user, seed, BASELINE=n) for n, each in baselines.items()]
    return pd.concat(tables, ignore_index=True)


def _settings(
    config: TrainingConfig,
    recipe: str,
    hyperparameters: dict[str, Any],
    objective: Objective | None,
    versions: Mapping[str, DatasetVersion | None],
) -> dict[str, Any]:
    """Everything that was asked for, complete with defaults and versions."""
    return dataclasses.asdict(config) | {
        "recipe": recipe,
        "hyperparameters": hyperparameters,
        "objective": objective and objective.settings(),
        "versions": {kind: each.version for kind, each in versions.items() if each},
    }


def _read(
    versions: Mapping[str, DatasetVersion | None],
    needs: Sequence[str],
    config: TrainingConfig,
    objective: Objective | None,
) -> tuple[TrainingData, dict[str, Any]]:
    """Read the tables, keep the events that count, and note what went; what cannot work stops here, before waiting."""
    tables = read_tables(versions, needs)
    if objective:
        item_rewards(tables.items, objective.column)
    events, notes = filter_events(tables.interactions, config.event_types, config.event_value_threshold)
    data = TrainingData(events, tables.items, tables.users)
    return data, notes | {"below_the_least": check_least(events, config.train_anyway)}


def _evaluate(
    name: str,
    hyperparameters: dict[str, Any],
    split: Split,
    data: TrainingData,
    config: TrainingConfig,
    steps: tqdm,
    states: Path,
) -> dict[str, Evaluation]:
    found = {}
    for each in (name, *(baseline for baseline in BASELINES if baseline != name)):
        steps.set_description(f"fitting and judging {each}")
        found[each] = fit_and_score(
            each,
            hyperparameters if each == name else None,
            split,
            data.items,
            data.users,
            k=config.top_k,
            seed=config.seed,
            exclude_seen=config.exclude_seen,
            progress=not steps.disable and each == name,
            checkpoints=states if each == name else None,
        )
        steps.update()
    steps.update(3 - len(found))
    return found


def _fit_on_all(
    name: str, hyperparameters: dict[str, Any], data: TrainingData, seed: int, steps: tqdm, states: Path
) -> tuple[Recipe, dict[str, float]]:
    steps.set_description(f"fitting {name} on all events")
    clock = time.perf_counter()
    model = build(name, hyperparameters)
    model.checkpoints = states
    model.fit(data, seed=seed, progress=not steps.disable)
    steps.update()
    return model, {"fit_on_all_events": time.perf_counter() - clock}


def _write(
    draft: SolutionDraft,
    evaluation: Evaluation,
    baselines: dict[str, Evaluation],
    gaps: pd.DataFrame,
    split: Split,
    facts: dict[str, Any],
) -> None:
    """Write metrics.json and per_user.parquet beside the model and tell the catalogue the point figures."""
    everything = {evaluation.name: evaluation, **baselines}
    points = {row["METRIC"]: row["MEAN"] for row in evaluation.summary.to_dict("records")} | evaluation.catalogue
    document = {
        "metrics": points,
        "summary": {name: each.summary for name, each in everything.items()},
        "catalogue": {name: each.catalogue for name, each in everything.items()},
        "differences": gaps,
        "split": {"name": split.name, **split.notes},
        "evaluation_notes": {name: each.notes for name, each in everything.items()},
        "packages": versions(),
        **facts,
    }
    draft.metrics.update(plain(points))
    words = dump(document)
    (draft.path / METRICS_FILE).write_text(words + "\n", encoding="utf-8")
    frames = {name: each.per_user.reset_index() for name, each in everything.items()}
    _labelled(frames).to_parquet(draft.path / PER_USER_FILE, index=False)


def _labelled(frames: dict[str, pd.DataFrame]) -> pd.DataFrame:
    tables = []
    for name, frame in frames.items():
        table = frame.copy()
        table.insert(0, RECIPE, name)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)
