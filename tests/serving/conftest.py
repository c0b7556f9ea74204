"""A small dataset group and solutions of it, for tests of serving."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from workbench.columns import INTERACTIONS, ITEMS, USERS
from workbench.data.workspace import Workspace
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData
from workbench.recipes.storage import save

EVENTS = [  # user, item, time, type, value, device
    ("ann", "a", 100, "watch", 5.0, "tv"),
    ("bob", "a", 110, "watch", 4.0, "phone"),
    ("ann", "b", 120, "click", None, "phone"),
    ("bob", "b", 130, "watch", 3.0, None),
    ("cem", "c", 140, "watch", 1.0, "tv"),
    ("ann", "c", 150, "watch", 2.0, "tv"),
    ("cem", "a", 160, "click", None, "tv"),
]
EVENT_COLUMNS = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "DEVICE"]


def small_events() -> pd.DataFrame:
    """Seven events of three users with three items."""
    return pd.DataFrame(EVENTS, columns=EVENT_COLUMNS)


def small_items() -> pd.DataFrame:
    """Four items, of which nobody has met the last."""
    return pd.DataFrame(
        {
            "ITEM_ID": ["a", "b", "c", "d"],
            "GENRES": ["Action|Crime", "Action", None, "Drama"],
            "PRICE": [1.5, 2.0, None, 4.0],
            "ADULT": pd.array([True, None, False, False], dtype="boolean"),
            "CREATION_TIMESTAMP": pd.array([90, None, None, None], dtype="Int64"),
        }
    )


def small_users() -> pd.DataFrame:
    """Two users, of whom one has no events."""
    return pd.DataFrame({"USER_ID": ["ann", "zoe"], "AGE": [31, 44], "CITY": ["Ulm", None]})


def train_solution(workspace: Workspace, group: str, solution: str, recipe: str, **config: Any) -> int:
    """Fit a recipe on the newest datasets and save it as the next version of a solution; gives the version."""
    versions = workspace.training_data(group)
    frames = {kind: each.frame() if each else None for kind, each in versions.items()}
    given = config.pop("hyperparameters", {})
    settings = {"recipe": recipe, "hyperparameters": given, "exclude_seen": True} | config
    with workspace.new_solution_version(group, solution, settings) as draft:
        model = build(recipe, given).fit(TrainingData(frames[INTERACTIONS], frames[ITEMS], frames[USERS]))
        save(model, draft.path)
    return draft.version


@pytest.fixture(scope="session")
def train_in() -> Callable[..., int]:
    """`train_solution`, for a workspace of the test's own: train_in(workspace, group, solution, recipe, **config)."""
    return train_solution


@pytest.fixture
def small_workspace(tmp_path: Path) -> Workspace:
    """Group "g" with interactions, items and users."""
    workspace = Workspace(tmp_path / "workspace")
    workspace.create_group("g")
    for kind, frame in ((INTERACTIONS, small_events()), (ITEMS, small_items()), (USERS, small_users())):
        workspace.write_dataset("g", kind, frame, origin={"source": "test"}, check=False)
    return workspace


@pytest.fixture
def train_small(small_workspace: Workspace) -> Callable[..., int]:
    """Train a solution of `small_workspace`: train_small("s", "popularity-count", **config)."""

    def train(solution: str = "s", recipe: str = "popularity-count", **config: Any) -> int:
        return train_solution(small_workspace, "g", solution, recipe, **config)

    return train
