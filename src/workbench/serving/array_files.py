"""A folder of arrays that are memory-mapped when they are first looked at, and one JSON file that vouches for them."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from workbench.errors import ServingError
from workbench.serving.texts import Texts

FORMAT = 1  # raise it when the arrays of a deployment change their names or meaning
INDEX = "layout.json"
TEXT_BYTES, TEXT_ENDS = "#bytes", "#ends"
AGAIN = "Deploy it again with redeploy()."


class ArrayWriter:
    """Writes arrays into an empty folder; `finish` writes the index last."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._files: dict[str, dict[str, Any]] = {}

    def put(self, name: str, array: np.ndarray) -> None:
        """Write one array under any name; files are numbered, so a name may hold what a file name may not."""
        file = f"{len(self._files):04d}.npy"
        np.save(self.folder / file, np.ascontiguousarray(array), allow_pickle=False)
        self._files[name] = {"file": file, "bytes": (self.folder / file).stat().st_size}

    def put_texts(self, name: str, texts: Texts | Iterable[str]) -> None:
        """Write texts, in their order."""
        packed = texts if isinstance(texts, Texts) else Texts.of(texts)
        self.put(name + TEXT_BYTES, packed.packed)
        self.put(name + TEXT_ENDS, packed.ends)

    def finish(self, about: Mapping[str, Any]) -> None:
        """Write the index with what is to be known about the arrays, in plain values."""
        document = {"format": FORMAT, "about": dict(about), "arrays": self._files}
        words = json.dumps(document | {"seal": _seal(document)}, ensure_ascii=False, indent=1)
        (self.folder / INDEX).write_text(words, encoding="utf-8")


class ArrayFolder:
    """Reads what an `ArrayWriter` wrote.

    Attributes:
        about: what the writer told.
    """

    def __init__(self, folder: Path):
        """Read the index.

        Raises:
            ServingError: the folder, its index or a file is missing, truncated, edited or of another format.
        """
        self.folder = folder
        document = _index(folder)
        self.about: dict[str, Any] = document["about"]
        self._files: dict[str, dict[str, Any]] = document["arrays"]
        self._open: dict[str, np.ndarray] = {}
        self._texts: dict[str, Texts] = {}
        for name, each in self._files.items():
            path = folder / each["file"]
            found = path.stat().st_size if path.is_file() else None
            if found != each["bytes"]:
                state = "is missing" if found is None else f"has {found:,} of its {each['bytes']:,} bytes"
                raise ServingError(f"{path} ({name}) {state}. {AGAIN}")

    def __contains__(self, name: str) -> bool:
        return name in self._files

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._open:
            path = self.folder / self._files[name]["file"]
            self._open[name] = np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
        return self._open[name]

    def texts(self, name: str) -> Texts:
        """The texts of a name."""
        if name not in self._texts:
            self._texts[name] = Texts(self[name + TEXT_BYTES], self[name + TEXT_ENDS])
        return self._texts[name]


def _index(folder: Path) -> dict[str, Any]:
    path = folder / INDEX
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ServingError(f"{path} is missing: the folder holds no deployment. {AGAIN}") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ServingError(f"{path} is not readable JSON ({error}): truncated or edited. {AGAIN}") from error
    found = document.get("format") if isinstance(document, dict) else type(document).__name__
    if found != FORMAT:
        raise ServingError(f"{path} has format {found!r}; this version reads format {FORMAT}. {AGAIN}")
    if document.pop("seal", None) != _seal(document):
        raise ServingError(f"{path} was edited after it was written: its seal does not fit. {AGAIN}")
    return document


def _seal(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()
