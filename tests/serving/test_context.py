import numpy as np
import pandas as pd
import pytest

from workbench.data.flow import Flow
from workbench.data.sources import open_source
from workbench.data.wall_clock import FEATURES, wall_clock
from workbench.errors import ServingError
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData
from workbench.serving.context import ContextRules, as_text

NOON = 1_748_779_200  # Sunday 2025-06-01 12:00 UTC
RULES = ContextRules(
    {"DEVICE": ["phone", "tablet"], "WEEKDAY": ["Saturday", "Sunday"]},
    columns=["DEVICE", "WEEKDAY", "SHOP", "TIMESTAMP"],
)


def test_a_sunday_noon_on_the_clock_of_three_places():
    assert wall_clock(NOON) == {
        "HOUR": 12, "WEEKDAY": "Sunday", "WEEKEND": True, "DAY": 1, "MONTH": 6, "SEASON": "summer", "YEAR": 2025,
        "DAYTIME": "afternoon",
    }  # fmt: skip
    auckland = wall_clock(NOON, "Pacific/Auckland", southern=True)  # 12 hours ahead: Monday 0:00
    assert (auckland["HOUR"], auckland["WEEKDAY"], auckland["SEASON"]) == (0, "Monday", "winter")
    assert auckland["DAYTIME"] == "night"
    assert wall_clock(NOON, "Europe/Berlin")["HOUR"] == 14


@pytest.mark.parametrize(("place", "southern"), [("Europe/Berlin", False), ("America/Argentina/Ushuaia", True)])
def test_the_clock_says_what_the_flow_step_says(place, southern):
    step = {"step": "time_features", "features": list(FEATURES), "timezone": place, "southern": southern}
    times = np.random.default_rng(5).integers(0, 4_000_000_000, 300)
    frame = pd.DataFrame({"USER_ID": "u", "ITEM_ID": "i", "TIMESTAMP": times})
    made = Flow([step]).run(open_source(frame).table).table.to_pandas()
    for row in made.to_dict("records"):
        said = wall_clock(row["TIMESTAMP"], place, southern)
        assert {name: as_text(row[name]) for name in said} == {name: as_text(each) for name, each in said.items()}


def test_values_are_taken_and_the_weekday_is_read_from_the_time():
    found = RULES.ready({"DEVICE": "phone"}, NOON)
    assert found.values == {"DEVICE": "phone", "WEEKDAY": "Sunday"}
    assert found.derived == ("WEEKDAY",)
    assert found.notices == ("Read from the request's time in UTC: WEEKDAY=Sunday.",)


def test_what_the_request_says_wins_over_the_clock():
    found = RULES.ready({"DEVICE": "phone", "WEEKDAY": "Saturday"}, NOON)
    assert (found.values["WEEKDAY"], found.derived, found.notices) == ("Saturday", (), ())


def test_a_missing_context_is_said():
    found = RULES.ready({"DEVICE": ""}, NOON)
    assert found.values["DEVICE"] is None
    assert found.notices[0] == (
        "The request does not say DEVICE (known: phone, tablet); the list is the one for no particular DEVICE."
    )


def test_unknown_values_are_said_and_count_as_missing():
    found = RULES.ready({"DEVICE": "fridge"}, NOON + 86_400)
    assert found.values == {"DEVICE": None, "WEEKDAY": None}
    assert found.notices[0] == (
        "DEVICE='fridge' is unknown to the model (known: phone, tablet); it is as good as not said."
    )
    assert "WEEKDAY='Monday' is unknown to the model" in found.notices[1]


def test_another_case_is_read_and_said():
    found = RULES.ready({"DEVICE": "Phone"}, NOON)
    assert found.values["DEVICE"] == "phone"
    assert "DEVICE='Phone' is read as 'phone'." in found.notices


def test_a_column_nothing_was_learned_from_is_said():
    found = RULES.ready({"DEVICE": "phone", "SHOP": "7"}, NOON)
    assert "SHOP" not in found.values
    assert found.notices[0] == "The model learned nothing from SHOP; its value changes nothing."


def test_an_unknown_key_names_the_nearest_column():
    with pytest.raises(
        ServingError, match=r"key 'DEVISE', which is no column of the interactions. Did you mean 'DEVICE'"
    ):
        RULES.ready({"DEVISE": "phone"}, NOON)
    with pytest.raises(ServingError, match=r"There are none yet"):
        ContextRules({}).ready({"DEVICE": "phone"}, NOON)


def test_a_column_of_other_values_is_not_read_from_the_time():
    assert ContextRules({"SEASON": ["2024/25", "2025/26"], "MONTH": ["1", "12"]}).derivable == ("MONTH",)


def test_numbers_are_written_as_recipes_write_them():
    rules = ContextRules({"SHOP": ["3", "4.5", "True"]})
    assert [rules.ready({"SHOP": each}, 0).values["SHOP"] for each in (3, 3.0, 4.5, True, "true")] == [
        "3", "3", "4.5", "True", "True",
    ]  # fmt: skip


def test_many_values_are_not_all_named():
    rules = ContextRules({"SHOP": map(str, range(20))})
    assert "(known: 0, 1, 2, 3, 4, 5, 6, 7 and 12 more)" in rules.ready({}, 0).notices[0]


def test_a_time_zone_must_exist():
    with pytest.raises(ServingError, match=r"unknown time zone 'Mars/Olympus'"):
        ContextRules({}, timezone="Mars/Olympus")


def test_the_context_given_is_not_changed():
    sent = {"DEVICE": "Phone"}
    RULES.ready(sent, NOON)
    assert sent == {"DEVICE": "Phone"}


@pytest.fixture(scope="module")
def events():
    rng = np.random.default_rng(3)
    n = 600
    device = rng.choice(["phone", "tablet"], n)
    return pd.DataFrame(
        {
            "USER_ID": [f"u{n % 60}" for n in range(n)],
            "ITEM_ID": [f"i{rng.integers(0, 10) + 10 * (each == 'phone')}" for each in device],
            "TIMESTAMP": np.arange(n) * 60,
            "DEVICE": device,
        }
    )


def test_a_recipe_without_context_learned_nothing(events):
    recipe = build("popularity-count").fit(TrainingData(events))
    found = ContextRules.of(recipe, columns=["DEVICE"]).ready({"DEVICE": "phone"}, NOON)
    assert found.values == {}
    assert found.notices == ("The model learned nothing from DEVICE; its value changes nothing.",)


def test_what_the_transformer_learned_is_known(events):
    recipe = build("user-personalization", {"parts": "transformer", "epochs": 1, "width": 16}).fit(TrainingData(events))
    assert recipe.context_values() == {"DEVICE": ["phone", "tablet"]}
    assert ContextRules.of(recipe).ready({}, NOON).values == {"DEVICE": None}
