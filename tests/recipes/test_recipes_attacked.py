"""Hostile tables, requests, folders and devices for the recipes of user-personalization and what they are made of."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse

from workbench.errors import ModelFileError, RecipeError
from workbench.recipes import storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import Histories, TrainingData, encode_histories
from workbench.recipes.held_events import ndcg
from workbench.recipes.order import is_ordered
from workbench.recipes.ranking import rank_given, top_k
from workbench.recipes.transformer_checkpoint import FILE
from workbench.recipes.transformer_inputs import learn_vocabulary, not_context

START = 1_600_000_000
NETWORK = {"epochs": 1, "width": 8, "layers": 1, "negatives": 8}


def log(users=24, items=12, steps=6, **columns):
    rows = [(f"u{u}", f"i{(u + s) % items:02}", START + 100 * s + u) for u in range(users) for s in range(steps)]
    table = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    return table.astype({"USER_ID": "str", "ITEM_ID": "str"}).assign(**columns)


def catalogue(*more):
    ids = [f"i{n:02}" for n in range(12)] + list(more)
    return pd.DataFrame(
        {"ITEM_ID": pd.array(ids, dtype="str"), "GENRES": ["odd" if n % 3 else "even" for n in range(len(ids))]}
    )


def fitted(name, events=None, items=None, users=None, seed=1, **settings):
    return build(name, settings).fit(TrainingData(log() if events is None else events, items, users), seed=seed)


def small_transformer(events=None, items=None, users=None, **more):
    return fitted("transformer", events, items, users, **(NETWORK | more))


def back(recipe, folder):
    return storage.load(storage.save(recipe, folder))


BAD_TABLES = {
    "items without ITEM_ID": (lambda: (log(), catalogue().rename(columns={"ITEM_ID": "SKU"})), "no column ITEM_ID"),
    "an empty items table": (lambda: (log(), pd.DataFrame()), "items have no column ITEM_ID"),
    "an item without id": (
        lambda: (log(), catalogue("x").replace({"ITEM_ID": {"x": None}})),
        r"1 items are without ITEM_ID \(the first rows: 13\)",
    ),
    "item ids as numbers": (lambda: (log(), catalogue().assign(ITEM_ID=range(12))), "holds integer .0 in row 1.; ids"),
    "user ids as numbers": (lambda: (log(USER_ID=7), None), "USER_ID of the interactions holds integer"),
    "one number among texts": (
        lambda: (log().astype({"ITEM_ID": object}).assign(ITEM_ID=lambda t: [*t["ITEM_ID"][:-1], 3]), None),
        "mixed.* .3 in row 144.; ids must be text",
    ),
    "times as text": (lambda: (log(TIMESTAMP="2020-01-01"), None), "epoch seconds"),
    "times as dates": (lambda: (log(TIMESTAMP=pd.Timestamp("2020-01-01")), None), "holds datetime64.*epoch seconds"),
    "times as truth values": (lambda: (log(TIMESTAMP=True), None), "holds bool.*epoch seconds"),
    "an endless time": (lambda: (log(TIMESTAMP=[*[1.0] * 143, np.inf]), None), "inf in row 144; epoch seconds"),
    "a time beyond whole numbers": (lambda: (log(TIMESTAMP=2**63 - 1), None), "9.22.*in row 1; epoch seconds"),
    "two columns of one name": (
        lambda: (log(), pd.concat([catalogue(), catalogue()[["GENRES"]]], axis=1)),
        r"two columns of one name: \['GENRES'\]",
    ),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_tables_no_recipe_can_read_are_refused_before_any_does(case):
    make, words = BAD_TABLES[case]
    events, items = make()
    with pytest.raises(RecipeError, match=words):
        TrainingData(events, items)


def test_users_need_a_text_id_too():
    with pytest.raises(RecipeError, match="users have no column USER_ID"):
        TrainingData(log(), None, pd.DataFrame({"AGE": [1]}))
    TrainingData(log(), None, pd.DataFrame({"USER_ID": pd.Categorical(["u1", "u2"])}))


@pytest.mark.parametrize("values", [["a"], ["a", "b", "c"], "a", [["a", "b"]]])
def test_a_context_of_the_wrong_length_is_refused(values):
    histories = encode_histories(log(), np.array(["i01"], dtype=object), ["u1", "u2"])
    with pytest.raises(RecipeError, match=r"context\['DEVICE'\] holds .* for 2 histories"):
        replace(histories, context={"DEVICE": np.array(values)})


def test_context_means_the_same_after_loading_whatever_the_order_of_columns(tmp_path):
    n = np.arange(144)
    events = log(ZONE=np.array(["n", "s", "w"])[n % 3], DEVICE=np.array(["tv", "pc"])[n % 2])
    recipe = small_transformer(events)
    with torch.no_grad():
        recipe.network.contexts_table.copy_(torch.randn(recipe.network.contexts_table.shape))
    histories = encode_histories(events, recipe.item_ids, ["u1", "u2"])
    asked = replace(histories, context={"ZONE": np.array(["w", "n"]), "DEVICE": np.array(["pc", None])})
    found = recipe.score(asked)
    assert np.abs(found - recipe.score(histories)).max() > 0.01
    np.testing.assert_allclose(back(recipe, tmp_path).score(asked), found, atol=1e-6)


def test_columns_that_are_no_context_are_said():
    n = np.arange(144)
    events = log(
        PRICE=n / 7,
        WHEN=pd.Timestamp("2020-01-01"),
        EMPTY=pd.array([None] * 144, dtype="str"),
        SAME="x",
        TAGS=[["a"]] * 144,
        FLOOR=n % 3,
        OPEN=n % 2 == 0,
        SHOUT=np.array(["<b>", "😀|", "'--"])[n % 3],
    )
    words, _ = learn_vocabulary(events)
    assert words.contexts == {
        "FLOOR": ["0", "1", "2"],
        "OPEN": ["False", "True"],
        "SHOUT": ["'--", "<b>", "😀|"],
    }
    left = not_context(events)
    assert sorted(left) == ["EMPTY", "PRICE", "SAME", "TAGS", "WHEN"]
    assert left["TAGS"] == "list is no single value"
    assert left["EMPTY"] == "no value in any event"


def test_a_whole_number_is_the_same_context_where_others_are_missing():
    recipe = small_transformer(log(FLOOR=np.arange(144) % 3))
    with torch.no_grad():
        recipe.network.contexts_table.copy_(torch.randn(recipe.network.contexts_table.shape))
    plain = encode_histories(log(), recipe.item_ids, ["u1", "u2"])
    whole, gappy = (replace(plain, context={"FLOOR": np.array(each)}) for each in ([2, 1], [2.0, np.nan]))
    np.testing.assert_array_equal(recipe.score(whole)[0], recipe.score(gappy)[0])
    np.testing.assert_array_equal(recipe.score(plain)[1], recipe.score(gappy)[1])


def test_a_users_table_without_rows_or_features_is_no_obstacle():
    nobody = pd.DataFrame({"USER_ID": pd.array([], dtype="str"), "AGE": []})
    alike = pd.DataFrame({"USER_ID": pd.array(["u1", "u2"], dtype="str"), "AGE": [3, 3]})
    for users in (nobody, alike):
        recipe = small_transformer(users=users)
        assert np.isfinite(recipe.score(encode_histories(log(), recipe.item_ids, ["u1", "x"]))).all()


@pytest.mark.parametrize(("device", "words"), [("gpu", "is unknown; take auto"), ("cuda:99", r"is not there; torch")])
def test_a_device_that_is_not_there_is_refused_before_anything_is_fitted(device, words):
    for recipe in (
        build("transformer", NETWORK | {"device": device}),
        build("user-personalization", NETWORK | {"device": device, "parts": "closed-form+transformer"}),
    ):
        with pytest.raises(RecipeError, match=words):
            recipe.fit(TrainingData(log()))
        assert not getattr(recipe, "parts", None)


def test_a_model_from_a_machine_with_another_device_scores_on_the_cpu_and_says_so(tmp_path):
    recipe = fitted("user-personalization", parts="transformer", **NETWORK)
    histories = encode_histories(log(), recipe.item_ids, ["u1"])
    scores = recipe.score(histories)
    recipe.hyperparameters["device"] = "cuda:99"
    loaded = back(recipe, tmp_path)
    assert "cuda:99" in loaded.notes["after_loading"]["transformer"]["device"]
    np.testing.assert_array_equal(loaded.score(histories), scores)


def test_heads_that_do_not_fit_are_refused_before_the_closed_form_is_fitted():
    recipe = build("user-personalization", {"parts": "closed-form+transformer", "width": 9, "heads": 2})
    with pytest.raises(RecipeError, match="width=9 cannot be shared by heads=2"):
        recipe.fit(TrainingData(log()))
    assert recipe.parts == {}


def test_training_and_loading_leave_the_random_state_of_torch(tmp_path):
    torch.manual_seed(99)
    before = torch.random.get_rng_state()
    first = small_transformer()
    assert torch.equal(before, torch.random.get_rng_state())
    torch.manual_seed(3)
    second = small_transformer()
    histories = encode_histories(log(), first.item_ids)
    np.testing.assert_array_equal(first.score(histories), second.score(histories))
    before = torch.random.get_rng_state()
    back(first, tmp_path)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_score_that_is_no_number_wins_nothing():
    nothing_seen = sparse.csr_matrix((1, 3), dtype=bool)
    for odd in (np.nan, np.inf, -np.inf):
        assert ndcg(np.full((1, 3), odd), np.array([0]), nothing_seen) == 0.0


def test_a_training_that_goes_astray_is_refused():
    recipe = build("transformer", NETWORK)
    make = recipe._build

    def broken(*arguments):
        make(*arguments)
        with torch.no_grad():
            recipe.network.place.fill_(math.inf)

    recipe._build = broken
    with pytest.raises(RecipeError, match="went astray in epoch 1.*Lower learning_rate"):
        recipe.fit(TrainingData(log()))


class TestStates:
    def fit(self, folder, events=None, items=None, watch=None, **more):
        recipe = build("transformer", NETWORK | {"epochs": 2} | more)
        recipe.checkpoints, recipe.watch = folder, watch
        return recipe.fit(TrainingData(log() if events is None else events, items), seed=1)

    def interrupted(self, folder, **given):
        def stop(epoch, value):
            if epoch == 2:
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            self.fit(folder, watch=stop, **given)
        assert (folder / FILE).is_file()

    def test_a_folder_that_cannot_be_written_is_refused_before_training(self, tmp_path):
        (tmp_path / "taken").write_text("a file")
        with pytest.raises(RecipeError, match=r"taken: the state .* cannot be written there.*choose another"):
            self.fit(tmp_path / "taken")
        (tmp_path / "folder" / FILE).mkdir(parents=True)
        with pytest.raises(RecipeError, match="is a folder"):
            self.fit(tmp_path / "folder")

    def test_a_file_that_is_no_state_is_replaced_and_noted(self, tmp_path):
        (tmp_path / FILE).write_bytes(b"no state at all")
        recipe = self.fit(tmp_path)
        assert "was no state of a training of these data" in recipe.notes["state_not_taken_up"]
        assert not list(tmp_path.iterdir())

    def test_an_interrupted_training_goes_on_and_ends_as_if_never_interrupted(self, tmp_path):
        whole = small_transformer(epochs=2)
        self.interrupted(tmp_path)
        again = self.fit(tmp_path)
        assert again.notes["taken_up"]
        assert "state_not_taken_up" not in again.notes
        histories = encode_histories(log(), whole.item_ids)
        np.testing.assert_array_equal(again.score(histories), whole.score(histories))

    @pytest.mark.parametrize("other", ["items", "times", "context"])
    def test_a_state_of_other_data_is_not_taken_up(self, tmp_path, other):
        self.interrupted(tmp_path, items=catalogue())
        data = {
            "items": {"items": catalogue().assign(PRICE=np.arange(12.0))},
            "times": {"items": catalogue(), "events": log().assign(TIMESTAMP=lambda t: t["TIMESTAMP"] * 9)},
            "context": {"items": catalogue(), "events": log(DEVICE=np.array(["tv", "pc"])[np.arange(144) % 2])},
        }[other]
        recipe = self.fit(tmp_path, **data)
        assert "taken_up" not in recipe.notes
        assert "state_not_taken_up" in recipe.notes


def test_factors_after_an_update_score_alike_before_and_after_saving(tmp_path):
    recipe = fitted("matrix-factorization", width=8)
    known = encode_histories(log(), recipe.item_ids, ["u1", "u2"])
    before = recipe.score(known)
    new = pd.DataFrame({"USER_ID": ["u1", "u1", "u2"], "ITEM_ID": ["i03", "n1", "n1"], "TIMESTAMP": [START] * 3})
    for _ in range(2):
        recipe.update(TrainingData(new.astype({"USER_ID": "str", "ITEM_ID": "str"})))
    assert recipe.item_ids.tolist().count("n1") == 1
    after = recipe.score(known)
    np.testing.assert_array_equal(after[:, :12], before)
    np.testing.assert_array_equal(back(recipe, tmp_path).score(known), after)
    assert recipe.update(TrainingData(pd.DataFrame()))["new_items"] == 0


@pytest.fixture(scope="module")
def with_new_items():
    return fitted("user-personalization", items=catalogue("cold 1", "cold 2"), parts="closed-form")


def test_a_new_item_is_related_to_what_its_like_are_related_to(with_new_items):
    recipe = with_new_items
    cold = np.array([12, 13])
    found = recipe.similar(np.array([12, 0, 13]))
    assert found.shape == (3, 14)
    assert np.isfinite(found).all()
    near = recipe.cold.near[cold - 12].toarray()
    np.testing.assert_allclose(found[[0, 2]], near @ recipe.similar(np.arange(12)), atol=1e-6)
    np.testing.assert_allclose(found[1], recipe.similar(np.array([0]))[0], atol=1e-7)


def test_positions_count_all_events_of_the_history_new_items_too(with_new_items):
    recipe = with_new_items
    rows = [("u", item, START + n) for n, item in enumerate(["i03", "cold 1", "i04", "cold 2"])]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    found = recipe.explain(encode_histories(events, recipe.item_ids), 5)
    assert dict(zip(found["ITEM_ID"], found["POSITION"], strict=True)) == {"i03": 4, "i04": 2}
    only_new = encode_histories(events[events["ITEM_ID"].str.startswith("cold")], recipe.item_ids)
    assert recipe.explain(only_new, 5).empty
    assert np.isfinite(recipe.score(only_new)).all()
    lists = rank_given(recipe, only_new, [["cold 2", "i01", "cold 1"]])
    assert lists["SCORE"].notna().all()


def test_positions_count_events_without_weight_too():
    types = np.array(["view", "buy"])[np.arange(144) % 2]
    recipe = fitted("autoregressive", log(EVENT_TYPE=types), event_weights={"buy": 1})
    rows = [("u", "i03", 1, "buy"), ("u", "i04", 2, "view"), ("u", "i05", 3, "buy"), ("u", "i06", 4, None)]
    events = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE"])
    found = recipe.explain(encode_histories(events, recipe.item_ids), 5)
    assert dict(zip(found["ITEM_ID"], found["POSITION"], strict=True)) == {"i03": 4, "i05": 2}


def test_an_update_is_the_same_after_saving_and_twice_is_once(with_new_items, tmp_path):
    recipe = back(with_new_items, tmp_path / "first")
    more = catalogue("cold 1", "cold 3", "cold 3")
    assert recipe.update(TrainingData(pd.DataFrame(), more))["new_items"] == 1
    assert recipe.update(TrainingData(pd.DataFrame(), more))["new_items"] == 0
    histories = encode_histories(log(), recipe.item_ids, ["u1", "nobody"])
    loaded = back(recipe, tmp_path / "second")
    assert loaded.item_ids.tolist() == recipe.item_ids.tolist()
    np.testing.assert_array_equal(loaded.score(histories), recipe.score(histories))
    pd.testing.assert_frame_equal(top_k(loaded, histories, 20), top_k(recipe, histories, 20))


def test_new_items_that_nothing_tells_apart_are_counted():
    recipe = fitted("user-personalization", items=catalogue("x", "y")[["ITEM_ID"]], parts="closed-form")
    assert recipe.notes["new_items_nothing_tells_apart"] == 2
    assert len(recipe.item_ids) == 12


def test_parts_weigh_the_same_held_events_when_many_events_have_no_weight():
    types = np.array(["view", "buy", None], dtype=object)[np.arange(24 * 9) % 3]
    events = log(steps=9, EVENT_TYPE=types)
    recipe = build("user-personalization", NETWORK | {"parts": "closed-form+transformer", "event_weights": {"buy": 1}})
    recipe.fit(TrainingData(events), seed=1)
    assert recipe.notes["blend"]["held_events"] == recipe.notes["transformer"]["held_events"] == 24
    assert recipe.notes["closed-form"]["chosen_by_rows"] == 24
    assert all(part.held_scores is None for part in recipe.parts.values())
    odd = replace(encode_histories(events, recipe.item_ids, ["u1"]), columns={})
    assert np.isfinite(recipe.score(odd)).all()


def test_event_weights_that_the_graph_filter_cannot_use_are_said_and_checked():
    events = log(EVENT_TYPE=np.array(["view", "buy"])[np.arange(144) % 2])
    recipe = fitted("user-personalization", events, parts="graph-filter", event_weights={"buy": 1})
    assert any("have no meaning in the graph filter" in each for each in recipe.notes["why"])
    with pytest.raises(RecipeError, match="event_weights names 'bye', which no event has. Did you mean 'buy'"):
        fitted("user-personalization", events, parts="graph-filter", event_weights={"bye": 1})


def test_event_types_that_are_no_text_are_refused_and_categories_are_read():
    with pytest.raises(RecipeError, match="name types as text, and EVENT_TYPE holds int64 such as 1"):
        fitted("autoregressive", log(EVENT_TYPE=1), event_weights={"1": 1})
    types = pd.Categorical(np.array(["view", "buy"])[np.arange(144) % 2])
    recipe = fitted("autoregressive", log(EVENT_TYPE=types), event_weights={"buy": 1})
    assert recipe.notes["events_without_weight"] == 72


def test_a_very_long_id_costs_no_more_than_its_length(tmp_path):
    """As an array of fixed width the ids of these events would fill 4 GB."""
    long = "x" * 100_000
    events = log(users=2_000, steps=5)
    events["ITEM_ID"] = events["ITEM_ID"].replace("i07", long)
    assert is_ordered(events)[1]
    items = catalogue(long + "y").replace({"ITEM_ID": {"i07": long}})
    recipe = fitted("user-personalization", events, items, parts="graph-filter")
    assert back(recipe, tmp_path).item_ids[-1] == long + "y"


def test_a_history_of_an_unknown_item_alone_gets_popularity():
    recipe = small_transformer()
    nobody = Histories(np.array(["u"], dtype=object), np.array([0, 0]), np.empty(0, np.int32), np.empty(0, np.int64))
    assert int(np.argmax(recipe.score(nobody)[0])) == int(np.argmax(recipe.popularity))
    assert recipe.explain(nobody, 0).empty


def test_arrays_of_another_network_are_refused_as_of_another_version(tmp_path):
    recipe = small_transformer()
    state = recipe.state()
    recipe.state = lambda: state | {"shape": state["shape"] + 1}
    storage.save(recipe, tmp_path)
    with pytest.raises(ModelFileError, match=r"another version of the workbench.*RuntimeError.*Train it again"):
        storage.load(tmp_path)


def test_texts_of_a_model_come_back_as_they_were(tmp_path):
    """Arrays of fixed width would cut off a closing NUL and pad everything to the longest text."""
    odd = ["a\x00", "", " b ", "ü😀", "c" * 3_000]
    events = log(DEVICE=np.array(odd)[np.arange(144) % 5].astype(object))
    recipe = small_transformer(events)
    assert back(recipe, tmp_path).words == recipe.words
