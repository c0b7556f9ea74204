"""Lists that another system made: read as they are, counted where they are odd, judged like a recipe's own."""

import json

import numpy as np
import pandas as pd
import pytest

from workbench.errors import RecipeError
from workbench.evaluation.splits import make_split
from workbench.recipes.comparison import compare
from workbench.recipes.comparison_entrants import find_entrants
from workbench.recipes.comparison_files import hash_split, write_split
from workbench.recipes.comparison_lists import read_lists
from workbench.recipes.memory import MemoryGrowth

NDCG = "normalized_discounted_cumulative_gain_at_5"


@pytest.fixture(scope="module")
def split():
    """20 users walk around 12 items in order; ids with leading zeros."""
    rows = [(f"{u:03d}", f"{(u + s) % 12:02d}", 100 * s + u) for u in range(20) for s in range(6)]
    return make_split("leave-last-out", pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"]))


def right(split):
    """Everybody's next item first, another unseen one second."""
    users = split.held_out["USER_ID"].to_numpy()
    items = split.held_out["ITEM_ID"].astype(int).to_numpy()
    return pd.DataFrame(
        {
            "USER_ID": np.repeat(users, 2),
            "ITEM_ID": [f"{i % 12:02d}" for item in items for i in (item, item + 1)],
            "RANK": np.tile([1, 2], len(users)),
        }
    )


def put(folder, lists, name="other.csv", **figures):
    path = folder / name
    lists.to_csv(path, index=False)
    if figures:
        path.with_suffix(".json").write_text(json.dumps(figures))
    return str(path)


def outcome(found, label):
    return found.outcomes.set_index("RECIPE").loc[label]


def test_lists_of_another_system_are_scored_beside_recipes(split, tmp_path):
    entry = {"lists": put(tmp_path, right(split)), "label": "theirs", "fit_seconds": 12.5, "peak_memory_gb": 0.3}
    found = compare([entry, "popularity-count"], split, top_k=5)
    means = found.summary[found.summary["METRIC"] == found.metric].set_index("RECIPE")["MEAN"]
    assert means["theirs"] == 1.0
    row = outcome(found, "theirs")
    assert (row["STATUS"], row["FIT"], row["MEMORY"], row["OUTSIDE"]) == ("done", 12.5, 0.3, True)
    assert np.isnan(row["SCORE"])
    assert found.differences.set_index(["RECIPE", "METRIC"]).loc[("theirs", NDCG), "READING"] == "higher"
    assert found.notes["theirs"]["users_with_a_short_list"] == 20


def test_a_recipes_own_lists_come_back_with_the_same_scores(split, tmp_path):
    own = compare(["sims"], split, top_k=5).lists.query("RECIPE == 'sims'").drop(columns="RECIPE")
    found = compare(["sims", {"lists": put(tmp_path, own), "label": "again"}], split, top_k=5)
    table = found.summary.pivot(index="METRIC", columns="RECIPE", values="MEAN")
    assert np.allclose(table["sims"], table["again"], equal_nan=True)
    coverage = found.catalogue.set_index("RECIPE")["coverage"]
    assert coverage["sims"] == coverage["again"]


def test_everything_odd_is_counted_and_the_places_close_up(split, tmp_path):
    # User 000 had items 00 to 04 and goes on to 05; 001 goes on to 06.
    rows = [
        ("000", "04", 1),  # seen
        ("000", "05", 2),
        ("000", "05", 7),  # again
        ("000", "99", 8),  # in no training event
        ("000", "11", 9),
        ("001", "06", 3),
        ("xyz", "01", 1),  # nobody asked
    ]
    path = put(tmp_path, pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "RANK"]))
    lists, notes = read_lists(path, split, 2)
    assert lists[["USER_ID", "ITEM_ID", "RANK"]].to_numpy().tolist() == [
        ["000", "05", 1],
        ["000", "99", 2],
        ["001", "06", 1],
    ]
    assert notes == {
        "rows": 7,
        "rows_of_users_not_held_out": 1,
        "items_listed_twice": 1,
        "seen_items_removed": 1,
        "rows_below_place_2": 1,
        "items_not_in_training": 1,
        "users_without_a_list": 18,
        "users_with_a_short_list": 1,
    }
    kept, counted = read_lists(path, split, 2, exclude_seen=False)
    assert kept["ITEM_ID"].to_list() == ["04", "05", "06"]
    assert counted["seen_items_listed"] == 1


def test_scores_order_where_there_are_no_ranks(split, tmp_path):
    table = pd.DataFrame({"USER_ID": "000", "ITEM_ID": ["07", "05", "06"], "SCORE": [0.1, 0.9, 0.1]})
    lists, _ = read_lists(put(tmp_path, table), split, 5)
    assert lists["ITEM_ID"].to_list() == ["05", "07", "06"]
    assert lists["SCORE"].to_list() == [0.9, 0.1, 0.1]


