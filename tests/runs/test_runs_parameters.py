"""The parameters cell is a signature: names, types and help are read from it and hold."""

import pytest

from workbench.errors import ParameterError, RunError
from workbench.runs_parameters import check, inspect, parse, read_assignments


def test_title_and_parameters_are_read_without_running(make_notebook):
    notebook = inspect(make_notebook("10_ask", "1/0", title="Who came?"))
    assert notebook.title == "Who came?"
    assert {name: each.type for name, each in notebook.parameters.items()} == {
        "days": "int",
        "share": "float",
        "words": "str",
        "recipes": "list",
        "on": "bool",
        "report_dir": "str",
    }
    assert notebook.parameters["days"].help == "length of the window, in days"


def test_a_file_that_is_no_notebook_is_named(tmp_path):
    (tmp_path / "x.ipynb").write_text("{")
    with pytest.raises(RunError, match=r"x\.ipynb: not a readable notebook"):
        inspect(tmp_path / "x.ipynb")


def test_unknown_parameter_offers_the_nearest(make_notebook):
    with pytest.raises(ParameterError, match="no parameter 'dais'. Did you mean 'days'\\? Known: days, on, recipes"):
        check(inspect(make_notebook("10_ask")), {"dais": 1})


@pytest.mark.parametrize(
    ("name", "value"),
    [("days", "x"), ("days", 1.5), ("days", True), ("share", "half"), ("words", 7), ("recipes", "a"), ("on", 1)],
)
def test_wrong_type_says_what_was_got_and_needed(make_notebook, name, value):
    with pytest.raises(ParameterError, match=f"{name}={value!r}: 10_ask needs .* got {type(value).__name__}"):
        check(inspect(make_notebook("10_ask")), {name: value})


def test_no_value_is_called_nothing(make_notebook):
    with pytest.raises(ParameterError, match="days=None: 10_ask needs a whole number, got nothing"):
        check(inspect(make_notebook("10_ask")), {"days": None})


def test_whole_numbers_pass_as_floats(make_notebook):
    assert check(inspect(make_notebook("10_ask")), {"share": 1}) == {"share": 1.0}


@pytest.mark.parametrize(
    ("name", "words", "value"),
    [
        ("words", "007", "007"),
        ("words", "true", "true"),
        ("days", "7", 7),
        ("recipes", "a,b", ["a", "b"]),
        ("recipes", "[a, b]", ["a", "b"]),
        ("recipes", "a", ["a"]),
        ("on", "false", False),
        ("share", "0.25", 0.25),
    ],
)
def test_words_are_read_as_the_declared_type(make_notebook, name, words, value):
    assert parse(inspect(make_notebook("10_ask")), name, words) == value


def test_assignments_keep_equal_signs_in_the_value():
    assert read_assignments(["a=b=c", "d="]) == {"a": "b=c", "d": ""}


def test_an_assignment_without_equal_sign_says_how():
    with pytest.raises(ParameterError, match="-p 'recipe': write name=value"):
        read_assignments(["recipe"])
