"""Every check on tables small enough to count by hand, at the edge of its threshold."""

import json

import pandas as pd
import pytest

from workbench.data.checks.assembling import findings_frame
from workbench.data.checks.facts import gather
from workbench.data.checks.registry import CHECKS
from workbench.data.insights import as_table, catalogue, insights

NOW = 1_700_000_000  # 2023-11-14 22:13:20 UTC
MONDAY = 1_672_617_600  # 2023-01-02 00:00:00 UTC
DAY, HOUR = 86_400, 3_600


def log(users, items, times, **more) -> pd.DataFrame:
    """Events from parallel lists."""
    return pd.DataFrame({"USER_ID": users, "ITEM_ID": items, "TIMESTAMP": times, **more})


def spread(rows: int, users: int, items: int = 40, **more) -> pd.DataFrame:
    """`rows` distinct events, users and items in turn, an hour and a bit apart."""
    return log(
        [f"u{row % users}" for row in range(rows)],
        [f"i{row % items}" for row in range(rows)],
        [MONDAY + 3_700 * row for row in range(rows)],
        **more,
    )


def run(check: str, now: int = NOW, **tables: pd.DataFrame) -> pd.DataFrame:
    facts = gather({kind: as_table(table) for kind, table in tables.items()}, now)
    return findings_frame([(check, found) for found in CHECKS[check].find(facts)])


def only(check: str, now: int = NOW, **tables: pd.DataFrame) -> pd.Series:
    found = run(check, now, **tables)
    assert len(found) == 1, found
    return found.iloc[0]


def test_999_interactions_block_and_1000_do_not():
    few = only("too_few_interactions", interactions=spread(999, 30))
    assert (few["SEVERITY"], few["NUMBER"], few["BLOCKS"]) == ("blocks", 999, "all recipes")
    assert "Import 1 more" in few["MESSAGE"]
    enough = only("too_few_interactions", interactions=spread(1000, 30))
    assert (enough["SEVERITY"], enough["NUMBER"]) == ("warning", 1000)
    assert "Import 49,000 more" in enough["MESSAGE"]


def test_repeated_rows_count_as_one_interaction():
    frame = spread(1000, 30)
    frame.loc[999] = frame.loc[998]
    assert only("too_few_interactions", interactions=frame)["NUMBER"] == 999


def test_50000_interactions_are_as_many_as_advised():
    frame = spread(50_000, 30)
    now = MONDAY + 3_700 * 50_000
    assert run("too_few_interactions", now, interactions=frame).empty
    assert len(run("too_few_interactions", now, interactions=frame.head(49_999))) == 1


@pytest.mark.parametrize(("users", "severity"), [(24, "blocks"), (25, "warning"), (999, "warning")])
def test_users_with_two_interactions(users, severity):
    once = log(["single"], ["i0"], [MONDAY])
    found = only("too_few_users", interactions=pd.concat([spread(2 * users, users), once]))
    assert (found["SEVERITY"], found["NUMBER"]) == (severity, users)


def test_1000_users_with_two_interactions_are_enough():
    assert run("too_few_users", interactions=spread(2000, 1000)).empty


@pytest.mark.parametrize(("users", "found"), [(100, 0), (101, 1)])
def test_one_per_cent_of_users_need_two_interactions(users, found):
    frame = log([*(f"u{n}" for n in range(users)), "u0"], ["i"] * (users + 1), range(MONDAY, MONDAY + users + 1))
    assert len(run("too_small_share_of_users", interactions=frame)) == found


@pytest.mark.parametrize(("items", "severity"), [(1, "blocks"), (2, "warning"), (25, "warning"), (26, None)])
def test_catalogues_too_small_to_choose_from(items, severity):
    found = run("too_few_items", interactions=spread(60, 5, items))
    assert found["SEVERITY"].tolist() == ([severity] if severity else [])


def test_all_times_equal_blocks_user_segments():
    found = only("all_times_equal", interactions=log(["a", "b"], ["x", "y"], [MONDAY, MONDAY]))
    assert found["SEVERITY"] == "blocks"
    assert "item-affinity" in found["BLOCKS"]
    assert run("all_times_equal", interactions=log(["a", "b"], ["x", "y"], [MONDAY, MONDAY + 1])).empty


