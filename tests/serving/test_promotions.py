import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import ServingError
from workbench.serving.caps import ReadyCap, broken, cap_list
from workbench.serving.promotions import ReadyPromotion, promote, promoted_places
from workbench.serving.relevance import relevance
from workbench.serving.tables import NumberColumn, TextColumn

ORDER = np.arange(30, dtype=np.int32)  # code = rank - 1
SALE = np.arange(100, 140, dtype=np.int32)


def rng(seed=0):
    return np.random.default_rng(seed)


def codes(*values):
    return np.array(values, dtype=np.int32)


def placed(found, name):
    return [place + 1 for place, each in enumerate(found.names) if each == name]


@pytest.mark.parametrize(
    ("percent", "k", "places"),
    [(20, 25, 5), (10, 25, 3), (50, 25, 13), (30, 5, 2), (1, 25, 1), (1, 1, 1), (100, 7, 7), (99, 10, 10), (34, 10, 3)],
)
def test_a_share_is_rounded_to_the_nearest_place_a_half_upwards_at_least_one(percent, k, places):
    assert promoted_places(percent, k) == places


def test_without_promotions_the_list_and_the_chance_stay_as_they_are():
    chance = rng()
    before = chance.bit_generator.state
    found = promote(ORDER, 10, [], chance, scores=np.ones(30))
    assert found.codes.tobytes() == ORDER[:10].tobytes()
    assert found.names.tolist() == [None] * 10
    assert (found.moved, found.relevance.given_up, found.effects) == (0, 0.0, ())
    assert chance.bit_generator.state == before


def test_promoted_items_stand_among_the_others_both_in_their_order():
    found = promote(ORDER, 10, [ReadyPromotion("sale", 40, SALE)], rng(1))
    sale = found.names == "sale"
    assert found.codes[sale].tolist() == [100, 101, 102, 103]
    assert found.codes[~sale].tolist() == [0, 1, 2, 3, 4, 5]
    assert found.effects[0].text == "sale: 4 of 4 items"
    first = int(np.flatnonzero(sale)[0])
    assert found.moved == 10 - first  # every place from the first promoted one on


def test_promoted_places_are_random_and_all_alike():
    chance = rng(2)
    hits = np.zeros(10)
    for _ in range(4_000):
        hits += promote(ORDER, 10, [ReadyPromotion("sale", 30, SALE)], chance).names == "sale"
    assert np.abs(hits / 4_000 - 0.3).max() < 4 * np.sqrt(0.3 * 0.7 / 4_000)


def test_the_same_chance_gives_the_same_list():
    sale = [ReadyPromotion("sale", 40, SALE)]
    one, other = (promote(ORDER, 10, sale, rng(5)) for _ in range(2))
    assert one.codes.tolist() == other.codes.tolist()
    assert len({tuple(promote(ORDER, 10, sale, rng(seed)).codes.tolist()) for seed in range(5)}) > 1


def test_with_too_few_candidates_as_many_as_there_are_and_the_list_is_whole():
    found = promote(ORDER, 10, [ReadyPromotion("sale", 40, SALE[:2])], rng())
    assert sorted(found.codes.tolist()) == [*range(8), 100, 101]
    assert found.effects[0].text == "sale: 2 of 4 items; only 2 items are left to promote"
    none = promote(ORDER, 10, [ReadyPromotion("sale", 40, SALE[:0])], rng())
    assert none.codes.tolist() == list(range(10))
    assert none.effects[0].text == "sale: 0 of 4 items; no item is left to promote"


def test_all_places_can_be_promoted():
    found = promote(ORDER, 10, [ReadyPromotion("sale", 100, SALE)], rng())
    assert found.codes.tolist() == list(range(100, 110))


def test_a_promoted_item_is_not_listed_again_and_the_filter_of_the_list_is_not_asked():
    found = promote(codes(5, 6, 7), 3, [ReadyPromotion("sale", 34, codes(6, 200))], rng())
    assert sorted(found.codes.tolist()) == [5, 6, 7]
    assert found.codes[found.names == "sale"].tolist() == [6]
    other = promote(codes(5, 6, 7), 3, [ReadyPromotion("sale", 67, codes(6, 200))], rng())
    assert sorted(other.codes.tolist()) == [5, 6, 200]


def test_a_short_list_stays_short():
    found = promote(codes(1, 2), 10, [ReadyPromotion("sale", 20, SALE)], rng())
    assert sorted(found.codes.tolist()) == [1, 2, 100, 101]


def test_fixed_slots_hold_the_promoted_items_in_their_order():
    found = promote(ORDER, 6, [ReadyPromotion("top", None, SALE, slots=(4, 1))], rng())
    assert found.codes.tolist() == [100, 0, 1, 101, 2, 3]
    assert found.effects[0].text == "top: 2 of 2 items"


def test_slots_and_a_larger_share_leave_the_rest_to_chance():
    found = promote(ORDER, 10, [ReadyPromotion("top", 30, SALE, slots=(1,))], rng(3))
    assert placed(found, "top")[0] == 1
    assert found.codes[found.names == "top"].tolist() == [100, 101, 102]


