"""The samples: raw tables open lazily, their own flows make datasets that pass, and missing files are named."""

import pandas as pd
import pytest

from workbench.columns import KINDS
from workbench.data.sample import Sample, Shipped, Wheel
from workbench.data.samples import SAMPLES, ensure_group, open_beside, prepare_sample, run_flow, sample, sample_table
from workbench.data.schemas import require
from workbench.data.workspace import Workspace
from workbench.errors import SourceError, WorkspaceError


def installed(name: str) -> bool:
    try:
        return SAMPLES[name].files.path().is_dir()
    except SourceError:
        return False


def needs(name: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(not installed(name), reason=f"the files of the sample {name} are not installed")


@pytest.fixture
def workspace(tmp_path):
    opened = Workspace(tmp_path / "workspace")
    yield opened
    opened.close()


def test_the_four_samples_say_what_they_are():
    assert list(SAMPLES) == ["movielens", "journey", "openbandit", "shop"]
    for name, each in SAMPLES.items():
        assert each.name == name
        assert each.about
        assert each.licence
        assert set(each.kinds) <= set(KINDS)
        assert "interactions" in each.kinds
        for steps in each.flows.values():
            assert all(step["step"] and step["why"] for step in steps)


def test_an_unknown_sample_names_the_known_ones():
    with pytest.raises(SourceError, match=r"no sample 'movie-lens'. Did you mean 'movielens'\? Known: journey"):
        sample("movie-lens")
    with pytest.raises(SourceError, match="'movielens' has no table 'actions'.*Known: interactions, items, users"):
        sample_table("movielens", "actions")
    with pytest.raises(SourceError, match="'movielens' has no 'actions'"):
        run_flow("movielens", "actions")


def test_a_missing_package_says_how_to_get_it():
    wheel = Wheel("no_such_package", "data", "pip install --no-deps no-such-package==1.0")
    with pytest.raises(
        SourceError, match="'no_such_package', which is not installed. Get it with: pip install --no-deps"
    ):
        wheel.path()
    with pytest.raises(SourceError, match="'pandas' has no folder 'no-such-data'.*Get it with: pip install pandas"):
        Wheel("pandas", "no-such-data", "pip install pandas").path()
    with pytest.raises(SourceError, match="data/samples/nothing.*is not there"):
        Shipped("data/samples/nothing").path()


def test_a_package_is_found_without_importing_it(tmp_path, monkeypatch):
    package = tmp_path / "explosive"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert Wheel("explosive", "data", "pip install explosive").path() == package / "data"


def test_a_folder_with_a_quote_in_its_name_is_read(tmp_path, monkeypatch):
    package = tmp_path / "it's" / "quoted"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rows.csv").write_text("a\n007\n")
    monkeypatch.syspath_prepend(str(package.parent))
    query = "SELECT * FROM read_csv('{folder}/rows.csv', all_varchar=true)"
    small = Sample("small", "x", "x", None, Wheel("quoted", ".", "x"), {"interactions": query}, {"interactions": []})
    assert small.table("interactions").execute()["a"].tolist() == ["007"]


def test_flows_get_only_the_tables_that_they_name():
    assert set(sample("shop").looked_up("interactions")) == {"known_items", "known_users"}
    assert sample("shop").looked_up("items") == {}


def test_shop_flows_mend_every_dataset():
    for kind in sample("shop").kinds:
        require(run_flow("shop", kind).table, kind)
    events = run_flow("shop", "interactions").table.execute()
    assert set(events.EVENT_TYPE) == {"View", "Wishlist", "AddToCart", "StartCheckout", "Purchase"}
    assert events.TIMESTAMP.between(1_746_057_600, 1_746_057_600 + 61 * 86_400).all()
    assert not events.drop(columns="_ROW").duplicated().any()
    assert events.groupby("USER_ID").size().max() < 1_000
    assert events.ITEM_ID.str.fullmatch(r"0\d{4}").all(), "leading zeros are part of the id"
    items = run_flow("shop", "items").table.execute()
    assert items.ITEM_ID.is_unique
    assert items.COLOUR.nunique() == 9
    assert not items.TAGS.str.contains(",").any()
    assert not items.PRODUCT_DESCRIPTION.str.contains("<").any()
    assert items.PRICE.between(1, 1_000).all()


def test_the_mended_shop_is_the_shop_without_defects(workspace):
    from workbench.data.shop import generate
    from workbench.data.shop_defects import FUTURE, GHOST_ITEMS, GHOST_USERS, NO_ITEM, NO_USER, WRONG_VALUES

    mended, clean = run_flow("shop", "interactions").table.execute(), generate(defects=False)["interactions"]
    lost = NO_USER + NO_ITEM + FUTURE + GHOST_ITEMS + GHOST_USERS + WRONG_VALUES
    people = clean[~clean.USER_ID.isin(["u0100", "u0200"])]
    assert len(people) - lost <= len(mended) <= len(people) - lost + 20, "bots take along a few rows lost anyway"
    key = ["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"]
    assert len(mended.merge(people[key])) == len(mended), "no row was invented or changed for the worse"


@needs("movielens")
def test_movielens_ratings_become_watch_events():
    events = run_flow("movielens", "interactions").table.execute()
    assert events.shape == (100_000, 6)
    first = events.iloc[0].to_dict()
    assert first == {
        "_ROW": 1,
        "USER_ID": "196",
        "ITEM_ID": "242",
        "EVENT_VALUE": 3.0,
        "TIMESTAMP": 881_250_949,
        "EVENT_TYPE": "watch",
    }
    items = run_flow("movielens", "items").table.execute().set_index("ITEM_ID")
    assert items.loc["1", ["TITLE", "YEAR", "GENRES"]].tolist() == ["Toy Story", 1995, "Animation|Children's|Comedy"]
    assert pd.isna(items.loc["267", "YEAR"])
    assert items.loc["543", "TITLE"] == "Misérables, Les"
    users = run_flow("movielens", "users").table.execute()
    assert users.columns.tolist() == ["_ROW", "USER_ID", "AGE", "GENDER", "OCCUPATION"]


@needs("openbandit")
def test_openbandit_keeps_positions_and_propensities():
    events = run_flow("openbandit", "interactions").table.execute()
    clicks = events[events.EVENT_TYPE == "click"].groupby(["EVENT_ATTRIBUTION_SOURCE", "CAMPAIGN"]).size()
    assert len(events) == 60_000
    assert clicks["random"].to_dict() == {"all": 38, "men": 46, "women": 46}
    assert clicks["bts"].to_dict() == {"all": 42, "men": 69, "women": 46}
    fair = events[events.EVENT_ATTRIBUTION_SOURCE.eq("random") & events.CAMPAIGN.eq("all")]
    assert fair.PROPENSITY.eq(0.0125).all()
    assert sorted(events.POSITION.unique()) == [1, 2, 3]
    assert events.ITEM_ID.isin(run_flow("openbandit", "items").table.execute().ITEM_ID).all()
    assert events.USER_ID.isin(run_flow("openbandit", "users").table.execute().USER_ID).all()


@needs("journey")
def test_journey_campaigns_are_actions():
    taken = run_flow("journey", "action_interactions").table.execute()
    require(taken, "action_interactions")
    counts = taken.EVENT_TYPE.value_counts()
    assert counts["VIEWED"] == 6_589
    assert (
        taken[taken.EVENT_TYPE.eq("NOT_TAKEN")]
        .merge(taken[taken.EVENT_TYPE.eq("TAKEN")], on=["USER_ID", "ACTION_ID"])
        .empty
    )
    actions = run_flow("journey", "actions").table.execute()
    require(actions, "actions")
    assert (actions.EXPIRATION_TIMESTAMP > actions.CREATION_TIMESTAMP).all()


@pytest.mark.slow
@needs("journey")
def test_journey_is_prepared_whole(workspace):
    written = prepare_sample(workspace, "journey")
    assert {kind: version.rows for kind, version in written.items()} == {
        "items": 92_331,
        "users": 801,
        "actions": 27,
        "action_interactions": 12_782,
        "interactions": 1_460_433,
    }


def test_a_group_named_like_a_sample_is_prepared_once(workspace):
    ensure_group(workspace, "shop")
    before = workspace.dataset("shop", "interactions")
    ensure_group(workspace, "shop")
    assert workspace.dataset("shop", "interactions").version == before.version == 1
    assert before.origin["sample"] == "shop"
    assert before.origin["flow"][0]["step"] == "drop_missing"
    assert {kind for kind in KINDS if workspace.has_dataset("shop", kind)} == set(KINDS)


def test_preparing_again_under_another_name_gives_the_same_data(workspace):
    first = prepare_sample(workspace, "shop", "one")
    again = prepare_sample(workspace, "shop", "two")
    assert {kind: each.hash for kind, each in first.items()} == {kind: each.hash for kind, each in again.items()}


def test_a_group_that_exists_is_left_alone(workspace):
    workspace.create_group("mine")
    ensure_group(workspace, "mine")
    assert not workspace.has_dataset("mine", "interactions")


def test_neither_group_nor_sample(workspace):
    workspace.create_group("mine")
    with pytest.raises(
        WorkspaceError, match="no dataset group 'movielen'.*workspace: mine. Samples: movielens, journey"
    ):
        ensure_group(workspace, "movielen")


def test_raw_tables_open_as_sources():
    from workbench.data.sources import open_source

    lists = open_source(sample_table("shop", "lists"))
    assert lists.report.set_index("COLUMN").RECOGNISED_AS["TIMESTAMP"] == "seconds since 1970"
    with pytest.raises(SourceError, match="TIMESTAMP"):
        open_source(sample_table("shop", "interactions"))
    raw = open_source(sample_table("shop", "interactions"), options={"time_format": "seconds"})
    assert raw.table.count().to_pyarrow().as_py() == sample_table("shop", "interactions").count().to_pyarrow().as_py()


def test_a_table_beside_a_group_is_the_samples_own_or_any_source(tmp_path):
    assert open_beside("shop", "lists").table.count().to_pyarrow().as_py() > 20_000
    path = tmp_path / "lists.csv"
    path.write_text("USER_ID,EVENT_ATTRIBUTION_SOURCE\n007,home\n")
    assert open_beside("mine", str(path)).table.to_pandas().USER_ID.tolist() == ["007"]


def test_a_sample_whose_preparation_was_cut_short_is_prepared_again(workspace):
    workspace.create_group("shop")
    workspace.write_dataset("shop", "users", run_flow("shop", "users").table, origin={})
    ensure_group(workspace, "shop")
    assert workspace.has_dataset("shop", "interactions")
