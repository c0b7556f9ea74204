import multiprocessing
import sqlite3
import subprocess
import sys
import time
from contextlib import suppress

import ibis
import numpy as np
import pandas as pd
import pytest

from workbench.data.connection import connect
from workbench.data.workspace import Workspace
from workbench.errors import SchemaError, WorkspaceError

EVENTS = pd.DataFrame({
    "USER_ID": ["007", "7", "b", "b"],
    "ITEM_ID": ["x", "y", "😀", "<script>"],
    "TIMESTAMP": [30, 20, 20, 10],
})  # fmt: skip
ITEMS = pd.DataFrame({"ITEM_ID": ["z", "a", "m"], "YEAR": [1990, 2001, 2010]})


@pytest.fixture
def workspace(tmp_path):
    space = Workspace(tmp_path / "workspace")
    space.create_group("shop")
    return space


def put(workspace, frame=EVENTS, kind="interactions", group="shop"):
    return workspace.write_dataset(group, kind, frame, origin={"source": "a test"})


def test_logs_are_stored_by_time_and_ties_keep_their_order(workspace):
    version = put(workspace)
    assert version.frame()["ITEM_ID"].tolist() == ["<script>", "y", "😀", "x"]
    assert version.frame()["USER_ID"].tolist() == ["b", "7", "b", "007"]
    assert list(version.frame().columns) == ["USER_ID", "ITEM_ID", "TIMESTAMP"]
    assert (version.version, version.rows, version.origin) == (1, 4, {"source": "a test"})


def test_row_numbers_break_ties_and_are_not_stored(workspace):
    table = ibis.memtable(EVENTS.assign(TIMESTAMP=5, _ROW=[4, 3, 2, 1]))
    version = put(workspace, table)
    assert version.frame()["USER_ID"].tolist() == ["b", "b", "7", "007"]
    assert "_ROW" not in version.columns


def test_items_keep_the_order_of_a_frame_and_have_that_of_ids_without_row_numbers(workspace):
    assert put(workspace, ITEMS, "items").frame()["ITEM_ID"].tolist() == ["z", "a", "m"]
    assert put(workspace, ibis.memtable(ITEMS), "items").frame()["ITEM_ID"].tolist() == ["a", "m", "z"]


def test_the_table_is_not_changed(workspace):
    before = EVENTS.copy()
    put(workspace)
    pd.testing.assert_frame_equal(EVENTS, before)


def test_reserved_columns_get_their_type(workspace):
    odd = EVENTS.assign(USER_ID=[1, 2, 3, 4], TIMESTAMP=["30", "20", "20", "10"], EVENT_VALUE=["1", "2.5", None, "4"])
    version = put(workspace, odd)
    assert version.columns == {
        "USER_ID": "VARCHAR", "ITEM_ID": "VARCHAR", "TIMESTAMP": "BIGINT", "EVENT_VALUE": "DOUBLE",
    }  # fmt: skip


def test_a_wrong_table_is_refused_and_leaves_nothing(workspace):
    with pytest.raises(SchemaError, match="id is missing"):
        put(workspace, EVENTS.assign(USER_ID=[None, "a", "b", "c"]))
    assert workspace.versions("shop", "interactions") == []
    assert not (workspace.path / "shop").exists()
    assert [path.name for path in (workspace.path / ".staging").iterdir()] == ["gate"]


def test_a_lazy_table_that_fails_says_why(workspace):
    table = ibis.memtable(EVENTS)
    with pytest.raises(WorkspaceError, match="cannot be computed: Conversion Error: Could not convert string 'x'"):
        put(workspace, table.mutate(EVENT_VALUE=table.ITEM_ID.cast("float64")))


def test_the_domain_of_the_group_decides_the_rules(workspace):
    workspace.create_group("films", "VIDEO_ON_DEMAND")
    with pytest.raises(SchemaError, match="EVENT_TYPE"):
        put(workspace, group="films")


def test_equal_data_have_equal_hashes_and_other_data_others(workspace):
    first = put(workspace)
    assert put(workspace, first.table()).hash == first.hash
    assert put(workspace, EVENTS.iloc[[3, 1, 2, 0]]).hash == first.hash  # the order of ties is the same
    others = [
        EVENTS.assign(USER_ID=["07", "7", "b", "b"]),
        EVENTS.iloc[[0, 2, 1, 3]],  # the order of ties is not
        EVENTS.assign(EVENT_TYPE="a"),
        EVENTS.iloc[:3],
    ]
    hashes = {put(workspace, other).hash for other in others}
    assert len(hashes | {first.hash}) == 5


