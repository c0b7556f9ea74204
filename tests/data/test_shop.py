"""The generated shop: the same seed draws the same text, and every planted defect is there, counted from outside."""

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.columns import KINDS
from workbench.data import shop, shop_truth
from workbench.data.shop_catalogue import COLOURS
from workbench.data.shop_defects import planted_defects

COMMITTED = Path(__file__).parents[2] / "data" / "samples" / "shop"


@pytest.fixture(scope="module")
def raw():
    return shop.generate()


@pytest.fixture(scope="module")
def clean():
    return shop.generate(defects=False)


def test_the_committed_files_are_what_the_generator_draws(raw):
    for name in shop.TABLES:
        assert gzip.decompress((COMMITTED / f"{name}.csv.gz").read_bytes()) == shop.csv_text(raw[name]), name


def test_the_committed_files_stay_small():
    assert sum(path.stat().st_size for path in COMMITTED.iterdir()) < 3_000_000


def test_another_seed_draws_another_shop(raw):
    assert shop.digest(shop.generate(seed=8)) != shop.digest(raw)


def test_writing_gives_the_committed_text_again(tmp_path, raw):
    written = shop.write(tmp_path / "new" / "folder")
    assert [path.name for path in written] == [f"{name}.csv.gz" for name in shop.TABLES]
    assert gzip.decompress(written[0].read_bytes()) == shop.csv_text(raw["interactions"])
    assert written[0].read_bytes()[4:8] == bytes(4), "no time of writing inside, so equal text is equal bytes"


def counted(raw: dict[str, pd.DataFrame]) -> dict[tuple[str, str, str], int]:
    """Every defect counted from the raw tables alone, without the code that planted it."""
    events, items, users, taken = (raw[name] for name in ("interactions", "items", "users", "action_interactions"))
    end = shop_truth.START + (shop_truth.DAYS + 2) * 86_400
    milliseconds = events.TIMESTAMP > 10**12
    five = ["View", "Wishlist", "AddToCart", "StartCheckout", "Purchase"]
    normal = events.drop_duplicates()
    long_histories = events.groupby("USER_ID").size()
    single = items.drop_duplicates("ITEM_ID")
    text = items.PRODUCT_DESCRIPTION.str
    return {
        ("interactions", "", "exact repeats of a row"): int(events.duplicated().sum()),
        ("interactions", "TIMESTAMP", "times in milliseconds"): int(milliseconds.sum()),
        ("interactions", "TIMESTAMP", "times ten years ahead"): int((events.TIMESTAMP.gt(end) & ~milliseconds).sum()),
        ("interactions", "USER_ID", "missing user ids"): int(events.USER_ID.isna().sum()),
        ("interactions", "ITEM_ID", "missing item ids"): int(events.ITEM_ID.isna().sum()),
        ("interactions", "ITEM_ID", "items that no catalogue row explains"): int(
            (~events.ITEM_ID.dropna().isin(items.ITEM_ID)).sum()
        ),
        ("interactions", "USER_ID", "users that no user row explains"): int(
            (~events.USER_ID.dropna().isin(users.USER_ID)).sum()
        ),
        ("interactions", "EVENT_TYPE", "event types (number of different ones)"): events.EVENT_TYPE.nunique(),
        ("interactions", "EVENT_TYPE", "misspelt event types"): int((~events.EVENT_TYPE.isin(five)).sum()),
        ("interactions", "USER_ID", "bots (number of users)"): int((long_histories > 1_000).sum()),
        ("interactions", "EVENT_VALUE", "values a thousand times too high"): int((normal.EVENT_VALUE > 5_000).sum()),
        ("items", "ITEM_ID", "repeated item ids"): int(items.ITEM_ID.duplicated().sum()),
        ("items", "ITEM_ID", "items nobody looked at"): int((~single.ITEM_ID.isin(events.ITEM_ID)).sum()),
        ("items", "BRAND", "missing brands (under 70 % complete)"): int(items.BRAND.isna().sum()),
        ("items", "PRICE", "missing prices"): int(items.PRICE.isna().sum()),
        ("items", "PRICE", "prices a thousand times too high"): int((items.PRICE > 2_000).sum()),
        ("items", "COLOUR", "colours (number of different spellings)"): items.COLOUR.nunique(),
        ("items", "COLOUR", "colours spelt otherwise than most"): int((~items.COLOUR.isin([*COLOURS, "N/A"])).sum()),
        ("items", "COLOUR", "two words for no colour"): int(items.COLOUR.isin(["N/A", "Not Applicable"]).sum()),
        ("items", "TAGS", "tags joined with a comma"): int(items.TAGS.str.contains(",").sum()),
        ("items", "PRODUCT_DESCRIPTION", "missing descriptions (under 85 %)"): int(
            items.PRODUCT_DESCRIPTION.isna().sum()
        ),
        ("items", "PRODUCT_DESCRIPTION", "markup in descriptions"): int(text.contains("<p>", na=False).sum()),
        ("users", "USER_ID", "repeated user ids"): int(users.USER_ID.duplicated().sum()),
        ("users", "USER_ID", "users who did nothing"): int((~users.USER_ID.isin(events.USER_ID)).sum()),
        ("users", "AGE", "missing ages"): int(users.AGE.isna().sum()),
        ("users", "AGE", "ages above 200"): int((users.AGE > 200).sum()),
        ("users", "GENDER", "genders spelt in two ways"): int((~users.GENDER.isin(["F", "M"])).sum()),
        ("action_interactions", "", "exact repeats of a row"): int(taken.duplicated().sum()),
        ("action_interactions", "EVENT_TYPE", "misspelt event types"): int(
            (~taken.EVENT_TYPE.isin(["VIEWED", "TAKEN", "NOT_TAKEN"])).sum()
        ),
        ("action_interactions", "ACTION_ID", "actions that no action row explains"): int(
            (~taken.ACTION_ID.isin(raw["actions"].ACTION_ID)).sum()
        ),
    }


