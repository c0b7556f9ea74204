"""A sheet is checked whole before anything runs."""

import pytest

from workbench.errors import ParameterError, RunError
from workbench.runs_sheets import find_notebook, find_sheet, notebooks_folder, plan


@pytest.fixture
def folder(make_notebook):
    make_notebook("10_prepare")
    make_notebook("20_train")
    return make_notebook.folder


def sheet(folder, words, name="mine"):
    (folder / "sheets" / f"{name}.yaml").write_text(words)
    return name


def test_sheet_gives_tasks_in_order_with_shared_and_own_parameters(folder):
    name = sheet(folder, "title: T\nparameters: {days: 3}\nnotebooks: ['20', {notebook: '10', parameters: {days: 4}}]")
    made = plan(folder, [name], {})
    assert [(task.name, task.parameters) for task in made.tasks] == [
        ("20_train", {"days": 3}),
        ("10_prepare", {"days": 4}),
    ]
    assert made.title == "T"


def test_command_line_wins_over_the_sheet(folder):
    name = sheet(folder, "notebooks: [{notebook: '10', parameters: {days: 4}}]")
    assert plan(folder, [name], {"days": "5"}).tasks[0].parameters == {"days": 5}


def test_numbers_make_a_sheet_of_their_own(folder):
    made = plan(folder, ["10", "20"], {"words": "007"})
    assert (made.name, [task.parameters for task in made.tasks]) == ("10_20", [{"words": "007"}] * 2)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "notebooks: [10_prepair]",
            "mine.yaml: There is no notebook .10_prepair. in notebooks/. Did you mean .10_prep",
        ),
        ("notebook: [10_prepare]", "a list under 'notebooks'"),
        ("notebooks: []", "a list under 'notebooks'"),
        ("- x", "a list under 'notebooks'"),
        ("a: [", "not a readable run sheet"),
        ("titel: T\nnotebooks: ['10']", "unknown key 'titel'. Did you mean 'title'"),
        ("notebooks: [{notebook: '10', parameter: {}}]", "unknown key 'parameter'. Did you mean 'parameters'"),
        ("notebooks: [{parameters: {}}]", "a mapping with 'notebook'"),
        ("notebooks: ['10', '10']", "stand twice"),
        ("notebooks: [{notebook: '10', name: '../x'}]", "becomes a file name"),
    ],
)
def test_a_broken_sheet_says_what_is_wrong(folder, words, message):
    with pytest.raises(RunError, match=message):
        plan(folder, [sheet(folder, words)], {})


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "parameters: {dayz: 1}\nnotebooks: ['10']",
            "no notebook of the sheet has a parameter 'dayz'. Did you mean 'd",
        ),
        ("notebooks: [{notebook: '10', parameters: {days: many}}]", "days='many': 10_prepare needs a whole number"),
        ("notebooks: [{notebook: '10', parameters: {dayz: 1}}]", "10_prepare has no parameter 'dayz'"),
        ("notebooks: [{notebook: '10', parameters: [1]}]", "must be a mapping"),
    ],
)
def test_a_wrong_parameter_in_a_sheet_is_an_error(folder, words, message):
    with pytest.raises(ParameterError, match=message):
        plan(folder, [sheet(folder, words)], {})


def test_a_parameter_no_notebook_knows_is_an_error(folder):
    with pytest.raises(ParameterError, match="No notebook of 10_20 has a parameter 'dys'. Did you mean 'days'"):
        plan(folder, ["10", "20"], {"dys": "1"})
    with pytest.raises(ParameterError, match="10_prepare has no parameter 'dys'"):
        plan(folder, ["10"], {"dys": "1"})


def test_a_misspelt_sheet_offers_the_nearest(folder):
    sheet(folder, "notebooks: ['10']", "movielens")
    with pytest.raises(RunError, match="no run sheet or notebook 'movielense'. Did you mean 'movielens'"):
        plan(folder, ["movielense"], {})
    with pytest.raises(RunError, match="no run sheet 'nowhere.yaml'"):
        find_sheet(folder, "nowhere.yaml")


def test_a_notebook_is_found_by_number_name_and_path(folder):
    expected = (folder / "10_prepare.ipynb").resolve()
    assert {find_notebook(folder, words).resolve() for words in ("10", "10_prepare", str(expected))} == {expected}


def test_the_folder_is_found_from_below_and_by_name(folder, monkeypatch):
    below = folder / "deeper"
    below.mkdir()
    assert notebooks_folder(below) == folder.resolve()
    monkeypatch.setenv("WORKBENCH_NOTEBOOKS", str(folder.parent))
    with pytest.raises(RunError, match="WORKBENCH_NOTEBOOKS"):
        notebooks_folder(below)


def test_relative_paths_mean_where_they_were_written(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (folder / "beside.csv").write_text("x")
    typed = [plan(folder, ["10"], {"words": words}).tasks[0].parameters["words"] for words in WORDS]
    assert typed == [str(tmp_path / "a b.csv"), str(tmp_path / "d" / "*.csv"), "beside.csv", *WORDS[3:]]
    name = sheet(folder, "notebooks: [{notebook: '10', parameters: {words: a.csv}}]")
    assert plan(folder, [name], {}).tasks[0].parameters["words"] == str(folder / "sheets" / "a.csv")


def test_lists_of_another_system_are_found_where_the_entry_was_written(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    typed = plan(folder, ["10"], {"recipes": "[a/b, {lists: d/theirs.csv, label: x/y}]"}).tasks[0].parameters["recipes"]
    assert typed == ["a/b", {"lists": str(tmp_path / "d" / "theirs.csv"), "label": "x/y"}]


WORDS = [
    "a b.csv",
    "d/*.csv",
    "beside.csv",
    "https://example.org/a.csv",
    "movielens",
    "a b. c",
    "0.5",
    "sqlite:///x.db?t=a",
]