def test_values_that_run_together_hash_apart(workspace):
    one = put(workspace, ITEMS.assign(A=["x:1", "", None], B=["y", "2", "3"]), "items")
    two = put(workspace, ITEMS.assign(A=["x", "", ""], B=["1y", "2", "3"]), "items")
    three = put(workspace, ITEMS.assign(A=["x:1", None, ""], B=["y", "2", "3"]), "items")
    assert len({one.hash, two.hash, three.hash}) == 3


def test_old_versions_stay_readable(workspace):
    put(workspace)
    put(workspace, EVENTS.iloc[:2])
    again = Workspace(workspace.path)
    assert [each.version for each in again.versions("shop", "interactions")] == [1, 2]
    assert [each.rows for each in again.versions("shop", "interactions")] == [4, 2]
    assert again.dataset("shop", "interactions").version == 2
    old = again.dataset("shop", "interactions", 1)
    old.verify()
    assert len(old.frame()) == 4
    assert again.cleaned == []


@pytest.mark.parametrize("name", ['a "quoted" one', "it's", "select", "ä 😀", "a|b", "{x}", "%s", "\\"])
def test_hostile_column_names_come_back(workspace, name):
    version = put(workspace, ITEMS.assign(**{name: ["'", '"', "\\"]}), "items")
    assert version.frame()[name].tolist() == ["'", '"', "\\"]
    version.verify()


def test_a_damaged_version_is_recognised(workspace):
    version = put(workspace)
    file = version.path / "data.parquet"
    connect().raw_sql(f"COPY (SELECT 'u' AS USER_ID, 'i' AS ITEM_ID, 1 AS TIMESTAMP) TO '{file}' (FORMAT parquet)")
    with pytest.raises(WorkspaceError, match="was changed after it was stored"):
        version.verify()
    file.write_bytes(b"PAR1")
    with pytest.raises(WorkspaceError, match="version 1 cannot be read"):
        version.verify()
    file.unlink()
    with pytest.raises(WorkspaceError, match="has lost its file"):
        version.table()


def test_groups(workspace):
    workspace.create_group("films", "VIDEO_ON_DEMAND")
    workspace.create_group("films", "VIDEO_ON_DEMAND")
    assert workspace.groups()["GROUP"].tolist() == ["films", "shop"]
    assert workspace.group("films")["domain"] == "VIDEO_ON_DEMAND"
    with pytest.raises(WorkspaceError, match="exists with domain VIDEO_ON_DEMAND, not None"):
        workspace.create_group("films")
    with pytest.raises(WorkspaceError, match="in case only"):
        workspace.create_group("Films", "VIDEO_ON_DEMAND")
    with pytest.raises(WorkspaceError, match="Did you mean 'VIDEO_ON_DEMAND'"):
        workspace.create_group("series", "VIDEO_ON_DEMANT")


@pytest.mark.parametrize("name", ["", "a b", "-a", "../up", "a/b", "x" * 64, "ä", "a.b", None, "a\n"])
def test_names_that_personalize_refuses_are_refused(workspace, name):
    with pytest.raises(WorkspaceError, match="1 to 63 letters"):
        workspace.create_group(name)


def test_misspelt_names_get_a_hint(workspace):
    put(workspace)
    for call, hint in [
        (lambda: workspace.dataset("shpo", "interactions"), "Did you mean 'shop'"),
        (lambda: workspace.dataset("shop", "interaction"), "Did you mean 'interactions'"),
        (lambda: workspace.dataset("shop", "items"), "has no items"),
        (lambda: workspace.dataset("shop", "interactions", 9), "no version 9. Known: 1"),
        (lambda: workspace.solution_version("shop", "sims"), "no solution 'sims'. There are none yet"),
        (lambda: workspace.training_data("shop", {"item": 1}), "Did you mean 'items'"),
        (lambda: put(workspace, group="none"), "no dataset group 'none'"),
    ]:
        with pytest.raises(WorkspaceError, match=hint):
            call()