def items(**columns) -> pd.DataFrame:
    rows = len(next(iter(columns.values())))
    return pd.DataFrame({"ITEM_ID": [f"i{n}" for n in range(rows)], **columns})


@pytest.mark.parametrize(("filled", "found"), [(69, 1), (70, 0)])
def test_rows_and_columns_should_be_70_per_cent_complete(filled, found):
    table = items(BRAND=["acme"] * filled + [None] * (100 - filled))
    columns = run("missing_columns", items=table)
    rows = run("missing_rows", items=table)
    assert len(columns) == len(rows) == found
    if found:
        assert columns["NUMBER"].item() == rows["NUMBER"].item() == 69
        assert json.loads(columns["STEP"].item())["step"] == "drop_columns"


def test_blank_text_and_nan_are_missing():
    table = items(BRAND=["a", "  ", "", None], PRICE=[1.0, float("nan"), 2.0, 3.0])
    found = run("missing_columns", items=table)
    assert found["NUMBER"].tolist() == [25]
    assert run("missing_values", items=table)["NUMBER"].tolist() == [1]


@pytest.mark.parametrize(("missing", "severity"), [(0, None), (1, "info"), (10, "info"), (11, "warning"), (31, None)])
def test_missing_values_below_the_border_of_the_column_check(missing, severity):
    table = items(PRICE=[None] * missing + [2.0] * (100 - missing))
    assert run("missing_values", items=table)["SEVERITY"].tolist() == ([severity] if severity else [])


def test_columns_that_are_empty_by_nature_do_not_count_as_gaps():
    frame = spread(10, 2, EVENT_VALUE=[1.0] + [None] * 9, RECOMMENDATION_ID=["r"] + [None] * 9)
    assert run("missing_rows", interactions=frame).empty
    found = only("missing_columns", interactions=frame)
    assert (found["SEVERITY"], found["COLUMN"], found["STEP"]) == ("info", "EVENT_VALUE", "")


def test_rows_without_ids_or_time_block():
    frame = log(["a", None, " ", "b"], ["x", "y", "z", None], [MONDAY, MONDAY, None, MONDAY])
    found = run("missing_ids", interactions=frame)
    assert found[["COLUMN", "NUMBER"]].to_numpy().tolist() == [["USER_ID", 2], ["ITEM_ID", 1], ["TIMESTAMP", 1]]
    assert set(found["SEVERITY"]) == {"blocks"}


@pytest.mark.parametrize(("filled", "found"), [(84, 1), (85, 0)])
def test_texts_need_to_be_85_per_cent_complete(filled, found):
    words = [f"A long description of thing number {n}, in words." for n in range(filled)]
    findings = run("text_completeness", items=items(PRODUCT_DESCRIPTION=words + [None] * (100 - filled)))
    assert len(findings) == found
    assert findings["BLOCKS"].tolist() == ["semantic-similarity"] * found


def test_items_and_users_without_interactions():
    frame = log(["a", "b"], ["x", "x"], [MONDAY, MONDAY + 1])
    catalogue_rows = pd.DataFrame({"ITEM_ID": ["x", "y", "z"], "PRICE": [1.0, 2.0, 3.0]})
    people = pd.DataFrame({"USER_ID": ["a", "b", "c", "d", "e"], "AGE": [1, 2, 3, 4, 5]})
    silent = only("items_without_interactions", interactions=frame, items=catalogue_rows)
    assert (round(silent["NUMBER"], 2), silent["SEVERITY"]) == (66.67, "warning")
    silent = only("users_without_interactions", interactions=frame, users=people)
    assert (silent["NUMBER"], silent["SEVERITY"]) == (60, "warning")
    assert run("users_without_interactions", interactions=frame, users=people.head(2)).empty


def test_outliers_lie_beyond_three_interquartile_ranges():
    # Quartiles of 1..9 are 3 and 7, so the fences are 3 - 12 = -9 and 7 + 12 = 19.
    assert run("outliers", items=items(SIZE=[1, 2, 3, 4, 5, 6, 7, 8, 9])).empty
    # One more value moves the quartiles to 3.25 and 7.75, the upper fence to 7.75 + 13.5 = 21.25.
    assert run("outliers", items=items(SIZE=[1, 2, 3, 4, 5, 6, 7, 8, 9, 21.25])).empty
    found = only("outliers", items=items(SIZE=[1, 2, 3, 4, 5, 6, 7, 8, 9, 21.26]))
    assert found["NUMBER"] == 1
    assert json.loads(found["STEP"])["high"] == 3
    assert "21.25" in found["MESSAGE"]


