import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ServingError
from workbench.impact.attribution_sources import event_sources
from workbench.serving.relevance import Relevance
from workbench.serving.requests import (
    Cap,
    Explanation,
    Influence,
    Limits,
    Promotion,
    RankRequest,
    RecommendedItem,
    RecommendRequest,
    RelatedRequest,
    Response,
    RuleEffect,
    read_request,
)
from workbench.serving.responses import EXPLORATION, PROMOTED, campaign_key, new_recommendation_id

PERSONALIZES = """{
  "campaignArn": "arn:aws:personalize:eu-west-1:123456789012:campaign/front-page",
  "userId": "u7", "numResults": 10, "context": {"DEVICE": "phone"},
  "filterArn": "arn:aws:personalize:eu-west-1:123456789012:filter/by-genre",
  "filterValues": {"GENRES": "\\"jazz\\",\\"blues\\""},
  "promotions": [{"name": "sale", "percentPromotedItems": 20, "filterArn": "arn:aws:personalize:x:y:filter/on-sale"}],
  "metadataColumns": {"ITEMS": ["TITLE", "PRICE"]}
}"""


def test_a_request_of_personalize_is_read():
    found = read_request(PERSONALIZES)
    assert found == RecommendRequest(
        campaign="front-page",
        user_id="u7",
        num_results=10,
        context={"DEVICE": "phone"},
        filter="by-genre",
        filter_values={"GENRES": '"jazz","blues"'},
        promotions=(Promotion(name="sale", percent_promoted_items=20, filter="on-sale"),),
        metadata_columns=("TITLE", "PRICE"),
    )
    found.check()
    assert found.beyond_personalize() == ()


def test_a_request_is_written_as_personalize_writes_it():
    found = read_request(PERSONALIZES).to_json()
    assert found["promotions"] == [{"name": "sale", "percentPromotedItems": 20, "filterArn": "on-sale"}]
    assert found["metadataColumns"] == {"ITEMS": ["TITLE", "PRICE"]}
    assert found["numResults"] == 10
    assert RecommendRequest(user_id="u").to_json() == {"userId": "u", "numResults": 25}


def test_the_document_says_which_request_it_is():
    assert isinstance(read_request({"userId": "u", "inputList": ["a"]}), RankRequest)
    assert read_request({"itemId": "a", "userId": "u"}) == RelatedRequest(item_id="a", user_id="u")
    assert read_request({}) == RecommendRequest()
    assert read_request({"userId": None, "itemId": None, "numResults": 3}.copy() | {"itemId": "x"}).item_id == "x"


TEXT = st.text(min_size=1, max_size=20)
PROMOTIONS = st.lists(
    st.builds(Promotion, name=TEXT, percent_promoted_items=st.integers(1, 100), slots=st.none() | st.just((1, 4))),
    max_size=3,
).map(tuple)


@given(
    st.builds(
        RecommendRequest,
        user_id=st.none() | TEXT,
        num_results=st.integers(1, 500),
        context=st.dictionaries(st.from_regex(r"[A-Z_]{1,9}", fullmatch=True), TEXT, max_size=3),
        filter=st.none() | st.just("by-genre") | st.just('EXCLUDE ItemID WHERE Items.A IN ("x/y")'),
        promotions=PROMOTIONS,
        caps=st.just(()) | st.just((Cap(column="GENRES", at_most=2),)),
        exploration_weight=st.none() | st.floats(0, 1),
        explain=st.booleans(),
        seed=st.none() | st.integers(0, 9),
        metadata_columns=st.just(()) | st.just(("TITLE",)),
    )
)
def test_what_is_written_is_read_back(request_):
    assert RecommendRequest.from_json(json.dumps(request_.to_json())) == request_


def test_other_requests_are_read_back():
    for each in (
        RankRequest(user_id="u", input_list=("b", "a", "b"), timestamp=5, filter="f", filter_values={"X": 3}),
        RelatedRequest(item_id="i", num_results=3, caps=(Cap(column="G", at_most=1),)),
    ):
        assert type(each).from_json(each.to_json()) == each
        assert read_request(each.to_json()) == each


