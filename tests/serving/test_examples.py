"""A campaign is made once, from a trained version where there is one, and never mistaken for another."""

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import ServingError, WorkspaceError
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import campaigns, delete_campaign
from workbench.serving.examples import ensure_campaign, least_chosen, most_chosen, some_users, visit
from workbench.serving.recommender import Recommender

SMALL = {"train_anyway": True, "seed": 3}


@pytest.fixture
def own_group(tmp_path) -> Workspace:
    """Thirty users walk around ten items."""
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    rows = [(f"u{u:02d}", f"i{(u + 3 * s) % 10}", 1_000 * s + u) for u in range(30) for s in range(6)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    place.write_dataset("own", "interactions", events, origin={"source": "test"})
    return place


def ensure(place: Workspace, campaign: str = "front", recipe: str = "popularity-count", **options) -> Recommender:
    return ensure_campaign(place, "own", campaign, recipe, **SMALL | options)


def versions(place: Workspace, solution: str) -> list[int]:
    return place.solution_versions("own", solution)["VERSION"].tolist()


def test_a_campaign_is_made_once_and_then_opened(own_group: Workspace):
    first = ensure(own_group, settings=CampaignSettings(exploration_weight=0.0))
    again = ensure(own_group)
    assert len(first.recommend(user_id="u00", num_results=3).items) == 3
    assert (again.deployment.revision, again.deployment.settings.exploration_weight) == (1, 0.0)
    assert campaigns(own_group, "own")["CAMPAIGN"].tolist() == ["front"]
    assert versions(own_group, "popularity-count") == [1]


def test_a_trained_version_is_deployed_again_unless_anything_differs(own_group: Workspace):
    ensure(own_group)
    assert ensure(own_group, "second").deployment.version == 1
    assert ensure(own_group, "third", seed=4).deployment.version == 2
    delete_campaign(own_group, "own", "front")
    assert ensure(own_group).deployment.version == 1
    data = own_group.dataset("own", "interactions")
    own_group.write_dataset("own", "interactions", data.frame().iloc[:-5], origin={"source": "test"})
    assert ensure(own_group, "newer").deployment.version == 3


def test_another_recipe_or_hyperparameter_is_refused(own_group: Workspace):
    one = {"min_cointeraction_count": 1}
    ensure(own_group, "like", "sims", hyperparameters=one)
    assert ensure(own_group, "like", "sims").deployment.recipe.name == "sims"
    with pytest.raises(ServingError, match="own/campaigns/like is there and serves recipe 'sims', not 'popularity-c"):
        ensure(own_group, "like")
    with pytest.raises(ServingError, match="serves sims with min_cointeraction_count = 1, not 2.*Name another"):
        ensure(own_group, "like", "sims", hyperparameters={"min_cointeraction_count": 2})


def test_settings_that_are_given_hold(own_group: Workspace):
    settings = CampaignSettings(exploration_weight=0.0)
    assert ensure(own_group).deployment.settings.exploration_weight == 0.3
    assert [ensure(own_group, settings=settings).deployment.revision for _ in range(2)] == [2, 2]
    assert ensure(own_group).deployment.settings == settings


def test_items_are_found_by_how_often_they_were_chosen(own_group: Workspace):
    ids = [f"i{n}" for n in range(10)] + ["new", "newer"]
    table = pd.DataFrame({"ITEM_ID": ids, "CREATION_TIMESTAMP": [1] * 10 + [2, 3]})
    own_group.write_dataset("own", "items", table, origin={"source": "test"}, check=False)
    snapshot = ensure(own_group).deployment.snapshot
    counts = own_group.dataset("own", "interactions").frame()["ITEM_ID"].value_counts()
    assert [counts[each] for each in most_chosen(snapshot, 3)] == counts.head(3).tolist()
    assert least_chosen(snapshot, 2) == ["newer", "new"]


def test_an_unknown_group_is_met_with_the_nearest(own_group: Workspace):
    with pytest.raises(WorkspaceError, match="no dataset group 'owm'. Did you mean 'own'"):
        ensure_campaign(own_group, "owm", "front", "popularity-count")


def test_users_with_a_history_are_drawn_and_a_visitor_is_put_once(own_group: Workspace):
    recommender = ensure(own_group)
    drawn = some_users(recommender.deployment, 3, seed=1, least_events=6)
    assert len(set(drawn)) == 3
    assert drawn == some_users(recommender.deployment, 3, seed=1, least_events=6)
    with pytest.raises(ServingError, match="None of the 30 users has 7 events or more; the most is 6"):
        some_users(recommender.deployment, 3, least_events=7)
    chosen = [f"i{n % 10}" for n in range(12)]  # more than one call of the events API takes
    assert (visit(recommender, "somebody", chosen), visit(recommender, "somebody", chosen)) == (12, 0)
    state = recommender.deployment.users.state("somebody")
    assert [str(recommender.deployment.items.ids[code]) for code in state.events.entities] == chosen
    assert recommender.deployment.users.counts.tolist() == [6] * 30
    assert state.events.times[0] == recommender.deployment.newest_time + 60
    with pytest.raises(ServingError, match="opened without live events"):
        visit(ensure(own_group, live=False), "somebody", chosen)
