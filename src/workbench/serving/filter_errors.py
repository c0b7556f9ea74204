"""Where a filter is wrong: the line and column, the characters underlined, what is needed."""

import unicodedata

from workbench.errors import FilterError

WINDOW = 100  # characters of a long line that are shown around the place
BEFORE = 60  # of these, how many stand before it
LONGEST = 400  # characters of what is said about it: a list of thousands is not repeated


class FilterTextError(FilterError):
    """A place in a filter's text that cannot be used.

    Attributes:
        problem: what is wrong.
        text: the whole filter.
        start: the first character at fault, counted from 0; the text's length means its end.
        end: past the last character at fault.
        advice: what to write instead; "" when the problem says it.
    """

    def __init__(self, problem: str, text: str, start: int, end: int, advice: str = ""):
        problem, advice = shortened(problem), shortened(advice)
        super().__init__(problem, text, start, end, advice)
        self.problem, self.text, self.start, self.end, self.advice = problem, text, start, end, advice

    @property
    def line(self) -> int:
        """The line, counted from 1."""
        return self.text.count("\n", 0, self.start) + 1

    @property
    def column(self) -> int:
        """The character of the line, counted from 1, whatever its width."""
        return self.start - self.text.rfind("\n", 0, self.start)

    def __str__(self) -> str:
        lines = [
            f"Line {self.line}, column {self.column}: {self.problem}",
            *underlined(self.text, self.start, self.end),
        ]
        return "\n".join([*lines, self.advice] if self.advice else lines)


def shortened(said: str) -> str:
    """Cut what is said when a name or a list in it is very long."""
    return said if len(said) <= LONGEST else f"{said[: LONGEST // 2]} … {said[-LONGEST // 2 :]}"


def underlined(text: str, start: int, end: int) -> list[str]:
    """Show the line of a place, cut to a window when it is long, and carets under the place.

    Tabs stay tabs in both lines, wide characters get two carets, combining marks none, and what cannot be printed is
    shown as a replacement character, so that the carets stand where they should.
    """
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    last = len(text) if last < 0 else last
    left = max(first, start - BEFORE) if last - first > WINDOW else first
    right = min(last, left + WINDOW)
    head, tail = ("…" if left > first else ""), ("…" if right < last else "")
    shown = head + printable(text[left:right].rstrip("\r")) + tail
    padding = "".join("\t" if each == "\t" else " " * width(each) for each in printable(text[left:start]))
    carets = "^" * max(1, sum(map(width, printable(text[start : min(end, right)]))))
    return [f"    {shown}", f"    {' ' * len(head)}{padding}{carets}"]


def printable(text: str) -> str:
    """Replace what would move or hide characters: controls, direction marks, halves of pairs, line separators."""
    return "".join(each if each == "\t" or shows(each) else "\ufffd" for each in text)


def shows(character: str) -> bool:
    """Whether a character neither hides nor moves others."""
    return unicodedata.category(character)[0] != "C" and character not in "\u2028\u2029"


def width(character: str) -> int:
    """Columns that a character takes in a terminal."""
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def quoted(text: str, longest: int = 40) -> str:
    """Put what was written into quotes, cut when it is long, unprintable characters spelt out."""
    return repr(str(text) if len(text) <= longest else text[: longest - 1] + "…")


def character_name(character: str) -> str:
    """Name a character so that one that cannot be seen, or looks like another, is told apart."""
    code = f"U+{ord(character):04X}"
    name = unicodedata.name(character, "")
    if character.isascii() and character.isprintable():
        return repr(character)
    return f"{character!r} ({code}{' ' + name.lower() if name else ''})"
