"""Calls that are refused: the message names position, field, value and rule, and nothing of the call is stored."""

import json
import time
from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.data.events import Limits, LiveEvents
from workbench.data.events_checks import Refused, shorten
from workbench.data.events_group import GroupFacts
from workbench.data.events_properties import column_name, properties
from workbench.data.workspace import Workspace
from workbench.errors import EventError

NOW = time.time()
CIRCLE: dict = {}
CIRCLE["a"] = CIRCLE
DEEP: dict = {}
for _ in range(50_000):
    DEEP = {"a": DEEP}
GOOD = {"eventType": "click", "sentAt": NOW - 60, "itemId": "a"}


@pytest.fixture(scope="module")
def space(tmp_path_factory):
    made = Workspace(tmp_path_factory.mktemp("events"))
    made.create_group("shop")
    made.create_group("store", "ECOMMERCE")
    made.create_group("typed")
    frame = pd.DataFrame({"USER_ID": ["u"], "ITEM_ID": ["i"], "TIMESTAMP": [1], "EVENT_TYPE": ["x"], "DEVICE": ["tv"]})
    made.write_dataset("typed", "interactions", frame, origin={})
    frame = pd.DataFrame({"ITEM_ID": ["i"], "GENRES": ["a"], "PRICE": [1.5], "STOCK": [3], "NEW": [True]})
    made.write_dataset("typed", "items", frame, origin={})
    return made


@pytest.fixture(scope="module")
def live(space):
    return LiveEvents(space, "shop", durability="process")


@pytest.fixture(scope="module")
def typed(space):
    return LiveEvents(space, "typed", durability="process")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"sentAt": NOW + 10**6},
            r"sentAt: lies \d{3},\d{3} seconds in the future, more than the 300 allowed; .*got \d+",
        ),
        ({"sentAt": NOW * 1_000}, r"sentAt: is in milliseconds or finer; times are epoch seconds; got 1"),
        ({"sentAt": 0}, "sentAt: is 1970-01-01 or before"),
        ({"sentAt": -1e300}, "sentAt: is 1970-01-01 or before"),
        ({"sentAt": "2024-01-01"}, "sentAt: must be epoch seconds, or a datetime with a time zone; got '2024-01-01'"),
        ({"sentAt": datetime(2024, 1, 1)}, r"sentAt: must be .* \(this one has no time zone\)"),
        ({"sentAt": None}, "sentAt: must be epoch seconds"),
        ({"sentAt": float("nan")}, "sentAt: must be epoch seconds.*got nan"),
        ({"sentAt": True}, "sentAt: must be epoch seconds.*got True"),
        ({"eventType": None}, "eventType: must be text of 1 to 256 characters; got None"),
        ({"eventType": ""}, "eventType: must have 1 to 256 characters; got ''"),
        ({"eventType": "x" * 257}, r"eventType: must have 1 to 256 characters; got 'x{60}'… \(257 characters\)"),
        ({"itemId": 7}, "itemId: must be text of 1 to 256 characters; write the id as '7'; got 7"),
        ({"itemId": "\ud800"}, "itemId: holds half a character"),
        ({"eventId": "x" * 257}, "eventId: must have 1 to 256"),
        ({"eventValue": "4"}, "eventValue: must be a finite number; got '4'"),
        ({"eventValue": float("inf")}, "eventValue: must be a finite number; got inf"),
        ({"eventValue": 10**400}, "eventValue: must be a finite number; got 1000"),
        (
            {"eventValue": 10**5_000},
            "the whole: cannot be written as JSON: Exceeds",
        ),
        ({"sentAt": 10**400}, "sentAt: must be epoch seconds"),
        ({"properties": CIRCLE}, "the whole: cannot be written as JSON: Circular reference"),
        (
            {"properties": DEEP},
            "the whole: cannot be written as JSON: .*got a dict too large to write out",
        ),
        ({"eventValue": True}, "eventValue: must be a finite number; got True"),
        ({"recommendationId": "x" * 41}, "recommendationId: must have 1 to 40 characters"),
        ({"impression": "a|b"}, r"impression: must be a list of 1 to 25 item ids; got 'a\|b'"),
        ({"impression": []}, r"impression: must be a list of 1 to 25 item ids; got \[\]"),
        ({"impression": ["a"] * 26}, "impression: must be a list of 1 to 25"),
        ({"impression": ["a", 3]}, r"impression\[2\]: must be text"),
        ({"impression": ["a", "b|c"]}, r"impression\[2\]: must not hold \|"),
        ({"metricAttribution": "mail"}, "metricAttribution: must be {'eventAttributionSource': text}"),
        ({"metricAttribution": {"eventAttributionSource": "mäil"}}, "eventAttributionSource: must be printable ASCII"),
        ({"metricAttribution": {"eventAttributionSource": "x" * 1_025}}, "must have 1 to 1,024 characters"),
        ({"itemID": "a"}, "itemID: there is no such field. Did you mean 'itemId'"),
        ({"properties": "{'a': 1}"}, "properties: is not JSON: Expecting property name"),
        ({"properties": "[1]"}, "properties: must be JSON text of an object"),
        ({"properties": 3}, "properties: must be JSON text of an object"),
        ({"properties": {"a": object()}}, "properties: must be JSON: Object of type object"),
        ({"properties": "x" * 10_001}, r"properties: must have at most 1,024 characters; .* \(10,001 characters\)"),
        ({"properties": "[" * 1_000}, "properties: is (nested too deeply|not JSON)"),
        ({"properties": '{"a": [1, 2]}'}, r"properties.a: must be one value; join several with \|"),
        ({"properties": '{"a": {"b": 1}}'}, "properties.a: must be text, a finite number, true, false or null"),
        ({"properties": '{"a": NaN}'}, "properties.a: must be text, a finite number"),
        ({"properties": '{"a": 1e999}'}, "properties.a: must be text, a finite number"),
        ({"properties": f'{{"a": {2**63}}}'}, "properties.a: must fit into 64 bits"),
        ({"properties": '{"a": "\\ud800"}'}, "properties.a: holds half a character"),
        ({"properties": '{"a": 1, "a": 2}'}, "properties: is not JSON: key 'a' stands in it twice"),
        ({"properties": '{"myKey": 1, "MY_KEY": 2}'}, "properties.MY_KEY: column MY_KEY is given twice"),
        ({"properties": '{"my key": 1}'}, "properties.my key: names are letters, digits and _"),
        ({"properties": '{"eventValue": 1}'}, "properties.eventValue: EVENT_VALUE has a field of its own: eventValue"),
    ],
)
def test_a_broken_event_is_named_and_nothing_is_stored(live, change, message):
    with pytest.raises(EventError, match=message) as caught:
        live.put_events("s", [GOOD, GOOD | change], "u")
    assert "event 2 of 2, " in str(caught.value)
    assert "Nothing of this call was stored." in str(caught.value)
    assert len(str(caught.value)) < 600
    assert live.position() == 0


