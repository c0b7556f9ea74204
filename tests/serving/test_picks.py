"""A game of picks goes through live events: lists follow every pick, an undo brings old ones back, games never mix."""

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import ServingError
from workbench.serving.deployment import open_campaign
from workbench.serving.examples import ensure_campaign
from workbench.serving.picks import DOWN, GONE, NEW, PICKED, SAME, UP, Move, PickGame, changes
from workbench.serving.recommender import Recommender


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Workspace:
    """Two groups of people, who watch even and odd films; "click" is the rarer event type, values are 2 and 4."""
    workspace = Workspace(tmp_path_factory.mktemp("picks") / "workspace")
    for group in ("own", "other"):
        workspace.create_group(group)
        rows = [
            (
                f"u{u:02d}",
                f"i{2 * ((u // 2 + s) % 6) + u % 2}",
                1_000 * s + u,
                "click" if s == 4 else "watch",
                2.0 + s % 2 * 2,
            )
            for u in range(40)
            for s in range(5)
        ]
        events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE"])
        workspace.write_dataset(group, "interactions", events, origin={"source": "test"})
    return workspace


def recommender(place: Workspace, recipe: str = "graph-filter", group: str = "own", **options) -> Recommender:
    return ensure_campaign(place, group, f"front-{recipe}", recipe, train_anyway=True, log=False, **options)


@pytest.fixture(scope="module")
def both(place: Workspace) -> dict[str, Recommender]:
    return {recipe: recommender(place, recipe) for recipe in ("graph-filter", "popularity-count")}


@pytest.fixture
def game(both) -> PickGame:
    return PickGame(both, places=4)


def ids(turn, name="graph-filter") -> list[str]:
    return turn.lists[name].item_ids


def test_a_list_follows_the_pick_and_names_it(game: PickGame):
    start = game.now
    turn = game.pick("i3")
    assert (turn.what, turn.item_id, turn.picks) == ("pick", "i3", ("i3",))
    assert len(ids(turn)) == 4
    assert set(ids(turn)) < {"i1", "i5", "i7", "i9", "i11"}, "who likes an odd film gets odd ones, not the same again"
    assert ids(turn) != ids(start)
    told = turn.lists["graph-filter"].items[0].explanation
    assert [each.name for each in told.influences] == ["i3"]
    assert turn.seconds >= turn.put_seconds > 0
    assert set(turn.list_seconds) == set(game.recommenders)


def test_the_pick_is_a_live_event_of_the_usual_kind(game: PickGame):
    game.pick("i3")
    game.pick("i5")
    first, second = game.live.user_events(game.session_id)
    assert (first.item_id, first.event_type, first.event_value, first.user_id) == ("i3", "watch", 2.0, None)
    assert second.time - first.time == 60
    assert first.time > game.deployment.newest_time


def test_an_undo_brings_the_list_of_the_other_picks_back(game: PickGame):
    alone = ids(game.pick("i3"))
    game.pick("i4")
    turn = game.undo()
    assert (turn.what, turn.item_id, turn.picks) == ("undo", "i4", ("i3",))
    assert ids(turn) == alone
    game.pick("i4")  # once more, as another event
    turn = game.undo("i3")
    assert (turn.picks, [each.item_id for each in game.live.user_events(game.session_id)]) == (("i4",), ["i4"])


def test_clearing_leaves_nothing(game: PickGame):
    game.pick("i3")
    game.pick("i4")
    turn = game.clear()
    assert (turn.what, turn.picks, len(game.turns)) == ("clear", (), 4)
    assert ids(turn) == ids(game.turns[0])
    assert game.live.user_events(game.session_id) == []


def test_games_of_two_people_do_not_mix(both):
    one, two = PickGame(both, places=4), PickGame(both, places=4)
    before = ids(two.now)
    one.pick("i3")
    assert one.session_id != two.session_id
    assert ids(two.clear()) == before
    assert ids(two.pick("i4")) != ids(one.now)
    assert one.picks == ("i3",)


def test_another_process_sees_the_same(place: Workspace, game: PickGame):
    turn = game.pick("i3")
    apart = Recommender(open_campaign(place.path, "own", "front-graph-filter"))
    assert apart.recommend(user_id=game.session_id, num_results=4, exploration_weight=0.0).item_ids == ids(turn)


def test_what_cannot_be_picked_or_undone_says_why(game: PickGame):
    with pytest.raises(ServingError, match="There is no item 'i99' in the catalogue"):
        game.pick("i99")
    with pytest.raises(ServingError, match="There is no pick to take back"):
        game.undo()
    game.pick("i3")
    with pytest.raises(ServingError, match="'i3' is picked already"):
        game.pick("i3")
    with pytest.raises(ServingError, match="'i4' is not picked; picked are 'i3'"):
        game.undo("i4")
    assert (game.picks, len(game.turns)) == (("i3",), 2)


def test_a_pick_without_lists_is_taken_back(game: PickGame):
    game.places = 501
    with pytest.raises(ServingError, match="501"):
        game.pick("i3")
    assert game.picks == ()
    assert game.live.user_events(game.session_id) == []
    game.places = 4
    assert game.pick("i3").picks == ("i3",)


def test_recommenders_must_belong_together(place: Workspace, both):
    with pytest.raises(ServingError, match="at least one recommender"):
        PickGame({})
    with pytest.raises(ServingError, match=r"several groups \(here of own, there of other\)"):
        PickGame({"here": both["popularity-count"], "there": recommender(place, "popularity-count", "other")})
    with pytest.raises(ServingError, match="deaf was opened without live events"):
        PickGame({"deaf": recommender(place, "popularity-count", live=False)})


def test_changes_of_a_list_by_hand():
    assert changes(["a", "b", "c", "d"], ["b", "a", "e", "f"], picked=["c"]) == (
        Move("b", UP, 1, 2),
        Move("a", DOWN, 2, 1),
        Move("e", NEW, 3, None),
        Move("f", NEW, 4, None),
        Move("c", PICKED, None, 3),
        Move("d", GONE, None, 4),
    )
    assert changes(["a"], ["a"]) == (Move("a", SAME, 1, 1),)
    assert changes([], []) == ()
