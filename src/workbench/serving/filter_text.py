"""Looking into text: LIKE and CONTAINS over a whole vocabulary, without going through it text by text where it is long.

LIKE tells upper from lower case, CONTAINS does not. Vocabularies are joined into one array of bytes in which a search
for a run of characters is a few passes of numpy; only what holds the run is looked at further.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np

from workbench.columns import SEPARATOR
from workbench.serving.tables import TextColumn

MANY = 2_000  # texts in a vocabulary; from here on joining them pays
_GAP = "\0"


@dataclass(frozen=True, eq=False)
class JoinedTexts:
    """Texts as one array of UTF-8 bytes with a gap behind each.

    data: (b,) uint8.
    starts: (v,) int64, where each text begins.
    counts: (256,) how often each byte occurs.
    """

    data: np.ndarray
    starts: np.ndarray
    counts: np.ndarray

    @classmethod
    def of(cls, texts: Sequence[str]) -> "JoinedTexts":
        """Join texts."""
        encoded = [text.encode("utf-8", "surrogatepass") for text in texts]
        data = np.frombuffer(b"\0".join([*encoded, b""]), dtype=np.uint8)
        lengths = np.fromiter(map(len, encoded), dtype=np.int64, count=len(encoded)) + 1
        return cls(data, np.cumsum(lengths) - lengths, np.bincount(data, minlength=256))

    def holding(self, run: str) -> np.ndarray:
        """Positions of the texts that hold a run of characters without a gap in it, ascending."""
        needle = np.frombuffer(run.encode("utf-8", "surrogatepass"), dtype=np.uint8)
        if not len(needle):
            return np.arange(len(self.starts))
        rarest = int(np.argmin(self.counts[needle]))
        places = np.flatnonzero(self.data == needle[rarest]) - rarest
        places = places[(places >= 0) & (places + len(needle) <= len(self.data))]
        for offset, byte in enumerate(needle):
            if offset != rarest:
                places = places[self.data[places + offset] == byte]
        return np.unique(np.searchsorted(self.starts, places, side="right") - 1)


_JOINED: "WeakKeyDictionary[TextColumn, dict[bool, JoinedTexts]]" = WeakKeyDictionary()  # by column, folded or not


def texts_like(column: TextColumn, operator: str, texts: Sequence[str]) -> np.ndarray:
    """Which vocabulary entries any of the texts fits by LIKE or CONTAINS, (v,) bool."""
    found = np.zeros(len(column.vocabulary), dtype=bool)
    for text in texts:
        run = text.casefold() if operator == "CONTAINS" else longest_run(text)
        test = text_test(operator, [text], column.textual)
        if len(found) < MANY or not run or _GAP in run:
            found |= np.fromiter(map(test, column.vocabulary.tolist()), dtype=bool, count=len(found))
            continue
        holding = _joined(column, operator == "CONTAINS").holding(run)
        if operator == "LIKE" and text != f"%{run}%":
            fits = map(test, column.vocabulary[holding].tolist())
            holding = holding[np.fromiter(fits, dtype=bool, count=len(holding))]
        found[holding] = True
    return found


def text_test(operator: str, texts: Sequence[str], whole: bool, folded: bool = False) -> Callable[[str], bool]:
    """A test of one field: whether it, or one of the parts that | joins in it, matches any of the texts.

    Args:
        operator: "IN", "=", "LIKE" or "CONTAINS".
        texts: the values asked for.
        whole: the field has no parts.
        folded: upper and lower case are the same.
    """
    if operator == "CONTAINS":
        needles = [text.casefold() for text in texts]
        return lambda field: any(needle in field.casefold() for needle in needles)
    if folded:
        texts = [text.casefold() for text in texts]
    if operator == "LIKE":
        patterns = [like_pattern(text) for text in texts]

        def fits(text: str) -> bool:
            return any(pattern.fullmatch(text) for pattern in patterns)
    else:
        fits = frozenset(texts).__contains__

    def test(field: str) -> bool:
        field = field.casefold() if folded else field
        if fits(field):
            return True
        return not whole and SEPARATOR in field and any(fits(part) for part in field.split(SEPARATOR) if part)

    return test


def like_pattern(pattern: str) -> re.Pattern[str]:
    """A LIKE pattern as a regular expression: % is any run of characters, _ any one, a backslash takes their meaning.

    Each % stops at the first place where what follows it fits, so the time grows with the lengths and never faster.
    """
    runs = [""]
    for literal, character in _characters(pattern):
        if literal:
            runs[-1] += re.escape(character)
        elif character == "%":
            runs.append("")
        else:
            runs[-1] += "."
    if len(runs) == 1:
        return re.compile(runs[0], re.DOTALL)
    middle = "".join(f"(?>.*?{run})" for run in runs[1:-1] if run)
    return re.compile(f"{runs[0]}{middle}.*{runs[-1]}", re.DOTALL)


def longest_run(pattern: str) -> str:
    """The longest run of characters that every text which fits a LIKE pattern holds."""
    runs = [""]
    for literal, character in _characters(pattern):
        if literal:
            runs[-1] += character
        else:
            runs.append("")
    return max(runs, key=len)


def _characters(pattern: str) -> list[tuple[bool, str]]:
    """A LIKE pattern's characters, each with whether it stands for itself."""
    found, escaped = [], False
    for character in pattern:
        if character == "\\" and not escaped:
            escaped = True
            continue
        found.append((escaped or character not in "%_", character))
        escaped = False
    return [*found, (True, "\\")] if escaped else found


def _joined(column: TextColumn, folded: bool) -> JoinedTexts:
    kept = _JOINED.setdefault(column, {})
    if folded not in kept:
        texts = column.vocabulary.tolist()
        kept[folded] = JoinedTexts.of([text.casefold() for text in texts] if folded else texts)
    return kept[folded]
