"""The benchmark beside other libraries: its sheet stands, bad ends are told, sections of the guide are replaced."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from workbench.recipes.comparison_entrants import Entrant, _recipe
from workbench.runs_sheets import notebooks_folder, plan

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "benchmarks"


@pytest.fixture(scope="module")
def bench():
    sys.path.insert(0, str(FOLDER))
    import bench_recipes
    import recipes_report

    yield SimpleNamespace(runs=bench_recipes, report=recipes_report)
    sys.path.remove(str(FOLDER))


def test_the_sheet_names_recipes_that_exist():
    sheet = plan(notebooks_folder(ROOT), ["bench"], {})
    assert [task.name for task in sheet.tasks] == ["movielens", "amazon-games"]
    for task in sheet.tasks:
        named = [each for each in task.parameters["recipes"] if "lists" not in each]
        assert all(isinstance(_recipe(each), Entrant) for each in named)
        assert {"lists": str(ROOT / "build" / "bench" / task.name / "lists")} in task.parameters["recipes"]


def test_every_other_system_has_its_runner_and_settings():
    config = yaml.safe_load((FOLDER / "bench_recipes.yaml").read_text())
    labels = [system["label"] for system in config["systems"]]
    assert len(set(labels)) == len(labels)
    for system in config["systems"]:
        assert (FOLDER / "peers" / system["runner"]).is_file()
        assert set(system) <= {"label", "environment", "runner", "settings", "data_sets"}


def test_data_that_are_not_there_are_skipped_with_their_folder(bench, tmp_path, capsys):
    there = SimpleNamespace(name="a", parameters={"source": "movielens"})
    gone = SimpleNamespace(name="b", parameters={"source": str(tmp_path / "nowhere" / "log.csv")})
    assert bench.runs.choose_tasks(SimpleNamespace(tasks=[there, gone]), None) == [there]
    assert "b: skipped, there is no" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="no data set 'c'"):
        bench.runs.choose_tasks(SimpleNamespace(tasks=[there]), ["c"])


def run(bench, tmp_path, words, limit=5.0, grace=300.0):
    """Let a stand-in for another system run as the benchmark runs one."""
    place = tmp_path / "env" / "own" / "bin"
    place.mkdir(parents=True, exist_ok=True)
    (place / "python").unlink(missing_ok=True)
    (place / "python").symlink_to(sys.executable)
    runner = tmp_path / "runner.py"
    runner.write_text(words)
    system = {"label": "own", "environment": "own", "runner": str(runner)}
    bench.runs.GRACE = grace
    out = tmp_path / "own"
    said = bench.runs.run_system(system, {}, out, tmp_path, {"limit": limit}, tmp_path / "env")
    return said, json.loads(out.with_suffix(".json").read_text())


def test_a_system_that_ends_badly_says_its_last_line_without_paths(bench, tmp_path):
    said, facts = run(bench, tmp_path, "raise ValueError('no file /a/b/c.txt')")
    assert facts == {"failed": "ended with code 1: ValueError: no file c.txt"}
    assert said == f"failed: {facts['failed']}"


def test_a_system_that_does_not_stop_is_killed(bench, tmp_path):
    _, facts = run(bench, tmp_path, "import time; time.sleep(60)", limit=0.3, grace=0.2)
    assert facts["failed"].startswith("killed: no lists")


def test_a_system_that_is_not_installed_is_told(bench, tmp_path):
    system = {"label": "own", "environment": "none", "runner": "x.py"}
    bench.runs.run_system(system, {}, tmp_path / "own", tmp_path, {"limit": 1}, tmp_path)
    assert "make bench-peers" in (tmp_path / "own.json").read_text()


def score(recipe, metric, mean):
    return {"RECIPE": recipe, "METRIC": metric, "MEAN": mean, "LOW": mean - 0.01, "HIGH": mean + 0.01, "USERS": 9}


def outcome(recipe, fit, outside, status="done", reason=""):
    costs = (
        {"FIT": fit, "SCORE": 0.5, "MEMORY": 0.25} if status == "done" else dict.fromkeys(("FIT", "SCORE", "MEMORY"))
    )
    return {"RECIPE": recipe, "STATUS": status, "REASON": reason, "ADDED": False, "OUTSIDE": outside, **costs}


def test_the_section_holds_the_table_and_the_time_to_reach_the_stock_model(bench, tmp_path):
    ndcg = "normalized_discounted_cumulative_gain_at_10"
    found = {
        "metric": ndcg,
        "summary": [
            score("RecBole SASRec", ndcg, 0.10),
            score("user-personalization", ndcg, 0.12),
            score("user-personalization", "hit_rate_at_10", 0.2),
            score("sims", ndcg, 0.05),
        ],
        "outcomes": [
            outcome("sims", 1.0, False),
            outcome("user-personalization", 4.0, False),
            outcome("RecBole SASRec", 400.0, True, reason="stopped at the limit of 400 s"),
            outcome("Other", None, True, "failed", "it | broke"),
        ],
        "split": {"held_out_users": 9, "train_events": 90},
        "parameters": {"split": "leave-last-out", "exclude_seen": True, "top_k": 25},
        "seed": 7,
        "versions": {"python": "3.11.9", "numpy": "2.4.0"},
    }
    curve = [{"epoch": 1, "seconds": 200.0, "ndcg@10": 0.08}]
    facts = {"label": "RecBole SASRec", "note": "stopped", "curve": curve, "versions": {"recbole": "1.2.1"}}
    (tmp_path / "recbole-sasrec.json").write_text(json.dumps(facts))
    said = bench.report.describe(found, tmp_path, {"limit": 400, "threads": 2})
    table = [line for line in said.splitlines() if line.startswith("|")]
    assert table[2].startswith("| `user-personalization` | 0.1200 | 0.1100 to 0.1300 | 0.2000 | 4.0 | 0.5 | 0.25 |")
    assert table[3].startswith("| RecBole SASRec | 0.1000 |")
    assert table[5] == "| Other |  |  |  |  |  |  | failed: it \\| broke |"
    assert "`user-personalization` is at 0.1200 after a fit of 4.0 s, 1/100 of that time." in said
    assert "0.0800 after 200 s (pass 1)" in said
    assert "recbole 1.2.1" in said


def test_a_section_replaces_the_one_before_and_nothing_else(bench, tmp_path):
    guide = tmp_path / "guide.md"
    guide.write_text("# Title\n\nwords\n")
    bench.report.write_guide(guide, "a", "first")
    bench.report.write_guide(guide, "b", "other")
    bench.report.write_guide(guide, "a", "second")
    words = guide.read_text()
    assert "first" not in words
    assert words.index("words") < words.index("second") < words.index("other")
