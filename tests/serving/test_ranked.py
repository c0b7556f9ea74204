"""A given list in a user's order: unknown and unscored items, filters, repeats, nothing given."""

import pytest

from workbench.errors import ServingError
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.recommender import Recommender
from workbench.serving.requests import RankRequest


@pytest.fixture
def shop(small_workspace, train_small):
    train_small("s", "popularity-count")  # a: three users, b and c: two, d: none, so the model does not know it
    create_campaign(small_workspace, "g", "front", "s", settings=CampaignSettings(exploration_weight=0.0))
    return Recommender(open_campaign(small_workspace.path, "g", "front"))


def test_a_list_is_put_in_order_and_equal_scores_keep_theirs(shop):
    found = shop.rank(user_id="ann", input_list=["c", "b", "a"])
    assert found.item_ids == ["a", "c", "b"]
    assert [each.position for each in found.items] == [1, 2, 3]
    assert found.items[1].score == found.items[2].score < found.items[0].score
    assert found.kind == "rank"
    assert "personalizedRanking" in found.to_json()


def test_items_of_the_history_stay_in(shop):
    assert set(shop.rank(user_id="ann", input_list=["a", "b"]).item_ids) == {"a", "b"}


def test_unscored_items_stand_behind_and_unknown_ones_at_the_end(shop):
    found = shop.rank(user_id="ann", input_list=["nowhere", "d", "b", "x", "a"])
    assert found.item_ids == ["a", "b", "d", "nowhere", "x"]
    assert [each.score is None for each in found.items] == [False, False, True, True, True]
    assert [each.reason for each in found.items][2:] == [("New item",), ("Unknown item",), ("Unknown item",)]
    assert any("2 unknown items stand at the end, without a score: 'nowhere', 'x'" in each for each in found.notices)
    assert any(each.startswith("1 item is new to the model") for each in found.notices)


def test_a_filter_removes_and_says_so(shop):
    found = shop.rank(
        user_id="ann", input_list=["a", "d", "ghost", "b"], filter='INCLUDE ItemID WHERE Items.GENRES IN ("Action")'
    )
    assert found.item_ids == ["a", "b"]
    assert found.rules[0].removed == 2
    assert found.rules[0].text == "removed 2 of 4 given items: 'd', 'ghost'"
    kept = shop.rank(user_id="ann", input_list=["a", "ghost"], filter="EXCLUDE ItemID WHERE Items.PRICE < 2")
    assert kept.item_ids == ["ghost"]  # nothing is known of it, so nothing excludes it


def test_an_item_given_twice_is_refused_with_both_places(shop):
    with pytest.raises(ServingError, match="holds item 'b' at place 2 and again at place 4"):
        shop.rank(user_id="ann", input_list=["a", "b", "c", "b"])


def test_nothing_to_rank_and_too_much_are_refused(shop):
    with pytest.raises(ServingError, match="input_list is empty; a ranking needs 1 to 500 items"):
        shop.rank(user_id="ann", input_list=[])
    with pytest.raises(ServingError, match="input_list holds 501 items; 500 are allowed"):
        shop.rank(RankRequest(user_id="ann", input_list=tuple(f"i{n}" for n in range(501))))


def test_a_user_must_be_named(shop):
    with pytest.raises(ServingError, match="user_id|userId"):
        shop.rank(input_list=["a"])