def test_a_column_that_leans_to_the_right_is_judged_by_ratio():
    # Quartiles 10, 100, 1000: on a linear scale (10 + 1000 - 200) / 990 = 0.82, on a logarithmic one 0.
    prices = [10.0] * 26 + [100.0] * 49 + [1000.0] * 25
    found = only("outliers", items=items(PRICE=[*prices, 2e9]))
    assert found["NUMBER"] == 1
    assert run("outliers", items=items(PRICE=[*prices, 9e8])).empty  # the fence is at 1000 · 100³ = 1e9


@pytest.mark.parametrize(("categories", "found"), [(30, 0), (31, 1)])
def test_more_than_30_categories(categories, found):
    table = items(KIND=[f"kind {chr(97 + n % 26)}{n // 26}" for n in range(categories)] * 2)
    assert len(run("too_many_categories", items=table)) == found


def test_joined_values_count_one_by_one():
    table = items(GENRES=["Drama|Comedy", "Comedy", "Drama|Action"] * 2)
    assert run("too_many_categories", items=table).empty
    many = items(GENRES=[f"g{n}|g{n + 31}" for n in range(31)] * 2)
    assert only("too_many_categories", items=many)["NUMBER"] == 62


def test_values_joined_with_a_comma():
    table = items(GENRES=["Drama, Comedy", "Comedy", "Drama, Action", "Action", "Drama|Action", "Comedy, Action"])
    found = only("multi_value_separator", items=table)
    assert found["NUMBER"] == 3
    assert json.loads(found["STEP"]) | {"why": ""} == {
        "step": "multi_values", "column": "GENRES", "separator": ",", "why": "",
    }  # fmt: skip
    names = items(MAKER=["Black, Decker", "Smith, Sons", "Acme", "Black, Decker", "Smith, Sons", "Acme"])
    assert run("multi_value_separator", items=names).empty  # taking them apart would give new parts only


def test_markup_is_counted_and_a_lone_sign_is_not():
    texts = ["<b>new</b> and improved", "salt &amp; pepper", "3 < 4 and 5 > 2", "plain", "R&D; no entity here"]
    assert only("markup", items=items(DESCRIPTION=texts))["NUMBER"] == 3  # "&D;" has the form of an entity


def test_too_long_values():
    assert run("too_long_values", items=pd.DataFrame({"ITEM_ID": ["x" * 256], "PRICE": [1]})).empty
    assert only("too_long_values", items=pd.DataFrame({"ITEM_ID": ["x" * 257], "PRICE": [1]}))["NUMBER"] == 257


def test_constant_columns():
    assert only("constant_columns", items=items(SHOP=["one"] * 3))["COLUMN"] == "SHOP"
    assert run("constant_columns", items=items(SHOP=["one", "one", "two"])).empty


@pytest.mark.parametrize(("columns", "found"), [(5, 0), (6, 1)])
def test_more_than_five_metadata_columns_of_interactions(columns, found):
    frame = spread(4, 2, EVENT_TYPE=["View"] * 4, **{f"C{n}": ["a", "b"] * 2 for n in range(columns)})
    assert len(run("too_many_columns", interactions=frame)) == found


def test_spellings_of_one_category():
    table = items(COLOUR=["Blue", "Blue", "BLUE", "N/A", "N/A", "Not Applicable", "Red"])
    found = only("inconsistent_naming", items=table)
    assert found["NUMBER"] == 2
    assert json.loads(found["STEP"])["values"] == {"BLUE": "Blue", "Not Applicable": "N/A"}
    nothing = only("words_for_nothing", items=table)
    assert nothing["NUMBER"] == 3


def test_a_last_word_counts_only_when_it_is_the_columns_name():
    table = items(COLOUR=["Blue", "Blue", "Blue colour", "Blue grey"], CUT=["Angus", "Angus", "Angus beef", "Pork"])
    found = only("inconsistent_naming", items=table)
    assert json.loads(found["STEP"])["values"] == {"Blue colour": "Blue"}


