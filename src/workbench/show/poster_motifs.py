"""What stands on a poster: one drawing for every genre, in shapes alone, so that colour is never the only sign.

Every drawing fills 200 × 160 units and differs a little from film to film, by the draws of a seeded generator.
"""

import math
from collections.abc import Callable
from hashlib import blake2b
from random import Random

WIDTH, HEIGHT = 200, 160
Motif = Callable[[Random, str], str]  # generator and the colour of the ink to SVG


def _n(value: float) -> str:
    return f"{value:.1f}".rstrip("0").rstrip(".")


def _circle(x: float, y: float, r: float, ink: str, line: float = 0) -> str:
    paint = f'fill="none" stroke="{ink}" stroke-width="{_n(line)}"' if line else f'fill="{ink}"'
    return f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(r)}" {paint}/>'


def _path(way: str, ink: str, line: float = 0) -> str:
    paint = f'fill="none" stroke="{ink}" stroke-width="{_n(line)}" stroke-linecap="round"' if line else f'fill="{ink}"'
    return f'<path d="{way}" {paint}/>'


def _polygon(points: list[tuple[float, float]], ink: str) -> str:
    return f'<polygon points="{" ".join(f"{_n(x)},{_n(y)}" for x, y in points)}" fill="{ink}"/>'


def _star(x: float, y: float, outer: float, inner: float, spikes: int, ink: str, turn: float = 0) -> str:
    points = []
    for place in range(2 * spikes):
        r, angle = (inner if place % 2 else outer), turn + math.pi * place / spikes
        points.append((x + r * math.sin(angle), y - r * math.cos(angle)))
    return _polygon(points, ink)


def burst(draw: Random, ink: str) -> str:
    """An explosion."""
    return _star(100, 80, 66, 32, draw.randint(9, 13), ink, draw.random())


def mountains(draw: Random, ink: str) -> str:
    """Peaks under a sun."""
    first, second = draw.uniform(55, 75), draw.uniform(125, 150)
    ground = _path(f"M0 160L{_n(first)} 50L{_n(first + 42)} 112L{_n(second)} 68L200 160Z", ink)
    return ground + _circle(draw.uniform(112, 160), 34, 14, ink)


def bounces(draw: Random, ink: str) -> str:
    """A ball that jumps, image by image."""
    high = draw.uniform(0.8, 1.1)
    places = [(20 + 20 * step, 128 - 88 * high * abs(math.sin(step * math.pi / 4))) for step in range(9)]
    return "".join(_circle(x, y, 5 + step, ink) for step, (x, y) in enumerate(places))


def balloons(draw: Random, ink: str) -> str:
    """Three balloons on strings."""
    found = []
    for x in (55, 100, 145):
        y = draw.uniform(42, 72)
        found.append(f'<ellipse cx="{x}" cy="{_n(y)}" rx="20" ry="26" fill="{ink}"/>')
        found.append(_path(f"M{x} {_n(y + 26)}Q{x - 14} {_n(y + 60)} 100 160", ink, 2.5))
    return "".join(found)


def smile(draw: Random, ink: str) -> str:
    """A laughing face."""
    deep = draw.uniform(128, 142)
    eyes = _circle(74, 62, 9, ink) + _circle(126, 62, 9, ink)
    return _circle(100, 80, 62, ink, 7) + eyes + _path(f"M62 88Q100 {_n(deep + 20)} 138 88Z", ink)


def fingerprint(draw: Random, ink: str) -> str:
    """Arches of a fingerprint."""
    lean = draw.uniform(-12, 12)
    arches = "".join(
        _path(f"M{100 - r} 146V{78}A{r} {r} 0 0 1 {100 + r} 78V{_n(146 - r / 2)}", ink, 5.5) for r in range(8, 63, 13)
    )
    return f'<g transform="rotate({_n(lean)} 100 80)">{arches}</g>'


def reel(draw: Random, ink: str) -> str:
    """A reel of film."""
    turn = draw.random()
    holes = [(100 + 36 * math.sin(turn + k * 1.2566), 80 + 36 * math.cos(turn + k * 1.2566)) for k in range(5)]
    found = [_circle(100, 80, 60, ink, 8), _circle(100, 80, 8, ink)]
    return "".join(found + [_circle(x, y, 13, ink) for x, y in holes])


def curtain(draw: Random, ink: str) -> str:
    """A stage with its curtains drawn aside."""
    open_ = draw.uniform(26, 40)
    left = "".join(_path(f"M{x} 0Q{x} 90 {_n(x * open_ / 90)} 160", ink, 7) for x in (8, 30, 52, 74, 92))
    right = "".join(
        _path(f"M{200 - x} 0Q{200 - x} 90 {_n(200 - x * open_ / 90)} 160", ink, 7) for x in (8, 30, 52, 74, 92)
    )
    return left + right


def moon(draw: Random, ink: str) -> str:
    """A crescent among stars."""
    stars = [(draw.uniform(110, 185), draw.uniform(20, 140), draw.uniform(6, 13)) for _ in range(6)]
    crescent = _path("M96 22A60 60 0 1 0 96 138A48 48 0 1 1 96 22Z", ink)
    return crescent + "".join(_star(x, y, r, r / 2.6, 4, ink) for x, y, r in stars)


