"""Static word vectors that travel inside an installed package: read as files, offline, never imported."""

import hashlib
import importlib.util
import json
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np

from workbench.errors import RecipeError

PACKAGE = "wordllama"
INSTALL = "python -m pip install --no-deps wordllama==0.4.0.post1"
WEIGHTS = Path("weights", "l2_supercat_256.safetensors")
TOKENS = Path("tokenizers", "l2_supercat_tokenizer_config.json")
SPACE = "▁"  # how the vocabulary writes the beginning of a word
TEXTS_AT_ONCE = 4_096
LONGEST_WORD = 100  # characters; longer ones are cut, since merging takes the square of the length
MOST_KNOWN = 500_000  # words whose tokens are remembered


class WordVectors:
    """Token vectors of the package, and the byte-pair encoding that cuts words into tokens.

    A text's vector is the mean of its tokens' vectors, as they were trained to be used. The package's own code is not
    run: it would look for its tokens on the internet and set up the root logger.

    Source: WordLlama 0.4.0 (MIT licence), 32,000 tokens, 256 numbers each; trained from the token vectors of large
    language models with the Llama 2 vocabulary.
    """

    def __init__(self, vectors: np.ndarray, vocabulary: dict[str, int], merges: list[str]):
        self.vectors = vectors
        self._codes = vocabulary
        self._order = {tuple(pair.split(" ")): number for number, pair in enumerate(merges)}
        self._known: dict[str, list[int]] = {}

    def embed(self, texts: list[str]) -> np.ndarray:
        """Mean token vectors: (len(texts), 256) float32; zero for a text without a word."""
        found = np.zeros((len(texts), self.vectors.shape[1]), dtype=np.float32)
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            coded = [self.tokens(text) for text in texts[start : start + TEXTS_AT_ONCE]]
            lengths = np.array([len(each) for each in coded])
            there = np.flatnonzero(lengths)
            if len(there):
                flat = np.fromiter((code for each in coded for code in each), np.int64, int(lengths.sum()))
                firsts = np.cumsum(lengths[there]) - lengths[there]
                sums = np.add.reduceat(self.vectors[flat], firsts, axis=0)
                found[start + there] = sums / lengths[there, None]
        return found

    def tokens(self, text: str) -> list[int]:
        """Cut a text into token codes; blanks only separate words."""
        return [code for word in text.split() for code in self._word(word)]

    def _word(self, word: str) -> list[int]:
        if word not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            marked = SPACE + word
            pieces = (marked[start : start + LONGEST_WORD] for start in range(0, len(marked), LONGEST_WORD))
            self._known[word] = [code for piece in pieces for code in self._encoded(piece)]
        return self._known[word]

    def _encoded(self, word: str) -> list[int]:
        """Merge neighbours, the pair that was learned first first; what has no token becomes its bytes."""
        parts = list(word)
        while len(parts) > 1:
            ranks = [self._order.get(pair, len(self._order)) for pair in pairwise(parts)]
            best = min(ranks)
            if best == len(self._order):
                break
            at = ranks.index(best)
            parts[at : at + 2] = [parts[at] + parts[at + 1]]
        codes: list[int] = []
        for part in parts:
            if part in self._codes:
                codes.append(self._codes[part])
            else:
                codes += [self._codes[f"<0x{byte:02X}>"] for byte in part.encode("utf-8", "replace")]
        return codes


@lru_cache(maxsize=1)
def shipped_vectors() -> WordVectors:
    """Read the package's files.

    Raises:
        RecipeError: the package is not installed, or this version of it carries no such files.
    """
    from safetensors.numpy import load_file

    weights, tokens = (_file(each) for each in (WEIGHTS, TOKENS))
    model = json.loads(tokens.read_text(encoding="utf-8"))["model"]
    (vectors,) = load_file(weights).values()
    return WordVectors(vectors.astype(np.float32), model["vocab"], model["merges"])


@lru_cache(maxsize=1)
def shipped_digest() -> str:
    """Checksum of both files: says whether a saved model's vectors fit new ones."""
    return hashlib.sha256(_file(WEIGHTS).read_bytes() + _file(TOKENS).read_bytes()).hexdigest()


def _file(inside: Path) -> Path:
    found = importlib.util.find_spec(PACKAGE)
    path = Path(found.origin).parent / inside if found and found.origin else None
    if path is None or not path.is_file():
        why = "which is not installed" if path is None else f"and this version of it has no {inside}"
        raise RecipeError(
            f"Text is embedded with word vectors from the package {PACKAGE!r}, {why}. Get it with: {INSTALL}; or set "
            "model='catalogue', which learns from the catalogue's own texts."
        )
    return path
