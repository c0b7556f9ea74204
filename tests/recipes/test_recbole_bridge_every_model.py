"""Every model of the RecBole wheel: which run, which do not and why, as the table in notebooks/guides/recbole.md."""

import re
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.columns import ITEM_ID, TIMESTAMP, USER_ID
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.recbole_bridge import RecBoleRecipe
from workbench.recipes.recbole_bridge_models import REFUSED, WRONG_KIND, default_parameters, models, offered

GUIDE = Path(__file__).parents[2] / "notebooks" / "guides" / "recbole.md"
BEGIN, END = "<!-- every model: begin -->", "<!-- every model: end -->"
HEAD = "| model | family | runs | a new user is | processor seconds |\n|---|---|---|---|---|"
USERS, NEWEST = 200, 20  # of MovieLens-100k
ONE_PASS = {"epochs": 1, "pretrain_epochs": 1, "max_rows": 500, "MAX_ITEM_LIST_LENGTH": 20, "threads": 1}
SHORT = {
    "autoencoder": "scored by the history",
    "attributes": "scored as similar known users; without events by attributes",
    "factors": "given a vector from the history",
    "item-similarity": "scored by the history",
    "sequences": "scored by the history",
    "users": "scored as similar known users",
}


def movielens() -> TrainingData:
    """The newest 20 events of the first 200 users of MovieLens-100k, with what is known of users and items."""
    folder = Path(find_spec("recbole").origin).parent / "dataset_example" / "ml-100k"

    def read(kind: str, columns: list[str]) -> pd.DataFrame:
        table = pd.read_csv(folder / f"ml-100k.{kind}", sep="\t", dtype="str", keep_default_na=False)
        return table.set_axis(columns, axis=1)

    users = read("user", [USER_ID, "AGE", "GENDER", "OCCUPATION", "ZIP_CODE"])
    users["AGE"] = users["AGE"].astype("int64")
    items = read("item", [ITEM_ID, "TITLE", "YEAR", "GENRES"])
    items["YEAR"] = pd.to_numeric(items["YEAR"], errors="coerce")
    items["GENRES"] = items["GENRES"].str.replace(" ", "|")
    events = read("inter", [USER_ID, ITEM_ID, "RATING", TIMESTAMP]).drop(columns="RATING")
    events[TIMESTAMP] = events[TIMESTAMP].astype("int64")
    events = events[events[USER_ID].isin(users[USER_ID].head(USERS))].sort_values(TIMESTAMP, kind="stable")
    return TrainingData(events.groupby(USER_ID).tail(NEWEST).reset_index(drop=True), items, users)


def guide_rows() -> list[list[str]]:
    """The cells of the guide's table."""
    table = GUIDE.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0].strip()
    assert table.startswith(HEAD)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def refusal(model: str) -> str:
    return f"no: {REFUSED.get(model) or WRONG_KIND[models()[model]]}"


def test_the_guide_says_of_every_model_what_the_code_does():
    rows = {re.sub("`", "", model): (family, runs) for model, family, runs, *_ in guide_rows()}
    expected = {name: (kind, "yes" if name in offered() else refusal(name)) for name, kind in models().items()}
    assert rows == expected
    assert f"fits {len(offered())} of them" in GUIDE.read_text(encoding="utf-8")


@pytest.mark.slow
def test_every_model_fits_one_epoch_and_the_guide_says_so():
    """Writes the guide's table anew when all that are offered run."""
    data, lines, failures = movielens(), [], {}
    for model, kind in sorted(models().items(), key=lambda each: each[0].casefold()):
        if model not in offered():
            lines.append(f"| `{model}` | {kind} | {refusal(model)} | – | – |")
            continue
        try:
            recipe, seconds = fit_and_check(model, data)
            lines.append(f"| `{model}` | {kind} | yes | {SHORT[recipe._way]} | {seconds:.1f} |")
        except Exception as error:
            failures[model] = f"{type(error).__name__}: {error}"
    assert failures == {}
    head, rest = GUIDE.read_text(encoding="utf-8").split(BEGIN)
    tail = rest.split(END)[1]
    GUIDE.write_text("\n".join([head + BEGIN, HEAD, *lines, END + tail]), encoding="utf-8")


def fit_and_check(model: str, data: TrainingData) -> tuple[RecBoleRecipe, float]:
    """Fit one epoch, score known, new and unknown users, and take the state back; also gives the fit's seconds."""
    settings = {name: value for name, value in ONE_PASS.items() if name in default_parameters(model)}
    began = time.process_time()
    recipe = RecBoleRecipe(model, **settings).fit(data, seed=2)
    seconds = time.process_time() - began
    events = data.interactions
    stranger = events[events[USER_ID] == "5"].assign(**{USER_ID: "stranger"})
    asked = ["1", "stranger", "900", "nobody"]  # 900 has attributes and no events
    histories = encode_histories(pd.concat([events, stranger]), recipe.item_ids, users=asked)
    scores = recipe.score(histories)
    assert scores.shape == (4, len(recipe.item_ids))
    assert np.isfinite(scores).all()
    again = RecBoleRecipe(model, **settings).restore(recipe.item_ids, recipe.state())
    np.testing.assert_array_equal(again.score(histories), scores)
    return recipe, seconds
