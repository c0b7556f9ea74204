"""How one column of free text becomes sparse features: TF-IDF over the words that several rows share."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from scipy import sparse

MOST_TERMS = 5_000  # words of one column that get a feature
LEAST_ROWS = 2  # a word of one row alone relates it to nothing
MOST_SHARE = 0.5  # of the rows with a text; more frequent words say nothing about a row
SAMPLE = 200_000  # rows that the words are learned from
WORD = r"(?u)\b\w\w+\b"  # two word characters or more, of any script


@dataclass(frozen=True)
class Text:
    """A column of free text: a feature per word, weighted by TF-IDF, each row of length 1.

    A word's weight is (1 + ln f) * idf with f its count in the row and idf = ln((1 + n) / (1 + rows with it)) + 1,
    where n is the number of rows with a text. Source: Salton and Buckley 1988, sublinear counts and smoothed idf.

    terms: sorted. idf: one per term.
    """

    kind: ClassVar[str] = "text"
    column: str
    terms: np.ndarray
    idf: np.ndarray

    @property
    def names(self) -> list[str]:
        """Feature names such as DESCRIPTION~wizard."""
        return [f"{self.column}~{term}" for term in self.terms]

    def encode(self, column: pd.Series) -> sparse.csr_matrix:
        """Weigh the words; a row without known words is empty."""
        from sklearn.feature_extraction.text import CountVectorizer
        from sklearn.preprocessing import normalize

        counter = CountVectorizer(vocabulary=list(self.terms), token_pattern=WORD, dtype=np.float32)
        counts = counter.transform(_texts(column)).tocsr()
        counts.data = np.log(counts.data) + np.float32(1.0)
        weighted = counts @ sparse.diags(self.idf.astype(np.float32), format="csr")
        return sparse.csr_matrix(normalize(weighted, copy=False), dtype=np.float32)

    def state(self) -> dict[str, np.ndarray]:
        """What it has to remember."""
        return {"terms": self.terms.astype(str), "idf": self.idf}

    @classmethod
    def restore(cls, column: str, state: dict[str, np.ndarray]) -> "Text":
        """Take back what `state` gave."""
        return cls(column, state["terms"], state["idf"])


def learn_text(column: pd.Series, seed: int) -> tuple[Text | None, dict[str, int | str]]:
    """Find the words that relate a column's rows: in at least two of them and in at most half.

    Args:
        column: text.
        seed: draws the rows that the words are learned from where there are more than SAMPLE.

    Returns:
        The encoder, or None where no word is shared, and what was counted.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    filled = column.dropna().astype(str)
    filled = filled[filled.str.strip() != ""]
    noted: dict[str, int | str] = {"kind": Text.kind, "missing": len(column) - len(filled)}
    if len(filled) > SAMPLE:
        noted |= {"rows_not_read_for_words": len(filled) - SAMPLE}
        filled = filled.iloc[np.sort(np.random.default_rng(seed).choice(len(filled), SAMPLE, replace=False))]
    if not any(re.search(WORD, each) for each in filled):
        return None, noted
    counter = CountVectorizer(token_pattern=WORD, binary=True, dtype=np.int64)
    rows_with = np.asarray(counter.fit_transform(filled.to_list()).sum(axis=0)).ravel()
    terms = counter.get_feature_names_out()
    usable = np.flatnonzero((rows_with >= LEAST_ROWS) & (rows_with <= max(LEAST_ROWS, MOST_SHARE * len(filled))))
    order = usable[np.argsort(-rows_with[usable], kind="stable")]
    kept = np.sort(order[:MOST_TERMS])
    noted |= {"words": len(terms), "words_left_out": len(terms) - len(kept)}
    if len(kept) == 0:
        return None, noted
    idf = np.log((1.0 + len(filled)) / (1.0 + rows_with[kept])) + 1.0
    return Text(str(column.name), terms[kept].astype(str), idf), noted


def _texts(column: pd.Series) -> list[str]:
    return column.astype("object").where(column.notna(), "").astype(str).to_list()
