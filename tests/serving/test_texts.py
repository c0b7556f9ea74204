"""Packed texts, and arrays in files."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.serving.array_files import ArrayFolder, ArrayWriter
from workbench.serving.texts import WHOLE, Texts

TEXTS = st.lists(st.text(alphabet=st.characters(), max_size=4), max_size=12, unique=True)


@given(TEXTS)
def test_texts_come_back_and_are_found_among_sorted_ones(texts):
    ordered = sorted(texts, key=lambda each: each.encode("utf-8", "surrogatepass"))
    packed = Texts.of(ordered)
    assert packed.array.tolist() == list(packed) == ordered
    assert [packed.find(each) for each in ordered] == list(range(len(ordered)))
    assert packed.find("not one of them") == -1
    assert [packed[place] for place in range(len(packed))] == ordered


def test_missing_codes_are_none_in_small_and_large_vocabularies():
    for size in (2, WHOLE + 1):
        packed = Texts.of(f"t{number}" for number in range(size))
        assert packed.take(np.array([1, -1, 0])).tolist() == ["t1", None, "t0"]


def test_arrays_and_texts_come_back_from_files(tmp_path: Path):
    writer = ArrayWriter(tmp_path / "x")
    writer.put("../a b", np.arange(6, dtype=np.int32).reshape(2, 3))
    writer.put("empty", np.zeros(0))
    writer.put_texts("names", ["ü", "", "x\ny"])
    writer.finish({"n": 3})
    files = ArrayFolder(tmp_path / "x")
    assert files.about == {"n": 3}
    assert files["../a b"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert files["empty"].shape == (0,)
    assert files.texts("names").array.tolist() == ["ü", "", "x\ny"]
    assert ("names" in files, "empty" in files) == (False, True)
    with pytest.raises(ValueError, match="read-only"):
        files["../a b"][0, 0] = 1
