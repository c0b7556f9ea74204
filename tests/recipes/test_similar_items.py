"""Similar items by hand: the formula, what attributes foretell, cold items, updates, and tables as bad as they come."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import RecipeError
from workbench.recipes import related_content, related_pairs, similar_items, storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import top_k
from workbench.recipes.related_choice import _gain, held_out_steps
from workbench.recipes.related_pairs import strongest

NO_EVENTS = pd.DataFrame({"USER_ID": [], "ITEM_ID": [], "TIMESTAMP": pd.array([], dtype="int64")})


def events_of(rows):
    return pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])


def baskets(**users):
    return events_of([(user, item, n) for user, items in users.items() for n, item in enumerate(items)])


def code(recipe, item):
    return list(recipe.item_ids).index(item)


def related(recipe, item):
    """Related items of one item, strongest first, above zero."""
    scores = recipe.similar(np.array([code(recipe, item)]))[0]
    order = np.argsort(-scores, kind="stable")
    return [(recipe.item_ids[n], float(scores[n])) for n in order if scores[n] > 0]


@pytest.fixture
def abc():
    """a and b share three users, a and c two, b and c two; d is chosen alone by one."""
    return baskets(u1="abc", u2="abc", u3="ab", u4="a", u5="d")


@pytest.fixture(scope="module")
def taste():
    """400 users each choose within one of 4 tastes; TASTE tells them apart, NOISE and PRICE tell nothing.

    60 items have events, 8 more have none.
    """
    rng = np.random.default_rng(5)
    ids = [f"i{n:02d}" for n in range(68)]
    items = pd.DataFrame(
        {
            "ITEM_ID": ids,
            "TASTE": [f"taste {n % 4}" for n in range(68)],
            "NOISE": [f"noise {each}" for each in rng.integers(0, 4, 68)],
            "PRICE": rng.normal(size=68),
        }
    )
    rows = []
    for user in range(400):
        taste = user % 4
        for step in range(5):
            own = taste + 4 * int(rng.integers(0, 15))
            rows.append((f"u{user:03d}", ids[own if rng.random() < 0.85 else int(rng.integers(0, 60))], 10 * step))
    return TrainingData(events_of(rows).sort_values("TIMESTAMP", kind="stable", ignore_index=True), items)


@pytest.fixture(scope="module")
def fitted(taste):
    return build("similar-items").fit(taste, seed=2)


@pytest.mark.parametrize("d", [0.0, 0.5, 1.0])
def test_without_attributes_the_formula_shrinks_shared_users(abc, d):
    recipe = build("similar-items", {"shrinkage": 2, "popularity_discount_factor": d}).fit(TrainingData(abc))
    shared, users = {"ab": 3, "ac": 2, "bc": 2}, {"a": 4, "b": 3, "c": 2}
    for pair, count in shared.items():
        for i, j in (pair, pair[::-1]):
            expected = count / (users[i] ** (1 - d) * users[j] ** d + 2)
            assert dict(related(recipe, i))[j] == pytest.approx(expected, rel=1e-6)
    assert related(recipe, "d") == []
    assert recipe.notes["attributes"] == "no items table"


def test_with_attributes_every_pair_follows_the_formula(fitted):
    m, users = fitted.shrinkage, np.sqrt(fitted.chosen)
    for item in (0, 17, 65):
        row = fitted.related[[item]].tocoo()
        at = slice(*fitted.pairs.indptr[item : item + 2])
        foreseen = fitted.content.of_pairs(np.full(len(row.col), item), row.col)
        np.testing.assert_allclose(fitted.pairs.foreseen[at], foreseen, rtol=1e-5)
        expected = (fitted.pairs.shared[at] + m * foreseen) / (users[item] * users[row.col] + m)
        np.testing.assert_allclose(row.data, expected, rtol=1e-5)


def test_what_is_foreseen_comes_from_the_columns_that_go_with_events(fitted):
    weights = fitted.notes["column_weights"]
    assert weights["TASTE"] > 5 * max(weights["NOISE"], weights["PRICE"]) > 0
    assert fitted.notes["column_weights_from_pairs"] > 1_000
    assert fitted.notes["cold_items"] == 8
    assert fitted.notes["items_without_events"] == 8


def test_a_cold_item_is_related_to_items_of_its_kind_and_they_to_it(fitted):
    near = [item for item, _ in related(fitted, "i65")[:10]]
    assert all(int(item[1:]) % 4 == 65 % 4 for item in near)
    kind = [item for item, _ in related(fitted, "i01")[:20]]
    assert "i65" in kind
    assert not {"i60", "i62", "i63"} & set(kind[:10])


def test_attributes_weigh_more_the_fewer_events_an_item_has(taste):
    """Two new items of one taste: one with two events, one with none."""
    few = pd.concat([taste.interactions, baskets(v1=["i61", "i01"], v2=["i61", "i05"])], ignore_index=True)
    recipe = build("similar-items", {"shrinkage": 10}).fit(TrainingData(few, taste.items), seed=2)

    def part_of_users(item, other):
        why = recipe.reasons(code(recipe, item), code(recipe, other))
        return why.loc[why["REASON"] == "users who chose both", "SHARE"].sum()

    assert part_of_users("i65", "i01") == 0.0
    assert part_of_users("i61", "i01") > 0.0
    assert part_of_users("i61", "i01") < part_of_users("i05", "i01")


def test_reasons_name_shared_users_and_features_and_add_up_to_one(fitted):
    why = fitted.reasons(code(fitted, "i05"), code(fitted, "i01"))
    assert {"users who chose both", "TASTE=taste 1"} <= set(why["REASON"])
    assert why["SHARE"].sum() == pytest.approx(1.0)
    assert why["SHARE"].is_monotonic_decreasing
    assert fitted.reasons(code(fitted, "i05"), code(fitted, "i05")).empty


def test_shrinkage_and_weight_are_chosen_by_held_out_events_and_a_given_one_stays(taste, fitted):
    tried = pd.DataFrame(fitted.notes["tried"])
    assert len(tried) == 5 * 3 + 5 + 1
    joined = tried[tried["attribute_weight"] > 0]
    best = joined.loc[joined["ndcg_at_10"].idxmax()]
    assert (best["shrinkage"], best["attribute_weight"]) == (fitted.shrinkage, fitted.notes["attribute_weight"])
    assert best["ndcg_at_10"] >= tried["ndcg_at_10"].max()  # better than events alone and attributes alone
    given = build("similar-items", {"shrinkage": 7, "attribute_weight": 0}).fit(taste, seed=2)
    assert (given.shrinkage, given.notes["attribute_weight"]) == (7.0, 0.0)
    assert related(given, "i65") == []


def test_with_too_few_events_the_usual_values_are_taken_and_it_is_said(abc):
    recipe = build("similar-items").fit(TrainingData(abc))
    assert (recipe.shrinkage, recipe.notes["chosen_by"]) == (10.0, 0)


def test_held_out_steps_are_the_newest_first_meetings():
    events = pd.DataFrame({"user": [0, 1, 0, 0, 1, 2], "item": [5, 1, 6, 5, 2, 9]})
    steps = held_out_steps(events, 10, seed=0)
    # User 0 came back to 5, user 2 has one event; user 1 went from 1 to 2.
    assert (steps.rows.tolist(), steps.before.tolist(), steps.after.tolist()) == ([4], [1], [2])


def test_the_gain_takes_the_mean_place_of_ties_and_never_lists_the_item_itself():
    values = np.array([[9.0, 1.0, 1.0, 1.0], [0.0, 0.5, 9.0, 0.2]])
    # First row: asked 0, three tie at places 1 to 3, so 2. Second row: asked 2, wanted 1 at place 1.
    assert _gain(values, np.array([0, 2]), np.array([2, 1])) == pytest.approx(1 / np.log2(3) + 1.0)


def test_a_history_adds_up_its_items_with_less_for_each_step_back(abc):
    recipe = build("similar-items", {"shrinkage": 2, "history_decay": 0.5}).fit(TrainingData(abc))
    history = encode_histories(events_of([("n", "a", 1), ("n", "c", 2), ("n", "a", 3)]), recipe.item_ids, ["n"])
    to_b = dict(related(recipe, "a"))["b"] + 0.5 * dict(related(recipe, "c"))["b"]
    assert recipe.score(history)[0, code(recipe, "b")] == pytest.approx(to_b, rel=1e-6)
    why = recipe.explain(history, code(recipe, "b"))
    assert why["CONTRIBUTION"].sum() == pytest.approx(to_b, rel=1e-6)
    assert dict(zip(why["ITEM_ID"], why["POSITION"], strict=True)) == {"a": 1, "c": 2}


def test_an_unknown_item_gets_popular_items(abc):
    recipe = build("similar-items").fit(TrainingData(abc))
    histories = encode_histories(events_of([("n", "never seen", 1)]), recipe.item_ids, ["n"])
    lists = top_k(recipe, histories, 4)
    assert lists["ITEM_ID"].to_list() == ["a", "b", "c", "d"]
    assert (lists["SCORE"] < 0).all()


def test_only_the_strongest_are_kept_and_blocks_change_nothing(taste, fitted, monkeypatch):
    monkeypatch.setattr(related_pairs, "BLOCK", 200)
    again = build("similar-items").fit(taste, seed=2)
    assert (again.related != fitted.related).nnz == 0
    short = build("similar-items", {"neighbours": 3}).fit(taste, seed=2)
    assert np.diff(short.pairs.indptr).max() == 3
    assert related(short, "i01") == related(fitted, "i01")[:3]


@given(st.lists(st.lists(st.integers(-2, 3), min_size=7, max_size=7), min_size=1, max_size=5), st.integers(1, 8))
def test_strongest_is_what_sorting_gives(rows, most):
    values = np.array(rows, dtype=np.float32)
    found = list(zip(*(each.tolist() for each in strongest(values, most)), strict=True))
    expected = []
    for row, line in enumerate(rows):
        order = sorted((n for n in range(7) if line[n] > 0), key=lambda n: (-line[n], n))[:most]
        expected += [(row, n) for n in sorted(order)]
    assert found == expected


def test_very_large_catalogues_compare_shortened_vectors(taste, fitted, monkeypatch, tmp_path):
    monkeypatch.setattr(related_content, "MOST_PRODUCTS", 0)
    monkeypatch.setattr(related_content, "SHORT", 6)
    recipe = build("similar-items").fit(taste, seed=2)
    assert recipe.notes["vectors_shortened"]
    assert all(int(item[1:]) % 4 == 1 for item, _ in related(recipe, "i65")[:10])
    assert "attributes" in set(recipe.reasons(code(recipe, "i65"), code(recipe, "i01"))["REASON"])
    recipe.update(TrainingData(NO_EVENTS, pd.DataFrame({"ITEM_ID": ["new"], "TASTE": ["taste 2"]})))
    loaded = storage.load(storage.save(recipe, tmp_path))
    assert related(loaded, "new") == related(recipe, "new")
    assert all(int(item[1:]) % 4 == 2 for item, _ in related(loaded, "new")[:10])


def test_a_new_item_is_related_at_once_by_its_attributes(taste, tmp_path):
    recipe = build("similar-items").fit(taste, seed=2)
    before = {item: related(recipe, item) for item in ("i01", "i02")}
    new = pd.DataFrame({"ITEM_ID": ["new", "odd"], "TASTE": ["taste 1", None], "PRICE": [0.1, np.inf]})
    counted = recipe.update(TrainingData(NO_EVENTS, new))
    assert counted == {
        "new_items": 2,
        "changed_items": 0,
        "new_events": 0,
        "events_repeated": 0,
        "new_items_without_relation": 1,
    }
    assert all(int(item[1:]) % 4 == 1 for item, _ in related(recipe, "new")[:10])
    assert "new" in dict(related(recipe, "i01"))
    old = [each for each in related(recipe, "i01") if each[0] != "new"]
    assert old == before["i01"]
    assert recipe.item_ids[-2:].tolist() == ["new", "odd"]
    loaded = storage.load(storage.save(recipe, tmp_path))
    assert related(loaded, "new") == related(recipe, "new")


def test_an_update_gives_a_new_item_what_a_fit_would_foresee(taste):
    """The same weights, the same row: the item's relations are those of an item known all along."""
    known = build("similar-items", {"shrinkage": 10, "attribute_weight": 1}).fit(taste, seed=2)
    twin = taste.items[taste.items["ITEM_ID"] == "i65"].assign(ITEM_ID="twin")
    known.update(TrainingData(NO_EVENTS, twin))
    one, other = dict(related(known, "i65")), dict(related(known, "twin"))
    one.pop("twin"), other.pop("i65")
    assert other == pytest.approx(one, rel=1e-5)