def test_every_broken_event_is_counted_and_the_first_five_are_named(live):
    with pytest.raises(EventError, match=r"7 of 8 event\(s\)") as caught:
        live.put_events("s", [GOOD, *[{"eventType": "x"}] * 7])
    assert "event 6 of 8, sentAt" in str(caught.value)
    assert "event 7 of 8" not in str(caught.value)
    assert "… and 2 more." in str(caught.value)


def test_an_event_of_more_than_ten_kilobytes_is_refused(space):
    live = LiveEvents(space, "shop", durability="process", limits=Limits(event_properties=20_000))
    with pytest.raises(
        EventError, match=r"event 1 of 1, the whole: must have at most 10,240 bytes as JSON; got '12,\d"
    ):
        live.put_events("s", [GOOD | {"properties": json.dumps({"a": "ä" * 6_000}, ensure_ascii=False)}])


def test_ten_thousand_events_say_how_to_raise_the_limit(live):
    with pytest.raises(
        EventError, match=r"got 10,000 events; one call takes 1 to 10\..*limits=Limits\(records=10_000\)"
    ):
        live.put_events("s", [GOOD] * 10_000)
    with pytest.raises(EventError, match=r"put_items got 0 items; one call takes 1 to 10"):
        live.put_items([])
    with pytest.raises(EventError, match=r"put_users takes a list of users, each a mapping; got {'userId': 'u'}"):
        live.put_users({"userId": "u"})
    assert live.position() == 0


def test_the_session_and_the_user_are_checked(live):
    with pytest.raises(EventError, match="session_id: must be text of 1 to 256 characters; got None. Nothing"):
        live.put_events(None, [GOOD])
    with pytest.raises(EventError, match="user_id: must have 1 to 256 characters; got ''"):
        live.put_events("s", [GOOD], "")


