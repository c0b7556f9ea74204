"""Answers kept for the next equal request."""

import pytest

from workbench.errors import ServingError
from workbench.serving.list_cache import CacheReport, ListCache


class Ticks:
    """A clock that goes on by one second with every look."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        self.now += 1.0
        return self.now


def test_an_equal_request_is_answered_from_what_was_kept():
    cache, clock = ListCache(), Ticks()
    assert cache.answer(("u1", 0), lambda: "first", clock) == ("first", False)
    assert cache.answer(("u1", 0), lambda: "second", clock) == ("first", True)
    # made in 1 tick; found after 1 tick, so nothing was saved on this clock
    assert cache.report() == CacheReport(hits=1, misses=1, kept=1, milliseconds_saved=0.0)
    assert cache.report().hit_rate == 0.5


def test_what_was_saved_is_what_making_took_less_what_finding_took():
    cache, clock = ListCache(), Ticks()

    def slow():
        clock.now += 10.0
        return "slow"

    cache.answer("key", slow, clock)  # 11 seconds
    cache.answer("key", slow, clock)  # 1 second
    assert cache.report().milliseconds_saved == 10_000.0


def test_another_version_of_the_user_is_another_answer():
    cache, clock = ListCache(), Ticks()
    cache.answer(("u1", 0), lambda: "before", clock)
    assert cache.answer(("u1", 1), lambda: "after", clock) == ("after", False)


def test_without_a_key_nothing_is_kept_and_it_is_counted():
    cache, clock = ListCache(), Ticks()
    assert cache.answer(None, lambda: "a", clock) == ("a", False)
    assert cache.answer(None, lambda: "b", clock) == ("b", False)
    assert cache.report() == CacheReport(not_kept=2)


def test_the_least_recently_asked_for_is_dropped():
    cache, clock = ListCache(most=2), Ticks()
    for key in ("a", "b", "a", "c"):
        cache.answer(key, lambda key=key: key, clock)
    assert cache.answer("a", lambda: "again", clock) == ("a", True)
    assert cache.answer("b", lambda: "again", clock) == ("again", False)
    assert (cache.report().dropped, len(cache)) == (2, 2)


def test_cleared_answers_are_made_again():
    cache, clock = ListCache(), Ticks()
    cache.answer("a", lambda: "old", clock)
    cache.clear()
    assert cache.answer("a", lambda: "new", clock) == ("new", False)


@pytest.mark.parametrize("most", [0, -1, 1.5, True])
def test_a_cache_of_no_answers_is_refused(most):
    with pytest.raises(ServingError, match=r"A cache of .* answers cannot be; it keeps a whole number of them"):
        ListCache(most)


def test_an_answer_that_fails_is_not_kept():
    cache, clock = ListCache(), Ticks()
    with pytest.raises(ZeroDivisionError):
        cache.answer("a", lambda: 1 / 0, clock)
    assert cache.answer("a", lambda: "well", clock) == ("well", False)