def test_new_events_count_and_changed_attributes_replace_the_old(abc):
    items = pd.DataFrame({"ITEM_ID": list("abcd"), "KIND": ["x", "x", "y", "y"]})
    recipe = build("similar-items", {"shrinkage": 2, "attribute_weight": 1}).fit(TrainingData(abc, items))
    foreseen = dict(related(recipe, "c"))["d"]
    assert foreseen > 0
    data = TrainingData(baskets(w1="ad", w2="ad"), pd.DataFrame({"ITEM_ID": ["d"], "KIND": ["x"]}))
    counted = recipe.update(data)
    assert (counted["new_events"], counted["changed_items"], counted["new_items"]) == (4, 1, 0)
    assert "d" not in dict(related(recipe, "c"))
    p = float(recipe.content.of_pairs(np.array([0]), np.array([3]))[0])
    assert dict(related(recipe, "a"))["d"] == pytest.approx((2 + 2 * p) / (np.sqrt(6 * 3) + 2), rel=1e-5)


def test_an_update_without_attributes_takes_ids_and_events(abc):
    recipe = build("similar-items", {"shrinkage": 2}).fit(TrainingData(abc))
    counted = recipe.update(TrainingData(baskets(w1=["a", "e"]), pd.DataFrame({"ITEM_ID": ["f"], "KIND": ["x"]})))
    assert (counted["new_items"], counted["new_items_without_relation"]) == (2, 1)
    assert dict(related(recipe, "e")) == pytest.approx({"a": 1 / (np.sqrt(5) + 2)})


