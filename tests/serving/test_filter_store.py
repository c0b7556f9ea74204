"""Named filters in the catalogue: checked, replaced, seen by other processes, safe with two of them."""

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from workbench.errors import FilterError, ServingError, WorkspaceError
from workbench.serving.filter_store import SETTLED, FilterStore

CHEAP = "INCLUDE ItemID WHERE Items.PRICE < $MAX"


@pytest.fixture
def store(small_workspace):
    return FilterStore(small_workspace.path, "g")


def test_a_filter_is_made_found_listed_and_deleted(store):
    made = store.create("cheap", CHEAP)
    assert (made.revision, made.status, made.target, made.parameters) == (1, "ACTIVE", "ItemID", ("MAX",))
    assert store.get("cheap") == made
    assert str(made.filter) == CHEAP
    store.create("any-event", "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (*)")
    assert [each.name for each in store.list()] == ["any-event", "cheap"]
    assert store.frame()[["FILTER", "REVISION", "PORTABLE"]].to_numpy().tolist() == [
        ["any-event", 1, True],
        ["cheap", 1, True],
    ]
    store.delete("cheap")
    assert [each.name for each in store.list()] == ["any-event"]
    with pytest.raises(FilterError, match=r"'g' has no filter 'cheap'\. Known: any-event"):
        store.get("cheap")
    with pytest.raises(FilterError, match="has no filter 'cheap'"):
        store.delete("cheap")


def test_replacing_keeps_the_revisions_before_it(store):
    store.create("cheap", CHEAP)
    second = store.replace("cheap", "INCLUDE ItemID WHERE Items.PRICE <= 3")
    assert (second.revision, store.get("cheap").text) == (2, "INCLUDE ItemID WHERE Items.PRICE <= 3")
    assert store.get("cheap", 1).text == CHEAP
    store.delete("cheap")
    assert store.create("cheap", CHEAP).revision == 3
    assert [each.status for each in store.revisions("cheap")] == ["DELETED", "DELETED", "ACTIVE"]
    with pytest.raises(FilterError, match="has no revision 4"):
        store.get("cheap", 4)


def test_requests_give_a_name_or_an_expression(store):
    store.create("cheap", CHEAP)
    assert store.resolve("cheap") == ("cheap", CHEAP)
    assert store.resolve("EXCLUDE ItemID WHERE Items.PRICE = 0") == ("", "EXCLUDE ItemID WHERE Items.PRICE = 0")
    with pytest.raises(FilterError, match=r"no filter 'cheep'\. Did you mean 'cheap'\?"):
        store.resolve("cheep")


@pytest.mark.parametrize(
    ("name", "text", "error", "message"),
    [
        ("a b", CHEAP, WorkspaceError, "'a b' cannot name a filter"),
        ("x", "INCLUDE ItemID Items.PRICE < 3", FilterError, "WHERE"),
        ("x", "INCLUDE ItemID WHERE Items.PRIZE < 3", FilterError, r"(?s)no column 'PRIZE'.*Did you mean 'PRICE'"),
        ("x", "INCLUDE UserID WHERE Users.HEIGHT < 3", FilterError, "no column 'HEIGHT'"),
        ("x", "INCLUDE ActionID WHERE Actions.VALUE < 3", FilterError, "no dataset of actions"),
        ("x", 'INCLUDE ItemID WHERE Items.PRICE = "cheap"', FilterError, "holds numbers"),
    ],
)
def test_what_does_not_suit_the_datasets_is_not_stored(store, name, text, error, message):
    with pytest.raises(error, match=message):
        store.create(name, text)
    assert store.list() == ()


def test_notices_and_what_personalize_would_not_take_are_kept(store):
    made = store.create("typo", 'EXCLUDE ItemID WHERE Items.GENRES IN ("Comdy") OR Items.ADULT = TRUE')
    assert any("Comdy" in notice for notice in made.notices)
    assert any("boolean" in reason for reason in made.not_portable)
    assert store.get("typo") == made


def test_names_differ_by_more_than_case(store):
    store.create("Cheap", CHEAP)
    for name in ("Cheap", "cheap"):
        with pytest.raises(FilterError, match="Filter 'Cheap' exists at revision 1; change it with replace"):
            store.create(name, CHEAP)


def test_of_two_replacements_of_one_revision_the_second_is_told(store, small_workspace):
    store.create("cheap", CHEAP)
    other = FilterStore(small_workspace.path, "g")
    assert other.replace("cheap", "INCLUDE ItemID WHERE Items.PRICE < 2", expected_revision=1).revision == 2
    with pytest.raises(
        FilterError, match="replaced at revision 1, and it is at revision 2: another process was faster"
    ):
        store.replace("cheap", CHEAP, expected_revision=1)


def test_of_many_creations_at_once_one_wins(small_workspace):
    def create(number):
        own = FilterStore(small_workspace.path, "g")
        try:
            return own.create("cheap", f"INCLUDE ItemID WHERE Items.PRICE < {number}").revision
        except FilterError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(create, range(4)))
    assert found.count(1) == 1
    assert sum("exists at revision 1" in str(each) for each in found) == 3


def test_another_store_sees_a_change_at_once_and_asks_the_catalogue_no_more_often(store, small_workspace, monkeypatch):
    other = FilterStore(small_workspace.path, "g")
    assert other.list() == ()
    store.create("cheap", CHEAP)
    assert other.get("cheap").revision == 1
    store.replace("cheap", "INCLUDE ItemID WHERE Items.PRICE < 2")
    assert other.get("cheap").revision == 2
    time.sleep(SETTLED / 1e9 + 0.05)
    other.get("cheap")
    asked = []
    monkeypatch.setattr(other._book, "rows", lambda **wanted: asked.append(wanted) or [])
    assert [other.get("cheap").revision for _ in range(100)] == [2] * 100
    assert asked == []


def test_an_unknown_group_or_folder_is_said(small_workspace, tmp_path):
    with pytest.raises(ServingError, match=r"no dataset group 'gg'\. Did you mean 'g'"):
        FilterStore(small_workspace.path, "gg")
    with pytest.raises(WorkspaceError, match="There is no workspace in"):
        FilterStore(tmp_path / "nowhere", "g")


def test_reading_filters_imports_nothing_heavy(store, small_workspace):
    store.create("cheap", CHEAP)
    script = (
        "import sys\nfrom workbench.serving.filter_store import FilterStore\n"
        f"text = FilterStore({str(small_workspace.path)!r}, 'g').get('cheap').text\n"
        "heavy = [each for each in ('ibis', 'duckdb', 'pandas', 'torch', 'pyarrow') if each in sys.modules]\n"
        "print(text, heavy)"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, env=os.environ)
    assert told.stdout.strip() == f"{CHEAP} []"


def test_keeping_a_filter_twice_changes_nothing(store):
    first = store.keep("cheap", CHEAP)
    assert store.keep("cheap", CHEAP) == first
    changed = store.keep("cheap", "INCLUDE ItemID WHERE Items.PRICE < 3")
    assert (first.revision, changed.revision) == (1, 2)
    assert [each.revision for each in store.revisions("cheap")] == [1, 2]