def test_numbers_as_ids_match_their_text(tmp_path):
    events = pd.DataFrame({"USER_ID": ["1", "1", "2", "2"], "ITEM_ID": ["10", "11", "11", "10"], "TIMESTAMP": range(4)})
    split = make_split("leave-last-out", events)
    path = tmp_path / "lists.parquet"
    pd.DataFrame({"USER_ID": [1, 2], "ITEM_ID": [11, 10], "RANK": [1, 1]}).to_parquet(path)
    lists, notes = read_lists(str(path), split, 5)
    assert lists["ITEM_ID"].to_list() == ["11", "10"]
    assert notes["users_without_a_list"] == 0


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"USER_ID": ["000"], "ITEM_ID": ["01"]}, "no column RANK or SCORE; found"),
        ({"user": ["000"], "ITEM_ID": ["01"], "RANK": [1]}, "no column USER_ID"),
        ({"USER_ID": ["u0"], "ITEM_ID": ["01"], "RANK": [1]}, "no list of a held-out user. Its users look like 'u0'"),
        ({"USER_ID": ["000", "001"], "ITEM_ID": ["01", "02"], "RANK": ["1", "first"]}, "row 2 has no usable RANK"),
    ],
)
def test_lists_that_cannot_be_read_say_why_and_the_others_go_on(split, tmp_path, table, words):
    found = compare([{"lists": put(tmp_path, pd.DataFrame(table)), "label": "theirs"}], split, top_k=5)
    row = outcome(found, "theirs")
    assert row["STATUS"] == "failed"
    assert words in row["REASON"]
    assert "popularity-count" in found.order


def test_a_folder_takes_every_file_and_who_made_none_is_shown(split, tmp_path):
    put(tmp_path, right(split), "a.csv", label="first", fit_seconds=3, note="stopped at the limit of 3 s")
    right(split).to_parquet(tmp_path / "b.parquet")
    (tmp_path / "c.json").write_text(json.dumps({"label": "third", "failed": "it did not install"}))
    found = compare([{"lists": str(tmp_path)}], split, top_k=5)
    told = {label: (row["STATUS"], row["REASON"]) for label, row in found.outcomes.set_index("RECIPE").iterrows()}
    assert told["first"] == ("done", "stopped at the limit of 3 s")
    assert told["b"] == ("done", "")
    assert told["third"] == ("failed", "it did not install")


def test_lists_of_another_split_are_refused(split, tmp_path):
    (tmp_path / "split").mkdir()
    assert write_split(split, tmp_path / "split") == [
        "train.parquet",
        "history.parquet",
        "held_out.parquet",
        "split.json",
    ]
    facts = json.loads((tmp_path / "split" / "split.json").read_text())
    assert facts["hash"] == hash_split(split)
    good = put(tmp_path, right(split), "good.csv", split=facts["hash"])
    bad = put(tmp_path, right(split), "bad.csv", split="0123456789abcdef")
    found = compare([{"lists": good}, {"lists": bad}], split, top_k=5)
    assert outcome(found, "good")["STATUS"] == "done"
    assert "made for another split" in outcome(found, "bad")["REASON"]


def test_a_written_split_holds_the_same_rows_in_the_same_order(split, tmp_path):
    write_split(split, tmp_path)
    for part in ("train", "history", "held_out"):
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{part}.parquet"), getattr(split, part))


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"lists": "nowhere.csv"}, "no file or folder 'nowhere.csv'"),
        ({"lists": "nowhere.csv", "fit_secs": 1}, "unknown key 'fit_secs'. Did you mean 'fit_seconds'"),
        ({"lists": "here.csv", "fit_seconds": "long"}, "fit_seconds of here.csv must be a number"),
        ({"lists": ".", "label": "x"}, "is a folder, where 'label' cannot mean"),
    ],
)
def test_wrong_entries_stop_before_anything_runs(entry, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "here.csv").write_text("USER_ID,ITEM_ID,RANK\n")
    with pytest.raises(RecipeError, match=words):
        find_entrants([entry])


def test_a_broken_file_of_figures_is_named(tmp_path):
    (tmp_path / "a.csv").write_text("USER_ID,ITEM_ID,RANK\n")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(RecipeError, match=r"a\.json is not readable JSON"):
        find_entrants([{"lists": str(tmp_path / "a.csv")}])


def test_lists_need_no_budget(split, tmp_path):
    found = compare([{"lists": put(tmp_path, right(split))}, "sims"], split, top_k=5, budget_minutes=1e-9)
    assert outcome(found, "other")["STATUS"] == "done"
    assert outcome(found, "sims")["STATUS"] == "skipped"


def test_memory_is_what_the_block_needed_even_when_given_back():
    with MemoryGrowth() as growth:
        np.ones(20_000_000).sum()
    assert 0.15 < growth.gb < 0.4
    with MemoryGrowth() as little:
        np.ones(1_000).sum()
    assert little.gb < 0.05
