import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ServingError
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.exploration import eligible_items, explore
from workbench.serving.exploration_policies import (
    POLICIES,
    _clicked_draws,
    _newer_first,
    _top,
    _unseen_first,
    policy,
    thompson,
    ucb,
)
from workbench.serving.exploration_simulation import World, simulate

DAY = 86_400
ORDER = np.arange(100, dtype=np.int32)
NEW = np.arange(1_000, 1_500, dtype=np.int32)
NONE = np.zeros(500, dtype=np.int64)


def rng(seed=0):
    return np.random.default_rng(seed)


def test_items_are_eligible_up_to_the_cut_off_newest_first():
    created = np.array([100, 90, 70, 69, 120, 100]) * DAY  # latest event on day 100, cut-off 30 days
    assert eligible_items(created, 100 * DAY).tolist() == [4, 0, 5, 1, 2]
    assert eligible_items(created, 100 * DAY, 5).tolist() == [4, 0, 5]
    assert eligible_items(created, 100 * DAY, 0).tolist() == [4, 0, 5]
    allowed = np.array([True, False, True, True, False, True])
    assert eligible_items(created, 100 * DAY, 30.0, allowed).tolist() == [0, 5, 2]


@pytest.mark.parametrize("days", [-1, float("nan"), "30", True, None])
def test_a_cut_off_is_a_number_of_days(days):
    with pytest.raises(ServingError, match=r"cut-off of exploration is .*; it must be a number of days, 0 or more"):
        eligible_items(np.array([0]), 0, days)


def test_weight_nought_leaves_the_list_and_the_chance_untouched():
    chance = rng()
    before = chance.bit_generator.state
    found = explore(ORDER, NEW, NONE, NONE, 0.0, 25, chance)
    assert found.codes.tobytes() == ORDER[:25].tobytes()
    assert found.codes.dtype == ORDER.dtype
    assert (found.explored.any(), found.share, found.opened) == (False, 0.0, 0)
    assert chance.bit_generator.state == before


def test_weight_one_opens_every_place():
    found = explore(ORDER, NEW, NONE, NONE, 1.0, 25, rng())
    assert found.explored.all()
    assert np.isin(found.codes, NEW).all()
    assert found.share == 1.0


@pytest.mark.parametrize("name", POLICIES)
@pytest.mark.parametrize("weight", [0.1, 0.3, 0.7])
def test_the_weight_is_the_expected_share_of_explored_places(name, weight):
    chance = rng(3)
    shares = [explore(ORDER, NEW, NONE, NONE, weight, 20, chance, name).share for _ in range(1_000)]
    deviation = np.sqrt(weight * (1 - weight) / 20_000)  # 20,000 places, each opened by itself
    assert abs(np.mean(shares) - weight) < 4 * deviation


def test_every_place_is_opened_alike():
    chance = rng(4)
    hits = sum(explore(ORDER, NEW, NONE, NONE, 0.3, 10, chance).explored.astype(int) for _ in range(4_000))
    assert abs(hits / 4_000 - 0.3).max() < 4 * np.sqrt(0.3 * 0.7 / 4_000)


def test_the_rest_of_the_list_keeps_its_order():
    found = explore(ORDER, NEW, NONE, NONE, 0.4, 25, rng(1))
    kept = found.codes[~found.explored]
    assert kept.tolist() == list(range(len(kept)))
    assert 0 < found.explored.sum() < 25


def test_the_same_chance_gives_the_same_list():
    one, other, third = (explore(ORDER, NEW, NONE, NONE, 0.4, 25, rng(seed)) for seed in (1, 1, 2))
    assert one.codes.tolist() == other.codes.tolist()
    assert one.codes.tolist() != third.codes.tolist()


@settings(deadline=None)
@given(
    st.permutations(range(30)),
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 200), st.integers(0, 20)), max_size=30, unique_by=lambda x: x[0]
    ),
    st.floats(0, 1),
    st.integers(1, 20),
    st.integers(0, 30),
    st.sampled_from(sorted(POLICIES)),
    st.integers(0, 99),
)
def test_no_item_is_listed_twice_and_nothing_else_is_listed(order, new, weight, k, length, name, seed):
    order = np.array(order[:length], dtype=np.int32)
    eligible, shown, clicked = (np.array([each[n] for each in new], dtype=np.int64) for n in range(3))
    found = explore(order, eligible, shown, clicked, weight, k, rng(seed), name)
    codes, explored = found.codes.tolist(), found.explored
    assert len(set(codes)) == len(codes) <= k
    assert set(found.codes[explored].tolist()) <= set(eligible.tolist())
    places = {code: place for place, code in enumerate(order.tolist())}
    kept = [places[code] for code in found.codes[~explored].tolist()]
    assert kept == sorted(kept)
    assert len(codes) >= min(k, len(order))
    assert explored.sum() <= found.opened
    assert found.share == (explored.mean() if codes else 0)
    left_out = set(order[: k - int(explored.sum())].tolist()) - set(codes)
    assert not left_out  # who keeps a place by relevance is not lost


