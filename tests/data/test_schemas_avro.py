import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.columns import KINDS
from workbench.data.rules import DOMAINS, TYPES, Field, Schema, reserved
from workbench.data.schemas import from_avro, schema_for, to_avro
from workbench.errors import SchemaError


def test_interactions_as_personalize_writes_them():
    document = json.loads(to_avro(schema_for("interactions")))
    assert (document["type"], document["name"], document["version"]) == ("record", "Interactions", "1.0")
    assert document["namespace"] == "com.amazonaws.personalize.schema"
    assert document["fields"] == [
        {"name": "USER_ID", "type": "string"},
        {"name": "ITEM_ID", "type": "string"},
        {"name": "TIMESTAMP", "type": "long"},
        {"name": "EVENT_TYPE", "type": "string"},
        {"name": "EVENT_VALUE", "type": ["null", "float"]},
        {"name": "IMPRESSION", "type": ["null", "string"]},
        {"name": "RECOMMENDATION_ID", "type": ["null", "string"]},
        {"name": "EVENT_ATTRIBUTION_SOURCE", "type": ["null", "string"]},
    ]


def test_flags_are_written_where_they_are_set():
    fields = {each["name"]: each for each in json.loads(to_avro(schema_for("items", "ECOMMERCE")))["fields"]}
    assert fields["CATEGORY_L1"] == {"name": "CATEGORY_L1", "type": "string", "categorical": True}
    assert fields["PRODUCT_DESCRIPTION"] == {"name": "PRODUCT_DESCRIPTION", "type": ["null", "string"], "textual": True}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("domain", [None, *DOMAINS])
def test_every_schema_survives_the_way_there_and_back(kind, domain):
    schema = schema_for(kind, domain)
    assert from_avro(to_avro(schema), domain) == schema


@st.composite
def schemas(draw):
    kind = draw(st.sampled_from(KINDS))
    required = {each.name for each in reserved(kind).values() if each.required}
    names = draw(st.lists(st.text(min_size=1, max_size=20), unique=True, min_size=1, max_size=6))
    flags = st.booleans()
    fields = [
        Field(name, draw(st.sampled_from(TYPES)), draw(flags), draw(flags), draw(flags), draw(flags), name in required)
        for name in names
    ]
    return Schema(kind, tuple(fields))


@given(schemas())
def test_any_schema_survives_the_way_there_and_back(schema):
    assert from_avro(to_avro(schema)) == schema


def test_union_order_and_name_case_do_not_matter():
    written = {
        "type": "record",
        "name": "ACTION_interactions",
        "fields": [{"name": "USER_ID", "type": ["string", "null"]}],
    }
    schema = from_avro(json.dumps(written))
    assert schema.kind == "action_interactions"
    assert schema.fields == (Field("USER_ID", "string", nullable=True, required=True),)


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "not JSON"), ("[]", "got 'list'"), ('{"type": "enum"}', "got 'enum'"),
     ('{"type": "record", "name": "Item", "fields": []}', "Did you mean 'Items'"),
     ('{"type": "record", "name": "Items", "fields": []}', "at least one field"),
     ('{"type": "record", "name": "Items", "fields": [{"name": "A", "type": "bytes"}]}', "Field A has type 'bytes'"),
     ('{"type": "record", "name": "Items", "fields": [{"name": "A", "type": {"type": "array"}}]}', "Field A has type"),
     ('{"type": "record", "name": "Items", "fields": ["A"]}', "must be an object")],
)  # fmt: skip
def test_what_is_no_schema_is_refused_with_the_reason(text, message):
    with pytest.raises(SchemaError, match=message):
        from_avro(text)