def test_with_fewer_items_than_slots_the_first_slots_are_filled():
    found = promote(ORDER, 6, [ReadyPromotion("top", None, SALE[:1], slots=(2, 5))], rng())
    assert found.codes.tolist() == [0, 100, 1, 2, 3, 4]
    assert found.effects[0].text == "top: 1 of 2 items; only 1 item is left to promote"


def test_a_slot_behind_the_end_of_a_short_list_moves_to_it():
    found = promote(codes(1, 2), 10, [ReadyPromotion("top", None, SALE, slots=(1, 9))], rng())
    assert len(found.codes) == 4
    assert found.codes[0] == 100
    assert found.codes[found.codes >= 100].tolist() == [100, 101]


def test_the_earlier_promotion_has_the_item_and_the_place():
    first = ReadyPromotion("first", None, codes(100, 101), slots=(1,))
    second = ReadyPromotion("second", None, codes(100, 102, 103), slots=(1, 3))
    found = promote(ORDER, 5, [first, second], rng())
    assert found.codes.tolist() == [100, 0, 102, 1, 2]
    assert found.names.tolist() == ["first", None, "second", None, None]
    assert found.effects[1].text == "second: 1 of 2 items; place 1 belongs to an earlier promotion"


def test_promotions_share_the_places_until_the_list_is_full():
    promotions = [ReadyPromotion("a", 60, SALE), ReadyPromotion("b", 60, SALE), ReadyPromotion("c", 60, SALE)]
    found = promote(ORDER, 10, promotions, rng())
    assert [each.placed for each in found.effects] == [6, 4, 0]
    assert found.codes[found.names == "b"].tolist() == [106, 107, 108, 109]
    assert found.effects[1].text == "b: 4 of 6 items; earlier promotions fill the other places"


def test_a_cap_of_a_promotion_holds():
    found = promote(ORDER, 10, [ReadyPromotion("a", 60, SALE, cap=2)], rng())
    assert found.effects[0].text == "a: 2 of 6 items; at most 2 are to be"
    assert sorted(found.codes.tolist()) == [*range(8), 100, 101]


def test_a_slot_beyond_the_list_is_said():
    found = promote(ORDER, 5, [ReadyPromotion("a", None, SALE, slots=(2, 9))], rng())
    assert found.effects[0].text == "a: 1 of 2 items; the list has 5 places, not 9"


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"percent": None}, r"Promotion 'sale' has neither a percent nor slots"),
        ({"percent": 0}, r"wants 0 percent of the places; it must be from 1 to 100"),
        ({"percent": 101}, r"wants 101 percent"),
        ({"percent": None, "slots": (0, 3)}, r"wants place 0; the first place of a list is 1"),
    ],
)
def test_odd_promotions_are_refused(given, message):
    with pytest.raises(ServingError, match=message):
        ReadyPromotion("sale", candidates=SALE, **given)


ITEMS = st.lists(st.integers(0, 60), max_size=40, unique=True).map(lambda each: np.array(each, dtype=np.int32))
SLOTS = st.lists(st.integers(1, 30), min_size=1, max_size=4).map(tuple)
SIZES = st.tuples(st.integers(1, 100), st.none() | SLOTS) | st.tuples(st.none(), SLOTS)  # percent and slots
PROMOTION = st.builds(
    lambda size, items, cap: ReadyPromotion("p", size[0], items, size[1], cap),
    SIZES,
    ITEMS,
    st.none() | st.integers(1, 5),
)


@settings(deadline=None)
@given(ITEMS, st.integers(1, 25), st.lists(PROMOTION, max_size=4), st.integers(0, 50), st.integers(0, 3))
def test_whatever_is_promoted_the_list_is_whole_and_names_each_item_once(order, k, promotions, seed, at_most):
    caps = [ReadyCap.of("N", at_most, NumberColumn(np.arange(61.0) % 7))] if at_most else []
    found = promote(order, k, promotions, rng(seed), caps=caps)
    listed = found.codes.tolist()
    assert len(listed) == len(set(listed)) == len(found.names) <= k
    assert sum(each.placed for each in found.effects) == sum(name is not None for name in found.names)
    assert not broken(found.codes, caps)
    rest = found.codes[found.names == None].tolist()  # noqa: E711, elementwise
    places = {code: place for place, code in enumerate(order.tolist())}
    assert [places[code] for code in rest] == sorted(places[code] for code in rest)
    if not caps:
        assert len(listed) == min(k, len(set(order.tolist()) | set(listed)))


def test_arguments_are_not_changed():
    order, sale = ORDER.copy(), SALE.copy()
    promote(order, 10, [ReadyPromotion("a", 50, sale, slots=(1,))], rng())
    assert (order.tolist(), sale.tolist()) == (ORDER.tolist(), SALE.tolist())


# Relevance given up


