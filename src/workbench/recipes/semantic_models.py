"""Models that turn texts into unit vectors: shipped word vectors, the catalogue's own texts, or a sentence model."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd

from workbench.errors import RecipeError
from workbench.recipes.features_text import Text, learn_text
from workbench.recipes.semantic_words import shipped_digest, shipped_vectors

WORDS, CATALOGUE, BOTH = "wordllama", "catalogue", "wordllama+catalogue"
DIRECTIONS = 128  # kept of the catalogue's word counts
MANY = 100  # texts, from which on a catalogue's mean and its own words are trusted
EXTRA = 'python -m pip install "recommendation-workbench[semantic]"'


class TextModel(ABC):
    """Texts to vectors of length 1; zero where a text says nothing to the model."""

    kind: ClassVar[str]

    @abstractmethod
    def fit(self, texts: list[str], seed: int) -> Self:
        """Learn what there is to learn from the catalogue's different texts. Returns itself."""

    @abstractmethod
    def embed(self, texts: list[str]) -> np.ndarray:
        """(len(texts), …) float32."""

    @abstractmethod
    def state(self) -> dict[str, np.ndarray]:
        """What it has to remember, as arrays."""

    @abstractmethod
    def restore(self, state: Mapping[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""


class ShippedWords(TextModel):
    """Mean word vectors of the package, minus the mean of the catalogue where that has enough texts.

    The mean is what all texts share; without it the differences decide. Source: Mu and Viswanath 2018.
    """

    kind = "words"

    def fit(self, texts: list[str], seed: int) -> Self:
        """Find the catalogue's mean."""
        vectors = shipped_vectors().embed(texts)
        self.mean = vectors.mean(axis=0) if len(texts) >= MANY else np.zeros(vectors.shape[1], np.float32)
        self.digest = shipped_digest()
        return self

    def embed(self, texts: list[str]) -> np.ndarray:
        """Look words up.

        Raises:
            RecipeError: the package is not there, or its vectors are not those this model was made with.
        """
        if shipped_digest() != self.digest:
            raise RecipeError(
                "The installed word vectors are not those that this model was made with, so new texts would not be "
                "comparable. Install the version it was made with, or train again."
            )
        vectors = shipped_vectors().embed(texts)
        return unit(np.where(np.abs(vectors).sum(axis=1, keepdims=True) > 0, vectors - self.mean, 0.0))

    def state(self) -> dict[str, np.ndarray]:
        """The mean, and a checksum of the vectors."""
        return {"mean": self.mean, "digest": np.array([self.digest], dtype=str)}

    def restore(self, state: Mapping[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.mean, self.digest = state["mean"], str(state["digest"][0])
        return self


class CatalogueWords(TextModel):
    """Latent semantic analysis: words that occur in the same texts of the catalogue mean alike.

    TF-IDF over the words that several texts share, and its DIRECTIONS leading directions. Works for any language with
    blanks between words, and knows nothing of words that the catalogue does not repeat. Source: Deerwester et al. 1990.
    """

    kind = "catalogue"

    def fit(self, texts: list[str], seed: int) -> Self:
        """Learn words and directions; none where no two texts share a word that others lack."""
        self.words, _ = learn_text(pd.Series(texts, name="TEXT", dtype="str"), seed)
        self.directions = np.zeros((0, 0), dtype=np.float32)
        if self.words is not None and min(len(texts), len(self.words.terms)) > DIRECTIONS:
            from sklearn.decomposition import TruncatedSVD

            counts = self.words.encode(pd.Series(texts, dtype="str"))
            self.directions = TruncatedSVD(DIRECTIONS, random_state=seed).fit(counts).components_.T.astype(np.float32)
        return self

    def embed(self, texts: list[str]) -> np.ndarray:
        """Weigh the words, and turn them into the leading directions where there are more words than those."""
        if self.words is None:
            return np.zeros((len(texts), 0), dtype=np.float32)
        counts = self.words.encode(pd.Series(texts, dtype="str"))
        return unit(np.asarray(counts @ self.directions) if self.directions.size else counts.toarray())

    def state(self) -> dict[str, np.ndarray]:
        """Words, their rarity and the directions."""
        return {"directions": self.directions, **({} if self.words is None else self.words.state())}

    def restore(self, state: Mapping[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        self.directions = state["directions"]
        self.words = Text.restore("TEXT", dict(state)) if "terms" in state else None
        return self


class Sentences(TextModel):
    """A sentence-transformers model: a local folder, or a name that the library finds or fetches."""

    kind = "sentences"

    def __init__(self, name: str):
        self.name = name
        self._model: Any = None

    def fit(self, texts: list[str], seed: int) -> Self:
        """Load the model; it learns nothing."""
        self._loaded()
        return self

    def embed(self, texts: list[str]) -> np.ndarray:
        """Run the model."""
        vectors = self._loaded().encode(list(texts), convert_to_numpy=True, show_progress_bar=False)
        return unit(np.asarray(vectors, dtype=np.float32).reshape(len(texts), -1))

    def state(self) -> dict[str, np.ndarray]:
        """Nothing: the model is found by its name."""
        return {}

    def restore(self, state: Mapping[str, np.ndarray]) -> Self:
        """Nothing to take back."""
        return self

    def _loaded(self) -> Any:
        if self._model is None:
            try:
                from sentence_transformers import SentenceTransformer
            except ImportError as error:
                raise RecipeError(
                    f"semantic-similarity: model={self.name!r} names a sentence model, which needs the extra "
                    f"'semantic': {EXTRA}. Without it, use model={WORDS!r}, {CATALOGUE!r} or {BOTH!r}."
                ) from error
            try:
                self._model = SentenceTransformer(self.name, device="cpu")
            except (OSError, ValueError) as error:
                raise RecipeError(
                    f"semantic-similarity: there is no sentence model {self.name!r} ({error}). Give the path of a "
                    f"folder with one, or use model={WORDS!r}, {CATALOGUE!r} or {BOTH!r}."
                ) from error
        return self._model


class Together(TextModel):
    """Several models side by side, each counting alike: the cosine is the mean of theirs.

    A catalogue of few texts has nothing to teach, so there its own words are left aside.
    """

    kind = "together"

    def __init__(self, parts: list[TextModel]):
        self.parts = parts

    def fit(self, texts: list[str], seed: int) -> Self:
        """Let every model learn."""
        self.parts = [part for part in self.parts if len(texts) >= MANY or part.kind != CatalogueWords.kind]
        for part in self.parts:
            part.fit(texts, seed)
        return self

    def embed(self, texts: list[str]) -> np.ndarray:
        """Put the vectors side by side; a text that one model does not know counts by the others."""
        return unit(np.hstack([part.embed(texts) for part in self.parts]))

    def state(self) -> dict[str, np.ndarray]:
        """What the models have to remember, each under its kind."""
        return {f"{part.kind}.{name}": array for part in self.parts for name, array in part.state().items()}

    def restore(self, state: Mapping[str, np.ndarray]) -> Self:
        """Take back what `state` gave."""
        own = {
            part.kind: {
                name.partition(".")[2]: array for name, array in state.items() if name.startswith(f"{part.kind}.")
            }
            for part in self.parts
        }
        self.parts = [part.restore(own[part.kind]) for part in self.parts if own[part.kind]]
        return self


def text_model(name: str) -> TextModel:
    """Make the model of a name: "wordllama", "catalogue", both joined with +, or a sentence model."""
    if name == WORDS:
        return ShippedWords()
    if name == CATALOGUE:
        return CatalogueWords()
    if name == BOTH:
        return Together([ShippedWords(), CatalogueWords()])
    return Sentences(name)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32; rows of (nearly) nothing become zero."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, length, out=np.zeros(vectors.shape, np.float32), where=length > 1e-6, casting="same_kind")
