"""Semantic similarity: what texts mean, the two influences by hand, new items, models, and bad tables."""

import importlib.util
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import semantic_models, semantic_words, storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k
from workbench.recipes.semantic_models import CatalogueWords, ShippedWords, unit
from workbench.recipes.semantic_text import Columns, digests, find_columns, item_texts
from workbench.recipes.semantic_words import WordVectors, shipped_vectors

ABOUT = {
    "tent": ("Tent", "a waterproof shelter for sleeping outdoors in the wild"),
    "bag": ("Sleeping bag", "keeps campers warm through a cold night under the stars"),
    "stove": ("Camping stove", "cook dinner on the trail with a small gas flame"),
    "phone": ("Smartphone", "a bright screen with a fast processor and two cameras"),
    "laptop": ("Laptop", "a light computer with a large screen for office work"),
    "cable": ("Charger", "usb cable that charges the battery of any mobile device"),
}
CAMP, TECH = ("tent", "bag", "stove"), ("phone", "laptop", "cable")
NO_EVENTS = pd.DataFrame({"USER_ID": [], "ITEM_ID": [], "TIMESTAMP": pd.array([], dtype="int64")})


def events_of(*rows):
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def table(**more):
    frame = pd.DataFrame(
        {"ITEM_ID": list(ABOUT), "TITLE": [t for t, _ in ABOUT.values()], "DESCRIPTION": [d for _, d in ABOUT.values()]}
    )
    return frame.assign(**more)


def fit(items=None, events=NO_EVENTS, **given):
    return build("semantic-similarity", given).fit(TrainingData(events, table() if items is None else items), seed=1)


def scores(recipe, item):
    values = recipe.similar(np.array([list(recipe.item_ids).index(item)]))[0]
    return dict(zip(recipe.item_ids, values.tolist(), strict=True))


def nearest(recipe, item, most=2):
    found = scores(recipe, item)
    return sorted((each for each in found if each != item), key=lambda each: -found[each])[:most]


@pytest.fixture(scope="module")
def recipe():
    return fit()


@pytest.mark.parametrize("group", [CAMP, TECH])
def test_texts_that_mean_alike_are_related_although_they_share_no_words(recipe, group):
    for item in group:
        assert set(nearest(recipe, item)) == set(group) - {item}


