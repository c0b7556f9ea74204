"""Batch jobs give real time's lists for every line, say what is wrong with the others, and count both."""

import json
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import BatchError, FilterError, ServingError
from workbench.serving.batch import batch_jobs, run_batch
from workbench.serving.campaign_settings import CampaignSettings
from workbench.serving.campaigns import create_campaign, redeploy
from workbench.serving.deployment import open_campaign
from workbench.serving.filter_store import FilterStore
from workbench.serving.recommender import Recommender

GENRE = "INCLUDE ItemID WHERE Items.GENRES IN ($GENRES)"


@pytest.fixture
def shop(small_workspace: Workspace, train_small: Callable) -> Workspace:
    """Group "g" with campaign "c" of recipe sims, without exploration."""
    train_small("s", "sims")
    create_campaign(small_workspace, "g", "c", "s", settings=CampaignSettings(exploration_weight=0.0))
    return small_workspace


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


def run(shop: Workspace, source: Path, job: str = "night", **given):
    return run_batch(shop, "g", job, "c", source, progress=False, **given)


def test_users_lines_are_written_as_personalize_writes_them(shop: Workspace, tmp_path: Path):
    source = written(tmp_path / "in.jsonl", '{"userId":"ann"}', '{"userId": "cem"}')
    done = run(shop, source, num_results=2, exclude_seen=False)
    real = Recommender(open_campaign(shop.path, "g", "c")).recommend(
        user_id="ann", num_results=2, exclude_seen=False, seed=0
    )
    first, second = done.output.read_text().splitlines()
    found = json.loads(first)
    assert list(found) == ["input", "output", "error"]
    assert first.startswith('{"input":{"userId":"ann"},"output":{"recommendedItems":["')
    assert first.endswith(']},"error":null}')
    assert found["output"]["recommendedItems"] == real.item_ids
    assert found["output"]["scores"] == pytest.approx([each.score for each in real.items], rel=1e-6)
    assert json.loads(second)["input"] == {"userId": "cem"}
    assert (done.lines, done.answered, done.failed, done.short, done.resumed) == (2, 2, 0, 0, 0)
    assert done.output == shop.path / "g" / "batch" / "night" / "out.jsonl"
    assert done.errors.read_text() == ""


def test_all_three_kinds_say_what_real_time_says(shop: Workspace, tmp_path: Path):
    real = Recommender(open_campaign(shop.path, "g", "c"), log=False)
    ranked = written(
        tmp_path / "rank.jsonl",
        '{"userId":"cem","itemList":["d","nobody knows","b","c"]}',
        '{"userId":"new \\u00e9","itemList":["a"]}',
    )
    done = run(shop, ranked, "rank", kind="rankings")
    first, second = lines_of(done.output)
    answer = real.rank(user_id="cem", input_list=("d", "nobody knows", "b", "c"))
    assert first["output"]["recommendedItems"] == answer.item_ids
    real_scores = [each.score for each in answer.items]
    assert [each if each is None else pytest.approx(each, rel=1e-6) for each in real_scores] == first["output"][
        "scores"
    ]
    assert first["output"]["recommendedItems"][-1] == "nobody knows"
    assert first["output"]["scores"][-1] is None
    assert list(first) == ["input", "output"]
    assert second["input"]["userId"] == "new é"
    assert (done.unknown, done.short) == (1, 0)

    related = written(tmp_path / "related.jsonl", '{"itemId":"a"}', '{"itemId":"nope"}', '{"itemId":"c"}')
    done = run(shop, related, "related", kind="related", num_results=2)
    assert [each["output"] for each in lines_of(done.output)] == [
        {"recommendedItems": real.related(item_id=item, num_results=2).item_ids} for item in ("a", "c")
    ]
    (wrong,) = lines_of(done.errors)
    assert (wrong["line"], wrong["input"]) == (2, '{"itemId":"nope"}')
    assert "Item 'nope' is unknown" in wrong["error"]


