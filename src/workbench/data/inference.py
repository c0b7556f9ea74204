"""Read a schema off a table: its columns' types, and which text is categories, prose or neither."""

from typing import Any

from workbench.columns import ITEMS, ROW
from workbench.data.connection import literal, quoted
from workbench.data.rules import MAX_CATEGORY, Field, Schema, reserved

# DuckDB types as Personalize names them; integers that may exceed 64 bits become double.
SIMPLE = {
    "VARCHAR": "string",
    "BOOLEAN": "boolean",
    "TINYINT": "int",
    "SMALLINT": "int",
    "INTEGER": "int",
    "UTINYINT": "int",
    "USMALLINT": "int",
    "UINTEGER": "long",
    "BIGINT": "long",
    "UBIGINT": "double",
    "HUGEINT": "double",
    "UHUGEINT": "double",
    "FLOAT": "float",
    "DOUBLE": "double",
}
NAMES = ("TITLE", "NAME", "ITEM_NAME", "ITEM_TITLE", "PRODUCT_NAME")  # columns that people know an item by
PROSE_WORDS = 5  # a text column is prose when its values have more words than this on average …
MANY = 100  # … and is neither prose nor categories when it has more than this many values …
DISTINCT_SHARE = 0.8  # … that are nearly all different


def plain_type(found: str) -> str | None:
    """The Personalize type of a DuckDB type; None for dates, times and nested values, which it does not take."""
    if found.startswith("DECIMAL"):
        return "double"
    if found.startswith("ENUM") or found == "UUID":
        return "string"
    return SIMPLE.get(found)


def column_types(con: Any, view: str) -> dict[str, str]:
    """Column name to DuckDB type of a view, `_ROW` left out."""
    described = con.execute(f"DESCRIBE {quoted(view)}").fetchall()
    return {name: type_ for name, type_, *_ in described if name != ROW}


def infer(con: Any, view: str, kind: str, domain: str | None) -> Schema:
    """The schema of the columns that a view has, in its order.

    Required and reserved columns get the type the kind gives them. Text is textual when its values average more than
    5 words (items only, the longest such column), plain when more than 100 values are nearly all different and none
    joins several with |, else categorical. Columns that no schema can hold are left out.

    Args:
        con: the DuckDB connection the view lives on.
        view: the view's name.
        kind: one of `columns.KINDS`.
        domain: ECOMMERCE, VIDEO_ON_DEMAND, or None.
    """
    known = reserved(kind, domain)
    types = {name: plain for name, found in column_types(con, view).items() if (plain := plain_type(found))}
    texts = _text_facts(con, view, [name for name, type_ in types.items() if type_ == "string" and name not in known])
    prose = {name: facts["words"] for name, facts in texts.items() if _is_prose(facts) and kind == ITEMS}
    taken = any(known[name].textual for name in types if name in known)
    textual = max(prose, key=prose.__getitem__) if prose and not taken else None
    named = next((name for name in NAMES if name in texts), None) if kind == ITEMS else None
    fields = []
    for name, type_ in types.items():
        if name in known:
            fields.append(known[name])
            continue
        is_text = type_ == "string" and name != textual and name != named
        categorical = is_text and _is_category(texts[name])
        fields.append(Field(name, type_, True, categorical, name == textual, name == named))
    return Schema(kind, tuple(fields), domain)


def _text_facts(con: Any, view: str, names: list[str]) -> dict[str, dict[str, float]]:
    """Per text column: values that are there, different ones (about), longest, mean words, joined with | or not."""
    if not names:
        return {}
    parts = []
    for name in names:
        value = f"CAST({quoted(name)} AS VARCHAR)"
        parts += [
            f"count({value})",
            f"approx_count_distinct({value})",
            f"coalesce(max(length({value})), 0)",
            f"coalesce(avg(1 + length({value}) - length(replace({value}, ' ', ''))), 0)",
            f"count_if(contains({value}, {literal('|')}))",
        ]
    row = con.execute(f"SELECT {', '.join(parts)} FROM {quoted(view)}").fetchone()
    keys = ("present", "distinct", "longest", "words", "joined")
    return {name: dict(zip(keys, row[5 * at : 5 * at + 5], strict=True)) for at, name in enumerate(names)}


def _is_prose(facts: dict[str, float]) -> bool:
    return facts["words"] > PROSE_WORDS and facts["joined"] == 0


def _is_category(facts: dict[str, float]) -> bool:
    if facts["joined"]:
        return True
    different = facts["distinct"] > MANY and facts["distinct"] > DISTINCT_SHARE * facts["present"]
    return not different and not _is_prose(facts) and facts["longest"] <= MAX_CATEGORY