def test_spellings_of_single_values_within_joined_ones():
    found = only("inconsistent_naming", items=items(TAGS=["gift|new", "gift|NEW", "new", "gift"]))
    assert (found["NUMBER"], found["STEP"]) == (1, "")


@pytest.mark.parametrize(("types", "found"), [(10, 0), (11, 1)])
def test_more_than_ten_event_types(types, found):
    frame = spread(22, 4, EVENT_TYPE=[f"act{chr(97 + n % types)}" for n in range(22)])
    findings = run("event_types", interactions=frame)
    assert findings["NUMBER"].tolist() == [11] * found
    assert findings["BLOCKS"].tolist() == ["all recipes"] * found


def test_event_types_get_their_usual_or_most_frequent_name():
    frame = spread(7, 2, EVENT_TYPE=["View", "View", "view", "product_view", "order", "rate", "watch"])
    found = only("event_type_spelling", interactions=frame)
    assert found["NUMBER"] == 3  # watch differs from Watch in case only, and is the only spelling
    assert json.loads(found["STEP"])["types"] == {"view": "View", "product_view": "View", "order": "Purchase"}


def test_milliseconds_are_counted_and_read_as_seconds():
    frame = log(["a", "a", "b"], ["x", "y", "x"], [MONDAY, (MONDAY + 60) * 1000, (MONDAY + DAY) * 1_000_000])
    found = only("milliseconds", interactions=frame)
    assert (found["NUMBER"], found["SEVERITY"]) == (2, "blocks")
    assert "1 in milliseconds, 1 in microseconds" in found["MESSAGE"]
    assert run("future_times", interactions=frame).empty
    result = insights({"interactions": frame}, now=NOW)
    assert result.statistics["LAST"].item() == "2023-01-03 00:00:00"
    assert run("milliseconds", interactions=log(["a"], ["x"], [99_999_999_999])).empty


def test_future_times_start_after_now():
    frame = log(["a", "b"], ["x", "y"], [NOW, NOW + 1])
    assert only("future_times", interactions=frame)["NUMBER"] == 1
    assert run("future_times", NOW + 1, interactions=frame).empty


def test_ancient_times():
    frame = log(["a", "b", "c"], ["x", "y", "z"], [0, 631_151_999, 631_152_000])
    assert only("ancient_times", interactions=frame)["NUMBER"] == 2
    ranks = only("ancient_times", interactions=log(["a", "b"], ["x", "y"], [1, 2]))
    assert ranks["STEP"] == ""


def test_dates_without_hours():
    half = log(["a", "b"], ["x", "y"], [MONDAY, MONDAY + DAY + 5])
    assert only("times_without_hours", interactions=half)["NUMBER"] == 50
    assert run("times_without_hours", interactions=log(list("abc"), list("xyz"), [MONDAY, MONDAY + 5, 9])).empty


@pytest.mark.parametrize(("others", "found"), [(18, 1), (19, 0)])
def test_ties_from_ten_per_cent(others, found):
    tied = log(["a", "a"], ["x", "y"], [MONDAY, MONDAY])
    frame = pd.concat([tied, spread(others, 3).assign(TIMESTAMP=lambda each: each["TIMESTAMP"] + 7)])
    assert len(run("tied_times", interactions=frame)) == found


def test_an_event_repeated_with_the_same_item_is_no_tie():
    frame = log(["a", "a", "b"], ["x", "x", "y"], [MONDAY, MONDAY, MONDAY + 9])
    assert run("tied_times", interactions=frame).empty


def test_histories_made_in_one_sitting():
    sitting = log(["a"] * 10, list("abcdefghij"), [MONDAY + 400 * n for n in range(10)])  # exactly one hour
    longer = log(["b"] * 10, list("abcdefghij"), [MONDAY + 401 * n for n in range(10)])
    assert only("short_lives", interactions=pd.concat([sitting, longer]))["NUMBER"] == 50
    assert run("short_lives", interactions=longer).empty


@pytest.mark.parametrize(("days", "found"), [(7, 0), (8, 1)])
def test_a_hole_of_seven_days(days, found):
    frame = log(["a", "b"], ["x", "y"], [MONDAY, MONDAY + days * DAY])
    findings = run("holes", interactions=frame)
    assert findings["NUMBER"].tolist() == [7] * found
    assert all("2023-01-03" in message for message in findings["MESSAGE"])


