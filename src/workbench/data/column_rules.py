"""Rules on which columns a table has: what is missing, of which type, how it is called and how many there are."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from workbench.columns import (
    ACTION_ID,
    ACTIONS,
    CREATION_TIMESTAMP,
    EVENT_TYPE,
    EVENT_VALUE,
    ITEM_ID,
    TIMESTAMP,
    USER_ID,
)
from workbench.data.avro import to_avro
from workbench.data.inference import plain_type
from workbench.data.rules import (
    IDS,
    KEY,
    MAX_METADATA,
    MAX_NAME,
    MAX_SCHEMA,
    MAX_TEXTUAL,
    TIMES,
    Field,
    Schema,
    reserved,
)
from workbench.data.violations import ONLY_THERE, WARNING, Violation

NAME = re.compile(r"[A-Za-z_][A-Za-z\d_]*")
OWN_NAMES = ("_row", "file_row_number")  # of columns that reading and ordering add
NUMBERS = ("long", "int", "float", "double")
# What other people call these columns, without case and punctuation.
ALIASES = {
    USER_ID: ("user", "uid", "customer", "customerid", "member", "memberid", "visitor", "visitorid", "reviewerid"),
    ITEM_ID: (
        "item",
        "iid",
        "product",
        "productid",
        "movie",
        "movieid",
        "article",
        "articleid",
        "asin",
        "sku",
        "contentid",
    ),
    ACTION_ID: ("action", "offer", "offerid", "campaign", "campaignid"),
    TIMESTAMP: (
        "time",
        "ts",
        "date",
        "datetime",
        "eventtime",
        "eventtimestamp",
        "createdat",
        "unixtime",
        "unixreviewtime",
    ),
    CREATION_TIMESTAMP: ("createdat", "creationtime", "created", "releasedate", "publishedat", "released"),
    EVENT_TYPE: ("event", "type", "action", "eventname", "behavior", "behaviour"),
    EVENT_VALUE: ("value", "rating", "score", "amount"),
    "PRICE": ("cost", "unitprice", "amount"),
    "GENRES": ("genre", "genres", "category", "categories"),
    "CATEGORY_L1": ("category", "categories", "categoryl1", "maincategory", "department"),
}


def column_violations(types: Mapping[str, str], schema: Schema) -> list[Violation]:
    """Everything wrong with a table's columns, whatever their values.

    Args:
        types: column name to DuckDB type, as found.
        schema: of the columns found; `inference.infer` makes it.
    """
    known = reserved(schema.kind, schema.domain)
    return [
        *_missing(types, known),
        *(violation for name, found in types.items() for violation in _wrong_type(name, found, known.get(name))),
        *_names(types),
        *_counts(schema, known),
        *_flags(schema, known),
    ]


def schema_violations(types: Mapping[str, str], schema: Schema) -> list[Violation]:
    """Where a table's columns differ from the schema that somebody gave for it."""
    fields = {each.name: each for each in schema.fields}
    found = []
    for name, field in fields.items():
        plain = plain_type(types.get(name, ""))
        if name not in types:
            match = likely(name, [each for each in types if each not in fields])
            remedy = (
                f"Column {match!r} probably is it: rename it." if match else "Add it, or take it out of the schema."
            )
            found.append(Violation(name, "is in the schema but not in the table", remedy, value=match))
        elif plain and _family(plain) != _family(field.type) and name not in reserved(schema.kind, schema.domain):
            remedy = "Convert it with flow step `cast`, or change the field in the schema."
            found.append(Violation(name, f"has type {field.type} in the schema", remedy, value=types[name]))
    for name in types:
        if name not in fields:
            remedy = f"{ONLY_THERE} Drop it with flow step `drop_columns`, or add a field."
            found.append(Violation(name, "is in the table but not in the schema", remedy, WARNING))
    return found


def likely(name: str, present: list[str]) -> str | None:
    """The present column that probably is `name`: the same letters, a usual synonym, or nearly the same spelling."""
    folded = {fold(each).casefold(): each for each in reversed(present)}
    for candidate in (fold(name).casefold(), *ALIASES.get(name, ())):
        if candidate in folded:
            return folded[candidate]
    close = get_close_matches(fold(name).casefold(), folded, n=1, cutoff=0.75)
    return folded[close[0]] if close else None


def fold(name: str) -> str:
    """A name without anything but letters and digits: Personalize tells no two apart that agree in these."""
    return re.sub(r"[^A-Za-z0-9]", "", name)


def _missing(types: Mapping[str, str], known: Mapping[str, Field]) -> Iterator[Violation]:
    free = [name for name in types if name not in known]
    for field in known.values():
        if not field.required or field.name in types:
            continue
        match = likely(field.name, free)
        if match:
            remedy = f"Column {match!r} probably is it: map it with columns={{{match!r}: {field.name!r}}}."
        else:
            remedy = (
                f"The table has {', '.join(types) or 'no columns'}. Map one of them, or add it with flow step `set`."
            )
        yield Violation(field.name, f"required column is missing (type {field.type})", remedy, value=match)