def test_lines_that_cannot_be_used_are_named_and_the_rest_goes_on(shop: Workspace, tmp_path: Path):
    source = tmp_path / "in.jsonl"
    source.write_bytes(
        b'\xef\xbb\xbf{"userId":"ann"}\r\n'
        b"\r\n"
        b'{"userId":7}\n'
        b'{"userId":"bob",}\n'
        b'["bob"]\n'
        b'{"userID":"bob"}\n'
        b'{"userId":"bob","itemList":["a"]}\n'
        b'{"userId":"bob","filterValues":{"GENRES":"x"}}\n'
        b'{"userId":"\xff"}\n'
        b'{"userId":"\\ud800"}\n'
        b'{"userId":NaN}\n'
        b'{"userId":""}\n'
        + b"[" * 100_000
        + b'\n{"userId":"'
        + b"x" * 2_000_000
        + b'"}\n   \n{"userId":"somebody new"}\n{"userId":"bo'
    )
    done = run(shop, source, num_results=3)
    assert [each["input"]["userId"] for each in lines_of(done.output)] == ["ann", "somebody new"]
    assert (done.lines, done.answered, done.failed, done.blank, done.unknown) == (15, 2, 13, 2, 1)
    wrong = {each["line"]: each["error"] for each in lines_of(done.errors)}
    assert list(wrong) == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 17]
    assert wrong[3] == "userId is 7; ids and names are text. Write it as text: '7'."
    assert "no JSON" in wrong[4]
    assert "column 17" in wrong[4]
    assert "The line is a JSON list" in wrong[5]
    assert "has no 'userId'" in wrong[6]
    assert "Did you mean 'userID'" in wrong[6]
    assert "run the job with kind='rankings'" in wrong[7]
    assert "the job has no filter" in wrong[8]
    assert "no UTF-8: byte 0xff at 12" in wrong[9]
    assert "half a character" in wrong[10]
    assert "NaN is no number" in wrong[11]
    assert "userId is empty" in wrong[12]
    assert "nests too deep" in wrong[13]
    assert "2,000,014 bytes; 1,000,000 are allowed" in wrong[14]
    assert "The file ends within this line" in wrong[17]
    assert all(len(each["input"]) <= 200 and each["file"] == "in.jsonl" for each in lines_of(done.errors))


def test_a_ranking_line_must_hold_each_item_once(shop: Workspace, tmp_path: Path):
    source = written(
        tmp_path / "in.jsonl",
        '{"userId":"ann","itemList":["a","b","a"]}',
        '{"userId":"ann","itemList":"a|b"}',
        '{"userId":"ann","itemList":[]}',
        '{"userId":"ann","itemList":["a",3]}',
        '{"userId":"ann","itemList":["c"]}',
    )
    done = run(shop, source, kind="rankings")
    assert [each["line"] for each in lines_of(done.errors)] == [1, 2, 3, 4]
    wrong = [each["error"] for each in lines_of(done.errors)]
    assert "item 'a' at place 1 and again at place 3" in wrong[0]
    assert "must be a list" in wrong[1]
    assert "is empty" in wrong[2]
    assert "itemList[1] is 3" in wrong[3]
    assert lines_of(done.output)[0]["output"]["recommendedItems"] == ["c"]


def test_a_filter_by_name_or_text_takes_each_lines_own_values(shop: Workspace, tmp_path: Path):
    FilterStore(shop.path, "g").create("genre", GENRE)
    source = written(
        tmp_path / "in.jsonl",
        '{"userId":"ann","filterValues":{"GENRES":"\\"Drama\\",\\"Crime\\""}}',
        '{"userId":"bob"}',
        '{"userId":"cem","filterValues":{"GENRE":"\\"Drama\\""}}',
        '{"userId":"cem","filterValues":{"GENRES":"\\"Drama"}}',
        '{"userId":"cem","filterValues":["Drama"]}',
    )
    done = run(shop, source, filter="genre", exclude_seen=False, num_results=3)
    real = Recommender(open_campaign(shop.path, "g", "c"), log=False)
    want = {"filter": "genre", "filter_values": {"GENRES": ["Drama", "Crime"]}, "exclude_seen": False}
    (only,) = lines_of(done.output)
    assert only["output"]["recommendedItems"] == real.recommend(user_id="ann", num_results=3, **want).item_ids
    wrong = {each["line"]: each["error"] for each in lines_of(done.errors)}
    assert list(wrong) == [2, 3, 4, 5]
    assert "GENRES" in wrong[2]
    assert "no parameter $GENRE. Did you mean 'GENRES'" in wrong[3]
    assert "filterValues is ['Drama']" in wrong[5]

    with_usual = run(shop, source, "usual", filter=GENRE, filter_values={"GENRES": "Action"}, exclude_seen=False)
    assert [each["input"]["userId"] for each in lines_of(with_usual.output)] == ["ann", "bob"]
    assert set(lines_of(with_usual.output)[1]["output"]["recommendedItems"]) == {"a", "b"}
    assert with_usual.lengths == {2: 2}
    assert with_usual.short == 2
    assert with_usual.coverage == 3
    with pytest.raises(FilterError, match="'gnre'.*Did you mean 'genre'"):
        run(shop, source, "third", filter="gnre")