def test_items_created_after_their_first_event():
    frame = log(["a", "b"], ["x", "y"], [MONDAY, MONDAY])
    made = pd.DataFrame({"ITEM_ID": ["x", "y"], "CREATION_TIMESTAMP": [MONDAY + 1, MONDAY]})
    assert only("created_after_first_event", interactions=frame, items=made)["NUMBER"] == 1


def test_activity_counts_hours_in_utc():
    frame = log(["a", "b", "c", "d"], list("wxyz"), [MONDAY + 3 * HOUR, MONDAY + 3 * HOUR + 3599, MONDAY, MONDAY + DAY])
    found = only("activity", interactions=frame)
    assert found["NUMBER"] == 50
    hours = insights({"interactions": frame}, now=NOW).hours.query("EVENTS > 0")
    assert hours.to_numpy().tolist() == [[0, 0, 1], [0, 3, 2], [1, 0, 1]]  # weekday 0 is Monday


def test_identical_events():
    frame = log(["a", "a", "a"], ["x", "x", "x"], [MONDAY] * 3, EVENT_TYPE=["View", "View", "Buy"])
    found = only("duplicate_events", interactions=frame)
    assert (found["NUMBER"], found["SEVERITY"]) == (1, "warning")


def test_repeated_ids():
    table = pd.DataFrame({"ITEM_ID": ["x", "x", "x", "y"], "PRICE": [1, 2, 3, 4]})
    found = only("duplicate_ids", items=table)
    assert found["NUMBER"] == 2
    assert json.loads(found["STEP"])["by"] == ["ITEM_ID"]


def test_ids_that_the_other_table_lacks():
    frame = log(["a", "b"], ["007", "9"], [MONDAY, MONDAY + 1])
    table = pd.DataFrame({"ITEM_ID": ["7", "9"], "PRICE": [1.0, 2.0]})
    found = only("unknown_items", interactions=frame, items=table)
    assert found["NUMBER"] == 1
    assert "leading zeros" in found["MESSAGE"]
    people = pd.DataFrame({"USER_ID": ["A", "b"], "AGE": [1, 2]})
    assert "case and blanks" in only("unknown_users", interactions=frame, users=people)["MESSAGE"]


def test_actions_that_the_table_lacks():
    events = pd.DataFrame({"USER_ID": ["a"], "ACTION_ID": ["ghost"], "EVENT_TYPE": ["TAKEN"], "TIMESTAMP": [MONDAY]})
    table = pd.DataFrame({"ACTION_ID": ["real"], "VALUE": [1]})
    assert only("unknown_actions", action_interactions=events, actions=table)["NUMBER"] == 1


@pytest.mark.parametrize(("taken", "found"), [(49, 1), (50, 0)])
def test_actions_need_fifty_events_of_both_sorts(taken, found):
    kinds = ["TAKEN"] * taken + ["VIEWED"] * 50
    events = pd.DataFrame({"USER_ID": "a", "ACTION_ID": "x", "EVENT_TYPE": kinds, "TIMESTAMP": MONDAY})
    assert len(run("too_few_action_events", action_interactions=events)) == found


def test_blanks_around_ids():
    assert only("blanks_in_ids", interactions=log([" a", "a"], ["x", "y"], [1, 2]))["NUMBER"] == 1


def test_an_id_that_stands_for_nobody():
    frame = pd.concat([spread(200, 50), log(["Anonymous"] * 200, ["x"] * 200, range(MONDAY, MONDAY + 200))])
    found = only("nobody", interactions=frame)
    assert (found["NUMBER"], found["COLUMN"]) == (200, "USER_ID")
    assert run("nobody", interactions=spread(200, 50).replace("u7", "0")).empty


def test_bots_are_quick_or_extreme():
    people = spread(400, 100)
    quick = log(["robot"] * 100, ["x"] * 100, [MONDAY + 5 * n for n in range(100)])
    found = only("bots", interactions=pd.concat([people, quick]))
    assert found["NUMBER"] == 1
    assert "robot" in found["MESSAGE"]
    assert run("bots", interactions=pd.concat([people, quick.head(99)])).empty
    # Lengths 2 and 4 for half of the users each: the fence is at 4 · (4 / 2)³ = 32, so 100 counts.
    lengths = pd.concat([spread(200, 100), spread(100, 50).assign(TIMESTAMP=lambda each: each["TIMESTAMP"] + 9)])
    slow = log(["crawler"] * 101, ["x"] * 101, [MONDAY + 600 * n for n in range(101)])
    assert only("bots", interactions=pd.concat([lengths, slow]))["NUMBER"] == 1


