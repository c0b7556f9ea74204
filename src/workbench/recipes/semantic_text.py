"""What is read of an item: its title and its free text, as one text each."""

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workbench.columns import ITEM_ID, SEPARATOR
from workbench.data.inference import NAMES
from workbench.errors import RecipeError, nearest
from workbench.recipes.features import TEXT, column_kind


@dataclass(frozen=True)
class Columns:
    """The columns that are read: the title first, then the texts."""

    title: str
    texts: tuple[str, ...]


def find_columns(items: pd.DataFrame, title: str | None, texts: str | None) -> Columns:
    """Find the title column and the free-text columns of an items table.

    Args:
        items: the table.
        title: its title column; None: the first of TITLE, NAME, ITEM_NAME …
        texts: columns to read, joined with |; None: every free-text column.

    Raises:
        RecipeError: a named column is absent, or there is no title or no text to be found.
    """
    columns = [str(each) for each in items.columns]
    by_name = {each.upper(): each for each in reversed(columns)}
    given = [] if texts is None else [each.strip() for each in texts.split(SEPARATOR) if each.strip()]
    for wanted in ([title] if title is not None else []) + given:
        if wanted not in columns:
            raise RecipeError(
                f"semantic-similarity: the items table has no column {wanted!r}.{nearest(wanted, columns)}"
            )
    found = title or next((by_name[name] for name in NAMES if name in by_name), None)
    if found is None:
        raise RecipeError(
            f"semantic-similarity needs a column with the items' names, one of {', '.join(NAMES)}; the items table has "
            f"{', '.join(columns)}. Rename one in the flow, or name it with title_column."
        )
    prose = given or [
        str(each) for each in items.columns if str(each) not in (found, ITEM_ID) and column_kind(items[each]) == TEXT
    ]
    if not prose:
        raise RecipeError(
            "semantic-similarity needs at least one column of free text, such as PRODUCT_DESCRIPTION; the items table "
            f"has {', '.join(columns)}. Name columns to read with text_columns, joined with |."
        )
    return Columns(found, tuple(dict.fromkeys(prose)))


def item_texts(items: pd.DataFrame, columns: Columns) -> pd.Series:
    """Title and texts of every item, joined by full stops; empty where an item has none.

    Returns:
        Text indexed by ITEM_ID; the last row counts where an id has several. A column that is absent adds nothing.
    """
    table = items[items[ITEM_ID].notna()].drop_duplicates(ITEM_ID, keep="last")
    joined = pd.Series("", index=range(len(table)), dtype="object")
    for name in (columns.title, *columns.texts):
        if name in table.columns:
            part = table[name].reset_index(drop=True)
            part = part.astype("object").where(part.notna(), "").astype(str).str.split().str.join(" ")
            part = part.str.replace(SEPARATOR, ", ", regex=False)
            joined = joined.where((joined == "") | (part == ""), joined + ". ") + part
    joined.index = pd.Index(table[ITEM_ID], dtype="object")
    return joined


def digests(texts: pd.Series) -> np.ndarray:
    """64 bits of every text's SHA-256, 0 for an empty one: the same text is not embedded again."""
    return np.array(
        [int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest()[:8]) if text else 0 for text in texts],
        dtype=np.uint64,
    )