def test_every_planted_defect_can_be_counted_from_outside(raw):
    defects = planted_defects()
    assert list(defects.columns) == ["DEFECT", "DATASET", "COLUMN", "COUNT", "CHECK"]
    planted = {(row.DATASET, row.COLUMN, row.DEFECT): row.COUNT for row in defects.itertuples()}
    assert counted(raw) == planted


def test_the_readme_lists_every_defect_with_its_count():
    words = (COMMITTED / "README.md").read_text(encoding="utf-8")
    for row in planted_defects().itertuples():
        where = row.COLUMN or "whole row"
        assert f"| {row.DATASET} | {where} | {row.DEFECT} | {row.COUNT:,} | `{row.CHECK}` |" in words


def test_without_defects_the_tables_have_none(clean):
    found = counted(clean | {"users": clean["users"].drop(columns="SEGMENT")})
    silent = ("items nobody looked at", "users who did nothing")
    numbers = {"event types (number of different ones)": 5, "colours (number of different spellings)": 8}
    for (_, _, name), count in found.items():
        if name not in silent:
            assert count == numbers.get(name, 0), name


def test_preferences_are_what_people_look_at(clean):
    events, items, users = clean["interactions"], clean["items"], clean["users"]
    organic = events[events.EVENT_TYPE.eq("View") & events.RECOMMENDATION_ID.isna()]
    seen = organic.merge(items[["ITEM_ID", "CATEGORY_L1"]]).merge(users[["USER_ID", "SEGMENT"]])
    seen["SEGMENT"] = np.array(shop_truth.SEGMENTS)[seen.SEGMENT]
    share = seen.groupby("SEGMENT").CATEGORY_L1.value_counts(normalize=True).rename("SEEN").reset_index()
    both = share.merge(shop_truth.preferences())
    assert len(both) == 60
    assert both[["SEEN", "SHARE"]].corr().iloc[0, 1] > 0.97


def test_truth_tables_add_up():
    assert shop_truth.preferences().groupby("SEGMENT").SHARE.sum().round(9).eq(1).all()
    assert len(shop_truth.action_rates()) == 40
    effects = shop_truth.source_effects().set_index("EVENT_ATTRIBUTION_SOURCE")
    assert effects.loc["home-personal", "CLICK_RATE"] - effects.loc["home-popular", "CLICK_RATE"] == pytest.approx(0.1)
    assert effects.loc["email-may"].drop("PREFIX").equals(effects.loc["email-june"].drop("PREFIX"))


def test_sources_come_out_as_planted(clean):
    events, lists = clean["interactions"], clean["lists"]
    views = events[events.EVENT_TYPE.eq("View")].RECOMMENDATION_ID.str[:3].value_counts()
    measured = views / lists.RECOMMENDATION_ID.str[:3].value_counts()
    effects = shop_truth.source_effects().set_index("PREFIX").CLICK_RATE
    assert (measured - effects).abs().max() < 0.03


def test_nobody_sees_an_item_before_it_exists(clean):
    created = clean["items"].set_index("ITEM_ID").CREATION_TIMESTAMP
    events = clean["interactions"]
    assert events.TIMESTAMP.ge(events.ITEM_ID.map(created)).all()


def test_insights_find_every_planted_defect():
    from workbench.data.insights import insights
    from workbench.data.samples import sample_table

    found = insights({kind: sample_table("shop", kind) for kind in KINDS}, now=1_760_000_000).findings
    keys = ["CHECK", "DATASET", "COLUMN"]
    both = planted_defects().merge(found, on=keys, how="left")
    assert both[both.NUMBER.isna()].DEFECT.tolist() == []
    counted_too = both[~both.UNIT.str.startswith("%")]
    assert len(counted_too) >= 25
    assert counted_too[counted_too.COUNT != counted_too.NUMBER].DEFECT.tolist() == []
    trouble = found[found.SEVERITY.isin(["blocks", "warning"])]
    unplanned = trouble.merge(planted_defects(), on=keys, how="left")
    assert set(unplanned[unplanned.DEFECT.isna()].CHECK) <= {"missing_rows", "too_few_action_events"}, "nothing else"
