"""A run leaves a report whatever happens, says why it failed, and goes on from there."""

import json

import pytest
from click.testing import CliRunner

from workbench.cli import main
from workbench.runs import exit_code, run
from workbench.runs_sheets import plan

pytestmark = pytest.mark.notebook
REFUSE = "from workbench.errors import SourceError\nraise SourceError('no file <x> there')"
PASS_ONCE = """\
from pathlib import Path
mark = Path(report_dir).parent.parent / "seen"
seen = mark.exists()
mark.touch()
assert seen, "first time"
"""


def results_of(folder):
    return json.loads((folder / "results.json").read_text())


def start(make_notebook, tmp_path, names, assignments=None, **options):
    sheet = plan(make_notebook.folder, names, assignments or {})
    return run(sheet, workspace=tmp_path / "ws", reports=tmp_path / "reports", progress=False, **options)


def test_a_run_writes_pages_results_and_latest(make_notebook, tmp_path):
    make_notebook("10_ask", make_notebook.write, "print('<script>alert(1)</script>')")
    done = start(make_notebook, tmp_path, ["10"], {"days": "3"}, single_file=True)
    assert exit_code(done) == 0
    found = results_of(done.folder)
    assert (found["status"], found["notebooks"][0]["results"]["parameters"]["days"]) == ("completed", 3)
    index = (done.folder / "index.html").read_text()
    assert "&lt;b&gt;days&lt;/b&gt;" in index
    assert "95 % interval 1 to 2" in index
    page = (done.folder / "10_ask.html").read_text()
    assert "<script>alert" not in page
    assert '<h2 id="setup-start">' in page
    assert (tmp_path / "reports" / "10" / "latest").resolve() == done.folder
    assert 'id="10_ask-setup-start"' in (done.folder / "report.html").read_text()


def test_a_refused_input_still_gives_the_report_and_code_2(make_notebook, tmp_path):
    make_notebook("10_ask", REFUSE)
    make_notebook("20_next", make_notebook.write)
    done = start(make_notebook, tmp_path, ["10", "20"])
    assert exit_code(done) == 2
    found = results_of(done.folder)
    assert (found["status"], found["why"]) == ("failed", "10_ask: no file <x> there")
    assert [each["status"] for each in found["notebooks"]] == ["failed", "not run"]
    assert results_of(done.folder / "10_ask")["status"] == "failed"
    assert "no file &lt;x&gt; there" in (done.folder / "index.html").read_text()
    assert "This notebook failed" in (done.folder / "10_ask.html").read_text()


def test_a_broken_cell_gives_code_1_and_a_dead_kernel_is_said(make_notebook, tmp_path):
    make_notebook("10_ask", "1/0")
    make_notebook("20_die", "import os\nos._exit(3)")
    assert exit_code(start(make_notebook, tmp_path, ["10"])) == 1
    dead = start(make_notebook, tmp_path, ["20"])
    assert exit_code(dead) == 1
    assert "DeadKernel" in dead.failure.error


def test_resume_keeps_what_was_completed(make_notebook, tmp_path):
    make_notebook("10_ask", make_notebook.write)
    make_notebook("20_flaky", PASS_ONCE)
    first = start(make_notebook, tmp_path, ["10", "20"])
    stamp = results_of(first.folder / "10_ask")["written_at"]
    again = start(make_notebook, tmp_path, ["10", "20"], resume=True)
    assert (again.folder, again.status) == (first.folder, "completed")
    assert results_of(again.folder / "10_ask")["written_at"] == stamp


def test_resume_runs_again_what_got_other_parameters(make_notebook, tmp_path):
    make_notebook("10_ask", make_notebook.write)
    first = start(make_notebook, tmp_path, ["10"])
    again = start(make_notebook, tmp_path, ["10"], {"days": "5"}, resume=True)
    assert results_of(again.folder / "10_ask")["parameters"]["days"] == 5
    assert again.folder == first.folder


def test_the_command_line_prints_one_message_and_no_trace(make_notebook, tmp_path, monkeypatch):
    monkeypatch.setenv("WORKBENCH_NOTEBOOKS", str(make_notebook.folder))
    make_notebook("10_ask", REFUSE)
    options = ["--reports", str(tmp_path / "r"), "--workspace", str(tmp_path / "w"), "--no-progress"]
    refused = CliRunner().invoke(main, ["run", "10", *options])
    assert refused.exit_code == 2
    assert "10_ask failed: no file <x> there" in refused.output
    assert "Traceback" not in refused.output
    unknown = CliRunner().invoke(main, ["run", "10", "-p", "dayz=1", *options])
    assert (unknown.exit_code, "Did you mean 'days'" in unknown.output) == (2, True)
    nothing = CliRunner().invoke(main, ["run", "10", "--resume", "--reports", str(tmp_path / "none")])
    assert (nothing.exit_code, "Nothing to resume" in nothing.output) == (2, True)