def blinds(draw: Random, ink: str) -> str:
    """Light through blinds."""
    lean = draw.uniform(10, 26)
    rows = range(8, 160, 22)
    return "".join(_polygon([(20, y + lean), (180, y), (180, y + 10), (20, y + 10 + lean)], ink) for y in rows)


def teeth(draw: Random, ink: str) -> str:
    """Two rows of teeth."""
    above = "".join(f"L{x + 10} {_n(draw.uniform(56, 82))}L{x + 20} 0" for x in range(0, 200, 20))
    below = "".join(f"L{x + 10} {_n(draw.uniform(92, 118))}L{x + 20} 160" for x in range(0, 200, 20))
    return _path(f"M0 0{above}Z", ink) + _path(f"M0 160{below}Z", ink)


def notes(draw: Random, ink: str) -> str:
    """Two notes under a beam, and a staff."""
    up = draw.uniform(20, 34)
    staff = "".join(_path(f"M0 {y}H200", ink, 1.5) for y in range(40, 141, 20))
    heads = "".join(f'<ellipse cx="{x}" cy="{y}" rx="17" ry="12" fill="{ink}"/>' for x, y in ((66, 128), (138, 116)))
    beam = _path(f"M82 126V{_n(up + 14)}L154 {_n(up)}V114", ink, 5) + _path(
        f"M82 {_n(up + 18)}L154 {_n(up + 4)}", ink, 11
    )
    return staff + heads + beam


def magnifier(draw: Random, ink: str) -> str:
    """A magnifying glass over a question."""
    x = draw.uniform(76, 92)
    mark = _path(f"M{_n(x - 14)} 52A15 15 0 1 1 {_n(x + 2)} 70V80", ink, 7) + _circle(x + 2, 94, 4.5, ink)
    return _circle(x, 70, 46, ink, 8) + _path(f"M{_n(x + 34)} 104L{_n(x + 76)} 146", ink, 15) + mark


def heart(draw: Random, ink: str) -> str:
    """A heart, and a small one."""
    way = "M0 -16C-14 -42 -56 -34 -50 2C-46 26 -14 42 0 58C14 42 46 26 50 2C56 -34 14 -42 0 -16Z"
    x = draw.choice((36, 164))
    small = f'<g transform="translate({x} 34) scale(.34)">{_path(way, ink)}</g>'
    return f'<g transform="translate(100 76) rotate({_n(draw.uniform(-14, 14))})">{_path(way, ink)}</g>{small}'


def planet(draw: Random, ink: str) -> str:
    """A planet with a ring, and stars."""
    stars = [(draw.uniform(6, 194), draw.uniform(6, 154)) for _ in range(14)]
    ring = f'<ellipse cx="100" cy="80" rx="76" ry="18" fill="none" stroke="{ink}" stroke-width="6"/>'
    turned = f'<g transform="rotate({_n(draw.uniform(-30, 30))} 100 80)">{ring}</g>'
    return "".join(_circle(x, y, 2.4, ink) for x, y in stars) + _circle(100, 80, 42, ink) + turned


def spiral(draw: Random, ink: str) -> str:
    """A spiral that draws in."""
    turn, steps = draw.uniform(0, 6.28), range(0, 121)
    points = [(t / 120 * 74, turn + t / 120 * 8 * math.pi) for t in steps]
    way = "L".join(f"{_n(100 + r * math.cos(a))} {_n(80 + r * math.sin(a))}" for r, a in points)
    return _path(f"M{way}", ink, 7)


def chevrons(draw: Random, ink: str) -> str:
    """Stripes of rank under a star."""
    low = draw.uniform(0, 8)
    rows = [62 + low, 88 + low, 114 + low]
    return _star(100, 32, 24, 10, 5, ink) + "".join(
        _path(f"M40 {_n(y)}L100 {_n(y + 26)}L160 {_n(y)}", ink, 11) for y in rows
    )


def cactus(draw: Random, ink: str) -> str:
    """A cactus before a low sun."""
    x, sun = draw.uniform(58, 78), draw.uniform(128, 146)
    arms = _path(f"M{_n(x)} 106H{_n(x - 28)}V72", ink, 12) + _path(f"M{_n(x)} 88H{_n(x + 28)}V58", ink, 12)
    return _path("M0 150H200", ink, 8) + _path(f"M{_n(x)} 150V36", ink, 17) + arms + _circle(sun, 54, 24, ink, 6)


def tiles(draw: Random, ink: str) -> str:
    """Squares as a hash of the name sets them, for genres that have no drawing of their own."""
    half = [[draw.random() < 0.55 for _ in range(3)] for _ in range(5)]
    rows = [row + row[1::-1] for row in half]
    return "".join(
        f'<rect x="{36 + 26 * column}" y="{16 + 26 * line}" width="22" height="22" rx="3" fill="{ink}"/>'
        for line, row in enumerate(rows)
        for column, filled in enumerate(row)
        if filled
    )


def generator(*words: str) -> Random:
    """A generator whose draws follow from the words alone, on every machine."""
    return Random(int.from_bytes(blake2b("\0".join(words).encode("utf-8", "replace"), digest_size=8).digest()))
