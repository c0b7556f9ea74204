"""What all trials of a study have in common, and how it travels to another process: Parquet and JSON, no pickle."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from workbench.evaluation.splits import Split
from workbench.recipes.scoring import Evaluation, fit_and_score
from workbench.recipes.tuning_config import TuningConfig
from workbench.recipes.tuning_space import Range

TABLES = ("train", "history", "held_out", "items", "users")


@dataclass(frozen=True)
class Task:
    """What every trial of a study has in common.

    split: of the users that choose. items, users: the group's other tables, or None.
    """

    recipe: str
    config: TuningConfig
    ranges: list[Range]
    split: Split
    items: pd.DataFrame | None = None
    users: pd.DataFrame | None = None

    def evaluate(
        self,
        hyperparameters: Mapping[str, Any],
        split: Split | None = None,
        watch: Callable[[int, float], None] | None = None,
    ) -> Evaluation:
        """Fit one setting and judge it; a value of None leaves the choice to the recipe.

        Args:
            hyperparameters: beside the fixed ones; those not named keep their defaults.
            split: None for that of the users that choose.
            watch: told the values that the recipe reports while it trains.
        """
        given = {name: value for name, value in {**self.config.fixed, **hyperparameters}.items() if value is not None}
        return fit_and_score(
            self.recipe,
            given,
            split or self.split,
            self.items,
            self.users,
            k=self.config.list_length,
            seed=self.config.seed,
            exclude_seen=self.config.exclude_seen,
            watch=watch,
        )

    def facts(self, data_hash: str) -> dict[str, Any]:
        """Say what trials of one study must have in common to be comparable, as plain JSON values."""
        config = self.config
        return {
            "recipe": self.recipe,
            "metric": config.metric,
            "data": data_hash,
            "split": config.split,
            "held_out_share": config.held_out_share,
            "exclude_seen": config.exclude_seen,
            "seed": config.seed,
            "fixed": dict(config.fixed),
            "ranges": {each.name: each.facts() for each in self.ranges},
        }


def digest(facts: Mapping[str, Any]) -> str:
    """Shorten facts to 6 hexadecimal digits."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:6]


def write_task(task: Task, folder: Path) -> None:
    """Write a task into an empty folder, for `read_task` in another process."""
    frames = {name: getattr(task.split, name, None) for name in TABLES[:3]} | {"items": task.items, "users": task.users}
    for name, frame in frames.items():
        if frame is not None:
            frame.to_parquet(folder / f"{name}.parquet", index=False)
    facts = {
        "recipe": task.recipe,
        "config": asdict(task.config) | {"fixed": dict(task.config.fixed), "ranges": dict(task.config.ranges)},
        "ranges": [asdict(each) for each in task.ranges],
        "split": {"name": task.split.name, "notes": {name: int(each) for name, each in task.split.notes.items()}},
    }
    (folder / "task.json").write_text(json.dumps(facts), encoding="utf-8")


def read_task(folder: Path) -> Task:
    """Read what `write_task` wrote; a trial of it scores as one of the original does."""
    facts = json.loads((folder / "task.json").read_text(encoding="utf-8"))
    paths = {name: folder / f"{name}.parquet" for name in TABLES}
    frames = {name: pd.read_parquet(path) if path.exists() else None for name, path in paths.items()}
    split = Split(**facts["split"], **{name: frames[name] for name in TABLES[:3]})
    ranges = [Range(**{**each, "choices": tuple(each["choices"])}) for each in facts["ranges"]]
    config = TuningConfig(**facts["config"])
    return Task(facts["recipe"], config, ranges, split, frames["items"], frames["users"])
