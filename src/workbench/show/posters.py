"""Posters drawn from data: a film's title, year and genres as an inline SVG that needs nothing from outside.

The leading genre gives the drawing and its colours; the other genres stand below it as small ones, and in words.
The same film looks the same everywhere. A poster brings its own ground, so it reads on dark pages and light ones.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from workbench.show import poster_motifs as motifs
from workbench.show.charts.theme import BLUE, GREEN, GREY, ORANGE, PURPLE, RED, SKY, YELLOW
from workbench.show.poster_motifs import Motif

DARK, LIGHT = "#111827", "#FFFFFF"
NIGHT, SAND = "#1F2937", "#E7E0D0"  # two more grounds, told apart by their lightness
GENRES: dict[str, tuple[str, str, Motif]] = {  # lower case, to ground, ink and drawing
    "action": (RED, DARK, motifs.burst),
    "adventure": (GREEN, DARK, motifs.mountains),
    "animation": (YELLOW, DARK, motifs.bounces),
    "children's": (SKY, DARK, motifs.balloons),
    "comedy": (ORANGE, DARK, motifs.smile),
    "crime": (SAND, DARK, motifs.fingerprint),
    "documentary": (LIGHT, DARK, motifs.reel),
    "drama": (PURPLE, DARK, motifs.curtain),
    "fantasy": (BLUE, LIGHT, motifs.moon),
    "film-noir": (NIGHT, LIGHT, motifs.blinds),
    "horror": (NIGHT, ORANGE, motifs.teeth),
    "musical": (YELLOW, DARK, motifs.notes),
    "mystery": (GREY, LIGHT, motifs.magnifier),
    "romance": (PURPLE, DARK, motifs.heart),
    "sci-fi": (BLUE, LIGHT, motifs.planet),
    "thriller": (SAND, DARK, motifs.spiral),
    "war": (GREEN, DARK, motifs.chevrons),
    "western": (ORANGE, DARK, motifs.cactus),
}
GROUNDS = ((BLUE, LIGHT), (ORANGE, DARK), (GREEN, DARK), (RED, DARK), (SKY, DARK), (PURPLE, DARK), (GREY, LIGHT))
WIDTH, HEIGHT, MARGIN = 200, 316, 12
ROOM = WIDTH - 2 * MARGIN  # units of a line
ART, LEADING, YEAR = 162, 1.12, 20  # where the words begin; type sizes of a line; units of the line with the year
SIZES = ((20, 4), (17, 5), (15, 5))  # of the title's type, the first one that it fits: units, lines
SMALL = 15  # units of the other words
BOLD = 1.16  # times as wide as the usual weight, in wide types
LONGEST = 300  # characters of a title that are looked at
NAMED = 6  # genres that are drawn and written
NOTHING = "untitled"
INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}  # controls, direction marks, halves of characters
FONT = "system-ui,-apple-system,'Segoe UI',Roboto,sans-serif"
# No ul: JupyterLab puts dots before the items of any list.
STYLE = (
    "<style>.wb-posters{display:grid;grid-template-columns:repeat(auto-fill,minmax(8.6em,1fr));gap:.7em;"
    "margin:.4em 0 1em;max-width:64em}.wb-posters>div{min-width:0}"
    ".wb-posters svg{display:block;width:100%;height:auto}</style>"
)


@dataclass(frozen=True)
class Poster:
    """What is drawn.

    genres: as they are written; `lead`, one of them, gives the drawing, "" takes the first.
    """

    title: str
    year: int | None = None
    genres: tuple[str, ...] = ()
    lead: str = ""

    @property
    def words(self) -> str:
        """The poster in words, for those who do not see it."""
        year = [] if self.year is None else [str(self.year)]
        return ", ".join(["Poster: " + (plain(self.title) or NOTHING), *year, *filter(None, map(plain, self.genres))])

    def _repr_html_(self) -> str:
        return f'<div style="max-width:13em">{poster_svg(self)}</div>'


@dataclass(frozen=True)
class Posters:
    """Posters side by side, as many as fit the page's width."""

    posters: tuple[Poster, ...]

    def _repr_html_(self) -> str:
        if not self.posters:
            return "<p>No posters.</p>"
        each = "".join(f'<div role="listitem">{poster_svg(poster)}</div>' for poster in self.posters)
        return f'{STYLE}<div class="wb-posters" role="list">{each}</div>'

    def __repr__(self) -> str:
        return "\n".join(each.words for each in self.posters) or "No posters."


def show_posters(posters: Sequence[Poster]) -> Posters:
    """Show posters in a grid, two beside each other on a phone."""
    return Posters(tuple(posters))


def poster_svg(poster: Poster) -> str:
    """Draw a poster; every text of the data is escaped, and cut where it does not fit.

    Returns:
        One `svg` element without ids, scripts, styles or links, 200 units wide and 316 high; it scales with its box.
    """
    genres = "\u00a0· ".join(filter(None, map(plain, poster.genres[:NAMED])))
    size, lines, below = _fitted(plain(poster.title) or NOTHING, genres, poster.year is not None)
    y, words = ART + size, []
    for line in lines:
        words.append(_text(line, y, size, weight=700))
        y += size * LEADING
    y += 3
    if poster.year is not None:
        words.append(_text(str(poster.year), y, SMALL + 1, fill="#FDE68A", weight=600))
        y += YEAR
    words += [_text(line, y + place * (SMALL + 2), SMALL, fill="#E5E7EB") for place, line in enumerate(below)]
    said = escape(poster.words)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" role="img" aria-label="{said}" '
        f'xmlns="http://www.w3.org/2000/svg"><title>{said}</title>'
        f'<rect x="1" y="1" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="8" fill="{DARK}"/>'
        f"{_art(poster)}{''.join(words)}"
        f'<rect x="1" y="1" width="{WIDTH - 2}" height="{HEIGHT - 2}" rx="8" fill="none" stroke="#6B7280" '
        'stroke-width="2"/></svg>'
    )


