"""RecBole models that learn from attributes: what reaches them, whom they score, and hostile tables."""

import numpy as np
import pandas as pd
import pytest

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.errors import RecipeError
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.recbole_bridge import RecBoleRecipe
from workbench.recipes.recbole_bridge_features import Features, learn_features

QUICK = {"epochs": 1, "threads": 1}
SEQUENCES = QUICK | {"max_rows": 60}


def camps(users: int = 16, items: int = 12) -> TrainingData:
    """Users of either parity choose items of theirs only; the tables say who and what is of which parity."""
    rows = [
        (f"0{user}", f"NA{item}", 1_700_000_000 + 100 * user + item)
        for user in range(users)
        for item in range(items)
        if item % 2 == user % 2 and item // 2 != user // 2 % (items // 2)
    ]
    events = pd.DataFrame(rows, columns=[USER_ID, ITEM_ID, TIMESTAMP])
    item_table = pd.DataFrame(
        {
            ITEM_ID: [f"NA{n}" for n in range(items)],
            "COLOUR": ["red" if n % 2 else "blue|sea" for n in range(items)],
            "PRICE": [float(n) for n in range(items)],
        }
    )
    user_table = pd.DataFrame(
        {USER_ID: [f"0{n}" for n in range(users + 2)], "PARITY": [f"p{n % 2}" for n in range(users + 2)]}
    )
    return TrainingData(events, item_table, user_table)


def scored(recipe: RecBoleRecipe, data: TrainingData, users: list[str]) -> np.ndarray:
    """Scores for these users, after checking that they are numbers and survive the state."""
    histories = encode_histories(data.interactions, recipe.item_ids, users=users)
    scores = recipe.score(histories)
    assert np.isfinite(scores).all()
    again = RecBoleRecipe(recipe.model, **recipe.hyperparameters).restore(recipe.item_ids, recipe.state())
    np.testing.assert_array_equal(again.score(histories), scores)
    return scores


def test_columns_become_codes_lists_and_places():
    items = pd.DataFrame(
        {
            ITEM_ID: ["b", "a", "c", "cold"],
            "GENRES": ["x|y", "x", None, "z"],
            "KIND": ["k", "l", "k", None],
            "PRICE": [1.0, np.nan, 3.0, np.inf],
            "SAME": ["1", "1", "1", "1"],
        }
    )
    features, notes = learn_features(items, None, np.array(["a", "b", "c"]), np.array(["u"]), 100)
    side = features.items
    assert side.columns == ("KIND", "GENRES", "PRICE")
    # rows: unknown, a, b, c; KIND: k is more frequent than l; GENRES: x before y before z
    assert side.tokens.tolist() == [[0], [2], [1], [1]]
    assert side.lists.tolist() == [[[0, 0]], [[1, 0]], [[1, 2]], [[0, 0]]]
    assert side.numbers[:, 0, 1].tolist() == [0, 0, 1, 1], "a missing price has a vector of its own"
    assert side.numbers[:2, 0, 0].tolist() == [0, 1]
    assert -1 <= side.numbers[2, 0, 0] < 0 < side.numbers[3, 0, 0] <= 1
    assert side.sizes.tolist() == [3, 4]
    assert notes["item_attributes"]["left_out"] == {"SAME": "the same in every row"}
    assert notes["item_attributes"]["infinite_as_missing"] == {"PRICE": 1}
    assert features.users.columns == ()


def test_attributes_travel_as_arrays_with_users_who_have_no_event():
    users = pd.DataFrame({USER_ID: ["é", "NA", "new"], "SEX": ["f", "m", "f"]})
    features, _ = learn_features(None, users, np.array(["i"]), np.array(["NA"], dtype=object), 10)
    back = Features.restore(features.state())
    assert back.user_ids.tolist() == ["NA", "é", "new"]
    assert back.rows_of(np.array(["new", "nobody"], dtype=object)).tolist() == [3, 0]
    assert back.users.tokens.tolist() == [[0], [2], [1], [1]]
    assert back.users.columns == ("SEX",)
    assert {array.dtype.kind for array in features.state().values()} <= set("uif")