def test_training_data_has_one_version_of_every_kind(workspace):
    put(workspace)
    put(workspace)
    put(workspace, ITEMS, "items")
    data = workspace.training_data("shop")
    assert {kind: each and each.version for kind, each in data.items()} == {
        "interactions": 2, "items": 1, "users": None, "actions": None, "action_interactions": None,
    }  # fmt: skip
    assert workspace.training_data("shop", {"interactions": 1})["interactions"].version == 1
    assert workspace.has_dataset("shop", "items")
    assert not workspace.has_dataset("shop", "users")


def test_diff_of_items(workspace):
    put(workspace, ITEMS, "items")
    put(
        workspace,
        pd.DataFrame({"ITEM_ID": ["a", "m", "q"], "YEAR": [2001.0, 2020.5, 2030], "GENRES": ["x"] * 3}),
        "items",
    )
    found = workspace.diff("shop", "items", 1, 2).set_index(["CHANGE", "COLUMN"])
    assert list(found.columns) == ["OLD", "NEW", "DIFFERENCE", "EXAMPLES"]
    assert found.loc[("rows", "")].tolist() == [3, 3, 0, ""]
    assert found.loc[("column added", "GENRES"), "NEW"] == "VARCHAR"
    assert found.loc[("column type", "YEAR")].tolist()[:2] == ["BIGINT", "DOUBLE"]
    assert found.loc[("ids added", "ITEM_ID")].tolist()[1::2] == [1, "q"]
    assert found.loc[("ids removed", "ITEM_ID")].tolist()[::3] == [1, "z"]
    assert found.loc[("ids changed", "ITEM_ID")].tolist()[1::2] == [1, "m"]
    assert found.loc[("least", "YEAR")].tolist()[:3] == [1990, 2001.0, 11.0]


def test_diff_of_interactions(workspace):
    put(workspace)
    put(workspace, pd.concat([EVENTS.iloc[1:], EVENTS.iloc[1:2], EVENTS.iloc[:1].assign(TIMESTAMP=99)]))
    found = workspace.diff("shop", "interactions", 1, 2).set_index(["CHANGE", "COLUMN"])
    assert found.loc[("rows", ""), "DIFFERENCE"] == 1
    assert found.loc[("rows added", ""), "NEW"] == 2
    assert found.loc[("rows removed", ""), "OLD"] == 1
    last = found.loc[("last time", "TIMESTAMP")]
    assert last.tolist()[:3] == ["1970-01-01T00:00:30+00:00", "1970-01-01T00:01:39+00:00", 69]
    assert ("ids added", "USER_ID") not in found.index


def test_diff_of_equal_versions_is_the_row_count_only(workspace):
    put(workspace)
    put(workspace)
    assert workspace.diff("shop", "interactions", 1, 2)["CHANGE"].tolist() == ["rows"]


def test_a_solution_version_is_whole_or_not_there(workspace):
    with workspace.new_solution_version("shop", "pop", {"recipe": "popularity-count"}) as draft:
        (draft.path / "deep").mkdir()
        (draft.path / "deep" / "model.txt").write_text("model")
        draft.metrics["ndcg"] = np.float64(0.25)
        [during] = Workspace(workspace.path).solution_versions("shop")["STATUS"]
        assert during == "CREATE IN_PROGRESS"
    record = workspace.solution_version("shop", "pop")
    assert (record.version, record.status, record.metrics) == (1, "ACTIVE", {"ndcg": 0.25})
    assert record.config == {"recipe": "popularity-count"}
    assert (record.path / "deep" / "model.txt").read_text() == "model"
    assert record.path == workspace.path / "shop" / "solutions" / "pop" / "1"
    assert draft.path == record.path


def test_a_failed_solution_version_keeps_its_reason(workspace):
    for error in (ValueError("too few events"), KeyboardInterrupt()):
        with suppress(ValueError, KeyboardInterrupt), workspace.new_solution_version("shop", "pop", {}) as draft:
            (draft.path / "half.txt").write_text("half")
            raise error
    found = workspace.solution_versions("shop", "pop")
    assert found["STATUS"].tolist() == ["CREATE FAILED", "CREATE STOPPED"]
    assert found["FAILURE_REASON"][0] == "ValueError: too few events"
    assert not (workspace.path / "shop").exists()
    with pytest.raises(WorkspaceError, match=r"No version .* is ACTIVE: 1 CREATE FAILED ValueError"):
        workspace.solution_version("shop", "pop")
    assert workspace.solution_version("shop", "pop", 1).failure_reason.startswith("ValueError")
    with workspace.new_solution_version("shop", "pop", {}) as draft:
        assert draft.version == 3


