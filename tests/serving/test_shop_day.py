"""A shop's day through the public calls: import, train, deploy, filter, promote, live events, batch, redeploy.

Nothing that was acknowledged is lost, nothing is counted twice, and no list is older than what it was made from.
"""

import json
import subprocess
import sys
import time

import pytest

from workbench.data.events import LiveEvents
from workbench.data.events_merge import merge_into_history
from workbench.data.samples import ensure_group
from workbench.data.workspace import Workspace
from workbench.recipes.training import TrainingConfig, train
from workbench.serving.batch import run_batch
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import campaign_revisions, create_campaign, redeploy, update_campaign
from workbench.serving.deployment import open_campaign
from workbench.serving.filter_store import FilterStore
from workbench.serving.recommender import Recommender

GROUP, CAMPAIGN = "shop", "home"
WRITERS, VISITS = 4, 40  # processes, and events that each of them puts one by one
OF_BRAND = "INCLUDE ItemID WHERE Items.BRAND IN ($BRAND)"
PROMOTION = {"name": "own-brand", "percent_promoted_items": 20, "filter": OF_BRAND}
# One writer: every visitor buys one item and is told so only once the event is stored.
WRITER = """
import json, sys, time
from workbench.data.events import LiveEvents
place, number, visits = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3])
live = LiveEvents(place, "shop")
for count, (user, item) in enumerate(visits):
    event = {"eventType": "Purchase", "sentAt": int(time.time()), "itemId": item, "eventId": f"{number}-{count}"}
    result = live.put_events(f"visit-{number}-{count}", [event], user)
    print(json.dumps([user, item, result.stored]), flush=True)
"""


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    """The morning: the shop's data are imported, a version is trained and deployed, a rule has a name."""
    place = Workspace(tmp_path_factory.mktemp("shop_day"))
    ensure_group(place, GROUP)
    train(place, GROUP, "picks", "user-personalization", TrainingConfig(seed=7, exclude_seen=False))
    settings = CampaignSettings(exploration_weight=0.0)
    create_campaign(place, GROUP, CAMPAIGN, "picks", settings=settings)
    FilterStore(place.path, GROUP).create("not-bought", 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ("Purchase")')
    return place


def opened(place):
    return Recommender(open_campaign(place.path, GROUP, CAMPAIGN))


def put(live, session, kind, item, id_, user=None, ago=0):
    event = {"eventType": kind, "sentAt": int(time.time()) - ago, "itemId": item, "eventId": id_}
    return live.put_events(session, [event], user)


def purchases(place):
    events = place.dataset(GROUP, "interactions").frame()
    return events[events["EVENT_TYPE"] == "Purchase"]


def test_the_day(day):
    events_before = day.dataset(GROUP, "interactions").rows
    shop = opened(day)
    users = sorted(day.dataset(GROUP, "users").frame()["USER_ID"])[: WRITERS * VISITS]
    brand = day.dataset(GROUP, "items").frame().set_index("ITEM_ID")["BRAND"]

    # The morning's lists keep the rule, and the promotion takes its share of the places.
    first = {user: shop.recommend(user_id=user, filter="not-bought", seed=1).item_ids for user in users}
    bought = purchases(day).groupby("USER_ID")["ITEM_ID"].agg(set).to_dict()
    assert all(not bought.get(user, set()) & set(items) for user, items in first.items())
    own = brand.value_counts().index[0]
    promoted = shop.recommend(
        user_id=users[0], num_results=10, promotions=[PROMOTION | {"filter_values": {"BRAND": own}}], seed=1
    )
    marked = [each.item_id for each in promoted.items if each.promotion_name == "own-brand"]
    assert len(marked) == 2
    assert all(brand[item] == own for item in marked)

    # At noon four processes write what people buy: each the item at the head of the list they were shown.
    visits = [[user, first[user][0]] for user in users]
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(day.path), str(number), json.dumps(visits[number::WRITERS])],
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(WRITERS)
    ]
    acknowledged = [json.loads(line) for writer in writers for line in writer.communicate()[0].splitlines()]
    assert [writer.returncode for writer in writers] == [0] * WRITERS
    assert sorted(acknowledged) == sorted([user, item, 1] for user, item in visits)

    # The very next lists know it, in this process and in one that is opened now.
    begun = time.monotonic()
    follow = shop.recommend(user_id=users[0], filter="not-bought", seed=1)
    assert time.monotonic() - begun < 1.0
    assert first[users[0]][0] not in follow.item_ids
    assert follow.user_version > 0
    again = opened(day)
    for user, item in visits[:20]:
        assert item not in again.recommend(user_id=user, filter="not-bought", seed=1).item_ids

    # Somebody without a name looks at two things, then signs in: the visit is theirs at once.
    live = LiveEvents(day.path, GROUP)
    seen = first[users[1]][1:3]
    for count, item in enumerate(seen):
        put(live, "guest", "View", item, f"g{count}", ago=2 - count)
    assert shop.recommend(user_id="guest", seed=1).user_version > 0
    put(live, "guest", "View", seen[0], "g2", "newcomer")
    assert [each.item_id for each in live.user_events("newcomer")] == [*seen, seen[0]]
    newcomer = shop.recommend(user_id="newcomer", seed=1)
    assert newcomer.item_ids != shop.recommend(user_id="nobody yet", seed=1).item_ids

    # A purchase is taken back: the item may be listed again.
    put(live, "slip", "Purchase", first[users[2]][1], "slip", users[2])
    assert first[users[2]][1] not in shop.recommend(user_id=users[2], filter="not-bought", seed=1).item_ids
    live.undo("slip")
    assert first[users[2]][1] in shop.recommend(user_id=users[2], filter="not-bought", seed=1).item_ids

    # A batch for everybody who was there gives the lists that requests give.
    asked = day.path / "asked.jsonl"
    asked.write_text("".join(json.dumps({"userId": user}) + "\n" for user in [*users[:30], "newcomer"]))
    done = run_batch(
        day, GROUP, "evening", CAMPAIGN, asked, num_results=10, filter="not-bought", seed=1, progress=False
    )
    answers = [json.loads(line) for line in done.output.read_text().splitlines()]
    assert len(answers) == 31
    for answer in answers:
        user = answer["input"]["userId"]
        live_list = shop.recommend(user_id=user, num_results=10, filter="not-bought", seed=1).item_ids
        assert answer["output"]["recommendedItems"] == live_list

    # At night what came in becomes history, a version is trained on it, and the campaign moves on while it serves.
    lists = {user: shop.recommend(user_id=user, filter="not-bought", seed=1).item_ids for user in users[:10]}
    merged = merge_into_history(day, GROUP)["interactions"]
    assert merged.added == len(visits) + 3
    assert day.dataset(GROUP, "interactions").rows == events_before + len(visits) + 3
    again = merge_into_history(day, GROUP)["interactions"]
    assert (again.added, again.version.version) == (0, merged.version.version)
    kept = purchases(day)
    assert {(user, item) for user, item in visits} <= set(zip(kept["USER_ID"], kept["ITEM_ID"], strict=True))
    histories = {user: len(shop.deployment.users.state(user).events) for user in users[:10]}
    redeploy(day, GROUP, CAMPAIGN)
    assert shop.refresh()
    assert shop.deployment.revision == 2
    for user, items in lists.items():  # the same model, and no event lost or doubled by being stored
        assert len(shop.deployment.users.state(user).events) == histories[user]
        assert shop.recommend(user_id=user, filter="not-bought", seed=1).item_ids == items
    trained = train(day, GROUP, "picks", "user-personalization", TrainingConfig(seed=7, exclude_seen=False))
    assert trained.version.version == 2
    assert "version 2" in " ".join(shop.deployment.behind())
    update_campaign(day, GROUP, CAMPAIGN, version=2, expected_revision=2)
    assert shop.refresh()
    assert (shop.deployment.revision, shop.deployment.version) == (3, 2)
    assert list(campaign_revisions(day, GROUP, CAMPAIGN)["REVISION"]) == [1, 2, 3]
    for user, item in visits[:20]:
        assert item not in shop.recommend(user_id=user, filter="not-bought", seed=1).item_ids