def test_keyword_arguments_and_plain_dicts_do_too():
    found = RecommendRequest.of(
        user_id="u",
        metadata_columns=["T"],
        promotions=[{"name": "a", "slots": [1]}, {"name": "b", "percentPromotedItems": 5}],
    )
    assert found.metadata_columns == ("T",)
    assert found.promotions[0] == Promotion(name="a", slots=(1,))
    assert found.promotions[1] == Promotion(name="b", percent_promoted_items=5)


def test_the_callers_mappings_are_copied():
    context = {"DEVICE": "phone"}
    found = RecommendRequest(context=context)
    context["DEVICE"] = "tablet"
    assert found.context == {"DEVICE": "phone"}


REFUSED = [
    (
        {"num_results": 501},
        r"num_results is 501; it must be from 1 to 500. Ask for fewer, or raise Limits\(results=…\)",
    ),
    ({"num_results": 0}, r"num_results is 0; it must be from 1"),
    ({"num_results": "25"}, r"num_results is '25'; it must be a whole number"),
    ({"num_results": True}, r"num_results is True; it must be a whole number"),
    (
        {"num_results": 51, "metadata_columns": ["A"]},
        r"num_results is 51; it must be from 1 to 50. .* leave the metadata",
    ),
    ({"metadata_columns": [f"C{n}" for n in range(11)]}, r"names 11 columns; 10 are allowed"),
    ({"metadata_columns": ["A", "A"]}, r"names 'A' twice"),
    ({"user_id": ""}, r"user_id is empty; it must have 1 to 256 characters"),
    ({"user_id": 7}, r"user_id is 7; ids and names are text. Write it as text: '7'"),
    ({"user_id": "x" * 257}, r"user_id has 257 characters \('x{40}' …\); 256 are allowed"),
    ({"context": {f"C{n}": "x" for n in range(151)}}, r"The context has 151 keys; 150 are allowed"),
    ({"context": {"A": "x" * 1_001}}, r"context\['A'\] has 1,001 characters; 1,000 are allowed"),
    ({"context": {"A B": "x"}}, r"context has the key 'A B'; keys are letters, digits and _"),
    ({"context": {"A" * 151: "x"}}, r"context has a key of 151 characters; 150 are allowed"),
    ({"context": {"A": ["x"]}}, r"context\['A'\] is \['x'\]; a context value is one text, number or true/false"),
    (
        {"filter": "f", "filter_values": {f"P{n}": "x" for n in range(26)}},
        r"filter_values has 26 entries; 25 are allowed",
    ),
    ({"filter": "f", "filter_values": {"P": "x" * 1_001}}, r"filter_values\['P'\] has 1,001 characters"),
    ({"filter": "f", "filter_values": {"P": ["x" * 600, "y" * 600]}}, r"filter_values\['P'\] has 1,200 characters"),
    ({"filter": "f", "filter_values": {"$P": "x"}}, r"filter_values has the key '\$P'; .* a parameter without \$"),
    ({"filter_values": {"P": "x"}}, r"filter_values are given \(P\); there is no filter"),
    ({"filter": "  "}, r"filter is '  '; it must be the name of a filter or an expression"),
    ({"exploration_weight": 1.1}, r"exploration_weight is 1.1; it must be a number from 0 to 1"),
    ({"exploration_weight": float("nan")}, r"exploration_weight is nan"),
    ({"seed": -1}, r"seed is -1"),
    ({"timestamp": 1.5}, r"timestamp is 1.5; it must be a whole number"),
    ({"explain": "yes"}, r"explain is 'yes'; it must be true or false"),
    ({"caps": [Cap(column="G", at_most=0)]}, r"caps\[0\].at_most is 0"),
    ({"promotions": [Promotion(name="a")]}, r"promotions\[0\] has no percent_promoted_items; it must be from 1 to 100"),
    (
        {"promotions": [Promotion(name="a", percent_promoted_items=101)]},
        r"percent_promoted_items is 101; it must be from 1",
    ),
    ({"promotions": [Promotion(name="a", slots=(1, 1))]}, r"slots is \[1, 1\]; it names each place once"),
    ({"promotions": [Promotion(name="a", slots=())]}, r"slots is \[\]; it names each place once"),
    ({"promotions": [Promotion(name="a", slots=(0,))]}, r"promotions\[0\].slots is 0"),
    ({"promotions": [Promotion(name="a", slots=(1,), cap=0)]}, r"promotions\[0\].cap is 0"),
    ({"promotions": [Promotion(name="a", slots=(n,)) for n in (1, 2)]}, r"Two promotions are called 'a'"),
    (
        {"promotions": [Promotion(name=f"p{n}", slots=(1,)) for n in range(11)]},
        r"11 promotions are asked for; 10 are allowed",
    ),
]


