"""Model files: complete and unedited, or refused with the reason."""

import json

import numpy as np
import pandas as pd
import pytest

from workbench.errors import ModelFileError, RecipeError
from workbench.recipes import storage
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData


@pytest.fixture
def saved(tmp_path):
    events = pd.DataFrame({"USER_ID": ["u", "u"], "ITEM_ID": ["007", "a\nb"], "TIMESTAMP": [1, 2]})
    return storage.save(build("user-personalization", {"ridge": 1.0}).fit(TrainingData(events)), tmp_path)


def test_ids_come_back_exactly_and_notes_too(saved):
    recipe = storage.load(saved)
    assert recipe.item_ids.tolist() == ["007", "a\nb"]
    assert recipe.notes["rows"] == 1
    assert recipe.hyperparameters["ridge"] == 1.0


@pytest.mark.parametrize("name", ["model.safetensors", "items.parquet"])
def test_a_truncated_file_is_refused(saved, name):
    content = (saved / name).read_bytes()
    (saved / name).write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match=f"{name} .* truncated or edited"):
        storage.load(saved)


@pytest.mark.parametrize("name", ["model.safetensors", "items.parquet", "recipe.json"])
def test_a_missing_file_is_refused(saved, name):
    (saved / name).unlink()
    with pytest.raises(ModelFileError, match=f"{name} is missing"):
        storage.load(saved)


def test_a_flipped_bit_is_refused(saved):
    content = bytearray((saved / "model.safetensors").read_bytes())
    content[-1] ^= 1
    (saved / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelFileError, match="not what was saved"):
        storage.load(saved)


def test_edited_settings_are_refused(saved):
    about = json.loads((saved / "recipe.json").read_text())
    about["hyperparameters"]["lags"] = 7
    (saved / "recipe.json").write_text(json.dumps(about))
    with pytest.raises(ModelFileError, match="edited after it was saved"):
        storage.load(saved)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not readable JSON"),
        ("[]", "has format 'list'"),
        ('{"format": 99}', "has format 99; this version reads format 1"),
    ],
)
def test_a_broken_or_foreign_recipe_file_is_refused(saved, text, words):
    (saved / "recipe.json").write_text(text)
    with pytest.raises(ModelFileError, match=words):
        storage.load(saved)


def test_an_unfitted_or_homemade_recipe_is_not_saved(tmp_path):
    with pytest.raises(RecipeError, match="sims is not fitted"):
        storage.save(build("sims"), tmp_path)
    homemade = build("sims")
    homemade.name = ""
    with pytest.raises(RecipeError, match="no catalogue name"):
        storage.save(homemade, tmp_path)


def test_text_arrays_survive():
    state = {"users": np.array(["a", "", "üé", "😀" * 5]), "none": np.array([], dtype=str), "n": np.arange(3)}
    back = storage._arrays(storage._tensors(state))
    assert {name: values.tolist() for name, values in back.items()} == {n: v.tolist() for n, v in state.items()}
