"""Bad input, from the file to the exit code: one message that names the trouble and the remedy, and nothing lost.

Most cases call what notebook 10 calls; a few go through the command line, to see the exit code and the report.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from workbench.cli import main
from workbench.data.insights import insights, mend, pick
from workbench.data.preparation import drafts, group_name, per_day, store
from workbench.data.samples import ensure_group
from workbench.data.workspace import Workspace
from workbench.errors import WorkbenchError, meant
from workbench.evaluation.splits import make_split
from workbench.recipes.comparison import compare
from workbench.recipes.comparison_data import read_comparison
from workbench.recipes.comparison_entrants import find_entrants
from workbench.recipes.training import TrainingConfig, train
from workbench.show import results

ROOT = Path(__file__).parents[1]
START = 1_700_000_000
HEADER = "USER_ID,ITEM_ID,TIMESTAMP\n"
HURT = "<script>window.hurt = 1</script><img src=http://outside.example/x onerror='window.hurt = 1'>"
ODD_IDS = [
    " a b ",
    "😀",
    "x" * 300,
    "007",
    "0",
    "</script>" + HURT,
    "=1+1",
    "'; DROP TABLE t --",
    "$x^2$",
    "`a`",
    "1e5",
]


def log(rows=60, user="u{}", item="i{}", step=3_600, header=HEADER):
    """CSV of six users and seven items, an event every hour."""
    lines = [f"{user.format(n % 6)},{item.format(n % 7)},{START + n * step}\n" for n in range(rows)]
    return header + "".join(lines)


def put(folder, name, content):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def prepare(path, place, **given):
    """What notebook 10 does with a file of interactions."""
    kinds = {name: {"interactions": given.get(name, default)} for name, default in (("columns", {}), ("steps", []))}
    sources = {"interactions": str(path), "items": str(given.get("items", ""))}
    prepared = drafts(sources, kinds["columns"], kinds["steps"], given.get("options"))
    done = {kind: draft.run() for kind, draft in prepared.items()}
    per_day(prepared["interactions"].before, done["interactions"].table)
    name = group_name(given.get("group", ""), str(path))
    place.create_group(name, domain=given.get("domain"))
    return {kind: store(place, name, draft, done[kind])[0] for kind, draft in prepared.items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A workspace with one version of one good dataset."""
    place = Workspace(tmp_path_factory.mktemp("home") / "workspace")
    path = put(place.path.parent, "good.csv", log(2_400, user="user{}"))
    prepare(path, place, group="good")
    return place


