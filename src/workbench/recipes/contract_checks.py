"""What tables and requests must be like before any recipe looks at them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from workbench.errors import RecipeError

TEXTS = ("string", "empty")  # what pandas calls a column of text, and one without any value
LARGEST = 2**62  # seconds; differences of two times stay whole numbers of 64 bits


def check_table(kind: str, table: pd.DataFrame, ids: Sequence[str], time: str | None = None) -> None:
    """Refuse a table that no recipe can read.

    Args:
        kind: "interactions", "items" or "users", for the message.
        table: interactions may be empty, then even without columns.
        ids: columns that must hold text in every row.
        time: column that must hold epoch seconds in every row; None without one.

    Raises:
        RecipeError: a column is absent, a value is missing (says in which rows), or values are of the wrong type.
    """
    if not len(table) and time:
        return
    if not table.columns.is_unique:
        twice = list(table.columns[table.columns.duplicated()].unique())
        raise RecipeError(f"The {kind} have two columns of one name: {twice}. Rename or drop one in the flow.")
    for name in (*ids, *([time] if time else [])):
        if name not in table:
            raise RecipeError(
                f"The {kind} have no column {name}; found {list(table)}. Rename the one that holds it in the flow."
            )
        missing = np.flatnonzero(table[name].isna())
        if len(missing):
            rows = ", ".join(f"{row + 1:,}" for row in missing[:5])
            raise RecipeError(
                f"{len(missing):,} {kind} are without {name} (the first rows: {rows}); "
                "drop or fill them in the flow (step drop_missing)."
            )
    for name in ids:
        _check_text(kind, table[name])
    if time:
        _check_seconds(kind, table[time])


def check_context(context: Mapping[str, np.ndarray], rows: int) -> None:
    """Refuse a context that is not one value a history; see `Histories.context`.

    Raises:
        RecipeError: says which column is too long, too short or no array.
    """
    for name, values in context.items():
        shape = np.shape(values)
        if shape != (rows,):
            got = f"{shape[0]:,} values" if len(shape) == 1 else f"an array of shape {shape}"
            raise RecipeError(
                f"context[{name!r}] holds {got} for {rows:,} histories; give one value a history, "
                "None where it is not known."
            )


def _check_text(kind: str, column: pd.Series) -> None:
    """Ids of another type would not be found again: 7 is not "7", and a saved model holds text."""
    values = column.cat.categories if isinstance(column.dtype, pd.CategoricalDtype) else column
    if isinstance(values.dtype, pd.StringDtype) or not len(column):
        return
    found = pd.api.types.infer_dtype(values, skipna=False)
    if found in TEXTS:
        return
    odd = next(n for n, each in enumerate(column.to_numpy(dtype=object)) if not isinstance(each, str))
    raise RecipeError(
        f"{column.name} of the {kind} holds {found} ({column.iloc[odd]} in row {odd + 1:,}); ids must be text. "
        f'Read the table with open_source, or convert it: table["{column.name}"].astype("str").'
    )


def _check_seconds(kind: str, column: pd.Series) -> None:
    numeric = pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype)
    if not numeric or pd.api.types.is_complex_dtype(column.dtype):
        raise RecipeError(
            f"{column.name} of the {kind} holds {column.dtype} ({column.iloc[0]} in row 1); epoch seconds as whole "
            "numbers are needed. Read the table with open_source, which recognises times."
        )
    values = column.to_numpy()
    if len(values) and not (values.min() > -LARGEST and values.max() < LARGEST):
        row = int(np.flatnonzero(~((values > -LARGEST) & (values < LARGEST)))[0])
        raise RecipeError(
            f"{column.name} of the {kind} is {values[row]:g} in row {row + 1:,}; epoch seconds are needed. "
            "Drop such rows or correct them in the flow."
        )