def test_tables_come_in_and_go_out(shop: Workspace, tmp_path: Path):
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "1.csv").write_bytes(b'\xef\xbb\xbfuserId,itemList\r\nann,"a|b|c"\r\n\r\nbob\r\n"c,m",a\r\n\xff,a\r\n')
    frame = pd.DataFrame({"itemList": [["a", "b"], ["c"]], "userId": ["cem", None]})
    frame.to_parquet(folder / "2.parquet")
    (folder / "3.jsonl").write_text('{"userId":"bob","itemList":["b"]}')
    (folder / "notes.md").write_text("not an input")
    plain = run(shop, folder, kind="rankings")
    assert [each["input"]["userId"] for each in lines_of(plain.output)] == ["ann", "c,m", "cem", "bob"]
    assert [(each["file"], each["line"]) for each in lines_of(plain.errors)] == [
        ("1.csv", 4),
        ("1.csv", 6),
        ("2.parquet", 2),
    ]
    assert plain.blank == 1
    table = run(shop, folder, "as-csv", kind="rankings", out_format="csv")
    lines = table.output.read_text().splitlines()
    assert lines[0] == "userId,itemList,recommendedItems,scores"
    first = lines_of(plain.output)[0]["output"]
    assert lines[1].split(",")[:3] == ["ann", "a|b|c", "|".join(first["recommendedItems"])]
    parquet = run(shop, folder, "as-parquet", kind="rankings", out_format="parquet")
    found = pd.read_parquet(parquet.output)
    assert found["recommendedItems"].map(list).tolist() == [
        each["output"]["recommendedItems"] for each in lines_of(plain.output)
    ]
    assert found["userId"].tolist() == ["ann", "c,m", "cem", "bob"]
    assert sorted(each.name for each in parquet.output.parent.iterdir()) == ["errors.jsonl", "job.json", "out.parquet"]
    again = run(shop, folder, "as-parquet", kind="rankings", out_format="parquet")
    assert again.resumed == again.lines == 7


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("in.csv", "userid\nann\n", "no column 'userId'.*Did you mean 'userid'"),
        ("in.csv", "userId,filtervalues\nann,\n", "column 'filtervalues'.*Did you mean 'filterValues'"),
        ("in.csv", "userId,userId\nann,\n", "names a column twice"),
        ("in.parquet", "no parquet", "cannot be read as Parquet"),
        ("in.xlsx", "x", "ends in '.xlsx'"),
        ("in.jsonl", "", "None of the 0 lines"),
        ("in.jsonl", "{}\n{}\n", "None of the 2 lines .* the first: .*has no 'userId'"),
    ],
)
def test_inputs_that_no_line_can_be_read_of_are_refused(
    shop: Workspace, tmp_path: Path, name: str, content: str, message: str
):
    (tmp_path / name).write_text(content)
    with pytest.raises(BatchError, match=message):
        run(shop, tmp_path / name)