def test_describe_lists_everything(workspace):
    put(workspace)
    with workspace.new_solution_version("shop", "pop", {}):
        pass
    found = workspace.describe()
    assert found[["KIND", "NAME", "VERSION", "STATUS"]].to_numpy().tolist() == [
        ["dataset", "interactions", 1, "ACTIVE"],
        ["dataset group", "shop", 0, "ACTIVE"],
        ["solution version", "pop", 1, "ACTIVE"],
    ]
    assert found["ROWS"].tolist() == [4, pd.NA, pd.NA]


def test_another_layout_is_refused(workspace, tmp_path):
    workspace.close()
    with sqlite3.connect(workspace.path / "catalog.db") as database:
        database.execute("UPDATE workbench_layout SET version = 99")
    with pytest.raises(WorkspaceError, match="layout 99, made by a newer version .* reads layout 1"):
        Workspace(workspace.path)
    with sqlite3.connect(workspace.path / "catalog.db") as database:
        database.execute("UPDATE workbench_layout SET version = 0")
    with pytest.raises(WorkspaceError, match="older version"):
        Workspace(workspace.path)


def test_what_is_no_workspace_is_refused(tmp_path):
    (tmp_path / "catalog.db").write_text("not a database, but long enough to be looked at " * 10)
    with pytest.raises(WorkspaceError, match="cannot be read as a catalogue: file is not a database"):
        Workspace(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(WorkspaceError, match="is a file; a workspace is a folder"):
        Workspace(tmp_path / "file")
    with pytest.raises(WorkspaceError, match="Could not write the workspace"):
        Workspace(tmp_path / "file" / "below")


def test_the_default_place_is_the_environments(tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path / "mine"))
    assert Workspace().path == tmp_path / "mine"
    monkeypatch.delenv("WORKBENCH_HOME")
    monkeypatch.chdir(tmp_path)
    assert Workspace().path == tmp_path / "workspace"


def test_opening_is_quick(workspace):
    for _ in range(5):
        put(workspace)
    started = time.perf_counter()
    Workspace(workspace.path)
    assert time.perf_counter() - started < 0.3


def test_tuning_trials_live_in_the_catalogue(workspace):
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(study_name="s", storage=workspace.catalog_url)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert put(workspace).version == 1
    assert len(optuna.load_study(study_name="s", storage=Workspace(workspace.path).catalog_url).trials) == 2


WRITER = """
import sys, pandas as pd
from workbench.data.workspace import Workspace
space = Workspace(sys.argv[1])
space.create_group("shop")
frame = pd.DataFrame({"USER_ID": ["u"], "ITEM_ID": [sys.argv[2]], "TIMESTAMP": [1]})
print(*[space.write_dataset("shop", "interactions", frame, origin={"by": sys.argv[2]}).version for _ in range(5)])
"""


def test_two_processes_get_different_version_numbers(tmp_path):
    place = str(tmp_path / "new" / "workspace")
    command = [sys.executable, "-W", "ignore", "-c", WRITER, place]
    running = [subprocess.Popen([*command, name], stdout=subprocess.PIPE, text=True) for name in ("a", "b")]
    numbers = [list(map(int, each.communicate(timeout=60)[0].split())) for each in running]
    assert sorted(numbers[0] + numbers[1]) == list(range(1, 11))
    space = Workspace(place)
    assert space.cleaned == []
    for name, mine in zip(("a", "b"), numbers, strict=True):
        for number in mine:
            version = space.dataset("shop", "interactions", number)
            version.verify()
            assert version.origin == {"by": name}


def test_a_live_writer_is_left_alone(workspace):
    with workspace.new_solution_version("shop", "pop", {}) as draft:
        (draft.path / "model.txt").write_text("half")
        process = multiprocessing.get_context("spawn").Process(target=Workspace, args=(workspace.path,))
        process.start()
        process.join(60)
        assert Workspace(workspace.path).cleaned == []
        assert (draft.path / "model.txt").exists()
    assert workspace.solution_version("shop", "pop").status == "ACTIVE"
