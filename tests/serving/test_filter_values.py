"""Values of filter parameters: Personalize's quoted lists and plain Python values."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import FilterError
from workbench.serving.filter_values import number_of, over_limits, parse_values, require_known

TEXTS = st.text(st.characters(blacklist_categories=("Cs",)), max_size=12)


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ('"jazz","blues"', ("jazz", "blues")),
        (' "jazz" , "blues" ', ("jazz", "blues")),
        ("'jazz','blues'", ("jazz", "blues")),
        ('"10",20', ("10", "20")),
        ('"a,b","c \\"d\\" \\\\"', ("a,b", 'c "d" \\')),
        ('""', ("",)),
        ('"x","x"', ("x",)),
        ("jazz", ("jazz",)),
        ("Crouching Tiger, Hidden Dragon", ("Crouching Tiger, Hidden Dragon",)),
        ("007", ("007",)),
        (10, ("10",)),
        (10.0, ("10",)),
        (49.99, ("49.99",)),
        (True, ("True",)),
        (np.int64(3), ("3",)),
        (np.array(["a", "b"]), ("a", "b")),
        (["jazz", 7, False], ("jazz", "7", "False")),
    ],
)
def test_quoted_lists_and_plain_values_are_read(value, texts):
    assert parse_values({"G": value}) == {"G": texts}


def test_a_dollar_before_the_name_is_taken_off():
    assert parse_values({"$G": "jazz"}) == {"G": ("jazz",)}
    with pytest.raises(FilterError, match=r"\$G is given twice"):
        parse_values({"$G": "jazz", "G": "blues"})


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_every_list_of_texts_survives_the_quoted_form(texts):
    quoted = ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts)
    assert parse_values({"G": quoted}) == {"G": tuple(dict.fromkeys(texts))}


@pytest.mark.parametrize(
    ("value", "column"),
    [('"jazz', 1), ('"jazz","blues', 8), ('"jazz" "blues"', 8), ('"jazz",', 8), ('"jazz",blues', 8)],
)
def test_a_broken_list_is_shown_with_the_place(value, column):
    with pytest.raises(FilterError, match=rf"\$G breaks off at character {column};") as caught:
        parse_values({"G": value})
    _, shown, caret = str(caught.value).split("\n")
    assert shown == f"  {value}"
    assert caret.index("^") == column + 1


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"G": []}, r"\$G is given an empty list"),
        ({"G": None}, r"\$G is given None \(NoneType\)"),
        ({"G": float("nan")}, r"\$G is given nan"),
        ({"G": {"a": 1}}, r"\$G is given \{'a': 1\} \(dict\)"),
        ({"G": '\\"jazz\\"'}, "escaped once too often"),
        (["G"], "Filter values are list"),
    ],
)
def test_values_that_mean_nothing_are_refused(values, message):
    with pytest.raises(FilterError, match=message):
        parse_values(values)


def test_a_name_the_filter_does_not_have_gets_the_nearest():
    with pytest.raises(FilterError, match=r"no parameter \$GENRE\. Did you mean 'GENRES'\? Its parameters: \$GENRES"):
        require_known({"GENRE": ("x",)}, ("GENRES",))
    with pytest.raises(FilterError, match="It has no parameters"):
        require_known({"GENRE": ("x",)}, ())


def test_what_personalize_would_not_take_is_said():
    given_ = {f"P{number}": ("x",) for number in range(24)} | {"N" * 51: ("x",), "LONG": ("x" * 999,)}
    assert [line[:30] for line in over_limits(given_)] == [
        "26 parameters; Amazon Personal",
        "Parameter $NNNNNNNNNNNNNNNNNNN",
        "The value of $LONG has 1,001 c",
    ]
    assert over_limits({"G": ("x" * 998,)}) == ()


def test_the_json_of_personalize_is_read():
    assert parse_values(json.loads(r'{"GENRES":"\"jazz\",\"blues\""}')) == {"GENRES": ("jazz", "blues")}


@pytest.mark.parametrize(
    ("text", "number"), [("1e3", 1000.0), ("-2.5", -2.5), ("1_000", None), ("nan", None), ("inf", None), ("True", None)]
)
def test_numbers_in_text(text, number):
    assert number_of(text) == number


def test_true_and_false_are_numbers_of_a_column_of_them():
    assert [number_of(text, boolean=True) for text in ("True", "FALSE", "1", "yes")] == [1, 0, 1, None]