@pytest.mark.parametrize("name", ["item_id_hidden_dim", "item_metadata_hidden_dim"])
def test_hidden_dimensions_of_personalize_say_what_to_use_instead(name):
    with pytest.raises(RecipeError, match=f"{name} of Personalize has no meaning here.*use (neighbours|attribute)"):
        build("similar-items", {name: 100})


def test_memory_is_foreseen(abc, monkeypatch):
    monkeypatch.setattr(similar_items, "BYTES_AN_ITEM", 10**15)
    with pytest.raises(RecipeError, match="would need about .* GB .* Lower neighbours"):
        build("similar-items").fit(TrainingData(abc))


def bad_items(ids):
    rng = np.random.default_rng(0)
    n = len(ids)
    return {
        "constant": pd.DataFrame({"ITEM_ID": ids, "A": "same", "B": 1.0}),
        "50,000 values": pd.DataFrame(
            {
                "ITEM_ID": ids,
                "TAGS": ["|".join(f"t{n * 1_000 + k}" for k in range(50_000 // len(ids))) for n in range(n)],
            }
        ),
        "NaN and infinite": pd.DataFrame({"ITEM_ID": ids, "PRICE": rng.choice([np.nan, np.inf, -np.inf, 1, 2], n)}),
        "nine of ten texts empty": pd.DataFrame(
            {"ITEM_ID": ids, "OVERVIEW": [None if k % 10 else "a tale about the sea and its ships" for k in range(n)]}
        ),
        "nothing but ids": pd.DataFrame({"ITEM_ID": ids}),
        "no rows": pd.DataFrame({"ITEM_ID": [], "A": []}),
        "other items": pd.DataFrame({"ITEM_ID": ["x", "y"], "A": ["p", "q"]}),
        "repeated": pd.DataFrame({"ITEM_ID": [ids[0]] * 5, "A": list("abcde")}),
    }


@pytest.mark.parametrize("kind", list(bad_items(["i"])))
def test_bad_items_tables_are_counted_and_leave_finite_scores(taste, kind, tmp_path):
    ids = sorted(taste.interactions["ITEM_ID"].unique())
    events = taste.interactions.head(600)
    recipe = build("similar-items").fit(TrainingData(events, bad_items(ids)[kind]), seed=1)
    histories = encode_histories(events, recipe.item_ids, ["u001", "nobody"])
    scores = recipe.score(histories)
    assert np.isfinite(scores).all()
    np.testing.assert_array_equal(storage.load(storage.save(recipe, tmp_path)).score(histories), scores)
    if kind == "50,000 values":
        assert recipe.notes["features"]["columns"]["TAGS"]["values_bundled"] > 40_000
    if kind == "constant":
        assert recipe.notes["attributes"] == []


def test_identical_users_identical_items_and_a_single_event_are_fine():
    same = baskets(**{f"u{n}": "abc" for n in range(30)})
    items = pd.DataFrame({"ITEM_ID": list("abc"), "A": ["x"] * 3})
    recipe = build("similar-items").fit(TrainingData(same, items))
    values = [score for _, score in related(recipe, "a")]
    assert len(values) == 2
    assert values[0] == values[1]
    one = build("similar-items").fit(TrainingData(events_of([("u", "a", 1)])))
    assert one.similar(np.array([0])).tolist() == [[-0.5]]


def test_a_history_of_100_000_events_is_scored(fitted):
    many = events_of([("u", f"i{n % 60:02d}", n) for n in range(100_000)])
    scores = fitted.score(encode_histories(many, fitted.item_ids))
    assert np.isfinite(scores).all()


def test_hostile_ids_stay_as_they_are():
    ids = ["007", "7", " 7", "<script>", "😀", "a|b", "", "x" * 300]
    items = pd.DataFrame({"ITEM_ID": ids, "KIND": ["x", "y"] * 4})
    recipe = build("similar-items", {"shrinkage": 1}).fit(TrainingData(baskets(u=["007", "7"], v=["007", "7"]), items))
    assert sorted(recipe.item_ids) == sorted(ids)
    assert {name for name, _ in related(recipe, "007")} == {"7", " 7", "😀", ""}
