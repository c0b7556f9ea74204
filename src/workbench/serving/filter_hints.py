"""What was expected where a filter's grammar stops, in plain words, and what was probably meant."""

import re
from collections.abc import Callable, Collection

from lark import Token

from workbench.errors import meant
from workbench.serving.filter_errors import FilterTextError, character_name, quoted
from workbench.serving.filter_tree import CURRENT_USER, DATASETS

OPERATORS = ("IN", "NOT IN", "=", "!=", "<", "<=", ">", ">=", "LIKE", "CONTAINS")
OPENING, CLOSING = "“„«‘‚‹”»’›", "\"'"
ADVICE_ON_CHARACTERS = {
    "\\": "Outside of quotes no backslash is needed; drop those that came from JSON or a command line.",
    "$": "A parameter is $ and a name of letters, digits and _, such as $GENRES.",
    "&": "Write AND.",
    "!": "Write NOT, or != between a column and a value.",
    ";": "A filter ends without a semicolon; join expressions with |.",
    "[": "Lists stand in round brackets: IN (…).",
    "{": "Lists stand in round brackets: IN (…).",
    "%": 'A pattern is a text in quotes: LIKE "A%".',
    "~": 'For patterns write LIKE "A%".',
    ".": "A column is written Dataset.COLUMN, such as Items.PRICE; a number 0.5.",
    "-": "A number is written -5; a time NOW() - 30d, with w, d, h, m or s for the unit.",
    "+": "A time is written NOW() + 30d, with w, d, h, m or s for the unit.",
}
ADVICE_ON_WORDS = {
    "BETWEEN": "Write >= the lower AND <= the upper value.",
    "IS": 'A missing value passes no comparison; to keep only items that have one, use != "".',
    "EQUALS": "Write =.",
    "HAS": 'Write CONTAINS "text", or IN ("value").',
}


def unreadable(text: str, start: int) -> FilterTextError:
    """The error for a character that begins nothing."""
    character = text[start]
    if character in CLOSING:
        advice = f"Close it with {character} on the right; inside write \\{character} for {character}."
        return FilterTextError("a text is not closed.", text, start, start + 1, advice)
    advice = ADVICE_ON_CHARACTERS.get(character, "")
    if character in OPENING:
        advice = 'Texts stand in straight double quotes: "text".'
    elif not advice and not (character.isascii() and character.isprintable()):
        advice = "If it belongs to a value, put that into double quotes; if it cannot be seen, delete it."
    return FilterTextError(f"{character_name(character)} means nothing here.", text, start, start + 1, advice)


def misplaced(text: str, before: list[Token], token: Token, accepted: Collection[str]) -> FilterTextError:
    """The error for a token that does not go on from those before.

    Args:
        text: the whole filter.
        before: all tokens that were taken.
        token: the one that was not.
        accepted: the terminals that would have been.
    """
    problem, advice = explanation(before, token, accepted)(text, before, token)
    return FilterTextError(problem, text, token.start_pos, token.start_pos + len(token), advice)


def cut_short(text: str, before: list[Token], accepted: Collection[str]) -> FilterTextError:
    """The error for a filter that ends too early: it points at the open bracket, else at the end."""
    if not before:
        advice = 'Write one such as INCLUDE ItemID WHERE Items.GENRES IN ("Comedy").'
        return FilterTextError("the filter is empty.", text, len(text), len(text), advice)
    opened = [token for token in before if token.type in ("LPAR", "RPAR")]
    if "RPAR" in accepted and opened:
        depth = []
        for token in opened:
            depth = [*depth, token] if token.type == "LPAR" else depth[:-1]
        start = depth[-1].start_pos
        return FilterTextError("a bracket is not closed.", text, start, start + 1, "Close it with ).")
    end = before[-1].start_pos + len(before[-1])
    nothing = Token("$END", "", start_pos=end)
    problem, advice = explanation(before, nothing, accepted)(text, before, nothing)
    return FilterTextError(problem, text, end, end, advice)


Explanation = Callable[[str, list[Token], Token], tuple[str, str]]


def explanation(before: list[Token], token: Token, accepted: Collection[str]) -> Explanation:
    """Choose by what could have followed."""
    if "INCLUDE" in accepted:
        return at_the_beginning
    if "TARGET" in accepted:
        return at_the_target
    if "WHERE" in accepted:
        return at_where
    if "STAR" in accepted:
        return at_a_value
    if "COMPARISON" in accepted or "LIKE" in accepted:
        return at_an_operator
    if "COMMA" in accepted:
        return in_a_list
    if "FIELD" in accepted:
        return at_a_condition
    return after_a_condition


def got(token: Token) -> str:
    """Name a token, or the end."""
    return quoted(token.strip()) if token.type != "$END" else "the end of the filter"


