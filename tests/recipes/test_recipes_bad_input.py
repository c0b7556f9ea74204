"""Bad input for every recipe of the catalogue: it copes with finite scores.

Networks alone may refuse a log that leaves them nothing to learn from, and say so.
"""

import json

import numpy as np
import pandas as pd
import pytest

from workbench.data.workspace import Workspace
from workbench.errors import ModelFileError, RecipeError
from workbench.recipes import storage
from workbench.recipes.catalog import CATALOG, build
from workbench.recipes.catalog_entry import RANKING
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.ranking import rank_given, top_k
from workbench.recipes.training import TrainingConfig, train

START = 1_600_000_000
# One pass of a small network is enough to see a recipe break.
QUICK = {"epochs": 1, "width": 8, "layers": 1, "negatives": 8, "min_cointeraction_count": 1}
# RecBole's models cap their rows, which tests of the bridge hold; a ranking recipe is another one's engine.
LEARNERS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "transformer" else name
    for name, row in CATALOG.items()
    if row.family != "recbole" and row.use_case != RANKING
]
READERS = [name for name, row in CATALOG.items() if any("items" in each for each in row.metadata_used)]
ONE_OF_EACH_FAMILY = list({row.family: name for name, row in CATALOG.items()}.values())
every_recipe = pytest.mark.parametrize("name", CATALOG)


def settings(name):
    return {key: value for key, value in QUICK.items() if key in CATALOG[name].hyperparameters}


def log(rows):
    table = pd.DataFrame(rows, columns=["USER_ID", "ITEM_ID", "TIMESTAMP"])
    return table.astype({"USER_ID": "str", "ITEM_ID": "str", "TIMESTAMP": "int64"})


def circle(users=30, items=12, steps=8):
    """Users walk around the items in order, from a start of their own."""
    return log([(f"u{u}", f"i{(u + s) % items}", START + 100 * s + u) for u in range(users) for s in range(steps)])


def described(ids, **columns):
    """An items table with words in two places, so that recipes about text have something to read."""
    ids = list(ids)
    words = {
        "TITLE": [f"Film {each}" for each in ids],
        "DESCRIPTION": [f"A film about {each}, told slowly, that nobody forgets who saw it" for each in ids],
    }
    return pd.DataFrame({"ITEM_ID": pd.array(ids, dtype="str")} | words | columns)


def fit(name, events, items=None):
    items = described(events["ITEM_ID"].dropna().unique()) if items is None else items
    return build(name, settings(name)).fit(TrainingData(events, items), seed=1)


@pytest.fixture(scope="module")
def fitted():
    """Every recipe, fitted once on the circle."""
    found = {}

    def get(name):
        if name not in found:
            found[name] = fit(name, circle())
        return found[name]

    return get


def assert_lists_for_anybody(recipe, events):
    users = [*events["USER_ID"].unique()[:3], "nobody"]
    scores = recipe.score(encode_histories(events, recipe.item_ids, users))
    assert scores.shape == (len(users), len(recipe.item_ids))
    assert np.isfinite(scores).all()


def assert_it_says(refusal):
    assert any(reason in str(refusal) for reason in ("nothing to train on", "no user has two events")), refusal


AWKWARD = {
    "one event in all": log([("u", "a", START)]),
    "one user": log([("u", item, START + n) for n, item in enumerate("abcab")]),
    "one item": log([(f"u{n}", "a", START + n) for n in range(6)]),
    "every user with one event": log([(f"u{n}", f"i{n % 4}", START + n) for n in range(12)]),
    "one user with one event": pd.concat([circle(), log([("single", "i3", START)])], ignore_index=True),
    "all users identical": log([(f"u{u}", f"i{s}", START + s) for u in range(20) for s in range(5)]),
    "all times equal": circle().assign(TIMESTAMP=START),
    "the same event many times": pd.concat([circle(6)] * 5, ignore_index=True),
    "times before 1970 and far ahead": circle().assign(TIMESTAMP=lambda t: (t["TIMESTAMP"] - START - 400) * 10_000_000),
    "users and items of one name": circle().assign(USER_ID=lambda t: t["USER_ID"].str.replace("u", "i")),
}


@every_recipe
@pytest.mark.parametrize("case", AWKWARD)
def test_awkward_logs_give_finite_scores_for_anybody(name, case):
    events = AWKWARD[case]
    before = events.copy(deep=True)
    try:
        recipe = fit(name, events)
    except RecipeError as refusal:
        if CATALOG[name].family == "recbole" or name == "transformer":
            assert_it_says(refusal)
            return
        raise
    assert_lists_for_anybody(recipe, events)
    pd.testing.assert_frame_equal(events, before)


