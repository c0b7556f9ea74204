"""Schemas as Avro JSON, the text that Amazon Personalize's CreateSchema takes, and back."""

import json
from typing import Any

from workbench.data.rules import SCHEMA_NAMES, TYPES, Field, Schema, reserved
from workbench.errors import SchemaError, nearest

NAMESPACE = "com.amazonaws.personalize.schema"
VERSION = "1.0"
FLAGS = {"categorical": "categorical", "textual": "textual", "itemName": "item_name"}  # Avro's name to ours


def to_avro(schema: Schema) -> str:
    """Write a schema as Avro JSON, ready for CreateSchema or a file beside an exported CSV."""
    document = {
        "type": "record",
        "name": SCHEMA_NAMES[schema.kind],
        "namespace": NAMESPACE,
        "fields": [_to_field(each) for each in schema.fields],
        "version": VERSION,
    }
    return json.dumps(document, indent=2)


def from_avro(text: str, domain: str | None = None) -> Schema:
    """Read a schema from Avro JSON.

    Args:
        text: one record with flat fields; the record's name says the dataset kind (upper and lower case are the same).
        domain: ECOMMERCE, VIDEO_ON_DEMAND, or None for a custom dataset group; Avro does not say it.

    Raises:
        SchemaError: it is not JSON, not such a record, or has a type that Personalize does not take.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        raise SchemaError(f"The schema is not JSON: {error}. It must be one Avro record.") from error
    if not isinstance(document, dict) or document.get("type") != "record":
        got = document.get("type") if isinstance(document, dict) else type(document).__name__
        raise SchemaError(f'The schema must be an Avro record, an object with "type": "record"; got {got!r}.')
    kinds = {_fold(name): kind for kind, name in SCHEMA_NAMES.items()}
    name = str(document.get("name", ""))
    if _fold(name) not in kinds:
        raise SchemaError(f"No dataset kind is called {name!r}.{nearest(name, SCHEMA_NAMES.values())}")
    fields = document.get("fields")
    if not isinstance(fields, list) or not fields:
        raise SchemaError(f"The schema's fields must be a list with at least one field, got {fields!r}.")
    kind = kinds[_fold(name)]
    required = {each.name for each in reserved(kind, domain).values() if each.required}
    return Schema(kind, tuple(_from_field(each, required) for each in fields), domain)


def _to_field(field: Field) -> dict[str, Any]:
    flags = {name: True for name, ours in FLAGS.items() if getattr(field, ours)}
    return {"name": field.name, "type": ["null", field.type] if field.nullable else field.type, **flags}


def _from_field(written: Any, required: set[str]) -> Field:
    if not isinstance(written, dict) or not isinstance(written.get("name"), str):
        raise SchemaError(f"Each field must be an object with a name and a type, got {written!r}.")
    name = written["name"]
    union = written.get("type") if isinstance(written.get("type"), list) else [written.get("type")]
    types = [each for each in union if each != "null"]
    if len(types) != 1 or types[0] not in TYPES:
        raise SchemaError(
            f"Field {name} has type {written.get('type')!r}; it must be one of {', '.join(TYPES)}, "
            'alone or in a list with "null".'
        )
    flags = {ours: written.get(avro) is True for avro, ours in FLAGS.items()}
    return Field(name, types[0], nullable="null" in union, required=name in required, **flags)


def _fold(name: str) -> str:
    return name.replace("_", "").casefold()