WORD_AS_TIME = log().replace(f"{START + 5 * 3600}\n", "yesterday\n")
MIXED_UNITS = log().replace(f"{START + 59 * 3600}\n", f"{START}000\n")
REFUSED = {
    "empty file": ("a.csv", "", r"a.csv: the file is empty \(0 bytes\). Export it again."),
    "header only": ("a.csv", HEADER, "column names but no rows. Was the export cut short"),
    "odd delimiter": ("a.csv", log().replace(",", "^"), r"one column, 'USER_ID\^.* options=\{'delimiter': '\^'\}"),
    "mixed encodings": (
        "a.csv",
        log().encode() + "José,i,1\n".encode("cp1252"),
        r"\(line 62\) is not UTF-8.*'José,i,1'",
    ),
    "an open quote": ("a.csv", log().replace("u1,i1", '"u1,i1', 1), r"row 2 \(line 3\): a quote is opened and never"),
    "a field too many": ("a.csv", log().replace("u1,i1", "u1,x,i1", 1), r"row 2 \(line 3\) has 4: \['u1', 'x'"),
    "a column missing": ("a.csv", log(header="USER_ID,movie,TIMESTAMP\n"), r"'movie' probably is it: map it with"),
    "a column doubled": ("a.csv", log(header="USER_ID,USER_ID,TIMESTAMP\n"), r"'USER_ID' \(column 2\) stands there tw"),
    "names that differ in case": ("a.csv", log(header="USER_ID,user_id,TIMESTAMP\n"), "upper and lower case count as"),
    "text as time": ("a.csv", WORD_AS_TIME, "1 of 60 values are no time that can be read .* row 6: 'yesterday'"),
    "mixed units of time": ("a.csv", MIXED_UNITS, f"others milliseconds since 1970, .* row 60: '{START}000'"),
    "no user at all": ("a.csv", log(user=""), r"leave no row; step 1 \(drop_missing\) removed 60 of 60"),
    "one column": ("a.csv", "USER_ID\na\nb\n", "ITEM_ID: required column is missing.*The table has USER_ID"),
    "a null byte": ("a.csv", log().replace("u1", "u\0", 1), r"a null byte at byte 44 \(line 3\)"),
    "UTF-16 unmarked": ("a.csv", log().encode("utf-16-le"), r"say options=\{'encoding': 'utf-16'\}"),
    "no header": ("a.csv", log(header=""), "the first row, .* looks like data, not like column names"),
    "gzip cut off": (
        "a.csv.gz",
        gzip.compress(os.urandom(99))[:60],
        r"a.csv.gz: cannot be read .* Fetch, pack or write",
    ),
    "gzip by name only": ("a.csv.gz", log(), r"cannot be read \(Not a gzipped file"),
    "Parquet cut off": ("a.parquet", b"PAR1" + bytes(40), "not a readable Parquet file.*It may be cut off"),
    "no workbook": ("a.xlsx", log(), "not a readable Excel workbook.*Save it again"),
    "a broken JSON line": (
        "a.jsonl",
        '{"USER_ID": "1"}\n{"USER_ID": \n',
        "line 2 is no JSON .*: mend or remove that line",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_refused_file_gives_one_message_and_loses_nothing(tmp_path, home, case):
    name, content, message = REFUSED[case]
    before = home.dataset("good", "interactions")
    with pytest.raises(WorkbenchError, match=message.replace(".*", r"[\s\S]*")):
        prepare(put(tmp_path, name, content), home, group="good")
    after = home.dataset("good", "interactions")
    assert (after.version, after.hash) == (before.version, before.hash)
    assert len(after.frame()) == before.rows


def test_a_missing_file_offers_the_nearest(tmp_path, home):
    put(tmp_path, "purchases.csv", log())
    with pytest.raises(WorkbenchError, match=r"no such file. Did you mean 'purchases.csv'\?"):
        prepare(tmp_path / "purchase.csv", home)
    with pytest.raises(WorkbenchError, match=r"no sample or file called 'movielen'. Did you mean 'movielens'\?"):
        prepare("movielen", home)
    with pytest.raises(WorkbenchError, match="source is empty: name the file"):
        prepare("", home)


def test_a_folder_or_workbook_of_several_things_asks_which(tmp_path, home):
    put(tmp_path, "a.csv", log())
    frame = pd.read_csv(tmp_path / "a.csv")
    frame.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(WorkbenchError, match="several kinds lie there: 1 csv, 1 parquet. Name the ones you mean"):
        prepare(tmp_path, home)
    with pd.ExcelWriter(tmp_path / "c.xlsx") as book:
        frame.to_excel(book, sheet_name="events", index=False)
        frame.to_excel(book, sheet_name="old", index=False)
    with pytest.raises(WorkbenchError, match=r"2 sheets \(events, old\). Say which"):
        prepare(tmp_path / "c.xlsx", home)


WIDE = log(20, header=HEADER.strip() + "".join(f",C{n}" for n in range(127)) + "\n")
ACCEPTED = {
    "byte order mark": ("﻿" + log(), 60),
    "CRLF": (log().replace("\n", "\r\n"), 60),
    "CR": (log().replace("\n", "\r"), 60),
    "UTF-16 with its mark": (log().encode("utf-16"), 60),
    "semicolons": (log().replace(",", ";"), 60),
    "null ids": (log().replace("u1,", ",", 2).replace(",i6,", ",,", 1), 57),
    "130 columns": ("".join(line + (",1" * 127 if n else "") + "\n" for n, line in enumerate(WIDE.splitlines())), 20),
    "a field of 5 MB": (HEADER.replace("\n", ",NOTE\n") + f"u,i,{START},{'z' * (5 << 20)}\n", 1),
    "one user": (log(user="u"), 60),
    "one item": (log(item="i"), 60),
    "one time": (log(step=0), 42),
}


@pytest.mark.parametrize("case", ACCEPTED)
def test_an_odd_but_readable_file_comes_through(tmp_path, home, case):
    content, rows = ACCEPTED[case]
    version = prepare(put(tmp_path, "odd.csv", content), home, group="-".join(["odd", *case.split()]))["interactions"]
    assert version.rows == rows
    assert list(version.frame().columns[:3]) == ["USER_ID", "ITEM_ID", "TIMESTAMP"]


def test_odd_ids_and_fields_come_back_exactly(tmp_path, home):
    rows = [(each, ODD_IDS[-n], START + n, f'say "{n}"\nand, so on') for n, each in enumerate(ODD_IDS)]
    frame = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "NOTE"])
    frame.to_csv(tmp_path / "ids.csv", index=False)
    version = prepare(tmp_path / "ids.csv", home)["interactions"]
    assert list(version.frame().itertuples(index=False, name=None)) == rows


