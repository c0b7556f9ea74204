"""Requests of a campaign, answered from real models: who is listed, why, under which rules, alone and among many."""

import time

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.events import LiveEvents, RecommendationLog
from workbench.data.workspace import Workspace
from workbench.errors import FilterError, ServingError
from workbench.recipes.contract import encode_histories
from workbench.recipes.ranking import top_k
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign, update_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.filter_store import FilterStore
from workbench.serving.list_cache import ListCache
from workbench.serving.recommender import Recommender
from workbench.serving.requests import Limits, RecommendRequest, Response

USERS, ITEMS, START = 30, 24, 1_700_000_000
RECIPES = {"factors": "matrix-factorization", "picks": "user-personalization", "all": "popularity-count"}
NOT_BOUGHT = 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")'
CHEAP = "INCLUDE ItemID WHERE Items.PRICE < $MAX"


def made_up_events():
    """Users like one of three genres; the newest items are 21 to 23."""
    rng = np.random.default_rng(3)
    rows = []
    for user in range(USERS):
        liked = np.flatnonzero(np.arange(ITEMS - 2) % 3 == user % 3)
        for place, item in enumerate(rng.permutation(liked)[: 3 + user % 4]):
            rows.append(
                (f"u{user:02d}", f"i{item:02d}", START + 100 * user + place, "Purchase" if place == 0 else "View")
            )
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"])


def made_up_items():
    ids = [f"i{item:02d}" for item in range(ITEMS)]
    return pd.DataFrame(
        {
            "ITEM_ID": ids,
            "TITLE": [f"Film {item}" for item in range(ITEMS)],
            "GENRES": [f"g{item % 3}" for item in range(ITEMS)],
            "PRICE": [float(item) for item in range(ITEMS)],
            "CREATION_TIMESTAMP": [START - 100 * 86_400] * (ITEMS - 3) + [START] * 3,
        }
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory, train_in):
    workspace = Workspace(tmp_path_factory.mktemp("recommender"))
    workspace.create_group("g")
    users = pd.DataFrame({"USER_ID": [f"u{user:02d}" for user in range(USERS)], "AGE": range(USERS)})
    for kind, frame in (("interactions", made_up_events()), ("items", made_up_items()), ("users", users)):
        workspace.write_dataset("g", kind, frame, origin={"source": "test"}, check=False)
    for name, recipe in RECIPES.items():
        train_in(workspace, "g", name, recipe)
        create_campaign(workspace, "g", name, name, settings=CampaignSettings(exploration_weight=0.0))
    return workspace


@pytest.fixture(params=list(RECIPES))
def campaign(request):
    return request.param


def opened(place, name="factors", **options):
    return Recommender(open_campaign(place.path, "g", name), **options)


def of_recipe(place, name, user, k, **options):
    """The list as the recipe itself gives it."""
    recipe = open_campaign(place.path, "g", name).recipe
    return top_k(recipe, encode_histories(made_up_events(), recipe.item_ids, [user]), k, **options)


def test_without_rules_the_list_is_the_recipe_s(place, campaign):
    shop = opened(place, campaign)
    for user in ("u00", "u07", "u29"):
        own = of_recipe(place, campaign, user, 5)
        found = shop.recommend(user_id=user, num_results=5)
        assert found.item_ids == own["ITEM_ID"].tolist()
        assert [each.score for each in found.items] == pytest.approx(own["SCORE"].tolist(), rel=1e-5)
        assert [each.position for each in found.items] == [1, 2, 3, 4, 5]
        assert len(found.recommendation_id) <= 40
        assert Response.from_json(found.to_json()) == found


def test_defaults_and_maxima_are_the_service_s_and_can_be_raised(place):
    shop = opened(place)
    assert RecommendRequest(user_id="u00").num_results == 25
    with pytest.raises(ServingError, match="num_results is 501; it must be from 1 to 500"):
        shop.recommend(user_id="u00", num_results=501)
    assert len(opened(place, limits=Limits(results=1_000)).recommend(user_id="u00", num_results=501).items) < 501


def test_a_list_that_rules_shorten_says_which(place):
    found = opened(place).recommend(user_id="u00", filter=CHEAP, filter_values={"MAX": 3})
    assert set(found.item_ids) <= {"i00", "i01", "i02"}
    rule = {each.rule: each for each in found.rules}["filter"]
    assert rule.removed == ITEMS - 3
    assert any("of 25 items asked for" in each and "the filter keeps out 21" in each for each in found.notices)


def test_an_unknown_user_gets_popular_items_and_is_told_so(place, campaign):
    found = opened(place, campaign).recommend(user_id="nobody", num_results=4)
    popular = opened(place, "all").recommend(user_id="nobody", num_results=4)
    assert found.item_ids == popular.item_ids
    if campaign != "all":
        assert {each.reason for each in found.items} == {("Popular item",)}
        assert "nobody" in " ".join(found.notices)