@pytest.mark.parametrize(("given_", "message"), REFUSED)
def test_what_is_beyond_the_limits_is_refused(given_, message):
    asked = RecommendRequest.of(**given_)
    with pytest.raises(ServingError, match=message):
        asked.check()


def test_limits_are_the_services_and_can_be_raised():
    RecommendRequest(num_results=500, context={f"C{n}": "x" * 1_000 for n in range(150)}).check()
    RecommendRequest(num_results=50, metadata_columns=tuple(f"C{n}" for n in range(10))).check()
    raised = Limits(results=2_000, results_with_metadata=600, metadata_columns=99, context_value_chars=5_000)
    RecommendRequest(num_results=2_000, context={"A": "x" * 5_000}).check(raised)
    RecommendRequest(num_results=600, metadata_columns=tuple(f"C{n}" for n in range(99))).check(raised)
    RankRequest(user_id="u", input_list=tuple(map(str, range(900)))).check(Limits(ranked=900))


def test_a_rank_list_has_limits_of_its_own():
    RankRequest(user_id="u", input_list=tuple(map(str, range(500)))).check()
    for count, columns, message in (
        (0, (), r"input_list is empty; a ranking needs 1 to 500 items"),
        (501, (), r"input_list holds 501 items; 500 are allowed. Send fewer, or raise Limits\(ranked=…\)"),
        (51, ("T",), r"input_list holds 51 items; 50 are allowed with metadata columns"),
    ):
        asked = RankRequest(user_id="u", input_list=tuple(map(str, range(count))), metadata_columns=columns)
        with pytest.raises(ServingError, match=message):
            asked.check()
    odd = RankRequest(user_id="u", input_list=("a", 7))
    with pytest.raises(ServingError, match=r"input_list\[1\] is 7; ids and names are text"):
        odd.check()


def test_ids_given_twice_are_ranked_once_and_told():
    asked = RankRequest(user_id="u", input_list=("b", "a", "b", "c", "b"))
    assert asked.distinct == ("b", "a", "c")
    assert asked.repeated == {"b": 3}
    asked.check()


def test_names_of_fields_are_looked_after():
    with pytest.raises(
        ServingError, match=r"recommendation request has no field 'num_result'. Did you mean 'num_results'"
    ):
        RecommendRequest.of(num_result=3)
    with pytest.raises(ServingError, match=r"has no field 'numResult'. Did you mean 'numResults'"):
        RecommendRequest.from_json({"numResult": 3})
    with pytest.raises(
        ServingError, match=r"has no field 'itemId'. Items like one are asked for with a RelatedRequest"
    ):
        RecommendRequest.from_json({"itemId": "a"})
    with pytest.raises(ServingError, match=r"A ranking request has no field 'numResults'. A ranking holds every item"):
        read_request({"userId": "u", "inputList": ["a"], "numResults": 3})
    with pytest.raises(ServingError, match=r"A ranking request comes without user_id; it needs user_id and input_list"):
        read_request({"inputList": ["a"]})
    with pytest.raises(ServingError, match=r"says campaignArn and recommenderArn; both mean the same"):
        read_request({"campaignArn": "a", "recommenderArn": "b"})
    with pytest.raises(ServingError, match=r"metadataColumns names 'USERS'; only columns of ITEMS"):
        read_request({"metadataColumns": {"USERS": ["AGE"]}})
    with pytest.raises(ServingError, match=r"A promotion has no field 'percent'"):
        read_request({"promotions": [{"name": "a", "percent": 3}]})