def test_milliseconds_are_turned_and_said_and_future_times_are_found(tmp_path, home):
    path = put(tmp_path, "ms.csv", log(step=0).replace(str(START), f"{START}000"))
    draft = drafts({"interactions": str(path)}, {}, {})["interactions"]
    assert draft.report.set_index("COLUMN")["RECOGNISED_AS"]["TIMESTAMP"] == "milliseconds since 1970, divided by 1000"
    assert set(prepare(path, home)["interactions"].frame()["TIMESTAMP"]) == {START}
    later = put(tmp_path, "later.csv", log().replace(f"{START}\n", "4000000000\n"))
    found = insights({"interactions": prepare(later, home)["interactions"]}, now=START + 10**6).findings
    [row] = found[found["CHECK"] == "future_times"].to_dict("records")
    assert row["NUMBER"] == 1
    assert json.loads(row["STEP"])["step"] == "drop_future"


def test_too_many_event_types_one_user_and_one_time_stop_training_with_the_reason(tmp_path, home):
    lines = [f"u{n % 30},i{n % 7},{START + n},type{n % 13}\n" for n in range(1_100)]
    prepare(put(tmp_path, "types.csv", HEADER.replace("\n", ",EVENT_TYPE\n") + "".join(lines)), home)
    with pytest.raises(WorkbenchError, match="Too little to train on: 13 event types, at most 10 are allowed"):
        train(home, "types", "p", "popularity-count")
    prepare(put(tmp_path, "alone.csv", log(1_100, user="u")), home)
    with pytest.raises(WorkbenchError, match="1 users with 2 interactions or more of the 25 needed"):
        train(home, "alone", "p", "popularity-count")
    events = prepare(put(tmp_path, "once.csv", log(step=0)), home)["interactions"].frame()
    with pytest.raises(WorkbenchError, match="global-time .*leaves no training events.*use a split by user"):
        make_split("global-time", events)


WRONG_STEPS = {
    "step": ([{"step": "drop_duplicate"}], r"unknown step 'drop_duplicate'. Did you mean 'drop_duplicates'\?"),
    "option": ([{"step": "drop_duplicates", "bye": 1}], r"unknown option 'bye'. Did you mean 'by'\?"),
    "sql": ([{"step": "sql", "query": "selec 1"}], r"step 1 \(sql\): only one SELECT is allowed here"),
}


@pytest.mark.parametrize("case", WRONG_STEPS)
def test_a_wrong_step_is_named(tmp_path, home, case):
    steps, message = WRONG_STEPS[case]
    with pytest.raises(WorkbenchError, match=message):
        prepare(put(tmp_path, "a.csv", log()), home, steps=steps)


def test_items_without_their_id_and_misspelt_columns_options_and_domains_are_named(tmp_path, home):
    path, items = put(tmp_path, "a.csv", log()), put(tmp_path, "items.csv", "MOVIE,GENRES\ni1,x\n")
    for given, message in [
        ({"items": items}, r"ITEM_ID: required column is missing.*map it with columns=\{'MOVIE': 'ITEM_ID'\}"),
        ({"columns": {"user": "USER_ID"}}, "no column 'user' to map to 'USER_ID'. Did you mean 'USER_ID'"),
        ({"options": {"delimeter": ";"}}, r"'delimeter' is not an option of a source. Did you mean 'delimiter'\?"),
        ({"domain": "ECOMERCE"}, r"no domain 'ECOMERCE'. Did you mean 'ECOMMERCE'\?"),
    ]:
        with pytest.raises(WorkbenchError, match=message):
            prepare(path, home, **given)


@pytest.mark.parametrize("name", ["a b", "../x", "g" * 64, "😀", "."])
def test_a_group_needs_a_plain_name(tmp_path, home, name):
    with pytest.raises(WorkbenchError, match="cannot name a dataset group. Use 1 to 63 letters, digits"):
        prepare(put(tmp_path, "a.csv", log()), home, group=name)
    with pytest.raises(WorkbenchError, match=r"There is no dataset group 'godo'. Did you mean 'good'\?"):
        ensure_group(home, "godo")