def stamp_svg(poster: Poster, width: float = 3.4) -> str:
    """The drawing alone, `width` em wide, for a line that says the rest in words; hidden from readers of the screen."""
    return (
        f'<svg viewBox="0 0 200 160" aria-hidden="true" focusable="false" style="width:{width}em;height:auto;'
        f'border-radius:4px;border:1px solid #6B7280;flex:none" xmlns="http://www.w3.org/2000/svg">{_drawn(poster)}</svg>'
    )


def plain(words: object) -> str:
    """A text without what cannot be seen or could turn its neighbours round, blanks joined, at most 300 characters."""
    shown = "".join(" " if each.isspace() else each for each in str(words)[: 4 * LONGEST])
    kept = "".join(each for each in shown if unicodedata.category(each) not in INVISIBLE)
    return " ".join(kept.split())[:LONGEST]


def wrap(words: str, room: float, most: int) -> list[str]:
    """Break a text into lines; a word that is too long is broken, and what is left over is cut with an ellipsis.

    Args:
        words: without line breaks.
        room: width of a line, in type sizes.
        most: lines.
    """
    lines = [""]
    for word in words.split(" "):
        for piece in _pieces(word, room):
            longer = f"{lines[-1]} {piece}".strip()
            if _wide(longer) <= room:
                lines[-1] = longer
            else:
                lines.append(piece)
    lines = [line for line in lines if line]
    if len(lines) <= most:
        return lines
    last = lines[most - 1]
    while last and _wide(last + "…") > room:
        last = last[:-1]
    return [*lines[: most - 1], last.rstrip(" ·\u00a0") + "…"]


def _fitted(title: str, genres: str, year: bool) -> tuple[int, list[str], list[str]]:
    """The largest type in which all words fit, no word of the title broken; the smallest where none does.

    Returns:
        Units of the title's type, its lines, and those of the genres.
    """
    for size, most in SIZES:
        room = ROOM / size / BOLD
        lines = wrap(title, room, most)
        end = ART + size + len(lines) * size * LEADING + 3 + (YEAR if year else 0)
        left = max(1, int((HEIGHT - 8 - end) // (SMALL + 2)) + 1)
        whole = len(wrap(title, room, most + 1)) <= most and all(_wide(word) <= room for word in title.split(" "))
        if whole and len(wrap(genres, ROOM / SMALL, left + 1)) <= left:
            break
    return size, lines, wrap(genres, ROOM / SMALL, left)


def _pieces(word: str, room: float) -> list[str]:
    found = [""]
    for each in word:
        if found[-1] and _wide(found[-1] + each) > room:
            found.append("")
        found[-1] += each
    return found


def _wide(words: str) -> float:
    """About how wide a text is, in type sizes, rather too wide than too narrow."""
    return sum(map(_width, words))


def _width(each: str) -> float:
    if unicodedata.combining(each):
        return 0
    if unicodedata.east_asian_width(each) in "WF" or ord(each) > 0x1F000:
        return 1.1
    if each in "iljtfrI.,:;'!|()[] -·":
        return 0.36
    return 1.0 if each in "mwMW@%…" else 0.72 if each.isupper() else 0.61


def _text(words: str, y: float, size: float, fill: str = LIGHT, weight: int = 400) -> str:
    return (
        f'<text x="{MARGIN}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'font-family="{FONT}">{escape(words)}</text>'
    )


def _art(poster: Poster) -> str:
    """The drawing in the upper part, with the other genres small in its corner."""
    drawn = '<svg x="2" y="2" width="196" height="148" viewBox="0 0 200 160" preserveAspectRatio="none">'
    others = [each for each in poster.genres[:NAMED] if each != _lead(poster)]
    small = "".join(
        f'<svg x="{170 - 30 * place}" y="126" width="26" height="21" viewBox="0 0 200 160">{_genre(each, poster.title)}'
        f'<rect x="4" y="4" width="192" height="152" fill="none" stroke="{DARK}" stroke-width="12"/></svg>'
        for place, each in enumerate(reversed(others))
    )
    return f"{drawn}{_drawn(poster)}</svg>{small}"


def _drawn(poster: Poster) -> str:
    return _genre(_lead(poster), poster.title)


def _lead(poster: Poster) -> str:
    return poster.lead or (poster.genres[0] if poster.genres else "")


def _genre(genre: str, title: str) -> str:
    """Ground and drawing of a genre; one that has none gets tiles and a ground by its name."""
    found = GENRES.get(genre.casefold())
    if found is None:
        ground, ink = motifs.generator(genre).choice(GROUNDS)
        return _ground(ground) + motifs.tiles(motifs.generator(genre), ink)
    ground, ink, motif = found
    return _ground(ground) + motif(motifs.generator(title, genre), ink)


def _ground(colour: str) -> str:
    return f'<rect width="200" height="160" fill="{colour}"/>'
