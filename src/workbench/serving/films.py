"""What people know items by: titles with their year, found by what somebody types, and a first few to choose from."""

import math
import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import numpy as np

from workbench.errors import ServingError
from workbench.serving.deployment import Deployment
from workbench.serving.reasons import TITLES
from workbench.serving.tables import EntityTable

SEPARATOR = "|"
BY_ID = "id:"  # before a text that is meant as an id
NEAREST = 4  # titles that an error names
LOOKED_AT = 300  # characters of what somebody typed
WELL_KNOWN = 12  # times as many of the most chosen items as are offered, to draw from
ARTICLE = re.compile(r"^(.+), (The|A|An|La|Le|Les|Il|El|Los|Las|Der|Die|Das|L')(?: (\(.+\)))?$")
ALIAS = re.compile(r"^(.+?) \((.+)\)$")


@dataclass(frozen=True)
class Film:
    """An item as people know it.

    title: with its article in front; the id where there is none.
    genres: as the data has them; rarest: the one that fewest items share, "" without genres.
    """

    item_id: str
    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    rarest: str = ""

    @property
    def label(self) -> str:
        """Such as "Alien (1979)"."""
        return self.title if self.year is None else f"{self.title} ({self.year})"


class Films:
    """The items of a campaign, by title. It knows those that the campaign knew when this was made."""

    def __init__(self, items: EntityTable, popularity: np.ndarray, year: str = "YEAR", genres: str = "GENRES"):
        """Read titles, years and genres.

        Args:
            items: the catalogue.
            popularity: (n,) events by item code; what is chosen often comes first.
            year, genres: columns of the items; "" for none. Several genres in one field are joined with "|".

        Raises:
            ServingError: the items have no such column.
        """
        self.items, self.popularity = items, popularity
        title = next((name for name in TITLES if name in items.columns), "")
        named, years, groups = (_values(items, column) for column in (title, year, genres))
        split = [tuple(dict.fromkeys(filter(None, str(each).split(SEPARATOR)))) if each else () for each in groups]
        counts: dict[str, int] = {}
        for each in (genre for found in split for genre in found):
            counts[each] = counts.get(each, 0) + 1
        self.films = [
            Film(str(id_), spoken(str(name or id_)), _year(when), own, min(own, key=counts.__getitem__, default=""))
            for id_, name, when, own in zip(items.ids, named, years, split, strict=True)
        ]
        self._order = np.argsort(-popularity, kind="stable")
        self._folded = [fold(f"{film.label} {name or ''}") for film, name in zip(self.films, named, strict=True)]
        self._keys: dict[str, list[int]] = {}
        self._aliases: dict[str, list[int]] = {}
        for code, (film, name) in enumerate(zip(self.films, named, strict=True)):
            self._know(code, film, str(name or ""))

    @classmethod
    def of(cls, deployment: Deployment, year: str = "YEAR", genres: str = "GENRES") -> "Films":
        """The films of a deployed campaign; arguments and errors as for the class."""
        return cls(deployment.items, deployment.popularity, year, genres)

    def __len__(self) -> int:
        return len(self.films)

    def film(self, item_id: str) -> Film:
        """One film; of an id that is not known, one that is called by it."""
        code = self.items.code_of(item_id)
        return self.films[code] if code >= 0 else Film(item_id, item_id)

    def find(self, words: str) -> str:
        """The id of the one film that is meant.

        Args:
            words: a title, with its year or without, article before or after, in any case and without accents if need
                be; or an id, with `id:` before it where it is a title too.

        Raises:
            ServingError: there is none, and the message names the nearest titles; or there are several.
        """
        given = str(words).strip()
        if given.startswith(BY_ID):
            return self._by_id(given.removeprefix(BY_ID).strip())
        key = fold(given)
        by_id = self.items.code_of(given)
        found = self._keys.get(key) or ([] if by_id >= 0 else self._aliases.get(key, []))
        meant = list(dict.fromkeys([*found, *([by_id] if by_id >= 0 else [])]))
        if len(meant) == 1:
            return self.films[meant[0]].item_id
        if not meant:
            raise ServingError(f"There is no film {_cut(given)!r}. {self._near(key)}")
        several = ", ".join(
            f"{self.films[code].label} is {BY_ID}{self.films[code].item_id}" for code in meant[:NEAREST]
        )
        raise ServingError(
            f"{_cut(given)!r} may mean {len(meant)} films: {several}. Give the title with its year, or one "
            f"of these ids with {BY_ID} before it."
        )

    def find_all(self, words: Sequence[str]) -> list[str]:
        """The ids of several films, each as `find` takes it.

        Raises:
            ServingError: one is not found, two are the same film, or none is given.
        """
        if not words:
            raise ServingError("No film is named; name at least one, by its title or id.")
        found: dict[str, str] = {}
        for each in words:
            item_id = self.find(each)
            if item_id in found:
                raise ServingError(
                    f"{_cut(found[item_id])!r} and {_cut(str(each))!r} are the same film, {self.film(item_id).label}; "
                    "name it once."
                )
            found[item_id] = str(each)
        return list(found)

    def search(self, words: str, most: int = 12) -> list[str]:
        """Ids of the films whose title or year holds all words, or beginnings of words, the most chosen first."""
        asked = fold(words).split()
        if not asked:
            return []
        found = []
        for code in self._order.tolist():
            if all(f" {word}" in f" {self._folded[code]}" for word in asked):
                found.append(self.films[code].item_id)
                if len(found) == most:
                    break
        return found

    def offer(self, count: int, seed: int = 0, leave_out: Collection[str] = ()) -> list[str]:
        """Draw well-known films that differ: out of the most chosen ones, genre after genre.

        Args:
            count: how many; fewer where there are not so many.
            seed: of the draw.
            leave_out: ids that are not offered.

        Returns:
            Ids; no genre comes a second time as the leading one before all that there are came once.
        """
        draw = np.random.default_rng(seed)
        out = set(leave_out)
        pool = [self.films[code] for code in self._order.tolist() if self.films[code].item_id not in out]
        pool = pool[: WELL_KNOWN * count]
        groups: dict[str, list[str]] = {}
        for place in draw.permutation(len(pool)).tolist():
            groups.setdefault(pool[place].rarest, []).append(pool[place].item_id)
        found: list[str] = []
        names = [sorted(groups)[at] for at in draw.permutation(len(groups)).tolist()]
        while len(found) < count and any(groups.values()):
            found += [groups[name].pop() for name in names if groups[name]][: count - len(found)]
        return found

    def _know(self, code: int, film: Film, stored: str) -> None:
        year = "" if film.year is None else f" {film.year}"
        for title in {fold(film.title), fold(stored)} - {""}:
            for key in {title, title + year}:
                self._keys.setdefault(key, []).append(code)
        parts = ALIAS.match(stored)
        for part in parts.groups() if parts else ():
            for title in {fold(part), fold(spoken(part))} - {""}:
                for key in {title, title + year}:
                    self._aliases.setdefault(key, []).append(code)

    def _by_id(self, item_id: str) -> str:
        if self.items.code_of(item_id) < 0:
            raise ServingError(f"There is no item with the id {_cut(item_id)!r}. {self._near(fold(item_id))}")
        return item_id

    def _near(self, key: str) -> str:
        """What was probably meant, and how films are named."""
        known = self._aliases | self._keys
        labels = [
            self.films[code].label
            for close in get_close_matches(key, known, n=NEAREST, cutoff=0.6)
            for code in known[close]
        ] or [self.film(id_).label for id_ in self.search(key, NEAREST)]
        names = ", ".join(repr(each) for each in list(dict.fromkeys(labels))[:NEAREST])
        how = "Give a title as the catalogue has it, with or without the year, or an item's id."
        return f"Did you mean {names}? {how}" if names else how


def spoken(title: str) -> str:
    """A catalogue's title as people say it: "Godfather, The" becomes "The Godfather", in brackets too."""
    found = ARTICLE.match(title[:LOOKED_AT])
    if found is None:
        return title
    name, article, rest = found.groups()
    front = f"{article}{name}" if article.endswith("'") else f"{article} {name}"
    return f"{front} ({spoken(rest[1:-1])})" if rest else front


def fold(words: str) -> str:
    """A text for comparing: lower case, without accents and signs, blanks joined, at most 300 characters looked at."""
    apart = unicodedata.normalize("NFKD", str(words)[:LOOKED_AT]).casefold()
    kept = "".join(each for each in apart if not unicodedata.combining(each) and each != "'")
    return " ".join("".join(each if each.isalnum() else " " for each in kept).split())


def _values(items: EntityTable, column: str) -> Sequence[Any]:
    if not column:
        return [None] * len(items)
    found = items.column(column)
    return [found.value(code) for code in range(len(items))]


def _year(value: object) -> int | None:
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None
    return int(number) if math.isfinite(number) else None


def _cut(words: str, most: int = 60) -> str:
    return words if len(words) <= most else words[: most - 1] + "…"
