"""Notebook 42 with other parameters than its defaults: rankings and related items, to tables, on the shop."""

import pytest

from workbench.data.workspace import Workspace
from workbench.serving.batch import batch_jobs


@pytest.mark.notebook
def test_parameters_steer_the_job(run_notebook, tmp_path):
    asked = {
        "group": "shop",
        "recipe": "popularity-count",
        "campaign": "front",
        "kind": "rankings",
        "lines": 300,
        "num_results": 7,
        "item_filter": "EXCLUDE ItemID WHERE Items.PRICE > 60",
        "out_format": "parquet",
        "compared": 5,
        "job": "newsletter",
        "seed": 3,
    }
    found = run_notebook("42_batch", **asked)
    assert found["status"] == "completed"
    assert (found["same_as_real_time"], found["output"]) == (5, "out.parquet")
    counts = {row["WHAT"]: row["COUNT"] for row in found["counts"]}
    assert counts["answered"] == 301
    assert counts["without an answer, in the errors file"] == len(found["errors"]) == 4
    assert counts["lists with fewer items than asked for"] > 0
    assert sum(row["LISTS"] for row in found["lengths"]) == 301
    assert any("again at place 3" in row["ERROR"] for row in found["errors"])

    asked |= {"recipe": "sims", "campaign": "like", "kind": "related", "out_format": "csv", "job": "pages"}
    related = run_notebook("42_batch", **asked | {"item_filter": "", "exploration_weight": 0.3})
    assert [row["LENGTH"] for row in related["lengths"]] == [7]
    assert any("Item 'an item nobody knows' is unknown" in row["ERROR"] for row in related["errors"])
    listed = batch_jobs(Workspace(tmp_path / "workspace"), "shop").set_index("JOB")
    assert listed["KIND"].to_dict() == {"newsletter": "rankings", "pages": "related"}
    assert set(listed["STATUS"]) == {"ACTIVE"}