def test_a_tolerance_for_the_future_is_a_parameter(space):
    ahead = GOOD | {"sentAt": time.time() + 250}
    with pytest.raises(EventError, match="in the future, more than the 0 allowed"):
        LiveEvents(space, "shop", durability="process", limits=Limits(future=0)).put_events("s", [ahead])
    assert LiveEvents(space, "shop", durability="process").put_events("s", [ahead]).stored == 1


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"itemId": "a", "properties": '{"prise": 1}'}, r"no column PRISE. Did you mean 'PRICE'\? Known: GENRES, NEW"),
        ({"itemId": "a", "properties": '{"price": "1.5"}'}, "properties.price: column PRICE holds a number; got '1.5'"),
        ({"itemId": "a", "properties": '{"price": true}'}, "column PRICE holds a number; got True"),
        ({"itemId": "a", "properties": '{"stock": 1.5}'}, "column STOCK holds a whole number; got 1.5"),
        ({"itemId": "a", "properties": '{"genres": 3}'}, "column GENRES holds text; got 3"),
        ({"itemId": "a", "properties": '{"new": "yes"}'}, "column NEW holds true or false; got 'yes'"),
        ({"itemId": "a", "properties": '{"itemId": "b"}'}, "ITEM_ID has a field of its own: itemId"),
        ({"properties": "{}"}, "itemId: must be text of 1 to 256 characters; got None"),
        ({"itemId": "a", "properties": json.dumps({"genres": "x" * 32_000})}, "must have at most 32,000 characters"),
    ],
)
def test_properties_must_fit_the_datasets_columns(typed, record, message):
    with pytest.raises(EventError, match=f"item 1 of 1, .*{message}"):
        typed.put_items([record])
    assert typed.new_items() == {}


def test_event_properties_must_fit_the_datasets_columns(typed):
    with pytest.raises(EventError, match=r"no column DEVISE. Did you mean 'DEVICE'\? Known: DEVICE\."):
        typed.put_events("s", [GOOD | {"properties": '{"devise": "tv"}'}])


def test_times_of_items_are_seconds(live):
    with pytest.raises(EventError, match=r"properties.creationTimestamp: is in milliseconds or finer"):
        live.put_items([{"itemId": "a", "properties": {"creationTimestamp": 1_700_000_000_000}}])


def test_what_a_domain_requires_of_items_must_be_there(space):
    live = LiveEvents(space, "store", durability="process")
    with pytest.raises(EventError, match="a ECOMMERCE group needs CATEGORY_L1 in each of its items"):
        live.put_items([{"itemId": "a", "properties": {"price": 2}}])
    assert live.put_items([{"itemId": "a", "properties": {"price": 2, "categoryL1": "x"}}]).stored == 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"eventType": "Maybe"}, "eventType: must be Viewed, Taken or Not Taken; got 'Maybe'"),
        ({"sessionId": None}, "sessionId: must be text"),
        ({"actionId": None}, "actionId: must be text"),
        ({"timestamp": NOW + 10**6}, r"timestamp: lies \d{3},\d{3} seconds"),
        ({"properties": json.dumps({"a": "x" * 1_024})}, "properties: must have at most 1,024"),
        ({"sentAt": 1}, "there is no such field"),
    ],
)
def test_action_interactions_are_checked(live, change, message):
    good = {"actionId": "a", "sessionId": "s", "timestamp": NOW - 9, "eventType": "Taken"}
    with pytest.raises(EventError, match=f"action interaction 1 of 1, .*{message}"):
        live.put_action_interactions([good | change])


def test_an_unknown_durability_is_refused(space):
    with pytest.raises(EventError, match=r"no durability 'ful'.*Known: power, process"):
        LiveEvents(space, "shop", durability="ful")


def test_numpy_numbers_are_numbers(space):
    live = LiveEvents(space, "shop", durability="process")
    event = {"eventType": "x", "sentAt": np.int64(NOW - 5), "eventValue": np.float32(2)}
    assert live.put_events("numpy", [event]).stored == 1


@pytest.mark.parametrize(
    ("key", "column"),
    [
        ("numberOfRatings", "NUMBER_OF_RATINGS"),
        ("categoryL1", "CATEGORY_L1"),
        ("genreL2Name", "GENRE_L2_NAME"),
        ("imageURL", "IMAGE_URL"),
        ("PRICE", "PRICE"),
        ("PRODUCT_DESCRIPTION", "PRODUCT_DESCRIPTION"),
        ("price", "PRICE"),
    ],
)
def test_keys_become_column_names(key, column):
    assert column_name(key) == column


def taken(given, most):
    """The properties, or what the refusal says."""
    try:
        return properties({"properties": given}, "items", GroupFacts(), most)
    except Refused as problem:
        return problem


@given(st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_text_as_properties_is_taken_or_refused(text):
    found = taken(text, 1_000)
    assert isinstance(found, dict) or (found.field.startswith("properties") and len(shorten(found.value)) < 120)


@given(st.dictionaries(st.from_regex(r"[a-z]+([A-Z][a-z]+){0,3}", fullmatch=True), st.integers() | st.text()))
@settings(max_examples=100, deadline=None)
def test_properties_keep_their_values(values):
    values = {key: each for key, each in values.items() if key.casefold() not in ("itemid", "creationtimestamp")}
    found = taken(json.dumps(values), 10**6)
    if isinstance(found, Refused):
        assert found.rule.startswith(("must fit into 64 bits", "column"))
    else:
        assert found == {column_name(key): each for key, each in values.items()}