def test_other_inputs_and_arguments_are_refused(shop: Workspace, tmp_path: Path):
    source = written(tmp_path / "users.jsonl", '{"userId":"ann"}')
    with pytest.raises(BatchError, match=r"no input.*usrs.jsonl.*Did you mean 'users.jsonl'"):
        run(shop, tmp_path / "usrs.jsonl")
    with pytest.raises(BatchError, match="holds no file that ends in .jsonl"):
        run(shop, shop.path / "g")
    (tmp_path / "wide.jsonl").write_bytes('{"userId":"ann"}'.encode("utf-16"))
    with pytest.raises(BatchError, match="UTF-16"):
        run(shop, tmp_path / "wide.jsonl")
    pd.DataFrame({"userId": [7]}).to_parquet(tmp_path / "numbers.parquet")
    with pytest.raises(BatchError, match="'userId' of .* is int64; it must be text"):
        run(shop, tmp_path / "numbers.parquet")
    with pytest.raises(BatchError, match="kind is 'user'.*Did you mean 'users'"):
        run(shop, source, kind="user")
    with pytest.raises(BatchError, match="out_format is 'xml'"):
        run(shop, source, out_format="xml")
    with pytest.raises(BatchError, match="exploration_weight is 0.5; a ranking"):
        run(shop, source, kind="rankings", exploration_weight=0.5)
    with pytest.raises(ServingError, match="num_results is 501"):
        run(shop, source, num_results=501)
    assert batch_jobs(shop, "g").empty


def test_the_catalogue_lists_jobs_with_their_counts_and_reasons(shop: Workspace, tmp_path: Path):
    run(shop, written(tmp_path / "a.jsonl", '{"userId":"ann"}', "{"), "good", num_results=4)
    with pytest.raises(BatchError):
        run(shop, written(tmp_path / "b.jsonl", "{"), "bad")
    listed = batch_jobs(shop, "g").set_index("JOB")
    assert listed.loc["good", ["STATUS", "LINES", "FAILED", "SHORT", "ITEMS", "CAMPAIGN", "REVISION"]].tolist() == [
        "ACTIVE",
        2,
        1,
        1,
        4,
        "c",
        1,
    ]
    assert listed.loc["bad", "STATUS"] == "CREATE FAILED"
    assert "None of the 1 lines" in listed.loc["bad", "FAILURE_REASON"]
    with pytest.raises(ServingError, match="no dataset group 'h'"):
        batch_jobs(shop, "h")


def test_a_finished_job_is_not_run_again_and_goes_on_only_as_it_was(shop: Workspace, tmp_path: Path):
    source = written(tmp_path / "in.jsonl", '{"userId":"ann"}', '{"userId":"bob"}')
    first = run(shop, source)
    made = first.output.stat().st_mtime_ns
    again = run(shop, source)
    assert (again.resumed, again.output.stat().st_mtime_ns, again.coverage) == (2, made, first.coverage)
    with pytest.raises(BatchError, match="finished.*num_results was 25 and is 3.*restart=True"):
        run(shop, source, num_results=3)
    redeploy(shop, "g", "c")
    with pytest.raises(BatchError, match="the campaign's revision was 1 and is 2"):
        run(shop, source)
    written(source, '{"userId":"ann"}', '{"userId":"cem"}')
    with pytest.raises(BatchError, match=r"input file 'in.jsonl' has changed"):
        run(shop, source)
    other = run(shop, source, restart=True)
    assert [each["input"]["userId"] for each in lines_of(other.output)] == ["ann", "cem"]
    other.output.unlink()
    with pytest.raises(BatchError, match="its output .* is gone"):
        run(shop, source)


def test_exploration_draws_what_real_time_draws(shop: Workspace, tmp_path: Path):
    users = ["ann", "bob", "cem", "zoe", "who"]
    source = written(tmp_path / "in.jsonl", *(json.dumps({"userId": each}) for each in users))
    done = run(shop, source, exploration_weight=0.7, seed=5, num_results=3)
    real = Recommender(open_campaign(shop.path, "g", "c"), log=False)
    for each in lines_of(done.output):
        asked = {"user_id": each["input"]["userId"], "exploration_weight": 0.7, "seed": 5, "num_results": 3}
        assert each["output"]["recommendedItems"] == real.recommend(**asked).item_ids
