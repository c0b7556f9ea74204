"""Which attributes made a score: exact parts, parts by leaving out, new items, hostile texts, after loading."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from workbench.recipes import related_content, storage
from workbench.recipes.catalog import build
from workbench.recipes.cold_items import ColdItems
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.explaining import attribute_table

TINY = {"width": 16, "layers": 1, "window": 8, "batch_events": 64, "dropout": 0.0, "epochs": 3, "learning_rate": 0.01}
HOSTILE = ["<script>alert(1)</script>", "=1+1", "a=b~c", "😀 \u202e", "'; DROP TABLE items; --", "007", "{x}", "$y$"]


@pytest.fixture(scope="module")
def data():
    """60 users walk around 10 items on a phone or a tv; 2 more items are new."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(60):
        place = int(rng.integers(10))
        rows += [(f"u{user:02d}", f"i{(place + s) % 10}", 60 * s, ["phone", "tv"][(user + s) % 2]) for s in range(8)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "DEVICE"])
    items = pd.DataFrame({"ITEM_ID": [*(f"i{n}" for n in range(10)), "new", "alone"]})
    items["SHELF"] = [*(HOSTILE[n % 4] for n in range(10)), HOSTILE[1], None]
    items["PRICE"] = [*(float(n) for n in range(10)), 4.0, np.nan]
    items["ABOUT"] = [*(["a coat for cold winter days", "a shirt for hot summer days"] * 5), "a coat for winter", None]
    users = pd.DataFrame({"USER_ID": [f"u{u:02d}" for u in range(60)], "AGE": range(60)})
    users["TOWN"] = [HOSTILE[4 + u % 4] for u in range(60)]
    return TrainingData(events, items, users)


@pytest.fixture(scope="module")
def transformer(data):
    return build("transformer", TINY).fit(data, seed=1)


@pytest.fixture(scope="module")
def blend(data):
    """Both parts count, whatever a tiny validation says."""
    recipe = build("user-personalization", TINY | {"parts": "closed-form+transformer"}).fit(data, seed=1)
    recipe.weights = np.array([0.4, 0.6])
    return recipe


def asked(recipe, data, user="u03", **context):
    history = encode_histories(data.interactions.groupby("USER_ID").head(4), recipe.item_ids, [user])
    return replace(history, context={name: np.array([value], dtype=object) for name, value in context.items()})


def of_kind(frame, kind):
    return frame[frame["KIND"] == kind].set_index("ATTRIBUTE")["CONTRIBUTION"]


def code(recipe, item):
    return list(recipe.item_ids).index(item)


def test_parts_of_a_transformers_item_add_up_to_what_its_attributes_add_to_the_logit(transformer, data):
    history = asked(transformer, data, DEVICE="tv")
    other, full = int(history.items[0]), transformer.attributes
    for target in sorted(set(range(12)) - set(history.items)):  # what the network reads stays as it is
        parts = of_kind(transformer.explain_attributes(history, target), "item")
        assert len(parts) == full[[target]].nnz
        with_them = transformer.score(history)[0].astype(np.float64)
        mask = np.ones((full.shape[0], 1), dtype=np.float32)
        mask[target] = 0.0
        transformer.attributes = full.multiply(mask).tocsr()
        without = transformer.score(history)[0].astype(np.float64)
        transformer.attributes = full
        # Differences of two items' scores are differences of logits.
        added = (with_them[target] - with_them[other]) - (without[target] - without[other])
        assert parts.sum() == pytest.approx(added, abs=1e-4)


def test_one_attribute_of_an_item_is_the_product_of_its_vector(transformer, data):
    history, target = asked(transformer, data), 11  # "alone": its gap is all that is known of it
    parts = of_kind(transformer.explain_attributes(history, target), "item")
    assert parts.index.tolist() == ["PRICE is missing"]
    assert parts.iloc[0] != 0.0


def test_what_the_user_and_the_request_add_is_what_leaving_it_out_costs(transformer, data):
    history = asked(transformer, data, DEVICE="tv")
    why = transformer.explain_attributes(history, 5)
    full = transformer.score(history)[0, 5]
    assert of_kind(why, "context").index.tolist() == ["DEVICE=tv"]
    bare = full - transformer.score(replace(history, context={}))[0, 5]
    assert of_kind(why, "context").iloc[0] == pytest.approx(bare, abs=1e-5)
    user = of_kind(why, "user")
    assert set(user.index) == {"AGE", f"TOWN={HOSTILE[7]}"}
    features, row = transformer.user_features, 3
    age = transformer.user_space.names.tolist().index("AGE")
    changed = features.tolil()
    changed[row, age] = 0.0
    transformer.user_features = changed.tocsr()
    assert user["AGE"] == pytest.approx(full - transformer.score(history)[0, 5], abs=1e-5)
    transformer.user_features = features


def test_nothing_is_said_of_unknown_users_contexts_and_empty_histories(transformer, data):
    known = asked(transformer, data)
    stranger = replace(known, user_ids=np.array(["nobody"], dtype=object), context={"DEVICE": np.array(["fridge"])})
    assert set(transformer.explain_attributes(stranger, 5)["KIND"]) == {"item"}
    assert transformer.explain_attributes(asked(transformer, data, "nobody", DEVICE="tv"), 5).empty
    unread = build("transformer", TINY | {"attributes": False, "epochs": 1}).fit(data, seed=1)
    assert unread.explain_attributes(asked(unread, data), 5).empty


def test_a_blend_weighs_the_parts_of_its_models(blend, data):
    history = asked(blend, data, DEVICE="phone")
    alone = blend.parts["transformer"].explain_attributes(history, 5)
    why = blend.explain_attributes(history, 5)
    expected = alone.assign(CONTRIBUTION=0.6 * alone["CONTRIBUTION"])
    pd.testing.assert_frame_equal(why, expected)
    assert {"item", "user", "context"} == set(why["KIND"])


