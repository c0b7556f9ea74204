"""Words from data on figures: cut, broken into lines, and never read as HTML."""

from workbench.show.tables import shorten

NAME = 26  # characters of a title on an axis


def label(words: str, length: int = NAME) -> str:
    """A title on an axis: cut, and without anything that plotly would read as HTML."""
    return shorten(words, length).replace("&", "&amp;").replace("<", "&lt;")


def different(labels: list[str]) -> list[str]:
    """Labels of which no two are the same, so that each has its own row; zero-width spaces tell them apart."""
    return [f"{each}{chr(0x200B) * labels[:place].count(each)}" for place, each in enumerate(labels)]


def wrapped(words: str, width: int = 48) -> str:
    """Break a title at blanks, so that it fits a phone; data cannot add HTML."""
    lines = [""]
    for word in words.replace("&", "&amp;").replace("<", "&lt;").split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "<br>".join(lines)