def test_places_that_are_no_folder_or_no_workspace_are_named(tmp_path):
    file = put(tmp_path, "file", "x")
    with pytest.raises(WorkbenchError, match="is a file; a workspace is a folder"):
        Workspace(file)
    with pytest.raises(WorkbenchError, match="Could not write the workspace .*: Not a directory"):
        Workspace(file / "below")
    put(tmp_path, "catalog.db", os.urandom(4_096))
    with pytest.raises(WorkbenchError, match=r"catalog.db cannot be read as a catalogue: file is not a database"):
        Workspace(tmp_path)
    with pytest.raises(WorkbenchError, match=r"Could not write the report .*: File exists.*name another folder"):
        results.write(file, notebook="n", parameters={}, seed=None, data_hash="", seconds=0)


TRAININGS = {
    "recipe": ("simss", {}, r"no recipe 'simss'. Did you mean 'sims'\?"),
    "option": ("sims", {"hyperparameters": {"popularity_discount": 0.5}}, "Did you mean 'popularity_discount_factor'"),
    "range": ("user-personalization", {"hyperparameters": {"ridge": -1.0}}, "ridge=-1.0 is outside its range"),
    "NaN": ("user-personalization", {"hyperparameters": {"ridge": float("nan")}}, "ridge must be a number, not float"),
    "split": ("sims", {"split": "users-90-11"}, r"no split 'users-90-11'. Did you mean 'users-90-10'\?"),
    "given": ("sims", {"split": "given"}, r"split 'given' got no test table: name the file .*test_source"),
    "no places": ("sims", {"top_k": 0}, "top_k must be at least 1, not 0"),
    "negative places": ("sims", {"top_k": -3}, "top_k must be at least 1, not -3"),
    "seed": ("sims", {"seed": -1}, "seed must be 0 or more, not -1"),
    "event types": ("sims", {"event_types": ["clikc"]}, "needs a column EVENT_TYPE; the interactions have"),
}


@pytest.mark.parametrize("case", TRAININGS)
def test_a_wrong_training_is_refused(home, case):
    recipe, settings, message = TRAININGS[case]
    with pytest.raises(WorkbenchError, match=message):
        train(home, "good", "s", recipe, TrainingConfig(**{"train_anyway": True} | settings))


def test_a_wrong_comparison_is_refused(tmp_path, home):
    path = put(tmp_path, "a.csv", log(120, user="z{}"))
    data = read_comparison(home, str(path)).data
    split = make_split("leave-last-out", data.interactions)
    for given, message in [
        ({"top_k": 0}, "top_k must be at least 1, not 0"),
        ({"budget_minutes": 0.0}, "budget_minutes must be above 0"),
        ({"budget_minutes": float("nan")}, "budget_minutes must be above 0"),
    ]:
        with pytest.raises(WorkbenchError, match=message):
            compare(["popularity-count"], split, None, None, **given)
    with pytest.raises(WorkbenchError, match="a list with at least one recipe"):
        find_entrants([])
    with pytest.raises(WorkbenchError, match=r"no sample, dataset group or file called 'godo'. Did you mean 'good'\?"):
        read_comparison(home, "godo")
    with pytest.raises(WorkbenchError, match=r"\(items\) has no column ITEM_ID; found \['MOVIE', 'GENRES'\]"):
        read_comparison(home, str(path), items=str(put(tmp_path, "items.csv", "MOVIE,GENRES\ni1,x\n")))
    holes = pd.DataFrame({"USER_ID": ["a", None], "ITEM_ID": ["x", "y"], "TIMESTAMP": [1, 2]})
    with pytest.raises(WorkbenchError, match=r"1 row\(s\) without USER_ID \(the first: 2\); drop or fill them first"):
        make_split("users-90-10", holes)


def test_misspelt_checks_and_datasets_are_named(home):
    tables = {"interactions": home.dataset("good", "interactions")}
    found = insights(tables, now=START).findings
    with pytest.raises(WorkbenchError, match=r"no check called 'duplicate_event'. Did you mean 'duplicate_events'\?"):
        mend(tables, found, ["duplicate_event"])
    with pytest.raises(WorkbenchError, match=r"no dataset 'item'. Did you mean 'items'\?"):
        pick(found, dataset="item")


COMMANDS = {
    "unknown parameter": (["10", "-p", "sorce=x"], "no parameter 'sorce'. Did you mean 'source'?"),
    "wrong type": (["20", "-p", "top_k=ten"], "top_k='ten': 20_train_recipe needs a whole number, got str"),
    "text as seed": (["20", "-p", "seed=abc"], "seed='abc': 20_train_recipe needs a whole number, got str"),
    "no value": (["10", "-p", "source"], "write name=value"),
    "misspelt sheet": (["moviellens"], "Did you mean 'movielens'?"),
    "misspelt notebook": (["10_prepare_dat"], "Did you mean '10_prepare_data'?"),
    "reports in a file": (["10", "--reports", "{file}"], "Could not write the report in"),
}