def test_nothing_is_imported_from_the_package_and_nothing_is_fetched():
    script = (
        "import socket, sys, logging\n"
        "def refuse(*a, **k): raise OSError('no network')\n"
        "socket.socket.connect = refuse; socket.getaddrinfo = refuse\n"
        "from workbench.recipes.semantic_words import shipped_vectors\n"
        "assert shipped_vectors().embed(['warm tent']).any()\n"
        "assert not {'wordllama', 'requests', 'tokenizers'} & set(sys.modules)\n"
        "assert not logging.getLogger().handlers\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_the_score_joins_likeness_popularity_and_freshness_by_their_formula():
    events = events_of(("u", "phone", 1), ("v", "phone", 2), ("v", "phone", 3), ("u", "bag", 4))
    items = table(CREATION_TIMESTAMP=[10, 20, 30, 40, None, 60])
    plain, mixed = fit(items, events), fit(items, events, popularity=0.5, freshness=0.25)
    for item, users, not_newer in [("phone", 2, 4 / 5), ("bag", 1, 2 / 5), ("laptop", 0, 0.0), ("cable", 0, 1.0)]:
        bonus = 0.5 * np.log1p(users) / np.log1p(2) + 0.25 * not_newer
        expected = (scores(plain, "tent")[item] + bonus) / 1.75
        assert scores(mixed, "tent")[item] == pytest.approx(expected, rel=1e-5)
    assert plain.notes["items_without_creation_time"] == 1
    assert scores(plain, "tent")["tent"] == pytest.approx(1.0)


def test_freshness_without_times_is_refused():
    with pytest.raises(RecipeError, match="freshness=0.5 needs the column CREATION_TIMESTAMP"):
        fit(freshness=0.5)


def test_a_history_counts_its_newest_items_most_and_explains_itself(recipe):
    history = encode_histories(events_of(("n", "tent", 1), ("n", "phone", 2)), recipe.item_ids, ["n"])
    values = dict(zip(recipe.item_ids, recipe.score(history)[0].tolist(), strict=True))
    assert values["phone"] > values["tent"]
    why = recipe.explain(history, list(recipe.item_ids).index("laptop"))
    assert why["ITEM_ID"].iloc[0] == "phone"
    assert why["POSITION"].iloc[0] == 1
    v = {item: recipe.vectors[list(recipe.item_ids).index(item)] for item in ("tent", "phone", "laptop")}
    profile = 0.8 * v["tent"] + v["phone"]
    expected = (1 + profile @ v["laptop"] / np.linalg.norm(profile)) / 2
    assert values["laptop"] == pytest.approx(expected, rel=1e-5)


def test_nobody_and_items_without_text_are_ordered_by_popularity():
    items = pd.concat([table(), pd.DataFrame({"ITEM_ID": ["blank"], "TITLE": [" "]})], ignore_index=True)
    recipe = fit(items, events_of(("u", "blank", 1), ("v", "blank", 2), ("u", "tent", 3), ("w", "unlisted", 4)))
    lists = top_k(recipe, encode_histories(NO_EVENTS, recipe.item_ids, ["nobody"]), 2)
    assert lists["ITEM_ID"].to_list() == ["blank", "tent"]
    assert (lists["SCORE"] < 0).all()
    assert recipe.notes["items_without_text"] == 2
    assert scores(recipe, "tent")["unlisted"] < 0 < scores(recipe, "tent")["cable"]


def test_new_and_changed_items_are_taken_in_by_their_texts(recipe, tmp_path):
    model = storage.load(storage.save(fit(), tmp_path / "first"))
    before = scores(model, "tent")
    new = pd.DataFrame(
        {
            "ITEM_ID": ["lamp", "twin", "cable", "phone"],
            "TITLE": ["Headlamp", "Tent", "Hiking boots", ABOUT["phone"][0]],
            "DESCRIPTION": ["light for hikers who camp after dark", ABOUT["tent"][1], "shoes to walk on mountain",
                            ABOUT["phone"][1]],
        }
    )  # fmt: skip
    counted = model.update(TrainingData(events_of(("u", "lamp", 9), ("u", "later", 9)), new))
    assert counted == {"new_items": 3, "changed_items": 1, "texts_embedded": 3, "new_events": 2}
    assert model.item_ids[-3:].tolist() == ["lamp", "later", "twin"]
    after = scores(model, "tent")
    assert after["twin"] == pytest.approx(1.0, abs=1e-6)
    assert {item: after[item] for item in CAMP} == pytest.approx({item: before[item] for item in CAMP})
    assert after["cable"] > before["cable"]
    assert after["later"] < 0
    assert model.update(TrainingData(NO_EVENTS, new))["texts_embedded"] == 0
    again = storage.load(storage.save(model, tmp_path / "second"))
    assert scores(again, "lamp") == scores(model, "lamp")


def test_a_model_of_other_vectors_refuses_new_texts(monkeypatch):
    recipe = fit(model="wordllama")
    monkeypatch.setattr(semantic_models, "shipped_digest", lambda: "another")
    with pytest.raises(RecipeError, match="not those that this model was made with"):
        recipe.update(TrainingData(NO_EVENTS, table(TITLE="other")))


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(semantic_words, "PACKAGE", "no_such_package")
    semantic_words.shipped_vectors.cache_clear()
    with pytest.raises(RecipeError, match="not installed. Get it with: .*wordllama==.* model='catalogue'"):
        fit()
    semantic_words.shipped_vectors.cache_clear()


def test_sentence_models_need_the_extra():
    there = importlib.util.find_spec("sentence_transformers") is not None
    wanted = (
        "there is no sentence model './no/such/folder'" if there else "needs the extra 'semantic': .*model='wordllama'"
    )
    with pytest.raises(RecipeError, match=wanted):
        fit(model="./no/such/folder")


def test_the_catalogue_alone_relates_texts_by_the_words_they_share():
    rng = np.random.default_rng(3)
    worlds = [[f"{world}{n}" for n in range(60)] for world in ("sea", "sky")]
    texts = [" ".join(rng.choice(worlds[n % 2], 12)) for n in range(300)]
    model = CatalogueWords().fit(texts, seed=0)
    vectors = model.embed(texts)
    alike = vectors @ vectors.T
    assert alike[::2, ::2].mean() > alike[::2, 1::2].mean() + 0.1
    back = CatalogueWords().restore(model.state())
    np.testing.assert_array_equal(back.embed(texts[:5]), vectors[:5])
    np.testing.assert_array_equal(CatalogueWords().fit(texts, seed=0).embed(texts), vectors)
    assert not model.embed(["never heard of"]).any()


def test_the_mean_of_many_texts_is_taken_off():
    texts = [f"{word} {n}" for word in ("tent", "phone") for n in range(60)]
    model = ShippedWords().fit(texts, seed=0)
    vectors = model.embed(texts)
    assert vectors[0] @ vectors[1] > 0 > vectors[0] @ vectors[70]
    assert not ShippedWords().fit(texts[:50], seed=0).mean.any()
    assert not model.embed([""]).any()


def test_tokens_merge_in_the_order_they_were_learned_and_fall_back_to_bytes():
    vocabulary = {"▁": 0, "a": 1, "b": 2, "ab": 3, "▁ab": 4, "<0xC3>": 5, "<0xBC>": 6, "ba": 7}
    model = WordVectors(np.eye(8, dtype=np.float32), vocabulary, ["a b", "b a", "▁ ab"])
    assert model.tokens("ab  ba") == [4, 0, 7]
    assert model.tokens("aba") == [4, 1]
    assert model.tokens("ü") == [0, 5, 6]
    np.testing.assert_allclose(model.embed(["ab ba", " "]), [[1 / 3, 0, 0, 0, 1 / 3, 0, 0, 1 / 3], [0] * 8], rtol=1e-6)


# What the vocabulary's own library gives, tokenizers 0.23.3.
KNOWN_TOKENS = {
    "Sleeping bag": [317, 5436, 292, 19548],
    "naïve 😀 don't 1,234.50": [1055, 30085, 345, 29871, 243, 162, 155, 131, 1016, 29915, 29873, 29871, 29896, 29892,
                               29906, 29941, 29946, 29889, 29945, 29900],
    "日本 テキスト": [29871, 30325, 30346, 29871, 30572, 30454, 30255, 30279],
}  # fmt: skip


@pytest.mark.parametrize("text", KNOWN_TOKENS)
def test_tokens_are_those_of_the_vocabularys_own_library(text):
    assert shipped_vectors().tokens(text) == KNOWN_TOKENS[text]


@given(st.text(max_size=60))
def test_any_text_has_finite_vectors(text):
    assert np.isfinite(unit(shipped_vectors().embed([text]))).all()


def test_an_endless_word_is_cut():
    assert len(shipped_vectors().tokens("x" * 10_000)) > 1_000


def test_the_title_and_the_free_texts_are_found_and_read():
    items = table(GENRE="camping|outdoors", PRICE=1.0)
    assert find_columns(items, None, None) == Columns("TITLE", ("DESCRIPTION",))
    assert find_columns(items, "GENRE", "TITLE|DESCRIPTION") == Columns("GENRE", ("TITLE", "DESCRIPTION"))
    assert find_columns(items.rename(columns={"TITLE": "Name"}), None, "GENRE") == Columns("Name", ("GENRE",))
    frame = pd.DataFrame(
        {"ITEM_ID": ["7", "7", "8", None], "T": ["old", "a  b", None, "x"], "D": ["x", None, "p|q", "x"]}
    )
    assert item_texts(frame, Columns("T", ("D",))).to_dict() == {"7": "a b", "8": "p, q"}


def test_missing_columns_say_what_is_there():
    with pytest.raises(
        RecipeError, match="column with the items' names, one of TITLE.*the items table has ITEM_ID, DESC"
    ):
        fit(table().drop(columns="TITLE"))
    with pytest.raises(RecipeError, match="at least one column of free text.*has ITEM_ID, TITLE"):
        fit(table().drop(columns="DESCRIPTION"))
    with pytest.raises(RecipeError, match="no column 'TITEL'. Did you mean 'TITLE'"):
        fit(title_column="TITEL")
    with pytest.raises(RecipeError, match="needs an items dataset"):
        build("semantic-similarity").fit(TrainingData(events_of(("u", "a", 1))))
    with pytest.raises(RecipeError, match="TITLE, DESCRIPTION of the items dataset are all empty"):
        fit(table(TITLE=None, DESCRIPTION=""), title_column="TITLE", text_columns="DESCRIPTION")
    with pytest.raises(RecipeError, match="use popularity and freshness"):
        build("semantic-similarity", {"rankingInfluence": 1})


def test_texts_are_told_apart_by_their_digest():
    found = digests(pd.Series(["a", "b", "a", "", "\ud800"], dtype="object"))
    assert found[0] == found[2] != found[1]
    assert found[3] == 0
    assert found.dtype == np.uint64


def test_a_text_column_that_is_nearly_empty_and_identical_items_are_fine():
    items = table(DESCRIPTION=[ABOUT["tent"][1], *[None] * 5])
    recipe = fit(items)
    assert recipe.notes["items_without_text"] == 0
    same = fit(table(TITLE="One", DESCRIPTION="the same text for every one of them"))
    assert list(scores(same, "tent").values()) == pytest.approx([1.0] * 6)
    assert same.notes["different_texts"] == 1


def test_hostile_ids_and_texts_stay_as_they_are():
    ids = ["007", "7", "<script>", "😀", "a|b", "x" * 300]
    items = table(ITEM_ID=ids, TITLE=["<b>", "'; DROP TABLE", "\x00", "😀" * 50, "ü" * 500, "ok"])
    recipe = fit(items)
    assert sorted(recipe.item_ids) == sorted(ids)
    assert np.isfinite(list(scores(recipe, "007").values())).all()
