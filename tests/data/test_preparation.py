"""From what a user named to drafts, to numbers before and after, to stored versions."""

import ibis
import pandas as pd
import pytest

from workbench.data.preparation import default_steps, drafts, group_name, histories, per_day, store, summary
from workbench.data.workspace import Workspace
from workbench.errors import FlowError, ParameterError, SourceError


@pytest.fixture
def files(tmp_path):
    """A log with odd names, an order of nobody and one written twice; items that are listed twice."""
    (tmp_path / "orders.csv").write_text(
        "kunde;artikel;wann;Preis €\n007;A-1;2025-02-23 14:05:00;12,50\n007;A-1;2025-02-23 14:05:00;12,50\n"
        ";A-1;2025-02-24 09:00:00;12,50\n012;A-2;2025-02-24 09:00:00;3,00\n",
        encoding="utf-8",
    )
    (tmp_path / "goods.csv").write_text("nr,colour\nA-1,red\nA-1,blue\nA-2,red\n", encoding="utf-8")
    return tmp_path


def opened(files, **steps):
    columns = {
        "interactions": {"kunde": "USER_ID", "artikel": "ITEM_ID", "wann": "TIMESTAMP"},
        "items": {"nr": "ITEM_ID"},
    }
    sources = {"interactions": str(files / "orders.csv"), "items": str(files / "goods.csv"), "users": ""}
    return drafts(sources, columns, steps)


def test_an_own_file_gets_valid_names_filled_ids_and_no_copies(files):
    found = opened(files)
    assert list(found) == ["items", "interactions"]
    log = found["interactions"].run()
    assert log.table.drop("_ROW").columns == ("USER_ID", "ITEM_ID", "TIMESTAMP", "PREIS")
    assert log.table.to_pandas()["USER_ID"].tolist() == ["007", "012"]
    assert log.record["ROWS_REMOVED"].tolist() == [0, 1, 1]
    assert found["items"].run().table.to_pandas()["colour"].tolist() == ["blue", "red"]


def test_given_steps_replace_the_default_and_see_the_other_tables(files):
    steps = [{"step": "join", "table": "items", "on": "ITEM_ID", "duplicates": "first"}]
    assert opened(files, interactions=steps)["interactions"].run().table.to_pandas()["colour"].tolist() == ["red"] * 4
    with pytest.raises(FlowError, match="unknown step 'jion'"):
        opened(files, interactions=[{"step": "jion"}])


def test_a_source_that_is_not_there_is_named():
    with pytest.raises(SourceError, match=r"nowhere\.csv"):
        drafts({"interactions": "nowhere.csv"}, {}, {})


def test_a_file_without_mapped_ids_is_refused_under_its_own_names(tmp_path):
    (tmp_path / "kauf.csv").write_text("Kunde;Artikel Nr;user id\n1;2;3\n4;5;6\n")
    sources = {"interactions": str(tmp_path / "kauf.csv")}
    words = r"'Artikel Nr', 'user id'.*with columns=\{'user id': 'USER_ID', 'its name'"
    with pytest.raises(ParameterError, match=words):
        drafts(sources, {}, {})
    steps = [{"step": "rename", "columns": {"Kunde": "USER_ID", "Artikel Nr": "ITEM_ID"}}]
    assert "USER_ID" in drafts(sources, {}, {"interactions": steps})["interactions"].run().table.columns


def test_names_that_no_schema_may_hold_become_valid_and_stay_different():
    steps = default_steps("users", ["USER_ID", "Preis €", "preis", "2nd", "§"])
    assert steps[0]["columns"] == {"Preis €": "PREIS_2", "2nd": "COLUMN_2ND", "§": "COLUMN"}
    assert steps[1]["columns"] == ["USER_ID"]
    assert steps[2]["by"] == ["USER_ID"]


@pytest.mark.parametrize(
    ("group", "source", "name"),
    [
        ("mine", "x.csv", "mine"),
        ("", "movielens", "movielens"),
        ("", "/data/My orders.csv.gz", "My-orders"),
        ("", "https://example.org/a/log.csv?key=1", "log"),
        ("", "/data/*.csv", "data"),
    ],
)
def test_a_group_is_named_after_its_source(group, source, name):
    assert group_name(group, source) == name


def test_summary_counts_before_and_after():
    before = pd.DataFrame({"USER_ID": ["a", "a", None], "TIMESTAMP": [0, 60, 9_999_999_999_999]})
    after = before.head(2).assign(EVENT_TYPE=["x", "x"])
    frame = summary(ibis.memtable(before), ibis.memtable(after)).set_index("FACT")
    assert frame.loc["rows"].tolist() == ["3", "2"]
    assert frame.loc["users"].tolist() == ["1", "1"]
    assert frame.loc["missing values"].tolist() == ["1", "0"]
    assert frame.loc["event types"].tolist() == ["", "1"]
    assert frame.loc["last time"].tolist() == ["9999999999999 (no date)", "1970-01-01 00:01 UTC"]


def test_histories_and_days_count_both_sides():
    before = pd.DataFrame({"USER_ID": ["a"] * 3 + ["b"] * 600, "TIMESTAMP": [0, 0, 86_400] + [10**12] * 600})
    after = before.head(3)
    lengths = histories(ibis.memtable(before), ibis.memtable(after)).set_index("VALUE")
    assert lengths.loc["2–4"].tolist() == [1, 1]
    assert lengths.loc["500+"].tolist() == [1, 0]
    days = per_day(ibis.memtable(before), ibis.memtable(after))
    assert days["BEFORE"].tolist() == [2, 1]
    assert days["AFTER"].tolist() == [2, 1]
    assert per_day(ibis.memtable(before[["USER_ID"]]), ibis.memtable(after)).iloc[0].tolist()[1:] == [0, 2]


def test_an_unchanged_table_keeps_its_version_and_a_changed_one_gets_the_next(files, tmp_path):
    place = Workspace(tmp_path / "workspace")
    place.create_group("own")
    draft = opened(files)["items"]
    first, new = store(place, "own", draft, draft.run())
    assert (first.version, new) == (1, True)
    again, new = store(place, "own", draft, draft.run())
    assert (again.version, new) == (1, False)
    other = opened(files, items=[{"step": "drop_duplicates", "by": ["ITEM_ID"]}])["items"]
    second, new = store(place, "own", other, other.run())
    assert (second.version, new) == (2, True)
    assert second.origin["flow"] == other.flow.steps