@pytest.mark.parametrize("model", ["FM", "DSSM", "FwFM", "KD_DAGFM"])
def test_a_context_model_serves_known_new_and_cold_users(model):
    data = camps()
    before = [table.copy() for table in (data.interactions, data.items, data.users)]
    recipe = RecBoleRecipe(model, **QUICK).fit(data, seed=1)
    assert recipe.notes["item_attributes"]["used"] == ["COLOUR", "PRICE"]
    assert recipe.notes["user_attributes"]["used"] == ["PARITY"]
    scores = scored(recipe, data, ["00", "016", "017", "nobody"])
    counts = data.interactions[ITEM_ID].value_counts().reindex(recipe.item_ids).to_numpy()
    np.testing.assert_allclose(scores[3], counts / counts.max(), rtol=1e-6)
    assert not np.array_equal(scores[1], scores[3]), "016 has no event, but is in the users table"
    assert not np.array_equal(scores[1], scores[2]), "016 and 017 differ in PARITY"
    for table, kept in zip((data.interactions, data.items, data.users), before, strict=True):
        pd.testing.assert_frame_equal(table, kept)


def test_a_cold_user_gets_the_items_of_its_like():
    data = camps(users=40)
    recipe = RecBoleRecipe("FM", epochs=150, stopping_step=150, learning_rate=0.02, threads=1, refit=False)
    recipe.fit(data, seed=1)
    odd = np.array([int(item.removeprefix("NA")) % 2 for item in recipe.item_ids]) == 1
    even_user, odd_user = recipe.score(encode_histories(data.interactions, recipe.item_ids, users=["040", "041"]))
    assert even_user[~odd].mean() > even_user[odd].mean()
    assert odd_user[odd].mean() > odd_user[~odd].mean()


def test_a_context_model_works_on_ids_alone():
    data = camps()
    recipe = RecBoleRecipe("DeepFM", **QUICK).fit(TrainingData(data.interactions))
    scored(recipe, data, ["00", "nobody"])


@pytest.mark.parametrize("model", ["SASRecF", "FDSA", "GRU4RecF", "S3Rec", "DIN", "DIEN"])
def test_sequence_models_of_attributes_serve_a_stranger(model):
    data = camps()
    recipe = RecBoleRecipe(model, **SEQUENCES | ({"pretrain_epochs": 1} if model == "S3Rec" else {})).fit(data, seed=1)
    stranger = data.interactions[data.interactions[USER_ID] == "02"].assign(**{USER_ID: "stranger"})
    other = data.interactions[data.interactions[USER_ID] == "03"].assign(**{USER_ID: "other"})
    both = TrainingData(pd.concat([stranger, other]))
    scores = scored(recipe, both, ["stranger", "other"])
    assert not np.array_equal(scores[0], scores[1])


def test_later_stages_run_without_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    recipe = RecBoleRecipe("RaCT", epochs=2, pretrain_epochs=3, mlp_hidden_size=[8], latent_dimension=4, metrics_k=5)
    recipe.fit(camps(), seed=1)
    assert recipe.notes["epochs_of_actor_pretrain"] == 3
    assert recipe.notes["epochs_of_critic_pretrain"] == 3
    assert recipe.notes["epochs_run"] == 2
    assert list(tmp_path.iterdir()) == []