def at_the_beginning(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """INCLUDE or EXCLUDE is due."""
    where = "after | another expression" if before else "a filter"
    advice = "INCLUDE keeps only what meets the conditions, EXCLUDE removes it."
    return f"{where} begins with INCLUDE or EXCLUDE, not with {got(token)}.", hint(
        token, ("INCLUDE", "EXCLUDE"), advice
    )


def at_the_target(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """ItemID, UserID or ActionID is due."""
    advice = "Items are listed by most recipes, users by segments, actions by next-best-action."
    targets = ("ItemID", "UserID", "ActionID")
    return f"after {before[-1]} comes ItemID, UserID or ActionID, not {got(token)}.", hint(token, targets, advice)


def at_where(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """WHERE is due."""
    if token.type == "IF":
        return "IF comes last, after the conditions that follow WHERE.", (
            "First WHERE and its conditions, then IF and those on the user: "
            f'{before[-1]} WHERE Items.COLUMN IN ("value") IF CurrentUser.COLUMN = …'
        )
    if token.type in ("FIELD", "LPAR", "NOT"):
        return f"WHERE is missing before {got(token)}.", f"Write {before[-1]} WHERE {token}…"
    return f"after {before[-1]} comes WHERE, not {got(token)}.", hint(token, ("WHERE",), "")


def at_a_condition(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """A field is due."""
    user = any(each.type == "IF" for each in since_the_bar(before))
    datasets = (CURRENT_USER,) if user else DATASETS
    example = "CurrentUser.AGE >= 18" if user else "Items.PRICE < 10"
    rest = text[token.start_pos + len(token) :]
    if token.type == "WORD" and re.match(r"\s*\.", rest):
        return f"the column's name is missing after {got(token)} and its dot.", f"Write {token}.COLUMN."
    if token.type == "WORD" and re.match(r"\s*(?:[<>=!≤≥≠]|(?:not\s+)?(?:in|like|contains)\b)", rest, re.I):
        return f"{got(token)} has no dataset before it.", f"Write {datasets[1 if len(datasets) > 1 else 0]}.{token}" + (
            "." if user else f"; there are {', '.join(DATASETS)}."
        )
    if user and token.type in ("NOT", "LPAR"):
        return f"after IF {got(token)} cannot stand.", "The conditions after IF are joined with AND, each as it is."
    if token.type == "WORD" and before[-1].type == "NOT":
        return f"after NOT comes a condition, not {got(token)}.", f"Write one such as NOT {example}."
    if token.type == "RPAR" and before[-1].type == "LPAR":
        return "nothing stands between the brackets.", f"Write a condition such as {example}, or drop them."
    return f"after {before[-1]} comes a condition, not {got(token)}.", f"Write one such as {example}."


def at_an_operator(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """An operator is due."""
    if before[-1].type == "NOT":
        return f"after NOT comes IN, LIKE or CONTAINS, not {got(token)}.", (
            "For 'not equal' write !=." if token.type == "COMPARISON" else hint(token, OPERATORS, "")
        )
    advice = ADVICE_ON_WORDS.get(token.upper(), "")
    if token.type == "LPAR":
        advice = f"Write {before[-1]} IN (…)."
    problem = f"after {before[-1]} comes an operator, not {got(token)}."
    return problem, advice or hint(token, OPERATORS, f"Operators are {', '.join(OPERATORS)}.")


def at_a_value(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """A value is due."""
    if token.type == "COMPARISON":
        return f"two operators follow each other, {before[-1]} and {token}.", f"Operators are {', '.join(OPERATORS)}."
    if before[-1].type == "COMMA":
        return f"after a comma comes another value, not {got(token)}.", "Drop the last comma, or write the value."
    advice = 'A value is a text in double quotes ("jazz"), a number, a parameter ($NAME), TRUE or FALSE, or NOW().'
    if token.type not in ("$END", "RPAR", "LPAR", "COMMA", "PIPE"):
        advice = f'To mean the word, put it into quotes: "{token}". {advice}'
    return f"after {before[-1]} comes a value, not {got(token)}.", advice


def in_a_list(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """A comma or the end of the list is due."""
    if token.type in ("VALUES", "PLACEHOLDER", "FIELD", "BOOLEAN", "WORD"):
        if before[-1].type == "VALUES" and token.type == "WORD":
            return f"{got(token)} follows a value without a comma.", f'Write , "{token}" or close the list with ).'
        return (
            f"a comma is missing before {got(token)}.",
            f"Write , {quoted(token, 20) if token.type == 'WORD' else token[:20]}.",
        )
    return f"a list goes on with a comma or ends with ), not with {got(token)}.", "Close it with )."


def after_a_condition(text: str, before: list[Token], token: Token) -> tuple[str, str]:
    """AND, OR, IF, | or the end is due."""
    conditional = any(each.type == "IF" for each in since_the_bar(before))
    if token.type == "IF":
        return "an expression has only one IF.", "Join the conditions on the user with AND: IF … AND …"
    if token.type == "OR" and conditional:
        return "after IF conditions are joined with AND only.", (
            "For OR write the expression twice, joined with |, each with one of the conditions after IF."
        )
    if token.type in ("INCLUDE", "EXCLUDE"):
        return f"{got(token)} begins another expression, and they are joined with |.", f"Write | {token}."
    if token.type == "RPAR":
        return "a bracket is closed that was not opened.", "Drop it, or open one before."
    if token.type == "FIELD":
        return f"AND or OR is missing before {got(token)}.", f"Write AND {token}."
    if token.type == "COMMA":
        return "a comma stands after a condition.", "Join conditions with AND or OR."
    if token.type == "PIPE":
        return (
            "| stands where a condition is joined.",
            "| joins whole expressions; conditions are joined with AND or OR.",
        )
    if before[-1].type in ("LPAR", "RPAR") and len(before) > 1 and before[-2].type in ("NOW", "LPAR"):
        return f"after NOW() comes + or - and a duration, not {got(token)}.", (
            "A duration has a unit: 2w, 30d, 12h, 45m or 10s; NOW() takes nothing between its brackets."
        )
    known = ("AND",) if conditional else ("AND", "OR", "IF")
    return f"a condition ends before {got(token)}; what follows is AND, OR, IF, | or the end.", hint(token, known, "")


def since_the_bar(before: list[Token]) -> list[Token]:
    """The tokens of the expression that is being read."""
    bars = [place for place, token in enumerate(before) if token.type == "PIPE"]
    return before[bars[-1] + 1 :] if bars else before


def hint(token: Token, known: Collection[str], advice: str) -> str:
    """What was probably meant, before the advice."""
    return f"{meant(token[:40], known)} {advice}".strip() if token.type == "WORD" else advice
