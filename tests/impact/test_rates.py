"""Rates: ratios by hand, intervals that know about users, and no winner that the data do not support."""

import numpy as np
import pandas as pd
import pytest

from workbench.errors import AttributionError
from workbench.impact.rates import rates
from workbench.impact.ratios import NO_CLEAR_DIFFERENCE, wilson


def log(rows):
    """One event per (user, source, type, times)."""
    frame = pd.DataFrame(rows, columns=["USER_ID", "SOURCE", "EVENT_TYPE", "TIMES"])
    frame = frame.loc[frame.index.repeat(frame.TIMES)].reset_index(drop=True)
    return frame[["USER_ID", "EVENT_TYPE"]], frame.SOURCE


@pytest.fixture
def two_sources():
    """Source a sells to 4 of 10 views, b to 1 of 10; two hundred users each."""
    rows = []
    for number in range(200):
        rows += [(f"u{number}", "a", "View", 1), (f"v{number}", "b", "View", 1)]
        rows += [(f"u{number}", "a", "Buy", 1)] if number % 10 < 4 else []
        rows += [(f"v{number}", "b", "Buy", 1)] if number % 10 < 1 else []
    return log(rows)


def test_rates_are_ratios_of_counts(two_sources):
    events, sources = two_sources
    found = rates(events, sources, {"conversion": ["Buy", "View"]}, seed=1)
    table = found.table.set_index("EVENT_ATTRIBUTION_SOURCE")
    assert table.loc["a", ["COUNT", "OF", "VALUE", "USERS", "INTERVAL"]].tolist() == [80, 200, 0.4, 200, "bootstrap"]
    assert table.loc["b", "VALUE"] == pytest.approx(0.1)
    # With one view per user the bootstrap is the ordinary interval of a proportion.
    half = 1.96 * np.sqrt(0.4 * 0.6 / 200)
    assert table.loc["a", "LOW"] == pytest.approx(0.4 - half, abs=0.012)
    assert table.loc["a", "HIGH"] == pytest.approx(0.4 + half, abs=0.012)


def test_a_clear_difference_is_called_one(two_sources):
    events, sources = two_sources
    pair = rates(events, sources, {"conversion": ["Buy", "View"]}, seed=1).differences.iloc[0]
    assert (pair.FIRST, pair.SECOND, pair.READING) == ("a", "b", "higher")
    assert pair["DIFFERENCE"] == pytest.approx(0.3)
    assert 0 < pair.LOW < 0.3 < pair.HIGH < 0.4


def test_the_same_seed_gives_the_same_and_inputs_stay(two_sources):
    events, sources = two_sources
    before = events.copy(), sources.copy()
    first = rates(events, sources, {"c": ["Buy", "View"]}, seed=3)
    again = rates(events, sources, {"c": ["Buy", "View"]}, seed=3)
    pd.testing.assert_frame_equal(first.table, again.table)
    pd.testing.assert_frame_equal(first.differences, again.differences)
    pd.testing.assert_frame_equal(events, before[0])
    pd.testing.assert_series_equal(sources, before[1])


def test_one_eager_user_makes_a_wide_interval():
    spread = [(f"u{n}", "a", "View", 10) for n in range(40)] + [(f"u{n}", "a", "Buy", 1) for n in range(40)]
    eager = [(f"u{n}", "a", "View", 10) for n in range(40)] + [(f"u{n}", "a", "Buy", 10) for n in range(4)]
    widths = []
    for rows in (spread, eager):
        events, sources = log(rows)
        row = rates(events, sources, {"c": ["Buy", "View"]}, seed=1).table.iloc[0]
        assert row["VALUE"] == pytest.approx(0.1)
        widths.append(row.HIGH - row.LOW)
    assert widths[0] == pytest.approx(0, abs=1e-12)
    assert widths[1] > 0.15


