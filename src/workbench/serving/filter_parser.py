"""Read a filter: text to tree, or an error that shows the place. Deep, long and odd input is refused at once."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError
from lark.parsers.lalr_interactive_parser import InteractiveParser

from workbench.errors import FilterError
from workbench.serving.filter_builder import Builder
from workbench.serving.filter_errors import FilterTextError
from workbench.serving.filter_hints import cut_short, misplaced, unreadable
from workbench.serving.filter_rules import require_rules
from workbench.serving.filter_tree import ACTION_TARGET, ITEM_TARGET, USER_TARGET, Filter

# What a filter may hold, so that any text is answered within a tenth of a second; Personalize's own limits are far
# lower and are told by `portable`.
LONGEST = 100_000  # characters
MOST_TOKENS = 2_000  # fields, operators, words, brackets; the values of a list count once
DEEPEST = 50  # brackets and NOTs inside each other

TARGETS = {"itemid": ITEM_TARGET, "userid": USER_TARGET, "actionid": ACTION_TARGET}
TARGETS |= {"item_id": ITEM_TARGET, "user_id": USER_TARGET, "action_id": ACTION_TARGET}
KEYWORDS = ("INCLUDE", "EXCLUDE", "WHERE", "AND", "OR", "NOT", "IF", "IN", "LIKE", "CONTAINS", "NOW")
BOOLEANS = ("TRUE", "FALSE")
WORDS = {word.lower(): (word, word) for word in KEYWORDS}  # written small, to terminal and canonical spelling
WORDS |= {word.lower(): ("BOOLEAN", word) for word in BOOLEANS}
WORDS |= {word: ("TARGET", target) for word, target in TARGETS.items()}
KEYWORD_TERMINALS = {terminal for terminal, _ in WORDS.values()}


def parse(text: str) -> Filter:
    """Read a filter expression.

    Args:
        text: one or more expressions joined with |, as notebooks/guides/filters.md explains.

    Returns:
        The filter; its notices say what was read otherwise than written.

    Raises:
        FilterError: the text is no filter; the message shows the place and what to write there.
    """
    if not isinstance(text, str):
        raise FilterError(f"A filter is a text such as 'INCLUDE ItemID WHERE Items.PRICE < 10', not {text!r:.100}.")
    if len(text) > LONGEST:
        raise FilterError(
            f"The filter has {len(text):,} characters; up to {LONGEST:,} are read. "
            "Put what the list says into a column of the dataset and test that column."
        )
    parser, tokens = grammar().parse_interactive(), []
    try:
        for token in limited(text, grammar().lex(text)):
            feed(parser, token, tokens, text)
    except UnexpectedCharacters as error:
        raise unreadable(text, error.pos_in_stream) from None
    builder = Builder(text, TARGETS)
    note_spellings(tokens, builder)
    try:
        expressions = builder.transform(finish(parser, tokens, text))
    except VisitError as error:
        raise error.orig_exc from None
    found = Filter(text, expressions, tuple(builder.literals.notices))
    require_rules(found)
    return found


@cache
def grammar() -> Lark:
    """The parser, built when a process first needs it."""
    rules = Path(__file__).with_name("filters.lark").read_text(encoding="utf-8")
    return Lark(rules, parser="lalr", lexer="basic", lexer_callbacks={"WORD": looked_up}, maybe_placeholders=False)


def looked_up(word: Token) -> Token:
    """Give a word the terminal it stands for, whatever its case."""
    if word.isascii() and word.lower() in WORDS:
        return word.update(type=WORDS[word.lower()][0])
    return word


def limited(text: str, tokens: Iterator[Token]) -> Iterator[Token]:
    """Pass tokens on while the filter is neither too long nor too deep.

    Raises:
        FilterTextError: it is.
    """
    levels, before = [0], ""  # NOTs that wait for their condition, by open bracket
    for count, token in enumerate(tokens):
        if token.type == "LPAR":
            levels.append(0)
        elif token.type == "RPAR" and len(levels) > 1:
            levels.pop()
        elif token.type == "NOT" and before != "FIELD":
            levels[-1] += 1
        elif token.type in ("AND", "OR", "PIPE", "IF"):
            levels[-1] = 0
        before = token.type
        if len(levels) - 1 + sum(levels) > DEEPEST:
            advice = "Drop brackets that change nothing, or split the filter into expressions joined with |."
            raise too_much(f"{DEEPEST} brackets and NOTs inside each other", text, token, advice)
        if count >= MOST_TOKENS:
            advice = "Ask for many values of one field with one IN (…), whose list counts as one."
            raise too_much(f"{MOST_TOKENS:,} words, fields, operators and brackets", text, token, advice)
        yield token


def too_much(limit: str, text: str, token: Token, advice: str) -> FilterTextError:
    """The error for the token at which a limit is passed."""
    return FilterTextError(f"more than {limit}.", text, token.start_pos, token.start_pos + len(token), advice)


def feed(parser: InteractiveParser, token: Token, tokens: list[Token], text: str) -> None:
    """Give the parser one token and keep it."""
    try:
        parser.feed_token(token)
    except UnexpectedToken:
        raise misplaced(text, tokens, token, parser.accepts()) from None
    tokens.append(token)


def finish(parser: InteractiveParser, tokens: list[Token], text: str) -> object:
    """Tell the parser that the text ends and take the tree."""
    try:
        return parser.feed_eof()
    except UnexpectedToken:
        raise cut_short(text, tokens, parser.accepts()) from None


def note_spellings(tokens: list[Token], builder: Builder) -> None:
    """Say which words were written otherwise than canonically, and how they were read."""
    known = {token: WORDS[token.lower()][1] for token in tokens if token.type in KEYWORD_TERMINALS}
    changed = {written: read for written, read in known.items() if written != read}
    if changed:
        builder.literals.note(f"{', '.join(changed)} read as {', '.join(dict.fromkeys(changed.values()))}.")