def test_documents_must_be_objects_and_lists_lists():
    with pytest.raises(ServingError, match=r"A request is not JSON: .*line 1"):
        read_request('{"userId": ')
    with pytest.raises(ServingError, match=r"A request is not JSON"):
        read_request("[" * 100_000)
    with pytest.raises(ServingError, match=r"A request is \[1\], not an object"):
        read_request("[1]")
    with pytest.raises(ServingError, match=r"input_list is 'abc', not a list"):
        RankRequest.of(user_id="u", input_list="abc")
    with pytest.raises(ServingError, match=r"context is \['a'\], not a mapping"):
        RecommendRequest.of(context=["a"])


def test_ids_stay_as_they_are():
    odd = "007\u202e<b>\x00|☃ "
    asked = RecommendRequest(user_id=odd)
    asked.check()
    assert RecommendRequest.from_json(json.dumps(asked.to_json())).user_id == odd


def test_extensions_are_named():
    asked = RecommendRequest(
        promotions=(Promotion(name="a", slots=(1,)), Promotion(name="b", percent_promoted_items=5, cap=1)),
        caps=(Cap(column="G", at_most=1),), explain=True, seed=0, exploration_weight=0.0,
        exclude_seen=False,
    )  # fmt: skip
    assert sorted(asked.beyond_personalize()) == [
        "2 promotions; one is taken",
        "caps is an extension",
        "exclude_seen is an extension",
        "explain is an extension",
        "exploration_weight is an extension",
        "promotions[0].slots is an extension",
        "promotions[1].cap is an extension",
        "seed is an extension",
    ]
    assert RankRequest(user_id="u", input_list=("a",), timestamp=0).beyond_personalize() == (
        "timestamp is an extension",
    )


ANSWER = Response(
    recommendation_id="0a1b2c3d-0123",
    items=(
        RecommendedItem("i1", 1, 0.5, metadata={"TITLE": "Alien", "YEAR": 1979, "NEW": True, "NOTE": None}),
        RecommendedItem("i2", 2, None, (PROMOTED,), "sale"),
        RecommendedItem(
            "i3", 3, 0.1, (EXPLORATION,),
            explanation=Explanation("because you watched Alien", (Influence("past item", "i1", 0.8),), ("moved up",)),
        ),
    ),
    user_id="u", exploration_share=1 / 3, rules=(RuleEffect("filter", "by-genre", removed=3, text="3 removed"),),
    notices=("No DEVICE.",), user_version=4, relevance=Relevance(1.0, 0.9, 1.0, 0.8, 0.2), details={"version": 2},
)  # fmt: skip


def test_a_response_is_written_as_personalize_writes_it():
    assert ANSWER.to_json(extended=False) == {
        "itemList": [
            {"itemId": "i1", "score": 0.5, "metadata": {"TITLE": "Alien", "YEAR": "1979", "NEW": "true"}},
            {"itemId": "i2", "promotionName": "sale", "reason": ["Promoted item"]},
            {"itemId": "i3", "score": 0.1, "reason": ["Exploration"]},
        ],
        "recommendationId": "0a1b2c3d-0123",
    }


def test_a_response_with_everything_is_read_back():
    assert Response.from_json(json.dumps(ANSWER.to_json())) == ANSWER
    assert ANSWER.item_ids == ["i1", "i2", "i3"]


def test_a_ranking_has_its_own_name_and_personalizes_own_answers_are_read():
    ranked = Response("r", (RecommendedItem("a", 1, 1.0),), kind="rank")
    assert list(ranked.to_json(extended=False)) == ["personalizedRanking", "recommendationId"]
    assert Response.from_json(ranked.to_json(extended=False)) == ranked
    with pytest.raises(ServingError, match=r"The response has no 'recommendationId'"):
        Response.from_json({"itemList": []})


def test_recommendation_ids_name_their_campaign():
    key = campaign_key("shop", "front-page")
    ids = {new_recommendation_id(key) for _ in range(1_000)}
    assert len(ids) == 1_000
    assert {len(each) for each in ids} == {33}
    assert key == campaign_key("shop", "front-page") != campaign_key("shop", "front")
    events = pd.DataFrame({"RECOMMENDATION_ID": [next(iter(ids)), "other"]})
    assert event_sources(events, {key: "front-page"}).tolist() == ["front-page", "SOURCE_NAME_UNDEFINED"]
