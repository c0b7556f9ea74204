"""Features of items and users by hand: categories, numbers, words, gaps, and tables that are as bad as they come."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import features_text, storage
from workbench.recipes.features import FeatureSpace, fit_features

IDS = np.array(["a", "b", "c", "d"], dtype=object)


def items(**columns):
    return pd.DataFrame({"ITEM_ID": IDS[: len(next(iter(columns.values())))], **columns})


def features_of(space, frame, item):
    row = space.transform(frame, np.array([item], dtype=object)).tocoo()
    return {str(space.names[column]): float(value) for column, value in zip(row.col, row.data, strict=True)}


def test_categories_become_one_feature_per_value_and_several_values_are_split_at_the_bar():
    frame = items(GENRES=["Comedy|Drama", " Drama |", None, "Comedy|Comedy"])
    space = fit_features(frame, "ITEM_ID")
    assert space.names.tolist() == ["GENRES=Comedy", "GENRES=Drama"]
    assert space.columns.tolist() == ["GENRES", "GENRES"]
    assert space.transform(frame, IDS).toarray().tolist() == [[1, 1], [0, 1], [0, 0], [1, 0]]
    assert space.notes["columns"]["GENRES"]["missing"] == 1


def test_numbers_become_places_between_lowest_and_highest():
    frame = items(PRICE=[1.0, 2.0, 3.0, 1_000.0])
    space = fit_features(frame, "ITEM_ID")
    places = space.transform(frame, IDS).toarray().ravel()
    assert places == pytest.approx([-0.83, -0.33, 0.34, 0.84], abs=0.02)
    beyond = items(PRICE=[-5.0, 2.5, 2_000.0])
    assert space.transform(beyond, IDS[:3]).toarray().ravel() == pytest.approx([places[0], 0.0, places[3]], abs=0.02)


def test_nan_and_infinite_numbers_are_missing_with_a_feature_that_says_so():
    frame = items(PRICE=[1.0, np.nan, np.inf, 2.0])
    space = fit_features(frame, "ITEM_ID")
    assert space.names.tolist() == ["PRICE", "PRICE is missing"]
    assert features_of(space, frame, "b") == {"PRICE is missing": 1.0}
    assert features_of(space, frame, "c") == {"PRICE is missing": 1.0}
    assert "PRICE is missing" not in features_of(space, frame, "a")
    assert space.notes["columns"]["PRICE"] == {"kind": "number", "missing": 1, "infinite_as_missing": 1}
    assert np.isfinite(space.transform(frame, IDS).data).all()


def test_a_place_of_zero_is_stored_and_differs_from_none():
    frame = items(PRICE=[1.0, 2.0, 3.0])
    space = fit_features(frame, "ITEM_ID")
    middle = space.transform(items(PRICE=[2.0, np.nan]), IDS[:2])
    assert np.diff(middle.indptr).tolist() == [1, 0]


def test_times_and_truth_values_are_numbers():
    frame = items(
        CREATION_TIMESTAMP=["10", "20", "30", "40"],
        ADDED=pd.to_datetime(["2020-01-01", "2021-01-01", None, "2022-01-01"]),
        ZONED=pd.to_datetime(["2020-01-01", "2021-01-01", "2022-01-01", "2023-01-01"], utc=True),
        SOLD=[True, False, False, True],
        MAYBE=pd.array([True, None, False, True], dtype="boolean"),
    )
    space = fit_features(frame, "ITEM_ID")
    assert space.names.tolist() == [
        "CREATION_TIMESTAMP", "ADDED", "ADDED is missing", "ZONED", "SOLD", "MAYBE", "MAYBE is missing",
    ]  # fmt: skip
    found = space.transform(frame, IDS).toarray()
    assert (np.diff(found[:, 0]) > 0).all()
    assert found[0, 4] == found[3, 4] > found[1, 4]


def test_words_of_free_text_are_weighed_by_how_rare_they_are():
    frame = items(
        PRODUCT_DESCRIPTION=["the wizard flies", "the wizard sleeps", "the dragon sleeps", "the dragon the dragon"]
    )
    space = fit_features(frame, "ITEM_ID")
    # "the" is in all, "flies" in one: neither relates rows. The three others are in two of four rows each.
    assert space.names.tolist() == [f"PRODUCT_DESCRIPTION~{word}" for word in ("dragon", "sleeps", "wizard")]
    found = space.transform(frame, IDS).toarray()
    half = np.sqrt(0.5)
    np.testing.assert_allclose(found, [[0, 0, 1], [0, half, half], [half, half, 0], [1, 0, 0]], atol=1e-6)


def test_a_text_with_one_bar_in_it_stays_text_and_titles_are_words():
    frame = items(
        STORY=[
            "a wizard learns to fly | again",
            "a wizard learns how to sing and dance",
            "no dragon sings for a living",
            None,
        ],
        TITLE=["Toy Story", "Toy Story 2", "Dragon", "Dragon 2"],
    )
    space = fit_features(frame, "ITEM_ID")
    assert set(space.kinds.tolist()) == {"text"}
    assert "TITLE~toy" in space.names.tolist()
    assert fit_features(frame, "ITEM_ID", text=False).notes["left_out"] == {
        "STORY": "free text is not asked for",
        "TITLE": "free text is not asked for",
    }


def test_a_column_that_is_empty_on_nine_of_ten_rows_still_speaks_for_the_tenth():
    ids = np.array([f"i{n}" for n in range(100)], dtype=object)
    texts = [None] * 90 + ["a long tale about ships", "a long tale about trains"] * 5
    frame = pd.DataFrame({"ITEM_ID": ids, "OVERVIEW": texts})
    space = fit_features(frame, "ITEM_ID")
    assert space.notes["columns"]["OVERVIEW"]["missing"] == 90
    found = space.transform(frame, ids)
    assert np.flatnonzero(np.diff(found.indptr)).tolist() == list(range(90, 100))


def test_constant_columns_are_left_out_and_named():
    frame = items(
        ONE=[1, 1, 1, 1], SAME=["x"] * 4, EMPTY=[None] * 4, GAP=[5.0, np.nan, 5.0, 5.0], LIST=[[1], [2], [3], [4]]
    )
    space = fit_features(frame, "ITEM_ID")
    assert space.width == 0
    assert space.notes["left_out"] == {
        "ONE": "the same in every row",
        "SAME": "the same in every row",
        "EMPTY": "no value in any row",
        "GAP": "the same in every row that has a value",
        "LIST": "object is neither text nor a number nor a time",
    }
    assert space.transform(frame, IDS).shape == (4, 0)
    assert FeatureSpace.restore(space.state()).width == 0


def test_a_category_of_50_000_values_keeps_the_most_frequent_and_bundles_the_rest():
    values = [f"brand {n}" for n in range(50_000)] + ["brand 3"] * 3 + ["brand 1"] * 2 + ["brand 2"] * 25_000
    ids = np.array([f"i{n}" for n in range(len(values))], dtype=object)
    frame = pd.DataFrame({"ITEM_ID": ids, "BRAND": values})
    space = fit_features(frame, "ITEM_ID", most_values=3)
    assert space.names.tolist() == ["BRAND=brand 2", "BRAND=brand 3", "BRAND=brand 1", "BRAND=(other)"]
    assert space.notes["columns"]["BRAND"]["values_bundled"] == 49_997
    assert space.transform(frame, ids[:4]).toarray().tolist() == [
        [0, 0, 0, 1],
        [0, 0, 1, 0],
        [1, 0, 0, 0],
        [0, 1, 0, 0],
    ]


def test_unknown_ids_and_absent_columns_and_no_table_give_zero_rows():
    frame = items(PRICE=[1.0, 2.0], GENRES=["x", "y"])
    space = fit_features(frame, "ITEM_ID")
    found = space.transform(frame, np.array(["nobody", "b"], dtype=object))
    assert np.diff(found.indptr).tolist() == [0, 2]
    assert found.dtype == np.float32
    assert space.transform(None, IDS).nnz == 0
    assert space.transform(frame[["ITEM_ID", "GENRES"]], np.array(["b"])).nnz == 1


def test_the_last_row_of_an_id_counts_and_ids_stay_text():
    frame = pd.DataFrame({"ITEM_ID": ["007", "7", "7", None], "COLOUR": ["red", "red", "blue", "green"]})
    space = fit_features(frame, "ITEM_ID")
    assert space.notes["rows_repeating_an_id"] == 2  # one replaced, one without an id
    assert features_of(space, frame, "7") == {"COLOUR=blue": 1.0}
    assert features_of(space, frame, "007") == {"COLOUR=red": 1.0}


def test_the_state_survives_the_files_of_a_model():
    frame = items(
        PRICE=[1.0, np.nan, 3.0, 9.0],
        COLOUR=["red 🟥", "<b>", "ü|<b>", None],
        PRODUCT_DESCRIPTION=["wizards fly", "wizards sing", "dragons sing", "dragons fly"],
    )
    space = fit_features(frame, "ITEM_ID")
    state = space.state()
    assert all(array.dtype.kind in "fibuU" for array in state.values())
    back = FeatureSpace.restore(storage._arrays(storage._tensors(state)))
    assert back.names.tolist() == space.names.tolist()
    assert (back.transform(frame, IDS) != space.transform(frame, IDS)).nnz == 0


def test_the_table_stays_as_it_was_and_the_same_seed_gives_the_same_words(monkeypatch):
    monkeypatch.setattr(features_text, "SAMPLE", 3)
    frame = items(PRODUCT_DESCRIPTION=["red fish", "blue fish red", "blue bird", "red bird"], PRICE=[1, 2, 3, 4])
    before = frame.copy(deep=True)
    first, second = (fit_features(frame, "ITEM_ID", seed=5) for _ in range(2))
    assert first.names.tolist() == second.names.tolist()
    assert first.notes["columns"]["PRODUCT_DESCRIPTION"]["rows_not_read_for_words"] == 1
    pd.testing.assert_frame_equal(frame, before)


def test_wrong_calls_say_what_is_needed():
    with pytest.raises(RecipeError, match="no column 'ITEM'.*Did you mean 'ITEM_ID'"):
        fit_features(items(PRICE=[1, 2]), "ITEM")
    with pytest.raises(RecipeError, match="most_values must be at least 1"):
        fit_features(items(PRICE=[1, 2]), "ITEM_ID", most_values=0)


@given(
    st.lists(st.one_of(st.none(), st.text(max_size=30)), min_size=1, max_size=20), st.lists(st.floats(), min_size=20)
)
def test_any_text_and_any_number_give_finite_features(texts, numbers):
    ids = np.array([str(n) for n in range(len(texts))], dtype=object)
    frame = pd.DataFrame({"ITEM_ID": ids, "ANY": pd.array(texts, dtype="str"), "N": numbers[: len(texts)]})
    space = fit_features(frame, "ITEM_ID")
    found = space.transform(frame, ids)
    assert np.isfinite(found.data).all()
    assert found.shape == (len(ids), len(space.names))
