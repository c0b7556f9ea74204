"""Batch jobs give real time's lists for every line, say what is wrong with the others, and count both."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import BatchError, FilterError, ServingError
from workbench.serving.batch import batch_jobs, run_batch
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign, redeploy
from workbench.serving.deployment import open_campaign
from workbench.serving.filter_store import FilterStore
from workbench.serving.recommender import Recommender

GENRE = "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)"


@pytest.fixture
def shop(small_workspace: Workspace, train_small: Callable) -> Workspace:
    """Group "g" with campaign "c" of recipe sims, without exploration."""
    train_small("s", "sims")
    create_campaign(small_workspace, "g", "c", "s", settings=CampaignSettings(exploration_weight=0.0))
    return small_workspace


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(shop: Workspace, source: Path, job: str = "night", **given):
    return run_batch(shop, "g", job, "c", source, progress=False, **given)


def test_users_lines_are_written_as_personalize_writes_them(shop: Workspace, tmp_path: Path):
    source = written(tmp_path / "in.jsonl", '{"userId":"ann"}', '{"userId": "cem"}')
    done = run(shop, source, num_results=2, exclude_seen=False)
    real = Recommender(open_campaign(shop.path, "g", "c")).recommend(
        user_id="ann", num_results=2, exclude_seen=False, seed=0
    )
    first, second = done.output.read_text().splitlines()
    found = json.loads(first)
    assert list(found) == ["input", "output", "error"]
    assert first.startswith('{"input":{"userId":"ann"},"output":{"recommendedItems":["')
    assert first.endswith(']},"error":null}')
    assert found["output"]["recommendedItems"] == real.item_ids
    assert found["output"]["scores"] == pytest.approx([each.score for each in real.items], rel=1e-6)
    assert json.loads(second)["input"] == {"userId": "cem"}
    assert (done.lines, done.answered, done.failed, done.short, done.resumed) == (2, 2, 0, 0, 0)
    assert done.output == shop.path / "g" / "batch" / "night" / "out.jsonl"
    assert done.errors.read_text() == ""