@pytest.mark.parametrize("recipe", ["blend", "closed"])
def test_a_new_items_score_is_split_by_what_it_shares_with_its_neighbours(recipe, blend, data):
    model = blend if recipe == "blend" else build("user-personalization").fit(data, seed=1)
    history, target = asked(model, data, DEVICE="tv"), code(model, "new")
    why = model.explain_attributes(history, target)
    item = of_kind(why, "item")
    assert set(item.index) <= {f"SHELF={HOSTILE[1]}", "PRICE", "ABOUT~coat", "ABOUT~winter"}
    assert f"SHELF={HOSTILE[1]}" in item.index
    assert (item > 0).all()
    scores = model.score(history)[0].astype(np.float64)
    assert item.sum() == pytest.approx(scores[target] - scores[:10].min(), rel=1e-4)
    assert ({"user", "context"} <= set(why["KIND"])) == (recipe == "blend")
    if recipe == "blend":
        bare = scores[target] - model.score(replace(history, context={}))[0, target]
        assert of_kind(why, "context")["DEVICE=tv"] == pytest.approx(bare, abs=1e-4)
    assert of_kind(model.explain_attributes(history, code(model, "alone")), "item").empty


def test_items_taken_in_later_are_split_too_and_short_vectors_have_one_part(data, monkeypatch):
    late = pd.DataFrame({"ITEM_ID": ["late"], "SHELF": [HOSTILE[0]], "PRICE": [1.0], "ABOUT": ["a shirt"]})
    for most, names in ((5e9, {f"SHELF={HOSTILE[0]}", "PRICE", "ABOUT~shirt"}), (0, {"attributes"})):
        monkeypatch.setattr(related_content, "MOST_PRODUCTS", most)
        monkeypatch.setattr(related_content, "SHORT", 4)
        model = build("user-personalization").fit(data, seed=1)
        model.update(TrainingData(data.interactions.iloc[:0], late))
        history = asked(model, data)
        why = model.explain_attributes(history, code(model, "late"))
        assert set(why["ATTRIBUTE"]) == names
        scores = model.score(history)[0].astype(np.float64)
        assert why["CONTRIBUTION"].sum() == pytest.approx(scores[code(model, "late")] - scores[:10].min(), rel=1e-4)


def test_similar_items_split_every_relation_of_the_history_as_reasons_do(data):
    recipe = build("similar-items", {"shrinkage": 20, "history_decay": 0.5}).fit(data, seed=1)
    history, target = asked(recipe, data), code(recipe, "new")
    why = recipe.explain_attributes(history, target)
    events = recipe.explain(history, target)
    expected: dict[str, float] = {}
    for row in events.itertuples():
        for reason in recipe.reasons(code(recipe, row.ITEM_ID), target).itertuples():
            expected[reason.REASON] = expected.get(reason.REASON, 0.0) + row.CONTRIBUTION * reason.SHARE
    expected.pop("users who chose both", None)
    assert dict(zip(why["ATTRIBUTE"], why["CONTRIBUTION"], strict=True)) == pytest.approx(expected, rel=1e-5)
    bare = build("similar-items").fit(TrainingData(data.interactions), seed=1)
    assert bare.explain_attributes(asked(bare, data), 3).empty


def test_semantic_similarity_names_the_columns_it_read_and_freshness(data):
    items = data.items.assign(TITLE=[f"Thing {n}" for n in range(12)], CREATION_TIMESTAMP=range(12))
    recipe = build("semantic-similarity", {"freshness": 1.0, "popularity": 0.0}).fit(
        TrainingData(data.interactions, items), seed=1
    )
    history = asked(recipe, data)
    parts = of_kind(recipe.explain_attributes(history, 3), "item")
    assert set(parts.index) == {"TITLE, ABOUT", "CREATION_TIMESTAMP"}
    assert 0.25 + parts.sum() == pytest.approx(recipe.score(history)[0, 3], abs=1e-5)
    assert parts["TITLE, ABOUT"] == pytest.approx(recipe.explain(history, 3)["CONTRIBUTION"].sum(), abs=0.02)


def test_names_are_kept_as_they_are_and_survive_saving(blend, transformer, data, tmp_path):
    for number, recipe in enumerate((transformer, blend)):
        loaded = storage.load(storage.save(recipe, tmp_path / str(number)))
        history = asked(recipe, data, DEVICE="tv")
        for target in (1, 7, 10):
            why = recipe.explain_attributes(history, target)
            pd.testing.assert_frame_equal(loaded.explain_attributes(history, target), why)
            shelf = data.items.set_index("ITEM_ID")["SHELF"][recipe.item_ids[target]]
            if isinstance(shelf, str) and target < 10:
                assert f"SHELF={shelf}" in set(why["ATTRIBUTE"])


def test_the_table_is_largest_first_and_keeps_attributes_of_one_name_apart():
    table = attribute_table([("item", "A=1", -1.0), ("user", "A=1", 2.0), ("item", "A=1", 2.0)])
    assert table.to_dict("list") == {
        "KIND": ["user", "item", "item"],
        "ATTRIBUTE": ["A=1"] * 3,
        "CONTRIBUTION": [2.0, 2.0, -1.0],
    }
    assert attribute_table([]).dtypes.equals(table.dtypes)


def test_a_state_without_the_vectors_of_its_new_items_is_of_another_version(blend):
    state = {name: each for name, each in blend.cold.state().items() if not name.startswith("vectors/")}
    with pytest.raises(LookupError, match="vectors of new items"):
        ColdItems.restore(state)
