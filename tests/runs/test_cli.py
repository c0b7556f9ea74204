"""The commands that run no notebook."""

import subprocess
import sys

from click.testing import CliRunner

from workbench.cli import main


def test_notebooks_lists_parameters_with_defaults_and_help(make_notebook, monkeypatch):
    make_notebook("10_ask", title="Who came?")
    monkeypatch.setenv("WORKBENCH_NOTEBOOKS", str(make_notebook.folder))
    out = CliRunner().invoke(main, ["notebooks", "10"]).output
    assert "10_ask  Who came?" in out
    assert "days: int = 14  # length of the window, in days" in out


def test_doctor_names_versions_and_remedies():
    out = CliRunner().invoke(main, ["doctor"]).output
    assert "ok  Python: 3." in out
    assert "Free disk" in out
    assert "GPU" in out


def test_help_loads_nothing_heavy():
    script = "import sys; from workbench.cli import main; print('pandas' in sys.modules, 'papermill' in sys.modules)"
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert out.split() == ["False", "False"]
