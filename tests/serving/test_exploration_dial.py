"""The exploration dial on a campaign whose newest items are known."""

from collections.abc import Callable

import pytest

from workbench.data.workspace import Workspace
from workbench.errors import ServingError
from workbench.serving.campaigns import create_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.exploration_dial import dial
from workbench.serving.recommender import Recommender


def test_the_dial_says_what_every_weight_gives(small_workspace: Workspace, train_small: Callable):
    train_small()
    create_campaign(small_workspace, "g", "c", "s")
    recommender = Recommender(open_campaign(small_workspace.path, "g", "c"), log=False)
    table = dial(recommender, ["ann", "bob", "nobody"], [0.0, 1.0], num_results=2, seed=1)
    off, full = table.to_dict("records")
    assert (off["WEIGHT"], off["LISTS"], off["SHARE"], off["NEW_SHOWN"], off["GIVEN_UP"]) == (0.0, 3, 0.0, 0, 0.0)
    # ann has one place left, and the only new item holds it by its relevance already; bob and nobody have two each.
    assert (full["WEIGHT"], full["SHARE"]) == (1.0, 4 / 5)
    assert 0 < full["NEW_SHOWN"] <= full["ITEMS"]
    assert dial(recommender, ["ann", "bob", "nobody"], [1.0], num_results=2, seed=1).iloc[0].to_dict() == full
    with pytest.raises(ServingError, match="given 0 users and 1 weights"):
        dial(recommender, [], [0.5])
    with pytest.raises(ServingError, match="exploration_weight is 2"):
        dial(recommender, ["ann"], [2.0])