def test_repeats_count_each_moment_once():
    frame = log(["a"] * 4, ["x", "x", "x", "y"], [1, 2, 2, 3])  # three acts, two pairs
    found = only("repeats", interactions=frame)
    assert round(found["NUMBER"], 2) == 33.33
    assert found["SEVERITY"] == "info"
    most = log(["a"] * 4, ["x", "x", "x", "y"], [1, 2, 3, 4])
    assert only("repeats", interactions=most)["SEVERITY"] == "info"  # exactly half
    assert only("repeats", interactions=most.head(3))["SEVERITY"] == "warning"


def test_popularity_curve_finds_the_slope_of_a_power_law():
    # 120 / rank: 120, 60, 40, 30, 24 is a line of slope -1 on log scales.
    liked = [item for item, events in zip("abcde", [120, 60, 40, 30, 24], strict=True) for _ in range(events)]
    frame = log([f"u{n}" for n in range(len(liked))], liked, range(MONDAY, MONDAY + len(liked)))
    found = only("popularity_curve", interactions=frame)
    assert found["NUMBER"] == -1
    assert found["SEVERITY"] == "info"
    assert "rmse 0.00" in found["MESSAGE"]
    assert only("popularity_curve", interactions=spread(400, 10))["SEVERITY"] == "warning"


def test_visits_count_gaps_up_to_half_an_hour():
    frame = log(["a"] * 3 + ["b"], list("xyzx"), [MONDAY, MONDAY + 1800, MONDAY + 3601, MONDAY])
    found = only("visits", interactions=frame)
    assert found["NUMBER"] == 50  # 1,800 s and 1,801 s
    gaps = insights({"interactions": frame}, now=NOW).gaps.query("EVENTS > 0")
    assert gaps.to_numpy().tolist() == [[0.5, 1], [1, 1]]


def test_new_users_and_items_in_the_newest_tenth():
    # Ten times 1 to 10: the newest tenth starts at 9.1, so only the last event is in it.
    old = log(["a"] * 9, ["x"] * 9, range(1, 10))
    known = pd.concat([old, log(["a"], ["y"], [10])])
    assert only("new_users", interactions=known)["NUMBER"] == 0
    fresh = only("new_items", interactions=known)
    assert (fresh["NUMBER"], fresh["SEVERITY"]) == (100, "warning")


def test_twin_events():
    frame = log(["a"] * 3, ["x", "x", "y"], [1, 1, 2], EVENT_TYPE=["Click", "Watch", "Click"])
    found = only("twin_events", interactions=frame)
    assert round(found["NUMBER"], 2) == 33.33
    assert run("twin_events", interactions=frame.assign(TIMESTAMP=[1, 3, 2])).empty


def test_share_of_events_after_a_users_last_day():
    # User a stops on the first of two days with two events each; b stays: (2/4 + 0) / 2 = 25 %.
    frame = log(["a", "b", "b", "b"], list("wxyz"), [MONDAY, MONDAY + 1, MONDAY + DAY, MONDAY + DAY + 1])
    assert only("future_in_training", interactions=frame)["NUMBER"] == 25
    later = pd.concat([frame, log(["a"], ["q"], [MONDAY + DAY + 2])])
    assert run("future_in_training", interactions=later).empty


def test_a_column_that_counts_the_events():
    frame = log(
        ["u"] * 55, [f"i{n}" for n in range(10) for _ in range(n + 1)], [MONDAY + n for n in range(55)]
    )  # item n has n + 1 events
    counts = items(RATINGS=[10 * n for n in range(10)], PRICE=[3, 1, 4, 1, 5, 9, 2, 6, 5, 3])
    assert only("columns_made_of_events", interactions=frame, items=counts)["COLUMN"] == "RATINGS"


def test_thresholds_and_origins_are_written_down():
    table = catalogue()
    assert table["CHECK"].is_unique
    assert (table[["LOOKS_FOR", "THRESHOLD", "ORIGIN"]] != "").all().all()
