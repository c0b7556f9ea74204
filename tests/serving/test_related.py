"""Items related to one: the model's relations, filters on the current item, ids that nobody knows."""

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import ServingError
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign, update_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender

PAIRS = [("a", "b")] * 6 + [("a", "c")] * 3 + [("d", "e")] * 4  # what a user has met together


@pytest.fixture
def place(tmp_path, train_in):
    workspace = Workspace(tmp_path / "w")
    workspace.create_group("g")
    rows = [(f"u{user}", item, 100 + place) for user, pair in enumerate(PAIRS) for place, item in enumerate(pair)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    items = pd.DataFrame(
        {
            "ITEM_ID": list("abcdef"),
            "TITLE": ["space opera", "space saga", "kitchen tales", "garden", "garden tools", "space opera two"],
            "GENRES": ["sf", "sf", "home", "home", "home", "sf"],
            "PRICE": [5.0, 7.0, 3.0, 2.0, 4.0, 1.0],
        }
    )
    for kind, frame in (("interactions", events), ("items", items)):
        workspace.write_dataset("g", kind, frame, origin={"source": "test"}, check=False)
    given = {"min_cointeraction_count": 1}
    given |= {"min_item_interaction_count_percentile": 0.0, "max_item_interaction_count_percentile": 1.0}
    train_in(workspace, "g", "met", "sims", hyperparameters=given)
    train_in(workspace, "g", "like", "semantic-similarity", hyperparameters={"text_columns": "TITLE"})
    for name in ("met", "like"):
        create_campaign(workspace, "g", name, name, settings=CampaignSettings(exploration_weight=0.0))
    return workspace


def opened(place, name="met"):
    return Recommender(open_campaign(place.path, "g", name))


def test_what_is_met_together_comes_first_and_never_the_item_itself(place):
    found = opened(place).related(item_id="a", num_results=2)
    assert found.item_ids == ["b", "c"]
    assert found.kind == "related"
    assert found.details["item_id"] == "a"


def test_the_current_item_counts_in_filters(place):
    shop = opened(place)
    cheaper = shop.related(item_id="a", filter="INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE")
    assert set(cheaper.item_ids) <= {"c", "d", "e", "f"}
    assert cheaper.item_ids[0] == "c"
    alike = shop.related(item_id="a", filter="INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES")
    assert set(alike.item_ids) <= {"b", "f"}


def test_an_unknown_item_gives_popular_ones_and_says_so(place):
    found = opened(place).related(item_id="zz", num_results=2)
    assert found.item_ids[0] == "a"  # nine users
    assert {(each.reason, each.score) for each in found.items} == {(("Popular item",), None)}
    assert any("Item 'zz' is unknown" in each for each in found.notices)


def test_an_item_without_events_is_related_by_its_text(place):
    found = opened(place, "like").related(item_id="f", num_results=2, explain=True)
    assert set(found.item_ids) == {"a", "b"}
    assert all(each.explanation.text for each in found.items)


def test_influence_of_popularity_moves_the_list(place):
    shop = opened(place, "like")
    before = shop.related(item_id="d", num_results=5).item_ids
    settings = CampaignSettings(exploration_weight=0.0, ranking_influence={"POPULARITY": 1.0})
    update_campaign(place, "g", "like", settings=settings)
    assert shop.refresh()
    after = shop.related(item_id="d", num_results=5).item_ids
    assert set(after) == set(before)
    assert after.index("a") <= before.index("a")
    assert after != before


def test_an_item_is_needed(place):
    with pytest.raises(ServingError, match="item_id|itemId"):
        opened(place).related(user_id="u1")