def test_no_success_at_all_is_not_certainty():
    events, sources = log(
        [(f"u{n}", "a", "View", 3) for n in range(20)] + [("x", "b", "View", 1), ("x", "b", "Buy", 1)]
    )
    row = rates(events, sources, {"c": ["Buy", "View"]}, seed=1).table.set_index("EVENT_ATTRIBUTION_SOURCE").loc["a"]
    assert (row.VALUE, row.LOW, row.INTERVAL) == (0, 0, "Wilson")
    assert row["HIGH"] == pytest.approx(1.96**2 / (20 + 1.96**2), abs=1e-3), "twenty users, not sixty views"


def test_few_events_name_no_winner():
    events, sources = log([(f"u{n}", source, "View", 1) for n in range(6) for source in "ab"] + [("u1", "a", "Buy", 1)])
    pair = rates(events, sources, {"c": ["Buy", "View"]}, seed=1).differences.iloc[0]
    assert pair.READING == NO_CLEAR_DIFFERENCE
    assert pair.LOW < 0 < pair.HIGH


def test_equal_sources_are_rarely_told_apart():
    """Eight sources with the same truth make 28 pairs; at 95 % for all at once a false alarm is rare in 20 logs."""
    alarms = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        users = np.arange(8 * 150)
        bought = rng.random(len(users)) < 0.2
        rows = [(f"u{u}", f"s{u % 8}", "View", 1) for u in users]
        rows += [(f"u{u}", f"s{u % 8}", "Buy", 1) for u in users[bought]]
        events, sources = log(rows)
        pairs = rates(events, sources, {"c": ["Buy", "View"]}, seed=seed, resamples=300).differences
        alarms += int((pairs.READING != NO_CLEAR_DIFFERENCE).any())
    assert alarms <= 4


def test_lists_shown_are_the_denominator_that_events_lack():
    events, sources = log([("u1", "a", "View", 2), ("u2", "a", "View", 1), ("u2", "organic", "View", 5)])
    shown = pd.DataFrame({"USER_ID": ["u1"] * 4 + ["u2"] * 6, "EVENT_ATTRIBUTION_SOURCE": ["a"] * 9 + ["quiet"]})
    found = rates(events, sources, {"ctr": ["View", "shown"]}, seed=1, shown=shown)
    table = found.table.set_index("EVENT_ATTRIBUTION_SOURCE")
    assert table.loc["a", ["COUNT", "OF"]].tolist() == [3, 9]
    assert table.loc["quiet", ["COUNT", "OF"]].tolist() == [0, 1]
    assert found.left_out.values.tolist() == [["ctr", "organic", 5, "nothing to divide by (shown)"]]


def test_wilson_by_hand():
    # Wilson's interval for 10 of 100 at z = 1.96, worked out on paper: 0.0552 to 0.1744.
    assert wilson(10, 100, 1.959964) == pytest.approx((0.05522914, 0.17436566), abs=1e-6)


@pytest.mark.parametrize(
    ("definition", "words"),
    [
        (["Buy"], "must be .event type, of which event type."),
        ("Buy", "must be .event type, of which event type."),
        (["Byu", "View"], "no event type 'Byu'. Did you mean 'Buy'"),
        (["Buy", "shown"], "no table of lists shown was given"),
    ],
)
def test_definitions_that_cannot_be_counted(two_sources, definition, words):
    with pytest.raises(AttributionError, match=words):
        rates(*two_sources, {"c": definition}, seed=1)


def test_wrong_arguments_are_named(two_sources):
    events, sources = two_sources
    with pytest.raises(ValueError, match="level must lie between 0 and 1, not 95"):
        rates(events, sources, {"c": ["Buy", "View"]}, seed=1, level=95)
    with pytest.raises(AttributionError, match="400 events and 2 sources|500 events and 2 sources"):
        rates(events, sources.head(2), {"c": ["Buy", "View"]}, seed=1)
    with pytest.raises(AttributionError, match="The lists have no column 'EVENT_ATTRIBUTION_SOURCE'"):
        rates(events, sources, {"c": ["Buy", "shown"]}, seed=1, shown=pd.DataFrame({"USER_ID": ["u"]}))