def test_seen_items_are_left_out_as_the_campaign_or_the_request_says(place):
    seen = set(made_up_events().query("USER_ID == 'u05'")["ITEM_ID"])
    shop = opened(place)
    found = shop.recommend(user_id="u05")
    assert not seen & set(found.item_ids)
    assert {each.rule: each.removed for each in found.rules}["seen"] == len(seen)
    assert seen <= set(shop.recommend(user_id="u05", exclude_seen=False).item_ids)


def test_named_filters_and_expressions_count_alike(place):
    shop = opened(place)
    FilterStore(place.path, "g").create("not-bought", NOT_BOUGHT)
    named = shop.recommend(user_id="u03", filter="not-bought", exclude_seen=False)
    assert named.item_ids == shop.recommend(user_id="u03", filter=NOT_BOUGHT, exclude_seen=False).item_ids
    bought = made_up_events().query("USER_ID == 'u03' and EVENT_TYPE == 'Purchase'")["ITEM_ID"]
    assert not set(bought) & set(named.item_ids)
    with pytest.raises(FilterError, match=r"no filter 'not-bougth'\. Did you mean 'not-bought'"):
        shop.recommend(user_id="u03", filter="not-bougth")
    with pytest.raises(FilterError, match="MAX"):
        shop.recommend(user_id="u03", filter=CHEAP)
    with pytest.raises(FilterError, match="PRIZE"):
        shop.recommend(user_id="u03", filter="INCLUDE ItemID WHERE Items.PRIZE < 3")
    with pytest.raises(FilterError, match="CurrentItem"):
        shop.recommend(user_id="u03", filter="INCLUDE ItemID WHERE Items.PRICE < CurrentItem.PRICE")


def test_promoted_items_stand_where_they_should_and_what_they_cost_is_said(place):
    shop = opened(place)
    promotion = {"name": "own", "percent_promoted_items": 40, "filter": 'INCLUDE ItemID WHERE Items.GENRES IN ("g2")'}
    found = shop.recommend(user_id="u00", num_results=5, promotions=[promotion], seed=4)
    promoted = [each for each in found.items if each.promotion_name == "own"]
    assert len(promoted) == 2
    assert all(each.reason == ("Promoted item",) and int(each.item_id[1:]) % 3 == 2 for each in promoted)
    assert found.relevance.given_up > 0
    assert found.item_ids == shop.recommend(user_id="u00", num_results=5, promotions=[promotion], seed=4).item_ids


def test_the_exploit_list_is_unchanged_at_weight_0_and_new_items_come_with_weight(place):
    shop = opened(place)
    plain = shop.recommend(user_id="u00", num_results=5)
    assert plain.exploration_share == 0
    explored = shop.recommend(user_id="u00", num_results=5, exploration_weight=1.0, seed=1)
    marked = [each.item_id for each in explored.items if "Exploration" in each.reason]
    assert marked
    assert set(marked) <= {"i21", "i22", "i23"}
    assert explored.exploration_share == len(marked) / 5
    assert shop.recommend(user_id="u00", num_results=5, exploration_weight=0.0).item_ids == plain.item_ids


def test_metadata_and_explanations_come_on_request(place):
    found = opened(place, "picks").recommend(
        user_id="u00", num_results=3, metadata_columns=["TITLE", "PRICE"], explain=True
    )
    for each in found.items:
        assert each.metadata == {"TITLE": f"Film {int(each.item_id[1:])}", "PRICE": float(int(each.item_id[1:]))}
        assert sum(abs(part.share) for part in each.explanation.influences) <= 1 + 1e-9
    assert "because you" in found.items[0].explanation.text
    with pytest.raises(ServingError, match=r"no column 'TITEL'\. Did you mean 'TITLE'"):
        opened(place).recommend(user_id="u00", metadata_columns=["TITEL"])


def test_a_list_without_a_user_is_the_one_for_everybody(place):
    shop = opened(place, "all")
    assert shop.recommend(num_results=3).item_ids == shop.recommend(user_id="nobody", num_results=3).item_ids
    assert shop.recommend(num_results=3).user_id is None