@pytest.mark.parametrize("case", COMMANDS)
def test_a_wrong_command_ends_with_one_message_and_code_2(tmp_path, monkeypatch, case):
    monkeypatch.chdir(ROOT)
    words, message = COMMANDS[case]
    file = str(put(tmp_path, "file", "x"))
    done = CliRunner().invoke(main, ["run", *(word.format(file=file) for word in words), "--workspace", str(tmp_path)])
    assert done.exit_code == 2
    assert message in done.output
    assert "Traceback" not in done.output


def test_a_sheet_with_a_misspelt_notebook_runs_nothing(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    sheet = put(tmp_path, "mine.yaml", "notebooks: [10_prepare_data, 20_train_recipee]\n")
    done = CliRunner().invoke(main, ["run", str(sheet), "--reports", str(tmp_path / "reports")])
    assert done.exit_code == 2
    assert "There is no notebook '20_train_recipee' in notebooks/. Did you mean '20_train_recipe'?" in done.output
    assert not (tmp_path / "reports").exists()


def command(tmp_path, *words):
    places = ["--workspace", str(tmp_path / "workspace"), "--reports", str(tmp_path / "reports"), "--no-progress"]
    return [sys.executable, "-c", "from workbench.cli import main; main()", "run", *words, *places]


def words_of(open_page, run):
    """The words on the pages of a run of notebook 10, after looking that no script of the data ran."""
    pages = [open_page((run / name).resolve()) for name in ("index.html", "10_prepare_data.html")]
    assert [page.evaluate("window.hurt") for page in pages] == [None, None]
    return [page.inner_text("body") for page in pages]


@pytest.fixture(scope="module")
def refused_run(tmp_path_factory):
    """A run of notebook 10 on a file with a script where a time belongs: what it said, and the folder of its report."""
    folder = tmp_path_factory.mktemp("refused")
    path = put(folder, "times.csv", WORD_AS_TIME.replace("yesterday", HURT))
    words = command(folder, "10", "-p", f"source={path}")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    return done, folder / "reports" / "10" / "latest"


def test_a_refused_file_ends_the_run_with_a_report_and_code_2(refused_run):
    done, run = refused_run
    assert done.returncode == 2
    assert f"{HURT[:20]}" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    document = json.loads((run / "10_prepare_data" / "results.json").read_text())
    assert document["status"] == "failed"
    assert "1 of 60 values are no time that can be read" in document["why"]


def test_a_script_in_a_message_does_not_run_in_the_report(refused_run, open_page):
    for words in words_of(open_page, refused_run[1]):
        assert "<script>window.hurt" in words


def test_a_killed_run_leaves_what_was_there(tmp_path):
    place = Workspace(tmp_path / "workspace")
    first = prepare(put(tmp_path, "a.csv", log()), place, group="a")["interactions"]
    path = put(tmp_path, "b.csv", log(120))
    running = subprocess.Popen(
        command(tmp_path, "10", "-p", f"source={path}", "-p", "group=a"), cwd=ROOT, start_new_session=True
    )
    results_file = tmp_path / "reports" / "10"
    while running.poll() is None and not list(results_file.glob("*/results.json")):
        time.sleep(0.05)
    time.sleep(2)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    again = Workspace(tmp_path / "workspace")
    assert again.dataset("a", "interactions", 1).hash == first.hash
    assert len(again.dataset("a", "interactions", 1).frame()) == 60
    assert {each.rows for each in again.versions("a", "interactions")} <= {60, 120}


@pytest.mark.slow
def test_hostile_ids_and_titles_run_nothing_in_the_report(tmp_path, open_page):
    rows = [(HURT + ODD_IDS[n % 10], HURT + str(n % 7), START + n * 60) for n in range(60)]
    pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]).to_csv(tmp_path / "odd.csv", index=False)
    titles = pd.DataFrame({"ITEM_ID": [HURT + str(n) for n in range(7)], "TITLE": HURT, HURT: "<b>x</b>"})
    titles.to_csv(tmp_path / "items.csv", index=False)
    words = command(tmp_path, "10", "-p", f"source={tmp_path / 'odd.csv'}", "-p", f"items={tmp_path / 'items.csv'}")
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "<script>window.hurt" in words_of(open_page, tmp_path / "reports" / "10" / "latest")[1]


def test_a_name_of_a_million_characters_is_compared_with_nothing():
    assert meant("x" * 1_000_000, ["userId"]) == ""
    assert meant("userid", ["userId"]) == " Did you mean 'userId'?"