FEATURES = {
    "constant": lambda n: {"COLOUR": ["red"] * n, "PRICE": [1.0] * n},
    "NaN and infinite numbers": lambda n: {"PRICE": [np.nan, np.inf, -np.inf, 1e300] * (n // 4)},
    "empty columns": lambda n: {"PRICE": [np.nan] * n, "COLOUR": pd.array([None] * n, dtype="str")},
    "text 90 % empty": lambda n: {"REVIEW": ["a long word of praise" if k % 10 == 0 else None for k in range(n)]},
    "as many categories as items": lambda n: {"SKU": [f"sku {k}" for k in range(n)]},
    "hostile text": lambda n: {"COLOUR": ["<script>|", "||", "", "😀|\x00", "a" * 5_000, "'--", "\n", "|a"] * (n // 8)},
}


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("case", FEATURES)
def test_awkward_items_give_finite_scores_for_anybody(name, case):
    events = circle(20, 12)
    ids = [*events["ITEM_ID"].unique(), *(f"cold {n}" for n in range(12))]
    items = described(ids, **FEATURES[case](24))
    before = items.copy(deep=True)
    assert_lists_for_anybody(fit(name, events, items), events)
    pd.testing.assert_frame_equal(items, before)


@pytest.mark.parametrize("name", READERS)
def test_a_category_of_many_values_is_no_obstacle(name):
    """50,000 values in the column, nearly all of them of items without events."""
    events = circle(20, 12)
    ids = [*events["ITEM_ID"].unique(), *(f"cold {n}" for n in range(2_000))]
    several = ["|".join(f"value {k}" for k in range(25 * n, 25 * n + 25)) for n in range(len(ids))]
    recipe = fit(name, events, described(ids, TAGS=several))
    assert np.isfinite(recipe.score(encode_histories(events, recipe.item_ids, ["u1"]))).all()


@every_recipe
def test_a_history_of_100_000_events_is_scored(fitted, name):
    recipe = fitted(name)
    rng = np.random.default_rng(0)
    items = np.char.add("i", rng.integers(0, 12, 100_000).astype(str))
    long = pd.DataFrame({"USER_ID": "bot", "ITEM_ID": items, "TIMESTAMP": START + np.arange(100_000)})
    history = encode_histories(long, recipe.item_ids, ["bot"])
    assert len(history.items) == 100_000
    scores = recipe.score(history)
    assert np.isfinite(scores).all()
    assert top_k(recipe, history, 5).empty  # everything is seen


@pytest.mark.parametrize("name", LEARNERS)
def test_a_history_of_100_000_events_is_learned_from(name):
    rng = np.random.default_rng(0)
    items = np.char.add("i", rng.integers(0, 60, 100_000).astype(str))
    bot = pd.DataFrame({"USER_ID": "bot", "ITEM_ID": items, "TIMESTAMP": START + np.arange(100_000)})
    events = pd.concat([circle(), bot.astype({"USER_ID": "str", "ITEM_ID": "str"})], ignore_index=True)
    assert_lists_for_anybody(fit(name, events), events)


@every_recipe
def test_items_never_seen_count_and_change_nothing(fitted, name):
    recipe = fitted(name)
    known = log([("u", "i3", START), ("u", "i4", START + 1)])
    mixed = log([("u", "never", START - 5), ("u", "i3", START), ("u", "i4", START + 1), ("v", "never", START)])
    plain, odd = (encode_histories(each, recipe.item_ids, ["u", "v"]) for each in (known, mixed))
    assert (plain.unknown, odd.unknown) == (0, 2)
    np.testing.assert_array_equal(recipe.score(odd), recipe.score(plain))
    assert recipe.explain(odd.rows(1, 2), 0).empty
    lists = rank_given(recipe, odd, [["never", "i1", "i2"], []])
    assert lists["ITEM_ID"].tolist()[-1] == "never"


@every_recipe
@pytest.mark.parametrize("column", ["USER_ID", "ITEM_ID", "TIMESTAMP"])
def test_a_missing_id_or_time_is_refused_with_its_row(name, column):
    events = circle()
    events[column] = events[column].astype("object" if column != "TIMESTAMP" else "float64")
    events.loc[[4, 9], column] = None
    with pytest.raises(RecipeError, match=rf"2 interactions are without {column} \(the first rows: 5, 10\)"):
        fit(name, events)


@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_too_little_data_is_refused_and_trained_when_asked_with_the_warning(name, tmp_path):
    place = Workspace(tmp_path / "workspace")
    place.create_group("few")
    place.write_dataset("few", "interactions", circle(6, 5, 4), origin={})
    place.write_dataset("few", "items", described(f"i{n}" for n in range(5)), origin={})
    few = {"hyperparameters": settings(name), "top_k": 3}
    with pytest.raises(RecipeError, match="Too little to train on: 24 interactions of the 1,000 needed; 6 users"):
        train(place, "few", "mine", name, TrainingConfig(**few))
    found = train(place, "few", "mine", name, TrainingConfig(**few, train_anyway=True))
    assert len(found.notes["below_the_least"]) == 2
    written = json.loads((found.version.path / "metrics.json").read_text())
    assert written["notes"]["below_the_least"] == found.notes["below_the_least"]


@every_recipe
def test_a_broken_model_file_is_refused(fitted, name, tmp_path):
    folder = storage.save(fitted(name), tmp_path)
    whole = (folder / storage.MODEL).read_bytes()
    (folder / storage.MODEL).write_bytes(whole[:-7])
    with pytest.raises(ModelFileError, match="truncated or edited"):
        storage.load(folder)


@every_recipe
def test_a_model_of_another_version_is_refused_with_the_reason(fitted, name, tmp_path):
    """Whole and sealed, but from a version whose recipe knew other arrays or another setting."""
    folder = storage.save(fitted(name), tmp_path)
    about = json.loads((folder / storage.RECIPE).read_text())
    write_arrays(folder, about, {"something": np.arange(3)})
    with pytest.raises(ModelFileError, match=r"another version.*Train it again"):
        storage.load(folder)
    if not CATALOG[name].free:
        seal(folder, about | {"hyperparameters": {"setting_of_old": 1}})
        with pytest.raises(ModelFileError, match=r"setting_of_old.*Train it again"):
            storage.load(folder)


def write_arrays(folder, about, arrays):
    from safetensors.numpy import save_file

    save_file(arrays, folder / storage.MODEL)
    about["sha256"][storage.MODEL] = storage._digest(folder / storage.MODEL)
    seal(folder, about)


def seal(folder, about):
    about = {key: value for key, value in about.items() if key != "seal"}
    (folder / storage.RECIPE).write_text(json.dumps(about | {"seal": storage._seal(about)}))