def test_models_of_item_attributes_say_what_they_miss():
    data = camps()
    with pytest.raises(
        RecipeError, match="recbole:FDSA learns from attributes of items and finds none: there is no items"
    ):
        RecBoleRecipe("FDSA").fit(TrainingData(data.interactions))
    same = data.items[[ITEM_ID]].assign(COLOUR="red")
    with pytest.raises(RecipeError, match="finds none: left out: {'COLOUR': 'the same in every row'}"):
        RecBoleRecipe("SASRecF").fit(TrainingData(data.interactions, same))
    with pytest.raises(RecipeError, match="'COLOR' is none of them: COLOUR, PRICE. Did you mean 'COLOUR'"):
        RecBoleRecipe("SASRecF", selected_features=["COLOR"], **SEQUENCES).fit(data)
    with pytest.raises(RecipeError, match="'PRICE' is none of them: COLOUR"):
        RecBoleRecipe("S3Rec", item_attribute="PRICE", **SEQUENCES).fit(data)


def test_hostile_tables_reach_the_model_as_numbers():
    """50,000 values, NaN and infinite numbers, an empty text column, a constant: counted, never NaN in a score."""
    data = camps()
    rng = np.random.default_rng(0)
    ids = [f"NA{n}" for n in range(12)] + [f"cold{n}" for n in range(49_988)]
    numbers = rng.normal(size=50_000)
    numbers[:4] = [np.nan, np.inf, -np.inf, 1e308]
    items = pd.DataFrame(
        {
            ITEM_ID: ids,
            "CODE": [f"c{n // 2}" if n % 2 else f"d{n}" for n in range(50_000)],
            "COLOUR": rng.choice(["a|b", "b", "c"], 50_000),
            "NUMBER": numbers,
            "CONSTANT": 7.0,
            "SPARSE": [f"text {n % 3}" if n % 10 == 0 else None for n in range(50_000)],
        }
    )
    recipe = RecBoleRecipe("FM", most_values=100, **QUICK).fit(TrainingData(data.interactions, items, data.users))
    noted = recipe.notes["item_attributes"]
    assert noted["left_out"]["CONSTANT"] == "the same in every row"
    assert noted["infinite_as_missing"] == {"NUMBER": 2}
    assert "NUMBER" in noted["used"]
    scored(recipe, data, ["00", "nobody"])
    assert sum(array.nbytes for array in recipe.state().values()) < 1_000_000


def test_a_hundred_thousand_events_of_one_user_and_users_of_one():
    data = camps()
    rng = np.random.default_rng(0)
    heavy = pd.DataFrame(
        {
            USER_ID: "heavy",
            ITEM_ID: rng.choice([f"NA{n}" for n in range(11)], 100_000),
            TIMESTAMP: 1_700_000_000 + np.arange(100_000),
        }
    )
    single = data.interactions.head(1).assign(**{USER_ID: "single"})
    events = pd.concat([data.interactions, heavy, single], ignore_index=True)
    for model, settings in (("SASRec", SEQUENCES), ("MultiDAE", QUICK | {"max_history": 50}), ("EASE", {})):
        recipe = RecBoleRecipe(model, **settings).fit(TrainingData(events))
        histories = encode_histories(events, recipe.item_ids, users=["heavy", "single", "00"])
        assert np.isfinite(recipe.score(histories)).all()
    assert (
        RecBoleRecipe("BPR", max_history=50, **QUICK).fit(TrainingData(events)).notes["events_left_out_by_max_history"]
        == 99_950
    )


def test_identical_users_are_refused_where_nothing_can_be_compared():
    events = pd.DataFrame(
        [(f"u{user}", item, 1_700_000_000 + n) for user in range(30) for n, item in enumerate("abcde")],
        columns=[USER_ID, ITEM_ID, TIMESTAMP],
    )
    with pytest.raises(RecipeError, match=r"not a user who has not had every item\. .* such as recbole:EASE"):
        RecBoleRecipe("FM", **QUICK).fit(TrainingData(events))
    for model, settings in (("EASE", {}), ("ItemKNN", {}), ("SASRec", SEQUENCES)):
        recipe = RecBoleRecipe(model, **settings).fit(TrainingData(events))
        assert np.isfinite(recipe.score(encode_histories(events, recipe.item_ids, users=["u0", "new"]))).all()
