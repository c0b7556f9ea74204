"""Entity tables, columns and event logs by hand-made tables."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import ServingError
from workbench.serving.tables import EntityTable, EventLog, NumberColumn, TextColumn, column_of, text_array


def _items() -> EntityTable:
    frame = pd.DataFrame(
        {
            "ITEM_ID": ["b", "a", "stranger"],
            "GENRES": ["Action|Crime", "Action", "Drama"],
            "PRICE": [2.5, None, 9.0],
            "NEW": pd.array([True, None, False], dtype="boolean"),
            "DESCRIPTION": ["a | b", None, "c"],
        }
    )
    return EntityTable.from_frame("Items", ["a", "b", "c"], frame, "ITEM_ID", textual=("DESCRIPTION",))


def test_columns_lie_by_code_and_ids_without_a_row_are_missing():
    items = _items()
    assert items.row(0) == {"GENRES": "Action", "PRICE": None, "NEW": None, "DESCRIPTION": None}
    assert items.row(1) == {"GENRES": "Action|Crime", "PRICE": 2.5, "NEW": True, "DESCRIPTION": "a | b"}
    assert items.row(2) == dict.fromkeys(("GENRES", "PRICE", "NEW", "DESCRIPTION"))
    assert items.row(-1) == {}
    assert items.value(-1, "PRICE") is None
    assert {name: items.columns[name].boolean for name in ("NEW", "PRICE")} == {"NEW": True, "PRICE": False}
    assert items.columns["GENRES"].vocabulary.tolist() == ["Action", "Action|Crime"]


def test_parts_hold_each_joined_value_once_and_prose_stays_whole():
    column = column_of(["Action|Crime", "Crime|Crime", None, "", "Action"])
    assert {part: codes.tolist() for part, codes in column.parts.items()} == {
        "Action": [0, 3], "Crime": [0, 1], "": [2]
    }  # fmt: skip
    assert list(_items().columns["DESCRIPTION"].parts) == ["a | b"]


def test_codes_of_known_and_unknown_ids():
    items = _items()
    assert [items.code_of("c"), items.code_of("C")] == [2, -1]
    assert items.codes_of(["c", "x", "a"]).tolist() == [2, -1, 0]
    assert items.codes_of(np.array(["b"], dtype=object)).dtype == np.int32


def test_kinds_of_values_decide_the_kind_of_a_column():
    assert column_of([1, 2.5, None]).values[:2].tolist() == [1.0, 2.5]
    assert column_of([True, None]).boolean
    assert isinstance(column_of([1, "1"]), TextColumn)
    assert isinstance(column_of([None, pd.NA, float("nan"), pd.NaT]), NumberColumn)
    assert column_of(["007", "7"]).vocabulary.tolist() == ["007", "7"]


def test_an_id_with_two_rows_is_refused():
    frame = pd.DataFrame({"ITEM_ID": ["a", "a"], "PRICE": [1, 2]})
    with pytest.raises(ServingError, match="'a' stands in rows 1 and 2 of Items"):
        EntityTable.from_frame("Items", ["a"], frame, "ITEM_ID")
    with pytest.raises(ServingError, match="holds 1 ids twice"):
        EntityTable("Items", text_array(["a", "a"])).code_of("a")


def test_an_unknown_column_and_wrong_lengths_are_refused():
    with pytest.raises(ServingError, match="no column 'PRISE'. Did you mean 'PRICE'"):
        _items().value(0, "PRISE")
    with pytest.raises(ServingError, match="PRICE of Items has 1 values for 2 ids"):
        EntityTable("Items", text_array(["a", "b"]), {"PRICE": NumberColumn(np.zeros(1))})
    with pytest.raises(ServingError, match="times of an event log has 2 values for 1 events"):
        EventLog(np.zeros(1, np.int32), np.zeros(2, np.int64))


@given(st.lists(st.one_of(st.none(), st.text(max_size=5)), max_size=20))
def test_a_text_column_gives_back_what_it_was_given(values):
    column = column_of(values)
    assert [column.value(code) for code in range(len(values))] == values
    if isinstance(column, TextColumn):
        held = {part: set(codes.tolist()) for part, codes in column.parts.items()}
        for code, text in enumerate(column.vocabulary):
            assert all(code in held[part] for part in text.split("|") if part)