def test_context_that_no_model_learned_is_refused_by_name(place):
    with pytest.raises(ServingError, match="DEVICE"):
        opened(place).recommend(user_id="u00", context={"DEVICE": "phone"})


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 100),
    weight=st.sampled_from([0.0, 0.4, 1.0]),
    rule=st.sampled_from([None, NOT_BOUGHT, "INCLUDE ItemID WHERE Items.PRICE < 15 | " + NOT_BOUGHT]),
    promoted=st.booleans(),
    k=st.integers(1, 12),
    name=st.sampled_from(list(RECIPES)),
)
def test_lists_of_many_are_the_lists_of_each_alone(place, seed, weight, rule, promoted, k, name):
    shop = opened(place, name)
    fields = {"num_results": k, "exploration_weight": weight, "filter": rule, "seed": seed}
    if promoted:
        fields["promotions"] = [
            {"name": "own", "percent_promoted_items": 30, "filter": "INCLUDE ItemID WHERE Items.PRICE > 10"}
        ]
    users = ["u01", "nobody", "u17", "u29", "u04"]
    alone = [shop.recommend(user_id=user, **fields) for user in users]
    many = list(shop.recommend_many(users, **fields))
    assert [each.item_ids for each in many] == [each.item_ids for each in alone]
    for one, other in zip(many, alone, strict=True):
        assert [(each.reason, each.promotion_name) for each in one.items] == [
            (each.reason, each.promotion_name) for each in other.items
        ]
        own, theirs = ([-1.0 if each.score is None else each.score for each in found.items] for found in (one, other))
        assert own == pytest.approx(theirs, rel=1e-4)  # sums of a block end in other last digits
    frame = shop.codes_many(users, **fields).frame()
    listed = {user: part["ITEM_ID"].tolist() for user, part in frame.groupby("USER_ID")}
    assert [listed.get(user, []) for user in users] == [each.item_ids for each in alone]


def test_a_live_event_changes_the_next_list_and_a_cached_one(place):
    cache = ListCache()
    shop = opened(place, "picks", cache=cache)
    before = shop.recommend(user_id="u11", num_results=5)
    again = shop.recommend(user_id="u11", num_results=5)
    assert again.cached
    assert again.items == before.items
    assert again.recommendation_id != before.recommendation_id
    assert (cache.report().hits, cache.report().misses) == (1, 1)
    bought = {"eventType": "Purchase", "sentAt": START + 10_000, "itemId": before.item_ids[0], "eventId": "e11"}
    LiveEvents(place.path, "g").put_events("s", [bought], "u11")
    after = shop.recommend(user_id="u11", num_results=5)
    assert not after.cached
    assert before.item_ids[0] not in after.item_ids
    assert after.user_version > before.user_version
    other = shop.recommend(user_id="u12", num_results=5)
    assert shop.recommend(user_id="u12", num_results=5).items == other.items


def test_lists_with_exploration_are_not_kept_unless_asked(place):
    shop = opened(place, cache=ListCache())
    for _ in range(2):
        assert not shop.recommend(user_id="u00", exploration_weight=0.5).cached
    assert shop.cache_report().not_kept == 2
    shop = opened(place, cache=ListCache(), cache_exploration=True)
    assert [shop.recommend(user_id="u00", exploration_weight=0.5).cached for _ in range(2)] == [False, True]


def test_requests_go_on_while_the_campaign_is_updated(place, train_in):
    shop = opened(place, "all", cache=ListCache())
    first = shop.recommend(user_id="u00", num_results=3)
    update_campaign(place, "g", "all", settings=CampaignSettings(exploration_weight=0.0, exclude_seen=False))
    assert shop.refresh()
    assert shop.deployment.revision == 2
    later = shop.recommend(user_id="u00", num_results=3)
    assert not later.cached
    assert first.details != later.details


def test_what_was_listed_is_remembered_under_its_id(place):
    shop = opened(place)
    found = shop.recommend(user_id="u00", num_results=4)
    log = RecommendationLog(place.path, "g")
    for _ in range(50):
        kept = log.get(found.recommendation_id)
        if kept is not None:
            break
        time.sleep(0.1)
    assert list(kept.items) == found.item_ids


def test_a_replaced_filter_and_another_campaign_make_another_answer(place):
    cache = ListCache()
    store = FilterStore(place.path, "g")
    store.create("cheap-now", "INCLUDE ItemID WHERE Items.PRICE < 3")
    shop, other = opened(place, cache=cache), opened(place, "all", cache=cache)
    fields = {"user_id": "u20", "filter": "cheap-now", "exclude_seen": False}
    assert set(shop.recommend(**fields).item_ids) == {"i00", "i01", "i02"}
    assert shop.recommend(**fields).cached
    assert not other.recommend(**fields).cached
    store.replace("cheap-now", "INCLUDE ItemID WHERE Items.PRICE < 2")
    found = shop.recommend(**fields)
    assert (set(found.item_ids), found.cached) == ({"i00", "i01"}, False)
    store.delete("cheap-now")
    with pytest.raises(FilterError, match="no filter 'cheap-now'"):
        shop.recommend(**fields)


def test_a_filter_that_asks_for_the_time_is_never_answered_from_the_cache(place):
    cache = ListCache()
    shop = opened(place, cache=cache)
    recent = "EXCLUDE ItemID WHERE Interactions.TIMESTAMP > NOW() - 30d"
    for _ in range(2):
        assert not shop.recommend(user_id="u20", filter=recent).cached
    assert cache.report().not_kept == 2


def test_closing_writes_what_was_listed(place):
    shop = opened(place)
    found = shop.recommend(user_id="u00", num_results=4)
    shop.close()
    log = RecommendationLog(place.path, "g")
    assert list(log.get(found.recommendation_id).items) == found.item_ids
    log.close()
