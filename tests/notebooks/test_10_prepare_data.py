"""Notebook 10 on a file with odd names and formats: each parameter must steer it."""

import papermill
import pytest

from workbench.data.workspace import Workspace


@pytest.fixture
def files(tmp_path):
    """1,200 orders of 40 customers in German spelling, one bot, one line without an article; 30 articles."""
    lines = [
        f"{c:03d};A-{(7 * c + n) % 30};{1 + n % 28:02d}.{1 + n % 12:02d}.2025 14:{c % 60:02d};{n % 9},50"
        for c in range(40)
        for n in range(30)
    ]
    lines += [f"bot;A-{n % 30};{1 + n % 28:02d}.03.2025 03:{n % 60:02d};1,00" for n in range(400)]
    lines.append("001;;01.02.2025 14:05;3,00")
    (tmp_path / "orders.csv").write_text("kunde;artikel;wann;Preis €\n" + "\n".join(lines) + "\n", encoding="utf-8")
    rows = [f"A-{n};<script>{n}</script>Ware {n};rot, blau" for n in range(30)]
    (tmp_path / "goods.csv").write_text("nr;name;farben\n" + "\n".join(rows) + "\n", encoding="utf-8")
    (tmp_path / "people.csv").write_text(
        "k,age\n" + "\n".join(f"{c:03d},{20 + c}" for c in range(40)), encoding="utf-8"
    )
    return tmp_path


def own(files, **more):
    return {
        "source": str(files / "orders.csv"),
        "items": str(files / "goods.csv"),
        "users": str(files / "people.csv"),
        "columns": {"kunde": "USER_ID", "artikel": "ITEM_ID", "wann": "TIMESTAMP"},
        "item_columns": {"nr": "ITEM_ID"},
        "user_columns": {"k": "USER_ID"},
        "options": {"time_format": "%d.%m.%Y %H:%M"},
        "steps": [
            {"step": "rename", "columns": {"Preis €": "PRICE"}},
            {"step": "drop_missing", "columns": ["ITEM_ID"], "why": "a line about nothing"},
            {"step": "drop_bots", "max_events": 100},
            {"step": "set", "columns": {"EVENT_TYPE": "purchase"}},
        ],
        "item_steps": [
            {"step": "clean_text", "columns": ["name"]},
            {"step": "multi_values", "column": "farben", "separator": ","},
        ],
        "user_steps": [{"step": "bucket", "column": "age", "edges": [30, 50], "to": "AGE_GROUP"}],
        "group": "shop-of-mine",
    } | more


@pytest.mark.notebook
def test_parameters_steer_the_preparation(run_notebook, files):
    found = run_notebook("10_prepare_data", **own(files))
    assert found["status"] == "completed"
    assert found["headline"][0] == {"name": "interactions", "value": 1200, "unit": "rows"}
    assert found["headline"][1] == {"name": "interactions removed", "value": 401, "unit": "rows"}
    assert [line["ROWS_REMOVED"] for line in found["records"]["interactions"]] == [0, 1, 400, 0]
    assert found["records"]["interactions"][1]["REASON"].startswith("a line about nothing")
    assert set(found["figures"]) == {"rows", "changes", "histories", "days"}
    place = Workspace(files / "workspace")
    log = place.dataset("shop-of-mine", "interactions").frame()
    assert set(log["EVENT_TYPE"]) == {"purchase"}
    assert log["USER_ID"].min() == "000"
    goods = place.dataset("shop-of-mine", "items").frame()
    assert set(goods["farben"]) == {"rot|blau"}
    assert not goods["name"].str.contains("script").any()
    assert set(place.dataset("shop-of-mine", "users").frame()["AGE_GROUP"]) == {"below 30", "30 to 50", "50 and above"}

    again = run_notebook("10_prepare_data", **own(files, item_steps=[{"step": "drop_columns", "columns": ["name"]}]))
    states = {line["DATASET"]: (line["VERSION"], line["STATE"]) for line in again["datasets"]}
    assert states == {"interactions": (1, "unchanged"), "users": (1, "unchanged"), "items": (2, "new")}


@pytest.mark.notebook
def test_a_missing_column_mapping_says_which_column_is_needed(run_notebook, files):
    with pytest.raises(
        papermill.PapermillExecutionError,
        match="(?s)ParameterError: orders.csv: no column is USER_ID.*'kunde', 'artikel'",
    ):
        run_notebook("10_prepare_data", source=str(files / "orders.csv"), group="bare")
    assert not Workspace(files / "workspace").has_dataset("bare", "interactions")