def _wrong_type(name: str, found: str, field: Field | None) -> Iterator[Violation]:
    plain = plain_type(found)
    if plain is None and (found.endswith("]") or found.startswith(("STRUCT", "MAP", "UNION", "BLOB"))):
        yield Violation(
            name, "holds lists or nested values", "Join them with | by flow step `join_values`.", value=found
        )
    elif field is None:
        if plain is None:
            remedy = f"{ONLY_THERE} Flow step `parse_time` makes it a number."
            yield Violation(name, "is neither text, number nor boolean", remedy, WARNING, value=found)
    elif field.name in TIMES:
        if plain not in (*NUMBERS, "string"):
            remedy = "Turn it into epoch seconds with flow step `parse_time`, or map it when the source is opened."
            yield Violation(name, "must be whole epoch seconds", remedy, value=found)
    elif field.type == "string" and plain != "string":
        if field.name in IDS and plain not in ("int", "long"):
            remedy = "Read the column as text, so that ids stay exactly as they were written."
            yield Violation(name, "must be text", remedy, value=found)
        else:
            remedy = "It is stored as text. Read it as text if it may have leading zeros."
            yield Violation(name, "should be text", remedy, WARNING, value=found)
    elif field.type in NUMBERS and plain not in (*NUMBERS, "string"):
        yield Violation(name, "must be a number", "Convert it with flow step `cast`.", value=found)


def _names(types: Mapping[str, str]) -> Iterator[Violation]:
    for name in types:
        if name.casefold() in OWN_NAMES:
            yield Violation(name, "is a name the workbench needs itself", "Flow step `rename` gives it another name.")
    for name in types:
        if not NAME.fullmatch(name) or len(name) > MAX_NAME:
            rule = f"names are letters, digits and _, start with no digit, and have at most {MAX_NAME} characters"
            yield Violation(name, rule, f"{ONLY_THERE} Flow step `rename` gives it another name.", WARNING, value=name)
    first: dict[str, str] = {}
    for name in types:
        twin = first.setdefault(fold(name), name)
        if twin != name:
            rule = f"is the same name as {twin} once all but letters and digits is taken away"
            yield Violation(name, rule, f"{ONLY_THERE} Flow step `rename` gives it another name.", WARNING, value=name)


def _counts(schema: Schema, known: Mapping[str, Field]) -> Iterator[Violation]:
    metadata = [each for each in schema.fields if each.name not in known or not _is_core(each.name, schema.kind)]
    usable = [each for each in metadata if each.categorical or each.textual or each.type in (*NUMBERS, "boolean")]
    if schema.kind in KEY and not usable:
        remedy = f"{ONLY_THERE} Recipes that learn from metadata get nothing from this dataset."
        yield Violation("", "needs at least one column of categories, text or numbers beside the id", remedy, WARNING)
    most = MAX_METADATA.get(schema.kind)
    counted = (
        len(schema.fields) if schema.kind == ACTIONS else len([each for each in metadata if each.name not in known])
    )
    if most and counted > most:
        what = "columns" if schema.kind == ACTIONS else "metadata columns"
        yield Violation("", f"has {counted} {what}, Personalize takes {most}", ONLY_THERE, WARNING, value=str(counted))
    textual = [each.name for each in schema.fields if each.textual]
    if len(textual) > MAX_TEXTUAL:
        rule = f"more than {MAX_TEXTUAL} textual column"
        yield Violation(textual[-1], rule, ONLY_THERE, WARNING, value=", ".join(textual))
    length = len(to_avro(schema))
    if length > MAX_SCHEMA:
        yield Violation(
            "", f"the schema has more than {MAX_SCHEMA:,} characters", ONLY_THERE, WARNING, value=str(length)
        )


def _flags(schema: Schema, known: Mapping[str, Field]) -> Iterator[Violation]:
    for each in schema.fields:
        if each.name in known and each.categorical != known[each.name].categorical:
            rule = "must be categorical" if known[each.name].categorical else "is reserved and must not be categorical"
            yield Violation(each.name, rule, f"{ONLY_THERE} Change the field in the schema.", WARNING)
        if each.name in known and each.type != known[each.name].type:
            rule = f"is reserved and has type {known[each.name].type}"
            yield Violation(each.name, rule, "Change the field in the schema.", value=each.type)
        if (each.categorical or each.textual) and each.type != "string":
            yield Violation(each.name, "only text can be categorical or textual", "Change the field.", value=each.type)


def _family(type_: str) -> str:
    return "number" if type_ in NUMBERS else type_


def _is_core(name: str, kind: str) -> bool:
    """Columns that say who, what and when: they do not count as metadata."""
    return name in IDS or name in TIMES or kind not in KEY
