"""Items and users as sparse features: categories, numbers and words of a table, kept as arrays to use again."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from scipy import sparse

from workbench.columns import CREATION_TIMESTAMP
from workbench.data.inference import DISTINCT_SHARE, MANY, NAMES, PROSE_WORDS
from workbench.data.rules import DOMAIN_RESERVED, RESERVED, Field
from workbench.errors import RecipeError, nearest
from workbench.recipes.features_columns import Category, Number, learn_category, learn_number
from workbench.recipes.features_text import Text, learn_text

CATEGORY, NUMBER, TEXT, LABEL, UNUSABLE = "category", "number", "text", "label", "unusable"
KINDS: dict[str, type[Category | Number | Text]] = {each.kind: each for each in (Category, Number, Text)}
# What Personalize has laid down for the columns it reserves, in any domain.
KNOWN: dict[str, Field] = {
    each.name: each for fields in (*RESERVED.values(), *DOMAIN_RESERVED.values()) for each in fields
}
Encoder = Category | Number | Text


@dataclass(frozen=True)
class FeatureSpace:
    """What the features of a table mean, learned once and applied to any later rows.

    id_column: of the table.
    encoders: one per usable column.
    names: (width,) text such as "GENRES=Comedy", "PRICE", "PRICE is missing", "DESCRIPTION~wizard".
    columns: (width,) text, the column each feature comes from.
    kinds: (width,) text, "category", "number" or "text".
    notes: what was left out, bundled or filled, per column; not part of the state.
    """

    id_column: str
    encoders: tuple[Encoder, ...]
    notes: dict[str, Any] = field(default_factory=dict, compare=False)
    names: np.ndarray = field(init=False, compare=False, repr=False)
    columns: np.ndarray = field(init=False, compare=False, repr=False)
    kinds: np.ndarray = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        named = [(name, each.column, each.kind) for each in self.encoders for name in each.names]
        for position, what in enumerate(("names", "columns", "kinds")):
            object.__setattr__(self, what, np.array([entry[position] for entry in named], dtype=str))

    @property
    def width(self) -> int:
        """Number of features."""
        return len(self.names)

    def transform(self, frame: pd.DataFrame | None, ids: np.ndarray) -> sparse.csr_matrix:
        """Look up the features of some ids.

        Args:
            frame: the table to read them from, not changed; its last row counts where an id has several. A column
                that is absent gives its features nothing. None: nothing is known of anybody.
            ids: text, in the order wanted.

        Returns:
            (len(ids), width) float32. Ids that are not in the table get zero rows. Places of numbers that are exactly
            0 are stored.
        """
        if frame is None or not self.encoders:
            return sparse.csr_matrix((len(ids), self.width), dtype=np.float32)
        table = _one_row_each(frame, self.id_column)
        rows = pd.Index(table[self.id_column], dtype="object").get_indexer(np.asarray(ids, dtype=object))
        known = np.flatnonzero(rows >= 0)
        table = table.iloc[rows[known]].reset_index(drop=True)
        blocks = [self._block(table, encoder) for encoder in self.encoders]
        found = sparse.hstack(blocks, format="csr", dtype=np.float32)
        counts = np.zeros(len(ids), dtype=np.int64)
        counts[known] = np.diff(found.indptr)
        indptr = np.concatenate([[0], np.cumsum(counts)])
        return sparse.csr_matrix((found.data, found.indices, indptr), shape=(len(ids), self.width))

    def state(self) -> dict[str, np.ndarray]:
        """Everything needed to transform again, as arrays without object dtype."""
        arrays = {
            "id_column": np.array([self.id_column], dtype=str),
            "encoders": np.array([each.column for each in self.encoders], dtype=str),
            "kinds": np.array([each.kind for each in self.encoders], dtype=str),
        }
        for number, encoder in enumerate(self.encoders):
            arrays |= {f"{number}.{name}": array for name, array in encoder.state().items()}
        return arrays

    @classmethod
    def restore(cls, state: Mapping[str, np.ndarray]) -> "FeatureSpace":
        """Take back what `state` gave; features are identical afterwards. Further arrays are left alone."""
        encoders = []
        for number, (column, kind) in enumerate(zip(state["encoders"], state["kinds"], strict=True)):
            prefix = f"{number}."
            own = {name.removeprefix(prefix): array for name, array in state.items() if name.startswith(prefix)}
            encoders.append(KINDS[str(kind)].restore(str(column), own))
        return cls(str(state["id_column"][0]), tuple(encoders))

    def _block(self, table: pd.DataFrame, encoder: Encoder) -> sparse.csr_matrix:
        if encoder.column not in table.columns:
            return sparse.csr_matrix((len(table), len(encoder.names)), dtype=np.float32)
        return encoder.encode(table[encoder.column])


def fit_features(
    frame: pd.DataFrame, id_column: str, *, text: bool = True, most_values: int = 2000, seed: int = 0
) -> FeatureSpace:
    """Learn which features the columns of a table give.

    Categories become one feature per value (several values in a field are joined with |), numbers, truth values and
    times their place among all values from -1 to 1 with a feature for gaps, free text and titles TF-IDF. What a column
    is follows Personalize's reserved names first, then the rule that schemas are inferred by, except that a text
    which only sometimes holds a | stays free text.

    Args:
        frame: one row per id; the last one counts where an id has several. Not changed.
        id_column: ITEM_ID or USER_ID.
        text: False leaves free text and titles out.
        most_values: most values of one category column with a feature of their own; the others share one.
        seed: draws the rows that words are learned from where there are very many.

    Returns:
        The features. `notes["columns"]` counts per column what was missing, bundled or left out;
        `notes["left_out"]` says which columns give no feature and why.

    Raises:
        RecipeError: the table has no such id column, or `most_values` is below 1.
    """
    if id_column not in frame.columns:
        raise RecipeError(f"The table has no column {id_column!r}.{nearest(id_column, frame.columns)}")
    if most_values < 1:
        raise RecipeError(f"most_values must be at least 1, not {most_values!r}.")
    table = _one_row_each(frame, id_column)
    encoders: list[Encoder] = []
    counted: dict[str, dict[str, Any]] = {}
    left_out: dict[str, str] = {}
    for column in table.columns.drop(id_column):
        kind = column_kind(table[column])
        if kind == UNUSABLE:
            left_out[str(column)] = f"{table[column].dtype} is neither text nor a number nor a time"
            continue
        if kind in (TEXT, LABEL) and not text:
            left_out[str(column)] = "free text is not asked for"
            continue
        encoder, counted[str(column)] = _learn(table[column], kind, most_values, seed)
        if encoder is None:
            left_out[str(column)] = _why_nothing(counted[str(column)], len(table))
        else:
            encoders.append(encoder)
    notes = {"rows": len(table), "rows_repeating_an_id": len(frame) - len(table), "columns": counted}
    return FeatureSpace(id_column, tuple(encoders), notes | {"left_out": left_out})


def column_kind(column: pd.Series) -> str:
    """Say what a column is: "category", "number", "text" (free text), "label" (a title) or "unusable".

    Reserved names are what Personalize lays down. Other text is free text when its values, split at |, average more
    than 5 words; a label when it is named like one or has more than 100 values that are nearly all different; else a
    category.
    """
    dtype, name = column.dtype, str(column.name)
    if name == CREATION_TIMESTAMP or pd.api.types.is_datetime64_any_dtype(dtype):
        return NUMBER
    if pd.api.types.is_numeric_dtype(dtype):  # truth values too
        return UNUSABLE if pd.api.types.is_complex_dtype(dtype) else NUMBER
    reserved = KNOWN.get(name)
    if reserved is not None and (reserved.categorical or reserved.textual):
        return TEXT if reserved.textual else CATEGORY
    filled = column.dropna()
    is_text = isinstance(dtype, pd.StringDtype | pd.CategoricalDtype) or all(isinstance(each, str) for each in filled)
    if not is_text:
        return UNUSABLE
    return _text_kind(filled.astype(str), name)


def _text_kind(filled: pd.Series, name: str) -> str:
    joined = filled.str.count(r"\|")
    pieces = len(filled) + joined.sum()
    words = (filled.str.count(" ").sum() + pieces) / max(1, pieces)
    if words > PROSE_WORDS:
        return TEXT
    if name.upper() in NAMES:
        return LABEL
    distinct = filled.nunique()
    repeated = (joined > 0).mean() > 0.01 if len(filled) else False
    return LABEL if distinct > MANY and distinct > DISTINCT_SHARE * len(filled) and not repeated else CATEGORY


def _learn(column: pd.Series, kind: str, most_values: int, seed: int) -> tuple[Encoder | None, dict[str, int | str]]:
    if kind == NUMBER:
        return learn_number(column)
    if kind == CATEGORY:
        return learn_category(column, most_values)
    return learn_text(column, seed)


def _why_nothing(counted: Mapping[str, Any], rows: int) -> str:
    if counted["missing"] == rows:
        return "no value in any row"
    if counted["kind"] == Text.kind:
        return "no word that several rows share and others lack"
    return "the same in every row that has a value" if counted["missing"] else "the same in every row"


def _one_row_each(frame: pd.DataFrame, id_column: str) -> pd.DataFrame:
    if id_column not in frame.columns:
        raise RecipeError(f"The table has no column {id_column!r}.{nearest(id_column, frame.columns)}")
    table = frame[frame[id_column].notna()].drop_duplicates(id_column, keep="last")
    return table.reset_index(drop=True)