def test_a_new_item_that_is_relevant_keeps_its_place_unexplored():
    for seed in range(50):
        found = explore(np.array([7, 8, 9, 10]), np.array([7]), NONE[:1], NONE[:1], 0.5, 3, rng(seed))
        assert found.codes.tolist() == [7, 8, 9]
        assert not found.explored.any()


def test_with_few_items_the_share_is_lower_and_the_list_still_whole():
    found = explore(ORDER, NEW[:2], NONE[:2], NONE[:2], 1.0, 10, rng())
    assert (len(found.codes), found.explored.sum(), found.opened, found.share) == (10, 2, 10, 0.2)


def test_explored_items_fill_a_short_list():
    found = explore(ORDER[:1], NEW, NONE, NONE, 1.0, 5, rng())
    assert len(found.codes) == 5
    assert explore(ORDER[:0], NEW[:0], NONE[:0], NONE[:0], 1.0, 5, rng()).share == 0.0


@pytest.mark.parametrize("name", ["thompson", "ucb"])
def test_what_is_shown_and_ignored_loses_its_chance(name):
    """One item among 20 others with 20 impressions and 1 click each: the more it was ignored, the less it is taken."""
    chosen = []
    for ignored in (1, 20, 60, 300, 5_000):
        shown, clicked = np.full(21, 20), np.ones(21, dtype=int)
        shown[20], clicked[20] = ignored, 0
        chance = rng(6)
        taken = [20 in policy(name)(shown, clicked, 3, chance, 0.05).tolist() for _ in range(2_000)]
        chosen.append(np.mean(taken))
    assert chosen == sorted(chosen, reverse=True)
    assert chosen[0] > chosen[-1] == 0.0


def test_an_ignored_item_is_at_last_not_explored_at_all():
    shares = []
    for ignored in (0, 1, 20, 100, 2_000):
        chance, shown = rng(7), np.array([ignored])
        found = [explore(ORDER, NEW[:1], shown, shown * 0, 1.0, 10, chance).explored.sum() for _ in range(4_000)]
        shares.append(np.mean(found))
    # Never shown: always. Then the chance that Beta(1, 19 + n) lies above 0.05, which is 0.95^(19 + n).
    wanted = [1.0, *(0.95 ** (19 + n) for n in (1, 20, 100, 2_000))]
    assert np.abs(np.array(shares) - wanted).max() < 0.03
    assert shares[-1] == 0.0


def test_clicks_give_a_chance_back():
    shown = np.full(40, 100)
    clicked = np.where(np.arange(40) == 11, 20, 0)
    chance = rng(8)
    assert np.mean([thompson(shown, clicked, 1, chance)[0] == 11 for _ in range(500)]) > 0.99
    assert ucb(shown, clicked, 1, chance).tolist() == [11]


def test_clicks_without_an_impression_do_no_harm():
    found = explore(ORDER, NEW[:3], np.array([0, 1, 0]), np.array([2, 5, 0]), 1.0, 5, rng())
    assert found.explored.sum() >= 2


@pytest.mark.parametrize(("clicks", "misses"), [(1, 19), (1, 150), (3, 60), (5, 114), (20, 19), (50, 50)])
def test_draws_of_clicked_items_are_close_to_exact_ones(clicks, misses):
    hits, shown = (np.full(200_000, each, dtype=np.float32) for each in (clicks, misses - 19 + clicks))
    drawn = -np.expm1(-_clicked_draws(hits, shown, 19.0, rng(11)))
    exact = rng(12).beta(1 + clicks, misses, 200_000)
    points = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999]
    assert np.quantile(drawn, points) == pytest.approx(np.quantile(exact, points), rel=0.045)


def test_ucb_takes_what_was_never_shown_newest_first_and_draws_nothing():
    shown = np.array([5, 0, 40, 0, 0])
    chance = rng()
    before = chance.bit_generator.state
    assert ucb(shown, shown * 0, 3, chance).tolist() == [1, 3, 4]
    assert chance.bit_generator.state == before


