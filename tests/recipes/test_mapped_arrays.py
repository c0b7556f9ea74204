"""Models whose arrays are mapped into memory."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file, save_file

from workbench.errors import ModelFileError
from workbench.recipes.catalog import build
from workbench.recipes.contract import TrainingData, encode_histories
from workbench.recipes.mapped_arrays import mapped
from workbench.recipes.storage import MODEL, load, save, stamps

ARRAYS = {
    "a": np.arange(6, dtype=np.float32).reshape(2, 3),
    "empty": np.zeros((0, 4), np.int64),
    "yes": np.array([True, False, True]),
    "ü": np.array([1, 2], np.uint8),
    "half": np.array([0.5], np.float16),
}


def test_mapped_arrays_are_those_that_were_saved(tmp_path: Path):
    save_file(ARRAYS, tmp_path / "x")
    found = mapped(tmp_path / "x")
    assert set(found) == set(ARRAYS)
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert np.array_equal(found[name], array)


def test_writing_stays_in_this_process(tmp_path: Path):
    save_file(ARRAYS, tmp_path / "x")
    mapped(tmp_path / "x")["a"][0, 0] = 99
    assert load_file(tmp_path / "x")["a"][0, 0] == 0


@pytest.mark.parametrize("kept", [0, 5, 30, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: int):
    save_file({"a": ARRAYS["a"]}, tmp_path / "x")
    whole = (tmp_path / "x").read_bytes()
    (tmp_path / "x").write_bytes(whole[:kept])
    with pytest.raises(ModelFileError, match="truncated or no model"):
        mapped(tmp_path / "x")


@pytest.mark.parametrize(
    "recipe", ["popularity-count", "matrix-factorization", "user-personalization", "similar-items"]
)
def test_a_mapped_model_scores_as_a_copied_one(tmp_path: Path, recipe: str):
    rng = np.random.default_rng(1)
    events = pd.DataFrame(
        {
            "USER_ID": rng.integers(0, 30, 400).astype(str),
            "ITEM_ID": rng.integers(0, 20, 400).astype(str),
            "TIMESTAMP": np.arange(400),
        }
    )
    save(build(recipe).fit(TrainingData(events)), tmp_path)
    copied, lazily = load(tmp_path), load(tmp_path, trusted=stamps(tmp_path), map_arrays=True)
    histories = encode_histories(events, copied.item_ids)
    assert np.array_equal(copied.score(histories), lazily.score(histories))


def test_a_file_is_read_through_again_when_it_has_changed(tmp_path: Path):
    events = pd.DataFrame({"USER_ID": ["u", "v"], "ITEM_ID": ["a", "b"], "TIMESTAMP": [1, 2]})
    save(build("popularity-count").fit(TrainingData(events)), tmp_path)
    trusted, model = stamps(tmp_path), tmp_path / MODEL
    content = model.read_bytes()
    model.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(ModelFileError, match="truncated or edited"):
        load(tmp_path, trusted=trusted)
