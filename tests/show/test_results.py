"""results.json is strict JSON that names what made it."""

import json

import numpy as np
import pandas as pd

from workbench.show import results


def test_results_name_data_seed_versions_parameters_and_time(tmp_path):
    path = results.write(
        tmp_path / "r",
        notebook="n",
        parameters={"k": np.int64(3), "path": tmp_path},
        seed=7,
        data_hash="abc",
        seconds=1.23456,
        table=pd.DataFrame({"A": [1.5, np.nan]}),
        odd=[np.inf, np.bool_(True), pd.NA, np.array([1, 2])],
    )
    found = json.loads(path.read_text())
    assert found["parameters"] == {"k": 3, "path": str(tmp_path)}
    assert (found["seed"], found["data_hash"], found["seconds"], found["status"]) == (7, "abc", 1.235, "completed")
    assert found["table"] == [{"A": 1.5}, {"A": None}]
    assert found["odd"] == [None, True, None, [1, 2]]
    assert {"python", "numpy", "pandas"} <= set(found["versions"])
    assert [each.name for each in (tmp_path / "r").iterdir()] == ["results.json"]


def test_figures_are_kept_as_plotly_json(tmp_path):
    import plotly.graph_objects as go

    results.write(
        tmp_path,
        notebook="n",
        parameters={},
        seed=None,
        data_hash="",
        seconds=0,
        figures={"bars": go.Figure(go.Bar(x=[1], y=[2]))},
    )
    assert json.loads((tmp_path / "figures" / "bars.json").read_text())["data"][0]["type"] == "bar"


def test_a_failure_says_why(tmp_path):
    path = results.write_failure(tmp_path, "n", {"a": 1}, "no file", 2)
    found = json.loads(path.read_text())
    assert (found["status"], found["why"]) == ("failed", "no file")