def test_draws_of_items_never_shown_are_the_largest_of_so_many():
    """Means of the order statistics of 5 exponentials: 1/5 + 1/4 + … up to the largest."""
    chance = rng(9)
    values = np.mean([_unseen_first(np.arange(5), 5, chance)[1] for _ in range(20_000)], axis=0)
    assert values == pytest.approx([137 / 60, 77 / 60, 47 / 60, 9 / 20, 1 / 5], abs=0.03)
    first = np.mean([_unseen_first(np.arange(1_000), 2, chance)[1][0] for _ in range(20_000)])
    assert first == pytest.approx(np.log(1_000) + 0.5772, abs=0.05)


@pytest.mark.parametrize("count", [6, 7])  # single draws, and a race of all
def test_the_newest_item_never_shown_is_likeliest_to_be_first(count):
    chance = rng(10)
    drawn = [_newer_first(100, count, chance) for _ in range(20_000)]
    firsts = np.bincount([each[0] for each in drawn], minlength=100) / 20_000
    wanted = np.log1p(1 / np.arange(1, 101)) / np.log(101)
    assert np.abs(firsts - wanted).max() < 0.012
    seconds = [each[1] for each in drawn if each[0] == 0]
    left = wanted[1:] / wanted[1:].sum()
    assert np.abs(np.bincount(seconds, minlength=100)[1:] / len(seconds) - left).max() < 0.03
    assert all(len(set(each.tolist())) == count for each in drawn[:100])


@given(st.lists(st.integers(0, 6), max_size=400), st.integers(0, 40), st.integers(0, 7))
def test_the_largest_values_are_found_with_ties_by_position(values, count, bar):
    found = _top(np.array(values * 6, dtype=float), count, bar)
    many = values * 6
    wanted = sorted((-value, place) for place, value in enumerate(many) if value >= bar)[:count]
    assert found.tolist() == [place for _, place in wanted]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weight": 1.5}, r"exploration weight is 1.5; it must be a share from 0 to 1"),
        ({"weight": float("nan")}, r"exploration weight is nan"),
        ({"prior_rate": 0.0}, r"exploration prior rate is 0.0"),
        ({"shown": NONE[:4]}, r"shown holds 4 counts for 500 eligible items"),
        ({"clicked": NONE[:4]}, r"clicked holds 4 counts for 500 eligible items"),
        ({"policy_name": "tompson"}, r"no exploration policy 'tompson'. Did you mean 'thompson'"),
    ],
)
def test_what_cannot_be_explored_is_refused(change, message):
    given = {"order": ORDER, "eligible": NEW, "shown": NONE, "clicked": NONE, "weight": 0.3, "k": 5, "rng": rng()}
    with pytest.raises(ServingError, match=message):
        explore(**given | change)


def test_arguments_are_not_changed():
    order, new, shown, clicked = ORDER.copy(), NEW.copy(), np.arange(500) % 3, np.arange(500) % 2
    before = [each.copy() for each in (order, new, shown, clicked)]
    for name in POLICIES:
        explore(order, new, shown, clicked, 0.5, 25, rng(), name)
    for one, other in zip((order, new, shown, clicked), before, strict=True):
        np.testing.assert_array_equal(one, other)


def test_in_a_simulation_some_exploration_finds_the_new_items_and_thompson_beats_chance():
    world = World(known=20, new=40, places=5, lists=1_500)
    runs = pd.concat([simulate([0.0, 0.2, 1.0], ["thompson", "uniform"], world, seed) for seed in range(3)])
    mean = runs.groupby(["POLICY", "WEIGHT"])[["SHARE", "REGRET", "LATE_REGRET", "FOUND"]].mean()
    assert mean.loc[("thompson", 0.2), "SHARE"] == pytest.approx(0.2, abs=0.02)
    assert mean.loc[("thompson", 0.0), "SHARE"] == 0.0
    assert mean.loc[("thompson", 0.2), "FOUND"] > mean.loc[("thompson", 0.0), "FOUND"]
    assert mean.loc[("thompson", 0.2), "LATE_REGRET"] < mean.loc[("thompson", 0.0), "LATE_REGRET"]
    assert mean.loc[("thompson", 1.0), "REGRET"] < mean.loc[("uniform", 1.0), "REGRET"]
    pd.testing.assert_frame_equal(simulate([0.2], ["thompson"], world, 1), simulate([0.2], ["thompson"], world, 1))


def test_a_campaign_names_its_policy():
    assert CampaignSettings().exploration_policy == "thompson"
    assert CampaignSettings.from_json({"exploration_policy": "ucb"}).to_json()["exploration_policy"] == "ucb"
    with pytest.raises(ServingError, match=r"no exploration policy 'greedy'"):
        CampaignSettings(exploration_policy="greedy")