def test_relevance_with_and_without_is_what_a_hand_computes():
    found = relevance(np.array([0.4, 0.3]), np.array([0.4, 0.1]))
    assert (found.sum_without, found.sum_with) == pytest.approx((0.7, 0.5))
    assert found.gain_without == pytest.approx(0.4 + 0.3 / np.log2(3))
    assert found.gain_with == pytest.approx(0.4 + 0.1 / np.log2(3))
    assert found.given_up == pytest.approx(0.2 / np.log2(3) / (0.4 + 0.3 / np.log2(3)))


def test_negative_scores_count_from_the_lowest():
    found = relevance(np.array([-1.0, -2.0]), np.array([-1.0, -4.0]))
    assert found.gain_without == pytest.approx(3 + 2 / np.log2(3))
    assert found.gain_with == pytest.approx(3)
    assert (found.sum_without, found.sum_with) == (-3.0, -5.0)


def test_items_without_a_score_gain_nothing():
    found = relevance(np.array([0.5, 0.5]), np.array([np.nan, 0.5]))
    assert found.sum_with == 0.5
    assert found.gain_with == pytest.approx(0.5 / np.log2(3))
    assert relevance(np.array([]), np.array([])).given_up == 0.0
    assert relevance(np.array([np.nan]), np.array([-np.inf])).given_up == 0.0


def test_a_promotion_tells_what_it_costs():
    scores = np.zeros(140)
    scores[:30] = np.linspace(1.0, 0.1, 30)
    found = promote(ORDER, 2, [ReadyPromotion("top", None, SALE, slots=(1,))], rng(), scores=scores)
    second = 1 / np.log2(3)
    assert found.relevance.gain_with == pytest.approx(second)
    assert found.relevance.given_up == pytest.approx(1 - second / (1 + scores[1] * second))


# Caps

GENRES = TextColumn(
    np.array([0, 0, 1, 2, -1, 1, 0, -1]), np.array(["Action", "Crime", "Action|Crime"], dtype=object)
)  # by code: A A C A|C - C A -


def test_a_cap_keeps_the_best_of_every_value():
    cap = ReadyCap.of("GENRES", 1, GENRES)
    assert cap_list(np.arange(8), 8, [cap]).tolist() == [0, 2, 4, 7]
    assert cap_list(np.arange(8)[::-1], 3, [cap]).tolist() == [7, 6, 5]
    assert cap_list(codes(3, 0, 2, 4), 4, [cap]).tolist() == [3, 4]  # A|C fills both values


def test_a_cap_of_two_lets_two_in():
    cap = ReadyCap.of("GENRES", 2, GENRES)
    assert cap_list(np.arange(8), 8, [cap]).tolist() == [0, 1, 2, 4, 5, 7]


def test_several_caps_hold_together():
    price = NumberColumn(np.array([1.0, 2.0, 1.0, 1.0, 2.0, np.nan, np.nan, 2.0]))
    caps = [ReadyCap.of("GENRES", 2, GENRES), ReadyCap.of("PRICE", 1, price)]
    assert cap_list(np.arange(8), 8, caps).tolist() == [0, 1, 5]


def test_without_caps_the_order_is_cut():
    assert cap_list(np.arange(8), 3, []).tolist() == [0, 1, 2]


def test_a_cap_holds_for_promoted_items_too_and_they_are_chosen_first():
    cap = ReadyCap.of("GENRES", 1, GENRES)
    found = promote(codes(0, 2, 4, 7), 3, [ReadyPromotion("p", 67, codes(1, 6, 5))], rng(), caps=[cap])
    assert found.codes[found.names == "p"].tolist() == [1, 5]  # 6 is Action again
    assert sorted(found.codes.tolist()) == [1, 4, 5]  # 0 and 2 have no room any more


def test_broken_caps_are_counted():
    assert broken(codes(0, 1, 3, 4), [ReadyCap.of("GENRES", 1, GENRES)]) == {"GENRES": 2}  # Action three times


@settings(deadline=None)
@given(st.lists(st.integers(-1, 4), min_size=700, max_size=700), st.integers(1, 40), st.integers(1, 4))
def test_caps_keep_what_a_plain_loop_keeps(fields, k, at_most):
    texts = np.array(["a", "b", "c", "a|b", "b|d"], dtype=object)
    wanted, counts = [], {}
    for code, each in enumerate(fields):
        values = texts[each].split("|") if each >= 0 else []
        if len(wanted) < k and all(counts.get(value, 0) < at_most for value in values):
            wanted.append(code)
            counts |= {value: counts.get(value, 0) + 1 for value in values}
    cap = ReadyCap.of("X", at_most, TextColumn(np.array(fields), texts))
    assert cap_list(np.arange(700), k, [cap]).tolist() == wanted


def test_odd_caps_are_refused():
    with pytest.raises(ServingError, match=r"The cap on GENRES is 0; it must be a whole number from 1"):
        ReadyCap.of("GENRES", 0, GENRES)
    prose = TextColumn(np.array([0]), np.array(["Once upon | a time"], dtype=object), textual=True)
    with pytest.raises(ServingError, match=r"PLOT holds text, whose fields are all different"):
        ReadyCap.of("PLOT", 1, prose)
